/*
 * attestation: one attester, one call at a time, and who waits for it.
 *
 *            timer or start            nonce request
 *                 |                         |
 *             renew_due              waiting batches
 *                  \_______  attestation_advance() ____/     paced
 * (nonce_queue) |    one call on the pool: the attester on_worked() |    on the
 * loop: libhallmark's judgement adopt() or retry, or the batch's callbacks
 *
 * A renewal goes before those who wait for a nonce: everybody needs it. Who
 * comes while a call is under way waits in a batch for the next one. What
 * waits: the call (the NSM's driver gives up after 120 s), and the timers.
 */
#include "oracle/attestation.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/attestation_document.h"
#include "oracle/attestation_state.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_DOCUMENTS 2 /* none comes twice: it is for their certificates */

static void *need(void *memory)
{
	if (memory == NULL)
		log_die("attestation", "out of memory");
	return memory;
}

/* ---- documents ---- */

static struct attester_request request_of(const struct attestation *a)
{
	const struct call *call = &a->call;
	const struct subject *subject = &call->subject;

	return (struct attester_request){
	    .public_key = subject->public_key,
	    .public_key_len = subject->public_key_len,
	    .user_data = subject->has_user_data ? subject->user_data : NULL,
	    .user_data_len = subject->has_user_data ? subject->user_data_len
						    : 0,
	    .nonce = call->batch != NULL ? call->batch->nonce : NULL,
	    .nonce_len = call->batch != NULL ? call->batch->nonce_len : 0,
	};
}

/* The call's answer as a document, or why not. */
int attestation_take_answer(const struct attestation *a,
    struct attestation_document *out, char error[ATTESTER_ERROR_MAX])
{
	const struct attester_request request = request_of(a);
	const struct call *call = &a->call;

	if (!call->failed)
		return attestation_document_take(out, a->with.policy, a->cache,
		    &request, call->document, call->len, a->with.now_ms(),
		    error);
	memset(out, 0, sizeof(*out));
	snprintf(error, ATTESTER_ERROR_MAX, "%s", call->error);
	return -1;
}

/* Takes *doc over. */
static void adopt(struct attestation *a, struct attestation_document *doc)
{
	const struct attestation_document *kept = attestation_ring_keep(
	    &a->ring, doc);

	(void)attestation_ring_set_current(&a->ring, kept->sha256);
	if (a->with.changed != NULL)
		a->with.changed(kept, a->with.data);
}

/* ---- one call ---- */

static const struct attestation_document *newest(const struct attestation *a)
{
	return &a->ring.kept[a->ring.current];
}

/* For a batch (taken over, sealed), or a renewal. */
static void prepare(struct attestation *a, struct nonce_batch *batch)
{
	struct user_data bound = *a->with.user_data;

	if (batch != NULL && batch->for_result)
		bound.content_sha256 = batch->content_sha256;
	a->call.batch = batch;
	a->call.for_other = false;
	attestation_set_subject(
	    &a->call.subject, a->public_key, a->with.public_key_len, &bound);
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

static void on_pace(uv_timer_t *timer)
{
	attestation_advance(timer->data);
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

void attestation_advance(struct attestation *a)
{
	struct nonce_batch *batch = NULL;
	int rc;

	if (a->working || a->stopping)
		return;
	if (!a->renew_due && a->other.cb == NULL) {
		batch = take_batch(a);
		if (batch == NULL)
			return;
	}
	prepare(a, batch);
	if (!a->renew_due && batch == NULL) {
		a->call.for_other = true;
		a->call.subject = a->other.subject;
	}
	if (batch == NULL && !a->call.for_other)
		a->renew_due = false;
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
	attestation_advance(a);
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
	int64_t left_ms = newest(a)->not_after_ms - ATTESTATION_MARGIN_MS -
			  a->with.now_ms();

	if (left_ms < (int64_t)a->with.retry_ms)
		return a->with.retry_ms;
	return (uint64_t)left_ms < a->with.renew_ms ? (uint64_t)left_ms
						    : a->with.renew_ms;
}

static void finish_renewal(struct attestation *a)
{
	struct attestation_document doc;
	char error[ATTESTER_ERROR_MAX];

	if (a->call.subject.public_key_len != a->with.public_key_len ||
	    memcmp(a->call.subject.public_key, a->public_key,
		a->with.public_key_len) != 0)
		return; /* of the last key: attestation_rekey() has another due
			 */
	if (attestation_take_answer(a, &doc, error) == 0) {
		adopt(a, &doc);
		schedule(a, next_renewal_ms(a));
		return;
	}
	log_warn("attestation", "renewal_failed", LOG_S("why", error),
	    LOG_D("current_until_ms", newest(a)->not_after_ms),
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

	if (attestation_take_answer(a, &doc, error) == 0) {
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
	attestation_advance(a);
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
	attestation_ring_fini(&a->ring);
	hm_cache_free(a->cache);
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
		else if (a->call.for_other)
			attestation_finish_other(a);
		else
			finish_renewal(a);
		attestation_advance(a);
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
	attestation_answer_other(a, NULL, "the oracle is stopping");
	finish_stop(a);
}

static struct attestation *new_attestation(
    const struct attestation_options *options)
{
	struct attestation *a = need(calloc(1, sizeof(*a)));

	a->with = *options;
	assert(options->public_key_len <= sizeof(a->public_key));
	memcpy(a->public_key, options->public_key, options->public_key_len);
	if (a->with.renew_ms == 0)
		a->with.renew_ms = ATTESTATION_RENEW_MS;
	if (a->with.retry_ms == 0)
		a->with.retry_ms = ATTESTATION_RETRY_MS;
	if (a->with.now_ms == NULL)
		a->with.now_ms = now_unix_ms;
	nonce_queue_init(&a->queue);
	a->cache = need(hm_cache_new(CACHE_DOCUMENTS));
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
	if (attestation_take_answer(a, &doc, error) != 0) {
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
	const struct attestation_document *doc = newest(a);

	return now_ms < doc->not_after_ms ? doc : NULL;
}

const struct attestation_document *attestation_find(
    const struct attestation *a, const uint8_t sha256[HM_SHA256_LEN])
{
	return attestation_ring_find(&a->ring, sha256);
}
