/*
 * poller: all exchanges in use, each with a poller_exchange of its own; here
 * they are set up from the feeds, and what they know is put together.
 */
#include "oracle/poller.h"

#include "base/log.h"
#include "oracle/poller_exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct poller {
	struct poller_exchange *exchanges; /* in the order of the table */
	struct clock_witness *witnesses;   /* one for each */
	size_t exchange_count;
	struct raw_answers *raw; /* NULL: not kept */
	bool stopped;
};

/* ---- set up: each exchange once, each symbol of it once ---- */

static struct poller_exchange *find_exchange(
    const struct poller *poller, const struct exchange *exchange)
{
	for (size_t i = 0; i < poller->exchange_count; i++) {
		if (poller->exchanges[i].exchange == exchange)
			return &poller->exchanges[i];
	}
	return NULL;
}

/* Where it stands in the table; behind all others if it does not. */
static size_t rank(const struct exchange *exchange)
{
	size_t i = 0;

	while (exchange_table[i] != NULL && exchange_table[i] != exchange)
		i++;
	return i;
}

static void add_exchange(
    struct poller *poller, const struct exchange *exchange, size_t source_max)
{
	struct poller_exchange *exchanges = poller->exchanges;
	size_t at = poller->exchange_count++;

	while (at > 0 && rank(exchanges[at - 1].exchange) > rank(exchange)) {
		exchanges[at] = exchanges[at - 1];
		at--;
	}
	poller_exchange_init(&exchanges[at], exchange, source_max);
}

/* How many sources of all feeds are of this exchange; NULL: of any. */
static size_t count_sources(
    const struct feed_set *feeds, const struct exchange *exchange)
{
	size_t n = 0;

	for (size_t f = 0; f < feeds->count; f++) {
		const struct feed_config *feed = &feeds->feeds[f];
		for (size_t i = 0; i < feed->source_count; i++)
			n += exchange == NULL ||
			     feed->sources[i].exchange == exchange;
	}
	return n;
}

static void add_feed(struct poller *poller, const struct feed_set *feeds,
    const struct feed_config *feed)
{
	for (size_t i = 0; i < feed->source_count; i++) {
		const struct feed_source *source = &feed->sources[i];

		if (find_exchange(poller, source->exchange) == NULL)
			add_exchange(poller, source->exchange,
			    count_sources(feeds, source->exchange));
		poller_exchange_add(find_exchange(poller, source->exchange),
		    feed, source->symbol);
	}
}

static struct poller *poller_new(const struct feed_set *feeds)
{
	struct poller *poller = calloc(1, sizeof(*poller));
	size_t most = count_sources(feeds, NULL) + 1;

	if (poller != NULL) {
		poller->exchanges = calloc(most, sizeof(*poller->exchanges));
		poller->witnesses = calloc(most, sizeof(*poller->witnesses));
	}
	if (poller == NULL || poller->exchanges == NULL ||
	    poller->witnesses == NULL)
		log_die("poller", "out of memory");
	for (size_t i = 0; i < feeds->count; i++)
		add_feed(poller, feeds, &feeds->feeds[i]);
	return poller;
}

/* ---- public ---- */

struct poller *poller_start(
    uv_loop_t *loop, const struct config *config, SSL_CTX *tls)
{
	struct poller *poller = poller_new(&config->feeds);

	if (config->keep_raw_s > 0)
		poller->raw = raw_answers_new(
		    config->keep_raw_s * 1000, RAW_ANSWERS_BYTES);
	for (size_t i = 0; i < poller->exchange_count; i++)
		poller_exchange_start(&poller->exchanges[i],
		    &(struct poller_exchange_options){
			.loop = loop,
			.config = config,
			.tls = tls,
			.witness = &poller->witnesses[i],
			.raw = poller->raw,
			.place = (unsigned)i,
			.places = (unsigned)poller->exchange_count,
		    });
	return poller;
}

static void on_secret(const char *name, void *data)
{
	struct poller *poller = data;

	for (size_t i = 0; !poller->stopped && i < poller->exchange_count; i++)
		poller_exchange_key_changed(&poller->exchanges[i], name);
}

void poller_use_secrets(struct poller *poller, struct secrets *secrets)
{
	for (size_t i = 0; i < poller->exchange_count; i++)
		poller->exchanges[i].secrets = secrets;
	secrets_watch(secrets, on_secret, poller);
}

void poller_stop(struct poller *poller)
{
	if (poller->stopped)
		return;
	poller->stopped = true;
	for (size_t i = 0; i < poller->exchange_count; i++)
		poller_exchange_stop(&poller->exchanges[i]);
}

void poller_free(struct poller *poller)
{
	if (poller == NULL)
		return;
	assert(poller->stopped);
	for (size_t i = 0; i < poller->exchange_count; i++)
		poller_exchange_fini(&poller->exchanges[i]);
	free(poller->exchanges);
	free(poller->witnesses);
	raw_answers_free(poller->raw);
	free(poller);
}

const struct raw_answers *poller_raw(const struct poller *poller)
{
	return poller->raw;
}

void poller_read(const struct poller *poller, const struct feed_config *feed,
    int64_t now_ms, struct item_source *sources)
{
	for (size_t i = 0; i < feed->source_count; i++) {
		const struct feed_source *wanted = &feed->sources[i];
		const struct poller_exchange *ex = find_exchange(
		    poller, wanted->exchange);
		const struct poll_source *source =
		    ex != NULL ? poll_plan_find(&ex->plan, wanted->symbol)
			       : NULL;

		assert(source != NULL); /* the same configuration */
		poll_source_read(source, feed, now_ms, &sources[i]);
		memcpy(
		    sources[i].via, wanted->quote_feed, sizeof(sources[i].via));
	}
}

bool poller_clock_offset(
    const struct poller *poller, int64_t now_monotonic_ms, int64_t *offset_ms)
{
	return clock_check_median(poller->witnesses, poller->exchange_count,
	    now_monotonic_ms, offset_ms);
}

void poller_visit(const struct poller *poller, int64_t now_monotonic_ms,
    poller_exchange_cb exchange_cb, poller_source_cb source_cb, void *data)
{
	for (size_t i = 0; i < poller->exchange_count; i++)
		poller_exchange_visit(&poller->exchanges[i], now_monotonic_ms,
		    exchange_cb, source_cb, data);
}
