/*
 * subscriber: keeps one stream open. The happy path: a GET that never ends,
 * whose bytes go through the SSE parser to the owner, and whose silence timer
 * starts anew with each event (with each event, not each byte: a peer that
 * drips half a line for ever is silent too).
 */
#include "verifier/daemon/subscriber.h"

#include "base/log.h"
#include "verifier/daemon/oracle_get.h"
#include "verifier/daemon/retry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_STREAM "text/event-stream"

struct subscriber {
	struct subscriber_options options;
	uv_timer_t timer; /* WAITING: the next try; else: silence */
	struct curl_transfer transfer; /* easy is NULL while WAITING */
	struct curl_slist *headers;    /* of the transfer */
	struct sse_parser *parser;     /* of the transfer */
	char last_id[SSE_ID_MAX];
	char refusal[96];    /* why the parser or we ended it; "" */
	uint64_t backoff_ms; /* before the next try */
	bool connected;      /* an event came over this transfer */
	bool durable;        /* one with an id came over it */
	bool told_lost;      /* logged: not again until it is back */
	bool other_epoch;    /* told over this transfer, until its first id */
	bool again;          /* this transfer is to end: from another place */
	bool paused, stopped;
};

static void try_now(uv_timer_t *timer);
static void on_silence(uv_timer_t *timer);

/* ---- back-off ---- */

static void wait_and_try(struct subscriber *s)
{
	uv_timer_start(&s->timer, try_now, retry_wait_ms(&s->backoff_ms), 0);
}

/* ---- the end of a transfer ---- */

static void release(struct subscriber *s)
{
	curl_easy_cleanup(s->transfer.easy);
	curl_slist_free_all(s->headers);
	sse_parser_free(s->parser);
	s->transfer.easy = NULL;
	s->headers = NULL;
	s->parser = NULL;
}

static void lost(struct subscriber *s, const char *why)
{
	bool was_connected = s->connected;

	if (!s->told_lost)
		log_warn("subscriber", "oracle_lost",
		    LOG_S("oracle", s->options.address->text),
		    LOG_S("why", why));
	s->told_lost = true;
	s->connected = false;
	if (s->options.failed)
		s->options.failed(why, s->options.data);
	release(s);
	wait_and_try(s);
	if (was_connected && s->options.changed)
		s->options.changed(false, s->options.data);
}

static void on_done(struct curl_transfer *transfer, CURLcode result)
{
	struct subscriber *s = transfer->data;
	const char *why = curl_easy_strerror(result);

	if (s->refusal[0])
		why = s->refusal;
	else if (result == CURLE_OK)
		why = "the stream ended";
	if (result == CURLE_SSL_PINNEDPUBKEYNOTMATCH && s->options.key_refused)
		s->options.key_refused(s->options.data);
	lost(s, why);
}

static void on_silence(uv_timer_t *timer)
{
	struct subscriber *s = timer->data;

	curl_loop_remove(s->options.curl, &s->transfer);
	lost(s, s->connected ? "silent" : "no answer");
}

/* ---- events ---- */

static void listen_on(struct subscriber *s)
{
	unsigned ms = s->options.silence_ms;

	if (s->paused) /* we are silent, not the oracle */
		return;
	uv_timer_start(
	    &s->timer, on_silence, ms ? ms : SUBSCRIBER_SILENCE_MS, 0);
}

static void found(struct subscriber *s)
{
	log_info("subscriber", "oracle_connected",
	    LOG_S("oracle", s->options.address->text));
	s->connected = true;
	s->told_lost = false;
	s->backoff_ms = RETRY_MIN_MS;
	if (s->options.changed)
		s->options.changed(true, s->options.data);
}

/* Ids go into a header of the next try: nothing but what ours look like. */
static void keep_id(struct subscriber *s, const char *id)
{
	size_t len = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz-");

	if (id[len] == '\0' && len < sizeof(s->last_id))
		snprintf(s->last_id, sizeof(s->last_id), "%s", id);
}

/* The server was started again and has not sent this one only: what it sent
 * before we came is in its ring. Asks for all of it, once: "EPOCH-0" is the
 * place before its first. */
static bool ask_from_first(struct subscriber *s, const char *id)
{
	const char *dash = strrchr(id, '-');
	char first[SSE_ID_MAX];

	s->other_epoch = false;
	if (!dash || strcmp(dash, "-1") == 0 ||
	    (size_t)(dash - id) + sizeof("-0") > sizeof(first))
		return false;
	snprintf(first, sizeof(first), "%.*s-0", (int)(dash - id), id);
	keep_id(s, first);
	s->again = true;
	return true;
}

/* A resync on a stream that gave nothing durable: the place we asked for is
 * gone, asking again would end the same way. */
