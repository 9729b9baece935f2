/*
 * item: one value, one text, both ways. The fixed texts below are the format;
 * a change here is a change of what has been signed.
 */
#include "feeds/item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ZERO_32                                                          \
	"00000000000000000000000000000000000000000000000000000000000000" \
	"00"
#define BODY_32                                                          \
	"b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0" \
	"b0"

static const char ok_text[] =
    "{\"format\":\"hallmark/1\",\"feed\":\"BTC-USD\","
    "\"boot_id\":\"000102030405060708090a0b0c0d0eff\",\"sequence\":7,"
    "\"status\":\"ok\",\"price\":\"84036.10\",\"confidence\":\"0.00\","
    "\"published_ms\":1763715600000,\"expires_ms\":1763715605000,"
    "\"sources\":["
    "{\"exchange\":\"binance\",\"symbol\":\"BTCUSDT\","
    "\"last\":\"84089.0770\",\"bid\":null,\"ask\":null,"
    "\"price\":\"84036.10\",\"via\":\"USDT-USD\",\"rate\":\"0.99937\","
    "\"exchange_ms\":1763715599000,\"received_ms\":1763715599500,"
    "\"body_sha256\":\"" BODY_32 "\",\"tls_spki_sha256\":\"" BODY_32 "\","
    "\"state\":\"used\"},"
    "{\"exchange\":\"coinbase_exchange\",\"symbol\":\"BTC-USD\","
    "\"last\":null,\"bid\":null,\"ask\":null,\"price\":null,"
    "\"exchange_ms\":null,\"received_ms\":null,\"body_sha256\":null,"
    "\"tls_spki_sha256\":null,\"state\":\"failed\","
    "\"error\":\"connect_failed\"},"
    "{\"exchange\":\"kraken\",\"symbol\":\"BTC/USD\","
    "\"last\":\"90000\",\"bid\":\"89999.9\",\"ask\":\"90000.1\","
    "\"price\":\"90000.00\",\"exchange_ms\":null,"
    "\"received_ms\":1763715599501,"
    "\"body_sha256\":\"" ZERO_32 "\",\"tls_spki_sha256\":\"" BODY_32 "\","
    "\"state\":\"outlier\"}],"
    "\"aggregation\":\"median\",\"min_sources\":1,"
    "\"config_sha256\":\"" BODY_32 "\",\"previous_sha256\":\"" ZERO_32 "\"}";

static const char unavailable_text[] =
    "{\"format\":\"hallmark/1\",\"feed\":\"ETH-USD\","
    "\"boot_id\":\"00000000000000000000000000000000\",\"sequence\":0,"
    "\"status\":\"unavailable\",\"reason\":\"insufficient_sources\","
    "\"price\":null,\"confidence\":null,\"published_ms\":0,"
    "\"expires_ms\":0,\"sources\":["
    "{\"exchange\":\"binance\",\"symbol\":\"ETHUSDT\",\"last\":\"1\","
    "\"bid\":null,\"ask\":null,\"price\":null,\"via\":\"USDT-USD\","
    "\"rate\":null,\"exchange_ms\":null,\"received_ms\":1,"
    "\"body_sha256\":\"" BODY_32 "\",\"tls_spki_sha256\":\"" BODY_32 "\","
    "\"state\":\"failed\",\"error\":\"no_rate\"}],"
    "\"aggregation\":\"median\",\"min_sources\":32,"
    "\"config_sha256\":\"" ZERO_32 "\",\"previous_sha256\":\"" ZERO_32 "\"}";

static void answer(struct item_source *s, const char *exchange,
    const char *symbol, int64_t received_ms)
{
	*s = (struct item_source){
	    .has_answer = true, .received_ms = received_ms};
	snprintf(s->exchange, sizeof(s->exchange), "%s", exchange);
	snprintf(s->symbol, sizeof(s->symbol), "%s", symbol);
	memset(s->body_sha256, 0xb0, 32);
	memset(s->tls_spki_sha256, 0xb0, 32);
}

