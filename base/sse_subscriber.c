/*
 * sse_subscriber: one stream.
 *
 * Its queue holds references to events, first the retry time, its welcome and
 * what it missed, then what is published. Usually it is empty but for a
 * moment: what the socket takes at once is gone.
 *
 * A client that reads too slowly makes the queue grow. When it is over its
 * ceiling, all but the event that is already half sent is dropped, `resync`
 * is sent, and the stream ends: the client connects again and resumes from
 * the ring, or fetches anew. That costs the others nothing. One that reads
 * nothing at all is closed by whoever carries the stream.
 */
#include "base/sse_state.h"

#include "base/log.h"
#include "base/now.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what it gets ---- */

void sse_subscriber_push_resync(struct sse_subscriber *sub, const char *reason)
{
	struct sse_buffer *buffer;
	char data[64];
	int len = snprintf(data, sizeof(data), "{\"reason\":\"%s\"}", reason);

	buffer = sse_buffer_new("resync", "", NULL, data, (size_t)len);
	sse_queue_push(&sub->queue, buffer);
	sse_buffer_unref(buffer);
}

static bool wants(const struct sse_subscriber *sub, const char *topic)
{
	const char *own = sub->topics;

	if (!own || !topic[0])
		return true;
	for (size_t i = 0; i < sub->topic_count; i++) {
		if (strcmp(own, topic) == 0)
			return true;
		own += strlen(own) + 1;
	}
	return false;
}

/* Readers that stall together are closed together: which of them is logged is
 * left to chance, at most one a second; the number is that of all so far. */
static void count_slow(struct sse_hub *hub, const char *why)
{
	int64_t now = now_monotonic_ms();

	hub->stats.slow_closed++;
	if (hub->slow_logged_ms != 0 &&
	    now - hub->slow_logged_ms < SSE_SLOW_LOG_MS)
		return;
	hub->slow_logged_ms = now;
	log_info("sse", "slow_closed", LOG_S("why", why),
	    LOG_D("so_far", hub->stats.slow_closed));
}

static void cut_off(struct sse_subscriber *sub)
{
	sse_queue_drop(&sub->queue);
	sse_subscriber_push_resync(sub, "slow");
	sub->ending = true;
	count_slow(sub->hub, "reads too slowly");
}

void sse_subscriber_push(struct sse_subscriber *sub, struct sse_buffer *buffer)
{
	if (sub->ending)
		return;
	if (sub->queue.bytes + buffer->len > sub->queue_max)
		cut_off(sub);
	else
		sse_queue_push(&sub->queue, buffer);
}

void sse_subscriber_offer(struct sse_subscriber *sub, struct sse_buffer *buffer)
{
	if (!wants(sub, buffer->topic) || (sub->thin && buffer->behind))
		return;
	if (sub->thin && buffer->topic[0])
		sse_thin_keep(sub, buffer);
	else
		sse_subscriber_push(sub, buffer);
}

void sse_subscriber_take(struct sse_subscriber *sub)
{
	struct sse_hub *hub = sub->hub;
	uint64_t next = sse_fanout_next(hub);

	if (sub->cursor == next)
		return;
	assert(sub->cursor >= hub->outbox_first);
	for (; sub->cursor < next; sub->cursor++)
		sse_subscriber_offer(
		    sub, sse_queue_at(&hub->outbox,
			     (size_t)(sub->cursor - hub->outbox_first)));
	if (sub->thin)
		sse_thin_settle(sub);
	TAILQ_REMOVE(&hub->subscribers, sub, entry);
	TAILQ_INSERT_TAIL(&hub->subscribers, sub, entry);
}

void sse_subscriber_end(struct sse_subscriber *sub, struct sse_buffer *last)
{
	sse_subscriber_take(sub);
	if (sub->thin)
		sse_thin_release(sub);
	sse_subscriber_push(sub, last);
	sub->ending = true;
	http_stream_wake(sub->stream);
}

/* ---- what the server calls ---- */

static int on_gather(void *data, struct iovec *out, int max)
{
	struct sse_subscriber *sub = data;

	sse_subscriber_take(sub);
	if (sub->queue.count > 0)
		return sse_queue_gather(&sub->queue, out, max);
	return sub->ending ? HTTP_STREAM_END : 0;
}

static void on_taken(void *data, size_t len)
{
	struct sse_subscriber *sub = data;

	sub->hub->stats.deliveries += sse_queue_taken(&sub->queue, len);
	if (sub->queue.count == 0)
		sub->queue_max = SSE_QUEUE_BYTES;
}

static void on_closed(void *data, enum http_stream_ended how)
{
	struct sse_subscriber *sub = data;
	struct sse_hub *hub = sub->hub;

	if (how == HTTP_STREAM_STALLED && !sub->ending)
		count_slow(hub, "reads nothing");
	TAILQ_REMOVE(&hub->subscribers, sub, entry);
	hub->stats.subscribers--;
	sse_subscriber_free(sub);
	sse_fanout_trim(hub);
}

const struct http_stream_ops sse_subscriber_ops = {
    on_gather, on_taken, on_closed};

/* ---- memory ---- */

struct sse_subscriber *sse_subscriber_new(struct sse_hub *hub)
{
	struct sse_subscriber *sub = calloc(1, sizeof(*sub));

	if (!sub)
		log_die("sse", "out of memory");
	sub->hub = hub;
	sub->queue_max = SIZE_MAX;
	return sub;
}

void sse_subscriber_free(struct sse_subscriber *sub)
{
	sse_thin_fini(sub);
	sse_queue_fini(&sub->queue);
	free(sub->topics);
	free(sub);
}
