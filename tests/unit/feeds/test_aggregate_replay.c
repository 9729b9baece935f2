/*
 * aggregate_replay: an hour of two feeds, made up: a walk with jumps, sources
 * that fail, freeze, lie and are late, a coin that loses its dollar, a clock
 * that nobody believes. What is signed of it must not depend on the order in
 * which the file names the sources or the exchanges answer, nor on the machine
 * or the compiler; and whoever has the items can make them again.
 *
 * Hashes of all contents are compared: with a second run in another order, and
 * with the one below, which every build must give. It changes when a rule or
 * the format does, and then so does what has been signed: say so in the commit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feeds/aggregate.h"
#include "feeds/hex.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS   3600 /* of a second */
#define START_MS 1763715600000
#define WANTED                                                     \
	"50b15c77d36caff766b8788dedcafeff474d55fed52f6f594168251d" \
	"54375f8b"

/* ---- the two feeds ---- */

/* As a file would name them. Their times are the test's, so that an adapter's
 * facts may change. */
static const struct named {
	const char *exchange, *symbol, *quote_feed, *role;
	enum exchange_time time;
} btc[] = {
    {"binance", "BTCFDUSD", NULL, NULL, EXCHANGE_TIME_BUCKET},
    {"binance", "BTCTUSD", NULL, NULL, EXCHANGE_TIME_CHANGE},
    {"binance", "BTCUSDC", NULL, NULL, EXCHANGE_TIME_REPLY},
    {"binance", "BTCUSDT", "USDT-USD", NULL, EXCHANGE_TIME_QUOTE},
    {"bitstamp", "btcpax", NULL, "check", EXCHANGE_TIME_QUOTE},
    {"bitstamp", "btcusd", NULL, "vote", EXCHANGE_TIME_REPLY},
    {"bitstamp", "btcusdc", NULL, NULL, EXCHANGE_TIME_TRADE},
    {"bitstamp", "btcusdt", "USDT-USD", NULL, EXCHANGE_TIME_REPLY},
    {"coinbase_exchange", "BTC-USD", NULL, NULL, EXCHANGE_TIME_TRADE},
    {"coinbase_exchange", "BTC-USDC", NULL, NULL, EXCHANGE_TIME_TRADE},
    {"coinbase_exchange", "BTC-USDT", "USDT-USD", NULL, EXCHANGE_TIME_TRADE},
    {"kraken", "XBTUSD", NULL, NULL, EXCHANGE_TIME_NONE},
    {"kraken", "XBTUSDC", NULL, NULL, EXCHANGE_TIME_NONE},
    {"kraken", "XBTUSDT", "USDT-USD", NULL, EXCHANGE_TIME_NONE},
};
static const struct named usdt[] = {
    {"bitstamp", "usdtusd", NULL, NULL, EXCHANGE_TIME_REPLY},
    {"coinbase_exchange", "USDT-USD", NULL, NULL, EXCHANGE_TIME_TRADE},
    {"kraken", "USDTUSD", NULL, NULL, EXCHANGE_TIME_NONE},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One run: everything that lasts from round to round. */
struct line {
	struct feed_config *config;
	struct exchange exchanges[FEED_SOURCES_MAX]; /* with our times */
	struct aggregate_past past;
	uint64_t sequence;
	uint8_t previous_sha256[32];
};

struct run {
	uint64_t order; /* of the sources, in the file and in the answers */
	struct feed_set set;
	struct line lines[2]; /* USDT-USD, BTC-USD */
	struct item item;
	char content[ITEM_CONTENT_MAX];
	size_t len;
	EVP_MD_CTX *sha256;
	unsigned reasons[4], states[6], confirmed, forgotten;
};

static struct run first, second;

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* 0 .. count-1 in the run's order; order 0 leaves them as they are. */
static void permute(uint64_t *order, size_t count, size_t *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = i;
	for (size_t i = count; *order != 0 && i > 1; i--) {
		size_t j = (size_t)(next(order) % i), swap = out[i - 1];
		out[i - 1] = out[j];
		out[j] = swap;
	}
}

static json_t *sources_json(
    struct run *run, const struct named *named, size_t count)
{
	size_t places[FEED_SOURCES_MAX];
	json_t *array = json_array();

	permute(&run->order, count, places);
	for (size_t i = 0; i < count; i++) {
		const struct named *n = &named[places[i]];
		json_array_append_new(
		    array, json_pack("{s:s, s:s, s:s*, s:s*}", "exchange",
			       n->exchange, "symbol", n->symbol, "quote_feed",
			       n->quote_feed, "role", n->role));
	}
	return array;
}

static void configure(struct run *run)
{
	char error[FEED_CONFIG_ERROR_MAX];
	json_t *feeds = json_pack("[{s:s, s:i, s:i, s:i, s:i, s:i, s:o},"
				  " {s:s, s:i, s:i, s:i, s:i, s:i, s:o}]",
	    "feed", "USDT-USD", "decimals", 6, "interval_ms", 1000,
	    "max_age_ms", 12000, "min_sources", 2, "max_deviation_bps", 500,
	    "sources", sources_json(run, usdt, COUNT(usdt)), "feed", "BTC-USD",
	    "decimals", 8, "interval_ms", 1000, "max_age_ms", 5000,
	    "min_sources", 3, "exchange_max_age_ms", 30000, "sources",
	    sources_json(run, btc, COUNT(btc)));

	assert_non_null(feeds);
	if (feed_set_parse(&run->set, feeds, error) != 0)
		fail_msg("%s", error);
	json_decref(feeds);
}

static const struct named *find_named(const struct feed_source *source)
{
	for (size_t i = 0; i < COUNT(btc); i++)
		if (strcmp(btc[i].symbol, source->symbol) == 0)
			return &btc[i];
	for (size_t i = 0; i < COUNT(usdt); i++)
		if (strcmp(usdt[i].symbol, source->symbol) == 0)
			return &usdt[i];
	fail_msg("%s", source->symbol);
	return NULL;
}

static void begin(struct run *run, uint64_t order)
{
	*run = (struct run){.order = order, .sha256 = EVP_MD_CTX_new()};
	assert_non_null(run->sha256);
	assert_int_equal(EVP_DigestInit_ex(run->sha256, EVP_sha256(), NULL), 1);
	configure(run);
	for (size_t i = 0; i < 2; i++) {
		struct line *line = &run->lines[i];
		line->config = &run->set.feeds[i];
		for (size_t s = 0; s < line->config->source_count; s++) {
			struct feed_source *source = &line->config->sources[s];
			line->exchanges[s] = (struct exchange){
			    .name = source->exchange->name,
			    .time = find_named(source)->time};
			source->exchange = &line->exchanges[s];
		}
	}
}

/* ---- what the exchanges say: by round and name, whatever the order ---- */

static uint64_t seed_of(int round, const char *exchange, const char *symbol)
{
	uint64_t seed = (uint64_t)round * 2654435761u;

	for (const char *p = exchange; *p != '\0'; p++)
		seed = seed * 1099511628211u + (uint8_t)*p;
	for (const char *p = symbol; *p != '\0'; p++)
		seed = seed * 1099511628211u + (uint8_t)*p;
	next(&seed);
	next(&seed);
	return seed;
}

/* A dollar price in units of 1e-6: it wanders, leaps a fifth every 400 rounds
 * and stays there, leaps for one round only, and has fallen by a third when the
 * long outage is over. */
static int64_t btc_micros(int round)
{
	int64_t price = 84000000000;

	price += (round % 700) * 1500000 - (round % 311) * 900000;
	if (round / 400 % 2 == 1)
		price += 17000000000;
	if (round % 250 == 17 || round % 250 == 20)
		price /= 2;
	if (round >= 2700)
		price -= 30000000000;
	return price;
}

static int64_t usdt_micros(int round)
{
	int64_t price = 999370 + round % 97 - round % 53;

	if (round >= 2000 && round < 2060) /* it loses its dollar: slowly, */
		price -= (round - 2000) * 5000;
	if (round >= 2060 && round < 2120) /* and finds it again */
		price -= (2120 - round) * 5000;
	return price;
}

/* Most are gone, once for a few rounds and once for more than ten minutes. */
static bool is_outage(int round)
{
	return (round >= 2030 && round < 2040) ||
	       (round >= 2450 && round < 3150);
}

static void set_quote(struct item_source *s, int64_t micros, uint64_t *seed)
{
	int64_t half = 1 + micros / 20000;
	uint64_t form = next(seed) % 20;

	micros += (int64_t)(next(seed) % 1000) * micros / 1000000;
	if (next(seed) % 40 == 0) /* a lie */
		micros = micros / 10 * (int64_t)(1 + next(seed) % 30);
	s->quote.has_last = form != 0;
	s->quote.has_bid = s->quote.has_ask = form % 5 != 1;
	s->quote.has_ask = s->quote.has_ask && form != 2;
	if (s->quote.has_last)
		s->quote.last = (struct decimal){micros, -6};
	if (s->quote.has_bid)
		s->quote.bid = (struct decimal){(micros - half) / 10, -5};
	if (s->quote.has_ask)
		s->quote.ask = (struct decimal){
		    (micros + half * (form == 3 ? 3000 : 1)) * 100, -8};
}

static void set_times(
    struct item_source *s, int64_t now_ms, bool has_time, uint64_t *seed)
{
	s->has_answer = true;
	s->received_ms = now_ms - (int64_t)(next(seed) % 1500);
	if (next(seed) % 30 == 0)
		s->received_ms -= (int64_t)(next(seed) % 15000);
	s->quote.has_exchange_ms = has_time;
	if (has_time)
		s->quote.exchange_ms = s->received_ms +
				       (int64_t)(next(seed) % 400) - 300;
	if (has_time && next(seed) % 20 == 0)
		s->quote.exchange_ms -= (int64_t)(next(seed) % 60000) - 8000;
	for (size_t i = 0; i < 32; i++) {
		s->body_sha256[i] = (uint8_t)next(seed);
		s->tls_spki_sha256[i] = (uint8_t)s->exchange[0];
	}
}

static void answer(
    struct item_source *s, const struct named *named, int round, int64_t now_ms)
{
	static const enum quote_error errors[] = {QUOTE_TIMEOUT,
	    QUOTE_MAINTENANCE, QUOTE_RATE_LIMITED, QUOTE_NO_PRICE};
	uint64_t seed = seed_of(round, named->exchange, named->symbol);
	bool is_btc = named >= btc && named < btc + COUNT(btc);
	int64_t micros = is_btc ? btc_micros(round) : usdt_micros(round);

	*s = (struct item_source){.state = SOURCE_USED};
	snprintf(s->exchange, sizeof(s->exchange), "%s", named->exchange);
	snprintf(s->symbol, sizeof(s->symbol), "%s", named->symbol);
	if (named->quote_feed != NULL) {
		snprintf(s->via, sizeof(s->via), "%s", named->quote_feed);
		micros = micros * 1000 / (usdt_micros(round) / 1000);
	}
	if (next(&seed) % 25 == 0 ||
	    (is_btc && is_outage(round) && next(&seed) % 10 < 8)) {
		s->state = SOURCE_FAILED;
		s->error = errors[next(&seed) % COUNT(errors)];
		return;
	}
	set_quote(s, micros, &seed);
	set_times(s, now_ms, named->time != EXCHANGE_TIME_NONE, &seed);
	if (next(&seed) % 60 == 0)
		s->state = SOURCE_FROZEN;
}

/* ---- rounds ---- */

static struct item_source *place_of(
    struct run *run, const struct line *line, const struct named *named)
{
	for (size_t i = 0; i < line->config->source_count; i++)
		if (strcmp(line->config->sources[i].symbol, named->symbol) ==
			0 &&
		    strcmp(line->config->sources[i].exchange->name,
			named->exchange) == 0)
			return &run->item.sources[i];
	fail_msg("%s %s", named->exchange, named->symbol);
	return NULL;
}

static void fill(struct run *run, struct line *line, int round)
{
	const struct named *named = line == run->lines ? usdt : btc;
	size_t places[FEED_SOURCES_MAX], count = line->config->source_count;
	int64_t now_ms = START_MS + round * 1000;
	struct item *item = &run->item;

	*item = (struct item){
	    .sequence = line->sequence++,
	    .published_ms = now_ms,
	    .expires_ms = now_ms + line->config->max_age_ms,
	    .source_count = count,
	};
	memcpy(item->feed, line->config->feed, sizeof(item->feed));
	memcpy(item->previous_sha256, line->previous_sha256, 32);
	permute(&run->order, count, places);
	for (size_t i = 0; i < count; i++) {
		struct item_source *s = place_of(run, line, &named[places[i]]);
		answer(s, &named[places[i]], round, now_ms);
		if (s->via[0] == '\0')
			continue;
		s->has_rate = run->lines[0].past.has_price &&
			      run->lines[0].past.published_ms == now_ms;
		if (s->has_rate)
			s->rate = run->lines[0].past.price;
	}
}

static void count_outcome(struct run *run, const struct line *line)
{
	const struct item *item = &run->item;
	bool far = false;

	run->reasons[item->reason]++;
	for (size_t i = 0; i < item->source_count; i++)
		run->states[item->sources[i].state]++;
	if (item->status != ITEM_OK || !line->past.has_price)
		return;
	far = item->price.mantissa > line->past.price.mantissa / 10 * 11 ||
	      item->price.mantissa < line->past.price.mantissa / 10 * 9;
	run->confirmed += far && line->past.has_candidate;
	run->forgotten += far && !line->past.has_candidate;
}

static void play(struct run *run, struct line *line, int round)
{
	fill(run, line, round);
	aggregate(line->config, &line->past, &run->item);
	if (round % 900 >= 895) { /* as the publisher does it */
		run->item.status = ITEM_UNAVAILABLE;
		run->item.reason = ITEM_CLOCK_UNCERTAIN;
		run->item.price = run->item.confidence = (struct decimal){0};
	}
	count_outcome(run, line);
	aggregate_remember(&line->past, line->config, &run->item);
	assert_int_equal(item_encode(&run->item, run->content,
			     sizeof(run->content), &run->len),
	    0);
	assert_int_equal(EVP_Digest(run->content, run->len,
			     line->previous_sha256, NULL, EVP_sha256(), NULL),
	    1);
	assert_int_equal(
	    EVP_DigestUpdate(run->sha256, run->content, run->len), 1);
}

static void end(struct run *run, char hex[65])
{
	uint8_t sha256[32];

	assert_int_equal(EVP_DigestFinal_ex(run->sha256, sha256, NULL), 1);
	EVP_MD_CTX_free(run->sha256);
	run->sha256 = NULL;
	hex_encode(sha256, sizeof(sha256), hex);
}

static void play_hour(struct run *run, uint64_t order, char hex[65])
{
	begin(run, order);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < 2; i++)
			play(run, &run->lines[i], round);
	end(run, hex);
}

