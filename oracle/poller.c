/*
 * poller: for each exchange in use one https_client, one timer and a queue of
 * sources.
 *
 *            timer: one is due and the budget allows it
 *   WAITING ------------------------------------------> ASKING
 *      ^                                                  |
 *      +---- answer: parse, keep, set when it is due -----+
 *
 * The queue is walked from its head, and a source that was asked goes to its
 * tail: when there is more to ask than the budget allows, all get their turn.
 * WAITING waits for the timer, ASKING for https_client, which has deadlines.
 *
 * Failures are one line in the log when they begin or change and one when they
 * end; a source in trouble backs off alone, an exchange that says "enough" is
 * left alone as a whole (poll_budget).
 */
#include "oracle/poller.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/https_client.h"
#include "oracle/poll_budget.h"
#include "oracle/poll_source.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define HTTPS_PORT 443

TAILQ_HEAD(source_queue, poll_source);

struct poller_exchange {
	const struct exchange *exchange;
	struct https_client *client;
	uv_timer_t timer;
	struct poll_budget budget;
	struct source_queue queue;
	struct poll_source *asking; /* NULL: WAITING */
};

struct poller {
	uv_loop_t *loop;
	struct poller_exchange *exchanges;
	size_t exchange_count;
	struct poll_source *sources;
	size_t source_count;
	bool stopped;
};

static void arm(struct poller_exchange *ex);

static uint32_t random_bits(void)
{
	uint32_t bits = 0;

	/* Jitter only: without entropy there is just less of it. */
	(void)uv_random(NULL, NULL, &bits, sizeof(bits), 0, NULL);
	return bits;
}

/* ---- what an attempt came to ---- */

static void log_failure(const struct poll_source *source,
    const struct poll_outcome *outcome, const char *why, int64_t pause_ms)
{
	log_warn("poller", "source_failed",
	    LOG_S("exchange", source->exchange->name),
	    LOG_S("symbol", source->symbol),
	    LOG_S("error", quote_error_name(outcome->error)), LOG_S("why", why),
	    LOG_D("status", outcome->status), LOG_D("pause_ms", pause_ms));
}

static void note_failure(struct poller_exchange *ex,
    const struct poll_outcome *outcome, const char *why)
{
	struct poll_source *source = ex->asking;
	int64_t now_ms = now_monotonic_ms();
	int64_t pause_ms = poll_budget_judge(
	    &ex->budget, outcome, now_ms, random_bits());

	if (poll_source_fail(source, outcome->error, now_ms, random_bits()) !=
	    outcome->error)
		log_failure(source, outcome, why, pause_ms);
}

static void note_success(struct poller_exchange *ex,
    const struct poll_outcome *outcome, const struct quote *quote,
    const struct https_answer *answer)
{
	struct poll_source *source = ex->asking;
	struct poll_answer good = {
	    .quote = *quote,
	    .received_ms = now_unix_ms(),
	    .received_steady_ms = now_monotonic_ms(),
	};

	memcpy(good.tls_spki_sha256, answer->tls_spki_sha256,
	    sizeof(good.tls_spki_sha256));
	if (EVP_Digest(answer->body, answer->len, good.body_sha256, NULL,
		EVP_sha256(), NULL) != 1)
		log_die("poller", "out of memory");
	poll_budget_judge(
	    &ex->budget, outcome, good.received_steady_ms, random_bits());
	enum quote_error before = poll_source_succeed(source, &good);
	if (before != QUOTE_OK && before != QUOTE_NOT_POLLED)
		log_info("poller", "source_recovered",
		    LOG_S("exchange", source->exchange->name),
		    LOG_S("symbol", source->symbol),
		    LOG_S("error", quote_error_name(before)));
}

static void on_answer(const struct https_answer *answer, void *data)
{
	struct poller_exchange *ex = data;
	struct quote quote = {0};
	struct poll_outcome outcome = {
	    .error = answer->error,
	    .status = answer->status,
	    .retry_after_ms = answer->retry_after_ms,
	};

	assert(ex->asking != NULL);
	if (outcome.error == QUOTE_OK)
		outcome.error = exchange_parse(&quote, ex->exchange,
		    ex->asking->symbol, answer->status, answer->body,
		    answer->len);
	if (outcome.error == QUOTE_OK)
		note_success(ex, &outcome, &quote, answer);
	else
		note_failure(ex, &outcome, answer->why);
	ex->asking = NULL;
	arm(ex);
}

