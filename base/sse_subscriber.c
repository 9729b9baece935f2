/*
 * sse_subscriber: one stream.
 *
 * Its queue holds references to events, first the retry time, its welcome and
 * what it missed, then what is published. The server takes bytes from the
 * front when the client can take some.
 *
 * A client that reads too slowly makes the queue grow. When it is over its
 * ceiling, all but the event that is already half sent is dropped, `resync`
 * is sent, and the stream ends: the client connects again and resumes from
 * the ring, or fetches anew. That costs the others nothing.
 */
#include "base/sse_state.h"

#include "base/http_stream.h"
#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_FIRST 16 /* references at first; doubled when full */

/* ---- the queue ---- */

static void grow(struct sse_subscriber *sub)
{
	size_t cap = sub->cap ? 2 * sub->cap : QUEUE_FIRST;
	struct sse_buffer **queue = calloc(cap, sizeof(struct sse_buffer *));

	if (!queue)
		log_die("sse", "out of memory");
	for (size_t i = 0; i < sub->count; i++)
		queue[i] = sub->queue[(sub->head + i) & (sub->cap - 1)];
	free(sub->queue);
	sub->queue = queue;
	sub->cap = cap;
	sub->head = 0;
}

static void push(struct sse_subscriber *sub, struct sse_buffer *buffer)
{
	if (sub->count == sub->cap)
		grow(sub);
	sub->queue[(sub->head + sub->count++) & (sub->cap - 1)] =
	    sse_buffer_ref(buffer);
	sub->queued_bytes += buffer->len;
}

static void pop(struct sse_subscriber *sub)
{
	struct sse_buffer *buffer = sub->queue[sub->head];

	sub->head = (sub->head + 1) & (sub->cap - 1);
	sub->count--;
	sub->queued_bytes -= buffer->len;
	sub->offset = 0;
	sse_buffer_unref(buffer);
}

/* Drops all that has not begun to go out. */
static void drop_queue(struct sse_subscriber *sub)
{
	size_t keep = sub->offset > 0;

	while (sub->count > keep) {
		size_t last = (sub->head + --sub->count) & (sub->cap - 1);

		sub->queued_bytes -= sub->queue[last]->len;
		sse_buffer_unref(sub->queue[last]);
	}
}

