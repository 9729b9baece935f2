/*
 * archive_writer: see the header for the way of a batch. The archive belongs
 * to the worker while a batch is in flight, and to nobody otherwise.
 */
#include "verifier/daemon/archive_writer.h"

#include "base/log.h"
#include "base/now.h"
#include "verifier/daemon/archive_aside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum job {
	WRITE_BATCH,
	WRITE_RAW,
	ROTATE
}; /* of the thread pool */

struct archive_writer {
	struct archive_writer_options options;
	char *path;
	struct archive *archive; /* the worker's; NULL after a failure */
	struct record_queue waiting;
	struct record_queue batch; /* in flight, or to be tried again */
	uv_work_t work;            /* .data points back */
	uv_timer_t retry;          /* runs after a failure */
	uv_timer_t rotate;         /* repeats, if days are closed */
	bool rotate_due;           /* set by it: there may be steps to do */
	int rotated;               /* set by the worker: what the step said */
	struct archive_raw_queue raw;       /* waits for raw_timer */
	struct archive_raw_queue raw_batch; /* in flight */
	uv_timer_t raw_timer;               /* runs while some wait */
	bool raw_due;                       /* set by it */
	bool raw_written;                   /* set by the worker */
	enum job job;
	bool busy;                     /* set by start_work, cleared by after */
	enum archive_state state;      /* set by the worker, OK if it wrote */
	char error[ARCHIVE_ERROR_MAX]; /* set by the worker */
	char aside[PATH_MAX]; /* set by the worker: where one went, or "" */
	bool moved;           /* set by the worker: it had lost its name */
	struct archive_writer_view view; /* of the last batch */
	char why[ARCHIVE_ERROR_MAX];     /* its text */
	bool was_full;
	bool stopping;
	void (*stopped)(void *data);
	void *stopped_data;
};

static void start_batch(struct archive_writer *w);
static bool start_between(struct archive_writer *w);

/* ---- on the thread pool ---- */

/* Opened anew after a failure: the disk may have changed, and to close is the
 * only way to make SQLite forget what it believes of it. */
static enum archive_state attempt(struct archive_writer *w)
{
	enum archive_state state = ARCHIVE_OK;

	if (!w->archive)
		state = archive_aside_open(
		    &w->archive, w->path, w->aside, w->error);
	if (state != ARCHIVE_OK)
		return state;
	state = archive_commit(w->archive, w->batch.head, w->error);
	if (state == ARCHIVE_OK)
		return state;
	if (state == ARCHIVE_CORRUPT)
		archive_abandon(w->archive);
	else
		archive_close(w->archive);
	w->archive = NULL;
	return state;
}

/* True if there is room for a new one. */
static bool make_way(struct archive_writer *w)
{
	if (w->state == ARCHIVE_MOVED)
		return w->moved = true;
	return w->state == ARCHIVE_CORRUPT &&
	       archive_aside(w->path, now_unix_ms(), w->aside) == 0;
}

static void work(uv_work_t *req)
{
	struct archive_writer *w = req->data;

	switch (w->job) {
	case ROTATE:
		w->rotated = archive_rotate_step(
		    w->options.rotate, now_unix_ms(), w->error);
		break;
	case WRITE_RAW:
		w->raw_written = w->archive &&
				 archive_raw_commit(w->archive, &w->raw_batch,
				     w->error) == ARCHIVE_OK;
		break;
	case WRITE_BATCH:
		w->state = attempt(w);
		if (w->state == ARCHIVE_OK)
			break;
		archive_rotate_reset(w->options.rotate);
		if (make_way(w))
			w->state = attempt(w);
		break;
	}
}

/* ---- on the loop ---- */

static void on_closed(uv_handle_t *handle)
{
	struct archive_writer *w = handle->data;
	void (*stopped)(void *) = w->stopped;
	void *data = w->stopped_data;

	archive_rotate_free(w->options.rotate);
	archive_close(w->archive);
	record_queue_fini(&w->batch);
	record_queue_fini(&w->waiting);
	archive_raw_clear(&w->raw);
	free(w->path);
	free(w);
	if (stopped)
		stopped(data);
}

