/* archive_rotate: a day that is over becomes a file of its own. Killed after
 * each step, and at any moment, no item is lost, and in the end none is in two
 * files. */
#include "archive_fixture.h"
#include "base/log.h"
#include "verifier/daemon/archive_files.h"
#include "verifier/daemon/archive_rotate.h"

#include <fcntl.h>
#include <glob.h>

#define DAY       ARCHIVE_FILES_DAY_MS
#define FIRST     20000 /* 2024-10-04 */
#define NOW       ((FIRST + 2) * DAY + DAY / 2)
#define DAY_ONE   "2024-10-04"
#define PER_DAY   1300 /* more than one step has */
#define STEPS_MAX 200
#define COSIGNED  7 /* every seventh item is, by two */

struct days {
	struct fixture *f;
	uint64_t next; /* sequence */
	int64_t items; /* put in, all in all */
};

static struct record *item(struct days *d, int64_t published_ms)
{
	char content[32];
	struct record *r;

	snprintf(
	    content, sizeof(content), "item %llu", (unsigned long long)d->next);
	r = made_record(d->f->document, d->next % 2 ? "BTC-USD" : "ETH-USD", 1,
	    d->next, content);
	if (d->next % COSIGNED == 0) {
		made_cosign(r, "peer 1", true);
		made_cosign(r, "peer 2", true);
	}
	d->next++;
	d->items++;
	r->published_ms = published_ms;
	return r;
}

static void put_day(struct days *d, int64_t day)
{
	struct record *list = NULL, **last = &list;

	for (int i = 0; i < PER_DAY; i++) {
		*last = item(d, day * DAY + i * (DAY / PER_DAY));
		last = &(*last)->next;
	}
	assert_int_equal(
	    archive_commit(d->f->archive, list, d->f->error), ARCHIVE_OK);
	while (list) {
		struct record *next = list->next;

		record_free(list);
		list = next;
	}
}

static int setup_days(void **state)
{
	static struct days d;
	char sql[512];

	log_set_level(LOG_ERROR + 1);
	assert_int_equal(setup((void **)&d.f), 0);
	d.next = 0;
	d.items = 0;
	for (int64_t day = FIRST; day < FIRST + 3; day++) {
		put_day(&d, day);
		for (int i = 0; i < 3; i++) {
			long long ms = (long long)(day * DAY + i * DAY / 3);

			snprintf(sql, sizeof(sql),
			    "INSERT INTO tree_heads SELECT 'b',%lld,'c','s',"
			    "sha256,%lld,%lld,'h' FROM attestations"
			    " LIMIT 1",
			    ms, ms, ms);
			(void)ask(d.f, sql);
			snprintf(sql, sizeof(sql),
			    "INSERT INTO raw VALUES('%lld','body',%lld)", ms,
			    i == 2 ? (long long)((day + 1) * DAY - 1) : ms);
			(void)ask(d.f, sql);
		}
	}
	*state = &d;
	return 0;
}

static int remove_all(const char *folder)
{
	char pattern[128];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*", folder);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			unlink(found.gl_pathv[i]);
		globfree(&found);
	}
	return 0;
}

static int teardown_days(void **state)
{
	struct days *d = *state;
	struct fixture *f = d->f;

	archive_close(f->archive);
	f->archive = NULL;
	remove_all(f->folder);
	return teardown((void **)&d->f);
}

/* As an outsider asks a day's file; the main file is `other`. */
static int64_t ask_day(struct days *d, int64_t day, const char *sql)
{
	char path[PATH_MAX], attach[PATH_MAX + 32];
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	int64_t answer = -1;

	assert_int_equal(archive_files_day(path, d->f->path, day), 0);
	if (access(path, F_OK) != 0)
		return -1;
	snprintf(attach, sizeof(attach), "ATTACH '%s' AS other", d->f->path);
	assert_int_equal(
	    sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), 0);
	assert_int_equal(sqlite3_exec(db, attach, NULL, NULL, NULL), 0);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), 0);
	if (sqlite3_step(s) == SQLITE_ROW)
		answer = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return answer;
}

static int64_t items_of_day(struct days *d, int64_t day)
{
	int64_t n = ask_day(d, day, "SELECT count(*) FROM main.items");

	return n < 0 ? 0 : n;
}

static int64_t in_both(struct days *d, int64_t day)
{
	int64_t n = ask_day(d, day,
	    "SELECT count(*) FROM main.items AS m JOIN other.items AS o"
	    " ON o.feed=m.feed AND o.boot_id=m.boot_id"
	    " AND o.sequence=m.sequence");

	return n < 0 ? 0 : n;
}

