/*
 * history_walk: the items of one feed in the order of their keys, forwards or
 * backwards, out of an archive and the daily files beside it.
 *
 * While a day is moved to its file, its items are in both: each comes once.
 *
 * No more than HISTORY_WALK_FILES daily files are opened; where that ends a
 * walk, `stopped` says where to go on. Blocking: for the thread pool.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_HISTORY_WALK_H
#define HALLMARK_VERIFIER_DAEMON_HISTORY_WALK_H

#include "verifier/daemon/history_archive.h"
#include "verifier/daemon/history_ask.h"

#define HISTORY_WALK_FILES 62 /* daily files of one walk: two months */

struct history_row { /* borrowed until the next one */
	struct history_key key;
	int64_t expires_ms;
	const char *sha256_hex; /* of the content */
	struct hm_envelope envelope;
	bool sound; /* else only the key is of use */
};

struct history_wish {
	const char *feed;
	int64_t from_ms, to_ms;           /* from <= published_ms < to */
	const struct history_key *behind; /* or NULL */
	unsigned limit;                   /* rows, at least */
	bool desc, full;
};

struct history_end {
	bool stopped; /* before the end, see above */
	struct history_key where;
};

/* Calls for each row until that returns false. 0, or -1 and why. */
__attribute__((warn_unused_result)) int history_walk(
    struct history_archive *archive, const struct history_wish *wish,
    bool (*cb)(const struct history_row *row, void *data), void *data,
    struct history_end *end, char error[static ARCHIVE_SOURCE_ERROR_MAX]);

#endif
