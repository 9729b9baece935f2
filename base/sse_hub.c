/* sse_hub: see sse.h and sse_state.h. */
#include "base/sse_state.h"

#include "base/log.h"
#include "base/now.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sse_format_id(
    const struct sse_hub *hub, uint64_t number, char out[static SSE_ID_MAX])
{
	snprintf(out, SSE_ID_MAX, "%s-%" PRIu64, hub->epoch, number);
}

/* ---- publishing ---- */

/* Takes the buffer. */
static void publish(
    struct sse_hub *hub, struct sse_buffer *buffer, bool durable)
{
	if (durable)
		sse_ring_add(&hub->ring, buffer);
	hub->stats.events++;
	sse_fanout_add(hub, buffer);
	sse_buffer_unref(buffer);
}

void sse_publish(struct sse_hub *hub, const char *name, const char *topic,
    const char *data, size_t len, bool durable)
{
	char id[SSE_ID_MAX];

	if (hub->closed)
		return;
	sse_format_id(hub, hub->ring.next, id);
	publish(hub,
	    sse_buffer_new(name, topic, durable ? id : NULL, data, len),
	    durable);
}

void sse_publish_behind(struct sse_hub *hub, const char *name,
    const char *topic, const char *data, size_t len)
{
	struct sse_buffer *buffer;
	char id[SSE_ID_MAX];

	if (hub->closed)
		return;
	sse_format_id(hub, hub->ring.next, id);
	buffer = sse_buffer_new(name, topic, id, data, len);
	buffer->behind = true;
	publish(hub, buffer, true);
}

static void on_heartbeat(uv_timer_t *timer)
{
	struct sse_hub *hub = timer->data;
	char data[SSE_HEARTBEAT_MAX], id[SSE_ID_MAX];

	data[0] = '\0';
	sse_format_id(hub, hub->ring.next - 1, id);
	if (hub->options.heartbeat)
		hub->options.heartbeat(data, sizeof(data), hub->options.data);
	else
		snprintf(data, sizeof(data),
		    "{\"time_ms\":%" PRId64 ",\"last_id\":\"%s\"}",
		    now_unix_ms(), id);
	sse_publish(hub, "heartbeat", "", data, strlen(data), false);
}

/* ---- the beginning and the end ---- */

static bool is_epoch(const char *epoch)
{
	size_t len = strspn(epoch, "0123456789abcdefghijklmnopqrstuvwxyz");

	return len > 0 && len < SSE_EPOCH_MAX && epoch[len] == '\0';
}

struct sse_hub *sse_hub_new(const struct sse_hub_options *options)
{
	struct sse_hub *hub = calloc(1, sizeof(*hub));
	uint64_t period_ms = options->heartbeat_ms ? options->heartbeat_ms
						   : SSE_HEARTBEAT_MS;

	if (!hub)
		log_die("sse", "out of memory");
	assert(is_epoch(options->epoch));
	memcpy(hub->epoch, options->epoch, strlen(options->epoch) + 1);
	hub->options = *options;
	hub->options.epoch = hub->epoch;
	TAILQ_INIT(&hub->subscribers);
	TAILQ_INIT(&hub->thinned);
	sse_ring_init(&hub->ring);
	uv_timer_init(options->loop, &hub->heartbeat);
	uv_timer_init(options->loop, &hub->thin_timer);
	uv_idle_init(options->loop, &hub->idle);
	hub->heartbeat.data = hub->thin_timer.data = hub->idle.data = hub;
	hub->open_handles = 3;
	uv_timer_start(&hub->heartbeat, on_heartbeat, period_ms, period_ms);
	return hub;
}

static void free_now(struct sse_hub *hub)
{
	sse_ring_fini(&hub->ring);
	sse_queue_fini(&hub->outbox);
	free(hub);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct sse_hub *hub = handle->data;

	if (--hub->open_handles == 0 && hub->freed)
		free_now(hub);
}

/* {"reason":"..."}; the reason is ours but goes through JSON all the same. */
static struct sse_buffer *goodbye(const char *reason)
{
	json_t *object = json_pack("{s:s}", "reason", reason);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	struct sse_buffer *buffer;

	if (!text)
		log_die("sse", "out of memory");
	buffer = sse_buffer_new("goodbye", "", NULL, text, strlen(text));
	free(text);
	json_decref(object);
	return buffer;
}

void sse_hub_close(struct sse_hub *hub, const char *reason)
{
	struct sse_buffer *last;

	if (hub->closed)
		return;
	hub->closed = true;
	last = goodbye(reason);
	/* Who takes something goes to the end of the list. */
	for (unsigned i = hub->stats.subscribers; i > 0; i--) {
		struct sse_subscriber *sub = TAILQ_FIRST(&hub->subscribers);

		TAILQ_REMOVE(&hub->subscribers, sub, entry);
		TAILQ_INSERT_TAIL(&hub->subscribers, sub, entry);
		sse_subscriber_end(sub, last);
	}
	sse_buffer_unref(last);
	sse_fanout_trim(hub);
	uv_close((uv_handle_t *)&hub->heartbeat, on_handle_closed);
	uv_close((uv_handle_t *)&hub->thin_timer, on_handle_closed);
	uv_close((uv_handle_t *)&hub->idle, on_handle_closed);
}

void sse_hub_free(struct sse_hub *hub)
{
	if (!hub)
		return;
	sse_hub_close(hub, "closed");
	assert(TAILQ_EMPTY(&hub->subscribers));
	hub->freed = true;
	if (hub->open_handles == 0)
		free_now(hub);
}

void sse_hub_stats(const struct sse_hub *hub, struct sse_stats *out)
{
	*out = hub->stats;
}
