/*
 * api_fixture: a poller, a publisher and a server that say what the test sets,
 * for what GET /sources and GET /metrics make of it. One feed of two exchanges,
 * one of one.
 */
#ifndef HALLMARK_TESTS_API_FIXTURE_H
#define HALLMARK_TESTS_API_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/http_server.h"
#include "base/now.h"
#include "oracle/api.h"
#include "oracle/key_rotation.h"
#include "oracle/secrets.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char fixture_feeds[] =
    "[{\"feed\":\"USDT-USD\",\"decimals\":6,\"interval_ms\":1000,"
    "\"max_age_ms\":5000,\"min_sources\":1,\"sources\":["
    "{\"exchange\":\"kraken\",\"symbol\":\"USDTUSD\"}]},"
    "{\"feed\":\"BTC-USD\",\"decimals\":2,\"interval_ms\":1000,"
    "\"max_age_ms\":5000,\"min_sources\":2,\"sources\":["
    "{\"exchange\":\"kraken\",\"symbol\":\"XBTUSD\"},"
    "{\"exchange\":\"binance\",\"symbol\":\"BTCUSDT\","
    "\"quote_feed\":\"USDT-USD\"}]}]";

static struct config config;
static struct api api = {.config = &config, .platform = "simulated"};

/* ---- in place of the poller ---- */

static struct poller_exchange_view kraken, binance;
static struct poller_source_view xbtusd, usdtusd, btcusdt;
static bool has_offset;
static int64_t offset;

bool poller_clock_offset(
    const struct poller *poller, int64_t now_ms, int64_t *offset_ms)
{
	(void)poller;
	assert_true(now_ms > 0);
	if (has_offset)
		*offset_ms = offset;
	return has_offset;
}

void poller_visit(const struct poller *poller, int64_t now_ms,
    poller_exchange_cb exchange_cb, poller_source_cb source_cb, void *data)
{
	const struct {
		const struct poller_exchange_view *exchange;
		const struct poller_source_view *sources[3];
	} rows[] = {{&binance, {&btcusdt, NULL, NULL}},
	    {&kraken, {&usdtusd, &xbtusd, NULL}}};

	(void)poller;
	assert_true(now_ms > 0);
	for (size_t i = 0; i < 2; i++) {
		struct poller_exchange_view exchange = *rows[i].exchange;

		for (size_t s = 0; rows[i].sources[s]; s++)
			exchange.up |= rows[i].sources[s]->up;
		if (exchange_cb)
			exchange_cb(&exchange, data);
		for (size_t s = 0; source_cb && rows[i].sources[s]; s++)
			source_cb(&exchange, rows[i].sources[s], data);
	}
}

/* ---- in place of the publisher ---- */

static bool has_item[2];
static struct item items[2];

const struct item *publisher_newest(
    const struct publisher *publisher, size_t feed)
{
	(void)publisher;
	assert_true(feed < 2);
	return has_item[feed] ? &items[feed] : NULL;
}

uint64_t publisher_items(
    const struct publisher *publisher, size_t feed, enum item_reason reason)
{
	(void)publisher;
	assert_true(feed < 2);
	return 10 * feed + (uint64_t)reason;
}

/* ---- in place of the rotation, if a test sets it ---- */

void key_rotation_stats(
    const struct key_rotation *rotation, struct key_rotation_stats *out)
{
	(void)rotation;
	*out = (struct key_rotation_stats){
	    .retire_ms = 1900000000500, .failures = 3};
}

/* ---- in place of secrets and peers, of which there are none ---- */

const char *secrets_outcome_name(enum secrets_outcome outcome)
{
	(void)outcome;
	fail();
	return "";
}

void secrets_stats(const struct secrets *secrets, struct secrets_stats *out)
{
	(void)secrets;
	(void)out;
	fail();
}

size_t peers_count(const struct peers *peers)
{
	(void)peers;
	return 0;
}

void peers_look(const struct peers *peers, size_t peer, struct peer_view *out)
{
	(void)peers;
	(void)peer;
	(void)out;
	fail();
}

/* ---- in place of fetch, which is off ---- */

void fetch_stats(const struct fetch *fetch, struct fetch_stats *out)
{
	(void)fetch;
	(void)out;
	fail();
}

/* ---- in place of the log ---- */

void tree_log_stats(const struct tree_log *log, struct tree_log_stats *out)
{
	(void)log;
	*out = (struct tree_log_stats){
	    .heads = 6, .failures = 1, .tree_size = 80, .waiting = 4};
}

/* ---- in place of attestation and board ---- */

static bool has_document;
static struct attestation_document document;

const struct attestation_document *attestation_current(
    const struct attestation *a, int64_t now_ms)
{
	(void)a;
	assert_true(now_ms > 0);
	return has_document ? &document : NULL;
}

void attestation_stats(
    const struct attestation *a, struct attestation_stats *out)
{
	(void)a;
	*out = (struct attestation_stats){
	    .calls = 11, .nonces = 2500, .waiting = 7};
}

