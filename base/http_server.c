/*
 * http_server: libmicrohttpd's daemon on the loop.
 *
 * The daemon watches its connections with an epoll descriptor of its own; we
 * watch that one. Whenever it becomes readable, a deadline is reached or
 * somebody kicks, MHD_run() does all there is to do, and the timer is set to
 * the next deadline.
 *
 * Stopping: MHD_stop_daemon() aborts the process while a connection is
 * suspended. So `closing` is set first (from then on nothing is suspended),
 * all that sleep are woken, kept requests are abandoned, streams end after
 * what they have queued, and when none is left, or HTTP_STOP_MS have passed,
 * the daemon is stopped from the loop, never from inside one of its own
 * callbacks.
 *
 * libmicrohttpd forgives a client that sends a byte a minute: it only counts
 * silence. Our deadline counts from the start of the client's turn.
 */
#include "base/http_state.h"

#include "base/log.h"
#include "base/now.h"
#include "base/rate_limit.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- deadlines of connections ---- */

void http_connection_time(
    struct http_server *server, struct http_connection *conn, bool on)
{
	if (conn->timed)
		TAILQ_REMOVE(&server->timed, conn, entry);
	conn->timed = on;
	if (!on)
		return;
	conn->deadline_ms = now_monotonic_ms() + HTTP_IDLE_TIMEOUT_S * 1000;
	TAILQ_INSERT_TAIL(&server->timed, conn, entry);
}

void http_connection_hurry(
    struct http_server *server, struct http_connection *conn)
{
	http_connection_time(server, conn, false);
	conn->timed = true;
	conn->deadline_ms = now_monotonic_ms() + HTTP_HURRY_MS;
	TAILQ_INSERT_HEAD(&server->timed, conn, entry);
}

struct http_connection *http_connection_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
	    ->socket_context;
}

/* The daemon sees the shut socket as a client that left. */
static void expire_connections(struct http_server *server)
{
	struct http_connection *conn;
	int64_t now = now_monotonic_ms();

	while (
	    (conn = TAILQ_FIRST(&server->timed)) && conn->deadline_ms <= now) {
		shutdown(conn->fd, SHUT_RDWR);
		http_connection_time(server, conn, false);
	}
}

static struct http_client *count_client(
    struct http_server *server, struct MHD_Connection *connection)
{
	static const struct sockaddr none;
	const struct sockaddr *addr = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
					  ->client_addr;
	socklen_t len = 0;

	if (addr && addr->sa_family == AF_INET)
		len = sizeof(struct sockaddr_in);
	else if (addr && addr->sa_family == AF_INET6)
		len = sizeof(struct sockaddr_in6);
	return http_clients_count(&server->clients, addr ? addr : &none, len);
}

static void on_connection(void *cls, struct MHD_Connection *connection,
    void **context, enum MHD_ConnectionNotificationCode what)
{
	struct http_server *server = cls;
	struct http_connection *conn = *context;
	const union MHD_ConnectionInfo *info;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		/* A request that broke off among its headers has no other
		 * end: libmicrohttpd completes only what it showed to
		 * http_on_access(). */
		if (conn->request)
			http_request_completed(conn->request);
		http_connection_time(server, conn, false);
		http_clients_leave(&server->clients, conn->client);
		free(conn);
		*context = NULL;
		return;
	}
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		log_die("http", "out of memory");
	info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	conn->fd = info->connect_fd;
	conn->client = count_client(server, connection);
	conn->paid = server->paid;
	*context = conn;
	http_connection_time(server, conn, true);
}

/* ---- running the daemon ---- */

#define RUNS_MAX 16 /* in one turn of the loop, which others share */

static void on_timer(uv_timer_t *timer);
static void finish_stop(struct http_server *server);

static void earliest(uint64_t *wait_ms, int64_t at_ms)
{
	int64_t left = at_ms - now_monotonic_ms();

	if (left < 0)
		left = 0;
	if ((uint64_t)left < *wait_ms)
		*wait_ms = (uint64_t)left;
}

