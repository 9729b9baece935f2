/*
 * verify_signed: what an item and a head of the log have in common: a content
 * in an envelope, signed by an attested key. What the content says, and what
 * is asked of it alone, is the caller's.
 */
#ifndef HALLMARK_VERIFIER_VERIFY_SIGNED_H
#define HALLMARK_VERIFIER_VERIFY_SIGNED_H

#include "verifier/verify_document.h"

/* What stands for the signature of a result inside an attestation. */
struct signed_attested {      /* borrowed */
	const uint8_t *nonce; /* the caller's; the document must answer it */
	size_t nonce_len;
	uint64_t index, size; /* of hm_nonce_verify() */
	const uint8_t (*path)[HM_SHA256_LEN];
	size_t path_len;
};

/* One envelope under judgement. */
struct signed_trial {
	struct question question;
	const struct hm_envelope *envelope; /* may be NULL: refused */
	struct slice document; /* {NULL, 0}: neither inside nor supplied */
	/* What the content says: set by its reader; borrowed. */
	const uint8_t *boot_id;       /* 16 bytes */
	const uint8_t *config_sha256; /* 32 bytes */
	int64_t published_ms;
	/* The envelope's form does not name a platform. */
	bool without_platform;
	/* NULL: a signature. Else the envelope's is not looked at. */
	const struct signed_attested *attested;
	/* Set on the way, for `accept`. */
	struct answer answer;
	uint8_t sha256[HM_SHA256_LEN]; /* of content */
};

struct signed_content {
	/* Reads t->envelope's content and sets what it says; reports
	 * "content". Called once the envelope is whole. */
	enum hm_verdict (*read)(struct signed_trial *t, void *data);
	/* All is well so far: what else there is to judge, and the result. */
	enum hm_verdict (*accept)(const struct signed_trial *t, void *data);
	void *data;
};

/* A replay; cache, document and report may be NULL, all is borrowed. */
void signed_init(struct signed_trial *t, const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len,
    const struct hm_report *report);
/* Live at now_ms instead. */
void signed_ask_live(struct signed_trial *t, int64_t now_ms);

/* Once for each trial. What `accept` said, or what was wrong before. */
HM_MUST_CHECK enum hm_verdict signed_judge(
    struct signed_trial *t, const struct signed_content *content);

/* Reports one check and hands its verdict on. */
HM_MUST_CHECK enum hm_verdict signed_tell(const struct signed_trial *t,
    const char *check, enum hm_verdict verdict, const char *wanted,
    const char *found);

#endif
