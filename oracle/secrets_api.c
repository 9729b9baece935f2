/*
 * secrets_api: see secrets_api.h.
 *
 *   request --> WAITING --> [pool] opened --> judged
 *                                  --> [pool] receipt signed --> answer
 *
 * RSA takes milliseconds, so it is the pool's, one message at a time, and after
 * one that is not taken there is a pause of SECRETS_API_PAUSE times what it
 * took: a flood costs a fifth of one core. Who is right cannot be known before
 * his turn. So everybody waits for it in one line, with one place for each
 * connection: a thousand senders of nonsense make him wait for some seconds,
 * and nobody is sent away for what others sent.
 *
 * A client that leaves gives its place up; once its turn has come it changes
 * nothing: what it sent is judged all the same.
 */
#include "oracle/secrets_api.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/cms.h"
#include "verifier/base64.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct secrets_api {
	struct secrets *secrets;
	struct seal_key *key;
	struct signer *signer; /* of the receipts */
	const uint8_t *boot_id;
	TAILQ_HEAD(, delivery) queue;   /* WAITING */
	unsigned waiting;               /* so many */
	int64_t open_from_ms;           /* monotonic: the pause is over */
	int64_t tell_from_ms;           /* the same: of refusals */
	unsigned untold;                /* refusals that no line tells of */
	bool busy;                      /* one is being opened, into: */
	struct secret_message *message; /* in the secure heap */
};

struct delivery { /* one message under way */
	TAILQ_ENTRY(delivery) entry;
	bool is_waiting;
	uv_timer_t pause;
	uv_work_t work;
	uint64_t took_ns; /* to open it */
	struct secrets_api *api;
	uv_loop_t *loop;
	struct http_request *req; /* NULL once the client has left */
	char name[SECRET_NAME_MAX];
	size_t len;
	int opened; /* 0 or -1; by the pool's thread */
	struct signer_op op;
	char receipt[SECRET_RECEIPT_MAX];
	uint8_t der[];
};

static void finish(struct delivery *delivery)
{
	if (delivery->req)
		http_on_abandoned(delivery->req, NULL, NULL);
	free(delivery);
}

static void leave_queue(struct delivery *delivery)
{
	TAILQ_REMOVE(&delivery->api->queue, delivery, entry);
	delivery->api->waiting--;
	delivery->is_waiting = false;
}

static void on_abandoned(struct http_request *req, void *data)
{
	struct delivery *delivery = data;

	(void)req;
	delivery->req = NULL;
	if (!delivery->is_waiting)
		return;
	leave_queue(delivery);
	free(delivery);
}

/* ---- the receipt ---- */

static void reply_receipt(struct delivery *delivery)
{
	struct http_request *req = delivery->req;
	char *signature = base64_encode(
	    delivery->op.signature, sizeof(delivery->op.signature));
	json_t *tree = signature
			   ? json_pack("{s:s, s:s}", "content",
				 delivery->receipt, "signature_b64", signature)
			   : NULL;
	char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;

	if (!text)
		log_die("secrets", "out of memory");
	delivery->req = NULL;
	http_on_abandoned(req, NULL, NULL);
	http_reply_json(req, text);
	free(text);
	json_decref(tree);
	free(signature);
}

static void on_signed(struct signer_op *op, int status)
{
	struct delivery *delivery = op->data;
	struct http_request *req = delivery->req;

	if (req && status == 0) {
		reply_receipt(delivery);
	} else if (req) {
		delivery->req = NULL;
		http_on_abandoned(req, NULL, NULL);
		http_problem(req, 503, "SECRET_UNSIGNED",
		    "it is stored, but the receipt could not be signed", NULL);
	}
	finish(delivery);
}

