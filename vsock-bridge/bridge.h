/*
 * bridge: all rules of a configuration, from start to a clean stop.
 */
#ifndef HALLMARK_BRIDGE_BRIDGE_H
#define HALLMARK_BRIDGE_BRIDGE_H

#include "vsock-bridge/bridge_config.h"

struct bridge;
typedef void (*bridge_stopped_cb)(void *data);

/* Starts every rule (`config` is borrowed until stopped). Returns 0, or -1,
 * *out NULL and why; the loop must run then until nothing is left on it. */
__attribute__((warn_unused_result)) int bridge_start(struct bridge **out,
    uv_loop_t *loop, const struct bridge_config *config,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* Reads the allow-lists and configurations again; see outbound_reload. False:
 * not all are valid. */
bool bridge_reload(struct bridge *bridge);

/* Accepts no more, lets connections finish for at most `grace_ms`, ends those
 * that are left, frees the bridge and calls `on_stopped` (may be NULL), once.
 * Called again: no grace any more. Not to be called after on_stopped. */
void bridge_stop(struct bridge *bridge, uint64_t grace_ms,
    bridge_stopped_cb on_stopped, void *data);

#endif
