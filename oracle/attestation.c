/*
 * attestation: one attester, one call at a time, and who waits for it.
 *
 *            timer or start            nonce request
 *                 |                         |
 *             renew_due              waiting batches
 *                  \_______  advance() ____/     paced (nonce_queue)
 *                              |    one call on the pool: the attester
 *                         on_worked()
 *                              |    on the loop: libhallmark's judgement
 *               adopt() or retry, or the batch's callbacks
 *
 * A renewal goes before those who wait for a nonce: everybody needs it. Who
 * comes while a call is under way waits in a batch for the next one. What
 * waits: the call (the NSM's driver gives up after 120 s), and the timers.
 */
#include "oracle/attestation.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/attestation_document.h"
#include "oracle/nonce_queue.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call { /* the one under way; the pool's thread writes the answer */
	uv_work_t work;
	struct nonce_batch *batch; /* owned; NULL: a renewal */
	uint8_t user_data[USER_DATA_MAX];
	size_t user_data_len;
	int failed;
	uint8_t document[ATTESTER_DOCUMENT_MAX];
	size_t len;
	char error[ATTESTER_ERROR_MAX];
};

struct attestation {
	struct attestation_options with; /* its public_key is our copy */
	uv_timer_t timer;                /* until the next renewal */
	uv_timer_t pace;                 /* until a batch may be asked for */
	struct call call;
	bool working;   /* call is under way */
	bool renew_due; /* by on_timer, until the call starts */
	bool stopping;
	unsigned open_timers;
	struct nonce_queue queue;
	struct attestation_stats stats; /* and how many are unanswered */
	struct attestation_document kept[ATTESTATION_KEPT]; /* a ring */
	unsigned newest;                                    /* index in kept */
	void (*stopped)(void *data);
	void *stopped_data;
};

static void *need(void *memory)
{
	if (memory == NULL)
		log_die("attestation", "out of memory");
	return memory;
}

static uint8_t *copy_bytes(const uint8_t *bytes, size_t len)
{
	uint8_t *copy;

	if (bytes == NULL)
		return NULL;
	copy = need(malloc(len != 0 ? len : 1));
	memcpy(copy, bytes, len);
	return copy;
}

/* ---- documents ---- */

static struct attester_request request_of(const struct attestation *a)
{
	const struct call *call = &a->call;

	return (struct attester_request){
	    .public_key = a->with.public_key,
	    .public_key_len = a->with.public_key_len,
	    .user_data = call->user_data,
	    .user_data_len = call->user_data_len,
	    .nonce = call->batch != NULL ? call->batch->nonce : NULL,
	    .nonce_len = call->batch != NULL ? call->batch->nonce_len : 0,
	};
}

/* The call's answer as a document, or why not. */
static int take_answer(const struct attestation *a,
    struct attestation_document *out, char error[ATTESTER_ERROR_MAX])
{
	const struct attester_request request = request_of(a);
	const struct call *call = &a->call;

	if (!call->failed)
		return attestation_document_take(out, a->with.policy, &request,
		    call->document, call->len, a->with.now_ms(), error);
	memset(out, 0, sizeof(*out));
	snprintf(error, ATTESTER_ERROR_MAX, "%s", call->error);
	return -1;
}

/* Takes *doc over. */
static void adopt(struct attestation *a, struct attestation_document *doc)
{
	a->newest = (a->newest + 1) % ATTESTATION_KEPT;
	attestation_document_fini(&a->kept[a->newest]);
	a->kept[a->newest] = *doc;
	if (a->with.changed != NULL)
		a->with.changed(&a->kept[a->newest], a->with.data);
}

/* ---- one call ---- */

/* For a batch (taken over, sealed), or a renewal. */
static void prepare(struct attestation *a, struct nonce_batch *batch)
{
	struct user_data bound = *a->with.user_data;

	if (batch != NULL && batch->for_result)
		bound.content_sha256 = batch->content_sha256;
	a->call.batch = batch;
	a->call.user_data_len = user_data_encode(&bound, a->call.user_data);
	a->stats.calls++;
}

