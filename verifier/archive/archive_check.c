/* archive_check: see archive_check.h. */
#include "verifier/archive/archive_check.h"

#include "verifier/archive/archive_sqlite_row.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define KEY_MAX 96 /* bytes of a feed, or of a boot_id, that are compared */

static const struct {
	const char *sql;
	int since; /* version */
} pragmas[] = {
    {"PRAGMA quick_check(100)", 1},
    {"PRAGMA integrity_check(attestations)", 1},
    {"PRAGMA integrity_check(heads)", 1},
    {"PRAGMA integrity_check(refused)", 1},
    {"PRAGMA integrity_check(cursors)", 1},
    {"PRAGMA integrity_check(tree_heads)", 2},
    {"PRAGMA integrity_check(log_tiles)", 2},
    {"PRAGMA integrity_check(raw)", 2},
    {"PRAGMA integrity_check(cosignatures)", 3},
};
#define PRAGMAS (sizeof(pragmas) / sizeof(pragmas[0]))

/* ---- sums ---- */

static uint64_t mix(uint64_t sum, uint64_t value)
{
	/* any odd number; 2^64 over the golden ratio */
	sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 29;
}

static uint64_t mix_text(uint64_t sum, sqlite3_stmt *stmt, int at)
{
	const unsigned char *text = sqlite3_column_text(stmt, at);
	size_t len = text ? (size_t)sqlite3_column_bytes(stmt, at) : 0;
	uint64_t word = 0;

	sum = mix(sum, len);
	for (; len >= sizeof(word); len -= sizeof(word), text += sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		sum = mix(sum, word);
	}
	word = 0;
	if (len > 0)
		memcpy(&word, text, len);
	return mix(sum, word);
}

static uint64_t mix_number(uint64_t sum, sqlite3_stmt *stmt, int at)
{
	return mix(sum, (uint64_t)sqlite3_column_int64(stmt, at));
}

/* SQLite orders other types by rules that we do not repeat. */
static bool has_types(sqlite3_stmt *row)
{
	return sqlite3_column_type(row, ARCHIVE_SQLITE_ROW_FEED) ==
		   SQLITE_TEXT &&
	       sqlite3_column_type(row, ARCHIVE_SQLITE_ROW_BOOT) ==
		   SQLITE_TEXT &&
	       sqlite3_column_type(row, ARCHIVE_SQLITE_ROW_SEQUENCE) ==
		   SQLITE_INTEGER &&
	       sqlite3_column_type(row, ARCHIVE_SQLITE_ROW_PUBLISHED) ==
		   SQLITE_INTEGER;
}

void archive_check_add(struct archive_check *check, sqlite3_stmt *row)
{
	uint64_t feed, key, time;

	/* Reading them would convert them, under the eyes of whoever judges
	 * the row after us. */
	if (!has_types(row)) {
		check->lost = true;
		return;
	}
	feed = mix_text(check->chance, row, ARCHIVE_SQLITE_ROW_FEED);
	key = mix_text(feed, row, ARCHIVE_SQLITE_ROW_BOOT);
	key = mix_number(key, row, ARCHIVE_SQLITE_ROW_SEQUENCE);
	time = mix_number(feed, row, ARCHIVE_SQLITE_ROW_PUBLISHED);
	check->rows.key += mix_number(key, row, ARCHIVE_SQLITE_ROW_ID);
	check->rows.time += mix_number(time, row, ARCHIVE_SQLITE_ROW_ID);
	check->rows.count++;
}

void archive_check_lost(struct archive_check *check)
{
	check->lost = true;
}

/* ---- indexes ---- */

/* What an entry is compared by: texts as bytes, then numbers. */
struct entry {
	char feed[KEY_MAX], boot_id[KEY_MAX];
	int64_t numbers[2];
};

static void take_text(char out[KEY_MAX], sqlite3_stmt *stmt, int at)
{
	const unsigned char *text = sqlite3_column_text(stmt, at);
	size_t len = text ? (size_t)sqlite3_column_bytes(stmt, at) : 0;

	memset(out, 0, KEY_MAX);
	if (len > 0)
		memcpy(out, text, len < KEY_MAX ? len : KEY_MAX);
}

static int compare(const struct entry *a, const struct entry *b)
{
	int order = memcmp(a->feed, b->feed, KEY_MAX);

	if (order == 0)
		order = memcmp(a->boot_id, b->boot_id, KEY_MAX);
	for (int i = 0; i < 2 && order == 0; i++)
		order = (a->numbers[i] > b->numbers[i]) -
			(a->numbers[i] < b->numbers[i]);
	return order;
}

