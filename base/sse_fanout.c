/*
 * sse_fanout: from one event to all who want it, a few in each loop turn.
 *
 * An event for 5,000 readers is 5,000 sends, which is 35 ms in which nobody
 * else is served. So it waits in the outbox, and in each turn of the loop the
 * next SSE_FANOUT_SENDS readers get all they have not had yet. The list of
 * readers is in the order of who was served longest ago: whoever is served goes
 * to its end. So nobody is first each time, a reader that is behind gets
 * several events in one send, and the first of the list alone tells what of
 * the outbox is needed still, and when all is done.
 */
#include "base/sse_state.h"

#include "base/http_stream.h"

static uint64_t next_of(const struct sse_hub *hub)
{
	return hub->outbox_first + hub->outbox.count;
}

uint64_t sse_fanout_next(const struct sse_hub *hub)
{
	return next_of(hub);
}

void sse_fanout_trim(struct sse_hub *hub)
{
	const struct sse_subscriber *first = TAILQ_FIRST(&hub->subscribers);
	uint64_t needed = first ? first->cursor : next_of(hub);

	for (; hub->outbox_first < needed; hub->outbox_first++)
		sse_queue_pop(&hub->outbox);
}

/* Sending takes long enough for the next two to come out of memory, where they
 * are by then: thousands of readers fit into no cache. That
 * is a twentieth of what a delivery costs. */
static void fetch_ahead(const struct sse_subscriber *sub)
{
	const struct sse_subscriber *next = TAILQ_NEXT(sub, entry);

	if (!next)
		return;
	__builtin_prefetch(next->stream);
	__builtin_prefetch(TAILQ_NEXT(next, entry));
}

/* The one that waits longest; false if nobody waits. */
static bool serve_next(struct sse_hub *hub, bool *sends)
{
	struct sse_subscriber *sub = TAILQ_FIRST(&hub->subscribers);

	if (!sub || sub->cursor == next_of(hub))
		return false;
	fetch_ahead(sub);
	sse_subscriber_take(sub);
	*sends = sub->queue.count > 0 || sub->ending;
	if (*sends)
		http_stream_wake(sub->stream);
	return true;
}

static void on_turn(uv_idle_t *idle)
{
	struct sse_hub *hub = idle->data;
	int sends = 0;

	for (int i = 0; i < SSE_FANOUT_LOOKS && sends < SSE_FANOUT_SENDS; i++) {
		bool sent;

		if (!serve_next(hub, &sent)) {
			uv_idle_stop(idle);
			break;
		}
		sends += sent;
	}
	sse_fanout_trim(hub);
}

void sse_fanout_add(struct sse_hub *hub, struct sse_buffer *buffer)
{
	if (TAILQ_EMPTY(&hub->subscribers))
		return;
	sse_queue_push(&hub->outbox, buffer);
	uv_idle_start(&hub->idle, on_turn);
}
