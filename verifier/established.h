/*
 * established: what the mathematics says of a document, whatever the time and
 * the policy's releases: its form, the root it hangs from, the path to its
 * leaf, its signature. This is what may be cached. The times, revocation,
 * debug, PCRs, windows and the nonce are judged anew for each question
 * (verify_document.h).
 */
#ifndef HALLMARK_VERIFIER_ESTABLISHED_H
#define HALLMARK_VERIFIER_ESTABLISHED_H

#include "verifier/chain.h"
#include "verifier/item_key.h"
#include "verifier/policy.h"

struct established {
	struct hm_document document; /* platform, root and release are empty:
					a policy gives them */
	uint8_t root_sha256[HM_SHA256_LEN];
	struct chain_facts facts;
	struct item_key key; /* no pkey: public_key is not an item's key */
	struct chain chain;  /* until the cache has it: then empty */
	/* In the place of all of these but document: a quote's bytes, whose
	 * form alone is established (quote_document.h). Owned; at NULL: it is
	 * none. */
	struct established_quote {
		uint8_t *at;
		size_t len;
	} quote;
};

/*
 * sha256: of `bytes`, by the caller. The root must be one of the policy's.
 * `known` may be NULL; nothing is put into it here. On HM_VALID *out is new and
 * the caller's, else NULL. Reports cose, document, root, certificate_profile,
 * chain, document_signature.
 *
 * The root is looked up before any signature is checked, so that no work is
 * done for keys nobody trusts, and nothing is ever said on their word.
 */
HM_MUST_CHECK enum hm_verdict established_new(struct established **out,
    const struct hm_policy *policy, struct cert_cache *known,
    struct slice bytes, const uint8_t sha256[HM_SHA256_LEN],
    const struct hm_report *report);
void established_free(struct established *established);

#endif
