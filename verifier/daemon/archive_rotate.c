/*
 * archive_rotate: see the header for the way of a day. One connection at a
 * time: while copying its main database is the new file and the archive is
 * attached as `other`; while removing it is the archive, and the day's file is
 * `other`.
 */
#include "verifier/daemon/archive_rotate.h"

#include "base/log.h"
#include "verifier/archive/archive_schema.h"
#include "verifier/daemon/archive_expire.h"
#include "verifier/daemon/archive_files.h"
#include "verifier/daemon/archive_rotate_db.h"
#include "verifier/daemon/archive_rotate_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum stage {
	IDLE,
	BEGIN_COPY,
	COPY_ITEMS,
	COPY_HEADS,
	COPY_RAW,
	SEAL,
	NAME,
	BEGIN_REMOVE,
	REMOVE_ITEMS,
	REMOVE_HEADS,
	REMOVE_RAW,
	REMOVE_ATTESTATIONS,
	END,
};

struct archive_rotate {
	char path[PATH_MAX];
	int64_t keep_days;
	enum stage stage;
	struct archive_rotate_db db;
	int64_t not_before; /* days that we gave up, until the next start */
	char file[PATH_MAX], part[PATH_MAX]; /* of db.day */
	int part_fd;                         /* the .part, to sync it; -1 */
	bool has_file; /* the day has one: what is copied is added to it */
	bool whole;    /* all rows are looked at, once */
};

static int fail(struct archive_rotate *r, char *error)
{
	snprintf(error, ARCHIVE_ERROR_MAX, "%s",
	    r->db.db ? sqlite3_errmsg(r->db.db) : strerror(errno));
	return -1;
}

static void close_db(struct archive_rotate *r)
{
	archive_rotate_db_close(&r->db);
	if (r->part_fd >= 0)
		close(r->part_fd);
	r->part_fd = -1;
}

/* ---- idle: is there a day that is over? ---- */

static int look(struct archive_rotate *r, int64_t now_ms, char *error)
{
	int64_t ms;

	r->db.day = r->not_before;
	if (archive_rotate_db_open(
		&r->db, r->path, ":memory:", "PRAGMA query_only=1") ||
	    archive_rotate_db_ask(
		&r->db, archive_rotate_sql_oldest, INT64_MAX, &ms))
		return fail(r, error);
	close_db(r);
	if (ms == INT64_MAX)
		return 0;
	r->db.day = ms / ARCHIVE_FILES_DAY_MS;
	if ((r->db.day + 1) * ARCHIVE_FILES_DAY_MS + ARCHIVE_ROTATE_GRACE_MS >
	    now_ms)
		return 0;
	if (archive_files_day(r->file, r->path, r->db.day)) {
		snprintf(error, ARCHIVE_ERROR_MAX, "no name for that day");
		return -1;
	}
	snprintf(r->part, sizeof(r->part), "%.*s.part", PATH_MAX - 8, r->file);
	r->has_file = access(r->file, F_OK) == 0;
	r->whole = false;
	r->stage = r->has_file ? BEGIN_REMOVE : BEGIN_COPY;
	return 1;
}

/* ---- copy ---- */

/* The day's file as it is, to be added to. */
static int copy_file(const char *from, int to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (in < 0)
		return -1;
	while ((n = sendfile(to, in, NULL, 1 << 20)) > 0)
		;
	close(in);
	return n == 0 ? 0 : -1;
}

static int begin_part(struct archive_rotate *r)
{
	int fd = open(r->part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || (r->has_file && copy_file(r->file, fd))) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	r->part_fd = fd;
	return 0;
}

/* A new file, or the copy of a day's that an older version made. */
static int bring_up_to_date(struct archive_rotate *r, char *error)
{
	int64_t version;

	if (archive_rotate_db_ask(&r->db, "PRAGMA user_version", 0, &version))
		return fail(r, error);
	if (r->has_file && version < ARCHIVE_SCHEMA_OLDEST) {
		snprintf(error, ARCHIVE_ERROR_MAX,
		    "the file of that day is no archive");
		return -1;
	}
	if (archive_rotate_db_exec(&r->db, "BEGIN") ||
	    archive_schema_upgrade(r->db.db, version, ARCHIVE_SCHEMA_VERSION) ||
	    archive_rotate_db_exec(&r->db, "COMMIT"))
		return fail(r, error);
	return 0;
}

