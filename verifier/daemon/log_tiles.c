/* log_tiles: see log_tiles.h for what is where. */
#include "verifier/daemon/log_tiles.h"

#include "verifier/merkle.h"

#include <string.h>

static const uint8_t unknown[HM_SHA256_LEN];

int log_tiles_init(struct log_tiles *tiles, sqlite3 *db, const char *boot_id)
{
	static const char find[] = "SELECT hashes FROM log_tiles"
				   " WHERE boot_id=?1 AND level=?2"
				   " AND position=?3";
	static const char put[] = "INSERT INTO log_tiles VALUES(?1,?2,?3,?4)"
				  " ON CONFLICT(boot_id, level, position)"
				  " DO UPDATE SET hashes=excluded.hashes";

	memset(tiles, 0, sizeof(*tiles));
	tiles->db = db;
	if (sqlite3_prepare_v2(db, find, -1, &tiles->find, NULL) ||
	    sqlite3_prepare_v2(db, put, -1, &tiles->put, NULL) ||
	    sqlite3_bind_text(tiles->find, 1, boot_id, -1, SQLITE_STATIC) ||
	    sqlite3_bind_text(tiles->put, 1, boot_id, -1, SQLITE_STATIC)) {
		log_tiles_fini(tiles);
		return -1;
	}
	return 0;
}

void log_tiles_fini(struct log_tiles *tiles)
{
	sqlite3_finalize(tiles->find);
	sqlite3_finalize(tiles->put);
	tiles->find = tiles->put = NULL;
}

/* ---- rows ---- */

/* Borrowed until the next call of any; NULL: there is none. */
static const void *find_row(
    struct log_tiles *t, int level, uint64_t position, size_t *len)
{
	int rc = SQLITE_ERROR;

	*len = 0;
	sqlite3_reset(t->find);
	if (sqlite3_bind_int(t->find, 2, level) == SQLITE_OK &&
	    sqlite3_bind_int64(t->find, 3, (sqlite3_int64)position) ==
		SQLITE_OK)
		rc = sqlite3_step(t->find);
	if (rc != SQLITE_ROW) {
		t->failed |= rc != SQLITE_DONE;
		return NULL;
	}
	*len = (size_t)sqlite3_column_bytes(t->find, 0);
	return sqlite3_column_blob(t->find, 0);
}

static void put_row(struct log_tiles *t, int level, uint64_t position,
    const void *bytes, size_t len)
{
	sqlite3_reset(t->find); /* it reads what is replaced here */
	if (sqlite3_bind_int(t->put, 2, level) ||
	    sqlite3_bind_int64(t->put, 3, (sqlite3_int64)position) ||
	    sqlite3_bind_blob64(t->put, 4, bytes, len, SQLITE_STATIC) ||
	    sqlite3_step(t->put) != SQLITE_DONE)
		t->failed = true;
	sqlite3_reset(t->put);
}

/* ---- tiles ---- */

/* Up to the last hash that is known. */
static void write_tile(struct log_tiles *t, unsigned level)
{
	struct log_tile *tile = &t->tiles[level];
	size_t count = LOG_TILES_WIDTH;

	while (count > 0 &&
	       memcmp(tile->hashes[count - 1], unknown, HM_SHA256_LEN) == 0)
		count--;
	put_row(
	    t, (int)level, tile->position, tile->hashes, count * HM_SHA256_LEN);
	tile->changed = false;
}

/* What is in a row of another length than ours is as good as not there. */
static struct log_tile *load_tile(
    struct log_tiles *t, unsigned level, uint64_t position)
{
	struct log_tile *tile = &t->tiles[level];
	const void *bytes;
	size_t len;

	if (tile->loaded && tile->position == position)
		return tile;
	if (tile->changed)
		write_tile(t, level);
	memset(tile->hashes, 0, sizeof(tile->hashes));
	tile->loaded = true;
	tile->position = position;
	bytes = find_row(t, (int)level, position, &len);
	if (bytes && len <= sizeof(tile->hashes) && len % HM_SHA256_LEN == 0)
		memcpy(tile->hashes, bytes, len);
	return tile;
}

void log_tiles_add(void *data, unsigned level, uint64_t index,
    const uint8_t hash[HM_SHA256_LEN])
{
	struct log_tiles *t = data;
	struct log_tile *tile;

	if (level % LOG_TILES_HEIGHT != 0 ||
	    level / LOG_TILES_HEIGHT >= LOG_TILES_LEVELS)
		return;
	tile = load_tile(t, level / LOG_TILES_HEIGHT, index / LOG_TILES_WIDTH);
	memcpy(tile->hashes[index % LOG_TILES_WIDTH], hash, HM_SHA256_LEN);
	tile->changed = true;
}

void log_tiles_add_peak(struct log_tiles *tiles, unsigned level, uint64_t index,
    const uint8_t hash[HM_SHA256_LEN])
{
	if (level % LOG_TILES_HEIGHT == 0)
		log_tiles_add(tiles, level, index, hash);
	else
		put_row(tiles, LOG_TILES_PEAKS + (int)level, index, hash,
		    HM_SHA256_LEN);
}

int log_tiles_flush(struct log_tiles *tiles)
{
	for (unsigned level = 0; level < LOG_TILES_LEVELS; level++)
		if (tiles->tiles[level].changed)
			write_tile(tiles, level);
	return tiles->failed ? -1 : 0;
}

/* ---- one hash ---- */

static int get_kept(struct log_tiles *t, unsigned level, uint64_t index,
    uint8_t out[HM_SHA256_LEN])
{
	const struct log_tile *tile;

	if (level / LOG_TILES_HEIGHT >= LOG_TILES_LEVELS)
		return -1;
	tile = load_tile(t, level / LOG_TILES_HEIGHT, index / LOG_TILES_WIDTH);
	memcpy(out, tile->hashes[index % LOG_TILES_WIDTH], HM_SHA256_LEN);
	return memcmp(out, unknown, HM_SHA256_LEN) == 0 ? -1 : 0;
}

static int get_peak(struct log_tiles *t, unsigned level, uint64_t index,
    uint8_t out[HM_SHA256_LEN])
{
	size_t len;
	const void *bytes = find_row(
	    t, LOG_TILES_PEAKS + (int)level, index, &len);

	if (!bytes || len != HM_SHA256_LEN)
		return -1;
	memcpy(out, bytes, HM_SHA256_LEN);
	return 0;
}

/* Folded from the tile, at most 128 of its hashes; where it has holes, from
 * the peak that stands over them. */
int log_tiles_get(
    void *data, unsigned level, uint64_t index, uint8_t out[HM_SHA256_LEN])
{
	uint8_t left[HM_SHA256_LEN], right[HM_SHA256_LEN];
	struct log_tiles *t = data;

	if (level % LOG_TILES_HEIGHT == 0)
		return get_kept(t, level, index, out);
	if (log_tiles_get(t, level - 1, 2 * index, left) == 0 &&
	    log_tiles_get(t, level - 1, 2 * index + 1, right) == 0)
		return merkle_node(left, right, out);
	return get_peak(t, level, index, out);
}

/* ---- heads ---- */

int log_tiles_put_head(
    struct log_tiles *tiles, uint64_t tree_size, const char *text, size_t len)
{
	put_row(tiles, LOG_TILES_HEAD, tree_size, text, len);
	return tiles->failed ? -1 : 0;
}
