/*
 * http_first: requests that are looked at before libmicrohttpd has them.
 *
 * Who serves a connection is decided before its route's handler is called for
 * good. Where the route's answers are streams or can be kept, the handler is
 * called from here: if it starts a stream, the socket is ours from then on; if
 * it gives an answer that can be kept, that is sent and kept for all who ask in
 * the same words. Anything else that it answers (a refusal) is thrown away, the
 * connection goes to libmicrohttpd with its request unread, and the handler is
 * called again: so there is one way to answer all that is not usual.
 */
#include "base/http_state.h"

#include "base/log.h"
#include "base/now.h"
#include "base/rate_limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char http_get_stream[] = "GET";
const char http_get_kept[] = "GET";

/* ---- calling the handler ---- */

/* Of this request's route, if it is one of these and nothing is to be refused
 * before its handler is asked. */
static const struct http_route *find_route(
    struct http_request *req, const char *method)
{
	const struct http_route *route;
	char allow[HTTP_ALLOW_MAX];
	bool twice;

	route = http_route_find(req, allow);
	if (!route || route->method != method ||
	    strlen(req->part) > HTTP_PATH_PARAM_MAX ||
	    http_target_bad_param(&req->target, route->params, &twice))
		return NULL;
	return route;
}

/* What was taken for a request that is not served here is not taken again. */
static bool pay(struct http_server *server, const struct http_arrival *arrival)
{
	unsigned retry_s;

	if (server->paid || !server->limit)
		return true;
	server->paid = rate_limit_take(
	    server->limit, &arrival->from.sa, now_monotonic_ms(), &retry_s);
	return server->paid;
}

static void ask(
    struct http_server *server, struct http_peeked *peeked, const char *method)
{
	const struct http_route *route;
	struct http_request req;

	memset(&req, 0, sizeof(req));
	req.server = server;
	req.loop = server->loop;
	req.state = HTTP_HANDLING;
	req.peeked = peeked;
	req.part = "";
	memcpy(req.method, "GET", sizeof("GET"));
	if (http_target_parse(&req.target, peeked->head.target) !=
	    HTTP_TARGET_OK)
		return;
	route = find_route(&req, method);
	if (route && pay(server, peeked->arrival))
		route->handler(&req, server->data);
	http_target_fini(&req.target);
}

/* ---- streams ---- */

bool http_first_stream(struct http_server *server,
    const struct http_arrival *arrival, const char *bytes, size_t len)
{
	struct http_peeked peeked = {
	    .arrival = arrival, .bytes = bytes, .len = len};

	if (server->closing || http_stream_is_full(server) ||
	    !plain_get_parse(&peeked.head, bytes, len))
		return false;
	ask(server, &peeked, http_get_stream);
	if (peeked.taken)
		server->paid = false;
	return peeked.taken;
}

/* ---- what is kept ---- */

/* Bytes of the first request's head, or 0: it is not whole, or too long. */
static size_t head_len(const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	size_t head = end ? (size_t)(end - bytes) + 4 : 0;

	return head <= KEPT_ASKED_MAX ? head : 0;
}

static struct kept_answer *make(struct http_server *server,
    const struct http_arrival *arrival, const char *bytes, size_t len)
{
	struct http_peeked peeked = {
	    .arrival = arrival, .bytes = bytes, .len = len, .keeps = true};

	/* A name that the client gave its request would be kept with it. */
	if (!plain_get_parse(&peeked.head, bytes, len) || !peeked.head.stays ||
	    plain_get_field(&peeked.head, "X-Request-Id"))
		return NULL;
	ask(server, &peeked, http_get_kept);
	return peeked.answer;
}

/* What is kept for the first request of these, or is made for it. */
static struct kept_answer *look_up(struct http_server *server,
    const struct http_arrival *arrival, const char *bytes, size_t len,
    int64_t now_ms)
{
	size_t head = head_len(bytes, len);
	struct kept_answer *place;

	if (head == 0)
		return NULL;
	place = kept_answers_place(&server->kept, bytes, head);
	if (kept_answer_serves(place, bytes, len, now_ms))
		return place;
	return make(server, arrival, bytes, head);
}

struct kept_answer *http_first_find(const struct http_arrival *arrival,
    struct kept_answer *last, const char *bytes, size_t len, void *data)
{
	struct http_server *server = data;
	struct kept_answer *answer = last;
	int64_t now_ms = now_unix_ms();

	if (server->closing)
		return NULL;
	/* The usual request is the one before, word for word. */
	if (!last || !kept_answer_serves(last, bytes, len, now_ms))
		answer = look_up(server, arrival, bytes, len, now_ms);
	if (!answer || !pay(server, arrival))
		return NULL;
	server->paid = false;
	kept_answer_stamp(&server->kept, answer, now_ms);
	return answer;
}

/* As libmicrohttpd would send it. */
static char *format_head(unsigned status, const struct http_field *fields,
    size_t count, const struct http_reply *reply, size_t *len)
{
	char *head = NULL;
	FILE *out = open_memstream(&head, len);

	if (!out)
		log_die("http", "out of memory");
	fprintf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\n", status,
	    MHD_get_reason_phrase_for(status), KEPT_DATE_BLANK);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s: %s\r\n", fields[i].name, fields[i].value);
	/* RFC 9110 8.6: in a 304 it would be the length of the 200. */
	if (status != 304)
		fprintf(out, "Content-Length: %zu\r\n", reply->len);
	fprintf(out, "\r\n");
	if (fclose(out) != 0)
		log_die("http", "out of memory");
	return head;
}

void http_first_keep(struct http_request *req, unsigned status,
    const struct http_field *fields, size_t count,
    const struct http_reply *reply)
{
	struct http_peeked *peeked = req->peeked;
	struct kept_reply kept = {
	    .body = reply->body,
	    .body_len = reply->len,
	    .until_ms = reply->until_ms,
	    .version = reply->version,
	};
	char *head = format_head(status, fields, count, reply, &kept.head_len);

	kept.head = head;
	peeked->answer = kept_answers_put(
	    &req->server->kept, peeked->bytes, peeked->len, &kept);
	free(head);
}

bool http_wants_kept(const struct http_request *req)
{
	return req->peeked && req->peeked->keeps;
}
