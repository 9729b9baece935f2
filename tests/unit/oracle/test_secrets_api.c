/*
 * secrets_api: POST /secrets/{name}, by a server that is this test's: what is
 * taken and answered with a receipt, what is refused and how, and clients that
 * leave at each of the three waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/now.h"
#include "oracle/cms.h"
#include "oracle/secrets_api.h"
#include "verifier/cli/seal_cms.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN "0123456789abcdef0123456789abcdef"
#define NAME  "coinmarketcap_api_key"
#define KEY   "hush-hush"

static const uint8_t boot_id[16] = {9, 8, 7};
static uv_loop_t loop;
static struct signer *signer;
static struct config config = {.secrets = {.names = {NAME}, .count = 1}};
static struct api api = {.config = &config};
static uint8_t *sealed;
static size_t sealed_len;

/* ---- in place of the server ---- */

struct http_request {
	const char *name;
	const void *body;
	size_t len;
	void (*abandoned)(struct http_request *req, void *data);
	void *abandoned_data;
	unsigned answers;
	char answer[2048]; /* "STATUS CODE", or the JSON */
};

const char *http_path_param(const struct http_request *req)
{
	return req->name;
}

const void *http_body(const struct http_request *req, size_t *len)
{
	*len = req->len;
	return req->body;
}

uv_loop_t *http_loop(const struct http_request *req)
{
	(void)req;
	return &loop;
}

void http_on_abandoned(struct http_request *req,
    void (*cb)(struct http_request *req, void *data), void *data)
{
	req->abandoned = cb;
	req->abandoned_data = data;
}

void http_reply_json(struct http_request *req, const char *json)
{
	assert_null(req->abandoned); /* it would be called for a dead one */
	req->answers++;
	snprintf(req->answer, sizeof(req->answer), "%s", json);
}

void http_problem(struct http_request *req, unsigned status, const char *code,
    const char *detail, const char *extra)
{
	assert_null(req->abandoned);
	assert_true(detail[0] != '\0');
	assert_null(extra);
	req->answers++;
	snprintf(req->answer, sizeof(req->answer), "%u %s", status, code);
}

static void leave(struct http_request *req)
{
	assert_non_null(req->abandoned);
	req->abandoned(req, req->abandoned_data);
	memset(req, 0xee, sizeof(*req)); /* it is gone */
}

/* ---- */

static void post(struct http_request *req, const void *body, size_t len)
{
	*req = (struct http_request){.name = NAME, .body = body, .len = len};
	secrets_api_routes[0].handler(req, &api);
}

static void run(void)
{
	uv_run(&loop, UV_RUN_DEFAULT);
}

static void seal(const char *token)
{
	struct secret_message message = {.name = NAME, .secret = KEY};
	char text[SECRET_MESSAGE_MAX];
	size_t len;

	free(sealed);
	message.sealed_ms = now_unix_ms();
	memcpy(message.boot_id, boot_id, sizeof(boot_id));
	snprintf(message.token, sizeof(message.token), "%s", token);
	len = secret_message_encode(&message, text);
	assert_true(len > 0);
	sealed = seal_cms(&sealed_len,
	    seal_key_public_pem(secrets_api_key(api.secrets)), text, len);
	assert_non_null(sealed);
}

static int group_setup(void **state)
{
	(void)state;
	signer = signer_new(); /* and the secure heap */
	return EVP_Digest(TOKEN, strlen(TOKEN), config.secrets.token_sha256,
		   NULL, EVP_sha256(), NULL) != 1;
}

static int group_teardown(void **state)
{
	(void)state;
	signer_free(signer);
	uv_library_shutdown();
	return 0;
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	api.secrets = secrets_api_new(&config.secrets, boot_id, signer);
	seal(TOKEN);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	run();
	assert_int_equal(uv_loop_close(&loop), 0);
	secrets_api_free(api.secrets);
	secrets_api_free(NULL);
	free(sealed);
	sealed = NULL;
	return 0;
}