/* ---- when to ask ---- */

static struct poll_source *first_due(
    const struct poller_exchange *ex, int64_t now_ms)
{
	struct poll_source *source;

	TAILQ_FOREACH(source, &ex->queue, link)
	{
		if (source->due_steady_ms <= now_ms)
			return source;
	}
	return NULL;
}

static int64_t next_time(const struct poller_exchange *ex)
{
	int64_t ready_ms = poll_budget_ready_ms(&ex->budget);
	int64_t due_ms = INT64_MAX;
	const struct poll_source *source;

	TAILQ_FOREACH(source, &ex->queue, link)
	{
		if (source->due_steady_ms < due_ms)
			due_ms = source->due_steady_ms;
	}
	return due_ms > ready_ms ? due_ms : ready_ms;
}

static void ask(struct poller_exchange *ex, struct poll_source *source)
{
	int64_t now_ms = now_monotonic_ms();

	TAILQ_REMOVE(&ex->queue, source, link);
	TAILQ_INSERT_TAIL(&ex->queue, source, link);
	poll_source_begin(source, now_ms, random_bits());
	poll_budget_spend(&ex->budget, now_ms);
	ex->asking = source;
	https_client_get(ex->client, source->target, on_answer, ex);
}

static void on_timer(uv_timer_t *timer)
{
	struct poller_exchange *ex = timer->data;
	int64_t now_ms = now_monotonic_ms();
	struct poll_source *source = first_due(ex, now_ms);

	if (source != NULL && poll_budget_ready_ms(&ex->budget) <= now_ms)
		ask(ex, source);
	else
		arm(ex); /* the loop's clock is a little ahead of ours */
}

