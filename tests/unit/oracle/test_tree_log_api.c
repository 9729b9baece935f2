/* tree_log_api: GET /log/head, of a log and a server that are this test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/tree_log_api.h"

#include <stdio.h>
#include <string.h>

static struct tree_log_newest newest;
static struct api api = {.boot_id = "000102030405060708090a0b0c0d0eff"};
static const char *param_attestation, *param_boot_id;
static char answered[64], etag[BOARD_ETAG_MAX];

/* ---- in place of the log and the server ---- */

const struct tree_log_newest *tree_log_newest(const struct tree_log *log)
{
	(void)log;
	return &newest;
}

const char *http_param(const struct http_request *req, const char *name)
{
	(void)req;
	return strcmp(name, "boot_id") == 0 ? param_boot_id : param_attestation;
}

void http_reply(struct http_request *req, const struct http_reply *reply)
{
	(void)req;
	assert_int_equal(reply->status, 200);
	snprintf(answered, sizeof(answered), "%.*s", (int)reply->len,
	    (const char *)reply->body);
	snprintf(etag, sizeof(etag), "%s", reply->etag);
}

void http_problem(struct http_request *req, unsigned status, const char *code,
    const char *detail, const char *extra)
{
	(void)req;
	(void)extra;
	assert_non_null(detail);
	snprintf(answered, sizeof(answered), "%u %s", status, code);
}

static const char *ask(const char *attestation, const char *boot_id)
{
	param_attestation = attestation;
	param_boot_id = boot_id;
	answered[0] = etag[0] = '\0';
	tree_log_api_routes[0].handler(NULL, &api);
	return answered;
}

static void sign(void)
{
	newest.full = "{\"full\":1}";
	newest.ref = "{\"ref\":1}";
	snprintf(newest.sha256_hex, sizeof(newest.sha256_hex), "abc");
}

static int up(void **state)
{
	(void)state;
	newest = (struct tree_log_newest){.full = NULL};
	return 0;
}

/* ---- tests ---- */

static void no_head_yet(void **state)
{
	(void)state;
	assert_string_equal(ask(NULL, NULL), "404 LOG_UNKNOWN");
	assert_string_equal(ask("ref", api.boot_id), "404 LOG_UNKNOWN");
}

static void both_forms(void **state)
{
	(void)state;
	sign();
	assert_string_equal(ask(NULL, NULL), newest.full);
	assert_string_equal(etag, "\"abc\"");
	assert_string_equal(ask("full", NULL), newest.full);
	assert_string_equal(ask("ref", NULL), newest.ref);
	assert_string_equal(etag, "\"abc-ref\"");
	assert_string_equal(ask("", NULL), "400 PARAM_INVALID");
	assert_string_equal(ask("none", NULL), "400 PARAM_INVALID");
}

static void of_this_boot_only(void **state)
{
	(void)state;
	sign();
	assert_string_equal(ask("ref", api.boot_id), newest.ref);
	assert_string_equal(ask("ref", ""), "404 LOG_UNKNOWN");
	assert_string_equal(
	    ask("ref", "000102030405060708090a0b0c0d0e00"), "404 LOG_UNKNOWN");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, up)
	const struct CMUnitTest tests[] = {
	    TEST(no_head_yet),
	    TEST(both_forms),
	    TEST(of_this_boot_only),
	};

	return cmocka_run_group_tests_name("tree_log_api", tests, NULL, NULL);
}
