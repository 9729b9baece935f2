/*
 * log_ring: lines on their way to the parent, in a ring of fixed size. Lossy by
 * design: a line that does not fit is dropped and counted, because a parent
 * that does not read must never stop the oracle. Pure.
 *
 * A line leaves the ring when all of it was taken; one that was cut off in the
 * middle, since the connection broke, is sent again from its start.
 */
#ifndef HALLMARK_ORACLE_INIT_LOG_RING_H
#define HALLMARK_ORACLE_INIT_LOG_RING_H

#include <stddef.h>
#include <stdint.h>

#define LOG_RING_BYTES (256 * 1024)

struct log_ring {
	char bytes[LOG_RING_BYTES];
	size_t first;  /* where the oldest line begins */
	size_t used;   /* bytes of whole lines from there on */
	size_t taken;  /* of these, those of the oldest line that were sent */
	uint64_t lost; /* lines dropped and not told of yet */
};

void log_ring_init(struct log_ring *ring);

/* Adds a line; the newline behind it is ours. */
void log_ring_put(struct log_ring *ring, const char *text, size_t len);

/* What is to be sent next: its length (0: nothing) and where it is; good until
 * the next call. */
size_t log_ring_peek(const struct log_ring *ring, const char **at);
/* So many bytes of it were sent. */
void log_ring_take(struct log_ring *ring, size_t len);
/* The connection broke. */
void log_ring_rewind(struct log_ring *ring);

/* How many lines were dropped since this was last asked; 0 while the ring is
 * more than half full, for the line that tells it would be dropped as well. */
uint64_t log_ring_lost(struct log_ring *ring);

#endif
