/* sse_hub: streams from a real server, resuming, slow and leaving clients. */
#include "client.h"

#include "base/http_state.h"
#include "base/sse_state.h"

#define EPOCH "boot1"

static struct sse_hub *hub;
static bool with_welcome;
/* Requests come in two pieces: then libmicrohttpd serves the stream. */
static bool in_pieces;

static void serve_stream(struct http_request *req, void *data)
{
	(void)data;
	sse_subscribe_with(hub, req,
	    &(struct sse_wish){
		.topics = http_param(req, "feeds"),
		.since = http_param(req, "since"),
		.min_interval_ms = http_param(req, "min_interval_ms"),
	    });
}

static const char *const params[] = {"feeds", "since", "min_interval_ms", NULL};
static const struct http_route routes[] = {
    {http_get_stream, "/stream", params, serve_stream},
    {NULL, NULL, NULL, NULL},
};

static void welcome(struct sse_hub *which, void *subscriber, void *data)
{
	assert_ptr_equal(which, hub);
	assert_ptr_equal(data, &with_welcome);
	if (!with_welcome)
		return;
	sse_welcome(subscriber, "attestation", "{\"w\":1}", 7);
	sse_welcome(subscriber, "attestation", "{\"w\":2}", 7);
}

static void hub_start(
    uint64_t heartbeat_ms, void (*heartbeat)(char *out, size_t cap, void *data))
{
	hub = sse_hub_new(&(struct sse_hub_options){
	    .loop = &loop,
	    .epoch = EPOCH,
	    .welcome = welcome,
	    .heartbeat = heartbeat,
	    .data = &with_welcome,
	    .heartbeat_ms = heartbeat_ms,
	    .retry_ms = 2000,
	});
}

static int setup(void **state)
{
	(void)state;
	with_welcome = false;
	server_start_tcp(routes, NULL);
	hub_start(0, NULL);
	return 0;
}

