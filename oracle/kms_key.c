/*
 * kms_key: see kms_key.h.
 *
 *   LOADING --> OPENING --------------------------> over
 *      |           |                                 ^
 *      | none      | has retired                     |
 *      +--> MAKING +--> SEALING --> STORING --> CHECKING
 *
 *   from any of them: PAUSING, and then the first one again
 *
 * LOADING, STORING and CHECKING wait for the keeper, OPENING and SEALING for
 * KMS (kms_call), MAKING for the pool that makes the RSA key, PAUSING for the
 * timer. All have deadlines but the pool.
 */
#include "oracle/kms_key.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/backoff.h"
#include "oracle/key_keeper.h"
#include "oracle/parent_call.h"
#include "oracle/sealed_key.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 512

struct kms_key {
	struct kms_key_options with;
	struct sealed_key_binding binding;
	char name[KEY_KEEPER_NAME_MAX + 1]; /* what the keeper calls it */
	int64_t give_up_ms;                 /* monotonic */
	unsigned failures;
	bool over, closed; /* closed: the timer, after it is over */
	bool making;       /* the pool has it */
	uv_timer_t timer;
	struct parent_call *parent; /* while the keeper is asked */
	struct kms_call *call;      /* while KMS is */
	uv_work_t work;

	/* what is being made of it */
	uint64_t make_epoch;      /* 0: load */
	struct signer *signer;    /* made or opened; owned */
	struct sealed_key sealed; /* loaded, or what is sealed */
	char *blob;               /* being stored; owned */
	char why[WHY_MAX];
};

static void load(struct kms_key *op);
static void make(struct kms_key *op);

/* ---- the end ---- */

static void forget(struct kms_key *op)
{
	signer_free(op->signer);
	sealed_key_fini(&op->sealed);
	free(op->blob);
	op->signer = NULL;
	op->blob = NULL;
}

static void free_if_idle(struct kms_key *op)
{
	if (!op->closed || op->making)
		return;
	forget(op);
	free(op);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct kms_key *op = handle->data;

	op->closed = true;
	free_if_idle(op);
}

/* The one place that calls back. */
static void finish(struct kms_key *op, const struct kms_key_made *made)
{
	op->over = true;
	op->with.cb(made, op->with.data);
	uv_close((uv_handle_t *)&op->timer, on_timer_closed);
}

static void refuse(struct kms_key *op, const char *why, const char *remedy)
{
	finish(op, &(struct kms_key_made){.why = why, .remedy = remedy});
}

static void succeed(struct kms_key *op)
{
	struct kms_key_made made = {
	    .signer = op->signer,
	    .epoch = op->sealed.epoch,
	    .made_ms = op->sealed.made_ms,
	    .retire_ms = op->sealed.retire_ms,
	};

	op->signer = NULL; /* the callee's now */
	finish(op, &made);
}

/* ---- PAUSING ---- */

static void on_timer(uv_timer_t *timer)
{
	struct kms_key *op = timer->data;

	forget(op);
	if (op->make_epoch != 0)
		make(op);
	else
		load(op);
}

static void again(
    struct kms_key *op, const char *what, const char *why, const char *remedy)
{
	uint32_t random = 0;
	int64_t pause_ms;

	(void)RAND_bytes((uint8_t *)&random, sizeof(random));
	pause_ms = backoff_delay(
	    KMS_KEY_RETRY_MIN_MS, KMS_KEY_RETRY_MAX_MS, ++op->failures, random);
	if (now_monotonic_ms() + pause_ms > op->give_up_ms) {
		snprintf(op->why, sizeof(op->why), "%s: %.480s", what, why);
		refuse(op, op->why, remedy);
		return;
	}
	log_warn("key", "waiting", LOG_S("for", what), LOG_S("why", why),
	    LOG_S("remedy", remedy), LOG_D("again_ms", pause_ms));
	uv_update_time(op->with.loop);
	uv_timer_start(&op->timer, on_timer, (uint64_t)pause_ms, 0);
}

static void not_done(struct kms_key *op, const struct kms_call_result *result)
{
	if (result->outcome == KMS_AGAIN) {
		again(op, result->what, result->why, result->remedy);
		return;
	}
	snprintf(
	    op->why, sizeof(op->why), "%s: %.480s", result->what, result->why);
	refuse(op, op->why, result->remedy);
}

/* ---- asking ---- */