static void make_ok(struct item *item)
{
	struct item_source *s = item->sources;

	*item = (struct item){.feed = "BTC-USD",
	    .sequence = 7,
	    .status = ITEM_OK,
	    .price = {8403610, -2},
	    .confidence = {0, -2},
	    .published_ms = 1763715600000,
	    .expires_ms = 1763715605000,
	    .source_count = 3,
	    .min_sources = 1};
	for (int i = 0; i < 16; i++)
		item->boot_id[i] = (uint8_t)(i == 15 ? 255 : i);
	memset(item->config_sha256, 0xb0, 32);
	answer(&s[0], "binance", "BTCUSDT", 1763715599500);
	s[0].quote = (struct quote){.has_last = true,
	    .last = {840890770, -4},
	    .has_exchange_ms = true,
	    .exchange_ms = 1763715599000};
	s[0].has_price = s[0].has_rate = true;
	s[0].price = (struct decimal){8403610, -2};
	s[0].rate = (struct decimal){99937, -5};
	memcpy(s[0].via, "USDT-USD", 9);
	memcpy(s[1].exchange, "coinbase_exchange", 18);
	memcpy(s[1].symbol, "BTC-USD", 8);
	s[1].state = SOURCE_FAILED;
	s[1].error = QUOTE_CONNECT_FAILED;
	answer(&s[2], "kraken", "BTC/USD", 1763715599501);
	memset(s[2].body_sha256, 0, 32);
	s[2].quote = (struct quote){.has_last = true,
	    .last = {90000, 0},
	    .has_bid = true,
	    .bid = {899999, -1},
	    .has_ask = true,
	    .ask = {900001, -1}};
	s[2].has_price = true;
	s[2].price = (struct decimal){9000000, -2};
	s[2].state = SOURCE_OUTLIER;
}

static void encodes_exactly(void **state)
{
	static struct item item;
	static char text[ITEM_CONTENT_MAX];
	size_t len;

	(void)state;
	make_ok(&item);
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), 0);
	assert_string_equal(text, ok_text);
	assert_int_equal(len, strlen(ok_text));
}

static void round_trip(const char *wanted)
{
	static struct item item;
	static char text[ITEM_CONTENT_MAX];
	size_t len;

	assert_int_equal(item_decode(&item, wanted, strlen(wanted)), 0);
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), 0);
	assert_int_equal(len, strlen(wanted));
	assert_string_equal(text, wanted);
}

/* What the text says is where it belongs; that nothing is lost on the way,
 * the round trip shows. */
static void decodes(void **state)
{
	static struct item item;
	const struct item_source *s = item.sources;

	(void)state;
	assert_int_equal(item_decode(&item, ok_text, strlen(ok_text)), 0);
	assert_string_equal(item.feed, "BTC-USD");
	assert_int_equal(item.boot_id[15], 255);
	assert_int_equal(item.sequence, 7);
	assert_int_equal(item.status, ITEM_OK);
	assert_int_equal(item.price.mantissa, 8403610);
	assert_int_equal(item.price.exponent, -2);
	assert_int_equal(item.expires_ms, 1763715605000);
	assert_int_equal(item.source_count, 3);
	assert_int_equal(item.min_sources, 1);
	assert_string_equal(s[0].via, "USDT-USD");
	assert_int_equal(s[0].rate.mantissa, 99937);
	assert_true(s[0].quote.has_last && !s[0].quote.has_bid);
	assert_int_equal(s[0].quote.exchange_ms, 1763715599000);
	assert_false(s[1].has_answer);
	assert_int_equal(s[1].error, QUOTE_CONNECT_FAILED);
	assert_string_equal(s[2].symbol, "BTC/USD");
	assert_int_equal(s[2].quote.bid.mantissa, 899999);
	assert_int_equal(s[2].state, SOURCE_OUTLIER);
	assert_int_equal(s[2].tls_spki_sha256[31], 0xb0);
	round_trip(ok_text);
	round_trip(unavailable_text);
}

