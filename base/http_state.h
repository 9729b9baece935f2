/*
 * http_state: what the files of http_server share. Not for others.
 *
 *   http_server.c   the daemon on the loop, start and stop
 *   http_request.c  from the request line to the handler, and the end
 *   http_reply.c    answers
 *   http_problem.c  answers that say what was wrong
 *   http_encoding.c   Accept-Encoding
 *   http_request_id.c X-Request-Id
 *   http_stream.c   those without an end
 *   http_target.c   path, query and entity tags
 *   http_listener.c accepting
 *   http_arrival.c  from there to who serves the connection, by way of
 *   http_proxied.c  reading PROXY headers, where they are expected
 *   http_wrapper.h  what may be between (TLS)
 *   http_clients.c  how many connections each client has
 *   http_door.c     waiting for the first bytes
 *   http_first.c    requests that may not be libmicrohttpd's
 *   stream_sender.c streams on sockets of our own
 *   kept_sender.c   answers that are kept, on sockets of our own
 *   http_relay.c    a connection from there to libmicrohttpd, already read
 */
#ifndef HALLMARK_BASE_HTTP_STATE_H
#define HALLMARK_BASE_HTTP_STATE_H

#include "base/http_door.h"
#include "base/http_listener.h"
#include "base/http_proxied.h"
#include "base/http_relay.h"
#include "base/http_target.h"
#include "base/http_wrapper.h"
#include "base/kept_sender.h"
#include "base/stream_sender.h"

#include <microhttpd.h>
#include <sys/queue.h>

#define HTTP_METHOD_MAX     16   /* bytes of a method and a NUL */
#define HTTP_ALLOW_MAX      64   /* "GET, HEAD, POST, OPTIONS" and a NUL */
#define HTTP_STOP_MS        2000 /* a stop waits for slow readers */
#define HTTP_HURRY_MS       500
#define HTTP_DISCARD_MAX    (1u << 20) /* body bytes read only to refuse */
#define HTTP_RETRY_AFTER_S  1          /* with each 429 and 503 */
#define HTTP_REPLY_ROOM     1536       /* pool beside HTTP_POOL_BYTES */
#define HTTP_HEADER_COST    64         /* pool bytes of one header's record */
#define HTTP_STREAM_BLOCK   2048       /* bytes asked for at a time */
#define HTTP_LISTEN_BACKLOG 1024
#define HTTP_CROWD_LOG_MS   1000 /* between lines about refused connections */
#define HTTP_REQUEST_ID_MAX 65   /* bytes of X-Request-Id and a NUL */

/* One connection. While it is the client's turn to send a request, or to take
 * a whole answer, it is in server->timed, oldest first. */
struct http_connection {
	TAILQ_ENTRY(http_connection) entry;
	int fd;
	struct http_client *client;
	struct http_request *request; /* set and cleared by http_request */
	bool timed;
	bool paid; /* its first request has been taken off the limit */
	int64_t deadline_ms;
};

TAILQ_HEAD(http_connections, http_connection);
TAILQ_HEAD(http_requests, http_request);

struct http_server {
	uv_loop_t *loop;
	const struct http_route *routes;
	void *data;
	struct MHD_Daemon *daemon; /* NULL once stopped */
	struct http_listener listener;
	struct http_server_options options;
	struct rate_limit *limit;    /* NULL: none */
	struct http_proxied proxied; /* used with that option only */
	struct http_clients clients; /* of door, sender and daemon */
	void *wrapped; /* with that option only: its connections */
	struct http_door door;
	struct stream_sender sender;
	struct kept_answers kept;
	struct kept_sender kept_sender;
	struct http_relays relays;
	bool paid;               /* the connection that is being added */
	unsigned daemon_streams; /* those that the daemon carries */
	int64_t crowd_logged_ms; /* when a full house was logged last */
	unsigned port;
	uv_poll_t poll;   /* the daemon's epoll descriptor */
	uv_timer_t timer; /* the daemon's next deadline, ours, or a kick */
	bool kicked;      /* the daemon has work that no descriptor tells */
	bool running;     /* inside MHD_run */
	struct http_connections timed;
	struct http_requests requests; /* that the daemon knows */
	bool closing;                  /* http_server_stop() was called */
	int64_t stop_at_ms;            /* set with closing */
	void (*done)(void *data);
	void *done_data;
	unsigned open_handles; /* poll, timer, listener, proxied, wrapped,
					 door, senders, relays, watches */
};

/*
 * A request. The states that wait: RECEIVING for the client (the connection's
 * deadline), HANDLING for the handler's answer (it may take as long as it
 * likes; the watch tells when the client leaves), STREAMING for the handler's
 * next bytes or the client (libmicrohttpd's time-out).
 *
 *   RECEIVING --> HANDLING --> ANSWERED --+
 *       |            | |                  +--> completed, freed
 *       |            | +-----> STREAMING -+
 *       |            +-------> ABANDONED -+    client left, server stops
 *       +---------------------------------+    client left
 *
 * Freed when the daemon is done with it (connection NULL), the handler does
 * not hold it (not HANDLING) and its watch is closed.
 */
enum http_request_state {
	HTTP_RECEIVING,
	HTTP_HANDLING,
	HTTP_ANSWERED,
	HTTP_STREAMING,
	HTTP_ABANDONED,
};

/* A request that is not libmicrohttpd's yet: it lives for one call of its
 * route's handler, which starts a stream, or gives an answer that can be kept,
 * or neither. */
struct http_peeked {
	const struct http_arrival *arrival;
	const char *bytes;
	size_t len;                 /* of the head, which is all there is */
	bool keeps;                 /* an answer that is kept is of use */
	bool taken;                 /* it began a stream */
	struct kept_answer *answer; /* or has this answer */
	struct plain_get head;
};