static void ask_keeper(struct kms_key *op, const char *blob, parent_call_cb cb)
{
	size_t len;
	uint8_t *question = key_keeper_question(
	    op->name, blob, blob != NULL ? strlen(blob) : 0, &len);

	op->parent = parent_call_start(&(struct parent_call_options){
	    .loop = op->with.loop,
	    .at = &op->with.config->key.blob,
	    .bytes = question,
	    .len = len,
	    .answer_max = KEY_KEEPER_ANSWER_MAX,
	    .timeout_ms = KMS_STEP_TIMEOUT_MS,
	    .cb = cb,
	    .data = op,
	});
	free(question);
}

/* What it says; KEY_KEEPER_FAILED: it is asked again later. */
static enum key_keeper_answer hear_keeper(struct kms_key *op, int status,
    const uint8_t *bytes, size_t len, const uint8_t **blob, size_t *blob_len)
{
	char error[KEY_KEEPER_ERROR_MAX];
	enum key_keeper_answer answer = KEY_KEEPER_FAILED;

	op->parent = NULL;
	if (status != 0)
		snprintf(error, sizeof(error), "%s", uv_strerror(status));
	else
		answer = key_keeper_read(bytes, len, blob, blob_len, error);
	if (answer == KEY_KEEPER_FAILED)
		again(op, "keeper", error,
		    "does the bridge run, and does it have a \"keeper\" where "
		    "key.kms.blob says?");
	return answer;
}

static void ask_kms(struct kms_key *op, kms_call_cb cb)
{
	op->call = kms_call_start(&(struct kms_call_options){
	    .loop = op->with.loop,
	    .config = op->with.config,
	    .tls = op->with.tls,
	    .attester = op->with.attester,
	    .wrapped = op->sealed.wrapped,
	    .wrapped_len = op->sealed.wrapped_len,
	    .now_ms = op->with.now_ms,
	    .cb = cb,
	    .data = op,
	});
}

/* ---- CHECKING ---- */

static void on_checked(int status, const uint8_t *bytes, size_t len, void *data)
{
	struct kms_key *op = data;
	const uint8_t *blob;
	size_t blob_len;
	enum key_keeper_answer answer = hear_keeper(
	    op, status, bytes, len, &blob, &blob_len);

	if (answer == KEY_KEEPER_FAILED)
		return;
	if (answer == KEY_KEEPER_KEPT && blob_len == strlen(op->blob) &&
	    memcmp(blob, op->blob, blob_len) == 0)
		succeed(op);
	else
		refuse(op, "the keeper does not give back what it was given",
		    "a key that is not kept is not used: look at the keeper's "
		    "directory and at who else writes there");
}

/* ---- STORING ---- */

static void on_stored(int status, const uint8_t *bytes, size_t len, void *data)
{
	struct kms_key *op = data;
	const uint8_t *blob;
	size_t blob_len;

	if (hear_keeper(op, status, bytes, len, &blob, &blob_len) !=
	    KEY_KEEPER_FAILED)
		ask_keeper(op, NULL, on_checked);
}

/* ---- SEALING ---- */

static void seal(struct kms_key *op, const struct kms_call_result *result)
{
	size_t der_len;
	uint8_t *der = signer_export(op->signer, &der_len);
	struct sealed_key with = op->sealed;

	with.wrapped = (uint8_t *)result->wrapped;
	with.wrapped_len = result->wrapped_len;
	op->blob = sealed_key_make(
	    &with, &op->binding, result->data_key, der, der_len);
	OPENSSL_secure_clear_free(der, der_len);
}

static void on_data_key(const struct kms_call_result *result, void *data)
{
	struct kms_key *op = data;

	op->call = NULL;
	if (result->outcome != KMS_DONE) {
		not_done(op, result);
		return;
	}
	seal(op, result);
	if (op->blob == NULL)
		refuse(op, "the sealed key is over a keeper's ceiling", "");
	else
		ask_keeper(op, op->blob, on_stored);
}

/* ---- MAKING ---- */

static void make_work(uv_work_t *work)
{
	struct kms_key *op = work->data;

	op->signer = signer_new();
}

