/* probe: see probe.h. The poller does the work; this looks at it until each
 * source has answered or failed. */
#include "oracle/probe.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/https_client.h"
#include "oracle/poller.h"

#include <signal.h>
#include <stdlib.h>

struct probe {
	const struct config *config;
	struct poller *poller;
	uv_timer_t timer;
	int64_t give_up_ms; /* monotonic */
	unsigned failed;
};

static void print_decimal(bool present, struct decimal number)
{
	char text[DECIMAL_STRMAX] = "-";

	if (present)
		decimal_format(number, text);
	printf(" %16s", text);
}

static void print_source(const char *feed, const struct item_source *source)
{
	printf("%-10s %-18s %-10s", feed, source->exchange, source->symbol);
	if (source->state == SOURCE_FAILED) {
		printf(" failed: %s\n", quote_error_name(source->error));
		return;
	}
	print_decimal(source->quote.has_last, source->quote.last);
	print_decimal(source->quote.has_bid, source->quote.bid);
	print_decimal(source->quote.has_ask, source->quote.ask);
	if (source->quote.has_exchange_ms)
		printf(
		    " %6lld ms old\n", (long long)(source->received_ms -
						   source->quote.exchange_ms));
	else
		printf(" no time\n");
}

/* How many sources of this feed have not been asked yet. With `print`, prints
 * them all and counts the failed ones. */
static unsigned look(
    struct probe *probe, const struct feed_config *feed, bool print)
{
	struct item_source sources[FEED_SOURCES_MAX];
	unsigned waiting = 0;

	poller_read(probe->poller, feed, now_unix_ms(), sources);
	for (size_t i = 0; i < feed->source_count; i++) {
		if (sources[i].state == SOURCE_FAILED &&
		    sources[i].error == QUOTE_NOT_POLLED)
			waiting++;
		if (print && sources[i].state == SOURCE_FAILED)
			probe->failed++;
		if (print)
			print_source(feed->feed, &sources[i]);
	}
	return waiting;
}

static unsigned look_at_all(struct probe *probe, bool print)
{
	const struct feed_set *set = &probe->config->feeds;
	unsigned waiting = 0;

	for (size_t i = 0; i < set->count; i++)
		waiting += look(probe, &set->feeds[i], print);
	return waiting;
}

static void on_look(uv_timer_t *timer)
{
	struct probe *probe = timer->data;

	if (look_at_all(probe, false) > 0 &&
	    now_monotonic_ms() < probe->give_up_ms)
		return;
	printf("%-10s %-18s %-10s %16s %16s %16s\n", "feed", "exchange",
	    "symbol", "last", "bid", "ask");
	look_at_all(probe, true);
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
		log_die("probe", "ca_bundle %s: %s", config->ca_bundle, error);
	signal(SIGPIPE, SIG_IGN);
	probe.poller = poller_start(loop, config, tls);
	uv_timer_init(loop, &probe.timer);
	probe.timer.data = &probe;
	uv_timer_start(&probe.timer, on_look, PROBE_LOOK_MS, PROBE_LOOK_MS);
	uv_run(loop, UV_RUN_DEFAULT);
	poller_free(probe.poller);
	SSL_CTX_free(tls);
	uv_loop_close(loop);
	return probe.failed > 0;
}
