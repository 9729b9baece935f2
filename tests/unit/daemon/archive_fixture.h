/* archive_fixture: an archive in a folder of its own. */
#ifndef HALLMARK_TESTS_DAEMON_ARCHIVE_FIXTURE_H
#define HALLMARK_TESTS_DAEMON_ARCHIVE_FIXTURE_H

#include "made_record.h"
#include "verifier/daemon/archive.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char folder[64], path[96];
	struct archive *archive;
	struct kept_document *document;
	char error[ARCHIVE_ERROR_MAX];
	enum archive_state state; /* of the last commit() */
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/archive-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/archive.db", f->folder);
	assert_int_equal(archive_open(&f->archive, f->path, f->error), 0);
	f->document = kept_document_new((const uint8_t *)"document", 8);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct fixture *f = *state;
	char path[128];

	archive_close(f->archive);
	kept_document_unref(f->document);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static inline void reopen(struct fixture *f)
{
	archive_close(f->archive);
	f->archive = NULL;
	assert_int_equal(archive_open(&f->archive, f->path, f->error), 0);
}

/* Commits one record and gives its outcome; -1: the commit failed. */
static inline int commit(struct fixture *f, struct record *r)
{
	int outcome;

	f->state = archive_commit(f->archive, r, f->error);
	outcome = f->state == ARCHIVE_OK ? (int)r->outcome : -1;
	record_free(r);
	return outcome;
}

/* The first column of the first row, as an outsider's sqlite3 sees it. */
static inline int64_t ask(const struct fixture *f, const char *sql)
{
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	int64_t answer = -1;

	assert_int_equal(
	    sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READWRITE, NULL), 0);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), 0);
	if (sqlite3_step(s) == SQLITE_ROW)
		answer = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return answer;
}

#endif
