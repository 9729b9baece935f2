/* archive_writer: order, batches, nothing announced before it is durable, a
 * failing archive that recovers, and a clean stop in each state. */
#include "base/log.h"
#include "made_record.h"
#include "verifier/daemon/archive_writer.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define LOOP_MAX_MS 20000 /* a hanging test ends */

struct fixture {
	uv_loop_t loop;
	uv_timer_t poll, limit;
	char folder[64], path[96];
	struct archive_writer *writer;
	struct kept_document *document;
	struct archive_writer_options options;
	uint64_t done, next_sequence; /* committed; expected next */
	bool drained, stopped, timed_out;
	uint64_t want_done; /* the loop is left when so many are */
	sqlite3 *reader;
};

static bool in_archive(struct fixture *f, uint64_t sequence)
{
	sqlite3_stmt *s = NULL;
	bool found;

	assert_int_equal(
	    sqlite3_prepare_v2(f->reader,
		"SELECT 1 FROM items WHERE sequence=?1", -1, &s, NULL),
	    0);
	sqlite3_bind_int64(s, 1, (sqlite3_int64)sequence);
	found = sqlite3_step(s) == SQLITE_ROW;
	sqlite3_finalize(s);
	return found;
}

static void on_done(struct record *record, void *data)
{
	struct fixture *f = data;

	assert_int_equal(record->outcome, RECORD_STORED);
	assert_int_equal(record->sequence, f->next_sequence++);
	/* Another connection sees it: it is committed. */
	if (f->done % 97 == 0)
		assert_true(in_archive(f, record->sequence));
	record_free(record);
	if (++f->done == f->want_done)
		uv_stop(&f->loop);
}

static void on_drained(void *data)
{
	struct fixture *f = data;

	f->drained = true;
}

static void on_stopped(void *data)
{
	struct fixture *f = data;

	f->stopped = true;
	uv_close((uv_handle_t *)&f->limit, NULL);
}

