/* bus_consumer: the subscriber's thread: the only one that waits for servers.
 * See bus_subscriber.h. */
#include "verifier/daemon/bus_state.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_MAX (BUS_WORD_MAX + 2 * HM_SHA256_LEN + 16)

static void tell(struct bus_subscriber *b, const char *why)
{
	bus_worker_tell(&b->worker, bus_link_connected(&b->link), why);
}

/* ---- documents ---- */

static bool is_known(struct bus_subscriber *b, const uint8_t *sha256)
{
	for (size_t i = 0; i < KEPT_DOCUMENTS_MAX; i++)
		if (memcmp(b->known[i], sha256, HM_SHA256_LEN) == 0)
			return true;
	return false;
}

static bool has_hash(const char *bytes, size_t len, const uint8_t *sha256)
{
	struct kept_document *d;
	bool same;

	if (len > HM_DOCUMENT_MAX)
		return false;
	d = kept_document_new((const uint8_t *)bytes, len);
	same = memcmp(d->sha256, sha256, HM_SHA256_LEN) == 0;
	kept_document_unref(d);
	return same;
}

/* The loop has it from now on. */
static void take_document(struct bus_subscriber *b, struct bus_delivery *d,
    const uint8_t *sha256, const char *bytes, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	if (!copy)
		log_die("bus", "out of memory");
	memcpy(copy, bytes, len);
	d->documents[d->document_count].bytes = copy;
	d->documents[d->document_count++].len = len;
	memcpy(b->known[b->next_known++ % KEPT_DOCUMENTS_MAX], sha256,
	    HM_SHA256_LEN);
}

/* False: nobody could say; ask again later. If it is not there, or is not what
 * it should be, the item goes without: the verdict says so. */
static bool fetch_document(
    struct bus_subscriber *b, struct bus_delivery *d, const uint8_t *sha256)
{
	const struct bus_config *config = b->worker.config;
	char hex[2 * HM_SHA256_LEN + 1], subject[SUBJECT_MAX];
	natsMsg *message = NULL;
	natsStatus s;
	size_t len;

	if (is_known(b, sha256))
		return true;
	hex_encode(sha256, HM_SHA256_LEN, hex);
	snprintf(
	    subject, sizeof(subject), "%s.document.%s", config->subject, hex);
	s = js_GetLastMsg(
	    &message, b->link.js, config->stream, subject, NULL, NULL);
	if (s == NATS_NOT_FOUND)
		return true;
	if (s != NATS_OK)
		return false;
	len = (size_t)natsMsg_GetDataLength(message);
	if (has_hash(natsMsg_GetData(message), len, sha256))
		take_document(b, d, sha256, natsMsg_GetData(message), len);
	natsMsg_Destroy(message);
	return true;
}

/* Of the item and of its co-signatures. These may push out one that was known:
 * a second round brings it back. */
static bool fetch_documents(struct bus_subscriber *b, struct bus_delivery *d)
{
	const struct hm_envelope *e = &d->record->envelope;
	size_t count = 1 + e->cosignature_count;

	if (d->record->parsed != HM_VALID)
		return true;
	for (size_t i = 0; i < (count > 1 ? 2 : 1) * count; i++) {
		const struct hm_envelope *who =
		    i % count == 0 ? e : &e->cosignatures[i % count - 1];

		if (!fetch_document(b, d, who->attestation_sha256))
			return false;
	}
	return true;
}

/* ---- messages ---- */

enum kind {
	KIND_ITEM,
	KIND_HEAD,
	KIND_DOCUMENT,
	KIND_HOSTILE
};

static enum kind kind_of(const struct bus_subscriber *b, natsMsg *message)
{
	const char *prefix = b->worker.config->subject;
	const char *subject = natsMsg_GetSubject(message);
	size_t len = strlen(prefix);

	if (natsMsg_GetDataLength(message) > HM_ENVELOPE_MAX ||
	    strncmp(subject, prefix, len) != 0)
		return KIND_HOSTILE;
	if (strncmp(subject + len, ".item.", 6) == 0)
		return KIND_ITEM;
	if (strncmp(subject + len, ".head.", 6) == 0)
		return KIND_HEAD;
	if (strncmp(subject + len, ".document.", 10) == 0)
		return KIND_DOCUMENT; /* asked for when an item names it */
	return KIND_HOSTILE;
}

/* Its place in the stream; false: it has none, it is not JetStream's. */
static bool name_delivery(struct bus_delivery *d)
{
	jsMsgMetaData *meta = NULL;

	if (natsMsg_GetMetaData(&meta, d->message) != NATS_OK)
		return false;
	snprintf(d->id, sizeof(d->id), "nats-%" PRIu64, meta->Sequence.Stream);
	jsMsgMetaData_Destroy(meta);
	return true;
}

static void count(struct bus_subscriber *b, bool hostile)
{
	uv_mutex_lock(&b->worker.lock);
	b->received++;
	b->hostile += hostile;
	uv_mutex_unlock(&b->worker.lock);
}

/* Hands it to the loop; waits while there is no room. False: we are to end. */
static bool hand_over(struct bus_subscriber *b, struct bus_delivery *d)
{
	bool full;

	do {
		uv_mutex_lock(&b->worker.lock);
		full = b->arrived.count >= BUS_SUBSCRIBER_QUEUE_MAX;
		b->thread_waits = full;
		if (!full)
			bus_queue_push(&b->arrived, d);
		uv_mutex_unlock(&b->worker.lock);
		if (full &&
		    !bus_worker_wait(&b->worker, BUS_SUBSCRIBER_RETRY_MS))
			return false;
	} while (full);
	bus_worker_poke(&b->worker);
	return true;
}