static const char *held(void)
{
	return secrets_find(secrets_api_store(api.secrets), NAME);
}

static void test_taken(void **state)
{
	struct http_request req;
	uint8_t sha256[32];
	char wanted[SECRET_RECEIPT_MAX];
	json_t *root;

	(void)state;
	post(&req, sealed, sealed_len);
	assert_int_equal(req.answers, 0); /* not yet */
	run();
	assert_int_equal(req.answers, 1);
	assert_string_equal(held(), KEY);
	assert_null(strstr(req.answer, KEY));
	root = json_loads(req.answer, 0, NULL);
	EVP_Digest(sealed, sealed_len, sha256, NULL, EVP_sha256(), NULL);
	secret_receipt_format(wanted, boot_id, NAME, sha256);
	assert_string_equal(
	    json_string_value(json_object_get(root, "content")), wanted);
	assert_int_equal(
	    json_string_length(json_object_get(root, "signature_b64")), 344);
	json_decref(root);
}

static void refused(const void *body, size_t len, const char *answer)
{
	struct http_request req;

	post(&req, body, len);
	run();
	assert_int_equal(req.answers, 1);
	assert_string_equal(req.answer, answer);
}

static void test_refused(void **state)
{
	static uint8_t large[CMS_BYTES_MAX + 1];

	(void)state;
	refused("", 0, "403 SECRET_REFUSED");
	refused("x", 1, "403 SECRET_REFUSED");
	refused(large, sizeof(large), "403 SECRET_REFUSED");
	refused(sealed, sealed_len - 1, "403 SECRET_REFUSED");
	sealed[sealed_len - 1] ^= 1;
	refused(sealed, sealed_len, "403 SECRET_REFUSED");
	seal("0123456789abcdef0123456789abcdeg");
	refused(sealed, sealed_len, "403 SECRET_REFUSED");
	assert_null(held());
	/* the next one is judged by itself */
	seal(TOKEN);
	struct http_request req;
	post(&req, sealed, sealed_len);
	run();
	assert_string_equal(held(), KEY);
}

static void test_again(void **state)
{
	struct http_request req;

	(void)state;
	post(&req, sealed, sealed_len);
	run();
	refused(sealed, sealed_len, "409 SECRET_STALE");
}

static void test_unknown(void **state)
{
	const char *const names[] = {"", "another", (NAME "x"), ("../" NAME)};
	struct http_request req;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		req = (struct http_request){
		    .name = names[i], .body = sealed, .len = sealed_len};
		secrets_api_routes[0].handler(&req, &api);
		assert_string_equal(req.answer, "404 SECRET_UNKNOWN");
	}
}

/* Without "secrets" in the configuration. */
static void test_off(void **state)
{
	static struct config none;
	struct api off = {.config = &none};
	struct http_request req = {
	    .name = NAME, .body = sealed, .len = sealed_len};

	(void)state;
	secrets_api_routes[0].handler(&req, &off);
	assert_string_equal(req.answer, "404 SECRET_UNKNOWN");
}

/* Both wait, and are judged in the order they came. */
static void test_one_at_a_time(void **state)
{
	struct http_request first, second;

	(void)state;
	post(&first, sealed, sealed_len);
	post(&second, sealed, sealed_len);
	assert_int_equal(first.answers + second.answers, 0);
	run();
	assert_string_equal(held(), KEY);
	assert_int_equal(first.answers, 1);
	assert_string_equal(second.answer, "409 SECRET_STALE");
}

/* A flood does not keep out who comes after it. */
static void test_flood(void **state)
{
	static struct http_request flood[SECRETS_API_WAITING_MAX];
	const size_t count = SECRETS_API_WAITING_MAX;
	struct http_request right;

	(void)state;
	for (size_t i = 0; i < count; i++)
		post(&flood[i], "flood", 5);
	post(&right, sealed, sealed_len); /* one is being opened: a place */
	run();
	for (size_t i = 0; i < count; i++)
		assert_string_equal(flood[i].answer, "403 SECRET_REFUSED");
	assert_int_equal(right.answers, 1);
	assert_string_equal(held(), KEY);
}

