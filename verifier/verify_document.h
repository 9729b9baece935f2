/*
 * verify_document: one question about one document, for bare documents and for
 * those that vouch for an item. Live and replay are different questions and
 * stay apart in hallmark.h; here is what they share.
 */
#ifndef HALLMARK_VERIFIER_VERIFY_DOCUMENT_H
#define HALLMARK_VERIFIER_VERIFY_DOCUMENT_H

#include "verifier/cache.h"
#include "verifier/quote_memo.h"

struct question { /* all borrowed */
	const struct hm_policy *policy;
	struct hm_cache *cache; /* may be NULL */
	const struct hm_report *report;
	/* Live: the chain must hold at at_ms. Replay: at the document's own
	 * timestamp. */
	bool live;
	/* A bare document, live: at most max_age_s old. */
	bool limit_age;
	/* The instant that release windows and the enclave's age are judged
	 * at; -1: the document's own timestamp. */
	int64_t at_ms;
	const uint8_t *nonce; /* NULL: not asked for */
	size_t nonce_len;
	/* A quote must have been made for this: bytes (at NULL: whatever it
	 * was made for), or a public key in PEM (NULL: the bytes count). */
	struct slice held;
	bool quote_only; /* whatever else it begins like is a bad quote */
	const char *held_pem;
};

/* The answer: what is established and what the policy made of it. */
struct answer {
	const struct established *facts; /* own, or borrowed from the cache
					    until the next question */
	struct established *own;
	const struct policy_root *root; /* of a quote: NULL */
	const struct policy_release *release;
	const char *platform, *root_name;
	const struct item_key *key; /* that items are signed with; no pkey:
				       it is none */
	/* of a quote */
	struct quote_found found;
	struct item_key own_key;
};

/* A time that a caller gave, made one that can be reckoned with. */
int64_t question_time(int64_t ms);

/*
 * bytes.at NULL: the document is to be found in the cache by sha256, or else
 * HM_ATTESTATION_MISSING. answer_fini() after any verdict. A document that was
 * found valid enters the cache.
 */
HM_MUST_CHECK enum hm_verdict question_ask(const struct question *question,
    struct slice bytes, const uint8_t sha256[HM_SHA256_LEN],
    struct answer *answer);
void answer_fini(struct answer *answer);
/* For an answer of HM_VALID. */
void answer_document(const struct answer *answer, struct hm_document *out);

#endif