/* On the pool: reads what prepare() has set, writes a->call only. */
static void ask(struct attestation *a)
{
	struct attester *attester = a->with.attester;
	struct attester_request request = request_of(a);
	struct call *call = &a->call;

	call->failed = attester->ops->attest(attester, &request, call->document,
			   &call->len, call->error) != 0;
}

static void ask_work(uv_work_t *work)
{
	ask(work->data);
}

static void advance(struct attestation *a);

static void on_pace(uv_timer_t *timer)
{
	advance(timer->data);
}

/* The next batch, sealed; or NULL, and the timer tells when there is one. */
static struct nonce_batch *take_batch(struct attestation *a)
{
	uint64_t due_ms, now_ms = uv_now(a->with.loop);
	struct nonce_batch *batch = nonce_queue_take(
	    &a->queue, now_ms, &due_ms);

	if (batch != NULL)
		nonce_batch_seal(batch);
	else if (due_ms != UINT64_MAX)
		uv_timer_start(&a->pace, on_pace, due_ms - now_ms, 0);
	return batch;
}

static void on_worked(uv_work_t *work, int status);

static void advance(struct attestation *a)
{
	struct nonce_batch *batch = NULL;
	int rc;

	if (a->working || a->stopping)
		return;
	if (!a->renew_due) {
		batch = take_batch(a);
		if (batch == NULL)
			return;
	}
	a->renew_due = false;
	prepare(a, batch);
	a->working = true;
	a->call.work.data = a;
	rc = uv_queue_work(a->with.loop, &a->call.work, ask_work, on_worked);
	assert(rc == 0); /* fails only without a work function */
}

/* ---- renewals ---- */

static void on_timer(uv_timer_t *timer)
{
	struct attestation *a = timer->data;

	a->renew_due = true;
	advance(a);
}

static void schedule(struct attestation *a, uint64_t in_ms)
{
	if (!a->stopping)
		uv_timer_start(&a->timer, on_timer, in_ms, 0);
}

/* At least every renew_ms, and a margin before the chain ends; a chain that
 * ends sooner than that is asked about again soon, but not in a frenzy. */
static uint64_t next_renewal_ms(const struct attestation *a)
{
	int64_t left_ms = a->kept[a->newest].not_after_ms -
			  ATTESTATION_MARGIN_MS - a->with.now_ms();

	if (left_ms < (int64_t)a->with.retry_ms)
		return a->with.retry_ms;
	return (uint64_t)left_ms < a->with.renew_ms ? (uint64_t)left_ms
						    : a->with.renew_ms;
}

static void finish_renewal(struct attestation *a)
{
	struct attestation_document doc;
	char error[ATTESTER_ERROR_MAX];

	if (take_answer(a, &doc, error) == 0) {
		adopt(a, &doc);
		schedule(a, next_renewal_ms(a));
		return;
	}
	log_warn("attestation", "renewal_failed", LOG_S("why", error),
	    LOG_D("current_until_ms", a->kept[a->newest].not_after_ms),
	    LOG_D("retry_ms", a->with.retry_ms));
	schedule(a, a->with.retry_ms);
}

/* ---- nonces ---- */

/* Frees the batch and tells who asked; doc NULL: why not. */
static void answer(struct attestation *a, struct nonce_batch *batch,
    const struct attestation_document *doc, const char *error)
{
	a->stats.waiting -= (unsigned)batch->count;
	if (doc != NULL)
		a->stats.nonces += batch->count;
	nonce_batch_answer(batch, doc, error);
}

static void finish_nonces(struct attestation *a)
{
	struct nonce_batch *batch = a->call.batch;
	struct attestation_document doc;
	char error[ATTESTER_ERROR_MAX];

	if (take_answer(a, &doc, error) == 0) {
		answer(a, batch, &doc, NULL);
	} else {
		log_warn("attestation", "nonce_failed", LOG_S("why", error));
		answer(a, batch, NULL, error);
	}
	attestation_document_fini(&doc);
}

static void refuse_waiting(struct attestation *a)
{
	struct nonce_batch *batch;

	while ((batch = nonce_queue_drain(&a->queue)) != NULL)
		answer(a, batch, NULL, "the oracle is stopping");
}