static void push_resync(struct sse_subscriber *sub, const char *reason)
{
	struct sse_buffer *buffer;
	char data[64];
	int len = snprintf(data, sizeof(data), "{\"reason\":\"%s\"}", reason);

	buffer = sse_buffer_new("resync", "", NULL, data, (size_t)len);
	push(sub, buffer);
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

void sse_subscriber_send(struct sse_subscriber *sub, struct sse_buffer *buffer)
{
	if (sub->ending || !wants(sub, buffer->topic))
		return;
	if (sub->queued_bytes + buffer->len > sub->queue_max) {
		drop_queue(sub);
		push_resync(sub, "slow");
		sub->ending = true;
		sub->hub->stats.slow_closed++;
		log_info("sse", "slow_closed");
	} else {
		push(sub, buffer);
	}
	http_stream_wake(sub->req);
}

void sse_subscriber_end(struct sse_subscriber *sub)
{
	sub->ending = true;
	http_stream_wake(sub->req);
}

/* ---- what the server calls ---- */

static ssize_t on_read(void *data, char *buf, size_t cap)
{
	struct sse_subscriber *sub = data;
	size_t total = 0;

	while (sub->count > 0 && total < cap) {
		const struct sse_buffer *front = sub->queue[sub->head];
		size_t n = front->len - sub->offset;

		if (n > cap - total)
			n = cap - total;
		memcpy(buf + total, front->text + sub->offset, n);
		total += n;
		sub->offset += n;
		if (sub->offset < front->len)
			break;
		pop(sub);
		sub->hub->stats.deliveries++;
	}
	if (sub->count == 0)
		sub->queue_max = SSE_QUEUE_BYTES;
	if (total > 0)
		return (ssize_t)total;
	return sub->ending ? HTTP_STREAM_END : 0;
}

static void on_closed(void *data)
{
	struct sse_subscriber *sub = data;

	TAILQ_REMOVE(&sub->hub->subscribers, sub, entry);
	sub->hub->stats.subscribers--;
	while (sub->count > 0)
		pop(sub);
	free(sub->queue);
	free(sub->topics);
	free(sub);
}

static const struct http_stream_ops ops = {on_read, on_closed};

/* ---- topics ---- */

/* Cuts a comma list into `sub`; false if it is not one. */
static bool take_topics(struct sse_subscriber *sub, const char *list)
{
	char *rest, *topic;

	if (!list)
		return true;
	rest = sub->topics = strdup(list);
	if (!rest)
		log_die("sse", "out of memory");
	while ((topic = strsep(&rest, ","))) {
		size_t len = strlen(topic);

		if (len == 0 || len >= SSE_TOPIC_MAX ||
		    sub->topic_count == SSE_TOPICS_MAX)
			return false;
		sub->topic_count++;
	}
	return true;
}

/* ---- resuming ---- */

struct resume_point {
	char epoch[SSE_EPOCH_MAX];
	uint64_t number;
};

/* "<epoch>-<number>" and no other spelling of it. */
static bool parse_id(struct resume_point *out, const char *id)
{
	size_t len = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz");
	const char *digits = id + len + 1;
	size_t count;

	if (len == 0 || len >= sizeof(out->epoch) || id[len] != '-')
		return false;
	count = strspn(digits, "0123456789");
	/* 19 digits always fit into 64 bits. */
	if (count == 0 || count > 19 || digits[count] != '\0' ||
	    (digits[0] == '0' && count > 1))
		return false;
	memcpy(out->epoch, id, len);
	out->epoch[len] = '\0';
	out->number = strtoull(digits, NULL, 10);
	return true;
}

/* Why it cannot be resumed from there, or NULL. */
static const char *resync_reason(
    const struct sse_hub *hub, const struct resume_point *point)
{
	if (strcmp(point->epoch, hub->epoch) != 0)
		return "other_epoch";
	if (point->number >= hub->ring.next)
		return "unknown_id";
	if (point->number + 1 < hub->ring.first)
		return "too_old";
	return NULL;
}

static void resume(struct sse_subscriber *sub, const struct resume_point *point)
{
	struct sse_hub *hub = sub->hub;
	const char *reason = resync_reason(hub, point);

	if (reason) {
		hub->stats.resynced++;
		push_resync(sub, reason);
		return;
	}
	hub->stats.resumed++;
	for (uint64_t n = point->number + 1; n < hub->ring.next; n++) {
		struct sse_buffer *buffer =
		    hub->ring.slots[n % SSE_RING_EVENTS];

		if (wants(sub, buffer->topic))
			push(sub, buffer);
	}
}

/* ---- subscribing ---- */

void sse_welcome(
    void *subscriber, const char *name, const char *data, size_t len)
{
	struct sse_buffer *buffer = sse_buffer_new(name, "", NULL, data, len);

	push(subscriber, buffer);
	sse_buffer_unref(buffer);
}

/* Takes a `sub` that has its topics. */
static void begin(struct sse_hub *hub, struct sse_subscriber *sub,
    const struct resume_point *point)
{
	push(sub, hub->retry);
	if (hub->options.welcome)
		hub->options.welcome(hub, sub, hub->options.data);
	if (point)
		resume(sub, point);
	sub->queue_max = sub->queued_bytes + SSE_QUEUE_BYTES;
	TAILQ_INSERT_TAIL(&hub->subscribers, sub, entry);
	hub->stats.subscribers++;
	http_stream_start(sub->req, "text/event-stream", &ops, sub);
}

/* Answers what needs no stream: refusals, and a HEAD. */
static bool answer_at_once(struct sse_hub *hub, struct http_request *req)
{
	if (strcmp(http_method(req), "HEAD") == 0) {
		http_reply(req, &(struct http_reply){
				    .status = 200,
				    .content_type = "text/event-stream",
				});
		return true;
	}
	if (hub->closed) {
		http_problem(req, 503, "SERVER_STOPPING",
		    "the server is being stopped", NULL);
		return true;
	}
	if (hub->stats.subscribers >= SSE_SUBSCRIBERS_MAX) {
		http_problem(req, 503, "STREAMS_FULL",
		    "there are as many streams as this server holds", NULL);
		return true;
	}
	return false;
}

void sse_subscribe(struct sse_hub *hub, struct http_request *req,
    const char *topics, const char *since)
{
	const char *last = http_header(req, "Last-Event-ID");
	const char *id = last && last[0] ? last : since;
	struct resume_point point;
	struct sse_subscriber *sub;

	if (answer_at_once(hub, req))
		return;
	if (id && !parse_id(&point, id)) {
		http_problem(req, 400, "PARAM_INVALID",
		    "Last-Event-ID and since take an id of this stream",
		    id == since ? "\"parameter\":\"since\"" : NULL);
		return;
	}
	sub = calloc(1, sizeof(*sub));
	if (!sub)
		log_die("sse", "out of memory");
	sub->hub = hub;
	sub->req = req;
	if (!take_topics(sub, topics)) {
		free(sub->topics);
		free(sub);
		http_problem(req, 400, "PARAM_INVALID",
		    "the list of topics has an empty or overlong entry, or "
		    "too many",
		    NULL);
		return;
	}
	begin(hub, sub, id ? &point : NULL);
}
