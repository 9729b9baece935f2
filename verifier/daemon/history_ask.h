/*
 * history_ask: what a client wants to know of the past, out of its request.
 *
 *   GET /history?feed=BTC-USD&from=T&to=T&limit=N&order=asc|desc&cursor=C
 *       &attestation=ref|full
 *   GET /price/BTC-USD?at_ms=T&attestation=full|ref
 *   GET /attestations/SHA256
 *
 * A time T is Unix ms or RFC 3339 in UTC; `from` is in, `to` is not. A cursor
 * is where the page before ended: the key of its last item. Items are ordered
 * by published_ms, boot_id, sequence, which nothing that is written later
 * changes, so none comes twice, and none that was there is left out.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_HISTORY_ASK_H
#define HALLMARK_VERIFIER_DAEMON_HISTORY_ASK_H

#include "base/http_server.h"

#define HISTORY_LIMIT        100 /* items of a page unless limit= */
#define HISTORY_JSON_MAX     1000
#define HISTORY_NDJSON_MAX   10000
#define HISTORY_FEED_MAX     64
#define HISTORY_CURSOR_MAX   80
#define HISTORY_BOOT_ID_MAX  33
#define HISTORY_LINK_MAX     512
#define HISTORY_SEQUENCE_MAX 9007199254740991 /* 2^53 - 1, feeds/item.h */

struct history_key { /* of an item in its feed */
	int64_t published_ms;
	char boot_id[HISTORY_BOOT_ID_MAX]; /* hex */
	uint64_t sequence;
};

enum history_kind {
	HISTORY_PAGE,
	HISTORY_MOMENT,  /* what was in force at a time */
	HISTORY_DOCUMENT /* an attestation document by its hash */
};

struct history_ask {
	enum history_kind kind;
	char sha256_hex[2 * 32 + 1]; /* of a document; the rest is not its */
	char feed[HISTORY_FEED_MAX];
	bool known; /* it is served now; set by who knows */
	bool full;  /* the form of the items */
	/* a page */
	int64_t from_ms, to_ms;
	unsigned limit;
	bool desc, ndjson, has_cursor;
	struct history_key cursor; /* go on behind it */
	int64_t at_ms;             /* of a moment */
};

/* Reads the request; false: it was answered with a problem. */
bool history_ask_page(struct history_ask *out, struct http_request *req);
bool history_ask_at(struct history_ask *out, struct http_request *req);
/* Nothing is answered here. False: its path names no hash. */
bool history_ask_document(struct history_ask *out, struct http_request *req);

/* -1, 0, 1 */
int history_key_compare(
    const struct history_key *a, const struct history_key *b);
void history_cursor_format(
    const struct history_key *key, char out[static HISTORY_CURSOR_MAX]);
/* RFC 8288: the link to the page behind `key`, for the Link header. */
void history_link_format(const struct history_ask *ask,
    const struct history_key *key, char out[static HISTORY_LINK_MAX]);

#endif
