/* archive_wait: see archive_wait.h. */
#include "verifier/daemon/archive_wait.h"

#include "base/log.h"
#include "base/now.h"
#include "verifier/daemon/archive_aside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct archive_wait {
	struct archive_wait_options with;
	enum archive_state state;
	char why[ARCHIVE_ERROR_MAX];
	int64_t since_ms;
	uv_timer_t timer;
	uv_work_t work;
	bool working, closed, ended;
	void (*stopped)(void *data);
	void *stopped_data;
	/* the attempt's own, while it is working */
	struct archive *archive;
	enum archive_state found;
	char aside[PATH_MAX], found_why[ARCHIVE_ERROR_MAX];
};

bool archive_wait_may_pass(enum archive_state state)
{
	return state == ARCHIVE_FULL || state == ARCHIVE_READ_ONLY ||
	       state == ARCHIVE_LOCKED;
}

/* ---- the end ---- */

static void free_if_idle(struct archive_wait *w)
{
	void (*stopped)(void *data) = w->stopped;
	void *data = w->stopped_data;

	if (w->working || !w->closed)
		return;
	archive_close(w->archive);
	free(w);
	if (stopped)
		stopped(data);
}

static void on_closed(uv_handle_t *handle)
{
	struct archive_wait *w = handle->data;

	w->closed = true;
	free_if_idle(w);
}

static void end(struct archive_wait *w)
{
	if (w->ended)
		return;
	w->ended = true;
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

/* ---- an attempt ---- */

static void say(struct archive_wait *w)
{
	log_error("archive", "not_usable",
	    LOG_S("state", archive_state_name(w->state)),
	    LOG_S("path", w->with.path), LOG_S("why", w->why),
	    LOG_S("meaning", "nothing is taken in until it can be opened"));
}

static void attempt(uv_work_t *work)
{
	struct archive_wait *w = work->data;

	w->found = archive_aside_open(
	    &w->archive, w->with.path, w->aside, w->found_why);
}

static void on_attempted(uv_work_t *work, int status)
{
	struct archive_wait *w = work->data;
	struct archive *archive = w->archive;

	assert(status == 0); /* nobody cancels it */
	w->working = false;
	if (w->ended) {
		free_if_idle(w);
		return;
	}
	if (w->found == ARCHIVE_OK) {
		w->archive = NULL;
		w->with.opened(archive, w->aside, w->with.data);
		end(w);
	} else if (w->found != w->state) {
		w->state = w->found;
		w->since_ms = now_unix_ms();
		snprintf(w->why, sizeof(w->why), "%s", w->found_why);
		say(w);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct archive_wait *w = timer->data;
	int status;

	if (w->working)
		return;
	w->working = true;
	w->aside[0] = '\0';
	status = uv_queue_work(w->with.loop, &w->work, attempt, on_attempted);
	assert(status == 0);
	(void)status;
}

/* ---- from outside ---- */

struct archive_wait *archive_wait_start(
    const struct archive_wait_options *options)
{
	struct archive_wait *w = calloc(1, sizeof(*w));

	if (!w)
		log_die("archive", "out of memory");
	w->with = *options;
	w->state = options->state;
	snprintf(w->why, sizeof(w->why), "%s", options->why);
	w->since_ms = now_unix_ms();
	w->work.data = w;
	uv_timer_init(options->loop, &w->timer);
	w->timer.data = w;
	uv_timer_start(&w->timer, on_timer, ARCHIVE_WAIT_MS, ARCHIVE_WAIT_MS);
	say(w);
	return w;
}

void archive_wait_view(
    const struct archive_wait *wait, struct archive_writer_view *out)
{
	*out = (struct archive_writer_view){
	    .state = wait->state, .why = wait->why, .since_ms = wait->since_ms};
}

void archive_wait_stop(
    struct archive_wait *wait, void (*stopped)(void *data), void *data)
{
	wait->stopped = stopped;
	wait->stopped_data = data;
	end(wait);
}
