/*
 * log_channel: what init and the oracle write to standard error, line by line
 * to the console and over vsock to the parent.
 *
 *   init's stderr -----> pipe -+
 *                              +-> lines -> ring -> port 9002 of the parent
 *   the oracle's both -> pipe -+     |
 *                                    +---> console
 *
 * It is there from one of the first steps on and connects again for as long as
 * it takes (log_out.h); it keeps what it can meanwhile (log_ring.h), and a line
 * says how many were dropped when it flows again. The pipes are emptied
 * whatever the parent does, so a program that writes never waits for it; the
 * console gets what it takes without waiting. A line is what ends in a newline
 * (base/lines.h).
 */
#ifndef HALLMARK_ORACLE_INIT_LOG_CHANNEL_H
#define HALLMARK_ORACLE_INIT_LOG_CHANNEL_H

#include "base/endpoint.h"

#define LOG_CHANNEL_PORT     9002
#define LOG_CHANNEL_RETRY_MS 1000

struct log_channel;

struct log_channel_options {
	uv_loop_t *loop;
	struct endpoint to;
	int console; /* a descriptor, borrowed; -1: none */
	uint64_t retry_ms;
};

/* 0, or a negative uv error and *out NULL. */
__attribute__((warn_unused_result)) int log_channel_start(
    struct log_channel **out, const struct log_channel_options *options);

/* Where to write; close-on-exec and the channel's. Ours does not block, for it
 * is this process that empties it; the child's does. */
int log_channel_own(const struct log_channel *channel);
int log_channel_child(const struct log_channel *channel);

/* Takes what is left in the pipes, waits for at most so long until the parent
 * has had all of it, and frees the channel; turns the loop. Nothing may be
 * written to log_channel_own() any more. */
void log_channel_finish(struct log_channel *channel, uint64_t timeout_ms);

#endif