static int begin_copy(struct archive_rotate *r, char *error)
{
	if (begin_part(r))
		return fail(r, error);
	/* After a crash it is waste: no journal, and one sync at the end. Its
	 * rows fit into large pages, so the file is smaller and read faster. In
	 * the archive itself each batch would write as many pages, eight times
	 * as large. */
	if (archive_rotate_db_open(&r->db, r->part, r->path,
		"PRAGMA page_size=32768; PRAGMA journal_mode=OFF;"
		"PRAGMA synchronous=OFF"))
		return fail(r, error);
	if (bring_up_to_date(r, error))
		return -1;
	if (archive_rotate_db_rows(&r->db, ARCHIVE_ROTATE_FIRST_ITEM("other"),
		r->whole ? ARCHIVE_ROTATE_LAST_OF_ALL("other")
			 : ARCHIVE_ROTATE_LAST_ITEM("other")))
		return fail(r, error);
	r->stage = COPY_ITEMS;
	return 1;
}

/* One window of rows; the next stage when the last one was in it. */
static int window(struct archive_rotate *r, const char *const *sql,
    int64_t rows, enum stage next, char *error)
{
	if (archive_rotate_db_run(&r->db, sql, rows))
		return fail(r, error);
	/* Piece by piece: the sync at the end would stop all for seconds. */
	if (r->part_fd >= 0)
		(void)fdatasync(r->part_fd);
	r->db.row += rows;
	if (r->db.row >= r->db.last)
		r->stage = next;
	return 1;
}

static int copy_all_heads(struct archive_rotate *r, char *error)
{
	if (archive_rotate_db_run(&r->db, archive_rotate_sql_copy_heads, 0) ||
	    archive_rotate_db_rows(&r->db, "SELECT min(rowid) FROM other.raw",
		"SELECT max(rowid) FROM other.raw"))
		return fail(r, error);
	r->stage = COPY_RAW;
	return 1;
}

/* ---- seal and name ---- */

static int seal(struct archive_rotate *r, char *error)
{
	int rc = r->part_fd >= 0 ? fsync(r->part_fd) : -1;

	if (rc) {
		snprintf(error, ARCHIVE_ERROR_MAX, "sync: %s", strerror(errno));
		return -1;
	}
	close_db(r);
	r->stage = NAME;
	return 1;
}

static int give_name(struct archive_rotate *r, char *error)
{
	if (rename(r->part, r->file))
		return fail(r, error);
	archive_files_sync_folder(r->file);
	r->has_file = true;
	r->stage = BEGIN_REMOVE;
	return 1;
}

/* ---- remove ---- */

static int begin_remove(struct archive_rotate *r, char *error)
{
	int64_t version;

	if (archive_rotate_db_open(
		&r->db, r->path, r->file, "PRAGMA synchronous=FULL") ||
	    archive_rotate_db_ask(
		&r->db, "PRAGMA other.user_version", 0, &version))
		return fail(r, error);
	/* An older one has not all tables: a copy gets them. */
	if (version < ARCHIVE_SCHEMA_VERSION) {
		close_db(r);
		r->stage = BEGIN_COPY;
		return 1;
	}
	if (archive_rotate_db_rows(&r->db, ARCHIVE_ROTATE_FIRST_ITEM("main"),
		r->whole ? ARCHIVE_ROTATE_LAST_OF_ALL("main")
			 : ARCHIVE_ROTATE_LAST_ITEM("main")))
		return fail(r, error);
	r->stage = REMOVE_ITEMS;
	return 1;
}

