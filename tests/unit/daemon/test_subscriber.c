/* subscriber: against a server of our own that streams, ends, refuses, says
 * nothing, and goes away. */
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
	bool server_stopped, pause_at_price;
};

/* ---- the server ---- */

static void reply(struct http_request *req, unsigned status, const char *type,
    const char *body, size_t len)
{
	http_reply(req, &(struct http_reply){
			    .status = status,
			    .content_type = type,
			    .body = body,
			    .len = len,
			});
}

static void reply_too_long(struct http_request *req)
{
	size_t len = SSE_PARSER_DATA_MAX + 100;
	char *body = malloc(len);

	memset(body, 'x', len);
	memcpy(body, "data: ", 6);
	reply(req, 200, "text/event-stream", body, len);
	free(body);
}

static void on_stream(struct http_request *req, void *data)
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

static void on_file(struct http_request *req, void *data)
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

static void start_server(struct fixture *f)
{
	struct endpoint ep;

	assert_int_equal(endpoint_parse(&ep, f->url), 0);
	f->hub = sse_hub_new(
	    &(struct sse_hub_options){.loop = &f->loop, .epoch = "boot"});
	assert_int_equal(
	    http_server_start(&f->server, &f->loop, &ep, routes, f), 0);
	f->server_stopped = false;
}

static void on_stopped(void *data)
{
	struct fixture *f = data;

	f->server_stopped = true;
}

static void stop_server(struct fixture *f)
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

static void target(char out[ORACLE_TARGET_MAX], void *data)
{
	(void)data;
	snprintf(out, ORACLE_TARGET_MAX, "/stream");
}

static void on_event(const struct sse_event *event, void *data)
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

static void on_changed(bool connected, void *data)
{
	struct fixture *f = data;

	if (connected)
		f->found++;
	else
		f->lost++;
}

static void subscribe(
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
	    .data = f,
	    .silence_ms = silence_ms,
	});
}

static int setup(void **state)
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
static int teardown(void **state)
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

static void publish(struct fixture *f, const char *text)
{
	sse_publish(f->hub, "price", "", text, strlen(text), true);
}

static void test_events_arrive(void **state)
{
	struct fixture *f = *state;

	f->mode = HUB;
	subscribe(f, "", 0);
	assert_int_equal(f->requests, 0); /* never before it returned */
	TURN_UNTIL(&f->loop, f->requests == 1);
	TURN_FOR(&f->loop, 50);
	publish(f, "{\"n\":1}");
	TURN_UNTIL(&f->loop, f->prices == 1);
	assert_string_equal(f->data, "{\"n\":1}");
	assert_true(subscriber_connected(f->subscriber));
	assert_int_equal(f->found, 1);
	assert_string_equal(f->last_event_id, "");
}

/* Killed and started again: found within seconds, resumed where it was. */
static void test_server_comes_back(void **state)
{
	struct fixture *f = *state;
	char seen[SSE_ID_MAX];

	f->mode = HUB;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->requests == 1);
	TURN_FOR(&f->loop, 50);
	publish(f, "{}");
	TURN_UNTIL(&f->loop, f->prices == 1);
	snprintf(seen, sizeof(seen), "%s", f->id);
	assert_true(seen[0] != '\0');
	stop_server(f);
	TURN_UNTIL(&f->loop, f->lost == 1);
	assert_false(subscriber_connected(f->subscriber));
	TURN_FOR(&f->loop, 700); /* some tries against nobody */
	start_server(f);
	TURN_UNTIL(&f->loop, f->requests == 2);
	assert_string_equal(f->last_event_id, seen);
	TURN_UNTIL(&f->loop, f->found == 2);
}

static void test_stream_that_ends(void **state)
{
	struct fixture *f = *state;

	f->mode = ENDS;
	subscribe(f, "z-9", 0);
	TURN_UNTIL(&f->loop, f->requests == 1);
	assert_string_equal(f->last_event_id, "z-9"); /* as the archive said */
	TURN_UNTIL(&f->loop, f->requests == 3);
	assert_string_equal(f->last_event_id, "a-2");
	TURN_UNTIL(&f->loop, f->found == f->lost && f->lost >= 2);
	assert_string_equal(f->data, "two");
}

/* A place that the oracle no longer has is not asked for again. */
static void test_resync_forgets(void **state)
{
	struct fixture *f = *state;

	f->mode = CONTROL;
	subscribe(f, "z-9", 0);
	TURN_UNTIL(&f->loop, f->requests == 2);
	assert_string_equal(f->last_event_id, "");
}

static void test_ids_that_are_no_ids(void **state)
{
	struct fixture *f = *state;

	f->mode = REFUSES;
	subscribe(f, "x\r\nX-Evil: 1", 0);
	TURN_UNTIL(&f->loop, f->requests == 1);
	assert_string_equal(f->last_event_id, "");
}

static void refused(struct fixture *f, enum mode mode)
{
	f->mode = mode;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->requests == 3);
	assert_int_equal(f->events, 0);
	assert_int_equal(f->found + f->lost, 0);
	assert_false(subscriber_connected(f->subscriber));
	f->mode = HUB; /* and it is well again */
	TURN_UNTIL(&f->loop, f->requests == 4);
	TURN_FOR(&f->loop, 50);
	publish(f, "{}");
	TURN_UNTIL(&f->loop, f->prices == 1);
}

