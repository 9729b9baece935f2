/*
 * backoff: how long to wait, with jitter so that many sources do not move in
 * step. Pure: the caller brings 32 random bits.
 */
#ifndef HALLMARK_ORACLE_BACKOFF_H
#define HALLMARK_ORACLE_BACKOFF_H

#include <stdint.h>

/* interval_ms plus or minus up to a tenth. interval_ms >= 0. */
int64_t backoff_jitter(int64_t interval_ms, uint32_t random);

/*
 * The wait after `failures` (>= 1) failures in a row: min_ms doubled each
 * time, plus or minus up to a tenth, never below min_ms nor above max_ms.
 * 0 < min_ms <= max_ms.
 */
int64_t backoff_delay(
    int64_t min_ms, int64_t max_ms, unsigned failures, uint32_t random);

#endif
