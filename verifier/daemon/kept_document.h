/*
 * kept_document: one attestation document's bytes, shared by the items that
 * stand on it, and the few newest of one oracle. Nothing here is verified; a
 * document is found by the SHA-256 that we computed of its bytes.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_KEPT_DOCUMENT_H
#define HALLMARK_VERIFIER_DAEMON_KEPT_DOCUMENT_H

#include "verifier/hallmark.h"

/* Of one oracle, which renews every 25 minutes, and of those that co-sign its
 * items. */
#define KEPT_DOCUMENTS_MAX 32

struct kept_document {
	uint8_t sha256[HM_SHA256_LEN];
	char sha256_hex[2 * HM_SHA256_LEN + 1];
	uint8_t *bytes; /* owned */
	size_t len;
	unsigned refs; /* private; loop thread only */
};

/* A copy with one reference. len is at most HM_DOCUMENT_MAX. */
struct kept_document *kept_document_new(const uint8_t *bytes, size_t len);
struct kept_document *kept_document_ref(struct kept_document *document);
void kept_document_unref(struct kept_document *document); /* NULL is fine */

struct kept_documents { /* zero to begin with; one oracle's, so that an oracle
		      cannot push out what another needs */
	struct kept_document *kept[KEPT_DOCUMENTS_MAX];
	size_t next; /* the oldest, or a free place */
};

/* Borrowed until the next add; NULL: not there. */
struct kept_document *kept_documents_find(
    const struct kept_documents *documents,
    const uint8_t sha256[HM_SHA256_LEN]);
/* Takes a reference of its own; no second copy of the same bytes. */
void kept_documents_add(
    struct kept_documents *documents, struct kept_document *document);
void kept_documents_fini(struct kept_documents *documents);

#endif
