/* bus_subscriber: see bus_subscriber.h; here is the loop's side. What it shares
 * with the thread is in the queues, under the worker's lock. */
#include "verifier/daemon/bus_state.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

void bus_queue_push(struct bus_queue *queue, struct bus_delivery *d)
{
	d->next = NULL;
	if (queue->last)
		queue->last->next = d;
	else
		queue->head = d;
	queue->last = d;
	queue->count++;
}

struct bus_delivery *bus_queue_pop(struct bus_queue *queue)
{
	struct bus_delivery *d = queue->head;

	if (!d)
		return NULL;
	queue->head = d->next;
	if (!queue->head)
		queue->last = NULL;
	queue->count--;
	return d;
}

/* The first of this id, which is among the first: they settle in order. */
static struct bus_delivery *take(struct bus_queue *queue, const char *id)
{
	struct bus_delivery **at = &queue->head, *before = NULL, *d;

	while ((d = *at) && strcmp(d->id, id) != 0) {
		before = d;
		at = &d->next;
	}
	if (!d)
		return NULL;
	*at = d->next;
	if (queue->last == d)
		queue->last = before;
	queue->count--;
	return d;
}

void bus_delivery_free(struct bus_delivery *d)
{
	natsMsg_Destroy(d->message);
	record_free(d->record);
	for (size_t i = 0; i < d->document_count; i++)
		free(d->documents[i].bytes);
	free(d);
}

static void queue_fini(struct bus_queue *queue)
{
	struct bus_delivery *d;

	while ((d = bus_queue_pop(queue)))
		bus_delivery_free(d);
}

static void keep_documents(
    struct bus_subscriber *b, const struct bus_delivery *d)
{
	struct kept_document *document;

	for (size_t i = 0; i < d->document_count; i++) {
		document = kept_document_new(
		    d->documents[i].bytes, d->documents[i].len);
		kept_documents_add(&b->documents, document);
		kept_document_unref(document);
	}
}

static void give(struct bus_subscriber *b, struct bus_delivery *d)
{
	struct record *record = d->record;
	struct kept_document *found;

	keep_documents(b, d);
	if (!record) {
		bus_delivery_free(d);
		return;
	}
	d->record = NULL;
	if (record->parsed == HM_VALID) {
		found = kept_documents_find(
		    &b->documents, record->envelope.attestation_sha256);
		if (found)
			record->document = kept_document_ref(found);
		(void)record_supply(record, &b->documents);
	}
	bus_queue_push(&b->unsettled, d);
	b->options.item(record, b->options.data);
}

static struct bus_delivery *next_arrived(struct bus_subscriber *b)
{
	struct bus_delivery *d;
	bool wake;

	uv_mutex_lock(&b->worker.lock);
	d = bus_queue_pop(&b->arrived);
	wake = b->thread_waits;
	b->thread_waits = false;
	uv_mutex_unlock(&b->worker.lock);
	if (wake)
		bus_worker_wake(&b->worker);
	return d;
}

static void news(struct bus_worker *worker)
{
	struct bus_subscriber *b = (struct bus_subscriber *)worker;
	struct bus_delivery *d;

	while (!b->quiet && !b->options.full(b->options.data) &&
	       (d = next_arrived(b)))
		give(b, d);
}

struct bus_subscriber *bus_subscriber_start(
    const struct bus_subscriber_options *options)
{
	struct bus_subscriber *b = calloc(1, sizeof(*b));

	if (!b)
		log_die("bus", "out of memory");
	b->options = *options;
	bus_worker_start(&b->worker, options->loop, options->config,
	    "subscribe", bus_consumer_run, news);
	return b;
}

void bus_subscriber_resume(struct bus_subscriber *subscriber)
{
	bus_worker_poke(&subscriber->worker);
}

void bus_subscriber_settled(
    struct bus_subscriber *subscriber, const char *event_id)
{
	struct bus_delivery *d = take(&subscriber->unsettled, event_id);

	if (!d)
		return;
	uv_mutex_lock(&subscriber->worker.lock);
	bus_queue_push(&subscriber->settled, d);
	uv_mutex_unlock(&subscriber->worker.lock);
}

void bus_subscriber_quiet(struct bus_subscriber *subscriber)
{
	subscriber->quiet = true;
}

static void on_stopped(void *data)
{
	struct bus_subscriber *b = data;
	void (*stopped)(void *) = b->stopped;
	void *stopped_data = b->stopped_data;

	queue_fini(&b->arrived);
	queue_fini(&b->unsettled);
	queue_fini(&b->settled);
	kept_documents_fini(&b->documents);
	free(b);
	stopped(stopped_data);
}

void bus_subscriber_stop(
    struct bus_subscriber *subscriber, void (*stopped)(void *data), void *data)
{
	subscriber->quiet = true;
	subscriber->stopped = stopped;
	subscriber->stopped_data = data;
	bus_worker_stop(&subscriber->worker, on_stopped, subscriber);
}

void bus_subscriber_stats(
    struct bus_subscriber *subscriber, struct bus_subscriber_stats *out)
{
	out->connected = bus_worker_connected(&subscriber->worker, out->why);
	uv_mutex_lock(&subscriber->worker.lock);
	out->received = subscriber->received;
	out->hostile = subscriber->hostile;
	uv_mutex_unlock(&subscriber->worker.lock);
	out->unsettled = subscriber->unsettled.count;
}
