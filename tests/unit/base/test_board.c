/* board: each answer of the four routes, and that nothing stale looks fresh. */
#include "board_fixture.h"

static void an_unknown_name_is_404(void **state)
{
	(void)state;
	asked("/price/XRP-USD", 404, "\"FEED_UNKNOWN\"");
	asked("/price/%22x", 404, "\"feed\":\"\\\"x\"");
	asked("/stream?feeds=BTC-USD,XRP-USD", 404, "\"FEED_UNKNOWN\"");
}

static void before_the_first_text_it_says_so(void **state)
{
	(void)state;
	asked("/price/BTC-USD", 503, "\"FEED_UNAVAILABLE\"");
}

static void both_forms_are_served(void **state)
{
	(void)state;
	post("BTC-USD", 5000, NULL);
	asked("/price/BTC-USD", 200, "{\"form\":\"full\"}");
	asked("/price/BTC-USD?attestation=full", 200, "{\"form\":\"full\"}");
	asked("/price/BTC-USD?attestation=ref", 200, "{\"form\":\"ref\"}");
	asked("/price/BTC-USD?attestation=half", 400, "\"PARAM_INVALID\"");
	asked("/price/BTC-USD?colour=red", 400, "\"PARAM_UNKNOWN\"");
}

static void the_two_forms_have_their_own_etags(void **state)
{
	(void)state;
	post("BTC-USD", 5000, NULL);
	asked("/price/BTC-USD", 200, "\"" SHA_A "\"");
	asked("/price/BTC-USD?attestation=ref", 200, "\"" SHA_A "-ref\"");
}

static struct response get_packed(const char *target)
{
	char request[256];

	snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
	    target);
	return client_ask(request);
}

static void the_full_form_may_come_packed(void **state)
{
	struct response r, again;

	(void)state;
	post("BTC-USD", 5000, NULL);
	r = get_packed("/price/BTC-USD");
	assert_string_equal(response_header(&r, "Content-Encoding"), "gzip");
	assert_string_equal(response_header(&r, "ETag"), "\"" SHA_A "-gzip\"");
	assert_memory_equal(response_body(&r), "\x1f\x8b", 2);
	again = get_packed("/price/BTC-USD");
	assert_int_equal(r.len, again.len);
	response_fini(&again);
	response_fini(&r);
	post("BTC-USD", 5000, NULL); /* packed anew */
	r = get_packed("/price/BTC-USD");
	assert_string_equal(response_header(&r, "Content-Encoding"), "gzip");
	response_fini(&r);
	r = get_packed("/price/BTC-USD?attestation=ref");
	assert_string_equal(response_header(&r, "Content-Encoding"), "");
	assert_string_equal(response_body(&r), "{\"form\":\"ref\"}");
	response_fini(&r);
}

static void an_expired_text_is_evidence_not_a_price(void **state)
{
	(void)state;
	post("BTC-USD", -1, NULL);
	asked("/price/BTC-USD", 503, "\"PRICE_STALE\"");
	asked("/price/BTC-USD", 503, "\"item\":{\"form\":\"full\"}");
	asked("/price", 200, "\"items\":[]");
	asked("/price", 200, "\"code\":\"PRICE_STALE\"");
	asked("/price", 200, "\"expires_ms\":");
}

static void a_price_may_be_too_old_for_one(void **state)
{
	(void)state;
	post_at("BTC-USD", now_unix_ms() - 3000, 5000, NULL);
	asked("/price/BTC-USD?max_age_ms=60000", 200, "{\"form\":\"full\"}");
	asked("/price/BTC-USD?max_age_ms=2999", 503, "\"PRICE_STALE\"");
	asked("/price/BTC-USD?max_age_ms=0", 503, "max_age_ms is 0");
	asked(
	    "/price/BTC-USD?max_age_ms=0", 503, "\"item\":{\"form\":\"full\"}");
	asked("/price?feeds=BTC-USD&max_age_ms=2999", 200,
	    "{\"items\":[],\"errors\":[{\"feed\":\"BTC-USD\",\"code\":"
	    "\"PRICE_STALE\"");
}

static void numbers_are_read_strictly(void **state)
{
	static const char *const bad[] = {"", "-1", "+1", "1.0", "1e3", "0x1",
	    "86400001", "9999999999999999999999", "%201", "1%20"};
	char target[128];

	(void)state;
	post("BTC-USD", 5000, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(target, sizeof(target), "/price/BTC-USD?max_age_ms=%s",
		    bad[i]);
		asked(target, 400, "\"parameter\":\"max_age_ms\"");
	}
}

static void an_unavailable_one_says_why(void **state)
{
	(void)state;
	post("BTC-USD", 5000, "insufficient_sources");
	asked("/price/BTC-USD", 503, "\"FEED_UNAVAILABLE\"");
	asked("/price/BTC-USD", 503, "insufficient_sources");
}

