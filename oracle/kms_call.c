/*
 * kms_call: see kms_call.h.
 *
 *   MAKING --> ATTESTING --> FETCHING --> ASKING --> over
 *
 * MAKING waits for the pool, which makes the RSA key; ATTESTING for the
 * document, FETCHING for the bridge's credentials, ASKING for KMS; the last
 * two have deadlines of their own. The pool and the attester cannot be
 * cancelled: who is cancelled then is freed when they come back.
 */
#include "oracle/kms_call.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "oracle/https_client.h"
#include "oracle/kms_cms.h"
#include "oracle/parent_call.h"
#include "oracle/sigv4.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECIPIENT_BITS 2048 /* KMS takes 2048, 3072 and 4096 */
#define CONTENT_TYPE   "application/x-amz-json-1.1"
#define WHY_MAX        512

enum state {
	MAKING,
	ATTESTING,
	FETCHING,
	ASKING,
	OVER
};

struct kms_call {
	struct kms_call_options with; /* wrapped: our copy */
	enum state state;
	bool away; /* the pool or the attester has it: not to be freed */
	uv_work_t work;
	EVP_PKEY *recipient;        /* by MAKING */
	char *body;                 /* by ATTESTING: what is asked */
	struct parent_call *parent; /* while FETCHING */
	struct https_client *https; /* while ASKING */
	char config_sha256[65];
	char why[WHY_MAX];
};

static void *need(void *memory)
{
	if (memory == NULL)
		log_die("kms", "out of memory");
	return memory;
}

static struct kms_question question_of(const struct kms_call *call)
{
	return (struct kms_question){
	    .key_id = call->with.config->key.key_id,
	    .config_sha256 = call->config_sha256,
	    .wrapped = call->with.wrapped,
	    .wrapped_len = call->with.wrapped_len,
	};
}

/* ---- the end ---- */

static void free_call(struct kms_call *call)
{
	EVP_PKEY_free(call->recipient);
	free(call->body);
	free((uint8_t *)call->with.wrapped);
	free(call);
}

/* The one place that calls back. */
static void finish(struct kms_call *call, const struct kms_call_result *result)
{
	call->state = OVER;
	if (call->https != NULL)
		https_client_close(call->https);
	call->with.cb(result, call->with.data);
	free_call(call);
}

static void fail(struct kms_call *call, enum kms_outcome outcome,
    const char *what, const char *why, const char *remedy)
{
	finish(call, &(struct kms_call_result){.outcome = outcome,
			 .what = what,
			 .why = why,
			 .remedy = remedy});
}

/* ---- ASKING ---- */

static void open_answer(struct kms_call *call, const struct kms_answer *answer)
{
	uint8_t data_key[KMS_DATA_KEY_LEN];
	const char *why;

	if (kms_cms_open(answer->sealed, answer->sealed_len, call->recipient,
		data_key, sizeof(data_key), &why) != 0) {
		snprintf(call->why, sizeof(call->why),
		    "CiphertextForRecipient: %s", why);
		fail(call, KMS_REFUSED, "kms", call->why, "");
		return;
	}
	finish(call, &(struct kms_call_result){.outcome = KMS_DONE,
			 .data_key = data_key,
			 .wrapped = answer->wrapped,
			 .wrapped_len = answer->wrapped_len});
	OPENSSL_cleanse(data_key, sizeof(data_key));
}

static void on_answer(const struct https_answer *heard, void *data)
{
	struct kms_call *call = data;
	const struct kms_question question = question_of(call);
	struct kms_answer answer;
	enum kms_outcome outcome;

	if (heard->error != QUOTE_OK) {
		snprintf(call->why, sizeof(call->why), "%s:%u: %s",
		    call->with.config->key.host, call->with.config->key.port,
		    heard->why);
		fail(call, KMS_AGAIN, "kms", call->why,
		    "is KMS reached through the bridge (its allow-list), and "
		    "is its certificate one of ca_bundle's?");
		return;
	}
	outcome = kms_answer_parse(
	    &answer, &question, heard->status, heard->body, heard->len);
	if (outcome == KMS_DONE) {
		open_answer(call, &answer);
	} else {
		snprintf(call->why, sizeof(call->why), "%s%s%s", answer.type,
		    answer.type[0] != '\0' ? ": " : "", answer.said);
		fail(call, outcome, "kms", call->why, answer.remedy);
	}
	kms_answer_fini(&answer);
}

/* The headers of the request; they hold the token. NULL: it is too long. */
static char *sign(
    const struct kms_call *call, const struct kms_credentials *credentials)
{
	const struct config_key *key = &call->with.config->key;
	const struct kms_question question = question_of(call);
	char host[HTTP_REQUEST_HOST_MAX], date[SIGV4_DATE_LEN + 1];
	char authorization[SIGV4_AUTHORIZATION_MAX], *text = NULL;
	bool has_token = credentials->token[0] != '\0';
	struct sigv4_header headers[5] = {{"content-type", CONTENT_TYPE},
	    {"host", host}, {"x-amz-date", date},
	    {"x-amz-security-token", credentials->token},
	    {"x-amz-target", kms_question_target(&question)}};

	http_request_host(host, key->host, (uint16_t)key->port);
	sigv4_date(call->with.now_ms(), date);
	if (!has_token)
		headers[3] = headers[4];
	if (sigv4_authorization(
		&(struct sigv4_request){"POST", "/", "", headers,
		    has_token ? 5 : 4, call->body, strlen(call->body)},
		&(struct sigv4_scope){date, key->region, "kms"},
		credentials->access_key_id, credentials->secret_access_key,
		authorization) != 0)
		return NULL;
	if (asprintf(&text,
		"Content-Type: " CONTENT_TYPE "\r\nX-Amz-Date: %s\r\n"
		"%s%s%sX-Amz-Target: %s\r\nAuthorization: %s\r\n",
		date, has_token ? "X-Amz-Security-Token: " : "",
		credentials->token, has_token ? "\r\n" : "",
		kms_question_target(&question), authorization) < 0)
		log_die("kms", "out of memory");
	return text;
}