void board_stream_stats(const struct board *board, struct sse_stats *out)
{
	(void)board;
	*out = (struct sse_stats){.subscribers = 3,
	    .events = 100,
	    .deliveries = 300,
	    .slow_closed = 1,
	    .resumed = 2,
	    .resynced = 4};
}

size_t board_waiting(const struct board *board)
{
	(void)board;
	return 5;
}

/* ---- in place of the server ---- */

static const char *param_exchange, *param_feed;
static unsigned replied;
static char *reply_type, *reply_code, *reply_text;

const char *http_param(const struct http_request *req, const char *name)
{
	(void)req;
	return strcmp(name, "exchange") == 0 ? param_exchange : param_feed;
}

static void keep(unsigned status, const char *type, const char *text,
    size_t len, const char *code)
{
	free(reply_type);
	free(reply_code);
	free(reply_text);
	replied = status;
	reply_type = strdup(type);
	reply_code = strdup(code);
	reply_text = strndup(text, len);
	assert_true(reply_type && reply_code && reply_text);
	assert_int_equal(strlen(reply_text), len);
}

void http_reply(struct http_request *req, const struct http_reply *reply)
{
	(void)req;
	keep(reply->status, reply->content_type, reply->body, reply->len, "");
}

void http_reply_json(struct http_request *req, const char *json)
{
	(void)req;
	keep(200, "application/json", json, strlen(json), "");
}

void http_problem(struct http_request *req, unsigned status, const char *code,
    const char *detail, const char *extra)
{
	(void)req;
	assert_non_null(detail);
	keep(status, "application/problem+json", extra, strlen(extra), code);
}

/* ---- what is true in each test at its start ---- */

static struct decimal cents(int64_t mantissa)
{
	return (struct decimal){mantissa, -2};
}

static void set_source(struct item_source *source, const char *exchange,
    const char *symbol, enum source_state state)
{
	*source = (struct item_source){.state = state};
	snprintf(source->exchange, sizeof(source->exchange), "%s", exchange);
	snprintf(source->symbol, sizeof(source->symbol), "%s", symbol);
}

/* BTC-USD's newest: Kraken used, Binance failed. */
static void set_item(void)
{
	struct item *item = &items[1];

	*item = (struct item){.sequence = 41,
	    .status = ITEM_UNAVAILABLE,
	    .reason = ITEM_INSUFFICIENT_SOURCES,
	    .published_ms = now_unix_ms() - 1500,
	    .source_count = 2,
	    .min_sources = 2};
	set_source(&item->sources[0], "binance", "BTCUSDT", SOURCE_FAILED);
	item->sources[0].error = QUOTE_GEO_BLOCKED;
	memcpy(item->sources[0].via, "USDT-USD", sizeof("USDT-USD"));
	set_source(&item->sources[1], "kraken", "XBTUSD", SOURCE_USED);
	item->sources[1].has_price = true;
	item->sources[1].price = cents(6100050);
	item->sources[1].has_answer = true;
	item->sources[1].received_ms = 1700000000123;
	has_item[1] = true;
}

static int set_up(void **state)
{
	json_t *feeds = json_loads(fixture_feeds, 0, NULL);
	char error[FEED_CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(feed_set_parse(&config.feeds, feeds, error), 0);
	json_decref(feeds);
	param_exchange = param_feed = NULL;
	has_item[0] = false;
	set_item();
	has_document = true;
	document = (struct attestation_document){
	    .timestamp_ms = now_unix_ms() - 60000,
	    .not_after_ms = 1900000000123,
	};
	has_offset = true;
	offset = -1200;
	kraken = (struct poller_exchange_view){
	    .exchange = exchange_find("kraken"),
	    .requests_planned = 1,
	    .requests = 30,
	    .requests_last_minute = 12,
	    .budget_per_min = 30,
	};
	binance = (struct poller_exchange_view){
	    .exchange = exchange_find("binance"),
	    .requests_planned = 1,
	    .requests = 7,
	    .failures = 7,
	    .requests_last_minute = 70, /* a burst: there is nothing left */
	    .budget_per_min = 60,
	    .paused_ms = 90500,
	    .has_clock_offset = true,
	    .clock_offset_ms = -1200,
	};
	xbtusd = usdtusd = (struct poller_source_view){
	    .symbol = "XBTUSD",
	    .up = true,
	    .status = 200,
	    .latency_ms = 87,
	    .has_answer = true,
	    .received_ms = now_unix_ms() - 2000,
	    .attempts = 30,
	};
	usdtusd.symbol = "USDTUSD";
	btcusdt = (struct poller_source_view){
	    .symbol = "BTCUSDT",
	    .newest = QUOTE_GEO_BLOCKED,
	    .status = 451,
	    .latency_ms = 12,
	    .failures = 7,
	    .attempts = 7,
	};
	btcusdt.errors[QUOTE_GEO_BLOCKED] = 5;
	btcusdt.errors[QUOTE_TIMEOUT] = 2;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(reply_type);
	free(reply_code);
	free(reply_text);
	reply_type = reply_code = reply_text = NULL;
	return 0;
}

#endif