static void sign_receipt(struct delivery *delivery)
{
	struct secrets_api *api = delivery->api;
	uint8_t sha256[32];
	size_t len;

	if (EVP_Digest(delivery->der, delivery->len, sha256, NULL, EVP_sha256(),
		NULL) != 1)
		log_die("secrets", "out of memory");
	len = secret_receipt_format(
	    delivery->receipt, api->boot_id, delivery->name, sha256);
	delivery->op.data = delivery;
	signer_sign(api->signer, delivery->loop, &delivery->op,
	    delivery->receipt, len, on_signed);
}

/* ---- the judgement ---- */

static void refuse(struct delivery *delivery, enum secrets_outcome outcome)
{
	static const struct {
		unsigned status;
		const char *code;
	} answers[SECRETS_OUTCOME_COUNT] = {
	    [SECRETS_REFUSED] = {403, "SECRET_REFUSED"},
	    [SECRETS_MISPLACED] = {409, "SECRET_MISPLACED"},
	    [SECRETS_STALE] = {409, "SECRET_STALE"},
	};
	struct http_request *req = delivery->req;

	if (req) {
		delivery->req = NULL;
		http_on_abandoned(req, NULL, NULL);
		http_problem(req, answers[outcome].status,
		    answers[outcome].code, secrets_outcome_text(outcome), NULL);
	}
	finish(delivery);
}

/* One line a second: a flood shall not fill the log either. */
static void log_refused(struct secrets_api *api,
    const struct delivery *delivery, enum secrets_outcome outcome)
{
	int64_t now_ms = now_monotonic_ms();

	api->untold++;
	if (now_ms < api->tell_from_ms)
		return;
	log_warn("secrets", "refused", LOG_S("name", delivery->name),
	    LOG_S("why", secrets_outcome_name(outcome)),
	    LOG_D("count", api->untold));
	api->untold = 0;
	api->tell_from_ms = now_ms + 1000;
}

static void pause_after(
    struct secrets_api *api, const struct delivery *delivery)
{
	uint64_t pause_ns = SECRETS_API_PAUSE * delivery->took_ns;

	api->open_from_ms = now_monotonic_ms() + 1 +
			    (int64_t)(pause_ns / 1000000);
}

static void open_next(struct secrets_api *api);

static void on_opened(uv_work_t *work, int status)
{
	struct delivery *delivery = work->data;
	struct secrets_api *api = delivery->api;
	enum secrets_outcome outcome;

	assert(status == 0); /* nobody cancels it */
	(void)status;
	api->busy = false;
	outcome = secrets_take(api->secrets, delivery->name,
	    delivery->opened == 0 ? api->message : NULL, now_unix_ms());
	OPENSSL_cleanse(api->message, sizeof(*api->message));
	if (outcome != SECRETS_STORED)
		pause_after(api, delivery);
	open_next(api);
	if (outcome == SECRETS_STORED) {
		log_info("secrets", "stored", LOG_S("name", delivery->name));
		sign_receipt(delivery);
		return;
	}
	log_refused(api, delivery, outcome);
	refuse(delivery, outcome);
}

/* On the pool. */
static void open_work(uv_work_t *work)
{
	struct delivery *delivery = work->data;
	struct secrets_api *api = delivery->api;
	uint64_t began_ns = uv_hrtime();

	delivery->opened = seal_key_open(
	    api->key, api->message, delivery->der, delivery->len);
	delivery->took_ns = uv_hrtime() - began_ns;
}

/* ---- its turn ---- */

static void open_now(struct delivery *delivery)
{
	int rc = uv_queue_work(
	    delivery->loop, &delivery->work, open_work, on_opened);

	assert(rc == 0); /* fails only without a work function */
	(void)rc;
}

static void on_pause_closed(uv_handle_t *handle)
{
	open_now(handle->data);
}

static void on_pause_over(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, on_pause_closed);
}

static void open_next(struct secrets_api *api)
{
	struct delivery *delivery = TAILQ_FIRST(&api->queue);
	int64_t pause_ms = api->open_from_ms - now_monotonic_ms();

	if (api->busy || delivery == NULL)
		return;
	leave_queue(delivery);
	api->busy = true;
	if (pause_ms <= 0) {
		open_now(delivery);
		return;
	}
	uv_update_time(delivery->loop);
	uv_timer_init(delivery->loop, &delivery->pause);
	delivery->pause.data = delivery;
	uv_timer_start(&delivery->pause, on_pause_over, (uint64_t)pause_ms, 0);
}