static void finish_stop(struct archive_writer *w)
{
	size_t lost = w->batch.count + w->waiting.count;

	if (lost)
		log_error("archive", "unwritten_at_stop", LOG_D("items", lost),
		    LOG_S("why", w->why));
	if (uv_is_closing((uv_handle_t *)&w->retry))
		return;
	uv_close((uv_handle_t *)&w->rotate, NULL);
	uv_close((uv_handle_t *)&w->raw_timer, NULL);
	uv_close((uv_handle_t *)&w->retry, on_closed); /* the last */
}

static void on_retry(uv_timer_t *timer)
{
	start_batch(timer->data);
}

static void tell_changes(struct archive_writer *w)
{
	if (w->moved)
		log_error("archive", "moved_away", LOG_S("path", w->path));
	if (w->aside[0]) {
		w->view.set_aside++;
		log_error("archive", "corrupt_set_aside",
		    LOG_S("path", w->path), LOG_S("kept_as", w->aside));
	}
	w->moved = false;
	w->aside[0] = '\0';
}

static void batch_failed(struct archive_writer *w)
{
	if (!w->error[0])
		snprintf(w->error, sizeof(w->error), "unknown error");
	if (w->view.state != w->state) {
		w->view.since_ms = now_unix_ms();
		log_error("archive", "write_failed", LOG_S("path", w->path),
		    LOG_S("state", archive_state_name(w->state)),
		    LOG_S("why", w->error),
		    LOG_D("waiting", archive_writer_waiting(w)));
	}
	w->view.state = w->state;
	snprintf(w->why, sizeof(w->why), "%s", w->error);
	if (w->stopping)
		finish_stop(w);
	else
		uv_timer_start(&w->retry, on_retry, ARCHIVE_RETRY_MS, 0);
}

static void batch_done(struct archive_writer *w)
{
	struct record *record;

	if (w->view.state != ARCHIVE_OK)
		log_info("archive", "write_recovered", LOG_S("path", w->path),
		    LOG_S("state", archive_state_name(w->view.state)),
		    LOG_D("after_ms", now_unix_ms() - w->view.since_ms),
		    LOG_D("waiting", w->waiting.count));
	w->view.state = ARCHIVE_OK;
	w->view.since_ms = 0;
	w->why[0] = '\0';
	while ((record = record_queue_pop(&w->batch)))
		w->options.done(record, w->options.data);
}

static void tell_drained(struct archive_writer *w)
{
	if (!w->was_full || w->stopping ||
	    w->waiting.count > ARCHIVE_WAITING_MAX / 2 ||
	    w->waiting.bytes > ARCHIVE_WAITING_BYTES / 2)
		return;
	w->was_full = false;
	w->options.drained(w->options.data);
}

static void after_rotation(struct archive_writer *w)
{
	w->rotate_due = w->rotated > 0;
	if (w->rotated < 0 && !w->view.rotation_failed)
		log_error("archive", "day_not_closed", LOG_S("path", w->path),
		    LOG_S("why", w->error));
	w->view.rotation_failed = w->rotated < 0;
}

/* Lost, if they were not written: no item waits for them, nor do they. */
static void after_raw(struct archive_writer *w)
{
	archive_raw_clear(&w->raw_batch);
	if (!w->raw_written && !w->view.raw_failed)
		log_error("archive", "raw_not_written", LOG_S("path", w->path),
		    LOG_S("why", w->error));
	w->view.raw_failed = !w->raw_written;
}

static void after_batch(struct archive_writer *w)
{
	tell_changes(w);
	if (w->state != ARCHIVE_OK) {
		w->busy = false;
		batch_failed(w);
		return;
	}
	batch_done(w); /* still busy: what done() puts, waits */
	w->busy = false;
	if (!start_between(w))
		start_batch(w);
	tell_drained(w);
}

static void after_work(uv_work_t *req, int status)
{
	struct archive_writer *w = req->data;

	assert(status == 0); /* nobody cancels it */
	if (w->job == WRITE_BATCH) {
		after_batch(w);
		return;
	}
	w->busy = false;
	if (w->job == ROTATE)
		after_rotation(w);
	else
		after_raw(w);
	start_batch(w); /* each of these makes place for a batch */
}

