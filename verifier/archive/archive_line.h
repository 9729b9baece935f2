/*
 * archive_line: one JSON object of an archive that is text: an item or a tree
 * head (an envelope, hm_envelope_parse), or a document,
 *
 *   {"attestation_sha256":hex,"platform":text,"public_key":PEM,
 *    "attestation_doc_b64":base64}
 *
 * each key once and no other. Of an envelope in the full form the documents,
 * its own and those of its co-signatures, are parted from the rest.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_LINE_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_LINE_H

#include "verifier/archive/archive_source.h"

#define ARCHIVE_LINE_MAX HM_ENVELOPE_MAX

#define ARCHIVE_LINE_DOCUMENTS (1 + HM_COSIGNATURES_MAX)

struct archive_line_document {
	uint8_t *bytes; /* owned; NULL: it is not in this line */
	size_t len;
	uint8_t sha256[HM_SHA256_LEN]; /* what the line calls it */
	uint8_t said[HM_SHA256_LEN];   /* of platform and key beside it */
};

struct archive_line {
	/* ITEM, HEAD, DOCUMENT or DAMAGED */
	enum archive_entry_kind kind;
	struct hm_envelope envelope; /* owned; reference form */
	/* its own, then one for each co-signature */
	struct archive_line_document documents[ARCHIVE_LINE_DOCUMENTS];
	size_t document_count;
	const char *problem; /* with DAMAGED; else: a document, which is not
				there any more, was not the one of its hash; or
				NULL */
};

/* Always fills *out; archive_line_fini() after. */
void archive_line_parse(struct archive_line *out, const char *text, size_t len);
void archive_line_fini(struct archive_line *line);

#endif
