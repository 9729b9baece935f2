/* board_hermes: what a client of Hermes asks, and that nothing stale looks
 * like a price. */
#include "base/hermes.h"
#include "board_fixture.h"

#include <jansson.h>

#define BOOT   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NOBODY SHA_A

static char btc[HERMES_ID_MAX], eth[HERMES_ID_MAX];

static int set_up_hermes(void **state)
{
	hermes_id_of("BTC-USD", btc);
	hermes_id_of("ETH-USD", eth);
	return set_up(state);
}

static void post_price(const char *name)
{
	post_item(name, 1714746101999, INT64_C(4000000000000), NULL, BOOT, 41);
}

/* query: with %s for BTC's id, then ETH's. */
static void hermes_asked(const char *format, int status, const char *needle)
{
	char query[512], target[1024];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(query, sizeof(query), format, btc, eth);
#pragma GCC diagnostic pop
	snprintf(target, sizeof(target), "/v2/updates/price/%s", query);
	asked(target, status, needle);
}

static void the_latest_price(void **state)
{
	(void)state;
	post_price("BTC-USD");
	hermes_asked("latest?ids[]=%s", 200,
	    "\"price\":{\"price\":\"8403650\",\"conf\":\"325\",\"expo\":-2,"
	    "\"publish_time\":1714746101}");
	hermes_asked("latest?ids%%5B%%5D=0x%s", 200,
	    "{\"binary\":{\"encoding\":\"hex\",\"data\":[\""
	    "7b22666f726d223a2266756c6c227d\"]},\"parsed\":[");
	hermes_asked("latest?ids[]=%s&encoding=base64&parsed=false", 200,
	    "{\"binary\":{\"encoding\":\"base64\",\"data\":[\""
	    "eyJmb3JtIjoiZnVsbCJ9\"]}}");
	hermes_asked("latest?ids[]=%s&attestation=ref&parsed=false", 200,
	    "[\"7b22666f726d223a22726566227d\"]}}");
}

static void each_feed_once_and_in_order(void **state)
{
	char request[512];
	struct response r;
	const char *first, *second;
	json_t *root;

	(void)state;
	post_price("BTC-USD");
	post_price("ETH-USD");
	snprintf(request, sizeof(request),
	    "/v2/updates/price/latest?ids[]=%s&ids[]=%s&ids[]=%s", eth, btc,
	    eth);
	r = client_get(request);
	root = json_loads(response_body(&r), JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(
	    json_unpack(root, "{s:{s:s, s:[s,s!] !}, s:[{s:s},{s:s}!] !}",
		"binary", "encoding", &first, "data", &first, &second, "parsed",
		"id", &first, "id", &second),
	    0);
	assert_string_equal(first, eth);
	assert_string_equal(second, btc);
	json_decref(root);
	response_fini(&r);
}

static void ids_at_fault_are_named(void **state)
{
	char needle[256];

	(void)state;
	post_price("BTC-USD");
	hermes_asked(
	    "latest?ids[]=%s&ids[]=" NOBODY, 404, "\"ids\":[\"" NOBODY "\"]");
	hermes_asked("latest?ids[]=%s&ids[]=" NOBODY, 404, "FEED_UNKNOWN");
	hermes_asked("latest?ids[]=%s&ids[]=BTC", 400, "\"ids\":[\"BTC\"]");
	hermes_asked("latest?ids[]=%s&ids[]=BTC&ignore_invalid_price_ids=true",
	    400, "ID_MALFORMED");
	hermes_asked("latest", 400, "PARAM_MISSING");
	hermes_asked("latest?ids[]=", 400, "ID_MALFORMED");
	snprintf(needle, sizeof(needle), "\"ids\":[\"%s\"]", eth);
	hermes_asked("latest?ids[]=%s&ids[]=%s", 503, needle);
	hermes_asked("latest?ids[]=%s&ids[]=%s", 503, "FEED_UNAVAILABLE");
	post_item("ETH-USD", now_unix_ms() - 9000, 5000, NULL, BOOT, 1);
	hermes_asked("latest?ids[]=%s&ids[]=%s", 503, "PRICE_STALE");
	post_item("ETH-USD", now_unix_ms(), 5000, "price_jump", BOOT, 2);
	hermes_asked("latest?ids[]=%s&ids[]=%s", 503, "price_jump");
}

static void some_may_be_left_out(void **state)
{
	char needle[256];

	(void)state;
	post_price("BTC-USD");
	snprintf(needle, sizeof(needle), "\"parsed\":[{\"id\":\"%s\"", btc);
	hermes_asked("latest?ids[]=" NOBODY
		     "&ids[]=%s&ids[]=%s&ignore_invalid_price_ids=true",
	    200, needle);
	hermes_asked("latest?ids[]=" NOBODY "&ignore_invalid_price_ids=true",
	    404, "FEED_UNKNOWN");
}

static void parameters_are_read_strictly(void **state)
{
	static const char *const bad[] = {"encoding=HEX",
	    "encoding=", "parsed=1", "parsed=TRUE",
	    "ignore_invalid_price_ids=yes", "attestation=none"};
	char query[256];

	(void)state;
	post_price("BTC-USD");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(query, sizeof(query), "latest?ids[]=%%s&%s", bad[i]);
		hermes_asked(query, 400, "PARAM_INVALID");
	}
	hermes_asked(
	    "latest?ids[]=%s&allow_unordered=true", 400, "PARAM_UNKNOWN");
	hermes_asked("stream?ids[]=%s&allow_unordered=7", 400, "PARAM_INVALID");
	hermes_asked("stream?ids[]=" NOBODY, 404, "FEED_UNKNOWN");
	hermes_asked("stream", 400, "PARAM_MISSING");
}

