/*
 * attested_data: what an oracle binds into its attestation document besides its
 * key: a map in deterministic CBOR (RFC 8949, 4.2.1)
 *
 *   {"boot_id": 16 bytes, "config_sha256": 32 bytes}
 *
 * of at most 512 bytes. Further text keys, of at most 64 bytes, with a
 * number, a string or null are left for later and passed over.
 */
#ifndef HALLMARK_VERIFIER_ATTESTED_DATA_H
#define HALLMARK_VERIFIER_ATTESTED_DATA_H

#include "verifier/cursor.h"

#define ATTESTED_DATA_MAX     512
#define ATTESTED_DATA_KEY_MAX 64
#define ATTESTED_DATA_KEYS    32 /* entries of the map */

struct attested_data {
	uint8_t boot_id[16];
	uint8_t config_sha256[32];
};

/* 0, or -1 and *out zeroed. */
__attribute__((warn_unused_result)) int attested_data_parse(
    struct attested_data *out, struct slice bytes);

#endif
