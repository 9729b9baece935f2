/*
 * archive_piece: an archive that is text, cut into the JSON objects that
 * archive_line reads: the lines of NDJSON, or the members of a bundle's lists.
 * One file in each form; both find the next beginning after what is damaged.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_PIECE_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_PIECE_H

#include "verifier/archive/archive_input.h"

struct archive_piece {
	const char *text; /* borrowed until the next one */
	size_t len;       /* 0: none, `problem` says why */
	uint64_t offset;
	const char *unit; /* "line", "item" */
	uint64_t number;  /* from 1 */
	const char *problem;
	/* what may stand there; ARCHIVE_ENTRY_DAMAGED: whatever it is */
	enum archive_entry_kind only;
};

/* ---- NDJSON ---- */

struct archive_ndjson {
	uint64_t line;
	bool failed; /* it was said that the file cannot be read on */
};

/* 1, or 0 at the end. A line without anything in it is none. */
int archive_ndjson_next(struct archive_ndjson *state,
    struct archive_input *input, struct archive_piece *out);

/* ---- bundle ---- */

enum { /* its lists, in the order in which they stand */
	ARCHIVE_BUNDLE_ATTESTATIONS,
	ARCHIVE_BUNDLE_ITEMS,
	ARCHIVE_BUNDLE_HEADS,
	ARCHIVE_BUNDLE_LISTS
};

struct archive_bundle {
	unsigned list; /* ARCHIVE_BUNDLE_LISTS: all have been read */
	bool begun;    /* its '[' was read */
	/* a ',' was read and nothing behind it; a member was, and no ','.
	 * Neither, at the beginning and after damage: all is allowed. */
	bool comma, wants_comma;
	bool over;       /* the end, or what is behind it, was told */
	uint64_t number; /* of members so far */
};

/* 1, or 0 at the end. The input stands behind the roots. */
int archive_bundle_next(struct archive_bundle *state,
    struct archive_input *input, struct archive_piece *out);

#endif
