/* sse_event: see sse_state.h. */
#include "base/sse_state.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SSE_FIELDS_MAX 64 /* "event: ", "id: ", "data: " and line ends */

static struct sse_buffer *buffer_new(size_t cap)
{
	struct sse_buffer *buffer = calloc(1, sizeof(*buffer) + cap);

	if (!buffer)
		log_die("sse", "out of memory");
	buffer->refs = 1;
	return buffer;
}

/* A line break would begin another field, forged by whoever wrote the data.
 * In JSON it can only stand between tokens, where a blank does as well. */
static void copy_line(char *out, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = data[i] == '\n' || data[i] == '\r' ? ' ' : data[i];
}

struct sse_buffer *sse_buffer_new(const char *name, const char *topic,
    const char *id, const char *data, size_t len)
{
	size_t cap = strlen(name) + (id ? strlen(id) : 0) + len +
		     SSE_FIELDS_MAX;
	struct sse_buffer *buffer = buffer_new(cap);
	int n;

	assert(name[0] && !strpbrk(name, "\r\n"));
	assert(strlen(topic) < sizeof(buffer->topic));
	memcpy(buffer->topic, topic, strlen(topic) + 1);
	n = snprintf(buffer->text, cap, "event: %s\n%s%s%sdata: ", name,
	    id ? "id: " : "", id ? id : "", id ? "\n" : "");
	copy_line(buffer->text + n, data, len);
	memcpy(buffer->text + (size_t)n + len, "\n\n", 2);
	buffer->len = (size_t)n + len + 2;
	return buffer;
}

struct sse_buffer *sse_buffer_text(const char *text)
{
	struct sse_buffer *buffer = buffer_new(strlen(text));

	memcpy(buffer->text, text, strlen(text));
	buffer->len = strlen(text);
	return buffer;
}

struct sse_buffer *sse_buffer_ref(struct sse_buffer *buffer)
{
	buffer->refs++;
	return buffer;
}

void sse_buffer_unref(struct sse_buffer *buffer)
{
	if (!buffer)
		return;
	assert(buffer->refs > 0);
	if (--buffer->refs == 0)
		free(buffer);
}

/* ---- the ring ---- */

void sse_ring_init(struct sse_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->first = ring->next = 1;
}

static void drop_oldest(struct sse_ring *ring)
{
	struct sse_buffer **slot = &ring->slots[ring->first % SSE_RING_EVENTS];

	ring->bytes -= (*slot)->len;
	sse_buffer_unref(*slot);
	*slot = NULL;
	ring->first++;
}

void sse_ring_add(struct sse_ring *ring, struct sse_buffer *buffer)
{
	while (ring->first < ring->next &&
	       (ring->next - ring->first == SSE_RING_EVENTS ||
		   ring->bytes + buffer->len > SSE_RING_BYTES))
		drop_oldest(ring);
	ring->slots[ring->next++ % SSE_RING_EVENTS] = sse_buffer_ref(buffer);
	ring->bytes += buffer->len;
}

void sse_ring_fini(struct sse_ring *ring)
{
	while (ring->first < ring->next)
		drop_oldest(ring);
}
