/* archive: each thing that can be wrong with it is told by name, and when it
 * is gone the same list goes in. A damaged file is set aside whole. */
#include "archive_fixture.h"
#include "verifier/archive/archive_schema.h"
#include "verifier/daemon/archive_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>

/* ---- names ---- */

static void test_codes(void **state)
{
	static const struct {
		int rc, system_errno;
		const char *name;
	} cases[] = {
	    {SQLITE_FULL, 0, "full"},
	    {SQLITE_IOERR_WRITE, ENOSPC, "full"},
	    {SQLITE_IOERR_WRITE, EDQUOT, "full"},
	    {SQLITE_IOERR_WRITE, EFBIG, "full"},
	    {SQLITE_IOERR_SHMSIZE, ENOSPC, "full"},
	    {SQLITE_CANTOPEN, ENOSPC, "full"},
	    {SQLITE_READONLY, 0, "read_only"},
	    {SQLITE_READONLY_CANTINIT, 0, "read_only"},
	    {SQLITE_IOERR_WRITE, EROFS, "read_only"},
	    {SQLITE_CANTOPEN, EACCES, "read_only"},
	    {SQLITE_BUSY, 0, "locked"},
	    {SQLITE_BUSY_RECOVERY, EAGAIN, "locked"},
	    {SQLITE_LOCKED, 0, "locked"},
	    {SQLITE_PROTOCOL, 0, "locked"},
	    {SQLITE_CORRUPT, 0, "corrupt"},
	    {SQLITE_CORRUPT_INDEX, 0, "corrupt"},
	    {SQLITE_NOTADB, 0, "corrupt"},
	    {SQLITE_IOERR_FSYNC, EIO, "failing"},
	    {SQLITE_CANTOPEN, ENOENT, "failing"},
	    {SQLITE_NOMEM, 0, "failing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(archive_state_name(archive_state_of(
					cases[i].rc, cases[i].system_errno)),
		    cases[i].name);
	assert_string_equal(archive_state_name(ARCHIVE_OK), "ok");
	assert_string_equal(archive_state_name(ARCHIVE_MOVED), "moved");
	assert_string_equal(archive_state_name(ARCHIVE_FOREIGN), "foreign");
}

/* ---- read-only ---- */

static int try_read_only(struct fixture *f)
{
	struct archive *a = NULL;

	if (getuid() == 0 && (setgid(65534) || setuid(65534)))
		return 1;
	if (archive_open(&a, f->path, f->error) != ARCHIVE_READ_ONLY || a)
		return 2;
	return f->error[0] ? 0 : 3;
}

static void test_read_only(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	archive_close(f->archive);
	f->archive = NULL;
	assert_int_equal(chmod(f->folder, 0755), 0);
	assert_int_equal(chmod(f->path, 0444), 0);
	pid = fork();
	if (pid == 0)
		_exit(try_read_only(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(f->path, 0644), 0);
	reopen(f);
	assert_int_equal(
	    commit(f, made_record(f->document, "BTC-USD", 1, 0, "a")),
	    RECORD_STORED);
}

/* ---- moved ---- */

static void test_moved(void **state)
{
	struct fixture *f = *state;
	struct record *r = made_record(f->document, "BTC-USD", 1, 1, "b");
	char to[128];

	commit(f, made_record(f->document, "BTC-USD", 1, 0, "a"));
	snprintf(to, sizeof(to), "%s.old", f->path);
	assert_int_equal(rename(f->path, to), 0);
	assert_int_equal(
	    archive_commit(f->archive, r, f->error), ARCHIVE_MOVED);
	assert_int_equal(r->outcome, RECORD_PENDING);
	reopen(f);
	assert_int_equal(archive_commit(f->archive, r, f->error), ARCHIVE_OK);
	assert_int_equal(r->outcome, RECORD_STORED);
	assert_int_equal(ask(f, "SELECT sum(sequence) FROM items"), 1);
	record_free(r);
	/* What was moved is whole, though its -wal had stayed behind. */
	archive_close(f->archive);
	f->archive = NULL;
	assert_int_equal(rename(to, f->path), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM items"
				" WHERE content='a'"),
	    1);
}

/* ---- corrupt ---- */

static void overwrite(const char *path, off_t at, size_t len)
{
	char junk[65536];
	int fd = open(path, O_WRONLY);

	memset(junk, 0xa5, sizeof(junk));
	assert_true(fd >= 0 && len <= sizeof(junk));
	assert_int_equal(pwrite(fd, junk, len, at), (ssize_t)len);
	close(fd);
}

static void fill(struct fixture *f, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		char content[32];

		snprintf(content, sizeof(content), "item %llu",
		    (unsigned long long)i);
		assert_int_equal(commit(f, made_record(f->document, "BTC-USD",
					       1, i, content)),
		    RECORD_STORED);
	}
}