static void is_json(void **state)
{
	json_t *json = json_loads(ok_text, JSON_REJECT_DUPLICATES, NULL);

	(void)state;
	assert_non_null(json);
	assert_int_equal(json_object_size(json), 14);
	json_decref(json);
}

/* Exactly what fits, and the NUL. */
static void needs_room(void **state)
{
	static struct item item;
	size_t whole = strlen(ok_text), len;

	(void)state;
	make_ok(&item);
	for (size_t room = 0; room <= whole + 2; room++) {
		char *text = malloc(room + 1); /* bounds for the sanitizer */
		int result;
		assert_non_null(text);
		text = realloc(text, room > 0 ? room : 1);
		result = item_encode(&item, text, room, &len);
		assert_int_equal(result, room > whole ? 0 : -1);
		assert_int_equal(len, room > whole ? whole : 0);
		free(text);
	}
}

static void the_largest_item_fits(void **state)
{
	static struct item item, again;
	static char text[ITEM_CONTENT_MAX];
	struct decimal longest = {INT64_MAX, 36}, price = {INT64_MAX, -12};
	size_t len;

	(void)state;
	make_ok(&item);
	memset(item.feed, 'F', sizeof(item.feed) - 1);
	item.price = item.confidence = price;
	item.source_count = FEED_SOURCES_MAX;
	item.min_sources = FEED_SOURCES_MAX;
	item.published_ms = item.expires_ms = 9007199254740991;
	item.sequence = 9007199254740991;
	for (unsigned i = 0; i < FEED_SOURCES_MAX; i++) {
		struct item_source *s = &item.sources[i];
		answer(s, "", "", 9007199254740991);
		memset(s->exchange, 'E', sizeof(s->exchange) - 1);
		memset(s->symbol, 'S', sizeof(s->symbol) - 1);
		memset(s->via, 'V', sizeof(s->via) - 1);
		s->symbol[0] = (char)('A' + i % 26);
		s->exchange[0] = (char)('A' + i / 26);
		s->quote = (struct quote){true, true, true, true, longest,
		    longest, longest, 9007199254740991};
		s->has_price = s->has_rate = true;
		s->price = price;
		s->rate = longest;
		s->state = SOURCE_OUTLIER; /* the longest of the names */
	}
	item.status = ITEM_UNAVAILABLE;
	item.reason = ITEM_INSUFFICIENT_SOURCES;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), 0);
	item.status = ITEM_OK; /* longer: both numbers */
	item.reason = ITEM_NO_REASON;
	for (unsigned i = 0; i < FEED_SOURCES_MAX; i++)
		item.sources[i].state = SOURCE_USED;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), 0);
	/* each state could be the longest name still */
	assert_true(len + 3 * FEED_SOURCES_MAX < ITEM_CONTENT_MAX);
	assert_int_equal(item_decode(&again, text, len), 0);
	assert_int_equal(again.source_count, FEED_SOURCES_MAX);
	round_trip(text);
	/* Counted further, what is behind the sources looks like one more. */
	memset(item.config_sha256, 'S', sizeof(item.config_sha256));
	memset(item.previous_sha256, 0, sizeof(item.previous_sha256));
	item.source_count = 'A' << 8 | 'A';
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), -1);
}

static void refuse(const char *text, size_t len)
{
	static const struct item none;
	static struct item item;

	memset(&item, 7, sizeof(item));
	assert_int_equal(item_decode(&item, text, len), -1);
	assert_memory_equal(&item, &none, sizeof(item));
}

static void refuses_every_cut_and_more(void **state)
{
	static char longer[sizeof(ok_text) + 1];
	size_t len = strlen(ok_text);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		char *part = malloc(cut + 1);
		assert_non_null(part);
		part = realloc(part, cut > 0 ? cut : 1);
		memcpy(part, ok_text, cut);
		refuse(part, cut);
		free(part);
	}
	memcpy(longer, ok_text, len);
	for (int c = 0; c < 256; c++) {
		longer[len] = (char)c;
		refuse(longer, len + 1);
	}
}