static int open_stream(const char *query, struct response *out)
{
	unsigned before;
	struct sse_stats stats;
	char request[1024];
	int fd = client_connect();

	board_stream_stats(board, &stats);
	before = stats.subscribers;
	snprintf(request, sizeof(request),
	    "GET /v2/updates/price/stream?ids[]=%s%s HTTP/1.1\r\n"
	    "Host: x\r\n\r\n",
	    btc, query);
	client_send(fd, request);
	pump_until((board_stream_stats(board, &stats),
	    stats.subscribers == before + 1));
	*out = (struct response){.text = NULL};
	return fd;
}

static void prices_are_streamed(void **state)
{
	struct response r, packed;
	int fd = open_stream("&allow_unordered=true&benchmarks_only=false", &r);
	int other = open_stream(
	    "&encoding=base64&parsed=false&attestation=full", &packed);

	(void)state;
	post_price("ETH-USD"); /* not asked for */
	post_item("BTC-USD", now_unix_ms(), 5000, "price_jump", BOOT, 40);
	post_price("BTC-USD");
	client_read_until(fd, &r, r.text && strstr(r.text, "\"conf\""));
	client_read_until(
	    other, &packed, packed.text && strstr(packed.text, "base64"));
	assert_non_null(strstr(r.text, "text/event-stream"));
	assert_non_null(strstr(r.text,
	    "event: message\ndata: {\"binary\":{\"encoding\":\"hex\",\"data\":["
	    "\"7b22666f726d223a22726566227d\"]},\"parsed\":[{\"id\":\""));
	assert_null(strstr(r.text, eth));
	assert_null(strstr(r.text, "\nid:"));
	assert_non_null(strstr(packed.text,
	    "data: {\"binary\":{\"encoding\":\"base64\",\"data\":[\""
	    "eyJmb3JtIjoiZnVsbCJ9\"]}}\n\n"));
	board_close(board, "test");
	client_read_until(fd, &r, strstr(r.text, "event: goodbye") != NULL);
	close(fd);
	close(other);
	response_fini(&r);
	response_fini(&packed);
}

static void feeds_are_listed(void **state)
{
	(void)state;
	asked("/v2/price_feeds", 200, "\"symbol\":\"ETH-USD\"");
	asked("/v2/price_feeds", 200, "max-age=60");
	asked("/v2/price_feeds?query=btc&asset_type=crypto", 200,
	    "\r\n\r\n[{\"id\":");
	asked("/v2/price_feeds?query=btc", 200,
	    "\"display_symbol\":\"BTC/USD\"}}]");
	asked("/v2/price_feeds?query=gold", 200, "\r\n\r\n[]");
	asked("/v2/price_feeds?asset_type=fx", 200, "\r\n\r\n[]");
	asked("/v2/price_feeds?asset=fx", 400, "PARAM_UNKNOWN");
}

#define HERMES_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up_hermes, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HERMES_TEST(the_latest_price),
	    HERMES_TEST(each_feed_once_and_in_order),
	    HERMES_TEST(ids_at_fault_are_named),
	    HERMES_TEST(some_may_be_left_out),
	    HERMES_TEST(parameters_are_read_strictly),
	    HERMES_TEST(prices_are_streamed),
	    HERMES_TEST(feeds_are_listed),
	};

	return cmocka_run_group_tests_name("board_hermes", tests, NULL, NULL);
}
