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
	TAILQ_ENTRY(job) entry; /* of its queue, until it runs */
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
	struct queue {
		TAILQ_HEAD(jobs, job) jobs;
		size_t count;
	} pages, moments; /* the latter, with documents, first: short */
	size_t running;
	size_t sending; /* bytes of answers that clients have not taken yet */
	bool closing;
};

struct sent { /* a page on its way */
	struct history *history;
	char *body;
	size_t len;
};

static void run_next(struct history *history);

/* ---- answers ---- */

static void on_sent(void *data)
{
	struct sent *sent = data;
	struct history *history = sent->history;

	history->sending -= sent->len;
	free(sent->body);
	free(sent);
	run_next(history);
}

/* Takes the answer's body. */
static void reply_page(struct history *history, struct http_request *req,
    const struct history_ask *ask, struct history_answer *answer)
{
	struct sent *sent = malloc(sizeof(*sent));
	char link[HISTORY_LINK_MAX];

	if (!sent)
		log_die("history", "out of memory");
	*sent = (struct sent){history, answer->body, answer->len};
	history->sending += answer->len;
	answer->body = NULL;
	history_link_format(ask, &answer->last, link);
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = ask->ndjson ? "application/x-ndjson"
							: "application/json",
			    .body = sent->body,
			    .len = sent->len,
			    .link = answer->more ? link : NULL,
			    .body_done = on_sent,
			    .body_data = sent,
			});
}

static void reply_document(
    struct http_request *req, const struct history_answer *answer)
{
	http_reply(
	    req, &(struct http_reply){
		     .status = 200,
		     .content_type = "application/cbor",
		     .body = answer->body,
		     .len = answer->len,
		     .cache_control = "public, max-age=31536000, immutable",
		     .etag = answer->etag,
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

static void reply_found(struct history *history, struct http_request *req,
    const struct history_ask *ask, struct history_answer *answer)
{
	switch (ask->kind) {
	case HISTORY_PAGE:
		reply_page(history, req, ask, answer);
		break;
	case HISTORY_MOMENT:
		reply_item(req, answer);
		break;
	case HISTORY_DOCUMENT:
		reply_document(req, answer);
	}
}

static void reply(struct history *history, struct http_request *req,
    const struct history_ask *ask, struct history_answer *answer)
{
	if (answer->damaged)
		log_warn("history", "items_damaged", LOG_S("feed", ask->feed),
		    LOG_D("items", answer->damaged));
	switch (answer->result) {
	case HISTORY_FOUND:
		reply_found(history, req, ask, answer);
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
	case HISTORY_NO_DOCUMENT:
		http_problem(req, 404, "ATTESTATION_UNKNOWN",
		    "neither is it one of the newest documents, nor in the "
		    "archive",
		    NULL);
		break;
	case HISTORY_FAILED:
		log_warn("history", "archive_unreadable",
		    LOG_S("why", answer->error));
		http_problem(req, 503, "ARCHIVE_UNAVAILABLE",
		    "the archive cannot be read at present", NULL);
	}
}

/* ---- on the pool, and back ---- */

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
		reply(history, job->req, &job->ask, &job->answer);
	}
	history_answer_fini(&job->answer);
	free(job);
	if (!history->closing)
		run_next(history);
	else if (history->running == 0)
		release(history);
}

static struct queue *queue_of(struct job *job)
{
	return job->ask.kind == HISTORY_PAGE ? &job->history->pages
					     : &job->history->moments;
}

static void unqueue(struct job *job)
{
	TAILQ_REMOVE(&queue_of(job)->jobs, job, entry);
	queue_of(job)->count--;
}

static struct job *choose(struct history *history)
{
	struct job *job = TAILQ_FIRST(&history->moments.jobs);

	if (!job && history->sending < HISTORY_SENDING_MAX)
		job = TAILQ_FIRST(&history->pages.jobs);
	return job;
}

static void run_next(struct history *history)
{
	struct job *job;

	while (
	    history->running < HISTORY_RUNNING_MAX && (job = choose(history))) {
		unqueue(job);
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
	unqueue(job);
	free(job);
}

static void add(struct history *history, struct http_request *req,
    const struct history_ask *ask)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		log_die("history", "out of memory");
	job->history = history;
	job->req = req;
	job->ask = *ask;
	if (queue_of(job)->count == HISTORY_WAITING_MAX) {
		http_problem(req, 503, "BUSY",
		    "as many questions about the past wait as may", NULL);
		free(job);
		return;
	}
	job->ask.known = board_has_name(history->board, ask->feed);
	http_on_abandoned(req, on_abandoned, job);
	TAILQ_INSERT_TAIL(&queue_of(job)->jobs, job, entry);
	queue_of(job)->count++;
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

bool history_serve_document(struct history *history, struct http_request *req)
{
	struct history_ask ask;

	if (!history_ask_document(&ask, req))
		return false;
	add(history, req, &ask);
	return true;
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
	TAILQ_INIT(&history->pages.jobs);
	TAILQ_INIT(&history->moments.jobs);
	return history;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	assert(history->pages.count + history->moments.count == 0);
	assert(history->sending == 0);
	history->closing = true;
	if (history->running == 0)
		release(history);
}