static void test_refused(void **state)
{
	refused(*state, REFUSES);
}

static void test_not_a_stream(void **state)
{
	refused(*state, NO_SSE);
}

static void test_too_long(void **state)
{
	struct fixture *f = *state;

	f->mode = TOO_LONG;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->requests == 2);
	assert_int_equal(f->events, 0);
}

static void test_silence(void **state)
{
	struct fixture *f = *state;

	f->mode = SILENT;
	subscribe(f, "", 200);
	TURN_UNTIL(&f->loop, f->kept != NULL);
	f->mode = HUB;
	/* No answer: dropped, asked again; then a stream without events. */
	TURN_UNTIL(&f->loop, f->requests >= 3);
}

static void test_pause(void **state)
{
	struct fixture *f = *state;
	int paused_at;

	f->mode = HUB;
	subscribe(f, "", 300);
	TURN_UNTIL(&f->loop, f->requests == 1);
	TURN_FOR(&f->loop, 50);
	f->pause_at_price = true;
	for (int i = 0; i < 3; i++) /* what came with it still comes */
		publish(f, "{\"n\":1}");
	TURN_UNTIL(&f->loop, f->prices == 3);
	for (int i = 0; i < 98; i++)
		publish(f, "{\"n\":2}");
	/* Longer than the silence that would end it: we are the silent. */
	TURN_FOR(&f->loop, 900);
	paused_at = f->prices;
	assert_true(paused_at < 101);
	assert_int_equal(f->requests, 1);
	assert_int_equal(f->lost, 0);
	f->pause_at_price = false;
	subscriber_resume(f->subscriber);
	TURN_UNTIL(&f->loop, f->prices == 101);
}

/* ---- stopped in each state; teardown checks that nothing is left ---- */

static void test_stop_before_the_first_try(void **state)
{
	struct fixture *f = *state;

	subscribe(f, "", 0);
	subscriber_stop(f->subscriber);
	f->subscriber = NULL;
	TURN_FOR(&f->loop, 100);
	assert_int_equal(f->requests, 0);
}

static void test_stop_while_opening(void **state)
{
	struct fixture *f = *state;

	f->mode = SILENT;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->kept != NULL);
}

static void test_stop_while_waiting(void **state)
{
	struct fixture *f = *state;

	stop_server(f);
	subscribe(f, "", 0);
	TURN_FOR(&f->loop, 300);
	assert_int_equal(f->requests, 0);
}

static void test_stop_while_paused(void **state)
{
	struct fixture *f = *state;

	f->mode = HUB;
	f->pause_at_price = true;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->requests == 1);
	TURN_FOR(&f->loop, 50);
	publish(f, "{}");
	publish(f, "{}");
	TURN_UNTIL(&f->loop, f->prices > 0);
}

/* ---- oracle_get, the small sister ---- */

struct answer {
	struct oracle_get get;
	int calls;
	size_t len;
	char error[128];
};

static void on_answer(
    struct oracle_get *get, const char *error, const uint8_t *body, size_t len)
{
	struct answer *a = get->data;

	a->calls++;
	a->len = len;
	assert_true((error == NULL) == (body != NULL));
	snprintf(a->error, sizeof(a->error), "%s", error ? error : "");
}

static void ask(struct fixture *f, struct answer *a, const char *path,
    const char *type, size_t max)
{
	memset(a, 0, sizeof(*a));
	a->get.data = a;
	oracle_get_start(
	    &a->get, f->curl, &f->address, path, type, max, on_answer);
	assert_int_equal(a->calls, 0);
}

static void test_get(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	ask(f, &a, "/file", "application/cbor", 8);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_int_equal(a.len, 8);
	assert_string_equal(a.error, "");
	ask(f, &a, "/file", "application/cbor", 7);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_string_equal(a.error, "body too long");
	ask(f, &a, "/file", "application/json", 8);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_true(a.error[0] != '\0');
	ask(f, &a, "/absent", "application/cbor", 8);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_non_null(strstr(a.error, "404"));
	f->mode = SILENT;
	ask(f, &a, "/stream", "application/cbor", 8);
	TURN_UNTIL(&f->loop, f->kept != NULL);
	oracle_get_cancel(&a.get);
	oracle_get_cancel(&a.get); /* once is enough, twice does no harm */
	TURN_FOR(&f->loop, 50);
	assert_int_equal(a.calls, 0);
	stop_server(f);
	ask(f, &a, "/file", "application/cbor", 8);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_true(a.error[0] != '\0');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_events_arrive),
	    TEST(test_server_comes_back),
	    TEST(test_stream_that_ends),
	    TEST(test_resync_forgets),
	    TEST(test_ids_that_are_no_ids),
	    TEST(test_refused),
	    TEST(test_not_a_stream),
	    TEST(test_too_long),
	    TEST(test_silence),
	    TEST(test_pause),
	    TEST(test_stop_before_the_first_try),
	    TEST(test_stop_while_opening),
	    TEST(test_stop_while_waiting),
	    TEST(test_stop_while_paused),
	    TEST(test_get),
	};

	return cmocka_run_group_tests_name("subscriber", tests, NULL, NULL);
}