static void start_work(struct archive_writer *w, enum job job)
{
	w->busy = true;
	w->job = job;
	if (uv_queue_work(w->options.loop, &w->work, work, after_work))
		log_die("archive", "cannot queue work");
}

/* What is done between two batches, if anything is. */
static bool start_between(struct archive_writer *w)
{
	if (w->stopping || (!w->raw_due && !w->rotate_due))
		return false;
	if (!w->raw_due) {
		start_work(w, ROTATE);
		return true;
	}
	w->raw_due = false;
	w->raw_batch = w->raw;
	w->raw = (struct archive_raw_queue){0};
	start_work(w, WRITE_RAW);
	return true;
}

static void start_unless_failing(struct archive_writer *w)
{
	if (!uv_is_active((uv_handle_t *)&w->retry))
		start_batch(w);
}

static void on_rotate(uv_timer_t *timer)
{
	struct archive_writer *w = timer->data;

	w->rotate_due = true;
	start_unless_failing(w);
}

static void on_raw(uv_timer_t *timer)
{
	struct archive_writer *w = timer->data;

	w->raw_due = true;
	start_unless_failing(w);
}

static void start_batch(struct archive_writer *w)
{
	struct record *record;

	if (w->busy)
		return;
	while (w->batch.count < ARCHIVE_BATCH_MAX &&
	       (record = record_queue_pop(&w->waiting)))
		record_queue_push(&w->batch, record);
	if (w->batch.count)
		start_work(w, WRITE_BATCH);
	else if (w->stopping)
		finish_stop(w);
	else
		(void)start_between(w);
}

struct archive_writer *archive_writer_start(
    const struct archive_writer_options *options)
{
	struct archive_writer *w = calloc(1, sizeof(*w));

	if (!w || !(w->path = strdup(options->path)))
		log_die("archive", "out of memory");
	w->options = *options;
	w->archive = options->archive;
	w->work.data = w;
	w->retry.data = w->rotate.data = w->raw_timer.data = w;
	uv_timer_init(options->loop, &w->retry);
	uv_timer_init(options->loop, &w->rotate);
	uv_timer_init(options->loop, &w->raw_timer);
	if (options->rotate)
		uv_timer_start(&w->rotate, on_rotate, 0, ARCHIVE_ROTATE_MS);
	return w;
}

void archive_writer_put(struct archive_writer *writer, struct record *record)
{
	assert(!writer->stopping);
	record_queue_push(&writer->waiting, record);
	if (archive_writer_full(writer))
		writer->was_full = true;
	start_unless_failing(writer);
}

bool archive_writer_put_raw(struct archive_writer *writer,
    const uint8_t sha256[HM_SHA256_LEN], const void *body, size_t len,
    int64_t received_ms)
{
	if (writer->stopping ||
	    !archive_raw_push(&writer->raw, sha256, body, len, received_ms))
		return false;
	if (!uv_is_active((uv_handle_t *)&writer->raw_timer))
		uv_timer_start(&writer->raw_timer, on_raw, ARCHIVE_RAW_MS, 0);
	return true;
}

bool archive_writer_full(const struct archive_writer *writer)
{
	return writer->waiting.count >= ARCHIVE_WAITING_MAX ||
	       writer->waiting.bytes >= ARCHIVE_WAITING_BYTES;
}

size_t archive_writer_waiting(const struct archive_writer *writer)
{
	return writer->waiting.count + writer->batch.count;
}

void archive_writer_view(
    const struct archive_writer *writer, struct archive_writer_view *out)
{
	*out = writer->view;
	out->why = writer->why;
	out->waiting = archive_writer_waiting(writer);
}

void archive_writer_stop(
    struct archive_writer *writer, void (*stopped)(void *data), void *data)
{
	if (writer->stopping)
		return;
	writer->stopping = true;
	writer->stopped = stopped;
	writer->stopped_data = data;
	uv_timer_stop(&writer->retry);
	uv_timer_stop(&writer->rotate);
	uv_timer_stop(&writer->raw_timer);
	writer->rotate_due = false;
	start_batch(writer);
}
