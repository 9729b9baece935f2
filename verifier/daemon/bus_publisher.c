/* bus_publisher: see bus_publisher.h. All but start, wake, stats and stop runs
 * in the worker's thread. */
#include "verifier/daemon/bus_publisher.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/daemon/bus_outbox.h"
#include "verifier/daemon/bus_worker.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MS     1000 /* without a wake */
#define SUBJECT_MAX (BUS_WORD_MAX + BUS_SUBJECT_MAX + 2)

struct sent {
	uint8_t sha256[HM_SHA256_LEN];
	int64_t sent_ms;
};

struct bus_publisher {
	struct bus_worker worker; /* first */
	const char *archive;
	void (*stopped)(void *data);
	void *stopped_data;
	/* the thread's */
	struct bus_link link;
	struct bus_outbox *outbox;
	bool stream_seen; /* it is there, since this link was made */
	struct sent sent[BUS_PUBLISHER_DOCUMENTS];
	size_t next_sent;
	/* everybody's */
	atomic_bool refused; /* set by libnats: a message of this batch */
	atomic_ullong published;
	atomic_llong waiting;
};

/* ---- the stream ---- */

static natsStatus add_stream(struct bus_publisher *p, jsErrCode *code)
{
	const struct bus_config *config = p->worker.config;
	char subjects[BUS_WORD_MAX + 2];
	const char *list[] = {subjects};
	jsStreamInfo *info = NULL;
	jsStreamConfig stream;
	natsStatus s = jsStreamConfig_Init(&stream);

	if (s != NATS_OK)
		return s;
	snprintf(subjects, sizeof(subjects), "%s.>", config->subject);
	stream.Name = config->stream;
	stream.Subjects = list;
	stream.SubjectsLen = 1;
	stream.Storage = js_FileStorage;
	stream.Replicas = config->replicas;
	stream.MaxAge = config->max_age_s * INT64_C(1000000000);
	stream.MaxBytes = config->max_bytes ? config->max_bytes : -1;
	stream.MaxMsgSize = HM_ENVELOPE_MAX;
	stream.Duplicates = BUS_PUBLISHER_WINDOW_S * INT64_C(1000000000);
	/* A window longer than the age is refused. */
	if (stream.MaxAge && stream.Duplicates > stream.MaxAge)
		stream.Duplicates = stream.MaxAge;
	s = js_AddStream(&info, p->link.js, &stream, NULL, code);
	jsStreamInfo_Destroy(info);
	return s;
}

static natsStatus need_stream(struct bus_publisher *p)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus s;

	if (p->stream_seen)
		return NATS_OK;
	s = js_GetStreamInfo(
	    &info, p->link.js, p->worker.config->stream, NULL, &code);
	jsStreamInfo_Destroy(info);
	if (s == NATS_NOT_FOUND && code == JSStreamNotFoundErr)
		s = add_stream(p, &code);
	/* Another daemon made it just now. */
	if (s != NATS_OK && code == JSStreamNameExistErr)
		s = NATS_OK;
	p->stream_seen = s == NATS_OK;
	return s;
}

/* ---- messages ---- */

static void on_refused(jsCtx *js, jsPubAckErr *error, void *data)
{
	struct bus_publisher *p = data;

	(void)js;
	(void)error;
	atomic_store(&p->refused, true);
}

static natsStatus publish(struct bus_publisher *p, const char *subject,
    const char *id, const void *bytes, size_t len)
{
	char whole[SUBJECT_MAX];
	jsPubOptions options;
	natsStatus s = jsPubOptions_Init(&options);

	if (s != NATS_OK)
		return s;
	options.MsgId = id;
	options.ExpectStream = p->worker.config->stream;
	snprintf(
	    whole, sizeof(whole), "%s.%s", p->worker.config->subject, subject);
	return js_PublishAsync(p->link.js, whole, bytes, (int)len, &options);
}

static struct sent *find_sent(
    struct bus_publisher *p, const uint8_t sha256[HM_SHA256_LEN])
{
	for (size_t i = 0; i < BUS_PUBLISHER_DOCUMENTS; i++)
		if (memcmp(p->sent[i].sha256, sha256, HM_SHA256_LEN) == 0)
			return &p->sent[i];
	return NULL;
}

static void note_sent(
    struct bus_publisher *p, const uint8_t sha256[HM_SHA256_LEN], int64_t now)
{
	struct sent *sent = find_sent(p, sha256);

	if (!sent)
		sent = &p->sent[p->next_sent++ % BUS_PUBLISHER_DOCUMENTS];
	memcpy(sent->sha256, sha256, HM_SHA256_LEN);
	sent->sent_ms = now;
}

/* Its id changes with time: a repetition is to be stored, not dropped. */
static natsStatus publish_document(
    struct bus_publisher *p, const uint8_t sha256[HM_SHA256_LEN])
{
	char hex[2 * HM_SHA256_LEN + 1], subject[BUS_SUBJECT_MAX];
	char id[BUS_ID_MAX];
	struct sent *sent = find_sent(p, sha256);
	int64_t now = now_unix_ms();
	uint8_t *bytes;
	natsStatus s;
	size_t len;

