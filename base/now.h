/* now: the two clocks. Pure rooms take the time as an argument instead. */
#ifndef HALLMARK_BASE_NOW_H
#define HALLMARK_BASE_NOW_H

#include <stdint.h>

/* Unix time in milliseconds (CLOCK_REALTIME). */
int64_t now_unix_ms(void);

/* Milliseconds that only go forward (CLOCK_MONOTONIC). */
int64_t now_monotonic_ms(void);

#endif
