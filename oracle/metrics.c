/*
 * metrics: see metrics.h. The samples of a family stand together, so there is
 * one visit of all exchanges or feeds for each family: tables of families,
 * each with a function that says its value for one of them.
 */
#include "oracle/metrics.h"

#include "base/metrics_text.h"
#include "base/now.h"
#include "oracle/metrics_own.h"
#include "oracle/metrics_peers.h"

#include <stdlib.h>

#define PREFIX "hallmark_oracle_"

/* A value, or nothing to say. */
struct value {
	bool known;
	int64_t number;
};

static struct value known(int64_t number)
{
	return (struct value){true, number};
}

static struct value if_known(bool is_known, int64_t number)
{
	return (struct value){is_known, number};
}

struct scrape {
	const struct api *api;
	struct metrics_text text;
	int64_t now_ms;
	const void *family; /* of the visit under way */
};

struct head {
	const char *name, *type, *help;
	bool is_ms; /* the number is; what is written are seconds */
};

static void begin(struct scrape *scrape, const struct head *head)
{
	metrics_text_family(&scrape->text, head->name, head->type, head->help);
}

static void put(struct scrape *scrape, const struct head *head,
    const struct metrics_label *labels, struct value value)
{
	if (!value.known)
		return;
	if (head->is_ms)
		metrics_text_sample_ms(&scrape->text, labels, value.number);
	else
		metrics_text_sample(&scrape->text, labels, value.number);
}

/* ---- exchanges ---- */

typedef struct value (*exchange_value)(const struct poller_exchange_view *view);

struct exchange_family {
	struct head head;
	exchange_value value;
};

static struct value requests(const struct poller_exchange_view *view)
{
	return known((int64_t)view->requests);
}

static struct value request_failures(const struct poller_exchange_view *view)
{
	return known((int64_t)view->failures);
}

static struct value requests_planned(const struct poller_exchange_view *view)
{
	return known(view->requests_planned);
}

static struct value budget(const struct poller_exchange_view *view)
{
	return known(view->budget_per_min);
}

static struct value budget_left(const struct poller_exchange_view *view)
{
	return known(poller_budget_left(view));
}

static struct value paused(const struct poller_exchange_view *view)
{
	return known(view->paused_ms);
}

static struct value exchange_clock(const struct poller_exchange_view *view)
{
	return if_known(view->has_clock_offset, view->clock_offset_ms);
}

static const struct exchange_family exchange_families[] = {
    {{PREFIX "exchange_requests_total", "counter", "Requests to this exchange.",
	 false},
	requests},
    {{PREFIX "exchange_request_failures_total", "counter",
	 "Requests that brought no price at all.", false},
	request_failures},
    {{PREFIX "exchange_requests_planned", "gauge",
	 "How many requests ask for all its symbols.", false},
	requests_planned},
    {{PREFIX "exchange_budget_requests_per_minute", "gauge",
	 "What we allow ourselves, at most half of its limit.", false},
	budget},
    {{PREFIX "exchange_budget_left_requests", "gauge",
	 "What the last minute has left of it.", false},
	budget_left},
    {{PREFIX "exchange_paused_seconds", "gauge",
	 "It asked to be left alone for so long still.", true},
	paused},
    {{PREFIX "exchange_clock_offset_seconds", "gauge",
	 "Its Date minus our clock, newest.", true},
	exchange_clock},
};

static void put_exchange(const struct poller_exchange_view *view, void *data)
{
	struct scrape *scrape = data;
	const struct exchange_family *family = scrape->family;
	const struct metrics_label labels[] = {
	    {"exchange", view->exchange->name}, {NULL, NULL}};

	put(scrape, &family->head, labels, family->value(view));
}

static void put_exchanges(struct scrape *scrape)
{
	size_t count = sizeof(exchange_families) / sizeof(exchange_families[0]);

	for (size_t i = 0; i < count; i++) {
		scrape->family = &exchange_families[i];
		begin(scrape, &exchange_families[i].head);
		poller_visit(scrape->api->poller, now_monotonic_ms(),
		    put_exchange, NULL, scrape);
	}
}

/* ---- sources ---- */

typedef struct value (*source_value)(const struct poller_source_view *view);

struct source_family {
	struct head head;
	source_value value;
};

static struct value up(const struct poller_source_view *view)
{
	return known(view->up);
}