static int setup_unix(void **state)
{
	(void)state;
	with_welcome = false;
	server_start_unix(routes, NULL);
	hub_start(0, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sse_hub_close(hub, "test over");
	server_stop_wait();
	sse_hub_free(hub);
	loop_end();
	return 0;
}

/* ---- a subscriber: the stream without its chunks ---- */

struct stream {
	int fd;
	struct response r;
	char *text;       /* the body so far, */
	size_t copied;    /* of so many bytes, */
	size_t dechunked; /* from so many with their chunks' heads */
	size_t body_at;   /* in r.text; 0: its headers are not all there */
	bool chunked;
	bool ended; /* the last chunk has come */
};

static bool is_door_empty(void)
{
	return TAILQ_EMPTY(&server->door.waiting);
}

static void stream_open_with(
    struct stream *s, const char *target, const char *headers)
{
	char request[1024];

	memset(s, 0, sizeof(*s));
	s->text = calloc(1, CLIENT_BUF);
	s->fd = client_connect();
	snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", target, headers);
	if (in_pieces) {
		client_send_bytes(s->fd, request, 5);
		pump_until(server->clients.total > 0 && is_door_empty());
		client_send(s->fd, request + 5);
	} else {
		client_send(s->fd, request);
	}
}

static void stream_close(struct stream *s)
{
	close(s->fd);
	free(s->text);
	response_fini(&s->r);
}

/* RFC 9112 7.1, as far as it has come; chunk extensions are not ours. Only what
 * is new: some of these tests read megabytes, in many turns. */
static void dechunk(struct stream *s)
{
	const char *body = s->r.text + s->body_at;
	const char *all = s->r.text + s->r.len;

	while (body + s->dechunked < all) {
		const char *p = body + s->dechunked;
		char *end;
		unsigned long n = strtoul(p, &end, 16);

		if (strncmp(end, "\r\n", 2) != 0)
			break;
		p = end + 2;
		if (n == 0)
			s->ended = true;
		if (p + n + 2 > all)
			break;
		memcpy(s->text + s->copied, p, n);
		s->copied += n;
		s->dechunked = (size_t)(p + n + 2 - body);
	}
	s->text[s->copied] = '\0';
}

/* Looked for once: a search in megabytes takes long under a sanitizer, which
 * measures all of them first. */
static bool has_headers(struct stream *s)
{
	if (!s->body_at && s->r.text && strstr(s->r.text, "\r\n\r\n")) {
		s->body_at = (size_t)(response_body(&s->r) - s->r.text);
		s->chunked = response_header(&s->r, "Transfer-Encoding")[0];
	}
	return s->body_at > 0;
}

static const char *stream_read(struct stream *s)
{
	size_t before = s->r.len;

	while (client_read_some(s->fd, &s->r))
		;
	if (s->r.len == before && !s->r.closed)
		return s->text;
	if (!has_headers(s))
		return s->text;
	if (s->chunked) {
		dechunk(s);
		return s->text;
	}
	s->copied += strlen(
	    strcpy(s->text + s->copied, s->r.text + s->body_at + s->copied));
	s->ended = s->r.closed && !s->r.reset;
	return s->text;
}

#define stream_wait(s, what) \
	pump_until(strstr(stream_read(s), what) || (s)->r.closed)

/* Opens a stream that is being served already. */
static void stream_open(struct stream *s, const char *target)
{
	stream_open_with(s, target, "");
	stream_wait(s, "retry: 2000\n\n");
}

static void publish(const char *topic, const char *data)
{
	sse_publish(hub, "price", topic, data, strlen(data), true);
}

static struct sse_stats stats(void)
{
	struct sse_stats out;

	sse_hub_stats(hub, &out);
	return out;
}

/* ---- the plain way ---- */

static void test_headers(void **state)
{
	struct stream s;

	(void)state;
	stream_open(&s, "/stream");
	assert_int_equal(response_status(&s.r), 200);
	assert_string_equal(
	    response_header(&s.r, "Content-Type"), "text/event-stream");
	assert_string_equal(response_header(&s.r, "Cache-Control"), "no-store");
	assert_string_equal(response_header(&s.r, "X-Accel-Buffering"), "no");
	assert_string_equal(
	    response_header(&s.r, "Access-Control-Allow-Origin"), "*");
	stream_close(&s);
}

static void test_order_and_form(void **state)
{
	struct stream s;

	(void)state;
	with_welcome = true;
	publish("A", "{\"n\":1}");
	stream_open_with(&s, "/stream?since=" EPOCH "-0", "");
	stream_wait(&s, "{\"n\":1}");
	sse_publish(hub, "status", "A", "{\"n\":2}", 7, false);
	publish("A", "{\"n\":3}");
	stream_wait(&s, "{\"n\":3}\n\n");
	assert_string_equal(s.text,
	    "retry: 2000\n\n"
	    "event: attestation\ndata: {\"w\":1}\n\n"
	    "event: attestation\ndata: {\"w\":2}\n\n"
	    "event: price\nid: " EPOCH "-1\ndata: {\"n\":1}\n\n"
	    "event: status\ndata: {\"n\":2}\n\n"
	    "event: price\nid: " EPOCH "-2\ndata: {\"n\":3}\n\n");
	stream_close(&s);
}

static void test_line_breaks_cannot_forge(void **state)
{
	struct stream s;

	(void)state;
	stream_open(&s, "/stream");
	publish("", "{\"a\":\n1}\r\n\nevent: forged");
	stream_wait(&s, "forged");
	assert_non_null(strstr(s.text, "data: {\"a\": 1}   event: forged\n\n"));
	stream_close(&s);
}

static void test_topics(void **state)
{
	struct stream all, a, bc;

	(void)state;
	stream_open(&all, "/stream");
	stream_open(&a, "/stream?feeds=A");
	stream_open(&bc, "/stream?feeds=B,C");
	publish("A", "{\"t\":\"A\"}");
	publish("B", "{\"t\":\"B\"}");
	publish("C", "{\"t\":\"C\"}");
	publish("BC", "{\"t\":\"BC\"}");
	publish("", "{\"t\":\"end\"}");
	stream_wait(&all, "end");
	stream_wait(&a, "end");
	stream_wait(&bc, "end");
	assert_non_null(strstr(all.text, "\"BC\""));
	assert_non_null(strstr(a.text, "\"A\""));
	assert_null(strstr(a.text, "\"B\""));
	assert_null(strstr(bc.text, "\"A\""));
	assert_non_null(strstr(bc.text, "\"B\""));
	assert_non_null(strstr(bc.text, "\"C\""));
	assert_null(strstr(bc.text, "\"BC\""));
	assert_int_equal(stats().subscribers, 3);
	stream_close(&all);
	stream_close(&a);
	stream_close(&bc);
}

static void test_large_events(void **state)
{
	size_t len = 300000;
	char *data = malloc(len);
	struct stream s;

	(void)state;
	memset(data, 'x', len);
	stream_open(&s, "/stream");
	sse_publish(hub, "price", "", data, len, true);
	publish("", "\"end\"");
	stream_wait(&s, "\"end\"");
	assert_int_equal(strlen(s.text),
	    strlen("retry: 2000\n\n") +
		strlen("event: price\nid: " EPOCH "-1\ndata: \n\n") + len +
		strlen("event: price\nid: " EPOCH "-2\ndata: \"end\"\n\n"));
	free(data);
	stream_close(&s);
}

static void test_unix_socket(void **state)
{
	struct stream s;

	(void)state;
	stream_open(&s, "/stream");
	publish("A", "{\"n\":1}");
	stream_wait(&s, "{\"n\":1}");
	assert_false(s.r.closed);
	stream_close(&s);
}

/* RFC 9112 6.3: without chunks, until the connection closes. */
static void test_http_1_0(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	client_send(fd, "GET /stream HTTP/1.0\r\nHost: x\r\n\r\n");
	pump_until(stats().subscribers == 1);
	publish("A", "{\"n\":1}");
	sse_hub_close(hub, "over");
	client_read_until(fd, &r, r.closed);
	assert_string_equal(response_body(&r),
	    "retry: 2000\n\n"
	    "event: price\nid: " EPOCH "-1\ndata: {\"n\":1}\n\n"
	    "event: goodbye\ndata: {\"reason\":\"over\"}\n\n");
	response_fini(&r);
	close(fd);
}

/* An idle stream, and one that is blocked, cost nothing. */
static void test_streams_let_the_server_sleep(void **state)
{
	size_t len = SSE_QUEUE_BYTES - 1000;
	char *data = malloc(len);
	struct stream idle, blocked;

	(void)state;
	memset(data, 'x', len);
	stream_open(&idle, "/stream?feeds=A");
	stream_open(&blocked, "/stream?feeds=B");
	assert_in_range(count_turns(), 1, 30);
	for (int i = 0; i < 8; i++) {
		sse_publish(hub, "price", "B", data, len, false);
		pump_ms(10);
	}
	pump_ms(50);
	assert_in_range(count_turns(), 1, 60);
	free(data);
	stream_close(&idle);
	stream_close(&blocked);
}

static void test_head(void **state)
{
	struct response r = client_ask("HEAD /stream HTTP/1.1\r\nHost: x\r\n"
				       "Connection: close\r\n\r\n");

	(void)state;
	assert_int_equal(response_status(&r), 200);
	assert_string_equal(
	    response_header(&r, "Content-Type"), "text/event-stream");
	assert_string_equal(response_body(&r), "");
	assert_int_equal(stats().subscribers, 0);
	response_fini(&r);
}

/* ---- heartbeats ---- */

static void test_heartbeat(void **state)
{
	struct stream s;

	(void)state;
	server_start_tcp(routes, NULL);
	hub_start(20, NULL);
	stream_open(&s, "/stream?feeds=A");
	stream_wait(&s, "event: heartbeat\ndata: {\"time_ms\":");
	assert_non_null(strstr(s.text, ",\"last_id\":\"" EPOCH "-0\"}\n\n"));
	publish("A", "1");
	stream_wait(&s, ",\"last_id\":\"" EPOCH "-1\"}\n\n");
	assert_null(strstr(strstr(s.text, "heartbeat"), "id: " EPOCH "-2"));
	stream_close(&s);
}

static void own_heartbeat(char *out, size_t cap, void *data)
{
	assert_ptr_equal(data, &with_welcome);
	snprintf(out, cap, "{\"own\":true}");
}

static void test_own_heartbeat(void **state)
{
	struct stream s;

	(void)state;
	server_start_tcp(routes, NULL);
	hub_start(20, own_heartbeat);
	stream_open(&s, "/stream");
	stream_wait(&s, "event: heartbeat\ndata: {\"own\":true}\n\n");
	stream_close(&s);
}

/* ---- resuming ---- */

static void publish_numbered(int from, int to)
{
	for (int i = from; i <= to; i++) {
		char data[64];

		snprintf(data, sizeof(data), "{\"n\":%d}", i);
		publish(i % 2 ? "odd" : "even", data);
	}
}

static void test_resume(void **state)
{
	struct stream s;

	(void)state;
	publish_numbered(1, 10);
	sse_publish(hub, "status", "", "\"passing\"", 9, false);
	stream_open_with(&s, "/stream?feeds=even&since=" EPOCH "-4", "");
	stream_wait(&s, "{\"n\":10}");
	assert_string_equal(s.text,
	    "retry: 2000\n\n"
	    "event: price\nid: " EPOCH "-6\ndata: {\"n\":6}\n\n"
	    "event: price\nid: " EPOCH "-8\ndata: {\"n\":8}\n\n"
	    "event: price\nid: " EPOCH "-10\ndata: {\"n\":10}\n\n");
	assert_int_equal(stats().resumed, 1);
	assert_int_equal(stats().resynced, 0);
	stream_close(&s);
}

/* A browser that connects again sends both: the header is newer. */
static void test_header_goes_before_since(void **state)
{
	struct stream s;

	(void)state;
	publish_numbered(1, 10);
	stream_open_with(
	    &s, "/stream?since=" EPOCH "-2", "Last-Event-ID: " EPOCH "-9\r\n");
	stream_wait(&s, "{\"n\":10}");
	assert_null(strstr(s.text, "{\"n\":9}"));
	stream_close(&s);
	stream_open_with(&s, "/stream?since=" EPOCH "-8", "Last-Event-ID:\r\n");
	stream_wait(&s, "{\"n\":10}");
	assert_non_null(strstr(s.text, "{\"n\":9}"));
	stream_close(&s);
}

static void test_nothing_missed(void **state)
{
	struct stream s;

	(void)state;
	publish_numbered(1, 3);
	stream_open(&s, "/stream?since=" EPOCH "-3");
	publish_numbered(4, 4);
	stream_wait(&s, "{\"n\":4}");
	assert_null(strstr(s.text, "resync"));
	assert_null(strstr(s.text, "{\"n\":3}"));
	stream_close(&s);
}

static void check_resync(const char *since, const char *reason)
{
	char target[128], event[128];
	struct stream s;
	uint64_t before = stats().resynced;

	snprintf(target, sizeof(target), "/stream?since=%s", since);
	snprintf(event, sizeof(event),
	    "retry: 2000\n\nevent: resync\ndata: {\"reason\":\"%s\"}\n\n"
	    "event: price\n",
	    reason);
	stream_open_with(&s, target, "");
	stream_wait(&s, "resync");
	publish("", "\"live\"");
	stream_wait(&s, "\"live\"");
	if (strncmp(s.text, event, strlen(event)) != 0)
		fail_msg("%s: %s", since, s.text);
	assert_int_equal(stats().resynced, before + 1);
	stream_close(&s);
}

static void test_resync(void **state)
{
	(void)state;
	publish_numbered(1, 3);
	check_resync("other-2", "other_epoch");
	check_resync("boot-2", "other_epoch");
	check_resync(EPOCH "-9999999999999999999", "unknown_id");
	check_resync(EPOCH "-100", "unknown_id");
	publish_numbered(1, SSE_RING_EVENTS);
	check_resync(EPOCH "-0", "too_old");
	check_resync(EPOCH "-1", "too_old");
}

static void test_edge_of_the_ring(void **state)
{
	struct stream s;

	(void)state;
	publish_numbered(1, SSE_RING_EVENTS + 2);
	stream_open_with(&s, "/stream?since=" EPOCH "-2", "");
	stream_wait(&s, "{\"n\":4098}");
	assert_null(strstr(s.text, "resync"));
	assert_non_null(strstr(s.text, "{\"n\":3}"));
	stream_close(&s);
	stream_open_with(&s, "/stream?since=" EPOCH "-1", "");
	stream_wait(&s, "too_old");
	assert_non_null(strstr(s.text, "too_old"));
	stream_close(&s);
}

static void test_ring_has_a_ceiling_of_bytes(void **state)
{
	size_t len = SSE_RING_BYTES / 8;
	char *data = malloc(len);

	(void)state;
	memset(data, 'x', len);
	for (int i = 0; i < 20; i++) {
		sse_publish(hub, "price", "", data, len, true);
		assert_true(hub->ring.bytes <= SSE_RING_BYTES);
	}
	assert_int_equal(hub->ring.next - hub->ring.first, 7);
	free(data);
}

/* All of the ring is more than a slow reader's queue may hold: what a
 * subscriber resumes is not counted against it. */
static void test_resume_of_more_than_a_queue(void **state)
{
	size_t len = 150000;
	char *data = malloc(len);
	struct stream s;

	(void)state;
	memset(data, 'x', len);
	for (int i = 0; i < 100; i++)
		sse_publish(hub, "price", "", data, len, true);
	stream_open_with(&s, "/stream?since=" EPOCH "-0", "");
	pump_until(stats().subscribers == 1);
	assert_true(
	    TAILQ_FIRST(&hub->subscribers)->queue.bytes > SSE_QUEUE_BYTES);
	publish("", "\"end\"");
	/* Not to look for the end in all of it each time. */
	pump_until((stream_read(&s), s.copied > 100 * len));
	stream_wait(&s, "\"end\"");
	assert_true(strlen(s.text) > 100 * len);
	assert_null(strstr(s.text, "resync"));
	assert_int_equal(stats().slow_closed, 0);
	/* From here on it has no more room than others. */
	assert_int_equal(
	    TAILQ_FIRST(&hub->subscribers)->queue_max, SSE_QUEUE_BYTES);
	free(data);
	stream_close(&s);
}

static void check_refused(const char *target, int status, const char *what)
{
	struct response r = client_get(target);

	if (response_status(&r) != status || !strstr(r.text, what))
		fail_msg("%s: %s", target, r.text);
	response_fini(&r);
	assert_int_equal(stats().subscribers, 0);
}

static void test_malformed_ids(void **state)
{
	static const char *const ids[] = {"", "x", EPOCH, EPOCH "-", "-1", "1",
	    EPOCH "-01", EPOCH "-00", EPOCH "--1", EPOCH "-1x", EPOCH "-%201",
	    EPOCH "-1%20", "BOOT1-1", EPOCH "-0x1", EPOCH "-1-1",
	    EPOCH "-10000000000000000000", EPOCH "-%2b1",
	    "123456789012345678901234567890123-1"};
	struct response r;

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char target[128];

		snprintf(target, sizeof(target), "/stream?since=%s", ids[i]);
		check_refused(target, 400, "\"parameter\":\"since\"");
	}
	r = client_ask("GET /stream HTTP/1.1\r\nHost: x\r\n"
		       "Last-Event-ID: x y\r\n\r\n");
	assert_int_equal(response_status(&r), 400);
	assert_non_null(strstr(r.text, "PARAM_INVALID"));
	assert_null(strstr(r.text, "\"parameter\""));
	response_fini(&r);
}