static void on_made(uv_work_t *work, int status)
{
	struct kms_key *op = work->data;
	int64_t rotate_s = op->with.config->key.rotate_s;

	assert(status == 0); /* nobody cancels it */
	(void)status;
	op->making = false;
	if (op->over) {
		free_if_idle(op);
		return;
	}
	op->sealed.epoch = op->make_epoch;
	op->sealed.made_ms = op->with.now_ms();
	op->sealed.retire_ms = rotate_s > 0
				   ? op->sealed.made_ms + rotate_s * 1000
				   : 0;
	ask_kms(op, on_data_key);
}

static void make(struct kms_key *op)
{
	int rc;

	op->making = true;
	op->work.data = op;
	rc = uv_queue_work(op->with.loop, &op->work, make_work, on_made);
	assert(rc == 0); /* fails only without a work function */
	(void)rc;
}

/* ---- OPENING ---- */

static bool has_retired(const struct kms_key *op)
{
	return op->sealed.retire_ms > 0 &&
	       op->with.now_ms() >= op->sealed.retire_ms;
}

/* By what was in the seal. */
static struct signer *unseal(
    const struct kms_key *op, const struct kms_call_result *result)
{
	struct signer *signer;
	uint8_t *der;
	size_t len;

	if (sealed_key_open(
		&op->sealed, &op->binding, result->data_key, &der, &len) != 0)
		return NULL;
	signer = signer_from_der(der, len);
	OPENSSL_secure_clear_free(der, len);
	return signer;
}

static void on_opened(const struct kms_call_result *result, void *data)
{
	struct kms_key *op = data;

	op->call = NULL;
	if (result->outcome != KMS_DONE) {
		not_done(op, result);
		return;
	}
	op->signer = unseal(op, result);
	if (op->signer == NULL) {
		refuse(op, "the blob was altered: its seal does not open",
		    "give back the one that was sealed (the keeper keeps every "
		    "version), or an empty keeper for a new key");
		return;
	}
	if (!has_retired(op)) {
		succeed(op);
		return;
	}
	log_info("key", "retired", LOG_D("epoch", op->sealed.epoch),
	    LOG_D("retire_ms", op->sealed.retire_ms));
	op->make_epoch = op->sealed.epoch + 1;
	forget(op);
	make(op);
}

/* ---- LOADING ---- */

static void on_loaded(int status, const uint8_t *bytes, size_t len, void *data)
{
	struct kms_key *op = data;
	const uint8_t *blob;
	size_t blob_len;
	const char *why;
	enum key_keeper_answer answer = hear_keeper(
	    op, status, bytes, len, &blob, &blob_len);

	if (answer == KEY_KEEPER_FAILED)
		return;
	if (answer == KEY_KEEPER_NONE) {
		log_info("key", "none_kept", LOG_S("name", op->name));
		op->make_epoch = 1;
		make(op);
	} else if (sealed_key_parse(
		       &op->sealed, &op->binding, blob, blob_len, &why) != 0) {
		snprintf(op->why, sizeof(op->why), "keeper's blob: %s", why);
		refuse(op, op->why,
		    "a key is sealed for one configuration and does not move: "
		    "give the keeper its own blob back, or none for a new key");
	} else {
		ask_kms(op, on_opened);
	}
}

static void load(struct kms_key *op)
{
	ask_keeper(op, NULL, on_loaded);
}

/* ---- public ---- */

struct kms_key *kms_key_start(const struct kms_key_options *options)
{
	const struct config *config = options->config;
	struct kms_key *op = calloc(1, sizeof(*op));
	char hex[2 * sizeof(config->sha256) + 1];

	if (op == NULL)
		log_die("key", "out of memory");
	op->with = *options;
	op->binding = (struct sealed_key_binding){
	    config->key.key_id, config->key.region, config->sha256};
	hex_encode(config->sha256, sizeof(config->sha256), hex);
	snprintf(op->name, sizeof(op->name), "key-%.48s", hex);
	op->give_up_ms = now_monotonic_ms() + (int64_t)options->wait_ms;
	op->make_epoch = options->make_epoch;
	uv_timer_init(options->loop, &op->timer);
	op->timer.data = op;
	if (op->make_epoch != 0)
		make(op);
	else
		load(op);
	return op;
}

void kms_key_cancel(struct kms_key *op)
{
	assert(!op->over);
	op->over = true;
	if (op->parent != NULL)
		parent_call_cancel(op->parent);
	if (op->call != NULL)
		kms_call_cancel(op->call);
	uv_close((uv_handle_t *)&op->timer, on_timer_closed);
}
