/*
 * chain: from a pinned root to the key that signed the document (S1, 3.2.3).
 *
 * The caller has found cabundle[0] byte for byte among the roots of its
 * policy. Each certificate is held against the profile (cert.h), the path is
 * built and its signatures checked by X509_verify_cert() with nothing but that
 * root to trust, and the path it found must be exactly the one given, in the
 * order given.
 *
 * Of a chain whose upper part was verified before (cert_cache.h) only the rest
 * is verified again, with the lowest known certificate to trust. The profile is
 * checked anew for all of it.
 *
 * Times are not judged here, so that what is found out can be cached and asked
 * for any moment: chain_facts carries the bounds. (X509_V_FLAG_X509_STRICT is
 * not used: AWS's leaves have no authority key identifier and all fail it.)
 */
#ifndef HALLMARK_VERIFIER_CHAIN_H
#define HALLMARK_VERIFIER_CHAIN_H

#include "verifier/cert_cache.h"
#include "verifier/document.h"

#define CHAIN_MAX (DOCUMENT_CABUNDLE_MAX + 1)

struct chain { /* root first, leaf last */
	struct cert certs[CHAIN_MAX];
	uint8_t path_sha256[CHAIN_MAX][HM_SHA256_LEN]; /* with a cache */
	size_t count;
	/* So many, counted from the root, were verified before: as they are
	 * here, in this order, under this root. */
	size_t known;
};

/* What remains of a verified chain. */
struct chain_facts {
	int64_t not_before_ms; /* the latest notBefore */
	int64_t not_after_ms;  /* the earliest notAfter */
	size_t link_count;
	struct chain_link { /* each certificate but the root */
		uint8_t issuer_spki_sha256[HM_SHA256_LEN];
		uint8_t serial[CERT_SERIAL_MAX];
		size_t serial_len;
	} links[CHAIN_MAX - 1];
};

/* Parses all that `known` does not hold and checks the profile of all; the
 * leaf's common name must begin with module_id and a dot. root: the first one,
 * if it was read before. Both may be NULL. HM_VALID, HM_CERTIFICATE_PROFILE or
 * HM_NO_MEMORY, and then nothing is owned. */
HM_MUST_CHECK enum hm_verdict chain_open(struct chain *out,
    const struct document_certs *certs, const char *module_id,
    const struct cert *root, struct cert_cache *known);
void chain_close(struct chain *chain);

/* Verifies what is below the known ones. HM_VALID, HM_CHAIN_BROKEN or
 * HM_NO_MEMORY. `why` (may be NULL) gets a static text. */
HM_MUST_CHECK enum hm_verdict chain_verify(
    const struct chain *chain, const char **why);

/* How many signatures that is. */
size_t chain_unknown_links(const struct chain *chain);
/* Makes a verified chain known. */
void chain_remember(const struct chain *chain, struct cert_cache *known);

void chain_read_facts(const struct chain *chain, struct chain_facts *out);
/* Borrowed from the chain. */
EVP_PKEY *chain_leaf_key(const struct chain *chain);

#endif