static int remove_all_heads(struct archive_rotate *r, char *error)
{
	if (archive_rotate_db_run(&r->db, archive_rotate_sql_remove_heads, 0) ||
	    archive_rotate_db_rows(&r->db, "SELECT min(rowid) FROM main.raw",
		"SELECT max(rowid) FROM main.raw"))
		return fail(r, error);
	r->stage = REMOVE_RAW;
	return 1;
}

/* Are there items of this day that are not in its file? */
static int count_left(struct archive_rotate *r, int64_t *left)
{
	return archive_rotate_db_ask(&r->db,
	    "SELECT count(*) FROM (SELECT DISTINCT feed FROM main.heads) AS h"
	    " JOIN main.items AS i ON i.feed=h.feed"
	    " AND i.published_ms >= :from_ms AND i.published_ms < :to_ms",
	    0, left);
}

static int remove_all_attestations(struct archive_rotate *r, char *error)
{
	int64_t left;

	if (archive_rotate_db_run(
		&r->db, archive_rotate_sql_remove_attestations, 0) ||
	    count_left(r, &left))
		return fail(r, error);
	close_db(r);
	r->stage = END;
	if (left && !r->whole) {
		r->whole = true;
		r->stage = BEGIN_COPY;
	} else if (left) {
		log_error("archive", "day_stays", LOG_S("file", r->file),
		    LOG_D("items", left));
		r->not_before = r->db.day + 1;
	}
	return 1;
}

/* ---- steps ---- */

static int step(struct archive_rotate *r, int64_t now_ms, char *error)
{
	int rc;

	switch (r->stage) {
	case IDLE:
		rc = r->keep_days
			 ? archive_expire(r->path, r->keep_days, now_ms, error)
			 : 0;
		return rc ? rc : look(r, now_ms, error);
	case BEGIN_COPY:
		return begin_copy(r, error);
	case COPY_ITEMS:
		return window(r, archive_rotate_sql_copy_items,
		    ARCHIVE_ROTATE_ROWS, COPY_HEADS, error);
	case COPY_HEADS:
		return copy_all_heads(r, error);
	case COPY_RAW:
		return window(r, archive_rotate_sql_copy_raw,
		    ARCHIVE_ROTATE_BODIES, SEAL, error);
	case SEAL:
		return seal(r, error);
	case NAME:
		return give_name(r, error);
	case BEGIN_REMOVE:
		return begin_remove(r, error);
	case REMOVE_ITEMS:
		return window(r, archive_rotate_sql_remove_items,
		    ARCHIVE_ROTATE_ROWS, REMOVE_HEADS, error);
	case REMOVE_HEADS:
		return remove_all_heads(r, error);
	case REMOVE_RAW:
		return window(r, archive_rotate_sql_remove_raw,
		    ARCHIVE_ROTATE_ROWS, REMOVE_ATTESTATIONS, error);
	case REMOVE_ATTESTATIONS:
		return remove_all_attestations(r, error);
	case END:
		log_info("archive", "day_closed", LOG_S("file", r->file));
		r->stage = IDLE;
		return 1;
	}
	return -1;
}

int archive_rotate_step(struct archive_rotate *rotate, int64_t now_ms,
    char error[static ARCHIVE_ERROR_MAX])
{
	int rc = step(rotate, now_ms, error);

	if (rc < 0)
		archive_rotate_reset(rotate);
	return rc;
}

void archive_rotate_reset(struct archive_rotate *rotate)
{
	if (!rotate)
		return;
	close_db(rotate);
	/* A .part takes the room that a full disk lacks. */
	if (rotate->stage > IDLE && rotate->stage <= NAME)
		(void)unlink(rotate->part);
	rotate->stage = IDLE;
}

struct archive_rotate *archive_rotate_new(const char *path, int64_t keep_days)
{
	struct archive_rotate *r = calloc(1, sizeof(*r));

	if (!r)
		log_die("archive", "out of memory");
	snprintf(r->path, sizeof(r->path), "%s", path);
	r->keep_days = keep_days;
	r->part_fd = -1;
	archive_files_clean(path);
	return r;
}

void archive_rotate_free(struct archive_rotate *rotate)
{
	archive_rotate_reset(rotate);
	free(rotate);
}
