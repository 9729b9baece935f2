/*
 * seal_delivery: a sealed message on its way, and the receipt. Who relays it
 * may drop it and say that it has arrived: so the enclave signs that it has
 * taken this very message, by the key that its attestation document holds.
 */
#ifndef HALLMARK_VERIFIER_CLI_SEAL_DELIVERY_H
#define HALLMARK_VERIFIER_CLI_SEAL_DELIVERY_H

#include "verifier/daemon/channel_answer.h"
#include "verifier/daemon/oracle_address.h"

#include <stddef.h>
#include <stdint.h>

#define SEAL_DELIVERY_MS        20000 /* of one try; others may be in line */
#define SEAL_DELIVERY_TRIES     20    /* a second apart, while it says 429 */
#define SEAL_DELIVERY_MAX       65536 /* bytes of an answer */
#define SEAL_DELIVERY_ERROR_MAX 512

enum seal_delivery_end {
	SEAL_TAKEN,
	SEAL_NO_ANSWER,
	SEAL_REFUSED, /* by whoever answered */
	SEAL_FORGED,  /* a receipt that the enclave has not signed */
};

/* Blocking. Posts `der`; SEAL_TAKEN only with the receipt for it, signed by
 * the key of this document. Else why. */
HM_MUST_CHECK enum seal_delivery_end seal_deliver(
    const struct oracle_address *address, const char *name,
    const struct channel_facts *facts, const uint8_t *der, size_t len,
    char error[static SEAL_DELIVERY_ERROR_MAX]);

/* Whether this answer is the receipt for the message with this SHA-256. */
HM_MUST_CHECK bool seal_receipt_ok(const char *json, size_t len,
    const struct channel_facts *facts, const char *name,
    const uint8_t cms_sha256[HM_SHA256_LEN]);

#endif
