/*
 * notify: tells the service manager how we are: one datagram of NAME=value
 * lines to the socket that NOTIFY_SOCKET names, if it names one.
 *
 *   READY=1                               everything listens
 *   RELOADING=1, MONOTONIC_USEC=n         reads the allow-lists; READY=1
 * follows STOPPING=1, EXTEND_TIMEOUT_USEC=n     waits for connections to end
 *   STATUS=text                           for people, in any of them
 *
 * Source: sd_notify(3). Written by hand: thirty lines against a library that
 * brings its own D-Bus.
 */
#ifndef HALLMARK_BRIDGE_NOTIFY_H
#define HALLMARK_BRIDGE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* These say nothing where nobody listens, and never fail: whether we were
 * heard changes nothing. `status` is one line. */
void notify_ready(const char *status);
void notify_reloading(void);
/* May take this long. */
void notify_stopping(const char *status, uint64_t timeout_ms);

/* The datagram, as it is; false if nobody took it. */
bool notify_send(const char *text);

#endif
