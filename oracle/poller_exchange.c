/*
 * poller_exchange: one timer, and lanes that ask.
 *
 *   a lane:    timer: a request is due, the budget allows it
 *        IDLE ------------------------------------------> ASKING
 *         ^                                                 |
 *         +---- answer: parse, keep, set when it is due ----+
 *
 * The timer waits for the request that is due first, or for the budget; with
 * every lane ASKING it stands still, and the next answer sets it. An ASKING
 * lane waits for https_client, which has the request's deadline.
 *
 * What an answer comes to: each of its symbols has its own error or quote. The
 * request as a whole went well if one symbol did. If the exchange refuses all
 * of several symbols, they are divided (poll_plan) and none is judged yet; else
 * a request without any quote backs off. What it says about too many requests
 * is poll_budget's, and holds for all lanes; after the pause one lane asks, and
 * the others wait until it was answered well.
 *
 * The log has a line when failures begin or change and one when they end; one
 * for all symbols of an answer that fare alike.
 */
#include "oracle/poller_exchange.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/poller_changes.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static void arm(struct poller_exchange *ex);

static uint32_t random_bits(void)
{
	uint32_t bits = 0;

	/* Jitter only: without entropy there is just less of it. */
	(void)uv_random(NULL, NULL, &bits, sizeof(bits), 0, NULL);
	return bits;
}

static void log_divided(const struct poller_exchange *ex,
    const struct poll_request *request, enum quote_error error)
{
	log_info("poller", "request_divided",
	    LOG_S("exchange", ex->exchange->name),
	    LOG_S("symbol", request->sources[0]->symbol),
	    LOG_D("symbols", (int64_t)request->count),
	    LOG_S("error", quote_error_name(error)));
}

/* ---- what an answer comes to ---- */

/* Fills readings[0 .. request->count). Returns the error of the request as a
 * whole: a refusal of symbols only if there is nothing else. */
static enum quote_error read_answer(struct poller_exchange *ex,
    const struct poll_request *request, const struct https_answer *answer)
{
	struct exchange_reading *r = ex->readings;

	for (size_t i = 0; i < request->count; i++) {
		r[i].symbol = poll_plan_source(&ex->plan, request, i)->symbol;
		r[i].error = answer->error;
	}
	if (answer->error != QUOTE_OK)
		return answer->error;
	if (exchange_parse_each(ex->exchange, r, request->count, answer->status,
		answer->body, answer->len))
		return QUOTE_OK;
	for (size_t i = 0; i < request->count; i++) {
		if (r[i].error != QUOTE_UNKNOWN_SYMBOL &&
		    r[i].error != QUOTE_BAD_REQUEST)
			return r[i].error;
	}
	return r[0].error;
}

/* What all quotes of one answer have in common. */
static struct poll_answer common_of(
    const struct https_answer *answer, int64_t now_ms)
{
	struct poll_answer common = {
	    .received_ms = now_unix_ms(),
	    .received_steady_ms = now_ms,
	};

	memcpy(common.tls_spki_sha256, answer->tls_spki_sha256,
	    sizeof(common.tls_spki_sha256));
	if (answer->error == QUOTE_OK &&
	    EVP_Digest(answer->body, answer->len, common.body_sha256, NULL,
		EVP_sha256(), NULL) != 1)
		log_die("poller", "out of memory");
	return common;
}

static void note_sources(struct poller_exchange *ex,
    const struct poll_request *request, const struct https_answer *answer,
    int64_t asked_ms, int64_t now_ms, int64_t pause_ms)
{
	struct poller_changes began = {{NULL}, {0}}, ended = {{NULL}, {0}};
	struct poll_answer good = common_of(answer, now_ms);
	struct poll_attempt attempt = {
	    .status = answer->status, .latency_ms = now_ms - asked_ms};
	bool used = false; /* an item can name it */

	for (size_t i = 0; i < request->count; i++) {
		struct poll_source *source = poll_plan_source(
		    &ex->plan, request, i);
		attempt.error = ex->readings[i].error;
		bool ok = attempt.error == QUOTE_OK;
		used |= ok;
		good.quote = ex->readings[i].quote;
		enum quote_error before = poll_source_note(
		    source, &attempt, ok ? &good : NULL);
		if (ok && before != QUOTE_OK && before != QUOTE_NOT_POLLED)
			poller_changes_add(&ended, before, source->symbol);
		else if (!ok && before != attempt.error)
			poller_changes_add(
			    &began, attempt.error, source->symbol);
	}
	if (ex->raw != NULL && used)
		raw_answers_put(ex->raw, good.body_sha256, answer->body,
		    answer->len, now_ms);
	poller_changes_log(ex->exchange, &began, &ended, answer, pause_ms);
}

/* Silently: the log has the request's line, and later one for the culprit. */
static void note_refused(struct poller_exchange *ex,
    const struct poll_request *request, const struct https_answer *answer,
    int64_t asked_ms, int64_t now_ms)
{
	for (size_t i = 0; i < request->count; i++)
		poll_source_note_refused(
		    poll_plan_source(&ex->plan, request, i),
		    &(struct poll_attempt){ex->readings[i].error,
			answer->status, now_ms - asked_ms});
}