static void test_corrupt_is_told(void **state)
{
	struct fixture *f = *state;

	fill(f, 20);
	archive_close(f->archive); /* all of it in one file */
	f->archive = NULL;
	overwrite(f->path, 4096, 65536);
	assert_true(archive_aside_is_ours(f->path));
	if (archive_open(&f->archive, f->path, f->error) == ARCHIVE_OK) {
		assert_int_equal(
		    commit(f, made_record(f->document, "BTC-USD", 1, 50, "x")),
		    -1);
		assert_int_equal(f->state, ARCHIVE_CORRUPT);
	}
}

static void test_who_is_ours(void **state)
{
	struct fixture *f = *state;
	char path[128];

	archive_close(f->archive);
	f->archive = NULL;
	assert_true(archive_aside_is_ours(f->path));
	(void)ask(f, "PRAGMA application_id=5");
	assert_false(archive_aside_is_ours(f->path));
	(void)ask(f, "PRAGMA application_id=0x484d4b31");
	assert_true(archive_aside_is_ours(f->path));
	overwrite(f->path, 0, 16);
	assert_false(archive_aside_is_ours(f->path));
	snprintf(path, sizeof(path), "%s/none", f->folder);
	assert_false(archive_aside_is_ours(path));
	assert_int_equal(truncate(f->path, 71), 0);
	assert_false(archive_aside_is_ours(f->path));
}

static void copy_to(const char *from, const char *to)
{
	char buffer[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0600);
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, (size_t)n), n);
	close(in);
	close(out);
}

/* As after a kill -9: items that are in the -wal alone. */
static void leave_a_wal(struct fixture *f, uint64_t items)
{
	char wal[128], kept[140], db[140];

	fill(f, items);
	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	snprintf(kept, sizeof(kept), "%s.kept", wal);
	snprintf(db, sizeof(db), "%s.kept", f->path);
	copy_to(wal, kept);
	copy_to(f->path, db);
	archive_close(f->archive);
	f->archive = NULL;
	assert_int_equal(rename(kept, wal), 0);
	assert_int_equal(rename(db, f->path), 0);
}

static int count_files(struct fixture *f, const char *pattern, bool remove)
{
	char path[160];
	glob_t found;
	int n;

	snprintf(path, sizeof(path), "%s/%s", f->folder, pattern);
	if (glob(path, 0, NULL, &found))
		return 0;
	n = (int)found.gl_pathc;
	for (size_t i = 0; remove && i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
	return n;
}

static void test_aside_keeps_everything(void **state)
{
	struct fixture *f = *state;
	char to[PATH_MAX], again[PATH_MAX];
	char old[96];

	leave_a_wal(f, 5);
	assert_int_equal(archive_aside(f->path, 1795251600000, to), 0);
	assert_non_null(strstr(to, "archive.db.corrupt-20261121T090000Z"));
	assert_int_equal(access(f->path, F_OK), -1);
	assert_int_equal(count_files(f, "archive.db-*", false), 0);
	snprintf(old, sizeof(old), "%s", f->path);
	snprintf(f->path, sizeof(f->path), "%.95s", to);
	assert_int_equal(ask(f, "SELECT count(*) FROM items"), 5);
	snprintf(f->path, sizeof(f->path), "%s", old);
	/* A second one in the same second does not take the first one's name,
	 * and needs no -wal. */
	reopen(f);
	fill(f, 1);
	archive_close(f->archive);
	f->archive = NULL;
	assert_int_equal(archive_aside(f->path, 1795251600000, again), 0);
	assert_non_null(strstr(again, "20261121T090000Z-2"));
	assert_int_equal(archive_aside(f->path, 1795251600000, again), -ENOENT);
	assert_int_equal(count_files(f, "archive.db.corrupt-*", true), 2);
}

/* Killed between the two names: the -wal has both, and none is lost. */
static void test_aside_cut_short(void **state)
{
	struct fixture *f = *state;
	char wal[128], second[160], to[PATH_MAX];

	leave_a_wal(f, 5);
	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	snprintf(
	    second, sizeof(second), "%s.corrupt-20261121T090000Z-wal", f->path);
	assert_int_equal(link(wal, second), 0);
	assert_int_equal(archive_aside(f->path, 1795251601000, to), 0);
	snprintf(f->path, sizeof(f->path), "%.95s", to);
	assert_int_equal(ask(f, "SELECT count(*) FROM items"), 5);
	/* The first link to the -wal is still there. */
	assert_int_equal(count_files(f, "*corrupt-*", true), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_codes),
	    TEST(test_read_only),
	    TEST(test_moved),
	    TEST(test_corrupt_is_told),
	    TEST(test_who_is_ours),
	    TEST(test_aside_keeps_everything),
	    TEST(test_aside_cut_short),
	};

	return cmocka_run_group_tests_name("archive_states", tests, NULL, NULL);
}