static void on_limit(uv_timer_t *timer)
{
	struct fixture *f = timer->data;

	f->timed_out = true;
	uv_stop(&f->loop);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char error[ARCHIVE_ERROR_MAX];

	log_set_level(LOG_ERROR + 1);
	snprintf(f->folder, sizeof(f->folder), "/tmp/writer-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/archive.db", f->folder);
	f->document = kept_document_new((const uint8_t *)"document", 8);
	uv_loop_init(&f->loop);
	uv_timer_init(&f->loop, &f->limit);
	f->limit.data = f;
	uv_timer_start(&f->limit, on_limit, LOOP_MAX_MS, 0);
	f->options = (struct archive_writer_options){
	    .loop = &f->loop,
	    .path = f->path,
	    .done = on_done,
	    .drained = on_drained,
	    .data = f,
	};
	assert_int_equal(archive_open(&f->options.archive, f->path, error), 0);
	assert_int_equal(sqlite3_open(f->path, &f->reader), 0);
	f->writer = archive_writer_start(&f->options);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct fixture *f = *state;
	char path[128];

	assert_true(f->stopped && !f->timed_out);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	kept_document_unref(f->document);
	sqlite3_close(f->reader);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static void put(struct fixture *f, uint64_t from, uint64_t to)
{
	char content[32];

	for (uint64_t i = from; i < to; i++) {
		snprintf(content, sizeof(content), "item %llu",
		    (unsigned long long)i);
		archive_writer_put(f->writer,
		    made_record(f->document, "BTC-USD", 1, i, content));
	}
}

static void run_until(struct fixture *f, uint64_t done)
{
	f->want_done = done;
	while (f->done < done && !f->timed_out)
		uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_false(f->timed_out);
}

static void stop(struct fixture *f)
{
	archive_writer_stop(f->writer, on_stopped, f);
	assert_false(f->stopped); /* never before it has returned */
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_true(f->stopped);
}

static struct archive_writer_view view(const struct fixture *f)
{
	struct archive_writer_view v;

	archive_writer_view(f->writer, &v);
	return v;
}

static void test_in_order(void **state)
{
	struct fixture *f = *state;
	put(f, 0, 1);
	assert_int_equal(f->done, 0); /* never from put */
	put(f, 1, 1000);
	run_until(f, 1000);
	assert_true(view(f).state == ARCHIVE_OK && view(f).waiting == 0);
	assert_int_equal(view(f).since_ms, 0);
	stop(f);
}

static void test_stop_writes_what_waits(void **state)
{
	struct fixture *f = *state;

	put(f, 0, 700);
	stop(f);
	assert_int_equal(f->done, 700);
	assert_true(in_archive(f, 699));
}

static void test_stop_idle(void **state)
{
	stop(*state);
}

static void test_full_and_drained(void **state)
{
	struct fixture *f = *state;

	put(f, 0, ARCHIVE_WAITING_MAX);
	assert_false(archive_writer_full(f->writer)); /* one batch is out */
	put(f, ARCHIVE_WAITING_MAX, ARCHIVE_WAITING_MAX + ARCHIVE_BATCH_MAX);
	assert_true(archive_writer_full(f->writer));
	assert_false(f->drained);
	run_until(f, ARCHIVE_WAITING_MAX + ARCHIVE_BATCH_MAX);
	assert_true(f->drained);
	assert_false(archive_writer_full(f->writer));
	stop(f);
}

/* ---- somebody holds the lock ---- */

static void lock(struct fixture *f)
{
	assert_int_equal(
	    sqlite3_exec(f->reader, "BEGIN EXCLUSIVE", NULL, NULL, NULL), 0);
}

static void on_poll(uv_timer_t *timer)
{
	struct fixture *f = timer->data;

	if (view(f).state == ARCHIVE_OK)
		return;
	assert_int_equal(view(f).state, ARCHIVE_LOCKED);
	assert_non_null(strstr(view(f).why, "locked"));
	assert_true(view(f).since_ms > 0);
	uv_close((uv_handle_t *)timer, NULL);
	uv_stop(&f->loop);
}

static void run_until_it_fails(struct fixture *f)
{
	uv_timer_init(&f->loop, &f->poll);
	f->poll.data = f;
	uv_timer_start(&f->poll, on_poll, 10, 10);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_false(f->timed_out);
}

static void test_fails_and_recovers(void **state)
{
	struct fixture *f = *state;
	lock(f);
	put(f, 0, 10);
	run_until_it_fails(f);
	assert_int_equal(f->done, 0); /* nothing was announced */
	put(f, 10, 20);
	assert_int_equal(view(f).waiting, 20);
	sqlite3_exec(f->reader, "COMMIT", NULL, NULL, NULL);
	run_until(f, 20); /* in order, none twice */
	assert_int_equal(view(f).state, ARCHIVE_OK);
	assert_int_equal(view(f).since_ms, 0);
	assert_string_equal(view(f).why, "");
	assert_true(in_archive(f, 0) && in_archive(f, 19));
	stop(f);
}

static void test_stop_while_failing(void **state)
{
	struct fixture *f = *state;

	lock(f);
	put(f, 0, 10);
	run_until_it_fails(f);
	stop(f); /* one more attempt, then it gives up and says so */
	assert_int_equal(f->done, 0);
	sqlite3_exec(f->reader, "COMMIT", NULL, NULL, NULL);
	assert_false(in_archive(f, 0));
}

static void test_stop_during_a_failing_batch(void **state)
{
	struct fixture *f = *state;

	lock(f);
	put(f, 0, 10);
	stop(f);
	assert_int_equal(f->done, 0);
	sqlite3_exec(f->reader, "COMMIT", NULL, NULL, NULL);
}

/* ---- the file is damaged, moved, exchanged ---- */

static bool find(struct fixture *f, const char *pattern, char out[160])
{
	char path[160];
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", f->folder, pattern);
	if (glob(path, 0, NULL, &found))
		return false;
	snprintf(out, 160, "%s", found.gl_pathv[0]);
	globfree(&found);
	return true;
}

static void reopen_reader(struct fixture *f)
{
	sqlite3_close(f->reader);
	assert_int_equal(sqlite3_open(f->path, &f->reader), 0);
}

/* Pages that SQLite reads when it opens the file next. */
static void damage(struct fixture *f)
{
	static char junk[65536];
	int fd;

	reopen_reader(f);
	assert_int_equal(
	    sqlite3_exec(
		f->reader, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
	    0);
	lock(f);
	fd = open(f->path, O_WRONLY);
	memset(junk, 0xa5, sizeof(junk));
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 4096), sizeof(junk));
	close(fd);
	sqlite3_close(f->reader); /* and its lock */
	f->reader = NULL;
}

static void test_damaged_is_set_aside(void **state)
{
	struct fixture *f = *state;
	char aside[160];

	put(f, 0, 300);
	run_until(f, 300);
	lock(f);
	put(f, 300, 310);
	run_until_it_fails(f); /* so that it is opened anew */
	sqlite3_exec(f->reader, "COMMIT", NULL, NULL, NULL);
	damage(f);
	run_until(f, 310);
	assert_int_equal(view(f).state, ARCHIVE_OK);
	assert_int_equal(view(f).set_aside, 1);
	reopen_reader(f);
	assert_true(in_archive(f, 300) && in_archive(f, 309));
	assert_false(in_archive(f, 0)); /* but in the one that is kept: */
	assert_true(find(f, "archive.db.corrupt-*Z", aside));
	unlink(aside);
	while (find(f, "archive.db.corrupt-*", aside))
		unlink(aside);
	stop(f);
}

