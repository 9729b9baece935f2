/*
 * archive_line: one JSON object of an archive that is text: an item or a tree
 * head (an envelope, hm_envelope_parse), or a document,
 *
 *   {"attestation_sha256":hex,"platform":text,"public_key":PEM,
 *    "attestation_doc_b64":base64}
 *
 * each key once and no other. Of an envelope in the full form the document is
 * parted from the rest.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_LINE_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_LINE_H

#include "verifier/archive/archive_source.h"

#define ARCHIVE_LINE_MAX HM_ENVELOPE_MAX

struct archive_line {
	/* ITEM, HEAD, DOCUMENT or DAMAGED */
	enum archive_entry_kind kind;
	struct hm_envelope envelope; /* owned; reference form */
	uint8_t *document;           /* owned; NULL: there is none */
	size_t document_len;
	uint8_t sha256[HM_SHA256_LEN]; /* what the line calls the document */
	uint8_t said[HM_SHA256_LEN];   /* of platform and key */
	const char *problem; /* with DAMAGED; with a document: it is not the
				one of that hash; else NULL */
};

/* Always fills *out; archive_line_fini() after. */
void archive_line_parse(struct archive_line *out, const char *text, size_t len);
void archive_line_fini(struct archive_line *line);

#endif