/* With their documents; those that are in the archive as well do not count. */
static int64_t cosignatures_of_day(struct days *d, int64_t day)
{
	int64_t n = ask_day(d, day,
	    "SELECT count(*) FROM main.cosignatures AS c"
	    " JOIN main.attestations AS a ON a.sha256=c.attestation_sha256"
	    " JOIN main.items AS i ON i.feed=c.feed AND i.boot_id=c.boot_id"
	    " AND i.sequence=c.sequence WHERE CAST(a.document AS TEXT)="
	    "c.content AND NOT EXISTS (SELECT 1 FROM other.cosignatures AS o"
	    " WHERE o.feed=c.feed AND o.boot_id=c.boot_id"
	    " AND o.sequence=c.sequence"
	    " AND o.attestation_sha256=c.attestation_sha256)");

	return n < 0 ? 0 : n;
}

/* Each item is in one file at least: counted in each, once where in both. */
static void check_none_lost(struct days *d)
{
	int64_t n = ask(d->f, "SELECT count(*) FROM items");

	for (int64_t day = FIRST; day < FIRST + 3; day++)
		n += items_of_day(d, day) - in_both(d, day);
	assert_int_equal(n, d->items);
	n = ask(d->f, "SELECT count(*) FROM cosignatures");
	for (int64_t day = FIRST; day < FIRST + 3; day++)
		n += cosignatures_of_day(d, day);
	assert_int_equal(n, 2 * ((d->items + COSIGNED - 1) / COSIGNED));
}

static int run_steps(struct days *d, struct archive_rotate *r, int max)
{
	int rc = 1, n = 0;

	while (n < max && (rc = archive_rotate_step(r, NOW, d->f->error)) == 1)
		n++;
	assert_true(n < STEPS_MAX);
	return rc;
}

static void rotate(struct days *d)
{
	struct archive_rotate *r = archive_rotate_new(d->f->path, 0);

	assert_int_equal(run_steps(d, r, STEPS_MAX), 0);
	archive_rotate_free(r);
}

static void check_rotated(struct days *d)
{
	check_none_lost(d);
	for (int64_t day = FIRST; day < FIRST + 2; day++) {
		assert_int_equal(in_both(d, day), 0);
		assert_int_equal(items_of_day(d, day), PER_DAY);
		assert_int_equal(ask_day(d, day,
				     "SELECT count(*) FROM main.items WHERE"
				     " content != 'item ' || sequence"),
		    0);
		assert_int_equal(
		    ask_day(d, day,
			"SELECT count(*) FROM pragma_integrity_check WHERE"
			" integrity_check != 'ok'"),
		    0);
	}
	assert_int_equal(ask(d->f, "SELECT count(*) FROM items"), PER_DAY);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM heads"), 2);
	assert_int_equal(
	    ask(d->f, "SELECT count(*) FROM cosignatures JOIN items"
		      " USING(feed, boot_id, sequence)"),
	    ask(d->f, "SELECT count(*) FROM cosignatures"));
}

static void test_days(void **state)
{
	struct days *d = *state;

	rotate(d);
	check_rotated(d);
	assert_int_equal(items_of_day(d, FIRST + 2), 0); /* is not over */
	/* The file stands alone. */
	assert_int_equal(ask_day(d, FIRST, "PRAGMA main.user_version"), 3);
	assert_int_equal(ask_day(d, FIRST,
			     "SELECT count(*) FROM main.items JOIN"
			     " main.attestations ON"
			     " sha256=attestation_sha256"),
	    PER_DAY);
	assert_int_equal(
	    ask_day(d, FIRST, "SELECT max(sequence) FROM main.heads"),
	    PER_DAY - 1);
	assert_int_equal(
	    ask_day(d, FIRST, "SELECT count(*) FROM main.heads"), 2);
	/* In the order in which they came. */
	assert_int_equal(ask_day(d, FIRST,
			     "SELECT sequence FROM main.items"
			     " ORDER BY rowid DESC"),
	    PER_DAY - 1);
	assert_int_equal(
	    ask_day(d, FIRST, "SELECT count(*) FROM main.tree_heads"), 3);
	assert_int_equal(
	    ask_day(d, FIRST + 1, "SELECT count(*) FROM main.tree_heads"), 3);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM tree_heads"), 3);
	/* The day's last raw answers are the next day's as well. */
	assert_int_equal(ask_day(d, FIRST, "SELECT count(*) FROM main.raw"), 3);
	assert_int_equal(
	    ask_day(d, FIRST + 1, "SELECT count(*) FROM main.raw"), 4);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM raw"), 4);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM attestations"), 3);
	rotate(d);
	check_rotated(d);
}

