/*
 * key_rotation: see key_rotation.h.
 *
 *   WAITING --> MAKING --> ATTESTING --> OVERLAP --> SWITCHING --> WAITING
 *
 * WAITING and OVERLAP wait for the clock, MAKING for kms_key, ATTESTING for the
 * attester, SWITCHING for the signatures under way. A step that fails is tried
 * again after a while, from MAKING.
 */
#include "oracle/key_rotation.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/kms_key.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct key_rotation {
	struct key_rotation_options with;
	uv_timer_t timer;
	bool stopping, closed; /* closed: the timer, after stopping */
	bool attesting;        /* attestation calls back */
	bool switching;        /* the signer does */
	uint64_t failures;
	struct kms_key *making;
	struct kept_key next;            /* its signer is owned; or none */
	uint8_t document[HM_SHA256_LEN]; /* of the next key, in OVERLAP */
	kms_attested_cb recipient_cb;    /* who asked for a document */
	void *recipient_data;
};

static void on_timer(uv_timer_t *timer);

static void free_if_idle(struct key_rotation *r)
{
	if (!r->closed || r->attesting || r->switching)
		return;
	signer_free(r->next.signer);
	free(r);
}

/* ---- the clock ---- */

static void wait_until(struct key_rotation *r, int64_t unix_ms)
{
	int64_t left_ms = unix_ms - now_unix_ms();

	if (left_ms < 0)
		left_ms = 0;
	if (left_ms > KEY_ROTATION_LOOK_MS)
		left_ms = KEY_ROTATION_LOOK_MS;
	uv_update_time(r->with.loop);
	uv_timer_start(&r->timer, on_timer, (uint64_t)left_ms, 0);
}

static int64_t overlap_ms(const struct key_rotation *r)
{
	return r->with.identity->config->key.overlap_s * 1000;
}

/* When the timer has something to do. */
static int64_t due_ms(const struct key_rotation *r)
{
	int64_t retire_ms = r->with.identity->kept.retire_ms;

	return r->next.signer != NULL ? retire_ms : retire_ms - overlap_ms(r);
}

static void try_later(struct key_rotation *r, const char *step, const char *why,
    const char *remedy)
{
	int64_t wait_ms = overlap_ms(r) / 8;

	if (wait_ms > KEY_ROTATION_RETRY_MAX_MS)
		wait_ms = KEY_ROTATION_RETRY_MAX_MS;
	r->failures++;
	signer_free(r->next.signer);
	r->next = (struct kept_key){0};
	log_warn("key", "rotation_failed", LOG_S("step", step),
	    LOG_S("why", why), LOG_S("remedy", remedy),
	    LOG_D("retire_ms", r->with.identity->kept.retire_ms),
	    LOG_D("again_ms", wait_ms));
	wait_until(r, now_unix_ms() + wait_ms);
}

/* ---- SWITCHING ---- */

static void on_replaced(void *data)
{
	struct key_rotation *r = data;
	struct identity *identity = r->with.identity;
	const struct attestation_document *document;
	const uint8_t *der;
	size_t len;

	identity->kept = r->next;
	identity->kept.signer = identity->signer;
	identity->bound.key_epoch = r->next.epoch;
	r->next = (struct kept_key){0};
	r->switching = false;
	if (r->stopping) {
		free_if_idle(r);
		return;
	}
	der = signer_public_der(identity->signer, &len);
	attestation_rekey(identity->attestation, der, len, r->document);
	log_info("key", "switched", LOG_D("epoch", identity->kept.epoch),
	    LOG_D("retire_ms", identity->kept.retire_ms));
	document = attestation_find(identity->attestation, r->document);
	if (document != NULL) /* else the renewal tells, in a moment */
		r->with.switched(document, r->with.data);
	wait_until(r, due_ms(r));
}

static void switch_keys(struct key_rotation *r)
{
	struct signer *next = r->next.signer;

	/* Renewals may have pushed it out of what is kept. */
	if (attestation_find(r->with.identity->attestation, r->document) ==
	    NULL) {
		try_later(r, "switch", "the next key's document is gone", "");
		return;
	}
	r->next.signer = NULL; /* the signer's */
	r->switching = true;
	signer_replace(r->with.identity->signer, next, on_replaced, r);
}

/* ---- ATTESTING ---- */