/* The exchange's clock, seen on the way. */
static void note_clock(struct poller_exchange *ex,
    const struct https_answer *answer, int64_t now_ms)
{
	int64_t received_ms = now_unix_ms();

	if (answer->error == QUOTE_OK && answer->date_ms >= 0)
		clock_witness_note(ex->witness, answer->date_ms,
		    received_ms - answer->took_ms, received_ms, now_ms);
}

static void on_answer(const struct https_answer *answer, void *data)
{
	struct poller_lane *lane = data;
	struct poller_exchange *ex = lane->owner;
	struct poll_request *request = lane->request;
	int64_t now_ms = now_monotonic_ms();
	struct poll_outcome outcome = {
	    .status = answer->status,
	    .retry_after_ms = answer->retry_after_ms,
	    .sent_ms = lane->asked_ms,
	};

	assert(request != NULL);
	lane->request = NULL;
	note_clock(ex, answer, now_ms);
	outcome.error = read_answer(ex, request, answer);
	ex->failures += outcome.error != QUOTE_OK;
	int64_t pause_ms = poll_budget_judge(
	    &ex->budget, &outcome, now_ms, random_bits());
	if (poll_plan_divides(request, outcome.error)) {
		log_divided(ex, request, outcome.error);
		note_refused(ex, request, answer, lane->asked_ms, now_ms);
		poll_plan_divide(&ex->plan, request, now_ms, random_bits());
	} else {
		note_sources(
		    ex, request, answer, lane->asked_ms, now_ms, pause_ms);
		poll_plan_end(
		    &ex->plan, request, outcome.error, now_ms, random_bits());
	}
	arm(ex);
}

/* ---- keys ---- */

static const char *key_of(const struct poller_exchange *ex)
{
	const char *name = ex->exchange->key_name;

	return name != NULL ? secrets_find(ex->secrets, name) : NULL;
}

static bool lacks_key(const struct poller_exchange *ex)
{
	return ex->exchange->key_name != NULL && key_of(ex) == NULL;
}

/* Nobody is asked, and the timer rests until the key changes. */
static void note_no_key(struct poller_exchange *ex)
{
	struct poller_changes began = {{NULL}, {0}}, ended = {{NULL}, {0}};
	const struct poll_attempt attempt = {QUOTE_NO_KEY, 0, -1};
	const struct https_answer none = {.why = ex->exchange->key_name};

	for (size_t i = 0; i < ex->source_count; i++) {
		(void)poll_source_note(&ex->sources[i], &attempt, NULL);
		poller_changes_add(&began, QUOTE_NO_KEY, ex->sources[i].symbol);
	}
	poller_changes_log(ex->exchange, &began, &ended, &none, 0);
}

void poller_exchange_key_changed(
    struct poller_exchange *ex, const char *key_name)
{
	const char *own = ex->exchange->key_name;

	if (own == NULL || strcmp(own, key_name) != 0)
		return;
	poll_plan_wake(&ex->plan, now_monotonic_ms());
	arm(ex);
}

/* ---- when to ask ---- */

static size_t count_asking(const struct poller_exchange *ex)
{
	size_t n = 0;

	for (size_t i = 0; i < ex->lane_count; i++)
		n += ex->lanes[i].request != NULL;
	return n;
}

/* NULL: none may be used now. After a refusal one asks, for all. */
static struct poller_lane *idle_lane(struct poller_exchange *ex)
{
	size_t asking = count_asking(ex);
	size_t most = ex->budget.refusals > 0 ? 1 : ex->lane_count;

	if (asking >= most)
		return NULL;
	for (size_t i = 0; i < ex->lane_count; i++) {
		if (ex->lanes[i].request == NULL)
			return &ex->lanes[i];
	}
	return NULL;
}

static void ask(struct poller_exchange *ex, struct poller_lane *lane,
    struct poll_request *request, int64_t now_ms)
{
	const char *key = key_of(ex);

	poll_plan_begin(request, now_ms, random_bits());
	poll_budget_spend(&ex->budget, now_ms);
	ex->requests++;
	lane->request = request;
	lane->asked_ms = now_ms;
	https_client_set_deadline(lane->client, (uint64_t)request->deadline_ms);
	if (key != NULL)
		https_client_get_keyed(lane->client, request->target,
		    ex->exchange->key_header, key, on_answer, lane);
	else
		https_client_get(
		    lane->client, request->target, on_answer, lane);
}

static int64_t time_for(
    const struct poller_exchange *ex, const struct poll_request *request)
{
	int64_t ready_ms = poll_budget_ready_ms(&ex->budget);

	return request->due_ms > ready_ms ? request->due_ms : ready_ms;
}

static void on_timer(uv_timer_t *timer)
{
	struct poller_exchange *ex = timer->data;
	int64_t now_ms = now_monotonic_ms();
	struct poll_request *request = poll_plan_next(&ex->plan);
	struct poller_lane *lane = idle_lane(ex);

	if (lacks_key(ex)) {
		note_no_key(ex);
		return;
	}
	/* Not yet, when the loop's clock is a little ahead of ours. */
	if (lane != NULL && request != NULL && time_for(ex, request) <= now_ms)
		ask(ex, lane, request, now_ms);
	arm(ex);
}