/* A changed byte is refused, or is read as what encodes to just that. */
static void one_reading(void **state)
{
	static struct item item;
	static char text[ITEM_CONTENT_MAX], again[ITEM_CONTENT_MAX];
	size_t len = strlen(ok_text), again_len, accepted = 0;

	(void)state;
	for (size_t i = 0; i < 8 * len; i++) {
		memcpy(text, ok_text, len + 1);
		text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
		if (item_decode(&item, text, len) != 0)
			continue;
		accepted++;
		assert_int_equal(
		    item_encode(&item, again, sizeof(again), &again_len), 0);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, text, len);
	}
	assert_true(accepted > 100); /* digits, names: the check did look */
}

/* ok_text with one piece replaced must be refused. */
static void refuse_instead(const char *from, const char *to)
{
	static char text[2 * sizeof(ok_text) + 4096];
	const char *at = strstr(ok_text, from);

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - ok_text), ok_text,
	    to, at + strlen(from));
	refuse(text, strlen(text));
}

static void refuses_other_forms(void **state)
{
	static const char *const cases[][2] = {
	    {"hallmark/1", "hallmark/2"},
	    {"{\"format\"", " {\"format\""},
	    {",\"feed\"", ", \"feed\""},
	    {"\"feed\":", "\"feed\": "},
	    {"\"BTC-USD\"", "\"\""},
	    {"\"BTC-USD\"", "\"BTC\\u002dUSD\""},
	    {"\"BTC-USD\"", "\"BTC USD\""},
	    {"\"BTC-USD\"", "\"B\xc3\x84\""},
	    {"\"BTC-USD\"", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""},
	    {"\"BTC-USD\"", "null"},
	    {"0eff\"", "0eFF\""},
	    {"0eff\"", "0eff00\""},
	    {"0eff\"", "0ef\""},
	    {"0eff\"", "0efg\""},
	    {"\"sequence\":7", "\"sequence\":07"},
	    {"\"sequence\":7", "\"sequence\":-7"},
	    {"\"sequence\":7", "\"sequence\":+7"},
	    {"\"sequence\":7", "\"sequence\":7.0"},
	    {"\"sequence\":7", "\"sequence\":7e0"},
	    {"\"sequence\":7", "\"sequence\":\"7\""},
	    {"\"sequence\":7", "\"sequence\":"},
	    {"\"sequence\":7", "\"sequence\":null"},
	    {"\"sequence\":7", "\"sequence\":9007199254740992"},
	    {"\"sequence\":7", "\"sequence\":99999999999999999999999999"},
	    {"\"status\":\"ok\"", "\"status\":\"OK\""},
	    {"\"status\":\"ok\"", "\"status\":\"ok\",\"reason\":\"\""},
	    {"\"status\":\"ok\"", "\"status\":\"unavailable\""},
	    {"\"price\":\"84036.10\"", "\"price\":84036.10"},
	    {"\"price\":\"84036.10\"", "\"price\":\"084036.10\""},
	    {"\"price\":\"84036.10\"", "\"price\":\"8403610e-2\""},
	    {"\"price\":\"84036.10\"", "\"price\":\"84036.1\""},
	    {"\"price\":\"84036.10\"", "\"price\":\"84036.100\""},
	    {"\"price\":\"84036.10\"", "\"price\":\"-84036.10\""},
	    {"\"price\":\"84036.10\"", "\"price\":\"" BODY_32 BODY_32 "\""},
	    {"\"price\":\"84036.10\"", "\"price\":\"0.00\""},
	    {"\"price\":\"84036.10\"", "\"price\":null"},
	    {"\"price\":\"84036.10\"", "\"price\":\"\""},
	    {"\"confidence\":\"0.00\"", "\"confidence\":\"-0.00\""},
	    {"\"confidence\":\"0.00\"", "\"confidence\":\"-1.00\""},
	    {"\"confidence\":\"0.00\"", "\"confidence\":null"},
	    {"\"confidence\":\"0.00\"", "\"confidence\":\"0\""},
	    {"1763715605000", "1763715599999"}, /* expires before published */
	    {"\"last\":\"84089.0770\"", "\"last\":\"0.0000\""},
	    {"\"last\":\"84089.0770\"", "\"last\":\"-1\""},
	    {"\"via\":\"USDT-USD\",", ""},
	    {"\"via\":\"USDT-USD\"", "\"via\":\"\""},
	    {"\"price\":null,", "\"price\":null,\"via\":\"\",\"rate\":null,"},
	    {"\"rate\":\"0.99937\",", ""},
	    {"\"rate\":\"0.99937\"", "\"rate\":null"},
	    {"\"rate\":\"0.99937\"", "\"rate\":\"0\""},
	    {"\"received_ms\":1763715599500", "\"received_ms\":null"},
	    {"\"received_ms\":null", "\"received_ms\":1"},
	    {"\"body_sha256\":null", "\"body_sha256\":\"" ZERO_32 "\""},
	    {"\"tls_spki_sha256\":\"" BODY_32 "\"", "\"tls_spki_sha256\":null"},
	    {"\"state\":\"used\"", "\"state\":\"failed\""},
	    {"\"state\":\"used\"", "\"state\":\"outlier\""}, /* min_sources */
	    {"\"state\":\"used\"", "\"state\":\"used\",\"error\":\"ok\""},
	    {"\"state\":\"used\"", "\"state\":\"good\""},
	    {"\"state\":\"failed\"", "\"state\":\"used\""},
	    {"\"error\":\"connect_failed\"", "\"error\":\"ok\""},
	    {"\"error\":\"connect_failed\"", "\"error\":\"other\""},
	    {",\"error\":\"connect_failed\"", ""},
	    {"\"price\":null", "\"price\":\"1.00\""}, /* of one that failed */
	    {"\"last\":null,\"bid\":null,\"ask\":null,\"price\":null",
		"\"last\":\"1\",\"bid\":null,\"ask\":null,\"price\":null"},
	    {"\"exchange\":\"kraken\"", "\"exchange\":\"binance_us\""},
	    {"\"exchange\":\"kraken\"", "\"exchange\":\"a\""},
	    {"\"exchange\":\"kraken\",\"symbol\":\"BTC/USD\"",
		"\"exchange\":\"coinbase_exchange\",\"symbol\":\"BTC-USD\""},
	    {"\"median\"", "\"mean\""},
	    {"\"min_sources\":1", "\"min_sources\":0"},
	    {"\"min_sources\":1", "\"min_sources\":2"},
	    {"\"min_sources\":1", "\"min_sources\":33"},
	    {"\"min_sources\":1", "\"min_sources\":4294967297"},
	    {"},{", "},,{"},
	    {"},{", "}{"},
	    {"}],", "},],"},
	    {"\"sources\":[", "\"sources\":[,"},
	    {"\"aggregation\"", "\"extra\":1,\"aggregation\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuse_instead(cases[i][0], cases[i][1]);
	refuse("", 0);
	refuse(NULL, 0);
	refuse("null", 4);
	refuse("{}", 2);
}

/* Of price and confidence one alone, where nothing else would tell. */
static void one_number_alone(void **state)
{
	static char text[sizeof(unavailable_text) + 16];
	const char *at = strstr(unavailable_text, "\"confidence\":null");

	(void)state;
	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s\"confidence\":\"0\"%s",
	    (int)(at - unavailable_text), unavailable_text, strchr(at, ','));
	refuse(text, strlen(text));
}

/* Both, but of an item that has none. */
static void numbers_of_the_unavailable(void **state)
{
	static char text[sizeof(unavailable_text) + 32];
	const char *at = strstr(unavailable_text, "\"price\":null");

	(void)state;
	assert_non_null(at);
	snprintf(text, sizeof(text),
	    "%.*s\"price\":\"1\",\"confidence\":\"0\"%s",
	    (int)(at - unavailable_text), unavailable_text,
	    strstr(at, ",\"published_ms\""));
	refuse(text, strlen(text));
}

/* Forty sources, where the writer stops at 32. */
static void too_many_sources(void **state)
{
	static char text[40 * 512];
	const char *first = strstr(unavailable_text, "{\"exchange\""),
		   *after = strstr(unavailable_text, "}],") + 1;
	size_t len = (size_t)(first - unavailable_text);

	(void)state;
	memcpy(text, unavailable_text, len);
	for (char c = 'A'; c < 'A' + 40; c++) {
		memcpy(text + len, first, (size_t)(after - first));
		*strstr(text + len, "binance") = c;
		len += (size_t)(after - first);
		text[len++] = ',';
	}
	memcpy(text + len - 1, after, strlen(after) + 1);
	refuse(text, strlen(text));
}

static void refuses_what_is_too_long(void **state)
{
	static char text[ITEM_CONTENT_MAX + 1];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, ok_text, strlen(ok_text));
	refuse(text, sizeof(text));
}

