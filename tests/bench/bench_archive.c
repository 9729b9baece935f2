/*
 * bench_archive: items a second that are durable, in batches of 100, beside
 * what the disk and SQLite can do with the same bytes:
 *
 *   archive  archive_commit, as the daemon writes
 *   table    the same rows into the same tables, by bare prepared inserts
 *   blob     rows of one blob in a table with a number: SQLite's own limit
 *   file     writev and fdatasync; an index of 8 bytes an item beside it,
 *            which can be made again and is not synced
 *
 * All sync at each batch. Each round times every subject in turn, by the wall
 * clock (a sync is waiting); what counts is the median of the rounds' ratios.
 * Usage: bench_archive [FOLDER], on the disk in question. Nothing is judged.
 */
#include "tests/unit/daemon/made_record.h"
#include "verifier/archive/archive_schema.h"
#include "verifier/daemon/archive.h"

#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS   7
#define BATCH    100
#define BATCHES  60 /* of each subject in each round */
#define CONTENT  1169
#define FEEDS    20
#define DOCUMENT 4500

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_archive: %s\n", what);
	exit(1);
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* ---- what is written ---- */

static struct record *batch[BATCH];
static struct kept_document *document;
static uint64_t written; /* items: their numbers */

static void make_batch(void)
{
	static uint8_t bytes[DOCUMENT];
	char content[CONTENT + 1], feed[32];

	document = kept_document_new(bytes, sizeof(bytes));
	memset(content, 'c', CONTENT);
	content[CONTENT] = '\0';
	for (int i = 0; i < BATCH; i++) {
		snprintf(feed, sizeof(feed), "FEED%d-USD", i % FEEDS);
		batch[i] = made_record(document, feed, 1, 0, content);
		if (i > 0)
			batch[i - 1]->next = batch[i];
	}
}

/* The next hundred items: other numbers, times and hashes. */
static void number_batch(void)
{
	for (int i = 0; i < BATCH; i++, written++) {
		struct record *r = batch[i];

		r->sequence = written / FEEDS;
		r->published_ms = 1800000000000 + (int64_t)written;
		memcpy(r->content_sha256, &written, sizeof(written));
		snprintf(r->event_id, sizeof(r->event_id), "e-%llu",
		    (unsigned long long)written);
	}
}

/* ---- the subjects ---- */

static struct archive *archive;
static sqlite3 *table_db, *blob_db;
static sqlite3_stmt *add_row, *add_blob;
static int data_fd, index_fd;

static void open_sqlite(sqlite3 **db, const char *path, const char *schema)
{
	must(sqlite3_open(path, db) == SQLITE_OK &&
		 sqlite3_exec(*db,
		     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", NULL,
		     NULL, NULL) == SQLITE_OK &&
		 sqlite3_exec(*db, schema, NULL, NULL, NULL) == SQLITE_OK,
	    "cannot make a database");
}

static void open_all(const char *folder)
{
	char error[ARCHIVE_ERROR_MAX];

	must(chdir(folder) == 0, "no such folder");
	must(archive_open(&archive, "archive.db", error) == ARCHIVE_OK, error);
	open_sqlite(&table_db, "table.db", ARCHIVE_SCHEMA_CREATE);
	open_sqlite(&blob_db, "blob.db",
	    "CREATE TABLE items(number INTEGER PRIMARY KEY, item BLOB)");
	must(sqlite3_prepare_v2(table_db,
		 "INSERT INTO items VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,0)",
		 -1, &add_row, NULL) == SQLITE_OK &&
		 sqlite3_prepare_v2(blob_db, "INSERT INTO items VALUES(?1,?2)",
		     -1, &add_blob, NULL) == SQLITE_OK,
	    "cannot prepare");
	data_fd = open("data", O_WRONLY | O_CREAT | O_APPEND, 0600);
	index_fd = open("index", O_WRONLY | O_CREAT | O_APPEND, 0600);
	must(data_fd >= 0 && index_fd >= 0, "cannot make a file");
}

static void write_archive(void)
{
	char error[ARCHIVE_ERROR_MAX];

	must(archive_commit(archive, batch[0], error) == ARCHIVE_OK, error);
	must(batch[0]->outcome == RECORD_STORED, "not stored");
}

static void step(sqlite3 *db, sqlite3_stmt *s)
{
	must(sqlite3_step(s) == SQLITE_DONE, sqlite3_errmsg(db));
	sqlite3_reset(s);
}

