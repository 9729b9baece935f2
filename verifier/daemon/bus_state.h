/*
 * bus_state: what the two files of the subscriber share. Not for others.
 *
 *   bus_consumer.c    the thread: fetches, reads, acknowledges
 *   bus_subscriber.c  the loop: gives to the daemon, hears what is durable
 */
#ifndef HALLMARK_VERIFIER_DAEMON_BUS_STATE_H
#define HALLMARK_VERIFIER_DAEMON_BUS_STATE_H

#include "verifier/daemon/bus_subscriber.h"
#include "verifier/daemon/bus_worker.h"
#include "verifier/daemon/kept_document.h"

/* Those of an item and of its co-signatures, some of them twice. */
#define BUS_DELIVERY_DOCUMENTS (2 * (1 + HM_COSIGNATURES_MAX))

/* One message on its way: in `arrived`, then among the unsettled, then in
 * `settled`. */
struct bus_delivery {
	struct bus_delivery *next;
	natsMsg *message;
	char id[SSE_ID_MAX];   /* of its record: its number in the stream */
	struct record *record; /* until the loop took it; NULL: only documents,
				  and no message */
	/* documents that this item is the first to name; owned */
	struct {
		uint8_t *bytes;
		size_t len;
	} documents[BUS_DELIVERY_DOCUMENTS];
	size_t document_count;
};

struct bus_queue {
	struct bus_delivery *head, *last;
	size_t count;
};

struct bus_subscriber {
	struct bus_worker worker; /* first */
	struct bus_subscriber_options options;
	void (*stopped)(void *data);
	void *stopped_data;
	/* under the worker's lock */
	struct bus_queue arrived, settled;
	uint64_t received, hostile;
	bool thread_waits; /* for room in `arrived` */
	/* the loop's */
	struct bus_queue unsettled;
	struct kept_documents documents;
	bool quiet;
	/* the thread's */
	struct bus_link link;
	natsSubscription *sub;
	/* What the loop has been given, in the same order as its own ring. */
	uint8_t known[KEPT_DOCUMENTS_MAX][HM_SHA256_LEN];
	size_t next_known;
};

void bus_queue_push(struct bus_queue *queue, struct bus_delivery *delivery);
struct bus_delivery *bus_queue_pop(struct bus_queue *queue); /* or NULL */
void bus_delivery_free(struct bus_delivery *delivery);

/* The thread's whole life. */
void bus_consumer_run(struct bus_worker *worker);

#endif
