/* history_fixture: an archive with genuine contents, and its daily files. */
#ifndef HALLMARK_TESTS_DAEMON_HISTORY_FIXTURE_H
#define HALLMARK_TESTS_DAEMON_HISTORY_FIXTURE_H

#include "archive_fixture.h"
#include "mint.h"
#include "verifier/archive/archive_schema.h"
#include "verifier/daemon/history_read.h"

#define DAY_0 INT64_C(1795132800000) /* 2026-11-20T00:00:00Z */
#define DAY   INT64_C(86400000)

static inline void put_content(struct fixture *f, const char *feed,
    uint8_t boot, uint64_t sequence, int64_t published_ms, const char *content)
{
	struct record *r = made_record(
	    f->document, feed, boot, sequence, content);

	r->published_ms = published_ms;
	r->expires_ms = published_ms + 5000;
	assert_int_equal(commit(f, r), RECORD_STORED);
}

static inline void put_wish(struct fixture *f, uint8_t boot, uint64_t sequence,
    int64_t published_ms, bool unavailable)
{
	static char content[ITEM_CONTENT_MAX];
	const struct mint_wish wish = {.sequence = sequence,
	    .published_ms = published_ms,
	    .unavailable = unavailable};
	struct mint press;

	memset(&press, 0, sizeof(press));
	memset(press.boot_id, boot, sizeof(press.boot_id));
	mint_content(&press, &wish, content);
	put_content(f, "BTC-USD", boot, sequence, published_ms, content);
}

static inline void put(
    struct fixture *f, uint8_t boot, uint64_t sequence, int64_t published_ms)
{
	put_wish(f, boot, sequence, published_ms, false);
}

static inline void do_sql(const struct fixture *f, const char *sql)
{
	char *why = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), 0);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

/* What rotation leaves: the day's file, and without the day in the archive
 * unless it has just been interrupted. */
static inline void rotate(struct fixture *f, int64_t day_ms, bool moved)
{
	char path[PATH_MAX], sql[2 * PATH_MAX];
	sqlite3 *db;

	assert_int_equal(archive_files_day(path, f->path, day_ms / DAY), 0);
	assert_int_equal(sqlite3_open(path, &db), 0);
	assert_int_equal(
	    archive_schema_upgrade(db, 0, ARCHIVE_SCHEMA_VERSION), 0);
	sqlite3_close(db);
	snprintf(sql, sizeof(sql),
	    "ATTACH '%s' AS day; INSERT INTO day.attestations"
	    " SELECT * FROM attestations; INSERT INTO day.items SELECT * FROM"
	    " items WHERE published_ms >= %lld AND published_ms < %lld;",
	    path, (long long)day_ms, (long long)(day_ms + DAY));
	do_sql(f, sql);
	snprintf(sql, sizeof(sql),
	    "DELETE FROM items WHERE published_ms >= %lld AND"
	    " published_ms < %lld",
	    (long long)day_ms, (long long)(day_ms + DAY));
	if (moved)
		do_sql(f, sql);
}

static inline int history_teardown(void **state)
{
	struct fixture *f = *state;
	char path[PATH_MAX];
	size_t count;
	int64_t *days = archive_files_days(f->path, &count);

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(archive_files_day(path, f->path, days[i]), 0);
		unlink(path);
	}
	free(days);
	return teardown(state);
}

#endif
