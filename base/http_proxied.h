/*
 * http_proxied: accepted connections that have to say first, in a PROXY header
 * (proxy_header.h), who they are from.
 *
 *   waiting --> the header is there: handed on, with the address it names
 *      +------> it is not one, ends too early, or takes too long: closed
 *
 * Nothing behind the header is read. At most HTTP_PROXIED_MAX wait at once.
 */
#ifndef HALLMARK_BASE_HTTP_PROXIED_H
#define HALLMARK_BASE_HTTP_PROXIED_H

#include "base/http_listener.h"

#include <sys/queue.h>

#define HTTP_PROXIED_MAX        1024 /* one more is closed */
#define HTTP_PROXIED_TIMEOUT_MS 5000 /* for the whole header */

struct http_proxied_one;
TAILQ_HEAD(http_proxied_list, http_proxied_one);

struct http_proxied {
	uv_loop_t *loop;
	http_accept_cb cb;
	void *data;
	struct http_proxied_list waiting;
	unsigned count;             /* waiting, or closing */
	void (*closed)(void *data); /* set by stop */
};

/* `cb` is handed what http_listener.h says, with the address of the header if
 * it has one, else with that of the connection itself. */
void http_proxied_init(struct http_proxied *proxied, uv_loop_t *loop,
    http_accept_cb cb, void *data);

/* Takes `fd`, a connection from this address. */
void http_proxied_add(struct http_proxied *proxied, int fd,
    const struct sockaddr *addr, socklen_t len);

/* Closes all that wait; nothing may be added and `cb` is not called any more.
 * `closed` is called, from here if nothing waits, when the struct may go. */
void http_proxied_stop(
    struct http_proxied *proxied, void (*closed)(void *data));

#endif
