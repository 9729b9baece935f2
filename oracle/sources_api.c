/*
 * sources_api: see sources_api.h. Written as text: a tree of a large
 * configuration would be ten times as large as its text. No name in it has a
 * character that JSON would escape: feed_config.h has seen to that.
 */
#include "oracle/sources_api.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/clock_check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct page {
	const struct api *api;
	FILE *out;
	const struct exchange *only_exchange; /* NULL: all */
	const struct feed_config *only_feed;  /* NULL: all */
	int64_t now_ms;
	bool in_exchange, in_symbol; /* one was written already */
};

/* ---- values ---- */

static void put_text(FILE *out, const char *key, const char *text)
{
	assert(!text || !strpbrk(text, "\"\\\n"));
	if (text)
		fprintf(out, "\"%s\":\"%s\"", key, text);
	else
		fprintf(out, "\"%s\":null", key);
}

static void put_number(FILE *out, const char *key, bool known, int64_t number)
{
	if (known)
		fprintf(out, "\"%s\":%" PRId64, key, number);
	else
		fprintf(out, "\"%s\":null", key);
}

static void put_decimal(
    FILE *out, const char *key, bool known, struct decimal number)
{
	char text[DECIMAL_STRMAX];

	if (known)
		decimal_format(number, text);
	put_text(out, key, known ? text : NULL);
}

static void put_flag(FILE *out, const char *key, bool flag)
{
	fprintf(out, "\"%s\":%s", key, flag ? "true" : "false");
}

/* ---- what is left out ---- */

static bool feed_uses(const struct feed_config *feed,
    const struct exchange *exchange, const char *symbol)
{
	for (size_t i = 0; i < feed->source_count; i++)
		if (feed->sources[i].exchange == exchange &&
		    (!symbol || strcmp(feed->sources[i].symbol, symbol) == 0))
			return true;
	return false;
}

/* symbol NULL: any. */
static bool is_wanted(const struct page *page, const struct exchange *exchange,
    const char *symbol)
{
	if (page->only_exchange && page->only_exchange != exchange)
		return false;
	return !page->only_feed || feed_uses(page->only_feed, exchange, symbol);
}

/* ---- exchanges ---- */

static void put_exchange(const struct poller_exchange_view *view, void *data)
{
	struct page *page = data;
	const struct exchange *exchange = view->exchange;
	FILE *out = page->out;

	if (!is_wanted(page, exchange, NULL))
		return;
	fputs(page->in_exchange ? "]},{" : "{", out);
	page->in_exchange = true;
	page->in_symbol = false;
	put_text(out, "exchange", exchange->name);
	fputc(',', out);
	put_text(out, "host", exchange->host);
	fputc(',', out);
	put_flag(out, "up", view->up);
	fprintf(out,
	    ",\"requests\":%" PRIu64 ",\"failures\":%" PRIu64
	    ",\"requests_planned\":%u,\"requests_last_minute\":%u"
	    ",\"budget_per_min\":%u,\"budget_left\":%u,",
	    view->requests, view->failures, view->requests_planned,
	    view->requests_last_minute, view->budget_per_min,
	    poller_budget_left(view));
	put_text(out, "limit", exchange->limit);
	fprintf(out, ",\"paused_ms\":%" PRId64 ",", view->paused_ms);
	put_number(out, "clock_offset_ms", view->has_clock_offset,
	    view->clock_offset_ms);
	fputs(",\"symbols\":[", out);
}

static void put_errors(FILE *out, const struct poller_source_view *view)
{
	bool first = true;

	fputs(",\"errors\":{", out);
	for (int e = QUOTE_OK + 1; e < QUOTE_ERROR_COUNT; e++) {
		if (view->errors[e] == 0)
			continue;
		fprintf(out, "%s\"%s\":%" PRIu64, first ? "" : ",",
		    quote_error_name((enum quote_error)e), view->errors[e]);
		first = false;
	}
	fputs("}}", out);
}

static void put_symbol(const struct poller_exchange_view *exchange,
    const struct poller_source_view *view, void *data)
{
	struct page *page = data;
	FILE *out = page->out;

	if (!is_wanted(page, exchange->exchange, view->symbol))
		return;
	fputs(page->in_symbol ? ",{" : "{", out);
	page->in_symbol = true;
	put_text(out, "symbol", view->symbol);
	fputc(',', out);
	put_flag(out, "up", view->up);
	fputc(',', out);
	put_text(
	    out, "error", view->up ? NULL : quote_error_name(view->newest));
	fputc(',', out);
	put_number(out, "status", view->status > 0, view->status);
	fputc(',', out);
	put_number(out, "latency_ms", view->latency_ms >= 0, view->latency_ms);
	fputc(',', out);
	put_number(out, "answer_age_ms", view->has_answer,
	    page->now_ms - view->received_ms);
	fprintf(out, ",\"failures_in_a_row\":%u,\"attempts\":%" PRIu64,
	    view->failures, view->attempts);
	put_errors(out, view);
}

static void put_exchanges(struct page *page)
{
	fputs("\"exchanges\":[", page->out);
	poller_visit(page->api->poller, now_monotonic_ms(), put_exchange,
	    put_symbol, page);
	fputs(page->in_exchange ? "]}]" : "]", page->out);
}

/* ---- feeds ---- */

