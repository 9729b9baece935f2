/*
 * sealed_key: the signing key as the parent keeps it. AES-256-GCM under a data
 * key that only KMS can give back, and it only to the enclave that its policy
 * names. Pure.
 *
 *   {"format":"hallmark-sealed-key/1","key_id":"...","region":"...",
 *    "config_sha256":hex,"epoch":N,"made_ms":N,"retire_ms":N,
 *    "wrapped_b64":"...","nonce_b64":"...","sealed_b64":"..."}
 *
 * All of it but the nonce is what the seal is bound to (additional
 * authenticated data), and the key, region and configuration are taken from
 * whoever opens it: a blob that was moved, or whose epoch or times were
 * changed, does not open. sealed_b64 is PKCS#8 DER and the tag.
 *
 * A keeper can give back an older blob of the same configuration: retire_ms is
 * when that key ends, whoever brings it.
 */
#ifndef HALLMARK_ORACLE_SEALED_KEY_H
#define HALLMARK_ORACLE_SEALED_KEY_H

#include <stddef.h>
#include <stdint.h>

#define SEALED_KEY_MAX      16384 /* bytes of the JSON: what a keeper takes */
#define SEALED_KEY_DATA_LEN 32    /* the data key: AES-256 */
#define SEALED_KEY_DER_MAX  4096

struct sealed_key_binding { /* borrowed */
	const char *key_id, *region;
	const uint8_t *config_sha256; /* 32 */
};

struct sealed_key {
	uint64_t epoch;             /* from 1 */
	int64_t made_ms, retire_ms; /* retire_ms 0: never */
	uint8_t *wrapped;           /* the data key, KMS's; owned */
	size_t wrapped_len;

	/* private */
	uint8_t nonce[12];
	uint8_t *sealed; /* owned */
	size_t sealed_len;
};

/* Reads one, and whether it was made for this binding: nothing in it is to be
 * believed until it is opened. 0, or -1, empty and why (static). */
__attribute__((warn_unused_result)) int sealed_key_parse(struct sealed_key *out,
    const struct sealed_key_binding *binding, const uint8_t *bytes, size_t len,
    const char **why);
void sealed_key_fini(struct sealed_key *key);

/* The private key in DER, in OpenSSL's secure heap if there is one: free it
 * with OPENSSL_secure_clear_free(). 0, or -1: something in it was changed, or
 * it is under another data key. */
__attribute__((warn_unused_result)) int sealed_key_open(
    const struct sealed_key *key, const struct sealed_key_binding *binding,
    const uint8_t data_key[static SEALED_KEY_DATA_LEN], uint8_t **der,
    size_t *der_len);

/* Seals der under a data key that is used for nothing else; `key` gives epoch,
 * times and wrapped. The JSON, which the caller frees; NULL when it is over
 * SEALED_KEY_MAX. Dies without memory. */
char *sealed_key_make(const struct sealed_key *key,
    const struct sealed_key_binding *binding,
    const uint8_t data_key[static SEALED_KEY_DATA_LEN], const uint8_t *der,
    size_t der_len);

#endif
