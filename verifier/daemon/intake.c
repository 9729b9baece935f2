/* intake: one oracle's events, turned into judged records. */
#include "verifier/daemon/intake.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/daemon/budget.h"
#include "verifier/daemon/oracle_feeds.h"
#include "verifier/daemon/oracle_get.h"
#include "verifier/daemon/subscriber.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct intake {
	struct intake_options options;
	struct subscriber *subscriber; /* from the first answer to /feeds on */
	char last_event_id[SSE_ID_MAX];
	struct kept_documents documents;
	struct record_queue waiting; /* the head's document may be fetched */
	struct oracle_get fetch, ask;
	bool fetching, asking;
	struct oracle_feeds feeds; /* what it said it has */
	size_t named;              /* names it has brought so far */
	struct budget refusals;
	uint64_t unkept; /* refused beyond the budget */
};

static void drain(struct intake *in);

static const char *name_of(const struct intake *in)
{
	return in->options.address->text;
}

static bool is_full(const struct intake *in)
{
	return in->waiting.count >= INTAKE_WAITING_MAX ||
	       in->waiting.bytes >= INTAKE_WAITING_BYTES ||
	       archive_writer_full(in->options.writer);
}

static void pause_or_resume(struct intake *in)
{
	if (!in->subscriber)
		return;
	if (is_full(in))
		subscriber_pause(in->subscriber);
	else
		subscriber_resume(in->subscriber);
}

/* ---- judged: where to? ---- */

/* A flood of refusals fills neither the disk nor the log. */
static bool worth_keeping(struct intake *in)
{
	if (budget_take(
		&in->refusals, uv_now(in->options.loop), INTAKE_REFUSED_PER_S))
		return true;
	in->unkept++;
	return false;
}

static bool wanted_feed(struct intake *in, const char *feed)
{
	if (in->options.limited)
		return announcer_has_feed(in->options.announcer, feed);
	return announcer_add_feed(in->options.announcer, feed);
}

static void judge(struct intake *in, struct record *r)
{
	validator_judge(in->options.validator, r, now_unix_ms());
	if (r->refused ? !worth_keeping(in) : !wanted_feed(in, r->feed)) {
		record_free(r);
		return;
	}
	if (!r->refused) { /* its envelope says it all */
		record_drop_text(r);
	}
	archive_writer_put(in->options.writer, r);
}

/* ---- documents ---- */

/* The envelope's own document, or one that came before; with a reference. */
static struct kept_document *find_document(
    struct intake *in, const struct hm_envelope *e)
{
	struct kept_document *found = kept_documents_find(
	    &in->documents, e->attestation_sha256);

	if (found)
		return kept_document_ref(found);
	if (e->document && e->document_len <= HM_DOCUMENT_MAX) {
		found = kept_document_new(e->document, e->document_len);
		kept_documents_add(&in->documents, found);
	}
	return found;
}

/* With or without it: all that wait for it are judged now, and it is not
 * fetched for them again. Without it the library says attestation_missing. */
static void judge_who_waited(struct intake *in)
{
	uint8_t sha256[HM_SHA256_LEN];
	struct record *r = in->waiting.head;

	if (!r)
		return;
	memcpy(sha256, r->envelope.attestation_sha256, sizeof(sha256));
	for (; (r = in->waiting.head); judge(in, r)) {
		if (r->parsed == HM_VALID) {
			if (memcmp(r->envelope.attestation_sha256, sha256,
				sizeof(sha256)) != 0)
				break;
			r->document = find_document(in, &r->envelope);
		}
		record_queue_pop(&in->waiting);
	}
}

static void on_document(
    struct oracle_get *get, const char *error, const uint8_t *body, size_t len)
{
	struct intake *in = get->data;
	struct kept_document *document;

	in->fetching = false;
	if (body) {
		document = kept_document_new(body, len);
		kept_documents_add(&in->documents, document);
		kept_document_unref(document);
	} else {
		log_warn("intake", "document_not_fetched",
		    LOG_S("oracle", name_of(in)), LOG_S("why", error));
	}
	judge_who_waited(in);
	drain(in);
}

static void fetch_document(struct intake *in, const struct hm_envelope *e)
{
	char target[ORACLE_TARGET_MAX];
	char hex[2 * HM_SHA256_LEN + 1];

	hex_encode(e->attestation_sha256, HM_SHA256_LEN, hex);
	snprintf(target, sizeof(target), "/attestations/%s", hex);
	in->fetching = true;
	in->fetch.data = in;
	oracle_get_start(&in->fetch, in->options.curl, in->options.address,
	    target, "application/cbor", HM_DOCUMENT_MAX, on_document);
}

/* Judges from the head on until one has to wait. */
static void drain(struct intake *in)
{
	struct record *r;

	while (!in->fetching && (r = in->waiting.head)) {
		struct kept_document *document = NULL;

		if (r->parsed == HM_VALID) {
			document = find_document(in, &r->envelope);
			if (!document) {
				fetch_document(in, &r->envelope);
				break;
			}
		}
		record_queue_pop(&in->waiting);
		r->document = document;
		judge(in, r);
	}
	pause_or_resume(in);
}

