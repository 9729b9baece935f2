/*
 * fetch: what is asked for goes out as it should and comes back signed; what is
 * not allowed does not go out; and however often it is asked for, the host is
 * asked no more often than its budget says.
 */
#include "tests/unit/oracle/fetch_fixture.h"

#include "oracle/http_request.h"

/* Parses and verifies what the caller got. */
static void verify(size_t caller, const char *path, struct hm_fetched *out)
{
	const struct hm_fetch_request asked = {HOST, PORT, path};
	struct fetch_text *text = callers[caller].text;
	struct hm_envelope envelope;

	assert_non_null(text);
	assert_int_equal(text->len, strlen(text->json));
	assert_int_equal(
	    hm_fetch_parse(&envelope, text->json, text->len), HM_VALID);
	assert_int_equal(hm_fetch_verify_live(identity.policy, NULL, &envelope,
			     &asked, now_unix_ms(), out, NULL),
	    HM_VALID);
	hm_envelope_fini(&envelope);
}

static void get(size_t caller, const char *path)
{
	ask_well(caller, path);
	run_until_fired(caller);
}

/* ---- good ---- */

static void test_good(void **state)
{
	struct hm_fetched fetched;
	int64_t before_ms = now_unix_ms();

	(void)state;
	start_fetch();
	get(0, "/a/b?c=d");
	verify(0, "/a/b?c=d", &fetched);
	assert_string_equal(
	    (const char *)fetched.body, "{\"path\":\"/a/b?c=d\"}");
	assert_int_equal(fetched.status, 200);
	assert_in_range(fetched.fetched_ms, before_ms, now_unix_ms());
	assert_int_equal(fetched.date_ms, -1);
	assert_memory_equal(fetched.boot_id, identity.boot_id, 16);
	assert_memory_equal(fetched.config_sha256, config.sha256, 32);
	hm_fetched_fini(&fetched);
	assert_int_equal(stats().asked, 1);
}

/* The host sees our GET and nothing of the caller's but the path. */
static void test_the_request(void **state)
{
	char wanted[HTTP_REQUEST_MAX];

	(void)state;
	start_fetch();
	get(0, "/a/b?c=%22");
	http_request_get(wanted, HOST, PORT, "/a/b?c=%22");
	assert_string_equal(fetch_peer.sessions[0].head, wanted);
}

static void test_certificate(void **state)
{
	struct hm_fetched fetched;
	uint8_t sha256[32], *spki = NULL;
	int len = i2d_PUBKEY(fetch_leaf.key, &spki);

	(void)state;
	start_fetch();
	get(0, "/a");
	verify(0, "/a", &fetched);
	assert_true(len > 0);
	EVP_Digest(spki, (size_t)len, sha256, NULL, EVP_sha256(), NULL);
	assert_memory_equal(fetched.tls_spki_sha256, sha256, 32);
	OPENSSL_free(spki);
	hm_fetched_fini(&fetched);
}

static void check_answer(const char *answer, int status, const char *body,
    size_t len, int64_t date_ms)
{
	struct hm_fetched fetched;

	peer_answer = answer;
	get(0, "/a");
	verify(0, "/a", &fetched);
	assert_int_equal(fetched.status, status);
	assert_int_equal(fetched.body_len, len);
	assert_memory_equal(fetched.body, body, len);
	assert_true(fetched.date_ms == date_ms);
	hm_fetched_fini(&fetched);
	let_go(0);
}

static void test_any_status(void **state)
{
	(void)state;
	start_fetch();
	check_answer("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
	    404, "no", 2, -1);
	check_answer("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n"
		     "Date: Sun, 22 Nov 2026 01:02:03 GMT\r\n\r\n",
	    500, "", 0, 1795309323000);
	check_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\x01\x02",
	    200, "\xff\x01\x02", 3, -1);
	check_answer("HTTP/1.1 204 No Content\r\n\r\n", 204, "", 0, -1);
}

