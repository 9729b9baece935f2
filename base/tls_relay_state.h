/* tls_relay_state: what the two files of tls_relay share. Not for others. */
#ifndef HALLMARK_BASE_TLS_RELAY_STATE_H
#define HALLMARK_BASE_TLS_RELAY_STATE_H

#include "base/tls_relay.h"

struct pending { /* len 0: nothing */
	char *bytes;
	size_t len, at;
};

struct tls_relay;
LIST_HEAD(tls_relay_list, tls_relay);

struct tls_relays {
	uv_loop_t *loop;
	SSL_CTX *context;
	http_unwrapped_cb cb;
	void *data;
	struct tls_relay_list all;
	unsigned count; /* and those that are closing */
	unsigned handshakes;
	int64_t logged_ms;          /* when a failure was logged last */
	void (*closed)(void *data); /* set by stop */
	void *closed_data;
	char scratch[TLS_RELAY_BYTES];
};

struct tls_relay {
	LIST_ENTRY(tls_relay) entry;
	struct tls_relays *relays;
	struct http_arrival arrival; /* until handed on */
	bool handed_on;
	bool closing;
	int client_fd, inner_fd; /* inner: -1 until handed on */
	SSL *ssl;
	uv_poll_t client, inner;
	uv_timer_t timer; /* handshake, stall or linger */
	unsigned open_handles;
	struct pending up, down; /* to the server, to the client */
	int tls_read, tls_write; /* events that OpenSSL waits for to do so */
	bool up_done;            /* nothing more goes to the server */
	bool down_done;          /* nor to the client: we have said so */
};

/* ---- tls_relay.c ---- */

/* Closes it, from the loop; nothing is done with it any more. */
void tls_relay_finish(struct tls_relay *relay);
/* It is freed at this time, unless something moves before. */
void tls_relay_deadline(struct tls_relay *relay, uint64_t in_ms);

/* ---- tls_relay_flow.c ---- */

/* What OpenSSL waits for after a return value that is no success: UV_READABLE
 * or UV_WRITABLE; 0: it is over. */
int tls_relay_waits_for(const struct tls_relay *relay, int ret);
/* Once it is handed on: does what can be done, and waits for more. */
void tls_relay_advance(struct tls_relay *relay);

#endif