static void ask(struct kms_call *call, char *headers)
{
	const struct config *config = call->with.config;
	const struct http_request_post post = {.target = "/",
	    .headers = headers,
	    .body = call->body,
	    .len = strlen(call->body)};

	call->state = ASKING;
	call->https = https_client_new(&(struct https_client_options){
	    .loop = call->with.loop,
	    .tls = call->with.tls,
	    .proxy = config->has_proxy ? &config->proxy : NULL,
	    .host = config->key.host,
	    .port = (uint16_t)config->key.port,
	    .body_max = KMS_ANSWER_MAX,
	});
	https_client_set_deadline(call->https, KMS_STEP_TIMEOUT_MS);
	https_client_post(call->https, &post, on_answer, call);
}

/* ---- FETCHING ---- */

static void on_credentials(
    int status, const uint8_t *bytes, size_t len, void *data)
{
	struct kms_call *call = data;
	struct kms_credentials credentials;
	/* uv_strerror() of what is no error leaks. */
	const char *why = status != 0 ? uv_strerror(status) : "";
	char *headers = NULL;

	call->parent = NULL;
	if (status == 0 &&
	    kms_credentials_parse(&credentials, bytes, len, &why) == 0) {
		headers = sign(call, &credentials);
		why = "too long to be sent";
	}
	OPENSSL_cleanse(&credentials, sizeof(credentials));
	if (headers == NULL) {
		fail(call, KMS_AGAIN, "credentials", why,
		    "does the bridge have \"credentials\", and the instance a "
		    "role?");
		return;
	}
	ask(call, headers);
	OPENSSL_cleanse(headers, strlen(headers));
	free(headers);
}

static void fetch(struct kms_call *call)
{
	call->state = FETCHING;
	call->parent = parent_call_start(&(struct parent_call_options){
	    .loop = call->with.loop,
	    .at = &call->with.config->key.credentials,
	    .answer_max = KMS_CREDENTIALS_MAX,
	    .timeout_ms = KMS_STEP_TIMEOUT_MS,
	    .cb = on_credentials,
	    .data = call,
	});
}

/* ---- ATTESTING ---- */

static void on_attested(
    const uint8_t *document, size_t len, const char *error, void *data)
{
	struct kms_call *call = data;
	struct kms_question question = question_of(call);

	call->away = false;
	if (call->state == OVER) {
		free_call(call);
		return;
	}
	if (document == NULL) {
		fail(call, KMS_AGAIN, "attestation", error, "");
		return;
	}
	question.document = document;
	question.document_len = len;
	call->body = kms_question_body(&question);
	fetch(call);
}

static void attest(struct kms_call *call)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(call->recipient, &der);

	if (len <= 0)
		log_die("kms", "cannot write a public key");
	call->state = ATTESTING;
	call->away = true;
	call->with.attester.ask(
	    call->with.attester.data, der, (size_t)len, on_attested, call);
	OPENSSL_free(der);
}

/* ---- MAKING ---- */

static void make_work(uv_work_t *work)
{
	struct kms_call *call = work->data;

	call->recipient = EVP_RSA_gen(RECIPIENT_BITS);
}

static void on_made(uv_work_t *work, int status)
{
	struct kms_call *call = work->data;

	assert(status == 0); /* nobody cancels it */
	(void)status;
	call->away = false;
	if (call->state == OVER)
		free_call(call);
	else if (call->recipient == NULL)
		log_die("kms", "cannot make a key");
	else
		attest(call);
}

/* ---- public ---- */

struct kms_call *kms_call_start(const struct kms_call_options *options)
{
	struct kms_call *call = need(calloc(1, sizeof(*call)));
	int rc;

	call->with = *options;
	if (options->wrapped != NULL) {
		uint8_t *copy = need(malloc(options->wrapped_len));

		memcpy(copy, options->wrapped, options->wrapped_len);
		call->with.wrapped = copy;
	}
	hex_encode(options->config->sha256, sizeof(options->config->sha256),
	    call->config_sha256);
	call->work.data = call;
	call->away = true;
	rc = uv_queue_work(options->loop, &call->work, make_work, on_made);
	assert(rc == 0); /* fails only without a work function */
	(void)rc;
	return call;
}

void kms_call_cancel(struct kms_call *call)
{
	assert(call->state != OVER);
	call->state = OVER;
	if (call->parent != NULL)
		parent_call_cancel(call->parent);
	if (call->https != NULL)
		https_client_close(call->https);
	if (!call->away)
		free_call(call);
}
