/*
 * sse_state: what the files of the hub share. Not for others.
 *
 *   sse_hub.c        publishing, heartbeats, the end
 *   sse_fanout.c     from one event to all, a few in each loop turn
 *   sse_subscriber.c one stream: its topics, its queue, its end
 *   sse_subscribe.c  its beginning: what was asked for, where it resumes
 *   sse_thin.c       one that does not want all events
 *   sse_queue.c      events that wait
 *   sse_event.c      events as bytes, shared by all that wait for them; the
 *                    ring of the last durable ones
 */
#ifndef HALLMARK_BASE_SSE_STATE_H
#define HALLMARK_BASE_SSE_STATE_H

#include "base/http_stream.h"
#include "base/sse.h"

#include <sys/queue.h>

/* After which a browser connects again: for each another time, so that all do
 * not come back at once when a server was started anew. */
#define SSE_RETRY_MIN_MS    1000
#define SSE_RETRY_MAX_MS    5000
#define SSE_EPOCH_MAX       33   /* bytes of an epoch and a NUL */
#define SSE_HEARTBEAT_MAX   1024 /* bytes of a heartbeat's data */
#define SSE_FANOUT_SENDS    64   /* readers served in one loop turn */
#define SSE_FANOUT_LOOKS    4096 /* readers looked at: most want other topics */
#define SSE_THIN_TOPICS_MAX 256  /* kept for one reader; BOARD_NAMES_MAX */
#define SSE_THIN_TICK_MS    10   /* between looks at those that are due */
#define SSE_SLOW_LOG_MS     1000 /* between lines about slow readers */

/* ---- sse_event.c ---- */

/* An event as it goes out, formatted once. */
struct sse_buffer {
	unsigned refs;
	char topic[SSE_TOPIC_MAX];
	size_t len;
	bool behind; /* not for thinned readers */
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

/* ---- sse_queue.c ---- */

/* References in order. All zero is an empty one. */
struct sse_queue {
	struct sse_buffer **slots; /* a circle of `cap`, a power of two */
	size_t cap, head, count;
	size_t offset; /* bytes of the first that have gone out */
	size_t bytes;  /* of all in it */
};

struct sse_buffer *sse_queue_at(const struct sse_queue *queue, size_t i);
void sse_queue_push(struct sse_queue *queue, struct sse_buffer *buffer);
void sse_queue_pop(struct sse_queue *queue);
/* All that has not begun to go out. */
void sse_queue_drop(struct sse_queue *queue);
void sse_queue_fini(struct sse_queue *queue);
/* See http_stream_ops. taken() returns how many events are out whole. */
int sse_queue_gather(const struct sse_queue *queue, struct iovec *out, int max);
unsigned sse_queue_taken(struct sse_queue *queue, size_t len);

/* ---- the hub ---- */

struct sse_thin {
	unsigned interval_ms;
	uint64_t due_ms; /* not before that */
	bool waits;      /* in hub->thinned */
	size_t count;
	struct sse_buffer *kept[SSE_THIN_TOPICS_MAX]; /* of each topic one */
};

struct sse_subscriber {
	TAILQ_ENTRY(sse_subscriber) entry; /* who waits longest is first */
	uint64_t cursor; /* the next of the outbox that it has not had */
	struct sse_hub *hub;
	struct http_stream *stream;
	char *topics; /* each with its NUL; NULL for all */
	size_t topic_count;
	bool ending; /* ends when its queue is empty */
	/* Ceiling of queue.bytes. Higher while it still has to take what it
	 * got at the start, which is not its fault. */
	size_t queue_max;
	struct sse_queue queue;
	struct sse_thin *thin; /* NULL: it wants all */
	TAILQ_ENTRY(sse_subscriber) thin_entry;
};

TAILQ_HEAD(sse_subscribers, sse_subscriber);

struct sse_hub {
	struct sse_hub_options options;
	char epoch[SSE_EPOCH_MAX];
	struct sse_ring ring;
	struct sse_subscribers subscribers;
	/* Events that not all have had; the number of the first. */
	struct sse_queue outbox;
	uint64_t outbox_first;
	struct sse_subscribers thinned; /* those that keep some back */
	struct sse_stats stats;
	int64_t slow_logged_ms; /* when one was logged last; 0: never */
	uv_timer_t heartbeat, thin_timer;
	uint64_t thin_at_ms; /* when thin_timer fires */
	uv_idle_t idle;      /* while somebody waits for the outbox */
	unsigned open_handles;
	bool closed; /* sse_hub_close() was called */
	bool freed;  /* sse_hub_free() was called */
};

/* The id of durable event `number`. */
void sse_format_id(
    const struct sse_hub *hub, uint64_t number, char out[static SSE_ID_MAX]);

/* ---- sse_fanout.c ---- */

void sse_fanout_add(struct sse_hub *hub, struct sse_buffer *buffer);
/* The number that the next event will have. */
uint64_t sse_fanout_next(const struct sse_hub *hub);
/* Lets go of what all have had. */
void sse_fanout_trim(struct sse_hub *hub);

/* ---- sse_subscriber.c ---- */

struct sse_subscriber *sse_subscriber_new(struct sse_hub *hub);
/* Of one that never got a stream. */
void sse_subscriber_free(struct sse_subscriber *subscriber);
extern const struct http_stream_ops sse_subscriber_ops;

/* What of the outbox it has not had goes to its queue, if its topics match. */
void sse_subscriber_take(struct sse_subscriber *subscriber);
/* One event of a topic that it wants; to the queue, or kept by sse_thin. */
void sse_subscriber_offer(
    struct sse_subscriber *subscriber, struct sse_buffer *buffer);
/* To its queue. Cuts it off when that is full. */
void sse_subscriber_push(
    struct sse_subscriber *subscriber, struct sse_buffer *buffer);
void sse_subscriber_push_resync(
    struct sse_subscriber *subscriber, const char *reason);
/* All that it has not had, then this, then the end. */
void sse_subscriber_end(
    struct sse_subscriber *subscriber, struct sse_buffer *last);

/* ---- sse_thin.c; of subscribers that have it ---- */

struct sse_thin *sse_thin_new(unsigned interval_ms);
void sse_thin_fini(struct sse_subscriber *subscriber);
void sse_thin_keep(
    struct sse_subscriber *subscriber, struct sse_buffer *buffer);
/* After one or more were kept: to the queue if it is time, else it waits. */
void sse_thin_settle(struct sse_subscriber *subscriber);
/* To the queue, whatever the time. */
void sse_thin_release(struct sse_subscriber *subscriber);

#endif
