/*
 * history_read: what the archive answers to a question about the past, as the
 * text that goes out. Blocking: for the thread pool.
 *
 * A page is {"items":[...],"next_cursor":"..."|null}, or a line for each item.
 * It ends at the limit, at HISTORY_BYTES_MAX, or where as many daily files were
 * opened as one answer may cost: then it may even be empty, and next_cursor
 * goes on. An item that the file has lost a part of is left out and counted.
 *
 * The item in force at T is the last one published until then, of whatever
 * boot, unless it had expired, or says that there was no price.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_HISTORY_READ_H
#define HALLMARK_VERIFIER_DAEMON_HISTORY_READ_H

#include "verifier/daemon/history_walk.h"

#define HISTORY_BYTES_MAX (4u << 20)

enum history_result {
	HISTORY_FOUND,
	HISTORY_NOTHING,      /* in force at that time; `body`: what there is */
	HISTORY_FEED_UNKNOWN, /* the archive never had an item of it */
	HISTORY_NO_DOCUMENT,  /* of that hash */
	HISTORY_FAILED        /* `error` */
};

struct history_answer {
	enum history_result result;
	char error[ARCHIVE_SOURCE_ERROR_MAX];
	/* FOUND: the answer. NOTHING: members of the problem, without braces.
	 * NUL-terminated unless it is a document; owned; or NULL. */
	char *body;
	size_t len;
	char etag[2 * HM_SHA256_LEN + 8]; /* or "", of a page */
	const char *why;                  /* with NOTHING, static */
	bool more;                        /* there is a page behind `last` */
	struct history_key last;
	unsigned damaged; /* items left out */
};

/* Fills the answer, which history_answer_fini() empties. */
void history_read(struct history_answer *out, const struct history_ask *ask,
    const char *archive);
void history_answer_fini(struct history_answer *answer);

#endif