/* ---- tests ---- */

/* What a replay proves is worth what it met. */
static void assert_met_everything(const struct run *run)
{
	for (size_t i = 0; i < COUNT(run->reasons); i++)
		print_message("%s%s: %u\n", i == 0 ? "ok" : "",
		    item_reason_name((enum item_reason)i), run->reasons[i]);
	for (size_t i = 0; i < COUNT(run->states); i++)
		print_message("%s: %u\n",
		    source_state_name((enum source_state)i), run->states[i]);
	print_message("jumps confirmed: %u, pasts forgotten: %u\n",
	    run->confirmed, run->forgotten);
	assert_int_equal(run->reasons[0] + run->reasons[1] + run->reasons[2] +
			     run->reasons[3],
	    2 * ROUNDS);
	for (size_t i = 0; i < COUNT(run->reasons); i++)
		assert_true(run->reasons[i] > 0);
	for (size_t i = 0; i < COUNT(run->states); i++)
		assert_true(run->states[i] > 0);
	assert_true(run->confirmed > 3);
	assert_true(run->forgotten > 0);
}

static void the_same_bytes(void **state)
{
	char one[65], two[65];

	(void)state;
	play_hour(&first, 0, one);
	play_hour(&second, 7, two);
	assert_met_everything(&first);
	print_message("SHA-256 of %d contents: %s\n", 2 * ROUNDS, one);
	assert_string_equal(one, two);
	assert_string_equal(one, WANTED);
}