static void test_malformed_topics(void **state)
{
	char target[1024] = "/stream?feeds=a";

	(void)state;
	check_refused("/stream?feeds=", 400, "PARAM_INVALID");
	check_refused("/stream?feeds=,", 400, "PARAM_INVALID");
	check_refused("/stream?feeds=A,", 400, "PARAM_INVALID");
	check_refused("/stream?feeds=A,,B", 400, "PARAM_INVALID");
	for (int i = 1; i < SSE_TOPICS_MAX; i++)
		strcat(target, ",a");
	{
		struct stream s;

		stream_open(&s, target);
		stream_close(&s);
		pump_until(stats().subscribers == 0);
	}
	strcat(target, ",a");
	check_refused(target, 400, "PARAM_INVALID");
	snprintf(
	    target, sizeof(target), "/stream?feeds=%0*d", SSE_TOPIC_MAX, 1);
	check_refused(target, 400, "PARAM_INVALID");
}

static void test_too_many_streams(void **state)
{
	(void)state;
	hub->stats.subscribers = SSE_SUBSCRIBERS_MAX;
	{
		struct response r = client_get("/stream");

		assert_int_equal(response_status(&r), 503);
		assert_non_null(strstr(r.text, "STREAMS_FULL"));
		assert_string_equal(response_header(&r, "Retry-After"), "1");
		response_fini(&r);
	}
	hub->stats.subscribers = 0;
}

