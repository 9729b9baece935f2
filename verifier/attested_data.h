/*
 * attested_data: what an oracle binds into its attestation document besides its
 * key: a map in deterministic CBOR (RFC 8949, 4.2.1)
 *
 *   {"boot_id": 16 bytes, "config_sha256": 32 bytes}
 *
 * of at most 512 bytes, and, where there is something to vouch for,
 *
 *   "key_epoch"         which of its keys in turn the attested one is, from 1
 *   "content_sha256"    of a result that was made for this document's nonce
 *   "tls_spki_sha256"   the key of the oracle's own TLS
 *   "seal_spki_sha256"  the key that secrets are encrypted to
 *
 * (hashes are 32 bytes). Further text keys, of at most 64 bytes, with a
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
	uint64_t key_epoch; /* 0: none */
	bool has_content, has_tls, has_seal;
	uint8_t content_sha256[32]; /* zeros unless has_content; so the rest */
	uint8_t tls_spki_sha256[32];
	uint8_t seal_spki_sha256[32];
};

/* 0, or -1 and *out zeroed. */
__attribute__((warn_unused_result)) int attested_data_parse(
    struct attested_data *out, struct slice bytes);

#endif
