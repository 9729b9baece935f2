/*
 * https_client: one request after another over one kept https_connection.
 *
 *         get, post             turn of the loop
 *     IDLE ------> STARTING --------------------> CONNECTING
 *      ^              ^  \                        |   ^    |
 *      |          get |   \ kept one still there  |   |    | opened
 *      |              |    \                      |   |    v
 *      |<---+---------|-----\---------------------+   |  REQUESTING
 *      |    |        KEPT    +------------------------|--> |  |  |
 *      |    |        | ^                   once more  |    |  |  |
 *      |    +--------+ +------ answer, keep-alive ----|----+  |  |
 *      | closed, idle                                 +-------+  |
 *      +-------------- answer or failure ------------------------+
 *
 * STARTING waits for the loop to turn, so that no callback comes before
 * https_client_get() has returned. CONNECTING waits for the connection, up to
 * connect_timeout_ms; REQUESTING for the last byte, up to request_timeout_ms,
 * and neither beyond the deadline of the whole; KEPT for the next get, up to
 * idle_ms.
 *
 * Failures. A server may close a kept connection at any time, also while our
 * request is on its way (RFC 9112, 9.3.1: a client may then repeat a GET). So
 * when a used connection ends without one byte of answer, the request goes out
 * once more on a new one; not so a POST: it always gets a new connection, and
 * one attempt. Any other failure is the answer. Bytes on a kept connection that
 * nobody asked for end it. A peer whose key is not pinned gets no byte of the
 * request.
 */
#include "oracle/https_client.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/http_request.h"
#include "oracle/http_response.h"
#include "oracle/https_connection.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN_MAX 16384 /* one TLS record */

enum state {
	IDLE,
	STARTING,
	CONNECTING,
	REQUESTING,
	KEPT,
	STATE_COUNT
};

static const unsigned next_states[STATE_COUNT] = {
    [IDLE] = 1u << STARTING,
    [STARTING] = 1u << CONNECTING | 1u << REQUESTING,
    [CONNECTING] = 1u << REQUESTING | 1u << IDLE,
    [REQUESTING] = 1u << CONNECTING | 1u << KEPT | 1u << IDLE,
    [KEPT] = 1u << STARTING | 1u << IDLE,
};

struct https_client {
	struct https_client_options with; /* host: our copy */
	struct endpoint dial;             /* the proxy, or host:port */
	enum state state;
	uv_timer_t timer;                    /* the state's deadline */
	struct https_connection *connection; /* NULL: none */
	bool connection_used; /* has answered before: may be a dead one */
	struct http_response response;
	const char *request; /* set by get or post: one of the next two */
	size_t request_len;
	char get[HTTP_REQUEST_MAX]; /* wiped when it has ended */
	char *post;         /* owned, wiped when it has ended; NULL: a GET */
	uint64_t total_ms;  /* of a get; 0: no such deadline */
	int64_t ends_ms;    /* monotonic; set by get */
	int64_t sent_ms;    /* monotonic; set when the request goes out */
	https_answer_cb cb; /* set by get, called by finish */
	void *cb_data;
	char why[HTTPS_ERROR_MAX];
};

static void on_timer(uv_timer_t *timer);

static void move(struct https_client *client, enum state to)
{
	assert(next_states[client->state] & 1u << to);
	client->state = to;
}

static void set_deadline(struct https_client *client, uint64_t ms)
{
	uv_update_time(client->with.loop);
	uv_timer_start(&client->timer, on_timer, ms, 0);
}

/* The state's own time, but no more than the whole has left. */
static void set_deadline_within(struct https_client *client, uint64_t ms)
{
	int64_t left_ms = client->ends_ms - now_monotonic_ms();

	if (left_ms < 0)
		left_ms = 0;
	if (client->total_ms > 0 && (uint64_t)left_ms < ms)
		ms = (uint64_t)left_ms;
	set_deadline(client, ms);
}

/* Requests may hold what nobody else should see. */
static void forget_request(struct https_client *client)
{
	OPENSSL_cleanse(client->get, sizeof(client->get));
	if (client->post != NULL)
		OPENSSL_cleanse(client->post, client->request_len);
	free(client->post);
	client->post = NULL;
}

static void drop_connection(struct https_client *client)
{
	if (client->connection != NULL)
		https_connection_close(client->connection);
	client->connection = NULL;
	client->connection_used = false;
}

/* ---- the end of a request: the one place that calls back ---- */

static void finish(
    struct https_client *client, const struct https_answer *answer, bool keep)
{
	https_answer_cb cb = client->cb;
	void *data = client->cb_data;