/* Not a minute before anything of the day can still be accepted. */
static void test_grace(void **state)
{
	struct days *d = *state;
	struct archive_rotate *r = archive_rotate_new(d->f->path, 0);
	int64_t over = (FIRST + 1) * DAY + ARCHIVE_ROTATE_GRACE_MS;

	assert_int_equal(archive_rotate_step(r, over - 1, d->f->error), 0);
	assert_int_equal(archive_rotate_step(r, over, d->f->error), 1);
	archive_rotate_free(r);
}

/* ---- killed ---- */

static void in_child(struct days *d, int steps, useconds_t us)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct archive_rotate *r = archive_rotate_new(d->f->path, 0);

		for (int i = 0; i < steps; i++)
			if (archive_rotate_step(r, NOW, d->f->error) < 0)
				_exit(1);
		kill(getpid(), SIGKILL);
	}
	if (us) {
		usleep(us);
		kill(pid, SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static int count_steps(struct days *d)
{
	struct archive_rotate *r = archive_rotate_new(d->f->path, 0);
	int n = 0;

	while (archive_rotate_step(r, NOW, d->f->error) == 1)
		n++;
	archive_rotate_free(r);
	return n;
}

static void again(void **state)
{
	teardown_days(state);
	setup_days(state);
}

static void test_killed_after_each_step(void **state)
{
	struct days *d = *state;
	int steps = count_steps(d);

	assert_true(steps >= 2 * 12);
	/* The second day is as the first: its steps are done once. */
	for (int n = 1; n <= steps / 2 + 1; n++) {
		again(state);
		d = *state;
		in_child(d, n, 0);
		check_none_lost(d);
		rotate(d);
		check_rotated(d);
	}
}

static void test_killed_at_any_moment(void **state)
{
	struct days *d;

	for (useconds_t us = 500; us < 60000; us += 4000) {
		again(state);
		d = *state;
		in_child(d, 1000000, us);
		check_none_lost(d);
		rotate(d);
		check_rotated(d);
	}
}

/* ---- what should not be ---- */

/* The clock was wrong, or the daemon's limits changed. */
static void test_late_item(void **state)
{
	struct days *d = *state;
	struct record *r;

	rotate(d);
	r = item(d, FIRST * DAY + 5);
	assert_int_equal(commit(d->f, r), RECORD_STORED);
	rotate(d);
	check_none_lost(d);
	assert_int_equal(items_of_day(d, FIRST), PER_DAY + 1);
	assert_int_equal(in_both(d, FIRST), 0);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM items"), PER_DAY);
}

/* Behind the rows of all that came since: found when all rows are looked at.
 */
static void test_late_item_before_its_day_is_closed(void **state)
{
	struct days *d = *state;
	struct record *r = item(d, FIRST * DAY + 5);

	assert_int_equal(commit(d->f, r), RECORD_STORED);
	rotate(d);
	check_none_lost(d);
	assert_int_equal(items_of_day(d, FIRST), PER_DAY + 1);
	assert_int_equal(in_both(d, FIRST), 0);
}

/* Another content for a number that is in the file: it stays where it is. */
static void test_contradiction_stays(void **state)
{
	struct days *d = *state;
	struct record *r;

	rotate(d);
	r = made_record(d->f->document, "ETH-USD", 1, 0, "another");
	r->published_ms = FIRST * DAY + 7;
	assert_int_equal(commit(d->f, r), RECORD_STORED);
	rotate(d); /* it ends */
	assert_int_equal(
	    ask(d->f, "SELECT count(*) FROM items WHERE content='another'"), 1);
	assert_int_equal(items_of_day(d, FIRST), PER_DAY);
	assert_int_equal(items_of_day(d, FIRST + 1), PER_DAY);
}

/* By another item than the day's: they stay with theirs. And one that came
 * later, by the same item, goes to it. */
static void test_cosignatures_find_their_item(void **state)
{
	struct days *d = *state;
	struct record *r;

	rotate(d);
	r = made_record(d->f->document, "ETH-USD", 1, 0, "another");
	made_cosign(r, "peer 3", true);
	r->published_ms = FIRST * DAY + 7;
	assert_int_equal(commit(d->f, r), RECORD_STORED);
	r = made_record(d->f->document, "ETH-USD", 1, 2, "item 2");
	made_cosign(r, "peer 4", true);
	r->published_ms = FIRST * DAY + 2 * (DAY / PER_DAY);
	assert_int_equal(commit(d->f, r), RECORD_STORED);
	rotate(d);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM cosignatures"
				   " WHERE content='peer 3'"),
	    1);
	assert_int_equal(ask_day(d, FIRST,
			     "SELECT count(*) FROM main.cosignatures"
			     " WHERE content='peer 3'"),
	    0);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM cosignatures"
				   " WHERE content='peer 4'"),
	    0);
	assert_int_equal(ask_day(d, FIRST,
			     "SELECT count(*) FROM main.cosignatures"
			     " WHERE content='peer 4' AND sequence=2"),
	    1);
}

