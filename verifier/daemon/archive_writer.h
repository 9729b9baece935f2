/*
 * archive_writer: batches of records to the archive, off the loop.
 *
 *   put -> waiting -> (batch, on the thread pool) -> committed -> done(record)
 *                        ^                   |
 *                        +--- failed: 1 s ---+
 *
 * One batch is in flight, the next collects meanwhile. Nothing is announced
 * before its batch is durable, and `done` comes in the order of put. When a
 * commit fails, the same batch is tried again on a newly opened archive until
 * it succeeds; meanwhile the view says what is wrong and since when, the queue
 * fills, and full() tells the streams to wait, so that the oracles' rings hold
 * what we cannot. An archive that is damaged is set aside (archive_aside.h),
 * one that was moved away is left to who moved it, and a new one takes its
 * place at once. Days that are over are closed (archive_rotate.h) by steps
 * between the batches.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_WRITER_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_WRITER_H

#include "verifier/daemon/archive_raw.h"
#include "verifier/daemon/archive_rotate.h"

#include <uv.h>

#define ARCHIVE_BATCH_MAX     256         /* records of one transaction */
#define ARCHIVE_WAITING_MAX   4096        /* records: then streams wait */
#define ARCHIVE_WAITING_BYTES (32u << 20) /* the same, in bytes */
#define ARCHIVE_RETRY_MS      1000
#define ARCHIVE_ROTATE_MS     60000 /* how often a day may be over */
#define ARCHIVE_RAW_MS        1000  /* how often raw answers are written */

struct archive_writer;

struct archive_writer_options {
	uv_loop_t *loop;
	const char *path;              /* copied */
	struct archive *archive;       /* open; taken */
	struct archive_rotate *rotate; /* taken; NULL: days are not closed */
	/* A record's batch is durable; see its outcome. Taken: free it. */
	void (*done)(struct record *record, void *data);
	/* There is room again after full() was true. */
	void (*drained)(void *data);
	void *data;
};

struct archive_writer *archive_writer_start(
    const struct archive_writer_options *options);

/* Takes the record. Over the ceilings it is still taken: whoever puts asks
 * full() before reading more. */
void archive_writer_put(struct archive_writer *writer, struct record *record);
/* A raw answer, copied: written between the batches, and lost if that fails.
 * False: too many wait. */
bool archive_writer_put_raw(struct archive_writer *writer,
    const uint8_t sha256[HM_SHA256_LEN], const void *body, size_t len,
    int64_t received_ms);
bool archive_writer_full(const struct archive_writer *writer);
size_t archive_writer_waiting(const struct archive_writer *writer);

struct archive_writer_view {
	enum archive_state state; /* OK while commits succeed */
	const char *why;          /* in words, "" if OK; until the loop turns */
	int64_t since_ms;         /* of this state, Unix time; 0 if OK */
	size_t waiting;           /* records */
	uint64_t set_aside;       /* damaged files, since the start */
	bool rotation_failed;     /* a day could not be closed; tried again */
	bool raw_failed;          /* the last raw answers were not written */
};
void archive_writer_view(
    const struct archive_writer *writer, struct archive_writer_view *out);

/* Writes what waits (one attempt when commits are failing), with done() for
 * each, closes, frees, and calls `stopped` from the loop. */
void archive_writer_stop(
    struct archive_writer *writer, void (*stopped)(void *data), void *data);

#endif
