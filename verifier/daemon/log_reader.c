/* log_reader: see log_reader.h. A job belongs to the worker while it is under
 * way; its request to the loop, always. */
#include "verifier/daemon/log_reader.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MS 1000 /* wait for a lock; a reader of a WAL hardly ever does */

struct job {
	struct job *next;
	struct log_reader *reader;
	struct http_request *req; /* NULL once the client has left */
	struct log_question question;
	struct log_answer answer; /* set by the worker */
};

struct log_reader {
	uv_loop_t *loop;
	char *path;
	uv_work_t work;   /* .data is the reader */
	struct job *busy; /* under way, or NULL */
	struct job *first, **last;
	struct log_reader_stats stats;
	bool freed; /* with a job under way */
};

struct log_reader *log_reader_new(uv_loop_t *loop, const char *path)
{
	struct log_reader *r = calloc(1, sizeof(*r));

	if (!r || !(r->path = strdup(path)))
		log_die("log_reader", "out of memory");
	r->loop = loop;
	r->work.data = r;
	r->last = &r->first;
	return r;
}

static void destroy(struct log_reader *r)
{
	free(r->path);
	free(r);
}

/* ---- on the thread pool ---- */

/* Opened for each: the file may be another one by now. */
static void work(uv_work_t *req)
{
	const struct log_reader *r = req->data;
	struct log_answer *out = &r->busy->answer;
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READONLY, NULL) == 0) {
		sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		sqlite3_busy_timeout(db, BUSY_MS);
		/* One state of the file for all that is looked up. */
		sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
		log_answer(out, db, &r->busy->question);
	} else {
		*out = (struct log_answer){
		    .status = 503,
		    .code = "ARCHIVE_UNREADABLE",
		    .detail = "the archive cannot be opened",
		};
	}
	sqlite3_close(db);
}

/* ---- on the loop ---- */

static void start_next(struct log_reader *r);

static void reply(struct log_reader *r, struct job *job)
{
	const struct log_answer *a = &job->answer;

	if (a->json)
		r->stats.answered++;
	else
		r->stats.problems++;
	if (!job->req)
		return;
	http_on_abandoned(job->req, NULL, NULL);
	if (a->json)
		http_reply_json(job->req, a->json);
	else
		http_problem(job->req, a->status, a->code, a->detail, NULL);
}

static void after_work(uv_work_t *req, int status)
{
	struct log_reader *r = req->data;
	struct job *job = r->busy;

	assert(status == 0); /* nobody cancels it */
	r->busy = NULL;
	reply(r, job);
	free(job->answer.json);
	free(job);
	if (r->freed)
		destroy(r);
	else
		start_next(r);
}

static struct job *take_first(struct log_reader *r)
{
	struct job *job = r->first;

	if (!job)
		return NULL;
	r->first = job->next;
	if (!r->first)
		r->last = &r->first;
	r->stats.waiting--;
	return job;
}

static void start_next(struct log_reader *r)
{
	struct job *job;

	if (r->busy)
		return;
	while ((job = take_first(r)) && !job->req)
		free(job); /* its client has left */
	if (!job)
		return;
	r->busy = job;
	if (uv_queue_work(r->loop, &r->work, work, after_work))
		log_die("log_reader", "cannot queue work");
}

static void on_abandoned(struct http_request *req, void *data)
{
	struct job *job = data;

	assert(job->req == req);
	job->req = NULL;
}

void log_reader_ask(struct log_reader *reader, struct http_request *req,
    const struct log_question *question)
{
	struct job *job;

	if (reader->stats.waiting == LOG_READER_WAITING_MAX) {
		reader->stats.busy++;
		http_problem(req, 503, "LOG_BUSY",
		    "too many questions about the log at once", NULL);
		return;
	}
	job = calloc(1, sizeof(*job));
	if (!job)
		log_die("log_reader", "out of memory");
	job->reader = reader;
	job->req = req;
	job->question = *question;
	http_on_abandoned(req, on_abandoned, job);
	*reader->last = job;
	reader->last = &job->next;
	reader->stats.waiting++;
	start_next(reader);
}

void log_reader_free(struct log_reader *reader)
{
	struct job *job;

	if (!reader)
		return;
	while ((job = take_first(reader))) {
		assert(!job->req);
		free(job);
	}
	if (reader->busy)
		reader->freed = true;
	else
		destroy(reader);
}

void log_reader_stats(
    const struct log_reader *reader, struct log_reader_stats *out)
{
	*out = reader->stats;
}