static void arm(struct poller_exchange *ex)
{
	int64_t wait_ms = next_time(ex) - now_monotonic_ms();

	assert(ex->asking == NULL);
	uv_update_time(ex->timer.loop);
	uv_timer_start(
	    &ex->timer, on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

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

static struct poll_source *find_source(
    const struct poller_exchange *ex, const char *symbol)
{
	struct poll_source *source;

	TAILQ_FOREACH(source, &ex->queue, link)
	{
		if (strcmp(source->symbol, symbol) == 0)
			return source;
	}
	return NULL;
}

static struct poller_exchange *add_exchange(struct poller *poller,
    const struct exchange *exchange, const struct config *config, SSL_CTX *tls)
{
	struct poller_exchange *ex =
	    &poller->exchanges[poller->exchange_count++];
	const struct https_client_options options = {
	    .loop = poller->loop,
	    .tls = tls,
	    .proxy = config->has_proxy ? &config->proxy : NULL,
	    .host = exchange->host,
	    .port = HTTPS_PORT,
	    .body_max = EXCHANGE_BODY_MAX,
	};

	ex->exchange = exchange;
	ex->client = https_client_new(&options);
	poll_budget_init(&ex->budget, exchange->spacing_ms);
	TAILQ_INIT(&ex->queue);
	uv_timer_init(poller->loop, &ex->timer);
	ex->timer.data = ex;
	return ex;
}

static void add_source(struct poller *poller, struct poller_exchange *ex,
    const char *symbol, int64_t interval_ms)
{
	struct poll_source *source = find_source(ex, symbol);

	if (source != NULL) {
		if (interval_ms < source->interval_ms)
			source->interval_ms = interval_ms;
		return;
	}
	source = &poller->sources[poller->source_count++];
	if (poll_source_init(source, ex->exchange, symbol, interval_ms) != 0)
		log_die("poller", "exchange %s has no symbol like %s",
		    ex->exchange->name, symbol);
	TAILQ_INSERT_TAIL(&ex->queue, source, link);
}

static void add_feed(struct poller *poller, const struct feed_config *feed,
    const struct config *config, SSL_CTX *tls)
{
	for (size_t i = 0; i < feed->source_count; i++) {
		const struct feed_source *source = &feed->sources[i];
		struct poller_exchange *ex = find_exchange(
		    poller, source->exchange);

		if (ex == NULL)
			ex = add_exchange(
			    poller, source->exchange, config, tls);
		add_source(poller, ex, source->symbol, feed->interval_ms);
	}
}

/* Room for as many as there could be, so that nothing moves later. */
static struct poller *poller_new(uv_loop_t *loop, const struct feed_set *feeds)
{
	struct poller *poller = calloc(1, sizeof(*poller));
	size_t most = 1;

	for (size_t i = 0; i < feeds->count; i++)
		most += feeds->feeds[i].source_count;
	if (poller != NULL) {
		poller->loop = loop;
		poller->exchanges = calloc(most, sizeof(*poller->exchanges));
		poller->sources = calloc(most, sizeof(*poller->sources));
	}
	if (poller == NULL || poller->exchanges == NULL ||
	    poller->sources == NULL)
		log_die("poller", "out of memory");
	return poller;
}

/* ---- public ---- */

struct poller *poller_start(
    uv_loop_t *loop, const struct config *config, SSL_CTX *tls)
{
	struct poller *poller = poller_new(loop, &config->feeds);

	for (size_t i = 0; i < config->feeds.count; i++)
		add_feed(poller, &config->feeds.feeds[i], config, tls);
	for (size_t i = 0; i < poller->exchange_count; i++)
		arm(&poller->exchanges[i]);
	return poller;
}

void poller_stop(struct poller *poller)
{
	if (poller->stopped)
		return;
	poller->stopped = true;
	for (size_t i = 0; i < poller->exchange_count; i++) {
		struct poller_exchange *ex = &poller->exchanges[i];

		https_client_close(ex->client);
		ex->client = NULL;
		uv_close((uv_handle_t *)&ex->timer, NULL);
	}
}

void poller_free(struct poller *poller)
{
	if (poller == NULL)
		return;
	assert(poller->stopped);
	free(poller->exchanges);
	free(poller->sources);
	free(poller);
}

void poller_read(const struct poller *poller, const struct feed_config *feed,
    int64_t now_ms, struct item_source *sources)
{
	for (size_t i = 0; i < feed->source_count; i++) {
		const struct feed_source *wanted = &feed->sources[i];
		const struct poller_exchange *ex = find_exchange(
		    poller, wanted->exchange);
		const struct poll_source *source =
		    ex != NULL ? find_source(ex, wanted->symbol) : NULL;

		assert(source != NULL); /* the same configuration */
		poll_source_read(source, feed, now_ms, &sources[i]);
		memcpy(
		    sources[i].via, wanted->quote_feed, sizeof(sources[i].via));
	}
}

bool poller_clock_offset(
    const struct poller *poller, int64_t now_monotonic_ms, int64_t *offset_ms)
{
	(void)poller;
	(void)now_monotonic_ms;
	*offset_ms = 0;
	return false;
}

static struct poller_exchange_view exchange_view(
    const struct poller_exchange *ex, int64_t now_ms)
{
	int64_t paused_ms = ex->budget.paused_until_ms - now_ms;

	return (struct poller_exchange_view){
	    .exchange = ex->exchange,
	    .budget_per_min = 60000 / ex->exchange->spacing_ms,
	    .paused_ms = paused_ms > 0 ? paused_ms : 0,
	};
}

static struct poller_source_view source_view(const struct poll_source *source)
{
	return (struct poller_source_view){
	    .symbol = source->symbol,
	    .up = source->newest == QUOTE_OK,
	    .newest = source->newest,
	    .latency_ms = -1,
	    .has_answer = source->has_answer,
	    .received_ms = source->received_ms,
	    .failures = source->failures,
	};
}

void poller_visit(const struct poller *poller, int64_t now_monotonic_ms,
    poller_exchange_cb exchange_cb, poller_source_cb source_cb, void *data)
{
	for (size_t i = 0; i < poller->exchange_count; i++) {
		const struct poller_exchange *ex = &poller->exchanges[i];
		struct poller_exchange_view view = exchange_view(
		    ex, now_monotonic_ms);
		const struct poll_source *source;

		if (exchange_cb != NULL)
			exchange_cb(&view, data);
		TAILQ_FOREACH(source, &ex->queue, link)
		{
			struct poller_source_view seen = source_view(source);

			if (source_cb != NULL)
				source_cb(&view, &seen, data);
		}
	}
}
