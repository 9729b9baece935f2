/*
 * check: gives each check of something from outside a name, and nothing else.
 * The mutation gate (`make mutants`) switches the checks off one after the
 * other, in a build of its own, and fails unless a test notices each time.
 *
 * A call that only hands on what a function of the same file refused needs no
 * name. Names are unique, and begin with what the check is about.
 */
#ifndef HALLMARK_FEEDS_CHECK_H
#define HALLMARK_FEEDS_CHECK_H

#include <stdbool.h>

#ifdef HM_MUTANTS
/* tests/mutants/check_is_off.c; asked only for what would be refused. */
bool check_is_off(const char *name);

#define REQUIRE(name, good) ((good) || check_is_off(#name))
#define REFUSE(name, bad)   ((bad) && !check_is_off(#name))
#else
#define REQUIRE(name, good) (good)
#define REFUSE(name, bad)   (bad)
#endif

#endif
