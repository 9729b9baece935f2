/* watch_run: the loop of `hallmark watch` (watch.h tells how it goes). */
#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/cli/command.h"
#include "verifier/cli/watch.h"
#include "verifier/daemon/channel_keeper.h"
#include "verifier/daemon/intake.h"
#include "verifier/daemon/oracle_get.h"
#include "verifier/daemon/pairing.h"
#include "verifier/daemon/subscriber.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS   1000
#define TEXT_MAX  640 /* bytes of a note and a NUL */
#define NAMES_MAX 400 /* of them for the names of feeds */

struct watch {
	struct watch_options *options; /* its address gets the pin */
	uv_loop_t *loop;
	struct watch_view *view;
	struct curl_loop *curl;
	struct channel_keeper *channel; /* NULL: not an attested address */
	struct validator *validator;
	struct pairing *pairing;
	struct subscriber *subscriber; /* after the answer to /feeds */
	struct oracle_get ask;
	/* .data points back; all are closed in on_end */
	uv_timer_t end, deadline, tick;
	uv_signal_t interrupt, terminate;
	struct watch_tally tally;
	int code; /* once `ending` */
	bool ending, told_lost;
	bool told_unattested, begun; /* of an attested address */
	bool found;                  /* an event came, once */
};

/* ---- the end ---- */

static void on_end(uv_timer_t *timer)
{
	struct watch *w = timer->data;

	if (w->subscriber)
		subscriber_stop(w->subscriber);
	channel_keeper_stop(w->channel);
	oracle_get_cancel(&w->ask);
	pairing_free(w->pairing);
	curl_loop_close(w->curl);
	uv_close((uv_handle_t *)&w->end, NULL);
	uv_close((uv_handle_t *)&w->deadline, NULL);
	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_close((uv_handle_t *)&w->interrupt, NULL);
	uv_close((uv_handle_t *)&w->terminate, NULL);
}

/* From anywhere; the first one counts. */
static void end(struct watch *w, int code)
{
	if (w->ending)
		return;
	w->ending = true;
	w->code = code;
	uv_timer_start(&w->end, on_end, 0, 0);
}

static void end_by_tally(struct watch *w)
{
	end(w, watch_tally_exit(&w->tally, &w->options->until));
}

/* Nobody reads any more (a closed pipe), or the disk is full. */
static void shown(struct watch *w, int rc)
{
	if (rc)
		end(w, COMMAND_USAGE);
}

static void on_deadline(uv_timer_t *timer)
{
	end_by_tally(timer->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	end_by_tally(handle->data);
}

static void on_tick(uv_timer_t *timer)
{
	struct watch *w = timer->data;

	shown(w, watch_view_tick(w->view, now_unix_ms()));
}

/* ---- what there is to say besides ---- */

__attribute__((format(printf, 3, 4))) static void note(
    struct watch *w, const char *event, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!w->ending)
		shown(w, watch_view_note(w->view, event, text));
}

static void on_failed(const char *why, void *data)
{
	struct watch *w = data;
	const char *next = ". Is it running, and is this its address?";

	if (w->told_lost)
		return;
	w->told_lost = true;
	if (w->found)
		next = "";
	if (strncmp(why, "answered ", 9) == 0)
		next =
		    ". Is it an oracle or a verifier, and does it have these "
		    "feeds (GET /feeds)?";
	note(w, "lost", "%s: %s; trying again, and resuming%s",
	    w->options->address.text, why, next);
}

static void on_changed(bool connected, void *data)
{
	struct watch *w = data;

	if (!connected)
		return;
	w->found = true;
	w->told_lost = false;
	note(w, "connected", "%s", w->options->address.text);
}

