/*
 * http_listener: accepts connections from a listening descriptor on the loop.
 *
 * libmicrohttpd could do it, but when descriptors run out it either tries
 * again at once and for ever (no connection yet) or stops until one of its own
 * connections ends (a stream may last for days). Here accepting pauses and
 * goes on by itself.
 */
#ifndef HALLMARK_BASE_HTTP_LISTENER_H
#define HALLMARK_BASE_HTTP_LISTENER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

#define HTTP_ACCEPT_PAUSE_MS 100 /* after running out of descriptors */
#define HTTP_ACCEPT_TURN_MAX 64  /* connections taken in one loop turn */

/* `fd` is non-blocking, close-on-exec, and taken. */
typedef void (*http_accept_cb)(
    int fd, const struct sockaddr *addr, socklen_t len, void *data);

struct http_listener {
	uv_poll_t poll;
	uv_timer_t pause;
	int fd;
	bool low; /* no accept has worked since descriptors ran out */
	http_accept_cb cb;
	void *data;
	unsigned open_handles;
	void (*closed)(void *data);
};

/* Takes `fd`, also on failure. Returns 0 or a uv error; then nothing is left
 * open and http_listener_stop() must not be called. */
__attribute__((warn_unused_result)) int http_listener_start(
    struct http_listener *listener, uv_loop_t *loop, int fd, http_accept_cb cb,
    void *data);

/* Nothing is accepted any more; `closed` is called from the loop when the
 * struct may go. Once only. */
void http_listener_stop(
    struct http_listener *listener, void (*closed)(void *data));

#endif