/* ---- leaving, slow and many ---- */

static void test_leaving_is_seen_at_once(void **state)
{
	struct stream a, b;

	(void)state;
	stream_open(&a, "/stream");
	stream_open(&b, "/stream");
	stream_close(&a);
	pump_until(stats().subscribers == 1);
	publish("", "\"end\"");
	stream_wait(&b, "\"end\"");
	stream_close(&b);
	pump_until(stats().subscribers == 0);
	assert_true(TAILQ_EMPTY(&server->requests));
}

static void test_leaving_in_the_middle_of_an_event(void **state)
{
	size_t len = SSE_QUEUE_BYTES - 1000;
	char *data = malloc(len);
	struct stream s;

	(void)state;
	memset(data, 'x', len);
	stream_open(&s, "/stream");
	for (int i = 0; i < 8; i++) {
		sse_publish(hub, "price", "", data, len, false);
		pump_ms(5);
	}
	stream_close(&s);
	pump_until(stats().subscribers == 0);
	free(data);
}

/* One that does not read loses its stream; another one loses nothing. */
static void test_slow_reader_is_cut_off(void **state)
{
	size_t len = 100000;
	char *data = malloc(len), marker[32];
	struct stream slow, fast;
	int i = 0;

	(void)state;
	memset(data, 'x', len);
	data[0] = '"';
	stream_open(&slow, "/stream");
	stream_open(&fast, "/stream");
	while (stats().slow_closed == 0 && i < 1000) {
		sse_publish(hub, "price", "", data, len, true);
		snprintf(marker, sizeof(marker), "id: " EPOCH "-%d\n", ++i);
		stream_wait(&fast, marker);
		if (fast.r.len > CLIENT_BUF / 2) {
			stream_close(&fast);
			stream_open(&fast, "/stream");
		}
	}
	assert_int_equal(stats().slow_closed, 1);
	publish("", "\"after\"");
	stream_wait(&fast, "\"after\"");
	assert_false(fast.ended);

	/* What was half sent is whole, then resync, then the end. */
	pump_until((stream_read(&slow), slow.ended));
	assert_non_null(strstr(
	    slow.text, "x\n\nevent: resync\ndata: {\"reason\":\"slow\"}\n\n"));
	assert_string_equal(slow.text + strlen(slow.text) - 9, "\"slow\"}\n\n");
	pump_until(stats().subscribers == 1);
	free(data);
	stream_close(&slow);
	stream_close(&fast);
}

