/*
 * attester_gramine: an SGX enclave under Gramine, through the files of its
 * /dev/attestation (Gramine documentation, "Attestation and Secret
 * Provisioning"):
 *
 *   attestation_type   "dcap", or there are no quotes
 *   user_report_data   64 bytes; takes shorter ones and pads, takes longer
 *                      ones and cuts, both without a word: never another
 *                      length is written
 *   quote              made at open, for what was written there before
 *
 * A quote has room for 64 bytes: SHA-256 of the public key, and zeros. There is
 * none for user data or a nonce, so boot_id and configuration are not bound by
 * it (the configuration is a file that MRENCLAVE measures), and a request with
 * a nonce is refused. There are no PCRs: MRENCLAVE is of the whole program and
 * of all its trusted files.
 *
 * What was written and what is read belong together, so both happen under one
 * lock, and the quote must show what was written.
 */
#ifndef HALLMARK_ORACLE_ATTESTER_GRAMINE_H
#define HALLMARK_ORACLE_ATTESTER_GRAMINE_H

#include "oracle/attester.h"

#define ATTESTER_GRAMINE_QUOTE_MAX 8192 /* what Gramine hands out at most */

/* directory: "/dev/attestation". NULL and an error text on failure. */
struct attester *attester_gramine_open(
    const char *directory, char error[ATTESTER_ERROR_MAX]);

#endif
