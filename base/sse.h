/*
 * sse: Server-Sent Events (WHATWG HTML, 9.2) from a hub to many subscribers,
 * and the parser of the other side.
 *
 * A hub keeps a ring of its last events. Each event has a name, a topic
 * ("" goes to everybody), data without line breaks, and, if durable, an id
 * "<epoch>-<number>"; the epoch is a word chosen at start (a boot), so that an
 * id of another run is never mistaken for one of this run. A subscriber that
 * comes with Last-Event-ID or ?since= gets what it missed, or `resync` if the
 * ring no longer holds it. Heartbeats are real events, every 10 s, because
 * EventSource cannot see comments. A subscriber whose queue is full gets
 * `resync` and is closed, one that reads nothing for 30 s is closed; neither
 * costs others anything.
 *
 * Publishing sends nothing: some are served in each turn of the loop, so that
 * thousands of subscribers do not keep others waiting (sse_fanout.c).
 */
#ifndef HALLMARK_BASE_SSE_H
#define HALLMARK_BASE_SSE_H

#include "base/http_server.h"

#define SSE_RING_EVENTS 4096        /* kept for resumption */
#define SSE_RING_BYTES  (16u << 20) /* at most, oldest go first */
/* Waiting for one slow reader; events are shared, so that a thousand of them
 * cost what one does. A tick of 256 feeds is 2 to 4 MiB at once. */
#define SSE_QUEUE_BYTES     (8u << 20)
#define SSE_SUBSCRIBERS_MAX HTTP_STREAMS_MAX /* one more gets 503 */
#define SSE_TOPICS_MAX      64               /* topics of one subscriber */
#define SSE_TOPIC_MAX       64               /* bytes of a topic and a NUL */
#define SSE_ID_MAX          64               /* bytes of an id and a NUL */
#define SSE_HEARTBEAT_MS    10000
#define SSE_INTERVAL_MAX_MS 60000 /* of min_interval_ms */

struct sse_hub;

struct sse_hub_options {
	uv_loop_t *loop;
	const char *epoch; /* [0-9a-z]+, at most 32 bytes; copied */
	/* First events for a new subscriber (the current attestation):
	 * called while it is being set up, answers with sse_welcome(). */
	void (*welcome)(struct sse_hub *hub, void *subscriber, void *data);
	/* Text of a heartbeat's data into out (JSON object, one line); NULL:
	 * {"time_ms":1746111000000,"last_id":"epoch-7"}. */
	void (*heartbeat)(char *out, size_t cap, void *data);
	void *data;
	uint64_t heartbeat_ms; /* 0: SSE_HEARTBEAT_MS */
	unsigned retry_ms;     /* 0: for each another one, from 1 to 5 s */
};

/* A new subscriber gets retry, then its welcome, then what it missed. */
struct sse_hub *sse_hub_new(const struct sse_hub_options *options);

/* Sends to all whose topics match, and keeps durable events in the ring.
 * `data` is one line (JSON; a line break in it becomes a blank); it is copied
 * once and shared. Nothing happens on a closed hub. */
void sse_publish(struct sse_hub *hub, const char *name, const char *topic,
    const char *data, size_t len, bool durable);

/* The same, durable, of something older than what its topic has shown: readers
 * that want the newest only (min_interval_ms) are spared it. */
void sse_publish_behind(struct sse_hub *hub, const char *name,
    const char *topic, const char *data, size_t len);

/* From options.welcome only: an event for this subscriber alone. */
void sse_welcome(
    void *subscriber, const char *name, const char *data, size_t len);

/*
 * Answers `req` (a GET) with a stream. `topics` is a comma list of topics or
 * NULL for all; the caller has checked that they exist. Takes the resume point
 * from Last-Event-ID or `since` (NULL if absent). Answers 400 for a malformed
 * resume point or topic list and 503 above SSE_SUBSCRIBERS_MAX. The header
 * goes before `since`: a browser sends both when it connects again.
 *
 * `resync` carries {"reason":"other_epoch"|"too_old"|"unknown_id"|"slow"}:
 * something was missed and must be fetched anew. After "slow" the stream ends.
 */
void sse_subscribe(struct sse_hub *hub, struct http_request *req,
    const char *topics, const char *since);

struct sse_wish {                   /* all may be NULL */
	const char *topics, *since; /* as above */
	/*
	 * At most one event of each topic in so many ms ("1000"; 1 to
	 * SSE_INTERVAL_MAX_MS, else 400): the newest; those that it replaces
	 * are not sent. Ids keep growing, with gaps: a sequence that is
	 * missing was not lost. What is resumed is thinned as well.
	 */
	const char *min_interval_ms;
};
void sse_subscribe_with(
    struct sse_hub *hub, struct http_request *req, const struct sse_wish *wish);

/* Sends `goodbye` with this reason to all and ends their streams. */
void sse_hub_close(struct sse_hub *hub, const char *reason);
/* After http_server_stop() is done. */
void sse_hub_free(struct sse_hub *hub);

struct sse_stats {
	unsigned subscribers;
	uint64_t events, deliveries, slow_closed, resumed, resynced;
	uint64_t thinned; /* left out: a newer one came in time */
};
void sse_hub_stats(const struct sse_hub *hub, struct sse_stats *out);

/* ---- the reading side: bytes in, events out; no socket, no clock ---- */

#define SSE_PARSER_DATA_MAX (1u << 20) /* bytes of one event's data */
#define SSE_PARSER_NAME_MAX 64         /* bytes of a name and a NUL */

struct sse_event {
	const char *name; /* "message" if the stream named none */
	const char *id;   /* the last id seen so far, "" at first */
	const char *data; /* NUL-terminated, as sent: maybe not UTF-8 */
	size_t len;
};

/* Borrowed for the call; it must not feed or free the parser. */
typedef void (*sse_event_cb)(const struct sse_event *event, void *data);

struct sse_parser;
struct sse_parser *sse_parser_new(sse_event_cb cb, void *data);
/* Returns 0, or UV_EMSGSIZE when a line, an event, its name or its id
 * (SSE_ID_MAX) is over its ceiling: drop the connection then, every further
 * call fails too. An event that is not complete at the end is dropped. */
__attribute__((warn_unused_result)) int sse_parser_feed(
    struct sse_parser *parser, const char *bytes, size_t len);
/* The last retry: value in ms, 0 if none came. */
unsigned sse_parser_retry_ms(const struct sse_parser *parser);
void sse_parser_free(struct sse_parser *parser);

#endif
