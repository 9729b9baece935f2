/* bus: see bus.h. */
#include "verifier/daemon/bus.h"

#include "base/log.h"
#include "base/now.h"
#include "verifier/daemon/budget.h"
#include "verifier/daemon/bus_publisher.h"
#include "verifier/daemon/bus_subscriber.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "hallmark_verifierd_nats_"

struct bus {
	struct bus_options options;
	struct bus_publisher *publisher;   /* or NULL */
	struct bus_subscriber *subscriber; /* or NULL */
	struct budget refusals, forks;
	void (*stopped)(void *data);
	void *stopped_data;
};

/* ---- in ---- */

static bool is_full(void *data)
{
	const struct bus *bus = data;

	return archive_writer_full(bus->options.writer);
}

/* As for an oracle's: no flood fills the disk, and none hides a fork. */
static bool worth_keeping(struct bus *bus, const struct record *r)
{
	return budget_take(
	    r->verdict == HM_SEQUENCE_FORK ? &bus->forks : &bus->refusals,
	    uv_now(bus->options.loop), BUS_REFUSED_PER_S);
}

static bool wanted(struct bus *bus, const struct record *r)
{
	if (r->is_head)
		return true;
	if (bus->options.limited)
		return announcer_has_feed(bus->options.announcer, r->feed);
	return announcer_add_feed(bus->options.announcer, r->feed);
}

static void on_item(struct record *record, void *data)
{
	struct bus *bus = data;
	bool keep;

	validator_judge(bus->options.validator, record, now_unix_ms());
	keep = record->refused ? worth_keeping(bus, record)
			       : wanted(bus, record);
	if (!keep) {
		bus_subscriber_settled(bus->subscriber, record->event_id);
		record_free(record);
		return;
	}
	if (!record->refused) /* its envelope says it all */
		record_drop_text(record);
	archive_writer_put(bus->options.writer, record);
}

/* ---- start, and what goes on ---- */

struct bus *bus_start(const struct bus_options *options)
{
	const struct bus_config *config = options->config;
	struct bus *bus;

	if (!config->publish && !config->subscribe)
		return NULL;
	bus = calloc(1, sizeof(*bus));
	if (!bus)
		log_die("bus", "out of memory");
	bus->options = *options;
	if (config->publish)
		bus->publisher = bus_publisher_start(
		    options->loop, config, options->archive);
	if (config->subscribe)
		bus->subscriber = bus_subscriber_start(
		    &(struct bus_subscriber_options){
			.loop = options->loop,
			.config = config,
			.full = is_full,
			.item = on_item,
			.data = bus,
		    });
	return bus;
}

void bus_committed(struct bus *bus, const struct record *record)
{
	if (!bus)
		return;
	if (bus->subscriber && record->origin == bus->options.config->name)
		bus_subscriber_settled(bus->subscriber, record->event_id);
	if (bus->publisher && record->outcome == RECORD_STORED)
		bus_publisher_wake(bus->publisher);
}

void bus_resume(struct bus *bus)
{
	if (bus && bus->subscriber)
		bus_subscriber_resume(bus->subscriber);
}

/* ---- state ---- */

bool bus_connected(struct bus *bus)
{
	struct bus_subscriber_stats stats;

	if (!bus || !bus->subscriber)
		return false;
	bus_subscriber_stats(bus->subscriber, &stats);
	return stats.connected && !stats.why[0];
}

void bus_check(struct bus *bus, char *out, size_t cap)
{
	struct bus_publisher_stats publisher = {.connected = true};
	struct bus_subscriber_stats subscriber = {.connected = true};
	const char *between = "";

	if (bus && bus->publisher)
		bus_publisher_stats(bus->publisher, &publisher);
	if (bus && bus->subscriber)
		bus_subscriber_stats(bus->subscriber, &subscriber);
	snprintf(out, cap, "ok");
	if (publisher.why[0])
		snprintf(out, cap, "publish: %s; %lld items wait",
		    publisher.why, (long long)publisher.waiting);
	if (!subscriber.why[0])
		return;
	if (!publisher.why[0])
		out[0] = '\0';
	else
		between = ", ";
	snprintf(out + strlen(out), cap - strlen(out), "%ssubscribe: %s",
	    between, subscriber.why);
}

static void put(struct metrics_text *text, const char *name, const char *type,
    const char *help, int64_t value)
{
	metrics_text_family(text, name, type, help);
	metrics_text_sample(text, NULL, value);
}

static void put_publisher(
    struct metrics_text *text, const struct bus_publisher_stats *stats)
{
	put(text, PREFIX "publish_ok", "gauge",
	    "0 while what is accepted cannot be published.",
	    stats->connected && !stats->why[0]);
	put(text, PREFIX "published_total", "counter",
	    "Messages that the servers have acknowledged.",
	    (int64_t)stats->published);
	put(text, PREFIX "publish_waiting_items", "gauge",
	    "Items in the archive that are to be published.", stats->waiting);
}

static void put_subscriber(
    struct metrics_text *text, const struct bus_subscriber_stats *stats)
{
	put(text, PREFIX "subscribe_ok", "gauge",
	    "0 while there is no way to what is subscribed to.",
	    stats->connected && !stats->why[0]);
	put(text, PREFIX "received_total", "counter", "Messages received.",
	    (int64_t)stats->received);
	put(text, PREFIX "hostile_total", "counter",
	    "Messages too large or of no known kind.", (int64_t)stats->hostile);
	put(text, PREFIX "unsettled_items", "gauge",
	    "Items received that are not acknowledged yet.",
	    (int64_t)stats->unsettled);
}

void bus_metrics(struct bus *bus, struct metrics_text *text)
{
	/* Where there is none, nothing fails. */
	struct bus_publisher_stats publisher = {.connected = true};
	struct bus_subscriber_stats subscriber = {.connected = true};

	if (bus && bus->publisher)
		bus_publisher_stats(bus->publisher, &publisher);
	if (bus && bus->subscriber)
		bus_subscriber_stats(bus->subscriber, &subscriber);
	put_publisher(text, &publisher);
	put_subscriber(text, &subscriber);
}

/* ---- stop: the one, then the other ---- */

void bus_quiet(struct bus *bus)
{
	if (bus && bus->subscriber)
		bus_subscriber_quiet(bus->subscriber);
}

static void stop_next(void *data)
{
	struct bus *bus = data;
	struct bus_subscriber *subscriber = bus->subscriber;
	struct bus_publisher *publisher = bus->publisher;
	void (*stopped)(void *) = bus->stopped;
	void *stopped_data = bus->stopped_data;

	if (subscriber) {
		bus->subscriber = NULL;
		bus_subscriber_stop(subscriber, stop_next, bus);
	} else if (publisher) {
		bus->publisher = NULL;
		bus_publisher_stop(publisher, stop_next, bus);
	} else {
		free(bus);
		stopped(stopped_data);
	}
}

void bus_stop(struct bus *bus, void (*stopped)(void *data), void *data)
{
	if (!bus) {
		stopped(data);
		return;
	}
	bus->stopped = stopped;
	bus->stopped_data = data;
	stop_next(bus);
}