static void exec(sqlite3 *db, const char *sql)
{
	must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

/* The texts are ready: only SQLite is measured. */
static void write_table(void)
{
	static const char boot[] = "01010101010101010101010101010101";
	static const char hash[] = "0123456789abcdef0123456789abcdef"
				   "0123456789abcdef0123456789abcdef";

	exec(table_db, "BEGIN IMMEDIATE");
	for (int i = 0; i < BATCH; i++) {
		const struct record *r = batch[i];
		const struct hm_envelope *e = &r->envelope;

		sqlite3_bind_text(add_row, 1, r->feed, -1, SQLITE_STATIC);
		sqlite3_bind_text(add_row, 2, boot, 32, SQLITE_STATIC);
		sqlite3_bind_int64(add_row, 3, (sqlite3_int64)r->sequence);
		sqlite3_bind_text(
		    add_row, 4, e->content, CONTENT, SQLITE_STATIC);
		sqlite3_bind_blob(add_row, 5, e->signature,
		    (int)e->signature_len, SQLITE_STATIC);
		sqlite3_bind_text(add_row, 6, hash, 64, SQLITE_STATIC);
		sqlite3_bind_int64(add_row, 7, r->published_ms);
		sqlite3_bind_int64(add_row, 8, r->expires_ms);
		sqlite3_bind_int64(add_row, 9, r->received_ms);
		sqlite3_bind_text(add_row, 10, hash, 64, SQLITE_STATIC);
		step(table_db, add_row);
	}
	exec(table_db, "COMMIT");
}

static void write_blob(void)
{
	exec(blob_db, "BEGIN IMMEDIATE");
	for (int i = 0; i < BATCH; i++) {
		sqlite3_bind_int64(add_blob, 1,
		    (sqlite3_int64)batch[i]->sequence * FEEDS + i % FEEDS);
		sqlite3_bind_blob(add_blob, 2, batch[i]->envelope.content,
		    CONTENT, SQLITE_STATIC);
		step(blob_db, add_blob);
	}
	exec(blob_db, "COMMIT");
}

static void write_file(void)
{
	static uint64_t index[BATCH], at;
	struct iovec parts[2 * BATCH];
	ssize_t wanted = 0;

	for (int i = 0; i < BATCH; i++) {
		struct hm_envelope *e = &batch[i]->envelope;

		index[i] = at + (uint64_t)wanted;
		parts[2 * i] = (struct iovec){e->content, CONTENT};
		parts[2 * i + 1] = (struct iovec){
		    e->signature, e->signature_len};
		wanted += (ssize_t)(CONTENT + e->signature_len);
	}
	at += (uint64_t)wanted;
	must(writev(data_fd, parts, 2 * BATCH) == wanted &&
		 write(index_fd, index, sizeof(index)) == sizeof(index) &&
		 fdatasync(data_fd) == 0,
	    "cannot write");
}

static const struct subject {
	const char *name;
	void (*write)(void);
} subjects[] = {
    {"archive", write_archive},
    {"table", write_table},
    {"blob", write_blob},
    {"file", write_file},
};
#define SUBJECTS ((int)(sizeof(subjects) / sizeof(*subjects)))

/* ---- rounds ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values)
{
	double sorted[ROUNDS];

	memcpy(sorted, values, sizeof(sorted));
	qsort(sorted, ROUNDS, sizeof(sorted[0]), by_value);
	return sorted[ROUNDS / 2];
}

static void report(double rates[][ROUNDS], double cpu_us[][ROUNDS])
{
	printf("%d items of %d + 256 bytes in a batch, %d rounds of %d batches"
	       "\n\n%-10s %10s %12s %14s\n",
	    BATCH, CONTENT, ROUNDS, BATCHES, "", "items/s", "archive is",
	    "CPU us/item");
	for (int s = 0; s < SUBJECTS; s++) {
		double ratios[ROUNDS];

		for (int i = 0; i < ROUNDS; i++)
			ratios[i] = rates[0][i] / rates[s][i];
		printf("%-10s %10.0f %11.2fx %14.1f\n", subjects[s].name,
		    median(rates[s]), median(ratios), median(cpu_us[s]));
	}
}

static void remove_all(const char *folder)
{
	static const char *const names[] = {"archive.db", "table.db",
	    "table.db-wal", "table.db-shm", "blob.db", "blob.db-wal",
	    "blob.db-shm", "data", "index"};

	archive_close(archive);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)unlink(names[i]);
	must(chdir("/") == 0 && rmdir(folder) == 0, "files are left");
}

static double rates[SUBJECTS][ROUNDS], cpu_us[SUBJECTS][ROUNDS];

static void measure(int s, int round)
{
	int64_t spent = 0, cpu = 0;

	for (int i = 0; i < BATCHES; i++) {
		int64_t began, cpu_began;

		number_batch();
		began = now_ns(CLOCK_MONOTONIC);
		cpu_began = now_ns(CLOCK_THREAD_CPUTIME_ID);
		subjects[s].write();
		spent += now_ns(CLOCK_MONOTONIC) - began;
		cpu += now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_began;
	}
	if (round < 0) /* to warm up */
		return;
	rates[s][round] = BATCH * BATCHES * 1e9 / (double)spent;
	cpu_us[s][round] = (double)cpu / 1e3 / (BATCH * BATCHES);
}

int main(int argc, char **argv)
{
	char made[PATH_MAX], folder[PATH_MAX];

	snprintf(made, sizeof(made), "%.1000s/bench-archive-XXXXXX",
	    argc > 1 ? argv[1] : ".");
	must(mkdtemp(made) && realpath(made, folder), "cannot make a folder");
	make_batch();
	open_all(folder);
	for (int round = -1; round < ROUNDS; round++)
		for (int s = 0; s < SUBJECTS; s++)
			measure(s, round);
	report(rates, cpu_us);
	remove_all(folder);
	return 0;
}
