/*
 * documents: those that an archive_source gave, as many as it promises to have
 * no more of behind it, and which of them were used: written once is enough.
 */
#ifndef HALLMARK_VERIFIER_CLI_DOCUMENTS_H
#define HALLMARK_VERIFIER_CLI_DOCUMENTS_H

#include "verifier/archive/archive_seen.h"

struct documents { /* zero to begin with; large */
	struct archive_ring ring;
	uint8_t bytes[ARCHIVE_SOURCE_DOCUMENTS][HM_DOCUMENT_MAX];
	size_t lens[ARCHIVE_SOURCE_DOCUMENTS];
	struct archive_seen used;
};

/* A DOCUMENT: copied. */
void documents_keep(
    struct documents *documents, const struct archive_entry *entry);

/* Borrowed until the next is kept; NULL: none was given. */
const uint8_t *documents_find(const struct documents *documents,
    const uint8_t sha256[HM_SHA256_LEN], size_t *len);

/* An envelope with the documents of its co-signatures; those without one are
 * left out: they prove nothing. All of it borrowed, until the next document is
 * kept. */
struct documents_cosigned {
	struct hm_envelope envelope;
	struct hm_envelope list[HM_COSIGNATURES_MAX];
};
void documents_lend(const struct documents *documents,
    const struct hm_envelope *envelope, struct documents_cosigned *out);

/* 1: it is used for the first time; 0: it was used before; -1: there are more
 * than one file can name. */
HM_MUST_CHECK int documents_use(
    struct documents *documents, const uint8_t sha256[HM_SHA256_LEN]);

void documents_fini(struct documents *documents);

/* As a bundle and NDJSON have it: {"attestation_sha256","platform",
 * "public_key","attestation_doc_b64"}, of what this envelope names. The caller
 * frees it; NULL: no memory. */
char *documents_format(
    const struct hm_envelope *envelope, const uint8_t *bytes, size_t len);

#endif
