/* intake: one oracle's events, turned into judged records. */
#include "verifier/daemon/intake.h"

#include "base/log.h"
#include "base/now.h"
#include "verifier/daemon/budget.h"
#include "verifier/daemon/channel_keeper.h"
#include "verifier/daemon/oracle_feeds.h"
#include "verifier/daemon/oracle_get.h"
#include "verifier/daemon/pairing.h"
#include "verifier/daemon/subscriber.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct intake {
	struct intake_options options;
	struct channel_keeper *channel; /* NULL: not an attested address */
	struct subscriber *subscriber;  /* from the first answer to /feeds on */
	char last_event_id[SSE_ID_MAX];
	struct pairing *pairing;
	struct oracle_get ask;
	bool asking;
	struct oracle_feeds feeds; /* what it said it has */
	size_t named;              /* names it has brought so far */
	struct budget refusals, forks;
	uint64_t unkept; /* refused beyond the budget */
};

static const char *name_of(const struct intake *in)
{
	return in->options.address->text;
}

static bool is_full(const struct intake *in)
{
	return pairing_waiting(in->pairing) >= INTAKE_WAITING_MAX ||
	       pairing_bytes(in->pairing) >= INTAKE_WAITING_BYTES ||
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

/* A flood of refusals fills neither the disk nor the log; nor does it hide a
 * fork, which is signed with an attested key and proves that somebody lies. */
static bool worth_keeping(struct intake *in, const struct record *r)
{
	struct budget *budget = r->verdict == HM_SEQUENCE_FORK ? &in->forks
							       : &in->refusals;

	if (budget_take(budget, uv_now(in->options.loop), INTAKE_REFUSED_PER_S))
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

static void judge(struct record *r, void *data)
{
	struct intake *in = data;

	validator_judge(in->options.validator, r, now_unix_ms());
	if (r->refused ? !worth_keeping(in, r)
		       : !r->is_head && !wanted_feed(in, r->feed)) {
		record_free(r);
		return;
	}
	if (!r->refused) { /* its envelope says it all */
		record_drop_text(r);
	}
	archive_writer_put(in->options.writer, r);
}

/* ---- the stream ---- */

static void on_fetched(void *data)
{
	pause_or_resume(data);
}

static void on_missing(const char *why, void *data)
{
	log_warn("intake", "document_not_fetched",
	    LOG_S("oracle", name_of(data)), LOG_S("why", why));
}

static void on_event(const struct sse_event *event, void *data)
{
	struct intake *in = data;

	pairing_event(in->pairing, event);
	pause_or_resume(in);
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

static void on_key_refused(void *data)
{
	struct intake *in = data;

	if (in->channel)
		channel_keeper_doubt(in->channel);
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
	    .key_refused = on_key_refused,
	    .data = in,
	    .from_first = true,
	});
}

static void on_attested(const struct channel_facts *facts, void *data)
{
	struct intake *in = data;

	(void)facts;
	if (!in->subscriber) /* it tries again by itself */
		ask_feeds(in);
}

static struct channel_keeper *start_channel(struct intake *in)
{
	return channel_keeper_start(&(struct channel_keeper_options){
	    .loop = in->options.loop,
	    .curl = in->options.curl,
	    .address = in->options.address,
	    .policy = in->options.policy,
	    .attested = on_attested,
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
	in->pairing = pairing_new(&(struct pairing_options){
	    .curl = options->curl,
	    .address = options->address,
	    .ready = judge,
	    .fetched = on_fetched,
	    .missing = on_missing,
	    .data = in,
	    .heads = true,
	});
	if (options->address->attested)
		in->channel = start_channel(in);
	else
		ask_feeds(in);
	return in;
}

bool intake_connected(const struct intake *intake)
{
	return intake->subscriber && subscriber_connected(intake->subscriber);
}

const char *intake_unattested(const struct intake *intake)
{
	return intake->channel ? channel_keeper_why(intake->channel) : NULL;
}

size_t intake_waiting(const struct intake *intake)
{
	return pairing_waiting(intake->pairing);
}

void intake_resume(struct intake *intake)
{
	pause_or_resume(intake);
}

void intake_stop(struct intake *intake)
{
	if (intake->subscriber)
		subscriber_stop(intake->subscriber);
	channel_keeper_stop(intake->channel);
	oracle_get_cancel(&intake->ask);
	pairing_free(intake->pairing);
	free(intake);
}