static void test_moved_away(void **state)
{
	struct fixture *f = *state;
	char old[160];

	put(f, 0, 300);
	run_until(f, 300);
	snprintf(old, sizeof(old), "%s.old", f->path);
	assert_int_equal(rename(f->path, old), 0);
	put(f, 300, 310);
	run_until(f, 310);
	assert_int_equal(view(f).state, ARCHIVE_OK);
	assert_int_equal(view(f).set_aside, 0);
	reopen_reader(f);
	assert_true(in_archive(f, 300) && !in_archive(f, 299));
	unlink(old);
	stop(f);
}

/* Whatever has our name now is not ours: it is not written into, nor moved. */
static void test_foreign_file(void **state)
{
	struct fixture *f = *state;
	char old[160], aside[160];
	FILE *file;

	put(f, 0, 1);
	run_until(f, 1);
	snprintf(old, sizeof(old), "%s.old", f->path);
	assert_int_equal(rename(f->path, old), 0);
	file = fopen(f->path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("my diary ", file);
	fclose(file);
	put(f, 1, 2);
	while (view(f).state == ARCHIVE_OK && !f->timed_out)
		uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(view(f).state, ARCHIVE_FOREIGN);
	assert_false(find(f, "archive.db.corrupt-*", aside));
	assert_int_equal(unlink(f->path), 0);
	run_until(f, 2);
	assert_int_equal(view(f).state, ARCHIVE_OK);
	unlink(old);
	stop(f);
}

/* ---- days that are over ---- */

/* Yesterday's items leave while today's come in. */
static void test_rotates_between_batches(void **state)
{
	struct fixture *f = *state;
	struct record *r;
	char day[160], error[ARCHIVE_ERROR_MAX];

	stop(f);
	f->stopped = false;
	uv_timer_init(&f->loop, &f->limit);
	uv_timer_start(&f->limit, on_limit, LOOP_MAX_MS, 0);
	assert_int_equal(
	    archive_open(&f->options.archive, f->path, error), ARCHIVE_OK);
	f->options.rotate = archive_rotate_new(f->path, 0);
	f->writer = archive_writer_start(&f->options);
	for (uint64_t i = 0; i < 3000; i++) {
		r = made_record(f->document, "BTC-USD", 1, i, "x");
		/* 2026-11-20, and far from now. */
		r->published_ms = i < 2000 ? 1795132800000 : 9999999999999;
		archive_writer_put(f->writer, r);
	}
	run_until(f, 3000);
	while (!find(f, "archive-2026-11-20.db", day) || in_archive(f, 1999))
		uv_run(&f->loop, UV_RUN_ONCE);
	put(f, 3000, 3001);
	run_until(f, 3001);
	assert_false(view(f).rotation_failed);
	assert_true(in_archive(f, 2000) && in_archive(f, 3000));
	stop(f);
	unlink(day);
}

/* Stopped in the middle of it: what was half made goes. */
static void test_stop_while_rotating(void **state)
{
	struct fixture *f = *state;
	char day[160], error[ARCHIVE_ERROR_MAX];

	stop(f);
	f->stopped = false;
	uv_timer_init(&f->loop, &f->limit);
	assert_int_equal(
	    archive_open(&f->options.archive, f->path, error), ARCHIVE_OK);
	f->options.rotate = archive_rotate_new(f->path, 0);
	f->writer = archive_writer_start(&f->options);
	for (uint64_t i = 0; i < 4000; i++) {
		struct record *r = made_record(
		    f->document, "BTC-USD", 1, i, "x");

		r->published_ms = 1795132800000;
		archive_writer_put(f->writer, r);
	}
	stop(f);
	assert_int_equal(f->done, 4000);
	assert_false(find(f, "*.part", day));
	if (find(f, "archive-2026-11-20.db", day))
		unlink(day);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_in_order),
	    TEST(test_stop_writes_what_waits),
	    TEST(test_stop_idle),
	    TEST(test_full_and_drained),
	    TEST(test_fails_and_recovers),
	    TEST(test_stop_while_failing),
	    TEST(test_stop_during_a_failing_batch),
	    TEST(test_damaged_is_set_aside),
	    TEST(test_moved_away),
	    TEST(test_foreign_file),
	    TEST(test_rotates_between_batches),
	    TEST(test_stop_while_rotating),
	};

	return cmocka_run_group_tests_name("archive_writer", tests, NULL, NULL);
}