/* ---- the request ---- */

static void begin(struct secrets_api *api, struct http_request *req,
    const char *name, const void *body, size_t len)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery) + len);

	if (!delivery)
		log_die("secrets", "out of memory");
	delivery->api = api;
	delivery->loop = http_loop(req);
	delivery->req = req;
	delivery->len = len;
	delivery->work.data = delivery;
	memcpy(delivery->name, name, strlen(name) + 1);
	memcpy(delivery->der, body, len);
	delivery->is_waiting = true;
	TAILQ_INSERT_TAIL(&api->queue, delivery, entry);
	api->waiting++;
	http_on_abandoned(req, on_abandoned, delivery);
	open_next(api);
}

static void on_post(struct http_request *req, void *data)
{
	const struct api *api = data;
	struct secrets_api *secrets = api->secrets;
	const char *name = http_path_param(req);
	size_t len;
	const void *body = http_body(req, &len);

	if (!config_secrets_allows(&api->config->secrets, name))
		http_problem(req, 404, "SECRET_UNKNOWN",
		    "the configuration has no secret of this name", NULL);
	else if (len == 0 || len > CMS_BYTES_MAX)
		http_problem(req, 403, "SECRET_REFUSED",
		    secrets_outcome_text(SECRETS_REFUSED), NULL);
	else if (secrets->waiting == SECRETS_API_WAITING_MAX)
		http_problem(req, 429, "SECRET_BUSY",
		    "too many wait to be looked at; try again, soon", NULL);
	else
		begin(secrets, req, name, body, len);
}

/* ---- life ---- */

struct secrets_api *secrets_api_new(const struct config_secrets *config,
    const uint8_t boot_id[16], struct signer *signer)
{
	struct secrets_api *api = calloc(1, sizeof(*api));

	if (!api)
		log_die("secrets", "out of memory");
	*api = (struct secrets_api){
	    .secrets = secrets_new(config, boot_id),
	    .key = seal_key_new(),
	    .signer = signer,
	    .boot_id = boot_id,
	    .message = OPENSSL_secure_zalloc(sizeof(*api->message)),
	};
	if (!api->message)
		log_die("secrets", "no room in the secure heap");
	TAILQ_INIT(&api->queue);
	return api;
}

void secrets_api_free(struct secrets_api *api)
{
	if (!api)
		return;
	assert(!api->busy && api->waiting == 0);
	secrets_free(api->secrets);
	seal_key_free(api->key);
	OPENSSL_secure_clear_free(api->message, sizeof(*api->message));
	free(api);
}

struct secrets *secrets_api_store(const struct secrets_api *api)
{
	return api->secrets;
}

const struct seal_key *secrets_api_key(const struct secrets_api *api)
{
	return api->key;
}

/* ---- the table ---- */

static const struct service_answer answers[] = {
    {200, "application/json", "SecretReceipt", "it is taken", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem problems[] = {{403, "SECRET_REFUSED"},
    {404, "SECRET_UNKNOWN"}, {409, "SECRET_MISPLACED"}, {409, "SECRET_STALE"},
    {429, "SECRET_BUSY"}, {503, "SECRET_UNSIGNED"}, {0, NULL}};

const struct service_route secrets_api_routes[] = {
    {.method = "POST",
	.path = "/secrets/{name}",
	.about = "Takes a secret that is sealed to this enclave.",
	.handler = on_post,
	.part = {"name", "one of the configuration's",
	    "{\"type\":\"string\",\"pattern\":\"^[a-z0-9_]{1,63}$\"}"},
	.body_type = "application/cms",
	.answers = answers,
	.problems = problems},
    {.method = NULL},
};