int attestation_request_nonce(struct attestation *a, const uint8_t *nonce,
    size_t nonce_len, const uint8_t *content_sha256, attestation_nonce_cb cb,
    void *data)
{
	struct nonce_batch *batch;

	if (a->stopping)
		return UV_ECANCELED;
	if (nonce_len == 0 || nonce_len > ATTESTER_NONCE_MAX)
		return UV_EINVAL;
	if (a->stats.waiting >= ATTESTATION_NONCES_MAX)
		return UV_EAGAIN;
	batch = nonce_queue_batch(&a->queue, content_sha256);
	if (batch == NULL)
		return UV_EAGAIN;
	nonce_batch_add(batch, nonce, nonce_len, cb, data);
	a->stats.waiting++;
	advance(a);
	return 0;
}

void attestation_stats(
    const struct attestation *a, struct attestation_stats *out)
{
	*out = a->stats;
}

/* ---- start and stop ---- */

static void destroy(struct attestation *a)
{
	for (unsigned i = 0; i < ATTESTATION_KEPT; i++)
		attestation_document_fini(&a->kept[i]);
	free((uint8_t *)a->with.public_key);
	free(a);
}

static void finish_stop(struct attestation *a)
{
	void (*stopped)(void *data) = a->stopped;
	void *data = a->stopped_data;

	if (a->open_timers > 0 || a->working)
		return;
	assert(a->stats.waiting == 0);
	destroy(a);
	if (stopped != NULL)
		stopped(data);
}

static void on_worked(uv_work_t *work, int status)
{
	struct attestation *a = work->data;

	assert(status == 0); /* nobody cancels it */
	(void)status;
	a->working = false;
	if (!a->stopping) {
		if (a->call.batch != NULL)
			finish_nonces(a);
		else
			finish_renewal(a);
		advance(a);
		return;
	}
	if (a->call.batch != NULL)
		answer(a, a->call.batch, NULL, "the oracle is stopping");
	finish_stop(a);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct attestation *a = handle->data;

	if (--a->open_timers > 0)
		return;
	refuse_waiting(a);
	finish_stop(a);
}

static struct attestation *new_attestation(
    const struct attestation_options *options)
{
	struct attestation *a = need(calloc(1, sizeof(*a)));

	a->with = *options;
	a->with.public_key = copy_bytes(
	    options->public_key, options->public_key_len);
	if (a->with.renew_ms == 0)
		a->with.renew_ms = ATTESTATION_RENEW_MS;
	if (a->with.retry_ms == 0)
		a->with.retry_ms = ATTESTATION_RETRY_MS;
	if (a->with.now_ms == NULL)
		a->with.now_ms = now_unix_ms;
	nonce_queue_init(&a->queue);
	return a;
}

struct attestation *attestation_start(
    const struct attestation_options *options, char error[ATTESTER_ERROR_MAX])
{
	struct attestation *a = new_attestation(options);
	struct attestation_document doc;

	error[0] = '\0';
	prepare(a, NULL);
	ask(a);
	if (take_answer(a, &doc, error) != 0) {
		destroy(a);
		return NULL;
	}
	uv_timer_init(a->with.loop, &a->timer);
	uv_timer_init(a->with.loop, &a->pace);
	a->timer.data = a->pace.data = a;
	a->open_timers = 2;
	adopt(a, &doc);
	schedule(a, next_renewal_ms(a));
	return a;
}

void attestation_stop(
    struct attestation *a, void (*done)(void *data), void *data)
{
	if (a->stopping)
		return;
	a->stopping = true;
	a->stopped = done;
	a->stopped_data = data;
	uv_close((uv_handle_t *)&a->timer, on_timer_closed);
	uv_close((uv_handle_t *)&a->pace, on_timer_closed);
}

const struct attestation_document *attestation_current(
    const struct attestation *a, int64_t now_ms)
{
	const struct attestation_document *doc = &a->kept[a->newest];

	return now_ms < doc->not_after_ms ? doc : NULL;
}

const struct attestation_document *attestation_find(
    const struct attestation *a, const uint8_t sha256[HM_SHA256_LEN])
{
	for (unsigned i = 0; i < ATTESTATION_KEPT; i++)
		if (a->kept[i].bytes != NULL &&
		    memcmp(a->kept[i].sha256, sha256, HM_SHA256_LEN) == 0)
			return &a->kept[i];
	return NULL;
}
