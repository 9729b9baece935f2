/* made_record: judged records for the archive's tests, which believes what the
 * validator said: their bytes need not verify. */
#ifndef HALLMARK_TESTS_DAEMON_MADE_RECORD_H
#define HALLMARK_TESTS_DAEMON_MADE_RECORD_H

#include "verifier/daemon/record.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MADE_KEY "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"

/* content says which one it is; `document` is borrowed. */
static inline struct record *made_record(struct kept_document *document,
    const char *feed, uint8_t boot, uint64_t sequence, const char *content)
{
	struct record *r = calloc(1, sizeof(*r));
	struct hm_envelope *e = &r->envelope;

	r->origin = "http://oracle";
	r->received_ms = 1800000000000;
	r->verdict = HM_VALID;
	r->document = kept_document_ref(document);
	snprintf(r->feed, sizeof(r->feed), "%s", feed);
	memset(r->boot_id, boot, sizeof(r->boot_id));
	r->sequence = sequence;
	r->ok = true;
	snprintf(r->price, sizeof(r->price), "1.00");
	r->published_ms = 1800000000000 + (int64_t)sequence;
	r->expires_ms = r->published_ms + 5000;
	SHA256((const uint8_t *)content, strlen(content), r->content_sha256);
	snprintf(r->event_id, sizeof(r->event_id), "e-%llu",
	    (unsigned long long)sequence);
	e->content = strdup(content);
	e->content_len = strlen(content);
	e->signature = malloc(256);
	e->signature_len = 256;
	memset(e->signature, (int)sequence, 256);
	e->public_key = strdup(MADE_KEY);
	snprintf(e->platform, sizeof(e->platform), "simulated");
	memcpy(e->attestation_sha256, document->sha256, HM_SHA256_LEN);
	return r;
}

/* One more enclave stands by it: `who` is its word and, with `document`, the
 * bytes of its document. */
static inline void made_cosign(struct record *r, const char *who, bool document)
{
	struct hm_envelope *all = &r->envelope, *e;

	all->cosignatures = realloc(all->cosignatures,
	    (all->cosignature_count + 1) * sizeof(*all->cosignatures));
	e = &all->cosignatures[all->cosignature_count++];
	memset(e, 0, sizeof(*e));
	e->content = strdup(who);
	e->content_len = strlen(who);
	e->signature = (uint8_t *)strdup("signature");
	e->signature_len = 9;
	e->public_key = strdup(MADE_KEY);
	snprintf(e->platform, sizeof(e->platform), "simulated");
	SHA256((const uint8_t *)who, e->content_len, e->attestation_sha256);
	if (!document)
		return;
	e->document = (uint8_t *)strdup(who);
	e->document_len = e->content_len;
}

static inline struct record *made_refused(
    const char *text, enum hm_verdict verdict)
{
	struct record *r = record_new(
	    "http://oracle", "", text, strlen(text), 1800000000000);

	r->refused = true;
	r->verdict = verdict;
	return r;
}

#endif
