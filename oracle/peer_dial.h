/*
 * peer_dial: from an endpoint to a connected descriptor; where there is a proxy
 * and the endpoint is a TCP one, by way of its CONNECT, since an enclave has no
 * network of its own.
 */
#ifndef HALLMARK_ORACLE_PEER_DIAL_H
#define HALLMARK_ORACLE_PEER_DIAL_H

#include "base/endpoint.h"
#include "oracle/proxy_connect.h"

#include <stdbool.h>

#define PEER_DIAL_MS      10000 /* all of it */
#define PEER_DIAL_WHY_MAX 160

/* fd: connected and the callee's; or -1, and why (borrowed for the call). */
typedef void (*peer_dial_cb)(int fd, const char *why, void *data);

struct peer_dial { /* the caller's; lives until cb has fired */
	/* private */
	uv_loop_t *loop;
	struct endpoint to;
	bool through_proxy;
	struct endpoint_connect connect;
	struct proxy_connect answer;
	uv_poll_t poll; /* once connected to the proxy */
	uv_timer_t timer;
	unsigned handles;
	int fd;
	char why[PEER_DIAL_WHY_MAX];
	peer_dial_cb cb;
	void *data;
	bool cancelled;
};

/* proxy: NULL for none. If 0, cb fires once, later, also after a cancel (then
 * with -1). Else a negative uv error, and it never does. */
__attribute__((warn_unused_result)) int peer_dial_start(struct peer_dial *dial,
    uv_loop_t *loop, const struct endpoint *to, const struct endpoint *proxy,
    peer_dial_cb cb, void *data);
void peer_dial_cancel(struct peer_dial *dial);

#endif
