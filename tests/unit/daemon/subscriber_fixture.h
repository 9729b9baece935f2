/* subscriber_fixture: a server that streams, ends, refuses or says nothing, and
 * a subscriber to it, on one loop. */
#ifndef HALLMARK_TESTS_DAEMON_SUBSCRIBER_FIXTURE_H
#define HALLMARK_TESTS_DAEMON_SUBSCRIBER_FIXTURE_H

#include "base/log.h"
#include "verifier/daemon/oracle_get.h"
#include "verifier/daemon/subscriber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "turn.h"

enum mode {
	HUB,      /* a real stream */
	ENDS,     /* two events, then the end */
	CONTROL,  /* resync only, then the end */
	REFUSES,  /* 503 */
	NO_SSE,   /* 200, JSON */
	SILENT,   /* keeps the request */
	TOO_LONG, /* an event over the ceiling */
};

struct fixture {
	uv_loop_t loop;
	char path[64], url[80];
	struct http_server *server;
	struct sse_hub *hub;
	struct curl_loop *curl;
	struct oracle_address address;
	struct subscriber *subscriber;
	struct http_request *kept;
	enum mode mode;
	int requests, found, lost, events, prices;
	char last_event_id[SSE_ID_MAX]; /* of the newest request */
	char data[128], id[SSE_ID_MAX]; /* of the newest price */
	int failed;
	char why[64]; /* of the newest failure */
	bool server_stopped, pause_at_price, from_first;
};

/* ---- the server ---- */

static inline void reply(struct http_request *req, unsigned status,
    const char *type, const char *body, size_t len)
{
	http_reply(req, &(struct http_reply){
			    .status = status,
			    .content_type = type,
			    .body = body,
			    .len = len,
			});
}

static inline void reply_too_long(struct http_request *req)
{
	size_t len = SSE_PARSER_DATA_MAX + 100;
	char *body = malloc(len);

	memset(body, 'x', len);
	memcpy(body, "data: ", 6);
	reply(req, 200, "text/event-stream", body, len);
	free(body);
}

static inline void on_stream(struct http_request *req, void *data)
{
	static const char two[] = "id: a-1\nevent: price\ndata: one\n\n"
				  "id: a-2\nevent: price\ndata: two\n\n"
				  "event: goodbye\ndata: {}\n\n";
	static const char resync[] = "event: resync\ndata: {}\n\n";
	const char *id = http_header(req, "last-event-id");
	struct fixture *f = data;

	f->requests++;
	snprintf(
	    f->last_event_id, sizeof(f->last_event_id), "%s", id ? id : "");
	if (f->mode == HUB)
		sse_subscribe(f->hub, req, NULL, NULL);
	else if (f->mode == ENDS)
		reply(req, 200, "text/event-stream", two, strlen(two));
	else if (f->mode == CONTROL)
		reply(req, 200, "text/event-stream", resync, strlen(resync));
	else if (f->mode == REFUSES)
		reply(req, 503, "application/json", "{}", 2);
	else if (f->mode == NO_SSE)
		reply(req, 200, "application/json", two, strlen(two));
	else if (f->mode == TOO_LONG)
		reply_too_long(req);
	else
		f->kept = req;
}

static inline void on_file(struct http_request *req, void *data)
{
	static const char eight[] = "12345678";

	(void)data;
	reply(req, 200, "application/cbor", eight, 8);
}

static const struct http_route routes[] = {
    {"GET", "/stream", NULL, on_stream},
    {"GET", "/file", NULL, on_file},
    {NULL, NULL, NULL, NULL},
};

static inline void start_server(struct fixture *f)
{
	struct endpoint ep;

	assert_int_equal(endpoint_parse(&ep, f->url), 0);
	f->hub = sse_hub_new(
	    &(struct sse_hub_options){.loop = &f->loop, .epoch = "boot"});
	assert_int_equal(
	    http_server_start(&f->server, &f->loop, &ep, routes, f), 0);
	f->server_stopped = false;
}

static inline void on_stopped(void *data)
{
	struct fixture *f = data;

	f->server_stopped = true;
}

static inline void stop_server(struct fixture *f)
{
	if (f->kept)
		reply(f->kept, 503, "text/plain", "", 0);
	f->kept = NULL;
	sse_hub_close(f->hub, "test");
	http_server_stop(f->server, on_stopped, f);
	TURN_UNTIL(&f->loop, f->server_stopped);
	sse_hub_free(f->hub);
	f->hub = NULL;
	f->server = NULL;
}

/* ---- the subscriber ---- */

static inline void target(char out[ORACLE_TARGET_MAX], void *data)
{
	(void)data;
	snprintf(out, ORACLE_TARGET_MAX, "/stream");
}

static inline void on_event(const struct sse_event *event, void *data)
{
	struct fixture *f = data;

	f->events++;
	if (strcmp(event->name, "price") != 0)
		return;
	f->prices++;
	snprintf(f->data, sizeof(f->data), "%s", event->data);
	snprintf(f->id, sizeof(f->id), "%s", event->id);
	if (f->pause_at_price && f->prices == 1)
		subscriber_pause(f->subscriber);
}

static inline void on_changed(bool connected, void *data)
{
	struct fixture *f = data;

	if (connected)
		f->found++;
	else
		f->lost++;
}

static inline void on_try_failed(const char *why, void *data)
{
	struct fixture *f = data;

	f->failed++;
	snprintf(f->why, sizeof(f->why), "%s", why);
}

static inline void subscribe(
    struct fixture *f, const char *last_event_id, unsigned silence_ms)
{
	f->subscriber = subscriber_start(&(struct subscriber_options){
	    .loop = &f->loop,
	    .curl = f->curl,
	    .address = &f->address,
	    .last_event_id = last_event_id,
	    .target = target,
	    .event = on_event,
	    .changed = on_changed,
	    .failed = on_try_failed,
	    .data = f,
	    .silence_ms = silence_ms,
	    .from_first = f->from_first,
	});
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_level(LOG_ERROR);
	uv_loop_init(&f->loop);
	snprintf(
	    f->path, sizeof(f->path), "/tmp/subscriber-%d.sock", (int)getpid());
	snprintf(f->url, sizeof(f->url), "unix://%s", f->path);
	assert_int_equal(oracle_address_parse(&f->address, f->url), 0);
	f->curl = curl_loop_new(&f->loop);
	start_server(f);
	*state = f;
	return 0;
}

/* Stops in whatever state the test left it in: nothing may be left open. */
static inline int teardown(void **state)
{
	struct fixture *f = *state;
	int events = f->events;

	if (f->subscriber)
		subscriber_stop(f->subscriber);
	if (f->server)
		stop_server(f);
	curl_loop_close(f->curl);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->events, events); /* none after stop */
	assert_int_equal(uv_loop_close(&f->loop), 0);
	unlink(f->path);
	free(f);
	return 0;
}

static inline void publish(struct fixture *f, const char *text)
{
	sse_publish(f->hub, "price", "", text, strlen(text), true);
}

#endif
