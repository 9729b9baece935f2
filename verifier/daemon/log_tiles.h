/*
 * log_tiles: the hashes of a boot's tree in the archive's table log_tiles.
 *
 *   level 0..6   hashes of full subtrees of level 8 * level, 256 in a row:
 *                tile `position` has those from 256 * position on, 32 bytes
 *                each, zeros where one is not known
 *   level 100+N  one hash: the full subtree N, `position`; kept only where the
 *                tile below it has holes, which is where a log was joined or
 *                went on after a gap
 *   level -1     a head of `position` items, an envelope in its reference form:
 *                days that are over go from tree_heads into files of their own,
 *                and to prove an old item takes the heads around it
 *
 * So an item costs 32 bytes and an eighth of a percent, a head 2 KB, a proof
 * reads a tile or two of each level, and nothing is kept in memory between two
 * heads. What is read is not believed: whoever serves a proof verifies it.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_TILES_H
#define HALLMARK_VERIFIER_DAEMON_LOG_TILES_H

#include "verifier/hallmark.h"

#include <sqlite3.h>

#define LOG_TILES_HEIGHT 8
#define LOG_TILES_WIDTH  256
#define LOG_TILES_LEVELS 7 /* 53 bits of leaves */
#define LOG_TILES_PEAKS  100
#define LOG_TILES_HEAD   (-1)

struct log_tile {
	bool loaded, changed;
	uint64_t position;
	uint8_t hashes[LOG_TILES_WIDTH][HM_SHA256_LEN];
};

/* One tile of each level at a time: 57 KiB. */
struct log_tiles {
	sqlite3 *db; /* borrowed */
	sqlite3_stmt *find, *put;
	bool failed; /* SQLite would not: see sqlite3_errmsg() */
	struct log_tile tiles[LOG_TILES_LEVELS];
};

/* boot_id is lower-case hex, borrowed. 0, or -1 and nothing to fini. */
HM_MUST_CHECK int log_tiles_init(
    struct log_tiles *tiles, sqlite3 *db, const char *boot_id);
void log_tiles_fini(struct log_tiles *tiles);

/* A merkle_full_cb: of the levels that tiles have. `data` is the tiles. */
void log_tiles_add(void *data, unsigned level, uint64_t index,
    const uint8_t hash[HM_SHA256_LEN]);
/* One of a frontier, with nothing known below it. */
void log_tiles_add_peak(struct log_tiles *tiles, unsigned level, uint64_t index,
    const uint8_t hash[HM_SHA256_LEN]);
/* Writes what was added, inside the caller's transaction. 0, or -1: it cannot,
 * or could not before. */
HM_MUST_CHECK int log_tiles_flush(struct log_tiles *tiles);

/* A merkle_get_cb: any level. */
int log_tiles_get(
    void *data, unsigned level, uint64_t index, uint8_t out[HM_SHA256_LEN]);

/* 0, or -1: it cannot. log_heads reads them. */
HM_MUST_CHECK int log_tiles_put_head(
    struct log_tiles *tiles, uint64_t tree_size, const char *text, size_t len);

#endif