/* A file that is there, of the version before. */
static void test_older_file(void **state)
{
	struct days *d = *state;
	struct record *r;

	rotate(d);
	(void)ask_day(d, FIRST, "DROP TABLE main.cosignatures");
	(void)ask_day(d, FIRST, "PRAGMA main.user_version=2");
	r = made_record(d->f->document, "ETH-USD", 1, 0, "item 0");
	made_cosign(r, "peer 5", true);
	r->published_ms = FIRST * DAY;
	assert_int_equal(commit(d->f, r), RECORD_STORED);
	rotate(d);
	assert_int_equal(ask_day(d, FIRST, "PRAGMA main.user_version"), 3);
	assert_int_equal(items_of_day(d, FIRST), PER_DAY);
	assert_int_equal(in_both(d, FIRST), 0);
	assert_int_equal(
	    ask_day(d, FIRST, "SELECT count(*) FROM main.cosignatures"), 1);
}

/* What has the day's name and is no archive stays what it is. */
static void test_foreign_file(void **state)
{
	struct days *d = *state;
	struct archive_rotate *r;

	rotate(d);
	(void)ask_day(d, FIRST, "PRAGMA main.user_version=0");
	assert_int_equal(commit(d->f, item(d, FIRST * DAY)), RECORD_STORED);
	r = archive_rotate_new(d->f->path, 0);
	assert_int_equal(run_steps(d, r, STEPS_MAX), -1);
	assert_string_equal(d->f->error, "the file of that day is no archive");
	archive_rotate_free(r);
	assert_int_equal(ask_day(d, FIRST, "PRAGMA main.user_version"), 0);
	assert_int_equal(items_of_day(d, FIRST), PER_DAY);
}

static void test_full_disk(void **state)
{
	struct days *d = *state;
	struct archive_rotate *r = archive_rotate_new(d->f->path, 0);
	struct rlimit old, small;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(run_steps(d, r, STEPS_MAX), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(d->f->error[0] != '\0');
	check_none_lost(d);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM items"), d->items);
	assert_int_equal(run_steps(d, r, STEPS_MAX), 0);
	check_rotated(d);
	archive_rotate_free(r);
}

/* Items come while a day is closed. */
static void test_between_batches(void **state)
{
	struct days *d = *state;
	struct archive_rotate *r = archive_rotate_new(d->f->path, 0);
	int more = 0;

	while (archive_rotate_step(r, NOW, d->f->error) == 1) {
		assert_int_equal(
		    commit(d->f, item(d, NOW + more)), RECORD_STORED);
		more++;
	}
	archive_rotate_free(r);
	check_none_lost(d);
	assert_int_equal(
	    ask(d->f, "SELECT count(*) FROM items"), PER_DAY + more);
	assert_int_equal(items_of_day(d, FIRST), PER_DAY);
}

/* ---- names, and how long they are kept ---- */

static void touch(struct days *d, const char *name)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", d->f->folder, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static bool exists(struct days *d, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", d->f->folder, name);
	return access(path, F_OK) == 0;
}