/* {"reason":"other_epoch"} */
static void tell_resync(struct watch *w, const struct sse_event *event)
{
	json_t *root = json_loadb(event->data, event->len, 0, NULL);
	const char *reason = json_string_value(json_object_get(root, "reason"));

	note(w, "resync",
	    "%s no longer has what came after the last item (%.64s): some may "
	    "be missing, which the next item of each feed tells",
	    w->options->address.text, reason ? reason : "no reason given");
	json_decref(root);
}

static void on_event(const struct sse_event *event, void *data)
{
	struct watch *w = data;

	if (w->ending)
		return;
	if (strcmp(event->name, "resync") == 0)
		tell_resync(w, event);
	else if (strcmp(event->name, "goodbye") == 0)
		note(w, "goodbye", "%s ends the stream",
		    w->options->address.text);
	pairing_event(w->pairing, event);
	if (pairing_waiting(w->pairing) >= INTAKE_WAITING_MAX ||
	    pairing_bytes(w->pairing) >= INTAKE_WAITING_BYTES)
		subscriber_pause(w->subscriber);
}

/* ---- items ---- */

static bool wanted(const struct watch *w, const struct record *record)
{
	return record->refused || w->options->feeds.count == 0 ||
	       oracle_feeds_has(&w->options->feeds, record->feed);
}

static void on_ready(struct record *record, void *data)
{
	struct watch *w = data;
	int64_t now_ms = now_unix_ms();
	struct hm_item item;

	validator_judge_item(w->validator, record, now_ms, &item);
	if (!w->ending && wanted(w, record)) {
		bool met = watch_tally_add(
		    &w->tally, &w->options->until, record, &item);

		shown(w, watch_view_item(w->view, record, &item, now_ms));
		if (met)
			end_by_tally(w);
	}
	record_free(record);
}

static void on_fetched(void *data)
{
	struct watch *w = data;

	if (!w->ending)
		subscriber_resume(w->subscriber);
}

static void on_missing(const char *why, void *data)
{
	struct watch *w = data;

	note(w, "no document",
	    "%s does not give the attestation document that an item names: %s",
	    w->options->address.text, why);
}

/* ---- the beginning ---- */

static void make_target(char out[ORACLE_TARGET_MAX], void *data)
{
	const struct watch *w = data;

	oracle_feeds_stream(out, &w->options->feeds);
}

static void on_key_refused(void *data)
{
	struct watch *w = data;

	if (w->channel)
		channel_keeper_doubt(w->channel);
}

static void subscribe(struct watch *w)
{
	w->subscriber = subscriber_start(&(struct subscriber_options){
	    .loop = w->loop,
	    .curl = w->curl,
	    .address = &w->options->address,
	    .target = make_target,
	    .event = on_event,
	    .changed = on_changed,
	    .failed = on_failed,
	    .key_refused = on_key_refused,
	    .data = w,
	});
}

/* The first name that is asked for and not there, or NULL. */
static const char *not_there(
    const struct watch_options *o, const struct oracle_feeds *there)
{
	for (size_t i = 0; i < o->feeds.count; i++)
		if (!oracle_feeds_has(there, o->feeds.names[i]))
			return o->feeds.names[i];
	if (o->until.feed[0] && !oracle_feeds_has(there, o->until.feed))
		return o->until.feed;
	return NULL;
}

static void tell_not_there(
    struct watch *w, const char *name, const struct oracle_feeds *there)
{
	char names[NAMES_MAX] = "";
	size_t len = 0;

	for (size_t i = 0; i < there->count; i++) {
		size_t more = strlen(there->names[i]) + 2;

		if (len + more + sizeof("...") > sizeof(names)) {
			snprintf(names + len, sizeof(names) - len, " ...");
			break;
		}
		snprintf(
		    names + len, sizeof(names) - len, " %s", there->names[i]);
		len += more - 1;
	}
	note(w, "no such feed", "%s has no %s; it has:%s",
	    w->options->address.text, name, names);
	end(w, COMMAND_USAGE);
}

