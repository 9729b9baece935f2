/*
 * document_builder: makes attestation documents of AWS's profile (five P-384
 * certificates, COSE_Sign1 with ES384) that are right in all but one thing: a
 * test sets one hook, and each stage of the making hands over what it made.
 *
 * Included by the tests as document_builder.c, since each test is a program of
 * one file.
 */
#ifndef HALLMARK_TESTS_VERIFIER_DOCUMENT_BUILDER_H
#define HALLMARK_TESTS_VERIFIER_DOCUMENT_BUILDER_H

#include "verifier/policy.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define BUILDER_LEVELS     5 /* root, regional, zonal, instance, leaf */
#define BUILDER_LEAF       4
#define BUILDER_FIELDS_MAX 12
#define BUILDER_NOW_MS     1795251600000 /* 2026-11-21T09:00:00Z */
#define BUILDER_START_MS   (BUILDER_NOW_MS - 3600 * 1000) /* the enclave's */
#define BUILDER_ROOT_NAME  "simulated.nitro-enclaves"

struct blob {
	uint8_t at[24576];
	size_t len;
};

struct builder_field {
	char key[64];
	struct blob value; /* CBOR */
};

struct builder {
	EVP_PKEY *keys[BUILDER_LEVELS]; /* made once */
	EVP_PKEY *rsa;                  /* made once: the item key */
	char *rsa_pem;

	/* What the next document says; builder_reset() sets all of it. */
	int64_t timestamp_ms;
	char module_id[128];
	char leaf_name[160];
	bool indefinite;
	uint8_t pcrs[16][48];
	struct blob public_key, user_data, nonce; /* bytes; len 0: null */
	/* Seconds from BUILDER_NOW_MS. */
	int64_t not_before_s[BUILDER_LEVELS], not_after_s[BUILDER_LEVELS];
	EVP_PKEY *key_of[BUILDER_LEVELS]; /* instead of keys[], borrowed */
	const EVP_MD *digest;             /* of certificates */

	/* Hooks, in the order in which they are called. */
	void (*edit_cert)(struct builder *b, unsigned level, X509 *x509);
	void (*edit_tbs)(struct builder *b, unsigned level, struct blob *tbs);
	void (*edit_der)(struct builder *b, unsigned level, struct blob *der);
	void (*edit_bundle)(struct builder *b);
	void (*edit_fields)(struct builder *b);
	void (*edit_payload)(struct builder *b, struct blob *payload);
	void (*edit_cose)(struct builder *b);
	unsigned level; /* for hooks: which certificate to spoil */
	/* So many levels stay as they were made last; the others are made (and
	 * signed) anew. */
	unsigned kept;

	/* Made by builder_make(). */
	struct blob der[BUILDER_LEVELS];
	struct blob bundle[16]; /* what goes into cabundle */
	size_t bundle_count;
	struct builder_field fields[BUILDER_FIELDS_MAX];
	size_t field_count;
	struct blob head, protected, unprotected, payload, signature, tail;
	struct blob document;
};

struct builder *builder_new(void);
void builder_free(struct builder *b);
void builder_reset(struct builder *b);
/* Makes b->document. */
void builder_make(struct builder *b);
/* A policy that trusts b's root (as it was made last), whatever is wrong with
 * it, and accepts b's PCRs. */
struct hm_policy *builder_policy(const struct builder *b);
/* The root as PEM; the caller frees it. */
char *builder_root_pem(const struct builder *b);

/* ---- for hooks ---- */

void blob_put(struct blob *blob, const void *bytes, size_t len);
void blob_set(struct blob *blob, const void *bytes, size_t len);
/* CBOR: the shortest head; a text; bytes. */
void blob_head(struct blob *blob, unsigned major, uint64_t value);
void blob_text(struct blob *blob, const char *text);
void blob_bytes(struct blob *blob, const void *bytes, size_t len);
/* DER: a tag and a length below 65536. */
void blob_der_head(struct blob *blob, uint8_t tag, size_t len);
/* Replaces the first `from`, which must be there, by `to`. */
void blob_replace(struct blob *blob, const void *from, size_t from_len,
    const void *to, size_t to_len);
struct builder_field *builder_field(struct builder *b, const char *key);
void builder_drop_field(struct builder *b, const char *key);
struct builder_field *builder_add_field(struct builder *b, const char *key);
void builder_extension(X509 *x509, int nid, const char *value);
void builder_drop_extension(X509 *x509, int nid);
/* r || s over bytes with SHA-384. */
void builder_sign(EVP_PKEY *key, const struct blob *bytes, uint8_t out[96]);

#endif