static void put_source(FILE *out, const struct item_source *source)
{
	bool failed = source->state == SOURCE_FAILED;

	put_text(out, "exchange", source->exchange);
	fputc(',', out);
	put_text(out, "symbol", source->symbol);
	fputc(',', out);
	put_text(out, "state", source_state_name(source->state));
	fputc(',', out);
	put_text(out, "error", failed ? quote_error_name(source->error) : NULL);
	fputc(',', out);
	put_decimal(out, "price", source->has_price, source->price);
	fputc(',', out);
	put_text(out, "via", source->via[0] ? source->via : NULL);
	fputc(',', out);
	put_decimal(out, "rate", source->has_rate, source->rate);
	fputc(',', out);
	put_number(out, "received_ms", source->has_answer, source->received_ms);
	fputc(',', out);
	put_number(out, "exchange_ms", source->quote.has_exchange_ms,
	    source->quote.exchange_ms);
}

static void put_sources(const struct page *page, const struct item *item)
{
	bool first = true;

	fputs(",\"sources\":[", page->out);
	for (size_t i = 0; item && i < item->source_count; i++) {
		const struct item_source *source = &item->sources[i];

		if (page->only_exchange &&
		    strcmp(source->exchange, page->only_exchange->name) != 0)
			continue;
		fputs(first ? "{" : ",{", page->out);
		first = false;
		put_source(page->out, source);
		fputc('}', page->out);
	}
	fputs("]}", page->out);
}

static int64_t count_used(const struct item *item)
{
	int64_t used = 0;

	for (size_t i = 0; item && i < item->source_count; i++)
		used += item->sources[i].state == SOURCE_USED;
	return used;
}

/* item: the newest; NULL: there is none yet. */
static void put_feed(const struct page *page, const struct feed_config *feed,
    const struct item *item)
{
	bool bad = item && item->status != ITEM_OK;
	FILE *out = page->out;

	fputc('{', out);
	put_text(out, "feed", feed->feed);
	fputc(',', out);
	put_number(out, "sequence", item, item ? (int64_t)item->sequence : 0);
	fputc(',', out);
	put_text(out, "status", item ? item_status_name(item->status) : NULL);
	fputc(',', out);
	put_text(out, "reason", bad ? item_reason_name(item->reason) : NULL);
	fputc(',', out);
	put_number(out, "published_ms", item, item ? item->published_ms : 0);
	fputc(',', out);
	put_number(out, "used", item, count_used(item));
	fprintf(out, ",\"min_sources\":%u", feed_config_min_sources(feed));
	put_sources(page, item);
}

static void put_feeds(const struct page *page)
{
	const struct feed_set *set = &page->api->config->feeds;
	bool first = true;

	fputs("\"feeds\":[", page->out);
	for (size_t i = 0; i < set->count; i++) {
		const struct feed_config *feed = &set->feeds[i];

		if (page->only_feed && page->only_feed != feed)
			continue;
		if (page->only_exchange &&
		    !feed_uses(feed, page->only_exchange, NULL))
			continue;
		if (!first)
			fputc(',', page->out);
		first = false;
		put_feed(page, feed, publisher_newest(page->api->publisher, i));
	}
	fputc(']', page->out);
}

/* ---- the page ---- */

static void put_clock(const struct page *page)
{
	int64_t offset_ms = 0;
	bool known = poller_clock_offset(
	    page->api->poller, now_monotonic_ms(), &offset_ms);

	fputs("\"clock\":{", page->out);
	put_number(page->out, "offset_ms", known, offset_ms);
	fprintf(page->out, ",\"limit_ms\":%d,", CLOCK_CHECK_LIMIT_MS);
	put_flag(page->out, "agrees",
	    offset_ms <= CLOCK_CHECK_LIMIT_MS &&
		offset_ms >= -CLOCK_CHECK_LIMIT_MS);
	fputc('}', page->out);
}

static void reply(struct page *page, struct http_request *req)
{
	char *text = NULL;
	size_t len = 0;

	page->out = open_memstream(&text, &len);
	if (!page->out)
		log_die("sources", "out of memory");
	fprintf(page->out, "{\"now_ms\":%" PRId64 ",", page->now_ms);
	put_clock(page);
	fputc(',', page->out);
	put_exchanges(page);
	fputc(',', page->out);
	put_feeds(page);
	fputc('}', page->out);
	if (ferror(page->out) || fclose(page->out) != 0)
		log_die("sources", "out of memory");
	http_reply_json(req, text);
	free(text);
}

void sources_api_serve(const struct api *api, struct http_request *req)
{
	struct page page = {.api = api, .now_ms = now_unix_ms()};
	const char *exchange = http_param(req, "exchange");
	const char *feed = http_param(req, "feed");

	if (exchange)
		page.only_exchange = exchange_find(exchange);
	if (feed)
		page.only_feed = feed_set_find(&api->config->feeds, feed);
	if (exchange && !page.only_exchange)
		http_problem(req, 404, "EXCHANGE_UNKNOWN",
		    "there is no exchange of this name",
		    "\"parameter\":\"exchange\"");
	else if (feed && !page.only_feed)
		http_problem(req, 404, "FEED_UNKNOWN",
		    "there is no feed of this name; /feeds has them",
		    "\"parameter\":\"feed\"");
	else
		reply(&page, req);
}