	if (sent && now - sent->sent_ms < BUS_PUBLISHER_DOCUMENT_MS &&
	    now >= sent->sent_ms)
		return NATS_OK;
	if (bus_outbox_document(p->outbox, sha256, &bytes, &len))
		return NATS_OK; /* readers may have it, or say that they lack it
				 */
	hex_encode(sha256, HM_SHA256_LEN, hex);
	snprintf(subject, sizeof(subject), "document.%s", hex);
	snprintf(id, sizeof(id), "%s-%lld", hex,
	    (long long)(now / BUS_PUBLISHER_DOCUMENT_MS));
	s = publish(p, subject, id, bytes, len);
	if (s == NATS_OK)
		note_sent(p, sha256, now);
	free(bytes);
	return s;
}

/* Those without an answer are ours again: the batch is told anew. */
static void forget_pending(struct bus_publisher *p)
{
	natsMsgList pending = {.Msgs = NULL};

	if (js_PublishAsyncGetPendingList(&pending, p->link.js) == NATS_OK)
		natsMsgList_Destroy(&pending);
	memset(p->sent, 0, sizeof(p->sent));
	p->stream_seen = false;
}

static natsStatus publish_all(
    struct bus_publisher *p, const struct bus_letter *letters, size_t count)
{
	natsStatus s = need_stream(p);
	jsPubOptions wait;

	atomic_store(&p->refused, false);
	for (size_t i = 0; i < count && s == NATS_OK; i++) {
		for (size_t d = 0;
		     d < letters[i].document_count && s == NATS_OK; d++)
			s = publish_document(p, letters[i].documents[d]);
		if (s == NATS_OK)
			s = publish(p, letters[i].subject, letters[i].id,
			    letters[i].text, letters[i].len);
	}
	if (s == NATS_OK)
		s = jsPubOptions_Init(&wait);
	if (s == NATS_OK) {
		wait.MaxWait = BUS_LINK_ANSWER_MS;
		s = js_PublishAsyncComplete(p->link.js, &wait);
	}
	if (s == NATS_OK && atomic_load(&p->refused))
		s = NATS_ERR;
	if (s != NATS_OK)
		forget_pending(p);
	return s;
}

/* ---- the thread ---- */

static void tell(struct bus_publisher *p, const char *why)
{
	bus_worker_tell(&p->worker, bus_link_connected(&p->link), why);
}

static bool open_all(struct bus_publisher *p)
{
	const struct bus_config *config = p->worker.config;
	char why[BUS_ERROR_MAX];

	if (!p->outbox && bus_outbox_open(&p->outbox, p->archive,
			      config->stream, now_unix_ms(), why)) {
		tell(p, why);
		return false;
	}
	if (p->link.connection)
		return true;
	p->stream_seen = false;
	if (bus_link_open(&p->link, config, "hallmark-verifierd publish",
		on_refused, p, why)) {
		tell(p, why);
		return false;
	}
	tell(p, "");
	return true;
}

/* How many were published, 0 if there are none, or -1. */
static int publish_some(struct bus_publisher *p)
{
	struct bus_letter letters[BUS_OUTBOX_BATCH];
	char why[BUS_ERROR_MAX];
	natsStatus s = NATS_OK;
	size_t count;

	if (bus_outbox_next(p->outbox, letters, &count, why)) {
		tell(p, why);
		return -1;
	}
	if (count > 0)
		s = publish_all(p, letters, count);
	bus_letters_free(letters, count);
	if (s != NATS_OK) {
		bus_link_why(s, why);
		tell(p, why);
		return -1;
	}
	bus_outbox_done(p->outbox, now_unix_ms());
	atomic_fetch_add(&p->published, count);
	atomic_store(&p->waiting, bus_outbox_waiting(p->outbox));
	if (count > 0 || bus_link_connected(&p->link))
		tell(p, "");
	else
		tell(p, "connection lost");
	return (int)count;
}

static void run(struct bus_worker *worker)
{
	struct bus_publisher *p = (struct bus_publisher *)worker;
	unsigned wait_ms;

	do {
		wait_ms = BUS_PUBLISHER_RETRY_MS;
		if (open_all(p)) {
			int n = publish_some(p);

			if (n >= 0)
				wait_ms = n > 0 ? 0 : IDLE_MS;
			else
				atomic_store(
				    &p->waiting, bus_outbox_waiting(p->outbox));
		}
	} while (bus_worker_wait(worker, wait_ms));
	bus_outbox_close(p->outbox);
	bus_link_close(&p->link);
}

/* ---- on the loop ---- */

struct bus_publisher *bus_publisher_start(
    uv_loop_t *loop, const struct bus_config *config, const char *archive)
{
	struct bus_publisher *p = calloc(1, sizeof(*p));

	if (!p)
		log_die("bus", "out of memory");
	p->archive = archive;
	bus_worker_start(&p->worker, loop, config, "publish", run, NULL);
	return p;
}

void bus_publisher_wake(struct bus_publisher *publisher)
{
	bus_worker_wake(&publisher->worker);
}

static void on_stopped(void *data)
{
	struct bus_publisher *p = data;
	void (*stopped)(void *) = p->stopped;
	void *stopped_data = p->stopped_data;

	free(p);
	stopped(stopped_data);
}

void bus_publisher_stop(
    struct bus_publisher *publisher, void (*stopped)(void *data), void *data)
{
	publisher->stopped = stopped;
	publisher->stopped_data = data;
	bus_worker_stop(&publisher->worker, on_stopped, publisher);
}

void bus_publisher_stats(
    struct bus_publisher *publisher, struct bus_publisher_stats *out)
{
	out->connected = bus_worker_connected(&publisher->worker, out->why);
	out->published = atomic_load(&publisher->published);
	out->waiting = atomic_load(&publisher->waiting);
}
