/* attester_simulated: the door for tests: the same attester with a clock of
 * the test's. */
#ifndef HALLMARK_ORACLE_ATTESTER_SIMULATED_H
#define HALLMARK_ORACLE_ATTESTER_SIMULATED_H

#include "oracle/attester.h"

struct attester *attester_simulated_open_at(const char *directory,
    int64_t (*now_ms)(void), char error[ATTESTER_ERROR_MAX]);

#endif