static void note_id(struct subscriber *s, const struct sse_event *event)
{
	if (strcmp(event->name, "resync") == 0) {
		log_warn("subscriber", "resync",
		    LOG_S("oracle", s->options.address->text),
		    LOG_S("from", s->last_id), LOG_S("data", event->data));
		if (!s->durable)
			s->last_id[0] = '\0';
		s->other_epoch = s->options.from_first && !s->durable &&
				 strstr(event->data, "\"other_epoch\"");
	} else if (event->id[0]) {
		s->durable = true;
		if (s->other_epoch && ask_from_first(s, event->id))
			return;
		keep_id(s, event->id);
	}
}

static void on_event(const struct sse_event *event, void *data)
{
	struct subscriber *s = data;

	if (s->stopped || s->again)
		return;
	if (!s->connected)
		found(s);
	listen_on(s);
	note_id(s, event);
	if (s->again) /* it comes again, in its order */
		return;
	if (strcmp(event->name, "goodbye") == 0)
		log_info("subscriber", "goodbye",
		    LOG_S("oracle", s->options.address->text),
		    LOG_S("data", event->data));
	s->options.event(event, s->options.data);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
	struct subscriber *s = data;
	size_t len = size * count;
	long status = 0;

	if (s->stopped)
		return 0;
	if (!oracle_get_is(s->transfer.easy, EVENT_STREAM)) {
		curl_easy_getinfo(
		    s->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
		snprintf(s->refusal, sizeof(s->refusal),
		    "answered %ld, not a stream", status);
		return 0;
	}
	if (s->paused)
		return CURL_WRITEFUNC_PAUSE;
	if (sse_parser_feed(s->parser, bytes, len))
		snprintf(s->refusal, sizeof(s->refusal), "an event too long");
	else if (s->again)
		snprintf(s->refusal, sizeof(s->refusal),
		    "started again: from its first event");
	else
		return len;
	return 0;
}

/* ---- a try ---- */

static void add_headers(struct subscriber *s)
{
	char line[SSE_ID_MAX + 32];

	s->headers = curl_slist_append(NULL, "Accept: " EVENT_STREAM);
	if (s->headers && s->last_id[0]) {
		snprintf(line, sizeof(line), "Last-Event-ID: %s", s->last_id);
		if (!curl_slist_append(s->headers, line))
			log_die("subscriber", "out of memory");
	}
	curl_easy_setopt(s->transfer.easy, CURLOPT_HTTPHEADER, s->headers);
}

static void try_now(uv_timer_t *timer)
{
	struct subscriber *s = timer->data;
	char target[ORACLE_TARGET_MAX] = "";

	assert(!s->transfer.easy);
	s->options.target(target, s->options.data);
	s->refusal[0] = '\0';
	s->durable = s->other_epoch = s->again = false;
	s->transfer.easy = oracle_address_get(s->options.address, target);
	s->parser = sse_parser_new(on_event, s);
	if (!s->parser)
		log_die("subscriber", "out of memory");
	add_headers(s);
	curl_easy_setopt(s->transfer.easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(s->transfer.easy, CURLOPT_WRITEDATA, s);
	curl_loop_add(s->options.curl, &s->transfer);
	listen_on(s);
}

struct subscriber *subscriber_start(const struct subscriber_options *options)
{
	struct subscriber *s = calloc(1, sizeof(*s));

	if (!s)
		log_die("subscriber", "out of memory");
	s->options = *options;
	s->backoff_ms = RETRY_MIN_MS;
	s->transfer.done = on_done;
	s->transfer.data = s;
	s->timer.data = s;
	if (options->last_event_id)
		keep_id(s, options->last_event_id);
	uv_timer_init(options->loop, &s->timer);
	uv_timer_start(&s->timer, try_now, 0, 0);
	return s;
}

bool subscriber_connected(const struct subscriber *subscriber)
{
	return subscriber->connected;
}

void subscriber_pause(struct subscriber *subscriber)
{
	subscriber->paused = true;
	if (subscriber->transfer.easy)
		uv_timer_stop(&subscriber->timer);
}

void subscriber_resume(struct subscriber *subscriber)
{
	if (!subscriber->paused)
		return;
	subscriber->paused = false;
	if (!subscriber->transfer.easy)
		return;
	listen_on(subscriber);
	curl_easy_pause(subscriber->transfer.easy, CURLPAUSE_CONT);
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void subscriber_stop(struct subscriber *subscriber)
{
	if (subscriber->stopped)
		return;
	subscriber->stopped = true;
	if (subscriber->transfer.easy) {
		curl_loop_remove(
		    subscriber->options.curl, &subscriber->transfer);
		release(subscriber);
	}
	uv_close((uv_handle_t *)&subscriber->timer, on_timer_closed);
}