static void arm(struct poller_exchange *ex)
{
	const struct poll_request *request = poll_plan_next(&ex->plan);

	if (request == NULL || idle_lane(ex) == NULL) {
		uv_timer_stop(&ex->timer);
		return;
	}
	int64_t wait_ms = time_for(ex, request) - now_monotonic_ms();
	uv_update_time(ex->loop);
	uv_timer_start(
	    &ex->timer, on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

/* ---- memory ---- */

void poller_exchange_init(struct poller_exchange *ex,
    const struct exchange *exchange, size_t source_max)
{
	*ex = (struct poller_exchange){
	    .exchange = exchange,
	    .sources = calloc(source_max, sizeof(*ex->sources)),
	    .places = calloc(source_max, sizeof(*ex->places)),
	    .readings = calloc(source_max, sizeof(*ex->readings)),
	};
	if (ex->sources == NULL || ex->places == NULL || ex->readings == NULL)
		log_die("poller", "out of memory");
}

void poller_exchange_fini(struct poller_exchange *ex)
{
	SSL_CTX_free(ex->own_tls);
	free(ex->sources);
	free(ex->places);
	free(ex->readings);
	*ex = (struct poller_exchange){0};
}

static struct poll_source *find_or_add(
    struct poller_exchange *ex, const char *symbol)
{
	char target[EXCHANGE_TARGET_MAX];

	for (size_t i = 0; i < ex->source_count; i++) {
		if (strcmp(ex->sources[i].symbol, symbol) == 0)
			return &ex->sources[i];
	}
	if (exchange_target(target, ex->exchange, symbol) != 0)
		log_die("poller", "exchange %s has no symbol like %s",
		    ex->exchange->name, symbol);
	struct poll_source *source = &ex->sources[ex->source_count++];
	poll_source_init(source, ex->exchange, symbol);
	return source;
}

void poller_exchange_add(struct poller_exchange *ex,
    const struct feed_config *feed, const char *symbol)
{
	poll_source_use(
	    find_or_add(ex, symbol), feed->interval_ms, feed->max_age_ms);
}

/* ---- start and stop ---- */

static struct https_client *new_client(const struct poller_exchange *ex,
    const struct poller_exchange_options *options,
    const struct config_pins *pins)
{
	const struct config *config = options->config;
	const struct https_client_options with = {
	    .loop = options->loop,
	    .tls = ex->own_tls != NULL ? ex->own_tls : options->tls,
	    .proxy = config->has_proxy ? &config->proxy : NULL,
	    .host = ex->exchange->host,
	    .port = 443,
	    .body_max = EXCHANGE_BODY_MAX,
	    .spki_sha256 = pins != NULL ? pins->spki_sha256 : NULL,
	    .spki_count = pins != NULL ? pins->spki_count : 0,
	};

	return https_client_new(&with);
}

static SSL_CTX *own_tls(const struct config_pins *pins)
{
	char error[HTTPS_ERROR_MAX];

	if (pins == NULL || pins->ca_file[0] == '\0')
		return NULL;
	SSL_CTX *tls = https_tls_context(pins->ca_file, error);
	if (tls == NULL)
		log_die("poller", "exchanges: %s: ca_file %s: %s",
		    pins->exchange->name, pins->ca_file, error);
	return tls;
}

/* No more lanes than requests there could be. A lane that is never needed
 * never connects. */
static void make_lanes(
    struct poller_exchange *ex, const struct poller_exchange_options *options)
{
	const struct config_pins *pins = config_pins_find(
	    options->config, ex->exchange);
	size_t most = ex->places[0].whole ? 1 : ex->source_count;

	ex->own_tls = own_tls(pins);
	ex->lane_count = most < POLLER_LANES ? most : POLLER_LANES;
	for (size_t i = 0; i < ex->lane_count; i++)
		ex->lanes[i] = (struct poller_lane){
		    .owner = ex,
		    .client = new_client(ex, options, pins),
		};
}

void poller_exchange_start(
    struct poller_exchange *ex, const struct poller_exchange_options *options)
{
	ex->loop = options->loop;
	ex->witness = options->witness;
	ex->raw = options->raw;
	poll_budget_init(&ex->budget, ex->exchange->spacing_ms);
	ex->budget.ban_403_ms = ex->exchange->ban_403_ms;
	poll_plan_init(&ex->plan, ex->exchange, ex->sources, ex->places,
	    ex->source_count, options->place, options->places,
	    now_monotonic_ms());
	make_lanes(ex, options);
	uv_timer_init(ex->loop, &ex->timer);
	ex->timer.data = ex;
	arm(ex);
}

void poller_exchange_stop(struct poller_exchange *ex)
{
	for (size_t i = 0; i < ex->lane_count; i++)
		https_client_close(ex->lanes[i].client);
	ex->lane_count = 0;
	uv_close((uv_handle_t *)&ex->timer, NULL);
}