static void on_feeds(
    struct oracle_get *get, const char *error, const uint8_t *body, size_t len)
{
	static struct oracle_feeds there; /* large */
	struct watch *w = get->data;
	const char *name = NULL;

	(void)error; /* it is away: the subscriber says so, and tries again */
	if (body && oracle_feeds_parse(&there, (const char *)body, len) == 0)
		name = not_there(w->options, &there);
	if (name)
		tell_not_there(w, name, &there);
	else
		subscribe(w);
}

/* Asks for the feeds if some are named, then for their stream. */
static void begin(struct watch *w)
{
	const struct watch_options *o = w->options;

	w->ask.data = w;
	if (o->feeds.count || o->until.feed[0])
		oracle_get_start(&w->ask, w->curl, &o->address, "/feeds",
		    "application/json", INTAKE_FEEDS_BYTES, on_feeds);
	else
		subscribe(w);
}

/* ---- the channel, if the address is an attested one ---- */

static void on_attested(const struct channel_facts *facts, void *data)
{
	struct watch *w = data;
	char boot_id[33];

	hex_encode(facts->attested.boot_id, 16, boot_id);
	w->told_unattested = false;
	note(w, "attested",
	    "%s: TLS ends in the enclave itself (%s, release %s, boot %s)",
	    w->options->address.text, facts->document.platform,
	    facts->document.release, boot_id);
	if (!w->begun)
		begin(w);
	w->begun = true;
}

/* Who is at the other end and is refused counts like an item that is. */
static void on_not_attested(const struct channel_failure *why, void *data)
{
	struct watch *w = data;

	if (why->verdict != HM_VALID && w->tally.first_refused == HM_VALID)
		w->tally.first_refused = why->verdict;
	if (!w->told_unattested)
		note(w, "not attested",
		    "%s: %s; nothing is asked of it, trying again",
		    w->options->address.text, why->text);
	w->told_unattested = true;
}

static struct channel_keeper *start_channel(
    struct watch *w, const struct hm_policy *policy)
{
	return channel_keeper_start(&(struct channel_keeper_options){
	    .loop = w->loop,
	    .curl = w->curl,
	    .address = &w->options->address,
	    .policy = policy,
	    .attested = on_attested,
	    .failed = on_not_attested,
	    .data = w,
	});
}

static void start_handles(struct watch *w)
{
	uv_timer_init(w->loop, &w->end);
	uv_timer_init(w->loop, &w->deadline);
	uv_timer_init(w->loop, &w->tick);
	uv_signal_init(w->loop, &w->interrupt);
	uv_signal_init(w->loop, &w->terminate);
	w->end.data = w->deadline.data = w->tick.data = w;
	w->interrupt.data = w->terminate.data = w;
	uv_timer_start(&w->tick, on_tick, TICK_MS, TICK_MS);
	uv_signal_start(&w->interrupt, on_signal, SIGINT);
	uv_signal_start(&w->terminate, on_signal, SIGTERM);
	if (w->options->for_s)
		uv_timer_start(&w->deadline, on_deadline,
		    1000 * (uint64_t)w->options->for_s, 0);
}

int watch_run(uv_loop_t *loop, struct watch_options *options,
    const struct hm_policy *policy, struct watch_view *view)
{
	struct watch w = {.options = options, .loop = loop, .view = view};

	w.curl = curl_loop_new(loop);
	w.validator = validator_new(policy);
	w.pairing = pairing_new(&(struct pairing_options){
	    .curl = w.curl,
	    .address = &options->address,
	    .ready = on_ready,
	    .fetched = on_fetched,
	    .missing = on_missing,
	    .data = &w,
	});
	start_handles(&w);
	if (options->address.attested)
		w.channel = start_channel(&w, policy);
	else
		begin(&w);
	uv_run(loop, UV_RUN_DEFAULT);
	validator_free(w.validator);
	if (watch_view_end(view, &w.tally, w.code) && w.code == 0)
		return COMMAND_USAGE;
	return w.code;
}