static void test_many_streams(void **state)
{
	static struct stream s[200];

	(void)state;
	for (int i = 0; i < 200; i++)
		stream_open_with(&s[i], "/stream", "");
	pump_until(stats().subscribers == 200);
	publish("", "\"all\"");
	for (int i = 0; i < 200; i++) {
		stream_wait(&s[i], "\"all\"");
		assert_non_null(strstr(s[i].text, "\"all\""));
		stream_close(&s[i]);
	}
	pump_until(stats().subscribers == 0);
	assert_int_equal(stats().events, 1);
	assert_int_equal(stats().deliveries, 400); /* and the retry time */
}

/* ---- the end ---- */

static void test_goodbye(void **state)
{
	struct stream a, b;

	(void)state;
	stream_open(&a, "/stream?feeds=A");
	stream_open(&b, "/stream");
	publish("A", "\"last\"");
	sse_hub_close(hub, "going \"down\"");
	sse_hub_close(hub, "again");
	publish("A", "\"too late\"");
	pump_until((stream_read(&a), a.ended));
	pump_until((stream_read(&b), b.ended));
	assert_non_null(
	    strstr(a.text, "data: \"last\"\n\nevent: goodbye\n"
			   "data: {\"reason\":\"going \\\"down\\\"\"}\n\n"));
	assert_null(strstr(a.text, "too late"));
	assert_null(strstr(a.text, "again"));
	pump_until(stats().subscribers == 0);
	check_refused("/stream", 503, "SERVER_STOPPING");
	stream_close(&a);
	stream_close(&b);
}

