/*
 * http_wrapper: what accepted connections go through before the server looks
 * at them, such as TLS (tls_relay.h). A table of functions, so that a program
 * without TLS links none.
 */
#ifndef HALLMARK_BASE_HTTP_WRAPPER_H
#define HALLMARK_BASE_HTTP_WRAPPER_H

#include "base/http_door.h"

/* `arrival` is good for the call; its client is taken, and its fd, in place of
 * the one that came in: what is read from that one is the client's own words.
 * fd is -1 for a connection that came to nothing. */
typedef void (*http_unwrapped_cb)(
    const struct http_arrival *arrival, void *data);

struct http_wrapper {
	void *context; /* for start */
	void *(*start)(
	    uv_loop_t *loop, void *context, http_unwrapped_cb cb, void *data);
	/* Takes the arrival; each is handed to cb once, perhaps at once. */
	void (*add)(void *wrapped, const struct http_arrival *arrival);
	/* Ends those that are not handed on yet; the others end soon after
	 * their other end is closed. Nothing may be added, cb is not called
	 * any more but for the former; `closed` is called from the loop when
	 * all have ended, and what start gave is gone. */
	void (*stop)(void *wrapped, void (*closed)(void *data), void *data);
};

#endif