static void arm_timer(struct http_server *server)
{
	struct http_connection *first = TAILQ_FIRST(&server->timed);
	MHD_UNSIGNED_LONG_LONG daemon_ms;
	uint64_t wait_ms = UINT64_MAX;

	if (MHD_get_timeout(server->daemon, &daemon_ms) == MHD_YES)
		wait_ms = daemon_ms;
	if (server->kicked)
		wait_ms = 0;
	if (first)
		earliest(&wait_ms, first->deadline_ms);
	if (server->closing)
		earliest(&wait_ms, server->stop_at_ms);
	if (wait_ms == UINT64_MAX) {
		uv_timer_stop(&server->timer);
		return;
	}
	/* The loop's time is that before MHD_run. */
	uv_update_time(server->loop);
	uv_timer_start(&server->timer, on_timer, wait_ms, 0);
}

/* Is an answer still on its way? */
static bool is_busy(const struct http_server *server)
{
	const struct http_request *req;

	if (server->sender.count > 0 || server->kept_sender.count > 0)
		return true;
	TAILQ_FOREACH(req, &server->requests, entry)
	if (req->state != HTTP_RECEIVING)
		return true;
	return false;
}

/* Would it run again at once? */
static bool has_more(const struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG daemon_ms;

	return server->kicked ||
	       (MHD_get_timeout(server->daemon, &daemon_ms) == MHD_YES &&
		   daemon_ms == 0);
}

/* Each run sends at most a pool full on each connection. libuv before 1.48
 * calls a timer of 0 ms again in the same turn of the loop, later ones do
 * not: then a long answer would take a turn for each 5 KB. */
static void run(struct http_server *server)
{
	int runs = 0;

	expire_connections(server);
	server->running = true;
	do {
		server->kicked = false;
		MHD_run(server->daemon);
	} while (++runs < RUNS_MAX && has_more(server));
	server->running = false;
	if (server->closing &&
	    (!is_busy(server) || now_monotonic_ms() >= server->stop_at_ms)) {
		finish_stop(server);
		return;
	}
	arm_timer(server);
}

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_daemon_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

void http_server_kick(struct http_server *server)
{
	server->kicked = true;
	if (!server->running)
		uv_timer_start(&server->timer, on_timer, 0, 0);
}

/* ---- starting ---- */

/* What libmicrohttpd has to say is about clients, at their pace. */
static void on_daemon_log(void *cls, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void on_daemon_log(void *cls, const char *format, va_list args)
{
	char text[LOG_VALUE_MAX];

	(void)cls;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http", "daemon", LOG_S("says", text));
}

#if MHD_VERSION >= 0x01000000
#define STRICT_OPTION MHD_OPTION_CLIENT_DISCIPLINE_LVL
/* Without it an added connection is queued, and on_connection() is called
 * later: it must be inside MHD_add_connection(), see http_arrival.c. */
#define ONE_THREAD MHD_USE_NO_THREAD_SAFETY
#else
#define STRICT_OPTION MHD_OPTION_STRICT_FOR_CLIENT
#define ONE_THREAD    0U
#endif

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
			 ONE_THREAD;

	return MHD_start_daemon(flags, 0, NULL, NULL, http_on_access, server,
	    MHD_OPTION_EXTERNAL_LOGGER, on_daemon_log, NULL,
	    MHD_OPTION_URI_LOG_CALLBACK, http_on_target, server,
	    MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, server,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_TIMEOUT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)HTTP_POOL_BYTES + HTTP_REPLY_ROOM, STRICT_OPTION, 1,
	    MHD_OPTION_END);
}

/* The routes are ours: what a route allows must fit into a request. */
static void check_routes(const struct http_route *routes)
{
	for (; routes->method; routes++) {
		size_t n = 0;

		assert(routes->path[0] == '/' && routes->handler);
		assert(strcmp(routes->method, "GET") == 0 ||
		       strcmp(routes->method, "POST") == 0);
		while (routes->params && routes->params[n])
			n++;
		assert(n <= HTTP_PARAMS_MAX);
	}
}