	client->cb = NULL;
	forget_request(client);
	uv_timer_stop(&client->timer);
	if (keep) {
		client->connection_used = true;
		move(client, KEPT);
		set_deadline(client, client->with.idle_ms);
	} else {
		drop_connection(client);
		move(client, IDLE);
	}
	cb(answer, data);
}

static void finish_failed(
    struct https_client *client, enum quote_error error, const char *why)
{
	/* `why` may be the connection's, which finish() lets go. */
	snprintf(client->why, sizeof(client->why), "%s", why);
	struct https_answer answer = {.error = error,
	    .why = client->why,
	    .date_ms = -1,
	    .retry_after_ms = -1};
	finish(client, &answer, false);
}

static void finish_answered(struct https_client *client, bool still_open)
{
	const struct http_response *r = &client->response;
	struct https_answer answer = {
	    .error = QUOTE_OK,
	    .status = r->status,
	    .body = r->len > 0 ? r->body : "",
	    .len = r->len,
	    .date_ms = r->date_ms,
	    .took_ms = now_monotonic_ms() - client->sent_ms,
	    .retry_after_ms = r->retry_after_ms,
	};

	https_connection_peer_spki(client->connection, answer.tls_spki_sha256);
	finish(client, &answer, still_open && r->keep_alive);
}

/* ---- the connection's events ---- */

static void connect_anew(struct https_client *client);

static void send_request(struct https_client *client)
{
	move(client, REQUESTING);
	set_deadline_within(client, client->with.request_timeout_ms);
	client->sent_ms = now_monotonic_ms();
	http_response_start(&client->response, now_unix_ms());
	/* A write that fails is seen by the next read or the deadline. */
	(void)https_connection_write(
	    client->connection, client->request, client->request_len);
}

static void on_opened(void *data)
{
	send_request(data);
}

static void on_failed(enum quote_error error, const char *why, void *data)
{
	finish_failed(data, error, why);
}

/* The stream ended before the answer was whole. */
static void ended_early(
    struct https_client *client, enum tls_stream_status status)
{
	struct http_response *r = &client->response;

	if (status == TLS_STREAM_FAILED) {
		finish_failed(client, QUOTE_TLS_FAILED,
		    https_connection_why(client->connection));
	} else if (r->received == 0 && client->connection_used) {
		drop_connection(client);
		connect_anew(client);
	} else if (status == TLS_STREAM_TRUNCATED && r->received > 0) {
		/* RFC 9112, 9.8: without the peer's close_notify anybody on
		 * the way may have cut it short. */
		finish_failed(client, QUOTE_BAD_HTTP, "cut off in the middle");
	} else if (http_response_end(r) == HTTP_RESPONSE_DONE) {
		finish_answered(client, false);
	} else {
		finish_failed(client, r->error, r->why);
	}
}

/* Reads all there is, so that bytes after the answer are seen with it. */
static void read_answer(struct https_client *client)
{
	char plain[PLAIN_MAX];
	size_t len;
	enum tls_stream_status status;
	struct http_response *r = &client->response;

	while ((status = https_connection_read(client->connection, plain,
		    sizeof(plain), &len)) == TLS_STREAM_OK) {
		if (http_response_feed(r, plain, len) == HTTP_RESPONSE_FAILED)
			break;
	}
	if (r->state == HTTP_RESPONSE_FAILED)
		finish_failed(client, r->error, r->why);
	else if (r->state == HTTP_RESPONSE_DONE)
		finish_answered(client, status == TLS_STREAM_MORE);
	else if (status != TLS_STREAM_MORE)
		ended_early(client, status);
}

/* Nobody asked: session tickets are swallowed inside TLS, and whatever else
 * comes ends the connection. */
static void watch_kept(struct https_client *client)
{
	char plain[1];
	size_t len;

	if (https_connection_read(client->connection, plain, sizeof(plain),
		&len) == TLS_STREAM_MORE)
		return;
	drop_connection(client);
	if (client->state == KEPT) {
		uv_timer_stop(&client->timer);
		move(client, IDLE);
	}
}

static void on_readable(void *data)
{
	struct https_client *client = data;

	if (client->state == REQUESTING)
		read_answer(client);
	else
		watch_kept(client);
}

static const struct https_connection_events events = {
    .opened = on_opened,
    .readable = on_readable,
    .failed = on_failed,
};

/* ---- the way to an answer ---- */

static void connect_anew(struct https_client *client)
{
	const struct https_connection_options options = {
	    .loop = client->with.loop,
	    .tls = client->with.tls,
	    .dial = &client->dial,
	    .through_proxy = client->with.proxy != NULL,
	    .host = client->with.host,
	    .port = client->with.port,
	    .spki_sha256 = client->with.spki_sha256,
	    .spki_count = client->with.spki_count,
	    .dial_timeout_ms = client->with.connect_timeout_ms,
	    .events = &events,
	    .data = client,
	};

	move(client, CONNECTING);
	client->connection = https_connection_open(&options);
	set_deadline_within(client, client->with.connect_timeout_ms);
}

