/* raw_answers_api: GET /raw/{sha256}, of answers and a server that are this
 * test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/now.h"
#include "oracle/raw_answers_api.h"

#include <stdio.h>
#include <string.h>

static struct raw_answers *raw;
static const char *part;
static char answered[128];

/* ---- in place of the poller and the server ---- */

const struct raw_answers *poller_raw(const struct poller *poller)
{
	(void)poller;
	return raw;
}

const char *http_path_param(const struct http_request *req)
{
	(void)req;
	return part;
}

void http_reply(struct http_request *req, const struct http_reply *reply)
{
	(void)req;
	assert_int_equal(reply->status, 200);
	assert_string_equal(reply->content_type, "application/octet-stream");
	snprintf(answered, sizeof(answered), "%.*s", (int)reply->len,
	    (const char *)reply->body);
}

void http_problem(struct http_request *req, unsigned status, const char *code,
    const char *detail, const char *extra)
{
	(void)req;
	(void)extra;
	snprintf(answered, sizeof(answered), "%u %s %s", status, code, detail);
}

static const char *ask(const char *hex)
{
	static struct api api;

	part = hex;
	raw_answers_api_routes[0].handler(NULL, &api);
	return answered;
}

#define FOURS "4444444444444444444444444444444444444444444444444444444444444444"

static void test_raw(void **state)
{
	uint8_t sha256[32];

	(void)state;
	assert_non_null(strstr(ask(FOURS), "404 RAW_UNKNOWN keep_raw_s is 0"));
	raw = raw_answers_new(60000, 1000);
	assert_non_null(strstr(ask(FOURS), "404 RAW_UNKNOWN no answer"));
	memset(sha256, 0x44, sizeof(sha256));
	raw_answers_put(raw, sha256, "{\"a\":1}", 7, now_monotonic_ms());
	assert_string_equal(ask(FOURS), "{\"a\":1}");
	assert_non_null(strstr(ask(FOURS "4"), "400 PARAM_INVALID"));
	assert_non_null(strstr(ask("44"), "400 PARAM_INVALID"));
	assert_non_null(strstr(ask(""), "400 PARAM_INVALID"));
	assert_non_null(strstr(
	    ask("z"
		"444444444444444444444444444444444444444444444444444444444444444"),
	    "400 PARAM_INVALID"));
	raw_answers_free(raw);
	raw = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_raw)};

	return cmocka_run_group_tests_name(
	    "raw_answers_api", tests, NULL, NULL);
}