static void unavailable_rules(void **state)
{
	static struct item item;
	static char text[ITEM_CONTENT_MAX];
	size_t len;

	(void)state;
	make_ok(&item);
	item.status = ITEM_UNAVAILABLE; /* a used source is left: the clock */
	item.reason = ITEM_CLOCK_UNCERTAIN;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), 0);
	assert_non_null(strstr(text,
	    "\"status\":\"unavailable\",\"reason\":\"clock_uncertain\","
	    "\"price\":null,\"confidence\":null,"));
	item.reason = ITEM_INSUFFICIENT_SOURCES;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), -1);
	item.min_sources = 2;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), 0);
	item.min_sources = FEED_SOURCES_MAX + 1;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), -1);
	item.min_sources = 2;
	item.reason = ITEM_NO_REASON;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), -1);
}

/* A jump is told of a price that could have been. */
static void price_jump_rules(void **state)
{
	static struct item item, again;
	static char text[ITEM_CONTENT_MAX];
	size_t len;

	(void)state;
	make_ok(&item);
	item.status = ITEM_UNAVAILABLE;
	item.reason = ITEM_PRICE_JUMP;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), 0);
	assert_non_null(
	    strstr(text, "\"status\":\"unavailable\",\"reason\":\"price_jump\","
			 "\"price\":null,\"confidence\":null,"));
	assert_int_equal(item_decode(&again, text, len), 0);
	assert_int_equal(again.reason, ITEM_PRICE_JUMP);
	round_trip(text);
	item.min_sources = 2; /* one is used */
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), -1);
	item.min_sources = 1;
	item.reason = (enum item_reason)(ITEM_PRICE_JUMP + 1);
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), -1);
}