static struct value attempts(const struct poller_source_view *view)
{
	return known((int64_t)view->attempts);
}

static struct value failures_in_a_row(const struct poller_source_view *view)
{
	return known(view->failures);
}

static struct value http_status(const struct poller_source_view *view)
{
	return known(view->status);
}

static struct value latency(const struct poller_source_view *view)
{
	return if_known(view->latency_ms >= 0, view->latency_ms);
}

static const struct source_family source_families[] = {
    {{PREFIX "source_up", "gauge", "1 if the newest attempt gave a quote.",
	 false},
	up},
    {{PREFIX "source_attempts_total", "counter", "Attempts to get a quote.",
	 false},
	attempts},
    {{PREFIX "source_failures_in_a_row", "gauge",
	 "Attempts that failed since the last good one.", false},
	failures_in_a_row},
    {{PREFIX "source_http_status", "gauge",
	 "HTTP status of the newest attempt; 0: there was no answer.", false},
	http_status},
    {{PREFIX "source_latency_seconds", "gauge",
	 "How long the newest attempt took.", true},
	latency},
};

static void put_source(const struct poller_exchange_view *exchange,
    const struct poller_source_view *view, void *data)
{
	struct scrape *scrape = data;
	const struct source_family *family = scrape->family;
	const struct metrics_label labels[] = {
	    {"exchange", exchange->exchange->name}, {"symbol", view->symbol},
	    {NULL, NULL}};

	put(scrape, &family->head, labels, family->value(view));
}

static void put_answer_age(const struct poller_exchange_view *exchange,
    const struct poller_source_view *view, void *data)
{
	struct scrape *scrape = data;
	const struct metrics_label labels[] = {
	    {"exchange", exchange->exchange->name}, {"symbol", view->symbol},
	    {NULL, NULL}};

	if (view->has_answer)
		metrics_text_sample_ms(
		    &scrape->text, labels, scrape->now_ms - view->received_ms);
}

static void put_errors(const struct poller_exchange_view *exchange,
    const struct poller_source_view *view, void *data)
{
	struct scrape *scrape = data;

	for (int e = QUOTE_OK + 1; e < QUOTE_ERROR_COUNT; e++) {
		const struct metrics_label labels[] = {
		    {"exchange", exchange->exchange->name},
		    {"symbol", view->symbol},
		    {"error", quote_error_name((enum quote_error)e)},
		    {NULL, NULL}};

		if (view->errors[e] > 0)
			metrics_text_sample(
			    &scrape->text, labels, (int64_t)view->errors[e]);
	}
}

static void put_sources(struct scrape *scrape)
{
	size_t count = sizeof(source_families) / sizeof(source_families[0]);
	const struct poller *poller = scrape->api->poller;

	for (size_t i = 0; i < count; i++) {
		scrape->family = &source_families[i];
		begin(scrape, &source_families[i].head);
		poller_visit(
		    poller, now_monotonic_ms(), NULL, put_source, scrape);
	}
	metrics_text_family(&scrape->text, PREFIX "source_answer_age_seconds",
	    "gauge", "How old the newest quote is, by our clock.");
	poller_visit(poller, now_monotonic_ms(), NULL, put_answer_age, scrape);
	metrics_text_family(&scrape->text, PREFIX "source_errors_total",
	    "counter", "Attempts that failed, by class; none: no sample.");
	poller_visit(poller, now_monotonic_ms(), NULL, put_errors, scrape);
}

/* ---- feeds ---- */

struct feed_family {
	struct head head;
	void (*put)(struct scrape *scrape, const struct head *head,
	    const struct feed_config *feed, const struct item *item);
};

static void put_items_of(
    struct scrape *scrape, size_t feed, enum item_reason reason)
{
	bool ok = reason == ITEM_NO_REASON;
	const struct metrics_label labels[] = {
	    {"feed", scrape->api->config->feeds.feeds[feed].feed},
	    {"status", item_status_name(ok ? ITEM_OK : ITEM_UNAVAILABLE)},
	    {"reason", ok ? "" : item_reason_name(reason)}, {NULL, NULL}};

	metrics_text_sample(&scrape->text, labels,
	    (int64_t)publisher_items(scrape->api->publisher, feed, reason));
}