static void on_document(const struct attestation_document *document,
    const struct nonce_path *path, const char *error, void *data)
{
	struct key_rotation *r = data;

	(void)path;
	r->attesting = false;
	if (r->stopping) {
		free_if_idle(r);
		return;
	}
	if (document == NULL) {
		try_later(r, "attestation", error, "");
		return;
	}
	memcpy(r->document, document->sha256, sizeof(r->document));
	log_info("key", "announced", LOG_D("epoch", r->next.epoch),
	    LOG_S("attestation_sha256", document->sha256_hex),
	    LOG_D("signs_from_ms", r->with.identity->kept.retire_ms));
	r->with.announced(document, signer_public_pem(r->next.signer),
	    r->next.epoch, r->with.data);
	wait_until(r, due_ms(r));
}

static void attest_next(struct key_rotation *r)
{
	struct user_data bound = r->with.identity->bound;
	struct attestation_subject subject = {
	    .user_data = &bound, .keep = true};

	bound.key_epoch = r->next.epoch;
	subject.public_key = signer_public_der(
	    r->next.signer, &subject.public_key_len);
	r->attesting = true;
	attestation_request_subject(
	    r->with.identity->attestation, &subject, on_document, r);
}

/* ---- MAKING ---- */

static void on_recipient_document(const struct attestation_document *document,
    const struct nonce_path *path, const char *error, void *data)
{
	struct key_rotation *r = data;

	(void)path;
	r->attesting = false;
	r->recipient_cb(document != NULL ? document->bytes : NULL,
	    document != NULL ? document->len : 0, error, r->recipient_data);
	if (r->stopping)
		free_if_idle(r);
}

static void ask_recipient_document(void *data, const uint8_t *public_key,
    size_t len, kms_attested_cb cb, void *cb_data)
{
	struct key_rotation *r = data;

	if (r->stopping) {
		cb(NULL, 0, "the oracle is stopping", cb_data);
		return;
	}
	r->attesting = true;
	r->recipient_cb = cb;
	r->recipient_data = cb_data;
	attestation_request_subject(r->with.identity->attestation,
	    &(struct attestation_subject){public_key, len, NULL, false},
	    on_recipient_document, r);
}

static void on_made(const struct kms_key_made *made, void *data)
{
	struct key_rotation *r = data;

	r->making = NULL;
	if (made->signer == NULL) {
		try_later(r, "kms", made->why, made->remedy);
		return;
	}
	r->next = (struct kept_key){
	    made->signer, made->epoch, made->made_ms, made->retire_ms};
	attest_next(r);
}

static void make(struct key_rotation *r)
{
	const struct identity *identity = r->with.identity;

	r->making = kms_key_start(&(struct kms_key_options){
	    .loop = r->with.loop,
	    .config = identity->config,
	    .tls = r->with.tls,
	    .attester = {.ask = ask_recipient_document, .data = r},
	    .make_epoch = identity->kept.epoch + 1,
	    .now_ms = now_unix_ms,
	    .cb = on_made,
	    .data = r,
	});
}

/* ---- WAITING, OVERLAP ---- */

static void on_timer(uv_timer_t *timer)
{
	struct key_rotation *r = timer->data;

	if (now_unix_ms() < due_ms(r))
		wait_until(r, due_ms(r));
	else if (r->next.signer != NULL)
		switch_keys(r);
	else
		make(r);
}

/* ---- public ---- */

struct key_rotation *key_rotation_start(
    const struct key_rotation_options *options)
{
	struct key_rotation *r;

	if (options->identity->kept.retire_ms == 0)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		log_die("key", "out of memory");
	r->with = *options;
	uv_timer_init(options->loop, &r->timer);
	r->timer.data = r;
	wait_until(r, due_ms(r));
	return r;
}

void key_rotation_stats(
    const struct key_rotation *rotation, struct key_rotation_stats *out)
{
	*out = (struct key_rotation_stats){
	    .retire_ms = rotation->with.identity->kept.retire_ms,
	    .failures = rotation->failures,
	};
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct key_rotation *r = handle->data;

	r->closed = true;
	free_if_idle(r);
}

void key_rotation_stop(struct key_rotation *r)
{
	if (r == NULL || r->stopping)
		return;
	r->stopping = true;
	if (r->making != NULL)
		kms_key_cancel(r->making);
	r->making = NULL;
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}
