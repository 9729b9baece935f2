/*
 * http_relay: goes on with a connection of which something has been read that
 * was not for whoever read it. Who serves it from now on has one end of a pair
 * of sockets, and gets those bytes first; the client's socket stays here.
 *
 * The only ones that come here are clients that asked for the same thing again
 * and again, word for word, and then for another (kept_sender.h). One piece of
 * HTTP_RELAY_BYTES is on its way in each direction. Ends are handed on as such;
 * a client that takes nothing for HTTP_RELAY_STALL_MS, or does not go
 * HTTP_RELAY_LINGER_MS after the other side has, is closed.
 */
#ifndef HALLMARK_BASE_HTTP_RELAY_H
#define HALLMARK_BASE_HTTP_RELAY_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#define HTTP_RELAYS_MAX      512 /* whoever reads first asks has_room */
#define HTTP_RELAY_BYTES     16384
#define HTTP_RELAY_STALL_MS  60000
#define HTTP_RELAY_LINGER_MS 2000

struct http_relay;
LIST_HEAD(http_relay_list, http_relay);

struct http_relays {
	uv_loop_t *loop;
	struct http_relay_list all;
	unsigned count; /* and those that are closing */
	bool stopping;
	void (*closed)(void *data);
	void *data;
};

void http_relays_init(struct http_relays *relays, uv_loop_t *loop);
bool http_relays_have_room(const struct http_relays *relays);

/* Takes `fd` (non-blocking), of which `bytes` have been read: at most
 * HTTP_RELAY_BYTES. Returns the end of a pair, non-blocking, that takes its
 * place; negative (and fd is closed) if there is none to be had. */
__attribute__((warn_unused_result)) int http_relay_start(
    struct http_relays *relays, int fd, const char *bytes, size_t len);

/* Nothing may be started any more. `closed` is called from the loop once all
 * have ended. */
void http_relays_stop(
    struct http_relays *relays, void (*closed)(void *data), void *data);
/* After stop: ends those that have not ended. */
void http_relays_cut(struct http_relays *relays);

#endif
