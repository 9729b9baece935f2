/*
 * bus_subscriber: items from a JetStream stream, as a durable consumer: the
 * servers remember how far we are by the consumer's name.
 *
 *   fetch -> (thread: the envelope is read, its document fetched if it is new)
 *     -> queue, bounded -> loop: item() -> ... archive ... -> settled()
 *     -> (thread) acknowledged
 *
 * An item is acknowledged once the archive's batch with it is durable (or it
 * was dropped for good), so that a crash of ours, of a server or of the way
 * between costs nothing: what was not acknowledged comes again, and the archive
 * knows its number. Nothing that comes is believed; whoever may publish can
 * make us read and refuse, no more:
 *
 *   too large, another subject    counted, acknowledged, dropped
 *   garbage                       refused like that of any stream
 *   a document of another hash    as if it were not there
 */
#ifndef HALLMARK_VERIFIER_DAEMON_BUS_SUBSCRIBER_H
#define HALLMARK_VERIFIER_DAEMON_BUS_SUBSCRIBER_H

#include "verifier/daemon/bus_config.h"
#include "verifier/daemon/record.h"

#include <uv.h>

#define BUS_SUBSCRIBER_BATCH     128
#define BUS_SUBSCRIBER_QUEUE_MAX 512  /* for the loop; the thread waits */
#define BUS_SUBSCRIBER_UNSETTLED 4096 /* sent by the servers at most */
#define BUS_SUBSCRIBER_AGAIN_S   10   /* until one not settled is repeated */
#define BUS_SUBSCRIBER_FETCH_MS  250  /* acknowledgements wait as long */
#define BUS_SUBSCRIBER_RETRY_MS  500

struct bus_subscriber;

struct bus_subscriber_options {
	uv_loop_t *loop;
	const struct bus_config *config; /* borrowed until stopped */
	/* No more can be taken now; ask again after resume(). */
	bool (*full)(void *data);
	/* An item or a head in its order; taken. Its document is there if it
	 * could be had. Its origin is config->name; its event_id is to be given
	 * to settled(). */
	void (*item)(struct record *record, void *data);
	void *data;
};

struct bus_subscriber *bus_subscriber_start(
    const struct bus_subscriber_options *options);
/* There is room again. */
void bus_subscriber_resume(struct bus_subscriber *subscriber);
/* The record of this event_id is durable, or was dropped for good. */
void bus_subscriber_settled(
    struct bus_subscriber *subscriber, const char *event_id);
/* item() comes no more; settled() may still be called. */
void bus_subscriber_quiet(struct bus_subscriber *subscriber);
/* Acknowledges what was settled, ends, frees; then `stopped`, from the loop. */
void bus_subscriber_stop(
    struct bus_subscriber *subscriber, void (*stopped)(void *data), void *data);

struct bus_subscriber_stats {
	bool connected;
	char why[BUS_ERROR_MAX]; /* "" while all is well */
	uint64_t received;       /* messages */
	uint64_t hostile;        /* of these, dropped unread */
	size_t unsettled;        /* on their way through the daemon */
};
void bus_subscriber_stats(
    struct bus_subscriber *subscriber, struct bus_subscriber_stats *out);

#endif
