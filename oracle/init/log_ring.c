/* log_ring: see log_ring.h. */
#include "oracle/init/log_ring.h"

#include <assert.h>
#include <string.h>

void log_ring_init(struct log_ring *ring)
{
	ring->first = ring->used = ring->taken = 0;
	ring->lost = 0;
}

static void put_bytes(struct log_ring *ring, const char *bytes, size_t len)
{
	size_t at = (ring->first + ring->used) % LOG_RING_BYTES;
	size_t before_end = LOG_RING_BYTES - at;

	if (before_end > len)
		before_end = len;
	memcpy(ring->bytes + at, bytes, before_end);
	memcpy(ring->bytes, bytes + before_end, len - before_end);
	ring->used += len;
}

void log_ring_put(struct log_ring *ring, const char *text, size_t len)
{
	if (len >= LOG_RING_BYTES - ring->used) {
		ring->lost++;
		return;
	}
	put_bytes(ring, text, len);
	put_bytes(ring, "\n", 1);
}

size_t log_ring_peek(const struct log_ring *ring, const char **at)
{
	size_t from = (ring->first + ring->taken) % LOG_RING_BYTES;
	size_t left = ring->used - ring->taken;

	*at = ring->bytes + from;
	return left < LOG_RING_BYTES - from ? left : LOG_RING_BYTES - from;
}

/* These bytes lie in one piece, as peek gave them. */
void log_ring_take(struct log_ring *ring, size_t len)
{
	const char *at, *end;

	assert(len <= log_ring_peek(ring, &at));
	while ((end = memchr(at, '\n', len)) != NULL) {
		size_t line = (size_t)(end - at) + 1;

		ring->first = (ring->first + ring->taken + line) %
			      LOG_RING_BYTES;
		ring->used -= ring->taken + line;
		ring->taken = 0;
		at += line;
		len -= line;
	}
	ring->taken += len;
}

void log_ring_rewind(struct log_ring *ring)
{
	ring->taken = 0;
}

uint64_t log_ring_lost(struct log_ring *ring)
{
	uint64_t lost = ring->lost;

	if (ring->used > LOG_RING_BYTES / 2)
		return 0;
	ring->lost = 0;
	return lost;
}