struct http_request {
	TAILQ_ENTRY(http_request) entry; /* of server->requests */
	struct http_server *server;      /* NULL when connection is */
	uv_loop_t *loop;
	struct MHD_Connection *connection; /* NULL when the daemon is done */
	struct http_connection *peer;      /* the same */
	enum http_request_state state;
	bool begun;           /* the headers are here */
	bool suspended;       /* the daemon does not look at it */
	bool gone;            /* the client has left */
	bool close_after;     /* no further request on this connection */
	bool crowded;         /* the pool has little room for an answer */
	unsigned body_status; /* 0, or why the body was not kept */

	char method[HTTP_METHOD_MAX];
	char id[HTTP_REQUEST_ID_MAX]; /* "" until http_request_id() */
	enum http_target_error target_error;
	struct http_target target;
	const char *part; /* of the route's path */
	uint8_t *body;
	size_t body_len, body_cap, discarded;

	struct MHD_Response *response; /* set by the answer */
	unsigned status;
	struct http_stream stream; /* once STREAMING */
	struct http_peeked *peeked;

	uv_poll_t watch; /* tells that the client left, once suspended */
	bool watch_open;
	struct http_server *watch_server; /* outlives the watch */
	void (*abandoned)(struct http_request *req, void *data);
	void *abandoned_data;
};

/* ---- http_server.c ---- */

/* Has the daemon run soon, from the loop. */
void http_server_kick(struct http_server *server);
void http_server_handle_closed(struct http_server *server);
struct http_connection *http_connection_of(struct MHD_Connection *connection);
/* Starts or stops the connection's deadline. */
void http_connection_time(
    struct http_server *server, struct http_connection *conn, bool on);
/* Its deadline is in HTTP_HURRY_MS, unless it is started anew before. */
void http_connection_hurry(
    struct http_server *server, struct http_connection *conn);

/* ---- http_arrival.c; the listener's data is the server ---- */

void http_arrival_init(struct http_server *server);
void http_on_accepted(
    int fd, const struct sockaddr *addr, socklen_t len, void *data);

/* ---- http_stream.c ---- */

/* Are there as many streams as this server holds? */
bool http_stream_is_full(const struct http_server *server);

/* On the socket of a request that libmicrohttpd does not have yet. */
struct http_stream *http_stream_start_first(
    struct http_request *req, const struct http_stream_ops *ops, void *data);

/* ---- http_first.c ---- */

/* Serves a connection whose bytes ask for a stream and get one: then the
 * arrival is taken. False: it is libmicrohttpd's, and nothing has happened. */
bool http_first_stream(struct http_server *server,
    const struct http_arrival *arrival, const char *bytes, size_t len);

/* A kept_find_cb; data is the server. */
struct kept_answer *http_first_find(const struct http_arrival *arrival,
    struct kept_answer *last, const char *bytes, size_t len, void *data);

struct http_field {
	const char *name, *value;
};

/* What a handler answered to a peeked request that keeps: it is put together
 * and kept. reply->body and len are those to be sent. */
void http_first_keep(struct http_request *req, unsigned status,
    const struct http_field *fields, size_t count,
    const struct http_reply *reply);

/* ---- http_request.c: libmicrohttpd's callbacks; cls is the server ---- */

void *http_on_target(
    void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result http_on_access(void *cls, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **context);
void http_on_completed(void *cls, struct MHD_Connection *connection,
    void **context, enum MHD_RequestTerminationCode why);

/* The daemon is done with it, whatever the end was. */
void http_request_completed(struct http_request *req);
/* The client has left, or the server stops: a kept request. */
void http_request_abandon(struct http_request *req);
void http_request_suspend(struct http_request *req);
void http_request_wake(struct http_request *req);
/* After an answer to a request that the daemon was done with already. */
void http_request_drop(struct http_request *req);

/* ---- http_dispatch.c ---- */

/* All of the request is here: hands it to its handler or refuses it. */
void http_dispatch(struct http_request *req);

/* The route that serves this request, or NULL; `allow` lists the methods of
 * all routes with its path, "" if there is none. */
const struct http_route *http_route_find(
    struct http_request *req, char allow[static HTTP_ALLOW_MAX]);

/* ---- http_reply.c ---- */

/* Of every answer; ends with a NULL. */
extern const struct http_field http_common_fields[];

/* Those, and the others that every answer has, unless there is no room. NULL
 * for Cache-Control is no-store. */
void http_reply_common(struct http_request *req, struct MHD_Response *response,
    const char *cache_control);
/* The daemon gets this response; it is the request's. */
void http_reply_answer(struct http_request *req, unsigned status,
    struct MHD_Response *response, enum http_request_state state);

/* 204 to an OPTIONS; allow is the list of methods. */
void http_reply_options(struct http_request *req, const char *allow);
/* One more header of an answer that was given just now. */
void http_reply_header(
    struct http_request *req, const char *name, const char *value);

/* ---- http_problem.c ---- */

/* A problem with an Allow header (RFC 9110 15.5.6). */
void http_problem_405(struct http_request *req, const char *allow);
/* 429 RATE_LIMITED (RFC 6585 4). */
void http_problem_429(struct http_request *req, unsigned retry_after_s);

/* ---- http_encoding.c ---- */

/* RFC 9110 12.5.3: is gzip acceptable, and not less so than no coding?
 * accept_encoding may be NULL: then nothing but the plain form is sure to be
 * understood. */
bool http_accepts_gzip(const char *accept_encoding);

/* ---- http_request_id.c ---- */

/* X-Request-Id as the client gave it, or one made here. */
const char *http_request_id(struct http_request *req);

#endif
