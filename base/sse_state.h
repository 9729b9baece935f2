/*
 * sse_state: what the files of the hub share. Not for others.
 *
 *   sse_hub.c        publishing, heartbeats, the end
 *   sse_subscriber.c one stream: its topics, its queue, where it resumes
 *   sse_event.c      events as bytes, shared by all that wait for them; the
 *                    ring of the last durable ones
 */
#ifndef HALLMARK_BASE_SSE_STATE_H
#define HALLMARK_BASE_SSE_STATE_H

#include "base/sse.h"

#include <sys/queue.h>

#define SSE_RETRY_MS      2000 /* after which a browser connects again */
#define SSE_EPOCH_MAX     33   /* bytes of an epoch and a NUL */
#define SSE_HEARTBEAT_MAX 1024 /* bytes of a heartbeat's data */

/* ---- sse_event.c ---- */

/* An event as it goes out, formatted once. */
struct sse_buffer {
	unsigned refs;
	char topic[SSE_TOPIC_MAX];
	size_t len;
	char text[];
};

/* id may be NULL. Returns it with one reference. */
struct sse_buffer *sse_buffer_new(const char *name, const char *topic,
    const char *id, const char *data, size_t len);
struct sse_buffer *sse_buffer_text(const char *text);
struct sse_buffer *sse_buffer_ref(struct sse_buffer *buffer);
void sse_buffer_unref(struct sse_buffer *buffer);

/* Durable events, numbered from 1; number n is in slot n % SSE_RING_EVENTS. */
struct sse_ring {
	struct sse_buffer *slots[SSE_RING_EVENTS];
	uint64_t first, next; /* the oldest kept; the next to come */
	size_t bytes;
};

void sse_ring_init(struct sse_ring *ring);
void sse_ring_add(struct sse_ring *ring, struct sse_buffer *buffer);
void sse_ring_fini(struct sse_ring *ring);

/* ---- the hub ---- */

struct sse_subscriber {
	TAILQ_ENTRY(sse_subscriber) entry;
	struct sse_hub *hub;
	struct http_request *req;
	char *topics; /* each with its NUL; NULL for all */
	size_t topic_count;
	struct sse_buffer **queue; /* a circle of `cap`, a power of two */
	size_t cap, head, count;
	size_t offset;       /* bytes of the first that have gone out */
	size_t queued_bytes; /* of all in the queue */
	/* Ceiling of queued_bytes. Higher while it still has to take what it
	 * got at the start, which is not its fault. */
	size_t queue_max;
	bool ending; /* ends when its queue is empty */
};

TAILQ_HEAD(sse_subscribers, sse_subscriber);

struct sse_hub {
	struct sse_hub_options options;
	char epoch[SSE_EPOCH_MAX];
	struct sse_ring ring;
	struct sse_subscribers subscribers;
	struct sse_stats stats;
	struct sse_buffer *retry;
	uv_timer_t heartbeat;
	bool closed;       /* sse_hub_close() was called */
	bool timer_closed; /* libuv has let go of the timer */
	bool freed;        /* sse_hub_free() was called */
};

/* The id of durable event `number`. */
void sse_format_id(
    const struct sse_hub *hub, uint64_t number, char out[static SSE_ID_MAX]);

/* ---- sse_subscriber.c ---- */

/* If its topics match. Cuts it off when its queue is full. */
void sse_subscriber_send(
    struct sse_subscriber *subscriber, struct sse_buffer *buffer);
/* The end comes after what is queued. */
void sse_subscriber_end(struct sse_subscriber *subscriber);

#endif
