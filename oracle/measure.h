/*
 * measure: the configuration becomes part of what is attested: PCR16 is
 * extended with the SHA-384 of its bytes, once, and locked, so that every
 * document of this enclave shows it and nothing can be added to it.
 *
 * hallmark-init does it before anything else runs, and the oracle does it
 * again: it finds PCR16 locked with the value that its own configuration
 * gives, or it is not the configuration that was measured.
 */
#ifndef HALLMARK_ORACLE_MEASURE_H
#define HALLMARK_ORACLE_MEASURE_H

#include "oracle/attester.h"

#define MEASURE_PCR 16 /* the first that is ours to extend */

/*
 * Afterwards PCR16 is locked and is SHA384(48 zero bytes || sha384), which is
 * in pcr as well. 0: measured now; 1: it had been already, by init or by an
 * earlier start in this enclave; -1 and why: the module refused, or PCR16
 * holds something else (it is then neither extended nor locked).
 */
__attribute__((warn_unused_result)) int measure_config(struct attester *a,
    const uint8_t sha384[static ATTESTER_PCR_LEN],
    uint8_t pcr[static ATTESTER_PCR_LEN], char error[ATTESTER_ERROR_MAX]);

#endif