struct index {
	const char *name, *sql; /* columns: feed, boot_id, a number, rowid */
	bool has_boot_id;
};
/* In the order of the index: nothing is sorted, no row is read. */
static const struct index by_key = {"the index of its keys",
    "SELECT feed, boot_id, sequence, rowid FROM items"
    " INDEXED BY sqlite_autoindex_items_1 ORDER BY feed, boot_id, sequence",
    true};
static const struct index by_time = {"the index of its times",
    "SELECT feed, '', published_ms, rowid FROM items"
    " INDEXED BY items_by_time ORDER BY feed, published_ms, rowid",
    false};

static void read_entry(struct entry *out, sqlite3_stmt *stmt)
{
	take_text(out->feed, stmt, 0);
	take_text(out->boot_id, stmt, 1);
	out->numbers[0] = sqlite3_column_int64(stmt, 2);
	out->numbers[1] = sqlite3_column_int64(stmt, 3);
}

/* As archive_check_add() does it. */
static uint64_t sum_of(
    uint64_t chance, const struct index *index, sqlite3_stmt *stmt)
{
	uint64_t sum = mix_text(chance, stmt, 0);

	if (index->has_boot_id)
		sum = mix_text(sum, stmt, 1);
	return mix_number(mix_number(sum, stmt, 2), stmt, 3);
}

/* What is wrong with it, or NULL; wanted: what its rows add up to. */
static const char *walk(const struct archive_check *check,
    const struct index *index, uint64_t wanted)
{
	struct entry last = {.numbers = {INT64_MIN, INT64_MIN}}, entry;
	uint64_t sum = 0, count = 0;
	bool in_order = true;
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(check->db, index->sql, -1, &stmt, NULL))
		return "cannot be read";
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		read_entry(&entry, stmt);
		in_order = in_order && compare(&last, &entry) < 0;
		last = entry;
		sum += sum_of(check->chance, index, stmt);
		count++;
	}
	if (sqlite3_finalize(stmt) != SQLITE_OK)
		return "cannot be read";
	if (!in_order)
		return "is out of order";
	return sum == wanted && count == check->rows.count
		   ? NULL
		   : "says something else than its rows";
}

static int check_index(
    struct archive_check *check, const struct index *index, uint64_t wanted)
{
	const char *why = check->lost ? NULL : walk(check, index, wanted);

	if (why == NULL)
		return 0;
	snprintf(check->problem, sizeof(check->problem), "items: %s %s",
	    index->name, why);
	return 1;
}

/* ---- SQLite's own ---- */

/* The next complaint; 0: none, and the statement has ended. */
static int ask_sqlite(struct archive_check *check, const char *sql)
{
	const char *text = NULL;
	int rc = SQLITE_OK;

	if (check->stmt == NULL)
		rc = sqlite3_prepare_v2(check->db, sql, -1, &check->stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(check->stmt);
	if (rc == SQLITE_ROW)
		text = (const char *)sqlite3_column_text(check->stmt, 0);
	if (rc == SQLITE_ROW && text && strcmp(text, "ok") != 0) {
		snprintf(check->problem, sizeof(check->problem), "%s", text);
		return 1;
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		snprintf(check->problem, sizeof(check->problem), "%s",
		    sqlite3_errmsg(check->db));
	sqlite3_finalize(check->stmt);
	check->stmt = NULL;
	return rc != SQLITE_ROW && rc != SQLITE_DONE ? -1 : 0;
}

/* ---- all of it ---- */

void archive_check_init(struct archive_check *check, sqlite3 *db, int version)
{
	memset(check, 0, sizeof(*check));
	check->db = db;
	check->version = version;
	/* Without chance there is still no accident that fits. */
	if (RAND_bytes((uint8_t *)&check->chance, sizeof(check->chance)) != 1)
		check->chance = 1;
}

void archive_check_fini(struct archive_check *check)
{
	sqlite3_finalize(check->stmt);
	check->stmt = NULL;
}

/* The stages: the pragmas, then the indexes of items, or one pragma more. */
static int ask(struct archive_check *check)
{
	unsigned at = check->stage;

	if (at < PRAGMAS)
		return check->version < pragmas[at].since
			   ? 0
			   : ask_sqlite(check, pragmas[at].sql);
	if (at == PRAGMAS)
		return check_index(check, &by_key, check->rows.key) ? -1 : 0;
	if (at == PRAGMAS + 1)
		return check_index(check, &by_time, check->rows.time) ? -1 : 0;
	return check->lost ? ask_sqlite(check, "PRAGMA integrity_check(items)")
			   : 0;
}

int archive_check_next(struct archive_check *check)
{
	int found = 0;

	while (found == 0 && check->stage <= PRAGMAS + 2) {
		found = ask(check);
		if (found <= 0) /* this stage has no more to say */
			check->stage++;
	}
	return found != 0;
}