/* A check has a price and is no source of the item's. */
static void checks(void **state)
{
	static struct item item;
	static char text[ITEM_CONTENT_MAX];
	size_t len;

	(void)state;
	make_ok(&item);
	item.sources[2].state = SOURCE_CHECK;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), 0);
	assert_non_null(strstr(text, "\"state\":\"check\"}],\"aggregation\""));
	round_trip(text);
	item.min_sources = 2; /* it does not count */
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), -1);
	item.min_sources = 1;
	item.sources[2].has_price = false;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), -1);
	item.sources[2].has_price = true;
	item.sources[2].error = QUOTE_TIMEOUT;
	assert_int_equal(item_encode(&item, text, sizeof(text), &len), -1);
}

static void set_decimals(struct item *item, int exponent)
{
	item->price.exponent = item->confidence.exponent = exponent;
	item->sources[0].price.exponent = exponent;
	item->sources[2].price.exponent = exponent;
}

/* Our own bugs, told by -1 before anything is signed. */
static void refuses_to_write_nonsense(void **state)
{
	static struct item item;
	static char text[ITEM_CONTENT_MAX];
	size_t len;

	(void)state;
#define REFUSE(change)                                                 \
	do {                                                           \
		make_ok(&item);                                        \
		change;                                                \
		assert_int_equal(                                      \
		    item_encode(&item, text, sizeof(text), &len), -1); \
		assert_int_equal(len, 0);                              \
		assert_string_equal(text, "");                         \
	} while (0)
	REFUSE(item.feed[0] = '\0');
	REFUSE(item.feed[0] = '"');
	REFUSE(memset(item.feed, 'A', sizeof(item.feed)));
	REFUSE(item.sequence = 9007199254740992);
	REFUSE(item.published_ms = -1);
	REFUSE(item.expires_ms = INT64_MAX);
	REFUSE(item.status = (enum item_status)2);
	REFUSE(item.reason = ITEM_CLOCK_UNCERTAIN);
	REFUSE(item.price.mantissa = 0);
	REFUSE(item.price.exponent = -3);
	REFUSE(item.confidence.exponent = 0);
	REFUSE(item.confidence.mantissa = -1);
	REFUSE(item.min_sources = 0);
	REFUSE(item.min_sources = 2);
	REFUSE(item.source_count = FEED_SOURCES_MAX + 1);
	REFUSE(item.sources[0].exchange[0] = 'z');
	REFUSE(item.sources[0].symbol[0] = '\\');
	REFUSE(item.sources[0].quote.last.mantissa = 0);
	REFUSE(item.sources[0].quote.last.exponent = 37);
	REFUSE(item.sources[0].quote.last.exponent = -37);
	REFUSE(item.sources[2].quote.bid.mantissa = 0);
	REFUSE(item.sources[2].quote.ask.mantissa = 0);
	REFUSE(item.sources[0].quote.exchange_ms = -1);
	REFUSE(item.sources[0].received_ms = -1);
	REFUSE(item.sources[2].exchange[0] = '~');
	REFUSE(item.sources[2].price.mantissa = 0);
	REFUSE(item.sources[2].price.exponent = -3);
	REFUSE(item.sources[2].state = (enum source_state)6);
	REFUSE(set_decimals(&item, -13));
	REFUSE(set_decimals(&item, 1));
	REFUSE(item.sources[0].has_rate = false);
	REFUSE(item.sources[0].rate.mantissa = -1);
	REFUSE(item.sources[0].has_price = false);
	REFUSE(item.sources[0].price.exponent = -4);
	REFUSE(item.sources[0].has_answer = false);
	REFUSE(item.sources[0].via[0] = '\0');
	REFUSE(item.sources[0].via[0] = ' ');
	REFUSE(item.sources[0].error = QUOTE_TIMEOUT);
	REFUSE(item.sources[0].state = (enum source_state)6);
	REFUSE(item.sources[1].error = QUOTE_OK);
	REFUSE(item.sources[1].error = QUOTE_ERROR_COUNT);
	REFUSE(item.sources[1].has_price = true);
	REFUSE(item.sources[2] = item.sources[1]);
#undef REFUSE
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(item_status_name(ITEM_OK), "ok");
	assert_string_equal(item_status_name(ITEM_UNAVAILABLE), "unavailable");
	assert_string_equal(item_reason_name(ITEM_NO_REASON), "");
	assert_string_equal(
	    item_reason_name(ITEM_CLOCK_UNCERTAIN), "clock_uncertain");
	assert_string_equal(source_state_name(SOURCE_USED), "used");
	assert_string_equal(source_state_name(SOURCE_FAILED), "failed");
	assert_string_equal(item_reason_name(ITEM_PRICE_JUMP), "price_jump");
	assert_string_equal(source_state_name(SOURCE_CHECK), "check");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encodes_exactly),
	    cmocka_unit_test(decodes),
	    cmocka_unit_test(is_json),
	    cmocka_unit_test(needs_room),
	    cmocka_unit_test(the_largest_item_fits),
	    cmocka_unit_test(refuses_every_cut_and_more),
	    cmocka_unit_test(one_reading),
	    cmocka_unit_test(refuses_other_forms),
	    cmocka_unit_test(one_number_alone),
	    cmocka_unit_test(numbers_of_the_unavailable),
	    cmocka_unit_test(too_many_sources),
	    cmocka_unit_test(refuses_what_is_too_long),
	    cmocka_unit_test(unavailable_rules),
	    cmocka_unit_test(price_jump_rules),
	    cmocka_unit_test(checks),
	    cmocka_unit_test(refuses_to_write_nonsense),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("item", tests, NULL, NULL);
}