/* All at once, as a program does on SIGTERM: the goodbye still goes out. */
static void test_goodbye_before_the_stop(void **state)
{
	struct stream s;

	(void)state;
	stream_open(&s, "/stream");
	sse_hub_close(hub, "stop");
	http_server_stop(server, on_server_done, &server_done);
	pump_until((stream_read(&s), s.r.closed));
	assert_non_null(strstr(s.text, "event: goodbye"));
	assert_true(s.ended);
	pump_until(server_done);
	sse_hub_free(hub);
	stream_close(&s);
}

/* The server stops and nobody closed the hub. */
static void test_stop_ends_streams(void **state)
{
	struct stream s;

	(void)state;
	stream_open(&s, "/stream");
	publish("", "\"last\"");
	http_server_stop(server, on_server_done, &server_done);
	pump_until((stream_read(&s), s.r.closed));
	assert_non_null(strstr(s.text, "\"last\""));
	pump_until(server_done);
	sse_hub_free(hub);
	stream_close(&s);
}

static void test_stop_with_a_slow_reader(void **state)
{
	size_t len = SSE_QUEUE_BYTES - 1000;
	char *data = malloc(len);
	struct stream s;

	(void)state;
	memset(data, 'x', len);
	stream_open(&s, "/stream");
	for (int i = 0; i < 12 && stats().slow_closed == 0; i++) {
		sse_publish(hub, "price", "", data, len, true);
		pump_ms(5);
	}
	sse_hub_close(hub, "stop");
	server_stop_wait();
	sse_hub_free(hub);
	assert_true(server_done);
	free(data);
	stream_close(&s);
}

static void test_hub_without_a_server(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	hub_start(0, NULL);
	publish("A", "1");
	sse_hub_free(hub);
	sse_hub_free(NULL);
}

/* ---- retry and thinning ---- */