static void first_round(struct run *run, int64_t more, char hex[65])
{
	struct line *line = &run->lines[1];

	begin(run, 0);
	fill(run, line, 0);
	run->item.sources[5].quote.last.mantissa += more;
	aggregate(line->config, &line->past, &run->item);
	assert_int_equal(item_encode(&run->item, run->content,
			     sizeof(run->content), &run->len),
	    0);
	EVP_DigestUpdate(run->sha256, run->content, run->len);
	end(run, hex);
}

/* The gate can fail: one source's last digit is another hash. */
static void another_digit(void **state)
{
	char one[65], two[65];

	(void)state;
	first_round(&first, 0, one);
	first_round(&second, 1, two);
	assert_string_not_equal(one, two);
}

/* As an auditor does it: from the decoded item back to what the poller had
 * said, and the same content comes out. The clock's word is the oracle's. */
static void remake(struct run *run, struct line *line)
{
	static struct item read;
	static char again[ITEM_CONTENT_MAX];
	enum item_reason reason;
	size_t len;

	assert_int_equal(item_decode(&read, run->content, run->len), 0);
	reason = read.reason;
	for (size_t i = 0; i < read.source_count; i++) {
		struct item_source *s = &read.sources[i];
		if (s->state == SOURCE_FROZEN ||
		    (s->state == SOURCE_FAILED && !s->has_answer))
			continue;
		s->state = SOURCE_USED;
	}
	aggregate(line->config, &line->past, &read);
	if (reason == ITEM_CLOCK_UNCERTAIN) {
		read.status = ITEM_UNAVAILABLE;
		read.reason = reason;
	}
	aggregate_remember(&line->past, line->config, &read);
	assert_int_equal(item_encode(&read, again, sizeof(again), &len), 0);
	assert_int_equal(len, run->len);
	assert_memory_equal(again, run->content, len);
}

static void from_the_contents(void **state)
{
	char hex[65];

	(void)state;
	begin(&first, 3);
	begin(&second, 5);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < 2; i++) {
			play(&first, &first.lines[i], round);
			remake(&first, &second.lines[i]);
		}
	end(&first, hex);
	assert_string_equal(hex, WANTED);
	end(&second, hex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_bytes),
	    cmocka_unit_test(another_digit),
	    cmocka_unit_test(from_the_contents),
	};

	return cmocka_run_group_tests_name(
	    "aggregate_replay", tests, NULL, NULL);
}
