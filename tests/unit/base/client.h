/*
 * client: what the tests of http_server and sse share: one loop, a server on
 * it, and clients that are plain non-blocking sockets. Whoever waits runs the
 * loop meanwhile, under a deadline that only a hanging test meets.
 */
#ifndef HALLMARK_TESTS_CLIENT_H
#define HALLMARK_TESTS_CLIENT_H

#include "base/http_server.h"
#include "base/now.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENT_DEADLINE_MS 20000
#define CLIENT_BUF         (16u << 20)

static uv_loop_t loop;
static struct http_server *server;
static struct endpoint server_ep;
static char server_dir[64];
static bool server_done;

static void on_server_done(void *data)
{
	*(bool *)data = true;
}

static inline void pump_once(void)
{
	uv_run(&loop, UV_RUN_NOWAIT);
}

/* Runs the loop for a while, for things that should not happen. */
static inline void pump_ms(int64_t ms)
{
	int64_t end = now_monotonic_ms() + ms;

	while (now_monotonic_ms() < end) {
		pump_once();
		usleep(500);
	}
}

#define pump_until(condition)                                                \
	do {                                                                 \
		int64_t end_ms_ = now_monotonic_ms() + CLIENT_DEADLINE_MS;   \
		while (!(condition)) {                                       \
			pump_once();                                         \
			usleep(200);                                         \
			if (now_monotonic_ms() > end_ms_)                    \
				fail_msg("waited too long: %s", #condition); \
		}                                                            \
	} while (0)

static int turns;

static inline void on_turn(uv_prepare_t *prepare)
{
	(void)prepare;
	turns++;
}

static inline void on_stop_timer(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Runs the loop for 300 ms as a program would, and counts its turns. */
static inline int count_turns(void)
{
	uv_prepare_t prepare;
	uv_timer_t timer;

	turns = 0;
	uv_prepare_init(&loop, &prepare);
	uv_prepare_start(&prepare, on_turn);
	uv_timer_init(&loop, &timer);
	uv_update_time(&loop);
	uv_timer_start(&timer, on_stop_timer, 300, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&prepare, NULL);
	uv_close((uv_handle_t *)&timer, NULL);
	pump_once();
	return turns;
}

/* ---- the server ---- */

static inline void server_listen(
    const struct endpoint *ep, const struct http_route *routes, void *data)
{
	server_ep = *ep;
	server_done = false;
	assert_int_equal(
	    http_server_start(&server, &loop, ep, routes, data), 0);
	if (ep->kind == ENDPOINT_TCP)
		server_ep.port = http_server_port(server);
}

static inline void server_start_tcp(const struct http_route *routes, void *data)
{
	struct endpoint ep;

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(endpoint_parse(&ep, "tcp://127.0.0.1:0"), 0);
	server_listen(&ep, routes, data);
}

static inline void server_start_unix(
    const struct http_route *routes, void *data)
{
	struct endpoint ep;
	char uri[128];

	assert_int_equal(uv_loop_init(&loop), 0);
	snprintf(server_dir, sizeof(server_dir), "/tmp/test_http.XXXXXX");
	assert_non_null(mkdtemp(server_dir));
	snprintf(uri, sizeof(uri), "unix://%s/s", server_dir);
	assert_int_equal(endpoint_parse(&ep, uri), 0);
	server_listen(&ep, routes, data);
}

/* The loop must be left with nothing in it. */
static inline void loop_end(void)
{
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	if (server_dir[0]) {
		unlink(server_ep.path);
		rmdir(server_dir);
		server_dir[0] = '\0';
	}
}

static inline void server_stop_wait(void)
{
	http_server_stop(server, on_server_done, &server_done);
	http_server_stop(server, NULL, NULL); /* idempotent */
	assert_false(server_done);
	pump_until(server_done);
}

static inline void server_end(void)
{
	server_stop_wait();
	loop_end();
}

/* ---- clients ---- */

static inline int client_connect(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd, ret;

	if (server_ep.kind == ENDPOINT_UNIX) {
		memcpy(un.sun_path, server_ep.path, sizeof(un.sun_path));
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ret = connect(fd, (struct sockaddr *)&un, sizeof(un));
	} else {
		in.sin_port = htons((uint16_t)server_ep.port);
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ret = connect(fd, (struct sockaddr *)&in, sizeof(in));
	}
	assert_true(fd >= 0);
	assert_true(ret == 0 || errno == EINPROGRESS);
	return fd;
}

/* Returns false when the server has closed before all was sent. */
static inline bool client_send_bytes(int fd, const char *bytes, size_t len)
{
	int64_t end = now_monotonic_ms() + CLIENT_DEADLINE_MS;

	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		pump_once();
		if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
			return false;
		if (n < 0) {
			usleep(200);
			assert_true(now_monotonic_ms() < end);
			continue;
		}
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

static inline void client_send(int fd, const char *text)
{
	assert_true(client_send_bytes(fd, text, strlen(text)));
}

struct response {
	char *text; /* all that was read, NUL-terminated */
	size_t len;
	bool closed; /* by the server */
	bool reset;
};

static inline void response_fini(struct response *response)
{
	free(response->text);
	memset(response, 0, sizeof(*response));
}

/* Reads what there is; false when there is nothing at present. */
static inline bool client_read_some(int fd, struct response *out)
{
	ssize_t n;

	if (!out->text)
		out->text = calloc(1, CLIENT_BUF);
	if (out->closed)
		return false;
	assert_true(out->len + 1 < CLIENT_BUF);
	n = recv(fd, out->text + out->len, CLIENT_BUF - 1 - out->len, 0);
	if (n > 0) {
		out->len += (size_t)n;
		out->text[out->len] = '\0';
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
		return false;
	out->closed = true;
	out->reset = n < 0;
	return false;
}

#define client_read_until(fd, out, condition) \
	pump_until((client_read_some(fd, out), (condition)))

static inline int response_status(const struct response *response)
{
	int status = 0;

	if (response->text)
		sscanf(response->text, "HTTP/1.1 %d ", &status);
	return status;
}

/* The value of a header, in a buffer that the next call reuses; "" if none. */
static inline const char *response_header(
    const struct response *response, const char *name)
{
	static char value[512];
	const char *line = response->text, *end;

	end = line ? strstr(line, "\r\n\r\n") : NULL;
	value[0] = '\0';
	while (line && line < end) {
		line = strstr(line, "\r\n") + 2;
		if (strncasecmp(line, name, strlen(name)) != 0 ||
		    line[strlen(name)] != ':')
			continue;
		line += strlen(name) + 1;
		line += strspn(line, " ");
		snprintf(value, sizeof(value), "%.*s",
		    (int)strcspn(line, "\r\n"), line);
		break;
	}
	return value;
}

static inline const char *response_body(const struct response *response)
{
	const char *end = response->text ? strstr(response->text, "\r\n\r\n")
					 : NULL;

	return end ? end + 4 : "";
}

/* Is the first answer all there? For one with a Content-Length. */
static inline bool response_complete(const struct response *response)
{
	const char *length;
	size_t head;

	if (!response->text || !strstr(response->text, "\r\n\r\n"))
		return false;
	head = (size_t)(response_body(response) - response->text);
	length = response_header(response, "Content-Length");
	return response->len >= head + strtoul(length, NULL, 10);
}

/* One request on a connection of its own, until the answer is there. */
static inline struct response client_ask(const char *request)
{
	struct response response = {.text = NULL};
	int fd = client_connect();

	client_send_bytes(fd, request, strlen(request));
	client_read_until(
	    fd, &response, response.closed || response_complete(&response));
	close(fd);
	return response;
}

static inline struct response client_get(const char *target)
{
	char request[8192];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
	    target);
	return client_ask(request);
}

#endif
