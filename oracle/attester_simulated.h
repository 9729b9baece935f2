/* attester_simulated: the door for tests: the same attester with a clock of
 * the test's, and with the measurements of an image that was really booted. */
#ifndef HALLMARK_ORACLE_ATTESTER_SIMULATED_H
#define HALLMARK_ORACLE_ATTESTER_SIMULATED_H

#include "oracle/attester.h"

struct attester *attester_simulated_open_at(const char *directory,
    int64_t (*now_ms)(void), char error[ATTESTER_ERROR_MAX]);

/* What a hypervisor has measured before anything ran: index is below 16. */
void attester_simulated_set_pcr(struct attester *a, unsigned index,
    const uint8_t value[static ATTESTER_PCR_LEN]);

#endif
