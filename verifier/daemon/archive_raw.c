/* archive_raw: the table `raw`. */
#include "verifier/daemon/archive_raw.h"

#include "base/log.h"
#include "verifier/daemon/archive_db.h"

#include <stdlib.h>
#include <string.h>

bool archive_raw_push(struct archive_raw_queue *queue,
    const uint8_t sha256[HM_SHA256_LEN], const void *body, size_t len,
    int64_t received_ms)
{
	struct archive_raw *raw;

	if (len > ARCHIVE_RAW_BYTES - queue->bytes)
		return false;
	raw = malloc(sizeof(*raw) + len);
	if (!raw)
		log_die("archive", "out of memory");
	raw->next = NULL;
	raw->received_ms = received_ms;
	raw->len = len;
	memcpy(raw->sha256, sha256, HM_SHA256_LEN);
	memcpy(raw->body, body, len);
	if (queue->last)
		queue->last->next = raw;
	else
		queue->first = raw;
	queue->last = raw;
	queue->bytes += len;
	return true;
}

void archive_raw_clear(struct archive_raw_queue *queue)
{
	while (queue->first) {
		struct archive_raw *next = queue->first->next;

		free(queue->first);
		queue->first = next;
	}
	queue->last = NULL;
	queue->bytes = 0;
}

static int write_all(struct archive *a, const struct archive_raw_queue *queue)
{
	sqlite3_stmt *s = NULL;
	int rc = -1;

	if (archive_exec(a, "BEGIN IMMEDIATE") ||
	    sqlite3_prepare_v2(a->db,
		"INSERT INTO raw VALUES(?1,?2,?3)"
		" ON CONFLICT(sha256) DO NOTHING",
		-1, &s, NULL))
		goto out;
	for (const struct archive_raw *r = queue->first; r; r = r->next) {
		if (archive_bind_hex(s, 1, r->sha256, HM_SHA256_LEN) ||
		    sqlite3_bind_blob64(s, 2, r->body, r->len, SQLITE_STATIC) ||
		    sqlite3_bind_int64(s, 3, r->received_ms) ||
		    sqlite3_step(s) != SQLITE_DONE || sqlite3_reset(s))
			goto out;
	}
	rc = archive_exec(a, "COMMIT");
out:
	sqlite3_finalize(s);
	return rc;
}

enum archive_state archive_raw_commit(struct archive *archive,
    const struct archive_raw_queue *queue, char error[static ARCHIVE_ERROR_MAX])
{
	enum archive_state state;

	if (write_all(archive, queue) == 0)
		return ARCHIVE_OK;
	state = archive_fail(archive, error);
	if (!sqlite3_get_autocommit(archive->db))
		(void)archive_exec(archive, "ROLLBACK");
	return state;
}
