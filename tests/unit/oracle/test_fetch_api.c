/* fetch_api: POST /fetch and its metrics, of a fetch and a server that are this
 * test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/fetch_api.h"
#include "oracle/fetch_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct api api;
static struct fetch *const here = (struct fetch *)&api; /* not looked at */
static char body[8192];
static size_t body_len;
static char answered[512];
static unsigned retry_after_s;
static void (*abandoned)(struct http_request *req, void *data);
static void *abandoned_data;

static enum fetch_result result;
static int64_t result_ms;
static char asked[2048];
static struct fetch_waiter *waiter;
static unsigned forgotten;

/* ---- in place of fetch ---- */

enum fetch_result fetch_ask(struct fetch *fetch,
    const struct hm_fetch_request *request, struct fetch_waiter *w,
    int64_t *retry_ms)
{
	assert_ptr_equal(fetch, here);
	snprintf(asked, sizeof(asked), "%s %u %s", request->hostname,
	    request->port, request->path);
	waiter = w;
	*retry_ms = result_ms;
	return result;
}

void fetch_forget(struct fetch_waiter *w)
{
	assert_ptr_equal(w, waiter);
	forgotten++;
}

void fetch_stats(const struct fetch *fetch, struct fetch_stats *out)
{
	assert_ptr_equal(fetch, here);
	*out = (struct fetch_stats){.asked = 11,
	    .shared = 12,
	    .failed = 13,
	    .refused = 14,
	    .outside = 15,
	    .held_bytes = 16};
}

/* ---- in place of the server ---- */

const void *http_body(const struct http_request *req, size_t *len)
{
	(void)req;
	*len = body_len;
	return body;
}

void http_reply(struct http_request *req, const struct http_reply *reply)
{
	(void)req;
	assert_int_equal(reply->status, 200);
	assert_string_equal(reply->content_type, "application/json");
	assert_null(reply->cache_control); /* no-store */
	snprintf(answered, sizeof(answered), "%.*s", (int)reply->len,
	    (const char *)reply->body);
	reply->body_done(reply->body_data);
}

void http_problem_later(struct http_request *req, unsigned status,
    const char *code, const char *detail, const char *extra, unsigned later_s)
{
	(void)req;
	assert_non_null(detail);
	snprintf(answered, sizeof(answered), "%u %s %s %s", status, code,
	    detail, extra != NULL ? extra : "");
	retry_after_s = later_s;
}

void http_problem(struct http_request *req, unsigned status, const char *code,
    const char *detail, const char *extra)
{
	http_problem_later(req, status, code, detail, extra, 0);
}

void http_on_abandoned(struct http_request *req,
    void (*cb)(struct http_request *req, void *data), void *data)
{
	(void)req;
	abandoned = cb;
	abandoned_data = data;
}

/* ---- asking ---- */

static const char *post_bytes(const char *bytes, size_t len)
{
	memcpy(body, bytes, len);
	body_len = len;
	answered[0] = asked[0] = '\0';
	waiter = NULL;
	abandoned = NULL;
	retry_after_s = 0;
	assert_string_equal(fetch_api_routes[0].method, "POST");
	fetch_api_routes[0].handler(NULL, &api);
	return answered;
}

static const char *post(const char *text)
{
	return post_bytes(text, strlen(text));
}

#define GOOD                                      \
	"{\"hostname\":\"a.example\",\"port\":1," \
	"\"path\":\"/b?c=%20\"}"

static int up(void **state)
{
	(void)state;
	api.fetch = here;
	result = FETCH_STARTED;
	result_ms = 0;
	forgotten = 0;
	return 0;
}

static void starts(const char *text, const char *begin)
{
	if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", text, begin);
}

/* ---- tests ---- */

static void off(void **state)
{
	(void)state;
	api.fetch = NULL;
	starts(post(GOOD), "404 FETCH_OFF");
	assert_null(waiter);
}

static void a_good_answer(void **state)
{
	size_t held = 0;
	struct fetch_text *text = fetch_text_new(strdup("{\"a\":1}"), &held);
	const struct fetch_outcome outcome = {.text = text};

	(void)state;
	assert_string_equal(post(GOOD), "");
	assert_string_equal(asked, "a.example 1 /b?c=%20");
	assert_non_null(abandoned);
	waiter->cb(waiter, &outcome);
	assert_string_equal(answered, "{\"a\":1}");
	assert_int_equal(held, 7);
	fetch_text_release(text);
	assert_int_equal(held, 0);
}

static void a_failure(void **state)
{
	struct fetch_outcome outcome = {
	    .error = QUOTE_TLS_FAILED, .why = "certificate has expired"};

	(void)state;
	post(GOOD);
	waiter->cb(waiter, &outcome);
	assert_string_equal(answered,
	    "502 FETCH_FAILED certificate has expired "
	    "\"error\":\"tls_failed\"");
	outcome.error = QUOTE_NOT_POLLED;
	post(GOOD);
	waiter->cb(waiter, &outcome);
	starts(answered, "503 ATTESTATION_FAILED");
}

static void the_client_leaves(void **state)
{
	(void)state;
	post(GOOD);
	abandoned(NULL, abandoned_data);
	assert_int_equal(forgotten, 1);
	assert_string_equal(answered, "");
}

static void refused(enum fetch_result why, const char *begin)
{
	result = why;
	starts(post(GOOD), begin);
	assert_null(abandoned);
}

