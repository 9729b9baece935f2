/* sse_queue: events that wait for one reader, or for all; see sse_state.h. */
#include "base/sse_state.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>

#define QUEUE_FIRST 8  /* references at first; doubled when full */
#define QUEUE_KEEP  64 /* a larger one is given back when it is empty */

static void grow(struct sse_queue *queue)
{
	size_t cap = queue->cap ? 2 * queue->cap : QUEUE_FIRST;
	struct sse_buffer **slots = calloc(cap, sizeof(struct sse_buffer *));

	if (!slots)
		log_die("sse", "out of memory");
	for (size_t i = 0; i < queue->count; i++)
		slots[i] = sse_queue_at(queue, i);
	free(queue->slots);
	queue->slots = slots;
	queue->cap = cap;
	queue->head = 0;
}

struct sse_buffer *sse_queue_at(const struct sse_queue *queue, size_t i)
{
	return queue->slots[(queue->head + i) & (queue->cap - 1)];
}

void sse_queue_push(struct sse_queue *queue, struct sse_buffer *buffer)
{
	if (queue->count == queue->cap)
		grow(queue);
	queue->slots[(queue->head + queue->count++) & (queue->cap - 1)] =
	    sse_buffer_ref(buffer);
	queue->bytes += buffer->len;
}

void sse_queue_pop(struct sse_queue *queue)
{
	struct sse_buffer *buffer = sse_queue_at(queue, 0);

	assert(queue->count > 0);
	queue->head = (queue->head + 1) & (queue->cap - 1);
	queue->count--;
	queue->bytes -= buffer->len;
	queue->offset = 0;
	sse_buffer_unref(buffer);
	if (queue->count == 0 && queue->cap > QUEUE_KEEP)
		sse_queue_fini(queue);
}

void sse_queue_drop(struct sse_queue *queue)
{
	size_t keep = queue->offset > 0;

	while (queue->count > keep) {
		struct sse_buffer *last = sse_queue_at(queue, --queue->count);

		queue->bytes -= last->len;
		sse_buffer_unref(last);
	}
}

void sse_queue_fini(struct sse_queue *queue)
{
	queue->offset = 0;
	sse_queue_drop(queue);
	free(queue->slots);
	*queue = (struct sse_queue){.slots = NULL};
}

int sse_queue_gather(const struct sse_queue *queue, struct iovec *out, int max)
{
	size_t offset = queue->offset;
	int n;

	for (n = 0; n < max && (size_t)n < queue->count; n++) {
		struct sse_buffer *buffer = sse_queue_at(queue, (size_t)n);

		out[n].iov_base = buffer->text + offset;
		out[n].iov_len = buffer->len - offset;
		offset = 0;
	}
	return n;
}

unsigned sse_queue_taken(struct sse_queue *queue, size_t len)
{
	unsigned events = 0;

	while (len > 0) {
		size_t left = sse_queue_at(queue, 0)->len - queue->offset;

		if (len < left) {
			queue->offset += len;
			break;
		}
		len -= left;
		sse_queue_pop(queue);
		events++;
	}
	return events;
}
