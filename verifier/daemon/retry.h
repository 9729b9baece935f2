/* retry: how long to wait before the next try: between half of a back-off and
 * all of it, at random, so that many verifiers do not come at once; and twice
 * as long the next time. */
#ifndef HALLMARK_VERIFIER_DAEMON_RETRY_H
#define HALLMARK_VERIFIER_DAEMON_RETRY_H

#include <stdint.h>

#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 3000

/* *backoff_ms: RETRY_MIN_MS at first, and again once it went well. */
uint64_t retry_wait_ms(uint64_t *backoff_ms);

#endif