static void test_retry_is_jittered(void **state)
{
	unsigned long first = 0;
	bool differ = false;

	(void)state;
	hub->options.retry_ms = 0;
	for (int i = 0; i < 20; i++) {
		unsigned long ms;
		struct stream s;

		stream_open_with(&s, "/stream", "");
		stream_wait(&s, "\n\n");
		assert_int_equal(strncmp(s.text, "retry: ", 7), 0);
		ms = strtoul(s.text + 7, NULL, 10);
		assert_in_range(ms, SSE_RETRY_MIN_MS, SSE_RETRY_MAX_MS);
		first = first ? first : ms;
		differ = differ || ms != first;
		stream_close(&s);
	}
	assert_true(differ);
}

/* The time has come for all that keep something back. */
static void thin_time_passes(void)
{
	struct sse_subscriber *sub;

	TAILQ_FOREACH(sub, &hub->thinned, thin_entry)
	sub->thin->due_ms = 0;
	hub->thin_timer.timer_cb(&hub->thin_timer);
}

static void test_thinning(void **state)
{
	struct stream s;

	(void)state;
	stream_open(&s, "/stream?min_interval_ms=60000");
	publish("A", "\"a1\"");
	stream_wait(&s, "\"a1\"");
	publish("A", "\"a2\"");
	publish("B", "\"b3\"");
	publish("A", "\"a4\"");
	publish("", "\"now\"");
	stream_wait(&s, "\"now\"");
	assert_null(strstr(s.text, "\"b3\""));
	assert_in_range(uv_timer_get_due_in(&hub->thin_timer), 1, 60000);
	thin_time_passes();
	stream_wait(&s, "\"a4\"");
	assert_string_equal(s.text,
	    "retry: 2000\n\n"
	    "event: price\nid: " EPOCH "-1\ndata: \"a1\"\n\n"
	    "event: price\nid: " EPOCH "-5\ndata: \"now\"\n\n"
	    "event: price\nid: " EPOCH "-3\ndata: \"b3\"\n\n"
	    "event: price\nid: " EPOCH "-4\ndata: \"a4\"\n\n");
	assert_int_equal(stats().thinned, 1);
	stream_close(&s);
}

/* Who wants the newest only is spared what is not; everybody else gets it. */
static void test_behind(void **state)
{
	struct stream thin, all;

	(void)state;
	stream_open(&thin, "/stream?min_interval_ms=1");
	stream_open(&all, "/stream");
	publish("A", "\"a1\"");
	sse_publish_behind(hub, "late", "A", "\"a0\"", 4);
	publish("", "\"now\"");
	stream_wait(&all, "\"now\"");
	stream_wait(&thin, "\"now\"");
	assert_non_null(
	    strstr(all.text, "event: late\nid: " EPOCH "-2\ndata: \"a0\"\n\n"));
	assert_null(strstr(thin.text, "a0"));
	stream_close(&thin);
	stream_close(&all);
	/* It is in the ring as well. */
	stream_open(&all, "/stream?since=" EPOCH "-1");
	stream_wait(&all, "\"now\"");
	assert_non_null(strstr(all.text, "event: late"));
	stream_close(&all);
}

/* What is resumed is thinned too: the newest of each, in order. */
static void test_thinned_resume(void **state)
{
	struct stream s;

	(void)state;
	publish_numbered(1, 10);
	stream_open(&s, "/stream?min_interval_ms=60000&since=" EPOCH "-2");
	stream_wait(&s, "{\"n\":10}");
	assert_string_equal(s.text,
	    "retry: 2000\n\n"
	    "event: price\nid: " EPOCH "-9\ndata: {\"n\":9}\n\n"
	    "event: price\nid: " EPOCH "-10\ndata: {\"n\":10}\n\n");
	/* And the goodbye comes after what was kept back. */
	publish_numbered(11, 13);
	sse_hub_close(hub, "over");
	pump_until((stream_read(&s), s.ended));
	assert_non_null(
	    strstr(s.text, "{\"n\":12}\n\nevent: price\nid: " EPOCH
			   "-13\ndata: {\"n\":13}\n\nevent: goodbye"));
	assert_null(strstr(s.text, "{\"n\":11}"));
	stream_close(&s);
}

static void test_many_thinned(void **state)
{
	static struct stream s[150];

	(void)state;
	for (int i = 0; i < 150; i++)
		stream_open(&s[i], "/stream?min_interval_ms=60000");
	publish("A", "\"1\"");
	publish("A", "\"2\"");
	for (int i = 0; i < 150; i++)
		stream_wait(&s[i], "\"2\"");
	publish("A", "\"3\"");
	pump_ms(5);
	publish("A", "\"4\"");
	pump_until(hub->outbox.count == 0);
	thin_time_passes(); /* for the first 64, then by itself */
	for (int i = 0; i < 150; i++) {
		stream_wait(&s[i], "\"4\"");
		assert_null(strstr(s[i].text, "\"3\""));
	}
	pump_until(TAILQ_EMPTY(&hub->thinned));
	publish("A", "\"5\""); /* kept, and they leave */
	pump_ms(20);
	for (int i = 0; i < 150; i++)
		stream_close(&s[i]);
}