static void refusals(void **state)
{
	(void)state;
	refused(FETCH_NOT_ALLOWED, "403 FETCH_NOT_ALLOWED");
	refused(FETCH_BUSY, "503 BUSY");
	refused(FETCH_UNATTESTED, "503 ATTESTATION_EXPIRED");
	refused(FETCH_CLOCK_UNCERTAIN, "503 CLOCK_UNCERTAIN");
	result_ms = 1;
	refused(FETCH_NO_BUDGET, "429 FETCH_BUDGET");
	assert_int_equal(retry_after_s, 1);
	result_ms = 60000;
	refused(FETCH_NO_BUDGET, "429 FETCH_BUDGET");
	assert_int_equal(retry_after_s, 60);
	result_ms = INT64_C(3) * 24 * 3600 * 1000; /* the longest */
	refused(FETCH_NO_BUDGET, "429 FETCH_BUDGET");
	assert_int_equal(retry_after_s, 259200);
}

static void invalid(const char *text)
{
	starts(post(text), "400 FETCH_INVALID ");
	assert_true(strlen(answered) > strlen("400 FETCH_INVALID  "));
	assert_null(waiter);
}

#define WITH(host, port, path) \
	"{\"hostname\":\"" host "\",\"port\":" port ",\"path\":\"" path "\"}"

static void bodies_that_are_none(void **state)
{
	(void)state;
	invalid("");
	invalid("null");
	invalid("[]");
	invalid("{}");
	invalid("{\"hostname\":\"a\",\"port\":1}");
	invalid("{\"hostname\":\"a\",\"port\":1,\"path\":\"/\"} x");
	invalid("{\"hostname\":\"a\",\"port\":1,\"port\":2,\"path\":\"/\"}");
	invalid("{\"hostname\":\"a\",\"port\":\"1\",\"path\":\"/\"}");
	invalid("{\"hostname\":\"a\",\"port\":1.0,\"path\":\"/\"}");
	invalid("{\"hostname\":1,\"port\":1,\"path\":\"/\"}");
	starts(post_bytes(GOOD, sizeof(GOOD)), "400 "); /* its NUL */
	memset(body, ' ', sizeof(body));
	memcpy(body, GOOD, strlen(GOOD));
	assert_string_equal(post_bytes(body, 4096), "");
	abandoned(NULL, abandoned_data);
	starts(
	    post_bytes(body, 4097), "400 FETCH_INVALID the body is too long");
}

/* There is no way to say a header, a method or a body. */
static void members_of_the_callers(void **state)
{
	(void)state;
	invalid("{\"hostname\":\"a\",\"port\":1,\"path\":\"/\","
		"\"headers\":{\"X-A\":\"b\"}}");
	invalid("{\"hostname\":\"a\",\"port\":1,\"path\":\"/\","
		"\"method\":\"POST\"}");
	invalid("{\"hostname\":\"a\",\"port\":1,\"path\":\"/\","
		"\"body\":\"x\"}");
	invalid(WITH("a", "1", "/ HTTP/1.1\\r\\nX-A: b\\r\\n\\r\\n"));
	invalid(WITH("a\\r\\nX-A: b", "1", "/"));
}

static void requests_that_are_none(void **state)
{
	(void)state;
	invalid(WITH("", "1", "/"));
	invalid(WITH("A", "1", "/"));
	invalid(WITH("127.0.0.1", "1", "/"));
	invalid(WITH("user@a", "1", "/"));
	invalid(WITH("a", "0", "/"));
	invalid(WITH("a", "65536", "/"));
	invalid(WITH("a", "-1", "/"));
	invalid(WITH("a", "4294967297", "/"));
	invalid(WITH("a", "1", ""));
	invalid(WITH("a", "1", "b"));
	invalid(WITH("a", "1", "/b/../c"));
	invalid(WITH("a", "1", "/b/%2e%2e/c"));
	invalid(WITH("a", "1", "/b#c"));
	invalid(WITH("a", "1", "http://c/"));
}

static void metrics(void **state)
{
	struct metrics_text text;
	size_t len;
	char *out;

	(void)state;
	metrics_text_init(&text);
	fetch_metrics(NULL, &text);
	fetch_metrics(here, &text);
	out = metrics_text_finish(&text, &len);
	assert_non_null(strstr(out, "requests_total{result=\"asked\"} 11\n"));
	assert_non_null(strstr(out, "requests_total{result=\"shared\"} 12\n"));
	assert_non_null(strstr(out, "requests_total{result=\"failed\"} 13\n"));
	assert_non_null(strstr(out, "requests_total{result=\"refused\"} 14\n"));
	assert_non_null(
	    strstr(out, "requests_total{result=\"not_allowed\"} 15\n"));
	assert_non_null(strstr(out, "hallmark_oracle_fetch_held_bytes 16\n"));
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(off, up),
	    cmocka_unit_test_setup(a_good_answer, up),
	    cmocka_unit_test_setup(a_failure, up),
	    cmocka_unit_test_setup(the_client_leaves, up),
	    cmocka_unit_test_setup(refusals, up),
	    cmocka_unit_test_setup(bodies_that_are_none, up),
	    cmocka_unit_test_setup(members_of_the_callers, up),
	    cmocka_unit_test_setup(requests_that_are_none, up),
	    cmocka_unit_test_setup(metrics, up),
	};

	return cmocka_run_group_tests_name("fetch_api", tests, NULL, NULL);
}
