/*
 * bus_link: a connection to NATS servers, made by the configuration. libnats
 * reads and writes in threads of its own and goes to another server of the
 * list, for ever, when one is lost. Blocking: for a thread of one's own.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_BUS_LINK_H
#define HALLMARK_VERIFIER_DAEMON_BUS_LINK_H

#include "verifier/daemon/bus_config.h"

#include <nats/nats.h>

#define BUS_LINK_CONNECT_MS 2000 /* of one server, TLS included */
#define BUS_LINK_RETRY_MS   250  /* between tries, once it was there */
#define BUS_LINK_PING_MS    5000 /* two without an answer: it is lost */
#define BUS_LINK_ANSWER_MS  5000 /* JetStream's, to what we ask it */
#define BUS_LINK_WRITE_MS   5000 /* a write that takes longer fails */

struct bus_link { /* zero: not open */
	natsConnection *connection;
	jsCtx *js;
};

/* `label`: who we are, for the servers' lists of clients. `failed` and `data`:
 * called by libnats when a message that was published is refused; may be NULL.
 * 0, or -1 and why. */
__attribute__((warn_unused_result)) int bus_link_open(struct bus_link *out,
    const struct bus_config *config, const char *label,
    jsPubAckErrHandler failed, void *data, char why[static BUS_ERROR_MAX]);
bool bus_link_connected(const struct bus_link *link);
/* Sends what is on its way out (a second at most), then closes. */
void bus_link_close(struct bus_link *link);

/* What a status means and libnats adds to it. */
void bus_link_why(natsStatus status, char out[static BUS_ERROR_MAX]);

#endif