static void test_malformed_interval(void **state)
{
	static const char *const values[] = {"", "0", "-1", "x", "1x", "01",
	    "60001", "100000", "1.5", "%201", "99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char target[128];

		snprintf(target, sizeof(target), "/stream?min_interval_ms=%s",
		    values[i]);
		check_refused(target, 400, "\"parameter\":\"min_interval_ms\"");
	}
}

/* ---- a few in each turn ---- */

static void test_fanout_takes_turns(void **state)
{
	static struct stream s[200];
	uint64_t before;

	(void)state;
	for (int i = 0; i < 200; i++)
		stream_open(&s[i], "/stream");
	before = stats().deliveries;
	publish("", "\"1\"");
	assert_int_equal(stats().deliveries, before);
	for (int turn = 1; turn <= 2 && !in_pieces; turn++) {
		pump_once();
		assert_in_range(stats().deliveries - before, 1,
		    (unsigned)turn * SSE_FANOUT_SENDS);
	}
	publish("", "\"2\""); /* the others get both in one send */
	for (int i = 0; i < 200; i++) {
		stream_wait(&s[i], "\"2\"");
		assert_non_null(strstr(s[i].text, "\"1\""));
		stream_close(&s[i]);
	}
	assert_int_equal(hub->outbox.count, 0);
}

/* ---- the two ways ---- */

static int way_of_our_own(void **state)
{
	(void)state;
	in_pieces = false;
	return 0;
}

static int way_of_libmicrohttpd(void **state)
{
	(void)state;
	in_pieces = true;
	return 0;
}

/* Who has which stream: these tests are about both. */
static void test_who_serves(void **state)
{
	struct stream s;

	(void)state;
	stream_open(&s, "/stream");
	assert_int_equal(server->sender.count, in_pieces ? 0 : 1);
	assert_int_equal(TAILQ_EMPTY(&server->requests), !in_pieces);
	stream_close(&s);
}

static int teardown_loop(void **state)
{
	(void)state;
	loop_end();
	return 0;
}

#define hub_test(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)
#define stop_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    hub_test(test_who_serves),
	    hub_test(test_headers),
	    hub_test(test_order_and_form),
	    hub_test(test_line_breaks_cannot_forge),
	    hub_test(test_topics),
	    hub_test(test_large_events),
	    cmocka_unit_test_setup_teardown(
		test_unix_socket, setup_unix, teardown),
	    hub_test(test_http_1_0),
	    hub_test(test_streams_let_the_server_sleep),
	    hub_test(test_head),
	    cmocka_unit_test_teardown(test_heartbeat, teardown),
	    cmocka_unit_test_teardown(test_own_heartbeat, teardown),
	    hub_test(test_resume),
	    hub_test(test_header_goes_before_since),
	    hub_test(test_nothing_missed),
	    hub_test(test_resync),
	    hub_test(test_edge_of_the_ring),
	    hub_test(test_ring_has_a_ceiling_of_bytes),
	    hub_test(test_resume_of_more_than_a_queue),
	    hub_test(test_malformed_ids),
	    hub_test(test_malformed_topics),
	    hub_test(test_too_many_streams),
	    hub_test(test_leaving_is_seen_at_once),
	    hub_test(test_leaving_in_the_middle_of_an_event),
	    hub_test(test_slow_reader_is_cut_off),
	    hub_test(test_many_streams),
	    hub_test(test_retry_is_jittered),
	    hub_test(test_thinning),
	    hub_test(test_behind),
	    hub_test(test_thinned_resume),
	    hub_test(test_many_thinned),
	    hub_test(test_malformed_interval),
	    hub_test(test_fanout_takes_turns),
	    hub_test(test_goodbye),
	    stop_test(test_goodbye_before_the_stop),
	    stop_test(test_stop_ends_streams),
	    stop_test(test_stop_with_a_slow_reader),
	    cmocka_unit_test_teardown(test_hub_without_a_server, teardown_loop),
	};
	int failed = cmocka_run_group_tests_name(
	    "sse_hub", tests, way_of_our_own, NULL);

	return failed + cmocka_run_group_tests_name("sse_hub by libmicrohttpd",
			    tests, way_of_libmicrohttpd, NULL);
}