/* {"attestation_doc_b64": "...", ...}. Advice only: whatever it is, it will be
 * found by the hash of its bytes alone, and verified with the first item. */
static void take_attestation(struct intake *in, const char *json, size_t len)
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *text = json_object_get(root, "attestation_doc_b64");
	struct kept_document *document;
	uint8_t *bytes = NULL;
	size_t bytes_len;

	if (json_is_string(text) &&
	    base64_decode(&bytes, &bytes_len, json_string_value(text),
		json_string_length(text)) == 0 &&
	    bytes_len <= HM_DOCUMENT_MAX) {
		document = kept_document_new(bytes, bytes_len);
		kept_documents_add(&in->documents, document);
		kept_document_unref(document);
	}
	free(bytes);
	json_decref(root);
}

/* ---- the stream ---- */

static void on_event(const struct sse_event *event, void *data)
{
	struct intake *in = data;

	if (strcmp(event->name, "attestation") == 0) {
		take_attestation(in, event->data, event->len);
	} else if (strcmp(event->name, "price") == 0 ||
		   strcmp(event->name, "status") == 0) {
		record_queue_push(
		    &in->waiting, record_new(name_of(in), event->id,
				      event->data, event->len, now_unix_ms()));
		drain(in);
	}
}

/* Asks for no more than is wanted, once we know what there is: an unknown
 * name would be refused. What comes all the same is dropped by judge(). */
static void make_target(char out[ORACLE_TARGET_MAX], void *data)
{
	struct intake *in = data;
	struct oracle_feeds wanted = {.count = 0};

	for (size_t i = 0; in->options.limited && i < in->feeds.count; i++) {
		const char *name = in->feeds.names[i];

		if (wanted_feed(in, name))
			snprintf(wanted.names[wanted.count++], ORACLE_FEED_MAX,
			    "%s", name);
	}
	oracle_feeds_stream(out, &wanted);
}

static void start_subscriber(struct intake *in);

/* What /feeds says is not signed: one oracle brings so many names and no more,
 * however often it changes its mind, so that others keep their places. */
static void name_feeds(struct intake *in)
{
	for (size_t i = 0; i < in->feeds.count; i++) {
		const char *name = in->feeds.names[i];

		if (in->options.limited || in->named == ORACLE_FEEDS_MAX ||
		    announcer_has_feed(in->options.announcer, name))
			continue;
		if (announcer_add_feed(in->options.announcer, name))
			in->named++;
	}
}

static void on_feeds(
    struct oracle_get *get, const char *error, const uint8_t *body, size_t len)
{
	struct intake *in = get->data;
	struct oracle_feeds feeds;

	in->asking = false;
	if (body && oracle_feeds_parse(&feeds, (const char *)body, len))
		error = "not a list of feeds";
	if (!error) {
		in->feeds = feeds;
		name_feeds(in);
	} else if (in->subscriber) {
		log_warn("intake", "feeds_unknown",
		    LOG_S("oracle", name_of(in)), LOG_S("why", error));
	}
	if (!in->subscriber)
		start_subscriber(in);
}

static void ask_feeds(struct intake *in)
{
	if (in->asking)
		return;
	in->asking = true;
	in->ask.data = in;
	oracle_get_start(&in->ask, in->options.curl, in->options.address,
	    "/feeds", "application/json", INTAKE_FEEDS_BYTES, on_feeds);
}

static void on_changed(bool connected, void *data)
{
	if (connected) /* it may be another release with other feeds */
		ask_feeds(data);
}

static void start_subscriber(struct intake *in)
{
	in->subscriber = subscriber_start(&(struct subscriber_options){
	    .loop = in->options.loop,
	    .curl = in->options.curl,
	    .address = in->options.address,
	    .last_event_id = in->last_event_id,
	    .target = make_target,
	    .event = on_event,
	    .changed = on_changed,
	    .data = in,
	});
}

struct intake *intake_start(const struct intake_options *options)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (!in)
		log_die("intake", "out of memory");
	in->options = *options;
	snprintf(in->last_event_id, sizeof(in->last_event_id), "%s",
	    options->last_event_id);
	ask_feeds(in);
	return in;
}

bool intake_connected(const struct intake *intake)
{
	return intake->subscriber && subscriber_connected(intake->subscriber);
}

size_t intake_waiting(const struct intake *intake)
{
	return intake->waiting.count;
}

void intake_resume(struct intake *intake)
{
	drain(intake);
}

void intake_stop(struct intake *intake)
{
	if (intake->subscriber)
		subscriber_stop(intake->subscriber);
	oracle_get_cancel(&intake->fetch);
	oracle_get_cancel(&intake->ask);
	record_queue_fini(&intake->waiting);
	kept_documents_fini(&intake->documents);
	free(intake);
}
