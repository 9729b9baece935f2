/*
 * board_state: what the files of the board share. Not for others.
 *
 *   board.c        what is kept
 *   board_ask.c    the parameters of a request
 *   board_serve.c  answers from what is kept
 *   board_wait.c   answers that wait for the next text
 *   board_hermes.c answers in Hermes's shape
 */
#ifndef HALLMARK_BASE_BOARD_STATE_H
#define HALLMARK_BASE_BOARD_STATE_H

#include "base/board.h"
#include "base/gzip.h"
#include "base/hermes.h"

#define BOARD_ORIGINS_MAX    16  /* servers whose documents are current */
#define BOARD_DETAIL_MAX     256 /* bytes of a problem's sentence */
#define BOARD_SHA256_HEX_LEN 64

struct board_entry {
	char name[BOARD_NAME_MAX];
	char feed_id[HERMES_ID_MAX]; /* of the name */
	char *full, *ref;            /* NULL until the first text */
	uint8_t *gzip;               /* of full, once somebody asked; or NULL */
	size_t gzip_len;
	char sha256_hex[BOARD_SHA256_HEX_LEN + 1];
	int64_t published_ms, expires_ms;
	char unavailable[BOARD_NAME_MAX]; /* "" if there is a price in it */
	char boot_id[BOARD_BOOT_ID_MAX];  /* "" if not known */
	uint64_t sequence;
	char price[BOARD_DECIMAL_MAX], confidence[BOARD_DECIMAL_MAX];
	int64_t previous_ms; /* when the text before was published, or 0 */
	uint64_t version;    /* one more with each text */
};

struct board_document {
	char sha256_hex[BOARD_SHA256_HEX_LEN + 1];
	uint8_t *bytes;
	size_t len;
};

struct board_origin {
	char *name, *event;
};

struct board {
	uv_loop_t *loop;
	char epoch[33];
	struct sse_hub *ref_hub, *full_hub; /* full: NULL until asked for */
	/* base64, parsed, full; NULL until asked for */
	struct sse_hub *hermes_hubs[2][2][2];
	struct board_entry entries[BOARD_NAMES_MAX];
	size_t entry_count;
	struct board_document documents[BOARD_DOCUMENTS_MAX];
	size_t next_document;
	struct board_origin origins[BOARD_ORIGINS_MAX];
	size_t origin_count;
	struct board_waits *waits;
	struct gzip *gzip;
	bool closed;
};

struct board_entry *board_find_entry(
    const struct board *board, const char *name);
const struct board_document *board_find_document(
    const struct board *board, const char *sha256_hex);
/* A hub for one form; its epoch is the board's with this suffix. */
struct sse_hub *board_new_hub(struct board *board, const char *suffix);

#define BOARD_ANY_AGE INT64_MAX

/* NULL if the entry can be served as a price that is at most max_age_ms old;
 * else the problem's code, and a sentence in `detail`. */
const char *board_refusal(const struct board_entry *entry, int64_t now_ms,
    int64_t max_age_ms, char detail[BOARD_DETAIL_MAX]);

/* ---- board_ask.c ---- */

struct board_ask {
	bool full;
	int64_t max_age_ms; /* BOARD_ANY_AGE if not asked for */
	bool waits;         /* after_sequence is there */
	uint64_t after;
	char boot_id[BOARD_BOOT_ID_MAX]; /* "" if not given */
	int64_t wait_ms;
};

/* False after it has answered 400. */
bool board_ask_read(
    struct board_ask *out, struct http_request *req, bool full_by_default);

/* {"NAME":"VALUE"} without its braces, for http_problem; the caller frees it.
 * A value that is not UTF-8 is left out. */
char *board_member(const char *name, const char *value);

/* ---- board_serve.c ---- */

/* The entry as it is, or why it cannot be served. */
void board_answer(struct board *board, struct http_request *req,
    struct board_entry *entry, const struct board_ask *ask);

/* ---- board_hermes.c ---- */

/* The entry has a new text: it is streamed. */
void board_hermes_posted(struct board *board, const struct board_entry *entry);
/* All hubs that there are. */
void board_hermes_each(struct board *board,
    void (*cb)(struct sse_hub *hub, void *data), void *data);

/* ---- board_wait.c ---- */

struct board_waits *board_waits_new(struct board *board);
/* Is there nothing newer than what was asked for? */
bool board_must_wait(
    const struct board_entry *entry, const struct board_ask *ask);
/* Keeps the request until there is, or answers 503. */
void board_wait(struct board_waits *waits, struct http_request *req,
    struct board_entry *entry, const struct board_ask *ask);
/* The entry has a new text. */
void board_waits_posted(struct board_waits *waits, struct board_entry *entry);
size_t board_waits_count(const struct board_waits *waits);
/* Answers all; frees itself from the loop. */
void board_waits_close(struct board_waits *waits);

#endif
