/* history: see history.h. */
#include "verifier/daemon/history.h"

#include "base/log.h"
#include "base/now.h"
#include "verifier/daemon/history_read.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct job {
	TAILQ_ENTRY(job) entry; /* of history->waiting, until it runs */
	struct history *history;
	struct http_request *req; /* NULL: its client has left */
	bool running;
	struct history_ask ask;
	struct history_answer answer; /* filled by a thread of the pool */
	uv_work_t work;
};

struct history {
	uv_loop_t *loop;
	char *archive; /* owned: it is read until the last job is done */
	const struct board *board;
	TAILQ_HEAD(jobs, job) waiting;
	size_t waiting_count, running;
	bool closing;
};

/* ---- answers ---- */

static void reply_page(struct http_request *req, const struct history_ask *ask,
    const struct history_answer *answer)
{
	char link[HISTORY_LINK_MAX];

	history_link_format(ask, &answer->last, link);
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = ask->ndjson ? "application/x-ndjson"
							: "application/json",
			    .body = answer->body,
			    .len = answer->len,
			    .link = answer->more ? link : NULL,
			});
}

static void reply_item(
    struct http_request *req, const struct history_answer *answer)
{
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = "application/json",
			    .body = answer->body,
			    .len = answer->len,
			    .etag = answer->etag,
			});
}

static void reply(struct http_request *req, const struct history_ask *ask,
    const struct history_answer *answer)
{
	switch (answer->result) {
	case HISTORY_FOUND:
		if (ask->at)
			reply_item(req, answer);
		else
			reply_page(req, ask, answer);
		break;
	case HISTORY_NOTHING:
		http_problem(
		    req, 404, "HISTORY_NOT_FOUND", answer->why, answer->body);
		break;
	case HISTORY_FEED_UNKNOWN:
		http_problem(req, 404, "FEED_UNKNOWN",
		    "the archive has nothing of such a feed; GET /feeds lists "
		    "those of today",
		    NULL);
		break;
	case HISTORY_FAILED:
		log_warn("history", "archive_unreadable",
		    LOG_S("why", answer->error));
		http_problem(req, 503, "ARCHIVE_UNAVAILABLE",
		    "the archive cannot be read at present", NULL);
	}
	if (answer->damaged)
		log_warn("history", "items_damaged", LOG_S("feed", ask->feed),
		    LOG_D("items", answer->damaged));
}

/* ---- on the pool, and back ---- */

static void run_next(struct history *history);

static void release(struct history *history)
{
	free(history->archive);
	free(history);
}

static void on_work(uv_work_t *work)
{
	struct job *job = work->data;

	history_read(&job->answer, &job->ask, job->history->archive);
}

static void on_worked(uv_work_t *work, int status)
{
	struct job *job = work->data;
	struct history *history = job->history;

	assert(status == 0); /* nobody cancels */
	history->running--;
	if (job->req) {
		http_on_abandoned(job->req, NULL, NULL);
		reply(job->req, &job->ask, &job->answer);
	}
	history_answer_fini(&job->answer);
	free(job);
	if (!history->closing)
		run_next(history);
	else if (history->running == 0)
		release(history);
}

static void run_next(struct history *history)
{
	struct job *job;

	while (history->running < HISTORY_RUNNING_MAX &&
	       (job = TAILQ_FIRST(&history->waiting))) {
		TAILQ_REMOVE(&history->waiting, job, entry);
		history->waiting_count--;
		history->running++;
		job->running = true;
		job->work.data = job;
		if (uv_queue_work(
			history->loop, &job->work, on_work, on_worked) != 0)
			log_die("history", "no thread pool");
	}
}

/* ---- requests ---- */

static void on_abandoned(struct http_request *req, void *data)
{
	struct job *job = data;

	(void)req;
	job->req = NULL;
	if (job->running)
		return;
	TAILQ_REMOVE(&job->history->waiting, job, entry);
	job->history->waiting_count--;
	free(job);
}

static void add(struct history *history, struct http_request *req,
    const struct history_ask *ask)
{
	struct job *job;

	if (history->waiting_count == HISTORY_WAITING_MAX) {
		http_problem(req, 503, "BUSY",
		    "as many questions about the past wait as may", NULL);
		return;
	}
	job = calloc(1, sizeof(*job));
	if (!job)
		log_die("history", "out of memory");
	job->history = history;
	job->req = req;
	job->ask = *ask;
	job->ask.known = board_has_name(history->board, ask->feed);
	http_on_abandoned(req, on_abandoned, job);
	TAILQ_INSERT_TAIL(&history->waiting, job, entry);
	history->waiting_count++;
	run_next(history);
}

void history_serve_page(struct history *history, struct http_request *req)
{
	struct history_ask ask;

	if (history_ask_page(&ask, req))
		add(history, req, &ask);
}

void history_serve_at(struct history *history, struct http_request *req)
{
	struct history_ask ask;

	if (!history_ask_at(&ask, req))
		return;
	if (ask.at_ms > now_unix_ms())
		http_problem(req, 404, "HISTORY_NOT_FOUND",
		    "that time has not come yet", NULL);
	else
		add(history, req, &ask);
}

/* ---- life ---- */

struct history *history_new(
    uv_loop_t *loop, const char *archive, const struct board *board)
{
	struct history *history = calloc(1, sizeof(*history));

	if (!history)
		log_die("history", "out of memory");
	history->loop = loop;
	history->archive = strdup(archive);
	if (!history->archive)
		log_die("history", "out of memory");
	history->board = board;
	TAILQ_INIT(&history->waiting);
	return history;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	assert(TAILQ_EMPTY(&history->waiting));
	history->closing = true;
	if (history->running == 0)
		release(history);
}
