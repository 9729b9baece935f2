/*
 * archive_source: what an archive holds, one entry after the other, from any
 * form it comes in: a SQLite file of hallmark-verifierd (main or daily),
 * NDJSON, or a bundle. Reads only; judges nothing but the form.
 *
 * The order is the file's own: of SQLite the order in which rows were written.
 * What the reader promises:
 *
 * - A document comes before the first item or head that names it, if it is
 *   there at all, and again before a later one that names it when
 *   ARCHIVE_SOURCE_DOCUMENTS others came between. So whoever keeps that many
 *   has what he needs, however long the archive is.
 * - Raw answers come in the order of their received_ms, each before the items
 *   that were received at or after that.
 * - Whatever cannot be read is an entry too, DAMAGED, with a text that says
 *   which row or line and why; then it goes on, if it can.
 * - A SQLite file is checked as a whole (archive_check.h) after its last
 *   row, and each complaint is a DAMAGED.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SOURCE_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_SOURCE_H

#include "verifier/hallmark.h"

#define ARCHIVE_SOURCE_DOCUMENTS 64  /* the reader's memory, see above */
#define ARCHIVE_SOURCE_WHERE_MAX 256 /* "prices.db: items row 7" */
#define ARCHIVE_SOURCE_ERROR_MAX 256
#define ARCHIVE_SOURCE_RAW_MAX   (4u << 20) /* bytes of a raw answer */

enum archive_entry_kind {
	ARCHIVE_ENTRY_ITEM,     /* envelope, stated */
	ARCHIVE_ENTRY_DOCUMENT, /* sha256, bytes, len: the hash was compared */
	ARCHIVE_ENTRY_HEAD,     /* envelope of a signed tree head */
	ARCHIVE_ENTRY_RAW,      /* sha256, bytes, len: the hash was compared */
	ARCHIVE_ENTRY_NEWEST,   /* stated.feed, boot_id, sequence, published_ms,
				   content_sha256: what the archive believes to
				   be the last item; comes after the items */
	ARCHIVE_ENTRY_DAMAGED   /* problem */
};

/* What stands beside an item's content in its row, unsigned; texts as they are
 * in the file, cut to size. NDJSON and bundles have none of it. */
struct archive_stated {
	bool has;
	char feed[64];
	char boot_id[64];
	uint64_t sequence;
	int64_t published_ms, expires_ms, received_ms;
	char content_sha256[80];
	bool late; /* came after its time or out of its order */
};

/* All pointers are borrowed until the next call. */
struct archive_entry {
	enum archive_entry_kind kind;
	/* Where it stands, for archive_entry_where(): a text for each of
	 * millions would cost more than to read them. */
	const char *path; /* borrowed until the source is closed */
	const char *unit; /* static: "items row", "line" */
	uint64_t number;  /* rowid, or line from 1 */
	/* reference form; not for hm_envelope_fini() */
	struct hm_envelope envelope;
	struct archive_stated stated;
	uint8_t sha256[HM_SHA256_LEN];
	const uint8_t *bytes;
	size_t len;
	const char *problem; /* never NULL with DAMAGED */
	uint64_t position;   /* of this entry, 0 .. total - 1 of the source;
				only ever grows: progress */
};

struct archive_source;

/* Opens the file, "-" for standard input (text only). 0, or -1, *out NULL and
 * why: no such file, none of the three forms, of a later version, a SQLite file
 * with anything in it that is not an archive's. */
HM_MUST_CHECK int archive_source_open(struct archive_source **out,
    const char *path, char error[static ARCHIVE_SOURCE_ERROR_MAX]);
/* The same from a file that is open already, which it takes; `path` is its
 * name. */
HM_MUST_CHECK int archive_source_open_fd(struct archive_source **out, int fd,
    const char *path, char error[static ARCHIVE_SOURCE_ERROR_MAX]);
void archive_source_close(struct archive_source *source); /* NULL is fine */

/* 1 and the next entry; 0 at the end. Never gives up on what is damaged without
 * having said so in an entry. */
HM_MUST_CHECK int archive_source_next(
    struct archive_source *source, struct archive_entry *out);

/* What position runs up to (rows of items, or bytes of a text); 0: unknown. */
uint64_t archive_source_total(const struct archive_source *source);

/* "prices.db: items row 7" */
void archive_entry_where(const struct archive_entry *entry,
    char out[static ARCHIVE_SOURCE_WHERE_MAX]);

#endif
