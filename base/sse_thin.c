/*
 * sse_thin: a reader that wants at most one event of each topic in so many ms.
 *
 * What comes before the time is kept, the newest event of each topic only, in
 * the order of publication: so ids only grow, and whoever resumes from any of
 * them has missed nothing but what a newer event had replaced. Events without
 * a topic (heartbeats, attestations) are not held back.
 *
 * All that are waiting share one timer; in one loop turn at most
 * SSE_FANOUT_SENDS of them are served.
 */
#include "base/sse_state.h"

#include "base/http_stream.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

struct sse_thin *sse_thin_new(unsigned interval_ms)
{
	struct sse_thin *thin = calloc(1, sizeof(*thin));

	if (!thin)
		log_die("sse", "out of memory");
	thin->interval_ms = interval_ms;
	return thin;
}

static void stop_waiting(struct sse_subscriber *sub)
{
	if (sub->thin->waits)
		TAILQ_REMOVE(&sub->hub->thinned, sub, thin_entry);
	sub->thin->waits = false;
}

static void remove_at(struct sse_thin *thin, size_t i)
{
	sse_buffer_unref(thin->kept[i]);
	thin->count--;
	memmove(thin->kept + i, thin->kept + i + 1,
	    (thin->count - i) * sizeof(struct sse_buffer *));
}

void sse_thin_fini(struct sse_subscriber *sub)
{
	if (!sub->thin)
		return;
	stop_waiting(sub);
	while (sub->thin->count > 0)
		remove_at(sub->thin, sub->thin->count - 1);
	free(sub->thin);
	sub->thin = NULL;
}

void sse_thin_release(struct sse_subscriber *sub)
{
	struct sse_thin *thin = sub->thin;

	stop_waiting(sub);
	thin->due_ms = uv_now(sub->hub->options.loop) + thin->interval_ms;
	for (size_t i = 0; i < thin->count; i++)
		sse_subscriber_push(sub, thin->kept[i]);
	while (thin->count > 0)
		remove_at(thin, thin->count - 1);
}

void sse_thin_keep(struct sse_subscriber *sub, struct sse_buffer *buffer)
{
	struct sse_thin *thin = sub->thin;

	for (size_t i = 0; i < thin->count; i++)
		if (strcmp(thin->kept[i]->topic, buffer->topic) == 0) {
			remove_at(thin, i);
			sub->hub->stats.thinned++;
			break;
		}
	if (thin->count == SSE_THIN_TOPICS_MAX)
		sse_thin_release(sub);
	thin->kept[thin->count++] = sse_buffer_ref(buffer);
}

/* ---- when the time has come ---- */

static void on_timer(uv_timer_t *timer);

/* Soon, but not for each of those that are due one after the other. */
static void wake_at(struct sse_hub *hub, uint64_t at_ms)
{
	uint64_t now = uv_now(hub->options.loop);

	uv_timer_start(&hub->thin_timer, on_timer,
	    at_ms > now + SSE_THIN_TICK_MS ? at_ms - now : SSE_THIN_TICK_MS, 0);
	hub->thin_at_ms = at_ms;
}

void sse_thin_settle(struct sse_subscriber *sub)
{
	struct sse_thin *thin = sub->thin;
	struct sse_hub *hub = sub->hub;

	if (thin->count == 0 || thin->waits)
		return;
	if (uv_now(hub->options.loop) >= thin->due_ms) {
		sse_thin_release(sub);
		return;
	}
	thin->waits = true;
	TAILQ_INSERT_TAIL(&hub->thinned, sub, thin_entry);
	if (!uv_is_active((uv_handle_t *)&hub->thin_timer) ||
	    thin->due_ms < hub->thin_at_ms)
		wake_at(hub, thin->due_ms);
}

static void on_timer(uv_timer_t *timer)
{
	struct sse_hub *hub = timer->data;
	uint64_t now = uv_now(hub->options.loop), earliest = UINT64_MAX;
	struct sse_subscriber *sub, *next;
	int sends = 0;

	for (sub = TAILQ_FIRST(&hub->thinned); sub; sub = next) {
		next = TAILQ_NEXT(sub, thin_entry);
		if (sub->thin->due_ms <= now && sends < SSE_FANOUT_SENDS) {
			sends++;
			sse_thin_release(sub);
			http_stream_wake(sub->stream);
		} else if (sub->thin->due_ms < earliest) {
			earliest = sub->thin->due_ms;
		}
	}
	if (earliest == UINT64_MAX)
		return;
	wake_at(hub, earliest);
	if (sends == SSE_FANOUT_SENDS)
		uv_timer_start(timer, on_timer, 0, 0);
}
