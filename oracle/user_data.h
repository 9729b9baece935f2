/* user_data: what the oracle puts into an attestation document beside its
 * key: which start of it (boot_id) and which configuration, and what else this
 * document vouches for, as a deterministic CBOR map (RFC 8949, 4.2.1).
 * verifier/attested_data.h reads it back and tells what each key means. */
#ifndef HALLMARK_ORACLE_USER_DATA_H
#define HALLMARK_ORACLE_USER_DATA_H

#include <stddef.h>
#include <stdint.h>

#define USER_DATA_MAX 512 /* what the attestation process guarantees */

struct user_data {                       /* all borrowed */
	const uint8_t *boot_id;          /* 16 bytes */
	const uint8_t *config_sha256;    /* 32 */
	uint64_t key_epoch;              /* 0: none */
	const uint8_t *content_sha256;   /* 32; NULL: none, as the rest */
	const uint8_t *tls_spki_sha256;  /* 32 */
	const uint8_t *seal_spki_sha256; /* 32 */
};

/* The number of bytes written to out. */
size_t user_data_encode(
    const struct user_data *data, uint8_t out[static USER_DATA_MAX]);

#endif
