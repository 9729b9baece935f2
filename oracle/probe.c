/* probe: see probe.h. The poller does the work; this looks at it until each
 * source has answered or failed, then makes one round of items of it. */
#include "oracle/probe.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/aggregate.h"
#include "oracle/https_client.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct probe {
	const struct config *config;
	struct poller *poller;
	uv_timer_t timer;
	int64_t give_up_ms; /* monotonic */
	int result;
};

/* ---- one round ---- */

struct report {
	const struct config *config;
	struct item *items; /* one for each feed */
	FILE *out;
};

/* A quote_feed stands before its users: its price is there. */
static void set_rate(const struct report *report, struct item_source *source)
{
	const struct feed_set *feeds = &report->config->feeds;
	const struct item *via;

	if (!source->via[0])
		return;
	via = &report->items[feed_set_find(feeds, source->via) - feeds->feeds];
	source->has_rate = via->status == ITEM_OK;
	if (source->has_rate)
		source->rate = via->price;
}

static void make_item(const struct report *report, const struct poller *poller,
    size_t feed, int64_t now_ms)
{
	const struct feed_config *config = &report->config->feeds.feeds[feed];
	const struct aggregate_past none = {0};
	struct item *item = &report->items[feed];

	*item = (struct item){
	    .published_ms = now_ms, .source_count = config->source_count};
	memcpy(item->feed, config->feed, sizeof(item->feed));
	poller_read(poller, config, now_ms, item->sources);
	for (size_t i = 0; i < item->source_count; i++)
		set_rate(report, &item->sources[i]);
	aggregate(config, &none, item);
}

/* ---- the table ---- */

static void print_decimal(FILE *out, bool known, struct decimal number)
{
	char text[DECIMAL_STRMAX] = "-";

	if (known)
		decimal_format(number, text);
	fprintf(out, " %14s", text);
}

static void print_number(FILE *out, int width, bool known, int64_t number)
{
	char text[24] = "-";

	if (known)
		snprintf(text, sizeof(text), "%" PRId64, number);
	fprintf(out, " %*s", width, text);
}

static void print_source(FILE *out, const char *feed,
    const struct item_source *source, const struct poller_source_view *view)
{
	const struct quote *quote = &source->quote;

	fprintf(out, "%-17s %-14s", source->exchange, source->symbol);
	print_decimal(out, quote->has_last, quote->last);
	print_decimal(out, quote->has_bid, quote->bid);
	print_decimal(out, quote->has_ask, quote->ask);
	print_number(out, 7, source->has_answer && quote->has_exchange_ms,
	    source->received_ms - quote->exchange_ms);
	fprintf(out, " %-7s", source_state_name(source->state));
	print_number(out, 5, view->latency_ms >= 0, view->latency_ms);
	fprintf(out, " %s", feed);
	if (source->state == SOURCE_FAILED)
		fprintf(out, " %s", quote_error_name(source->error));
	if (source->state == SOURCE_FAILED && view->status > 0)
		fprintf(out, " HTTP %d", view->status);
	fputc('\n', out);
}

static void on_source(const struct poller_exchange_view *exchange,
    const struct poller_source_view *view, void *data)
{
	const struct report *report = data;
	const char *name = exchange->exchange->name;

	for (size_t f = 0; f < report->config->feeds.count; f++) {
		const struct item *item = &report->items[f];

		for (size_t i = 0; i < item->source_count; i++)
			if (strcmp(item->sources[i].exchange, name) == 0 &&
			    strcmp(item->sources[i].symbol, view->symbol) == 0)
				print_source(report->out, item->feed,
				    &item->sources[i], view);
	}
}

/* Returns 1 if it has no price. */
static int print_feed(FILE *out, const struct item *item)
{
	char price[DECIMAL_STRMAX];
	unsigned used = 0;

	for (size_t i = 0; i < item->source_count; i++)
		used += item->sources[i].state == SOURCE_USED;
	fprintf(out, "%-10s ", item->feed);
	if (item->status == ITEM_OK) {
		decimal_format(item->price, price);
		fprintf(out, "%s", price);
	} else {
		fprintf(out, "TOO FEW SOURCES");
	}
	fprintf(out, ", %u used, %u needed\n", used, item->min_sources);
	return item->status != ITEM_OK;
}

int probe_report(const struct config *config, const struct poller *poller,
    int64_t now_ms, FILE *out)
{
	size_t count = config->feeds.count;
	struct report report = {
	    .config = config,
	    .items = calloc(count + 1, sizeof(*report.items)),
	    .out = out,
	};
	int result = 0;

	if (!report.items)
		log_die("probe", "out of memory");
	for (size_t i = 0; i < count; i++)
		make_item(&report, poller, i, now_ms);
	fprintf(out, "%-17s %-14s %14s %14s %14s %7s %-7s %5s %s\n", "exchange",
	    "symbol", "last", "bid", "ask", "age_ms", "state", "ms", "feed");
	poller_visit(poller, now_monotonic_ms(), NULL, on_source, &report);
	fputc('\n', out);
	for (size_t i = 0; i < count; i++)
		result |= print_feed(out, &report.items[i]);
	free(report.items);
	return result;
}

/* ---- until each has answered ---- */

static void count_waiting(const struct poller_exchange_view *exchange,
    const struct poller_source_view *view, void *data)
{
	size_t *waiting = data;

	(void)exchange;
	*waiting += view->attempts == 0;
}

static void on_look(uv_timer_t *timer)
{
	struct probe *probe = timer->data;
	size_t waiting = 0;

	poller_visit(
	    probe->poller, now_monotonic_ms(), NULL, count_waiting, &waiting);
	if (waiting > 0 && now_monotonic_ms() < probe->give_up_ms)
		return;
	probe->result = probe_report(
	    probe->config, probe->poller, now_unix_ms(), stdout);
	poller_stop(probe->poller);
	uv_close((uv_handle_t *)timer, NULL);
}

int probe(const struct config *config)
{
	uv_loop_t *loop = uv_default_loop();
	struct probe probe = {
	    .config = config,
	    .give_up_ms = now_monotonic_ms() + PROBE_DEADLINE_MS,
	};
	char error[HTTPS_ERROR_MAX];
	SSL_CTX *tls = https_tls_context(config->ca_bundle, error);

	if (!tls)
		log_die("probe", "ca_bundle %s: %s",
		    certificates_name(config->ca_bundle), error);
	signal(SIGPIPE, SIG_IGN);
	probe.poller = poller_start(loop, config, tls);
	uv_timer_init(loop, &probe.timer);
	probe.timer.data = &probe;
	uv_timer_start(&probe.timer, on_look, PROBE_LOOK_MS, PROBE_LOOK_MS);
	uv_run(loop, UV_RUN_DEFAULT);
	poller_free(probe.poller);
	SSL_CTX_free(tls);
	uv_loop_close(loop);
	return probe.result;
}