static void test_names(void **state)
{
	static const char *const strangers[] = {"archive-2024-10-4.db",
	    "archive-2024-13-01.db", "archive-2023-02-29.db",
	    "archive-2024-10-04.db-wal", "archive-2024-10-04.db.bak",
	    "archive-2024-10-04 .db", "archives-2024-10-04.db",
	    "archive--024-10-04.db", "other-2024-10-04.db",
	    "archive-1969-12-31.db", "other-2024-10-04.db.part"};
	struct days *d = *state;
	char path[PATH_MAX];
	int64_t *days;
	size_t count;

	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++)
		touch(d, strangers[i]);
	days = archive_files_days(d->f->path, &count);
	assert_null(days);
	assert_int_equal(count, 0);
	touch(d, "archive-2024-10-05.db");
	touch(d, "archive-2024-10-04.db");
	touch(d, "archive-2024-10-04.db.part");
	days = archive_files_days(d->f->path, &count);
	assert_int_equal(count, 2);
	assert_int_equal(days[0], FIRST);
	assert_int_equal(days[1], FIRST + 1);
	free(days);
	archive_files_clean(d->f->path);
	assert_false(exists(d, "archive-2024-10-04.db.part"));
	assert_true(exists(d, "archive-2024-10-04.db"));
	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++)
		assert_true(exists(d, strangers[i]));
	assert_int_equal(archive_files_day(path, "plain", FIRST), 0);
	assert_string_equal(path, "plain-" DAY_ONE ".db");
	assert_int_equal(archive_files_day(path, "/a.db/x", FIRST), 0);
	assert_string_equal(path, "/a.db/x-" DAY_ONE ".db");
	assert_int_equal(archive_files_day(path, "a.db", -1), -1);
}

static void test_retention(void **state)
{
	struct days *d = *state;
	struct archive_rotate *r;

	rotate(d);
	touch(d, "archive-2024-01-01.db");
	touch(d, "archive-2024-01-01.db.mine");
	r = archive_rotate_new(d->f->path, 2);
	assert_int_equal(run_steps(d, r, STEPS_MAX), 0);
	assert_false(exists(d, "archive-2024-01-01.db"));
	assert_true(exists(d, "archive-2024-01-01.db.mine"));
	assert_true(exists(d, "archive-" DAY_ONE ".db"));
	/* A clock that is three years ahead. */
	assert_int_equal(
	    archive_rotate_step(r, NOW + 1000 * DAY, d->f->error), 1);
	assert_true(exists(d, "archive-" DAY_ONE ".db"));
	archive_rotate_free(r);
	r = archive_rotate_new(d->f->path, 1);
	assert_int_equal(run_steps(d, r, STEPS_MAX), 0);
	assert_false(exists(d, "archive-" DAY_ONE ".db"));
	assert_true(exists(d, "archive-2024-10-05.db"));
	archive_rotate_free(r);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_days, teardown_days)

/* Of a boot: a newest head of this day, and tiles for several steps. */
static void put_log(struct days *d, const char *boot, int64_t day)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
	    "INSERT INTO tree_heads SELECT '%s',7,'c','s',sha256,%lld,1,'h'"
	    " FROM attestations LIMIT 1",
	    boot, (long long)(day * DAY));
	(void)ask(d->f, sql);
	snprintf(sql, sizeof(sql),
	    "INSERT INTO log_tiles WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 1200)"
	    " SELECT '%s', 0, i, x'00' FROM n",
	    boot);
	(void)ask(d->f, sql);
}

/* The log of a boot goes when its newest head does. */
static void test_logs_of_ended_boots(void **state)
{
	struct days *d = *state;
	struct archive_rotate *r;

	put_log(d, "ended", FIRST - 9);
	put_log(d, "b", FIRST + 2);
	rotate(d);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM log_tiles"), 2 * 1200);
	r = archive_rotate_new(d->f->path, 11);
	assert_int_equal(run_steps(d, r, STEPS_MAX), 0);
	archive_rotate_free(r);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM log_tiles"), 2400);
	r = archive_rotate_new(d->f->path, 10);
	assert_int_equal(run_steps(d, r, STEPS_MAX), 0);
	archive_rotate_free(r);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM log_tiles"), 1200);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM tree_heads"
				   " WHERE boot_id='ended'"),
	    0);
	assert_int_equal(ask(d->f, "SELECT count(*) FROM tree_heads"
				   " WHERE boot_id='b'") > 0,
	    1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_days),
	    TEST(test_grace),
	    TEST(test_killed_after_each_step),
	    TEST(test_killed_at_any_moment),
	    TEST(test_late_item),
	    TEST(test_late_item_before_its_day_is_closed),
	    TEST(test_contradiction_stays),
	    TEST(test_cosignatures_find_their_item),
	    TEST(test_older_file),
	    TEST(test_foreign_file),
	    TEST(test_full_disk),
	    TEST(test_between_batches),
	    TEST(test_names),
	    TEST(test_retention),
	    TEST(test_logs_of_ended_boots),
	};

	return cmocka_run_group_tests_name("archive_rotate", tests, NULL, NULL);
}