/* Takes `fd`. */
static int start_on(struct http_server *server, int fd)
{
	const union MHD_DaemonInfo *info;
	int ret;

	server->port = endpoint_bound_port(fd);
	ret = http_listener_start(
	    &server->listener, server->loop, fd, http_on_accepted, server);
	if (ret < 0)
		return ret;
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	ret = uv_poll_init(server->loop, &server->poll, info->epoll_fd);
	if (ret < 0)
		log_die("http", "epoll in epoll: %s", uv_strerror(ret));
	uv_timer_init(server->loop, &server->timer);
	server->poll.data = server->timer.data = server;
	server->open_handles = server->options.wrapper ? 9 : 8;
	http_arrival_init(server);
	uv_poll_start(&server->poll, UV_READABLE, on_daemon_ready);
	return 0;
}

int http_server_start(struct http_server **out, uv_loop_t *loop,
    const struct endpoint *ep, const struct http_route *routes, void *data)
{
	return http_server_start_with(out, loop, ep, routes, data,
	    &(struct http_server_options){.proxy_protocol = false});
}

int http_server_start_with(struct http_server **out, uv_loop_t *loop,
    const struct endpoint *ep, const struct http_route *routes, void *data,
    const struct http_server_options *options)
{
	struct http_server *server;
	int fd, ret;

	*out = NULL;
	check_routes(routes);
	fd = endpoint_listen(ep, HTTP_LISTEN_BACKLOG);
	if (fd < 0)
		return fd;
	server = calloc(1, sizeof(*server));
	if (!server)
		log_die("http", "out of memory");
	TAILQ_INIT(&server->timed);
	TAILQ_INIT(&server->requests);
	server->loop = loop;
	server->routes = routes;
	server->data = data;
	server->options = *options;
	server->limit = rate_limit_new(
	    options->requests_per_s, options->requests_burst);
	server->daemon = start_daemon(server);
	if (!server->daemon)
		log_die("http", "libmicrohttpd does not start");
	ret = start_on(server, fd);
	if (ret < 0) {
		MHD_stop_daemon(server->daemon);
		rate_limit_free(server->limit);
		free(server);
		return ret;
	}
	*out = server;
	return 0;
}

unsigned http_server_port(const struct http_server *server)
{
	return server->port;
}

/* ---- stopping ---- */

void http_server_handle_closed(struct http_server *server)
{
	assert(server->open_handles > 0);
	if (--server->open_handles > 0)
		return;
	assert(!server->daemon && TAILQ_EMPTY(&server->requests));
	if (server->done)
		server->done(server->done_data);
	rate_limit_free(server->limit);
	kept_answers_fini(&server->kept);
	free(server);
}

static void on_handle_closed(uv_handle_t *handle)
{
	http_server_handle_closed(handle->data);
}

static void on_listener_closed(void *data)
{
	http_server_handle_closed(data);
}

/* The stop may have waited for its last connection. */
static void on_sender_closed(void *data)
{
	http_server_kick(data);
	http_server_handle_closed(data);
}

static void finish_stop(struct http_server *server)
{
	uv_poll_stop(&server->poll);
	stream_sender_cut(&server->sender);
	kept_sender_cut(&server->kept_sender);
	http_relays_cut(&server->relays);
	server->running = true; /* a kick would run a daemon that is gone */
	MHD_stop_daemon(server->daemon);
	server->daemon = NULL;
	uv_close((uv_handle_t *)&server->poll, on_handle_closed);
	uv_close((uv_handle_t *)&server->timer, on_handle_closed);
}

void http_server_stop(
    struct http_server *server, void (*done)(void *data), void *data)
{
	struct http_request *req;

	if (server->closing)
		return;
	server->closing = true;
	server->stop_at_ms = now_monotonic_ms() + HTTP_STOP_MS;
	server->done = done;
	server->done_data = data;
	http_listener_stop(&server->listener, on_listener_closed);
	http_proxied_stop(&server->proxied, on_listener_closed);
	http_door_stop(&server->door, on_listener_closed);
	if (server->options.wrapper)
		server->options.wrapper->stop(
		    server->wrapped, on_listener_closed, server);
	stream_sender_stop(&server->sender, on_sender_closed, server);
	kept_sender_stop(&server->kept_sender, on_sender_closed, server);
	http_relays_stop(&server->relays, on_sender_closed, server);
	TAILQ_FOREACH(req, &server->requests, entry)
	{
		if (!req->suspended)
			continue;
		if (req->state == HTTP_HANDLING)
			http_request_abandon(req);
		http_request_wake(req);
	}
	http_server_kick(server);
}
