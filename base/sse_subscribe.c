/* sse_subscribe: how a stream begins: what was asked for, and where it goes on.
 * See sse.h. */
#include "base/sse_state.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is wanted ---- */

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

/* From 1 to SSE_INTERVAL_MAX_MS; false if it is no such number. */
static bool take_interval(struct sse_subscriber *sub, const char *text)
{
	size_t len = text ? strspn(text, "0123456789") : 0;
	unsigned long ms;

	if (!text)
		return true;
	if (len == 0 || len > 5 || text[len] != '\0' || text[0] == '0')
		return false;
	ms = strtoul(text, NULL, 10);
	if (ms > SSE_INTERVAL_MAX_MS)
		return false;
	sub->thin = sse_thin_new((unsigned)ms);
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
		sse_subscriber_push_resync(sub, reason);
		return;
	}
	hub->stats.resumed++;
	for (uint64_t n = point->number + 1; n < hub->ring.next; n++)
		sse_subscriber_offer(sub, hub->ring.slots[n % SSE_RING_EVENTS]);
}

/* ---- subscribing ---- */

void sse_welcome(
    void *subscriber, const char *name, const char *data, size_t len)
{
	struct sse_buffer *buffer = sse_buffer_new(name, "", NULL, data, len);

	sse_subscriber_push(subscriber, buffer);
	sse_buffer_unref(buffer);
}

static void push_retry(struct sse_subscriber *sub)
{
	unsigned retry_ms = sub->hub->options.retry_ms;
	struct sse_buffer *buffer;
	uint32_t random = 0;
	char text[32];

	if (!retry_ms) {
		/* Without randomness all have the same; that is no harm. */
		(void)uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
		retry_ms = SSE_RETRY_MIN_MS +
			   random % (SSE_RETRY_MAX_MS - SSE_RETRY_MIN_MS + 1);
	}
	snprintf(text, sizeof(text), "retry: %u\n\n", retry_ms);
	buffer = sse_buffer_text(text);
	sse_subscriber_push(sub, buffer);
	sse_buffer_unref(buffer);
}

/* What it gets before anything new. */
static void fill(struct sse_subscriber *sub, const struct resume_point *point)
{
	struct sse_hub *hub = sub->hub;

	push_retry(sub);
	if (hub->options.welcome)
		hub->options.welcome(hub, sub, hub->options.data);
	if (point)
		resume(sub, point);
	if (sub->thin)
		sse_thin_settle(sub);
	sub->queue_max = sub->queue.bytes + SSE_QUEUE_BYTES;
}

/* Takes a `sub` that knows what it wants. */
static void begin(struct sse_subscriber *sub, struct http_request *req,
    const struct resume_point *point)
{
	struct sse_hub *hub = sub->hub;

	fill(sub, point);
	sub->stream = http_stream_start(req, &sse_subscriber_ops, sub);
	if (!sub->stream) {
		sse_subscriber_free(sub);
		return;
	}
	sub->cursor = sse_fanout_next(hub);
	TAILQ_INSERT_TAIL(&hub->subscribers, sub, entry);
	hub->stats.subscribers++;
	http_stream_wake(sub->stream);
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

static void refuse(
    struct http_request *req, const char *detail, const char *extra)
{
	http_problem(req, 400, "PARAM_INVALID", detail, extra);
}

void sse_subscribe_with(
    struct sse_hub *hub, struct http_request *req, const struct sse_wish *wish)
{
	const char *last = http_header(req, "Last-Event-ID");
	const char *id = last && last[0] ? last : wish->since;
	struct sse_subscriber *sub;
	struct resume_point point;

	if (answer_at_once(hub, req))
		return;
	if (id && !parse_id(&point, id)) {
		refuse(req, "Last-Event-ID and since take an id of this stream",
		    id == wish->since ? "\"parameter\":\"since\"" : NULL);
		return;
	}
	sub = sse_subscriber_new(hub);
	if (!take_topics(sub, wish->topics))
		refuse(req,
		    "the list of topics has an empty or overlong entry, or "
		    "too many",
		    NULL);
	else if (!take_interval(sub, wish->min_interval_ms))
		refuse(req,
		    "min_interval_ms takes a number of ms from 1 to 60000",
		    "\"parameter\":\"min_interval_ms\"");
	else {
		begin(sub, req, id ? &point : NULL);
		return;
	}
	sse_subscriber_free(sub);
}

void sse_subscribe(struct sse_hub *hub, struct http_request *req,
    const char *topics, const char *since)
{
	sse_subscribe_with(
	    hub, req, &(struct sse_wish){.topics = topics, .since = since});
}