/* Its status is the answer; where it points to is not asked. */
static void test_redirect(void **state)
{
	(void)state;
	start_fetch();
	check_answer("HTTP/1.1 302 Found\r\nLocation: https://" HOST
		     "/a/other\r\nContent-Length: 4\r\n\r\nmove",
	    302, "move", 4, -1);
	assert_int_equal(atomic_load(&fetch_peer.requests), 1);
	assert_int_equal(atomic_load(&fetch_peer.connections), 1);
}

/* ---- no answer ---- */

static void check_failure(const char *answer, enum quote_error error)
{
	uint64_t failed = stats().failed;

	peer_answer = answer;
	get(0, "/a");
	assert_null(callers[0].text);
	assert_int_equal(callers[0].error, error);
	assert_true(strlen(callers[0].why) > 0);
	assert_int_equal(stats().failed, failed + 1);
}

static void test_failures(void **state)
{
	(void)state;
	start_fetch();
	check_failure(
	    "HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n", QUOTE_TOO_LARGE);
	check_failure("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		      "Content-Length: 1\r\n\r\nx",
	    QUOTE_BAD_HTTP);
	check_failure("SSH-2.0-x\r\n\r\n", QUOTE_BAD_HTTP);
}

static void test_chunks_without_end(void **state)
{
	static char answer[16384];
	size_t len = (size_t)snprintf(answer, sizeof(answer),
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");

	(void)state;
	start_fetch();
	for (int i = 0; i < 5; i++)
		len += (size_t)snprintf(answer + len, sizeof(answer) - len,
		    "400\r\n%01024d\r\n", i);
	check_failure(answer, QUOTE_TOO_LARGE);
}

static void test_another_certificate(void **state)
{
	struct pki_cert other = pki_leaf(&fetch_pki, "DNS:other.test");
	SSL_CTX *context = fetch_peer.context;

	(void)state;
	start_fetch();
	fetch_peer.context = pki_server(&other, 0);
	check_failure(NULL, QUOTE_TLS_FAILED);
	assert_int_equal(atomic_load(&fetch_peer.requests), 0);
	SSL_CTX_free(context);
	pki_cert_fini(&other);
}

/* ---- not asked for ---- */

static void test_not_allowed(void **state)
{
	int64_t retry_ms;

	(void)state;
	assert_int_equal(ask(0, "/a"), FETCH_NOT_ALLOWED); /* it is off */
	start_fetch();
	assert_int_equal(
	    ask_at(0, "other.test", PORT, "/a", &retry_ms), FETCH_NOT_ALLOWED);
	assert_int_equal(
	    ask_at(0, HOST, PORT + 1, "/a", &retry_ms), FETCH_NOT_ALLOWED);
	assert_int_equal(ask(0, "/"), FETCH_NOT_ALLOWED);
	assert_int_equal(ask(0, "/ab"), FETCH_NOT_ALLOWED);
	assert_int_equal(ask(0, "/b/a"), FETCH_NOT_ALLOWED);
	assert_int_equal(stats().outside, 5);
	assert_int_equal(stats().asked, 0);
	assert_int_equal(atomic_load(&fetch_peer.connections), 0);
}

static void test_nothing_configured(void **state)
{
	struct fetch_stats none;

	(void)state;
	config.fetch.allow_count = 0;
	assert_null(fetch_start(&fetch_with));
	fetch_stats(NULL, &none);
	assert_int_equal(none.asked, 0);
	fetch_stop(NULL);
	fetch_free(NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fetch_up, fetch_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_the_request),
	    TEST(test_certificate),
	    TEST(test_any_status),
	    TEST(test_redirect),
	    TEST(test_failures),
	    TEST(test_chunks_without_end),
	    TEST(test_another_certificate),
	    TEST(test_not_allowed),
	    TEST(test_nothing_configured),
	};

	return cmocka_run_group_tests_name(
	    "fetch", tests, fetch_group_up, fetch_group_down);
}
