/*
 * board: the newest text under each name, served alike by every program that
 * has such texts: one by name, several at once, as a stream, and the documents
 * that they refer to. A text comes in a full form (with the document that
 * vouches for it inside) and a reference form (with its hash only). The board
 * does not read the texts: what it has to know of one comes beside it.
 *
 *   GET /price/{name}?attestation=full|ref&max_age_ms=N
 *       &after_sequence=N&boot_id=HEX&wait_ms=N       board_serve_one
 *   GET /price?feeds=A,B&attestation=&max_age_ms=     board_serve_many
 *   GET /stream?feeds=A,B&attestation=&since=
 *       &min_interval_ms=                                board_serve_stream
 *   GET /attestations/{sha256}                        board_serve_document
 *
 * A text that is past its expiry, older than max_age_ms, or was posted as
 * unavailable, is never answered as if it were good: 503 PRICE_STALE or
 * FEED_UNAVAILABLE, with the text inside as evidence. Names are fixed at the
 * start, so an unknown one is 404 FEED_UNKNOWN from the first moment.
 *
 * and, for clients of Pyth's Hermes, in its shape (hermes.h):
 *
 *   GET /v2/updates/price/latest                      board_hermes_latest
 *   GET /v2/updates/price/stream                      board_hermes_stream
 *   GET /v2/price_feeds                               board_hermes_feeds
 *
 * after_sequence waits (a long poll) while the newest text is not newer than
 * that; board_wait.c has the rules. Who waits in vain gets 204.
 */
#ifndef HALLMARK_BASE_BOARD_H
#define HALLMARK_BASE_BOARD_H

#include "base/sse.h"

#define BOARD_NAMES_MAX     256   /* names of one board */
#define BOARD_NAME_MAX      64    /* bytes of a name and a NUL */
#define BOARD_DOCUMENTS_MAX 64    /* documents kept; the oldest goes */
#define BOARD_ETAG_MAX      80    /* a hex SHA-256 in quotes and a NUL */
#define BOARD_BOOT_ID_MAX   33    /* 16 bytes in hex and a NUL */
#define BOARD_DECIMAL_MAX   64    /* bytes of a number and a NUL */
#define BOARD_WAITING_MAX   1024  /* long polls; one more gets 503 */
#define BOARD_WAIT_MS       25000 /* unless wait_ms says otherwise */
#define BOARD_WAIT_MS_MAX   55000 /* proxies give up after 60 s */

struct board;

/* epoch: see sse.h. Returns a board without names. */
struct board *board_new(uv_loop_t *loop, const char *epoch);
void board_add_name(struct board *board, const char *name);
bool board_has_name(const struct board *board, const char *name);

struct board_text {                       /* all borrowed; copied */
	const char *name;                 /* one of the board's */
	const char *full, *ref;           /* one-line JSON objects */
	const char *sha256_hex;           /* of the signed bytes: the ETag */
	int64_t published_ms, expires_ms; /* Unix ms */
	const char *unavailable; /* NULL, or why there is no price in it */
	/* NULL and 0 if not known: then nobody can wait for the next. */
	const char *boot_id; /* hex; texts of one are numbered upwards */
	uint64_t sequence;
	const char *price, *confidence; /* decimal numbers, or NULL */
};

/* Replaces the name's text and streams it: event `price`, or `status` when
 * unavailable; both durable. */
void board_post(struct board *board, const struct board_text *text);

/* Streams a text that is older than what its name shows, as the durable event
 * `late`: whoever wants all of them has no gap; what is served stays. Its
 * document is kept. */
void board_post_late(struct board *board, const char *name, const char *full,
    const char *ref, const char *document_sha256_hex, const uint8_t *document,
    size_t document_len);

/* A document that texts refer to from now on. `event` (one-line JSON) is
 * streamed as `attestation` and sent first to each new subscriber, in place of
 * the last one with the same `origin` (a server's own name, an oracle's URL).
 */
void board_attest(struct board *board, const char *origin,
    const char *sha256_hex, const uint8_t *bytes, size_t len,
    const char *event);

/* What concerns no name: streamed to all, whatever names they asked for, and
 * durable. Both forms are one-line JSON; copied. */
void board_event(
    struct board *board, const char *event, const char *ref, const char *full);

/* Does it still have this document? */
bool board_has_document(const struct board *board, const char *sha256_hex);

void board_serve_one(struct board *board, struct http_request *req);
void board_serve_many(struct board *board, struct http_request *req);
void board_serve_stream(struct board *board, struct http_request *req);
void board_serve_document(struct board *board, struct http_request *req);
void board_hermes_latest(struct board *board, struct http_request *req);
void board_hermes_stream(struct board *board, struct http_request *req);
void board_hermes_feeds(struct board *board, struct http_request *req);

/* How many names have a text that is neither expired nor unavailable; the
 * first `cap` bytes of the others' names, comma-separated, go to `missing`. */
size_t board_fresh(
    const struct board *board, int64_t now_ms, char *missing, size_t cap);
size_t board_names(const struct board *board);

/* How many requests wait for a newer text. */
size_t board_waiting(const struct board *board);

/* Of the streams of all forms together. */
void board_stream_stats(const struct board *board, struct sse_stats *out);

/* Streams get `goodbye`; then stop the server; then free. */
void board_close(struct board *board, const char *reason);
void board_free(struct board *board);

#endif