static void put_items(struct scrape *scrape)
{
	const struct feed_set *set = &scrape->api->config->feeds;

	metrics_text_family(&scrape->text, PREFIX "feed_items_total", "counter",
	    "Items published since the start, by what they said.");
	for (size_t i = 0; i < set->count; i++)
		for (int r = ITEM_NO_REASON; r <= ITEM_PRICE_JUMP; r++)
			put_items_of(scrape, i, (enum item_reason)r);
}

static void put_status(struct scrape *scrape, const struct head *head,
    const struct feed_config *feed, const struct item *item)
{
	bool bad = item && item->status != ITEM_OK;
	const struct metrics_label labels[] = {{"feed", feed->feed},
	    {"status", item ? item_status_name(item->status) : ""},
	    {"reason", bad ? item_reason_name(item->reason) : ""},
	    {NULL, NULL}};

	put(scrape, head, labels, if_known(item != NULL, 1));
}

static void put_age(struct scrape *scrape, const struct head *head,
    const struct feed_config *feed, const struct item *item)
{
	const struct metrics_label labels[] = {
	    {"feed", feed->feed}, {NULL, NULL}};

	if (item)
		put(scrape, head, labels,
		    known(scrape->now_ms - item->published_ms));
}

static void put_min_sources(struct scrape *scrape, const struct head *head,
    const struct feed_config *feed, const struct item *item)
{
	const struct metrics_label labels[] = {
	    {"feed", feed->feed}, {NULL, NULL}};

	(void)item;
	put(scrape, head, labels, known(feed_config_min_sources(feed)));
}

static void put_states(struct scrape *scrape, const struct head *head,
    const struct feed_config *feed, const struct item *item)
{
	int64_t counts[SOURCE_CHECK + 1] = {0};

	for (size_t i = 0; item && i < item->source_count; i++)
		counts[item->sources[i].state]++;
	for (int state = SOURCE_USED; item && state <= SOURCE_CHECK; state++) {
		const struct metrics_label labels[] = {{"feed", feed->feed},
		    {"state", source_state_name((enum source_state)state)},
		    {NULL, NULL}};

		put(scrape, head, labels, known(counts[state]));
	}
}

/* A number for charts: whoever uses a price takes it from a verified item. */
static void put_price(struct scrape *scrape, const struct head *head,
    const struct feed_config *feed, const struct item *item)
{
	const struct metrics_label labels[] = {
	    {"feed", feed->feed}, {NULL, NULL}};
	char text[DECIMAL_STRMAX];

	(void)head;
	if (!item || item->status != ITEM_OK)
		return;
	decimal_format(item->price, text);
	metrics_text_sample_text(&scrape->text, labels, text);
}

static const struct feed_family feed_families[] = {
    {{PREFIX "feed_status", "gauge",
	 "1 for status and reason of the newest item.", false},
	put_status},
    {{PREFIX "feed_item_age_seconds", "gauge", "Since the newest item.", true},
	put_age},
    {{PREFIX "feed_price", "gauge", "The newest price, for charts.", false},
	put_price},
    {{PREFIX "feed_min_sources", "gauge",
	 "Fewer used sources than this give no price.", false},
	put_min_sources},
    {{PREFIX "feed_sources", "gauge", "Sources of the newest item, by state.",
	 false},
	put_states},
};

static void put_feeds(struct scrape *scrape)
{
	const struct feed_set *set = &scrape->api->config->feeds;
	size_t count = sizeof(feed_families) / sizeof(feed_families[0]);

	for (size_t f = 0; f < count; f++) {
		const struct feed_family *family = &feed_families[f];

		begin(scrape, &family->head);
		for (size_t i = 0; i < set->count; i++)
			family->put(scrape, &family->head, &set->feeds[i],
			    publisher_newest(scrape->api->publisher, i));
	}
}

void metrics_serve(const struct api *api, struct http_request *req)
{
	struct scrape scrape = {.api = api, .now_ms = now_unix_ms()};
	struct http_reply reply = {
	    .status = 200, .content_type = METRICS_TEXT_CONTENT_TYPE};
	char *text;

	metrics_text_init(&scrape.text);
	metrics_own(api, &scrape.text, scrape.now_ms);
	metrics_peers(api, &scrape.text);
	put_exchanges(&scrape);
	put_sources(&scrape);
	put_items(&scrape);
	put_feeds(&scrape);
	text = metrics_text_finish(&scrape.text, &reply.len);
	reply.body = text;
	http_reply(req, &reply);
	free(text);
}
