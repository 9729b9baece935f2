/*
 * relay_patience: lets the bytes of a fast TCP stream gather before they wake
 * us. A socket wakes its reader for each segment, and being woken costs more
 * than moving what has come; SO_RCVLOWAT says how much must have come first
 * (tcp(7), tcp_stream_is_readable() in Linux). The stream's end, an error and
 * a full receive window wake us in any case.
 *
 *              RELAY_PATIENT_BYTES in bulk, one after the other
 *   AS IT COMES -----------------------------------------------> PATIENT
 *       ^                                                           |
 *       +-----------------------------------------------------------+
 *               nothing has moved from one tick to the next
 *
 * What a sender leaves below the limit when it pauses must not wait: so the
 * limit is withdrawn then, and Linux says at once what is there. A tail waits
 * for two ticks at most (RELAY_PATIENT_TICK_MS), and only behind
 * RELAY_PATIENT_BYTES in one piece, which no exchange's answer has.
 *
 * TCP only: a Unix socket ignores the limit, and with a vsock some kernels let
 * sender and receiver wait for one another. Knows no loop; relay.c ticks.
 */
#ifndef HALLMARK_BRIDGE_RELAY_PATIENCE_H
#define HALLMARK_BRIDGE_RELAY_PATIENCE_H

#include "vsock-bridge/relay_half.h"

#define RELAY_PATIENT_BYTES   1048576
#define RELAY_PATIENT_TICK_MS 2
#define RELAY_PATIENT_MAX     64     /* more streams than this are not fast */
#define RELAY_GATHER_BYTES    262144 /* that wake us */

struct relay_patience { /* all zero at the start */
	struct relay_half *halves[RELAY_PATIENT_MAX];
	unsigned count; /* while it is not 0, relay_patience_tick is wanted */
};

/* To be called when a half has moved. */
void relay_patience_moved(
    struct relay_patience *patience, struct relay_half *half);

/* Withdraws the limit of those that have not moved since the last tick. */
void relay_patience_tick(struct relay_patience *patience);

/* Before the half or its descriptor goes. */
void relay_patience_forget(
    struct relay_patience *patience, struct relay_half *half);

#endif
