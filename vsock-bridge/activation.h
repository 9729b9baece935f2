/*
 * activation: listening sockets that the service manager has opened for us:
 * LISTEN_FDS of them, from descriptor 3 on, if LISTEN_PID is ours.
 *
 * So a port below 1024 needs no privilege here, and clients wait in the
 * backlog while the bridge is restarted. Each has to listen exactly where one
 * rule does, else we do not start: a socket unit that differs from the
 * configuration would leave its clients waiting for ever.
 *
 * Source: sd_listen_fds(3).
 */
#ifndef HALLMARK_BRIDGE_ACTIVATION_H
#define HALLMARK_BRIDGE_ACTIVATION_H

#include "vsock-bridge/bridge_config.h"

#define ACTIVATION_FIRST 3 /* SD_LISTEN_FDS_START */

/* Sets `inherited` of the rules, reading and clearing the environment. Returns
 * how many there were, or -1 and why. */
__attribute__((warn_unused_result)) int activation_take(
    struct bridge_config *config, char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* The same for these descriptors; they are made non-blocking and
 * close-on-exec. */
__attribute__((warn_unused_result)) int activation_assign(
    struct bridge_config *config, int first, int count,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

#endif