/* The item comes again. Those of its documents that came are known, so the loop
 * has to have them. */
static void leave_item(struct bus_subscriber *b, struct bus_delivery *d)
{
	natsMsg_Destroy(d->message);
	d->message = NULL;
	record_free(d->record);
	d->record = NULL;
	if (d->document_count == 0 || !hand_over(b, d))
		bus_delivery_free(d);
}

/* Takes the message. False: not now, all after it neither; it comes again. */
static bool take_message(struct bus_subscriber *b, natsMsg *message)
{
	enum kind kind = kind_of(b, message);
	struct bus_delivery *d;

	if (kind == KIND_DOCUMENT || kind == KIND_HOSTILE) {
		count(b, kind == KIND_HOSTILE);
		(void)natsMsg_Ack(message, NULL);
		natsMsg_Destroy(message);
		return true;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		log_die("bus", "out of memory");
	d->message = message;
	if (!name_delivery(d)) {
		count(b, true);
		bus_delivery_free(d);
		return true;
	}
	d->record = record_new(b->worker.config->name, d->id,
	    natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message),
	    now_unix_ms());
	d->record->is_head = kind == KIND_HEAD;
	if (!fetch_documents(b, d)) {
		leave_item(b, d);
		return false;
	}
	if (hand_over(b, d)) {
		count(b, false);
		return true;
	}
	bus_delivery_free(d);
	return false;
}

static void acknowledge(struct bus_subscriber *b)
{
	struct bus_queue settled;
	struct bus_delivery *d;

	uv_mutex_lock(&b->worker.lock);
	settled = b->settled;
	b->settled = (struct bus_queue){.head = NULL};
	uv_mutex_unlock(&b->worker.lock);
	while ((d = bus_queue_pop(&settled))) {
		/* If it is lost the item comes again: a duplicate. */
		(void)natsMsg_Ack(d->message, NULL);
		bus_delivery_free(d);
	}
}

/* ---- the consumer ---- */

static natsStatus subscribe(struct bus_subscriber *b)
{
	static const jsDeliverPolicy from[] = {
	    [BUS_FROM_LAST] = js_DeliverLastPerSubject,
	    [BUS_FROM_ALL] = js_DeliverAll,
	    [BUS_FROM_NEW] = js_DeliverNew,
	};
	const struct bus_config *config = b->worker.config;
	char subjects[BUS_WORD_MAX + 2];
	jsSubOptions options;
	natsStatus s = jsSubOptions_Init(&options);

	if (s != NATS_OK)
		return s;
	snprintf(subjects, sizeof(subjects), "%s.>", config->subject);
	options.Stream = config->stream;
	options.Config.DeliverPolicy = from[config->from];
	options.Config.AckPolicy = js_AckExplicit;
	options.Config.AckWait = BUS_SUBSCRIBER_AGAIN_S * INT64_C(1000000000);
	options.Config.MaxAckPending = BUS_SUBSCRIBER_UNSETTLED;
	return js_PullSubscribe(&b->sub, b->link.js, subjects, config->consumer,
	    NULL, &options, NULL);
}

static bool open_all(struct bus_subscriber *b)
{
	char why[BUS_ERROR_MAX];
	natsStatus s;

	if (b->sub)
		return true;
	if (!b->link.connection &&
	    bus_link_open(&b->link, b->worker.config,
		"hallmark-verifierd subscribe", NULL, NULL, why)) {
		tell(b, why);
		return false;
	}
	s = subscribe(b);
	if (s == NATS_OK) {
		tell(b, "");
		return true;
	}
	bus_link_why(s, why);
	tell(b, why);
	return false;
}

/* The subscription is made anew (the consumer may be gone, and with it the
 * stream); the durable consumer, if it is there, goes on. */
static void give_up(struct bus_subscriber *b, const char *why)
{
	tell(b, why);
	natsSubscription_Destroy(b->sub);
	b->sub = NULL;
}

static bool take_all(struct bus_subscriber *b, natsMsgList *list)
{
	bool taken = true;

	for (int i = 0; i < list->Count && taken; i++) {
		taken = take_message(b, list->Msgs[i]);
		list->Msgs[i] = NULL;
	}
	return taken;
}

/* False: pause before the next. */
static bool fetch(struct bus_subscriber *b)
{
	natsMsgList list = {.Msgs = NULL};
	char why[BUS_ERROR_MAX];
	bool taken;
	natsStatus s;

	s = natsSubscription_Fetch(
	    &list, b->sub, BUS_SUBSCRIBER_BATCH, BUS_SUBSCRIBER_FETCH_MS, NULL);
	if (s == NATS_TIMEOUT) {
		tell(b, bus_link_connected(&b->link) ? "" : "connection lost");
		return true;
	}
	if (s != NATS_OK) {
		bus_link_why(s, why);
		give_up(b, why);
		return false;
	}
	taken = take_all(b, &list);
	natsMsgList_Destroy(&list);
	if (taken)
		tell(b, "");
	else
		give_up(b, "documents cannot be fetched");
	return taken;
}

void bus_consumer_run(struct bus_worker *worker)
{
	struct bus_subscriber *b = (struct bus_subscriber *)worker;

	while (!bus_worker_stopping(worker)) {
		bool ok = open_all(b) && fetch(b);

		acknowledge(b);
		if (!ok)
			bus_worker_wait(worker, BUS_SUBSCRIBER_RETRY_MS);
	}
	acknowledge(b);
	natsSubscription_Destroy(b->sub);
	bus_link_close(&b->link);
}