static void finish_late(struct https_client *client)
{
	char why[HTTPS_ERROR_MAX];

	snprintf(why, sizeof(why), "timeout: waited for %s",
	    https_connection_phase(client->connection));
	finish_failed(client, QUOTE_TIMEOUT, why);
}

static void on_timer(uv_timer_t *timer)
{
	struct https_client *client = timer->data;

	if (client->state == STARTING && client->connection != NULL) {
		send_request(client);
	} else if (client->state == STARTING) {
		connect_anew(client);
	} else if (https_client_busy(client)) {
		finish_late(client);
	} else {
		drop_connection(client);
		move(client, IDLE); /* asserts that it was KEPT */
	}
}

/* ---- public ---- */

SSL_CTX *https_tls_context(const char *ca_bundle, char error[HTTPS_ERROR_MAX])
{
	return tls_stream_context(ca_bundle, error, HTTPS_ERROR_MAX);
}

static void set_dial(struct https_client *client, const struct endpoint *proxy)
{
	if (proxy != NULL) {
		client->dial = *proxy;
		client->with.proxy = &client->dial;
		return;
	}
	client->dial.kind = ENDPOINT_TCP;
	client->dial.port = client->with.port;
	snprintf(client->dial.host, sizeof(client->dial.host), "%s",
	    client->with.host);
}

struct https_client *https_client_new(
    const struct https_client_options *options)
{
	struct https_client *client = calloc(1, sizeof(*client));
	char *host = strdup(options->host);
	size_t pins = options->spki_count * sizeof(*options->spki_sha256);
	void *spki = malloc(pins + 1);

	if (client == NULL || host == NULL || spki == NULL)
		log_die("https_client", "out of memory");
	if (pins > 0)
		memcpy(spki, options->spki_sha256, pins);
	assert(strlen(host) < ENDPOINT_HOST_MAX && options->port != 0);
	client->with = *options;
	client->with.host = host;
	client->with.spki_sha256 = spki;
	if (client->with.connect_timeout_ms == 0)
		client->with.connect_timeout_ms = HTTPS_CONNECT_TIMEOUT_MS;
	if (client->with.request_timeout_ms == 0)
		client->with.request_timeout_ms = HTTPS_REQUEST_TIMEOUT_MS;
	if (client->with.idle_ms == 0)
		client->with.idle_ms = HTTPS_IDLE_MS;
	set_dial(client, options->proxy);
	http_response_init(&client->response, options->body_max);
	uv_timer_init(client->with.loop, &client->timer);
	client->timer.data = client;
	return client;
}

void https_client_set_deadline(struct https_client *client, uint64_t total_ms)
{
	assert(!https_client_busy(client));
	assert(total_ms > 0);
	client->total_ms = total_ms;
}

static void begin(struct https_client *client, https_answer_cb cb, void *data)
{
	client->cb = cb;
	client->cb_data = data;
	client->ends_ms = now_monotonic_ms() + (int64_t)client->total_ms;
	move(client, STARTING);
	uv_timer_start(&client->timer, on_timer, 0, 0);
}

void https_client_get(struct https_client *client, const char *target,
    https_answer_cb cb, void *data)
{
	assert(!https_client_busy(client));
	client->request_len = http_request_get(
	    client->get, client->with.host, client->with.port, target);
	client->request = client->get;
	begin(client, cb, data);
}

void https_client_get_keyed(struct https_client *client, const char *target,
    const char *name, const char *value, https_answer_cb cb, void *data)
{
	assert(!https_client_busy(client));
	client->request_len = http_request_get_keyed(client->get,
	    client->with.host, client->with.port, target, name, value);
	client->request = client->get;
	begin(client, cb, data);
}

void https_client_post(struct https_client *client,
    const struct http_request_post *post, https_answer_cb cb, void *data)
{
	assert(!https_client_busy(client));
	drop_connection(client);
	client->post = http_request_post(
	    client->with.host, client->with.port, post, &client->request_len);
	client->request = client->post;
	begin(client, cb, data);
}

int https_client_busy(const struct https_client *client)
{
	return client->cb != NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct https_client *client = handle->data;

	http_response_fini(&client->response);
	free((char *)client->with.host);
	free((void *)client->with.spki_sha256);
	free(client);
}

void https_client_close(struct https_client *client)
{
	drop_connection(client);
	forget_request(client);
	client->cb = NULL;
	uv_close((uv_handle_t *)&client->timer, on_closed);
}