/* What waits has a ceiling; who leaves makes room. */
static void test_full(void **state)
{
	static struct http_request flood[SECRETS_API_WAITING_MAX + 1];
	const size_t count = SECRETS_API_WAITING_MAX + 1;
	struct http_request right;

	(void)state;
	for (size_t i = 0; i < count; i++)
		post(&flood[i], "flood", 5);
	post(&right, sealed, sealed_len);
	assert_string_equal(right.answer, "429 SECRET_BUSY");
	for (size_t i = 1; i < count; i++)
		leave(&flood[i]);
	post(&right, sealed, sealed_len);
	run();
	assert_string_equal(flood[0].answer, "403 SECRET_REFUSED");
	assert_string_equal(held(), KEY);
}

/* Of three, the least. */
static uint64_t opening_ns(void)
{
	static struct secret_message out;
	struct seal_key *key = (struct seal_key *)(uintptr_t)secrets_api_key(
	    api.secrets);
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 3; i++) {
		uint64_t began_ns = uv_hrtime();

		assert_int_equal(
		    seal_key_open(key, &out, sealed, sealed_len), 0);
		if (uv_hrtime() - began_ns < least)
			least = uv_hrtime() - began_ns;
	}
	return least;
}

/* A flood costs a part of one core: what is wrong is followed by a pause, and
 * what is right has to wait for it as well. */
static void test_pause(void **state)
{
	struct http_request wrong[10], right;
	uint64_t least_ns = opening_ns(), began_ns;

	(void)state;
	seal("0123456789abcdef0123456789abcdeg");
	began_ns = uv_hrtime();
	for (size_t i = 0; i < 10; i++)
		post(&wrong[i], sealed, sealed_len);
	seal(TOKEN);
	post(&right, sealed, sealed_len);
	run();
	assert_string_equal(wrong[9].answer, "403 SECRET_REFUSED");
	assert_string_equal(held(), KEY);
	assert_true(uv_hrtime() - began_ns >
		    10 * (SECRETS_API_PAUSE + 1) * least_ns * 9 / 10);
}

/* While it waits: it is dropped. */
static void test_leaves_while_waiting(void **state)
{
	struct http_request first, second;

	(void)state;
	post(&first, "x", 1);
	post(&second, sealed, sealed_len);
	leave(&second);
	run();
	assert_int_equal(first.answers, 1);
	assert_null(held());
}

/* What it sent is judged all the same. */
static void test_leaves_while_opened(void **state)
{
	struct http_request req;

	(void)state;
	post(&req, sealed, sealed_len);
	leave(&req);
	run();
	assert_string_equal(held(), KEY);
}

static void test_leaves_refused(void **state)
{
	struct http_request req;

	(void)state;
	post(&req, "x", 1);
	leave(&req);
	run();
	assert_null(held());
}

static void test_leaves_while_signed(void **state)
{
	struct http_request req;

	(void)state;
	post(&req, sealed, sealed_len);
	while (held() == NULL)
		uv_run(&loop, UV_RUN_ONCE);
	if (req.answers == 0)
		leave(&req);
	run();
	assert_string_equal(held(), KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	    T(test_taken),
	    T(test_refused),
	    T(test_again),
	    T(test_unknown),
	    T(test_off),
	    T(test_one_at_a_time),
	    T(test_flood),
	    T(test_full),
	    T(test_pause),
	    T(test_leaves_while_waiting),
	    T(test_leaves_while_opened),
	    T(test_leaves_refused),
	    T(test_leaves_while_signed),
	};

	return cmocka_run_group_tests_name(
	    "secrets_api", tests, group_setup, group_teardown);
}
