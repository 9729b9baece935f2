/*
 * archive_writer: see the header for the way of a batch. The archive belongs
 * to the worker while a batch is in flight, and to nobody otherwise.
 */
#include "verifier/daemon/archive_writer.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct archive_writer {
	struct archive_writer_options options;
	char *path;
	struct archive *archive; /* the worker's; NULL after a failure */
	struct record_queue waiting;
	struct record_queue batch; /* in flight, or to be tried again */
	uv_work_t work;            /* .data points back */
	uv_timer_t retry;          /* runs after a failure */
	bool busy;                 /* set by start_batch, cleared by after */
	int status;                /* set by the worker */
	char error[ARCHIVE_ERROR_MAX]; /* set by the worker */
	char why[ARCHIVE_ERROR_MAX];   /* "" while commits succeed */
	bool was_full;
	bool stopping;
	void (*stopped)(void *data);
	void *stopped_data;
};

static void start_batch(struct archive_writer *w);

/* ---- on the thread pool ---- */

static void work(uv_work_t *req)
{
	struct archive_writer *w = req->data;

	w->status = -1;
	if (!w->archive && archive_open(&w->archive, w->path, w->error))
		return;
	w->status = archive_commit(w->archive, w->batch.head, w->error);
	if (w->status == 0)
		return;
	archive_close(w->archive); /* opened anew: the disk may have changed */
	w->archive = NULL;
}

/* ---- on the loop ---- */

static void on_retry_closed(uv_handle_t *handle)
{
	struct archive_writer *w = handle->data;
	void (*stopped)(void *) = w->stopped;
	void *data = w->stopped_data;

	archive_close(w->archive);
	record_queue_fini(&w->batch);
	record_queue_fini(&w->waiting);
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
	if (!uv_is_closing((uv_handle_t *)&w->retry))
		uv_close((uv_handle_t *)&w->retry, on_retry_closed);
}

static void on_retry(uv_timer_t *timer)
{
	start_batch(timer->data);
}

static void batch_failed(struct archive_writer *w)
{
	if (!w->why[0])
		log_error("archive", "write_failed", LOG_S("path", w->path),
		    LOG_S("why", w->error),
		    LOG_D("waiting", w->batch.count + w->waiting.count));
	snprintf(w->why, sizeof(w->why), "%s",
	    w->error[0] ? w->error : "unknown error");
	if (w->stopping)
		finish_stop(w);
	else
		uv_timer_start(&w->retry, on_retry, ARCHIVE_RETRY_MS, 0);
}

static void batch_done(struct archive_writer *w)
{
	struct record *record;

	if (w->why[0])
		log_info("archive", "write_recovered", LOG_S("path", w->path),
		    LOG_D("waiting", w->waiting.count));
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

static void after_work(uv_work_t *req, int status)
{
	struct archive_writer *w = req->data;

	assert(status == 0); /* nobody cancels it */
	if (w->status) {
		w->busy = false;
		batch_failed(w);
		return;
	}
	batch_done(w); /* still busy: what done() puts, waits */
	w->busy = false;
	start_batch(w);
	tell_drained(w);
}

static void start_batch(struct archive_writer *w)
{
	struct record *record;

	if (w->busy)
		return;
	while (w->batch.count < ARCHIVE_BATCH_MAX &&
	       (record = record_queue_pop(&w->waiting)))
		record_queue_push(&w->batch, record);
	if (w->batch.count) {
		w->busy = true;
		if (uv_queue_work(w->options.loop, &w->work, work, after_work))
			log_die("archive", "cannot queue work");
	} else if (w->stopping) {
		finish_stop(w);
	}
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
	w->retry.data = w;
	uv_timer_init(options->loop, &w->retry);
	return w;
}

void archive_writer_put(struct archive_writer *writer, struct record *record)
{
	assert(!writer->stopping);
	record_queue_push(&writer->waiting, record);
	if (archive_writer_full(writer))
		writer->was_full = true;
	if (!uv_is_active((uv_handle_t *)&writer->retry))
		start_batch(writer);
}

bool archive_writer_full(const struct archive_writer *writer)
{
	return writer->waiting.count >= ARCHIVE_WAITING_MAX ||
	       writer->waiting.bytes >= ARCHIVE_WAITING_BYTES;
}

bool archive_writer_ok(const struct archive_writer *writer, const char **why)
{
	*why = writer->why;
	return writer->why[0] == '\0';
}

size_t archive_writer_waiting(const struct archive_writer *writer)
{
	return writer->waiting.count + writer->batch.count;
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
	start_batch(writer);
}
