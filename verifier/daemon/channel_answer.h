/*
 * channel_answer: what an oracle answers to GET /attestation?nonce=, held
 * against the connection it came over. Pure.
 *
 *   {"attestation_doc_b64": "...", "tls_spki_sha256": hex,
 *    "seal_public_key": PEM, "nonce_path": {...}, ...}
 *
 * Believed is the document alone, once the policy accepts it and it holds our
 * nonce, plain or as a leaf of the tree whose root it holds. The text around it
 * is a copy for those who do not verify; where it says something else than the
 * document, or than the key at the other end, somebody is in between.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_CHANNEL_ANSWER_H
#define HALLMARK_VERIFIER_DAEMON_CHANNEL_ANSWER_H

#include "verifier/attested_data.h"
#include "verifier/hallmark.h"

#define CHANNEL_NONCE_LEN  32   /* of a fresh one */
#define CHANNEL_NONCE_MAX  512  /* what an attestation document can hold */
#define CHANNEL_PEM_MAX    2048 /* RSA-8192: 1.4 KB */
#define CHANNEL_ANSWER_MAX HM_ENVELOPE_MAX

struct channel_question { /* all borrowed */
	const uint8_t *nonce;
	size_t nonce_len;
	/* SHA-256 of the key that the other end of this very connection holds;
	 * NULL: the connection is not the oracle's own TLS, and the document
	 * says nothing of it. */
	const uint8_t *spki_sha256;
	int64_t now_ms;
};

struct channel_facts { /* what is proven of who is at the other end */
	struct hm_document document;
	struct attested_data attested; /* of document.user_data */
	bool bound;                    /* this connection ends in the enclave */
	/* The attested key that secrets are encrypted to; "": none. */
	char seal_public_key[CHANNEL_PEM_MAX];
};

/*
 * The library's checks, in its words, and besides: "nonce" (of a batch too),
 * "tls_key" (KEY_NOT_ATTESTED), "seal_key", "answer" (ENVELOPE_MALFORMED, or
 * ATTESTATION_MISMATCH where the text around the document contradicts it).
 * cache and report may be NULL. Zeroes *out unless HM_VALID.
 */
HM_MUST_CHECK enum hm_verdict channel_answer_judge(struct channel_facts *out,
    const struct hm_policy *policy, struct hm_cache *cache, const char *json,
    size_t len, const struct channel_question *question,
    const struct hm_report *report);

/* Whether this PEM is the public key with this SHA-256 (of its SPKI in DER). */
bool channel_answer_is_key(
    const char *pem, const uint8_t spki_sha256[HM_SHA256_LEN]);

#endif
