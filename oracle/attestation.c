/*
 * attestation: one attester, one call at a time, and who waits for it.
 *
 *            timer or start            nonce request
 *                 |                         |
 *             renew_due                waiting list
 *                  \_______  advance() ____/
 *                              |    one call on the pool: the attester
 *                         on_worked()
 *                              |    on the loop: libhallmark's judgement
 *               adopt() or retry, or the requester's callback
 *
 * A renewal goes before those who wait for a nonce: everybody needs it. What
 * waits: the call (the NSM's driver gives up after 120 s), and the timer.
 */
#include "oracle/attestation.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/attestation_document.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nonce_request {
	struct nonce_request *next;
	uint8_t nonce[ATTESTER_NONCE_MAX];
	size_t len;
	attestation_nonce_cb cb;
	void *data;
};

struct call { /* the one under way; the pool's thread writes the answer */
	uv_work_t work;
	struct nonce_request *asker; /* owned; NULL: a renewal */
	int failed;
	uint8_t document[ATTESTER_DOCUMENT_MAX];
	size_t len;
	char error[ATTESTER_ERROR_MAX];
};

struct attestation {
	struct attestation_options with; /* its bytes are our copies */
	uv_timer_t timer;                /* until the next renewal */
	struct call call;
	bool working;   /* call is under way */
	bool renew_due; /* by on_timer, until the call starts */
	bool stopping;
	bool timer_closed;
	struct nonce_request *first, **last;
	unsigned unanswered; /* waiting, or under way */
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

static struct attester_request request_of(
    const struct attestation *a, const struct nonce_request *asker)
{
	return (struct attester_request){
	    .public_key = a->with.public_key,
	    .public_key_len = a->with.public_key_len,
	    .user_data = a->with.user_data,
	    .user_data_len = a->with.user_data_len,
	    .nonce = asker != NULL ? asker->nonce : NULL,
	    .nonce_len = asker != NULL ? asker->len : 0,
	};
}

/* The call's answer as a document, or why not. */
static int take_answer(const struct attestation *a, const struct call *call,
    struct attestation_document *out, char error[ATTESTER_ERROR_MAX])
{
	const struct attester_request request = request_of(a, call->asker);

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

static void ask(const struct attestation *a, struct call *call)
{
	struct attester *attester = a->with.attester;
	struct attester_request request = request_of(a, call->asker);

	call->failed = attester->ops->attest(attester, &request, call->document,
			   &call->len, call->error) != 0;
}

/* On the pool: reads what start() has set, writes a->call only. */
static void ask_work(uv_work_t *work)
{
	struct attestation *a = work->data;

	ask(a, &a->call);
}

static void on_worked(uv_work_t *work, int status);

static void advance(struct attestation *a)
{
	int rc;

	if (a->working || a->stopping || (!a->renew_due && a->first == NULL))
		return;
	a->call.asker = NULL;
	if (a->renew_due) {
		a->renew_due = false;
	} else {
		a->call.asker = a->first;
		a->first = a->first->next;
		if (a->first == NULL)
			a->last = &a->first;
	}
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

	if (take_answer(a, &a->call, &doc, error) == 0) {
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

/* Frees the request and tells who asked; doc NULL: why not. */
static void answer(struct attestation *a, struct nonce_request *request,
    const struct attestation_document *doc, const char *error)
{
	attestation_nonce_cb cb = request->cb;
	void *data = request->data;

	a->unanswered--;
	free(request);
	cb(doc, error, data);
}

static void finish_nonce(struct attestation *a)
{
	struct nonce_request *asker = a->call.asker;
	struct attestation_document doc;
	char error[ATTESTER_ERROR_MAX];

	if (take_answer(a, &a->call, &doc, error) == 0) {
		answer(a, asker, &doc, NULL);
	} else {
		log_warn("attestation", "nonce_failed", LOG_S("why", error));
		answer(a, asker, NULL, error);
	}
	attestation_document_fini(&doc);
}

static void refuse_waiting(struct attestation *a)
{
	while (a->first != NULL) {
		struct nonce_request *request = a->first;

		a->first = request->next;
		answer(a, request, NULL, "the oracle is stopping");
	}
	a->last = &a->first;
}

int attestation_request_nonce(struct attestation *a, const uint8_t *nonce,
    size_t nonce_len, attestation_nonce_cb cb, void *data)
{
	struct nonce_request *request;

	if (a->stopping)
		return UV_ECANCELED;
	if (nonce_len == 0 || nonce_len > ATTESTER_NONCE_MAX)
		return UV_EINVAL;
	if (a->unanswered >= ATTESTATION_NONCES_MAX)
		return UV_EAGAIN;
	request = need(calloc(1, sizeof(*request)));
	memcpy(request->nonce, nonce, nonce_len);
	request->len = nonce_len;
	request->cb = cb;
	request->data = data;
	*a->last = request;
	a->last = &request->next;
	a->unanswered++;
	advance(a);
	return 0;
}

/* ---- start and stop ---- */

static void destroy(struct attestation *a)
{
	for (unsigned i = 0; i < ATTESTATION_KEPT; i++)
		attestation_document_fini(&a->kept[i]);
	free((uint8_t *)a->with.public_key);
	free((uint8_t *)a->with.user_data);
	free(a);
}

static void finish_stop(struct attestation *a)
{
	void (*stopped)(void *data) = a->stopped;
	void *data = a->stopped_data;

	if (!a->timer_closed || a->working)
		return;
	assert(a->unanswered == 0);
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
		if (a->call.asker != NULL)
			finish_nonce(a);
		else
			finish_renewal(a);
		advance(a);
		return;
	}
	if (a->call.asker != NULL)
		answer(a, a->call.asker, NULL, "the oracle is stopping");
	finish_stop(a);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct attestation *a = handle->data;

	a->timer_closed = true;
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
	a->with.user_data = copy_bytes(
	    options->user_data, options->user_data_len);
	if (a->with.renew_ms == 0)
		a->with.renew_ms = ATTESTATION_RENEW_MS;
	if (a->with.retry_ms == 0)
		a->with.retry_ms = ATTESTATION_RETRY_MS;
	if (a->with.now_ms == NULL)
		a->with.now_ms = now_unix_ms;
	a->last = &a->first;
	return a;
}

struct attestation *attestation_start(
    const struct attestation_options *options, char error[ATTESTER_ERROR_MAX])
{
	struct attestation *a = new_attestation(options);
	struct attestation_document doc;

	error[0] = '\0';
	ask(a, &a->call);
	if (take_answer(a, &a->call, &doc, error) != 0) {
		destroy(a);
		return NULL;
	}
	uv_timer_init(a->with.loop, &a->timer);
	a->timer.data = a;
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