static void many_at_once_name_what_is_missing(void **state)
{
	(void)state;
	post("BTC-USD", 5000, NULL);
	asked("/price", 200,
	    "{\"items\":[{\"form\":\"full\"}],\"errors\":[{\"feed\":\"ETH-USD"
	    "\",\"code\":\"FEED_UNAVAILABLE\"");
	asked("/price?feeds=BTC-USD&attestation=ref", 200,
	    "{\"items\":[{\"form\":\"ref\"}],\"errors\":[]}");
	asked("/price?feeds=BTC-USD,%22,", 200,
	    "{\"feed\":\"\\\"\",\"code\":\"FEED_UNKNOWN\"");
	asked("/price?feeds=%ff%fe", 400, "\"PARAM_INVALID\"");
	asked("/price?attestation=x", 400, "\"PARAM_INVALID\"");
}

static void documents_are_immutable(void **state)
{
	(void)state;
	asked("/attestations/" SHA_A, 404, "\"ATTESTATION_UNKNOWN\"");
	board_attest(board, "o", SHA_A, (const uint8_t *)"doc", 3, "{}");
	asked("/attestations/" SHA_A, 200, "immutable");
	asked("/attestations/" SHA_A, 200, "\r\n\r\ndoc");
}

static void a_stream_begins_with_the_attestation(void **state)
{
	struct response response = {.text = NULL};
	int fd = client_connect();

	(void)state;
	board_attest(board, "o", SHA_A, (const uint8_t *)"d", 1, "{\"a\":1}");
	board_attest(board, "o", SHA_A, (const uint8_t *)"d", 1, "{\"a\":2}");
	client_send(fd, "GET /stream?feeds=BTC-USD HTTP/1.1\r\n"
			"Host: x\r\n\r\n");
	client_read_until(
	    fd, &response, response.text && strstr(response.text, "{\"a\":2}"));
	assert_null(strstr(response.text, "{\"a\":1}"));
	post("ETH-USD", 5000, NULL); /* not asked for */
	post("BTC-USD", 5000, "insufficient_sources");
	client_read_until(
	    fd, &response, strstr(response.text, "event: status") != NULL);
	assert_null(strstr(response.text, "event: price"));
	assert_non_null(strstr(response.text, "{\"form\":\"ref\"}"));
	close(fd);
	response_fini(&response);
}

static void streams_of_both_forms_are_counted(void **state)
{
	const char *const ways[] = {"ref", "full"};
	struct sse_stats stats;
	char ask[128];
	int fds[2];

	(void)state;
	board_stream_stats(board, &stats);
	assert_int_equal(stats.subscribers, 0);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(ask, sizeof(ask),
		    "GET /stream?attestation=%s HTTP/1.1\r\nHost: x\r\n\r\n",
		    ways[i]);
		fds[i] = client_connect();
		client_send(fds[i], ask);
		pump_until((board_stream_stats(board, &stats),
		    stats.subscribers == i + 1));
	}
	post("BTC-USD", 60000, NULL);
	pump_until((board_stream_stats(board, &stats), stats.deliveries >= 2));
	assert_true(stats.events >= 2);
	close(fds[0]);
	close(fds[1]);
}

static void a_full_stream_has_the_full_form(void **state)
{
	struct response response = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send(fd, "GET /stream?attestation=full HTTP/1.1\r\n"
			"Host: x\r\n\r\n");
	client_read_until(fd, &response, response_status(&response) == 200);
	post("BTC-USD", 5000, NULL);
	client_read_until(
	    fd, &response, strstr(response.text, "event: price") != NULL);
	client_read_until(fd, &response,
	    strstr(response.text, "{\"form\":\"full\"}") != NULL);
	close(fd);
	response_fini(&response);
}

static void fresh_counts_and_names_the_rest(void **state)
{
	char missing[64];

	(void)state;
	assert_int_equal(board_fresh(board, now_unix_ms(), missing, 64), 0);
	assert_string_equal(missing, "BTC-USD,ETH-USD");
	post("BTC-USD", 5000, NULL);
	post("ETH-USD", 5000, "insufficient_sources");
	assert_int_equal(board_fresh(board, now_unix_ms(), missing, 64), 1);
	assert_string_equal(missing, "ETH-USD");
	assert_int_equal(
	    board_fresh(board, now_unix_ms() + 5001, missing, 9), 0);
	assert_string_equal(missing, ""); /* no room for a name */
	assert_int_equal(board_names(board), 2);
	assert_true(board_has_name(board, "ETH-USD"));
}

#define BOARD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOARD_TEST(an_unknown_name_is_404),
	    BOARD_TEST(before_the_first_text_it_says_so),
	    BOARD_TEST(both_forms_are_served),
	    BOARD_TEST(the_two_forms_have_their_own_etags),
	    BOARD_TEST(the_full_form_may_come_packed),
	    BOARD_TEST(an_expired_text_is_evidence_not_a_price),
	    BOARD_TEST(a_price_may_be_too_old_for_one),
	    BOARD_TEST(numbers_are_read_strictly),
	    BOARD_TEST(an_unavailable_one_says_why),
	    BOARD_TEST(many_at_once_name_what_is_missing),
	    BOARD_TEST(documents_are_immutable),
	    BOARD_TEST(a_stream_begins_with_the_attestation),
	    BOARD_TEST(streams_of_both_forms_are_counted),
	    BOARD_TEST(a_full_stream_has_the_full_form),
	    BOARD_TEST(fresh_counts_and_names_the_rest),
	};

	return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
