/* board_state: what board.c keeps and board_serve.c answers from. */
#ifndef HALLMARK_BASE_BOARD_STATE_H
#define HALLMARK_BASE_BOARD_STATE_H

#include "base/board.h"

#define BOARD_ORIGINS_MAX    16  /* servers whose documents are current */
#define BOARD_DETAIL_MAX     256 /* bytes of a problem's sentence */
#define BOARD_SHA256_HEX_LEN 64

struct board_entry {
	char name[BOARD_NAME_MAX];
	char *full, *ref; /* NULL until the first text */
	char sha256_hex[BOARD_SHA256_HEX_LEN + 1];
	int64_t published_ms, expires_ms;
	char unavailable[BOARD_NAME_MAX]; /* "" if there is a price in it */
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
	struct board_entry entries[BOARD_NAMES_MAX];
	size_t entry_count;
	struct board_document documents[BOARD_DOCUMENTS_MAX];
	size_t next_document;
	struct board_origin origins[BOARD_ORIGINS_MAX];
	size_t origin_count;
	bool closed;
};

struct board_entry *board_find_entry(
    const struct board *board, const char *name);
const struct board_document *board_find_document(
    const struct board *board, const char *sha256_hex);
/* A hub for one form; its epoch is the board's with this suffix. */
struct sse_hub *board_new_hub(struct board *board, const char *suffix);

/* NULL if the entry can be served as a price; else the problem's code, and a
 * sentence in `detail`. */
const char *board_refusal(const struct board_entry *entry, int64_t now_ms,
    char detail[BOARD_DETAIL_MAX]);

#endif
