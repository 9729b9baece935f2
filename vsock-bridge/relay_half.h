/*
 * relay_half: one direction of a relay: moves bytes from one descriptor to
 * another until one of them has to be waited for. Waits for nothing itself and
 * knows no loop.
 *
 * Few bytes are copied through a buffer that all share. Once a read has filled
 * half of it the rest goes through a pipe with splice(2), page by page and
 * without a copy, where the kernel can; where it cannot, or no pipe is to be
 * had, the buffer does it.
 *
 *             read, written in part
 *   FLOWING ------------------------> BLOCKED  waits until `to` is writable
 *   waits until `from` is readable       |
 *     |  ^                               |
 *     |  +-------------------------------+  all written
 *     v
 *   ENDED  `from` has ended, and `to` has been told so
 *
 * Nothing is read while BLOCKED, so at most what one read has brought waits:
 * on the heap (RELAY_BUFFER_BYTES) or in a pipe (RELAY_PIPE_BYTES). Only then
 * a half has one or the other.
 */
#ifndef HALLMARK_BRIDGE_RELAY_HALF_H
#define HALLMARK_BRIDGE_RELAY_HALF_H

#include "vsock-bridge/relay_pipes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RELAY_BUFFER_BYTES 65536
#define RELAY_TURN_BYTES   4194304 /* moved before others get a turn */

enum relay_state {
	RELAY_FLOWING,
	RELAY_BLOCKED,
	RELAY_ENDED
};

struct relay;

struct relay_half {
	uint64_t bytes; /* read from `from` so far */

	/* private from here on */
	struct relay *relay;
	int from, to;
	uint8_t *kept; /* goes before what is in the pipe */
	struct relay_pipe *pipe;
	uint32_t kept_at, kept_len, pipe_len; /* what waits in them */
	enum relay_state state;
	uint32_t unsent_seen; /* in the kernel for `to`, at the last look */
	/* For relay_patience.h: in a row while bulk;
	 * and the low bits of bytes at its last tick. */
	uint32_t bulk_bytes, bytes_seen;
	bool readable;    /* `from` may have something */
	bool bulk;        /* the last reads brought much */
	bool no_splice;   /* the kernel refused it for these two */
	bool out_watched; /* relay.c waits for `to` */
	bool patient;     /* relay_patience.h has it */
};

/* What all halves of a loop share. Large: not for the stack. */
struct relay_tools {
	struct relay_pipes pipes;
	uint8_t buffer[RELAY_BUFFER_BYTES];
	/* NULL: splice(2); what a test replaces. */
	ssize_t (*splice)(int from, int to, size_t len);
};

/* Returns 1 if RELAY_TURN_BYTES were moved and there may be more, 0 when the
 * state says what to wait for, or a negative uv error. */
__attribute__((warn_unused_result)) int relay_half_move(
    struct relay_half *half, struct relay_tools *tools);

/* Writes these first, before anything was read; keeps what is not taken.
 * Returns 0 or a negative uv error. */
__attribute__((warn_unused_result)) int relay_half_put(
    struct relay_half *half, const void *bytes, size_t len);

/* Whether what the kernel holds for `to` has changed since the last call: a
 * slow reader is not idle. So one that has stopped is found out by the second
 * call. */
bool relay_half_progressed(struct relay_half *half);

/* Lets go of what waits. The descriptors are the caller's. */
void relay_half_fini(struct relay_half *half, struct relay_tools *tools);

#endif
