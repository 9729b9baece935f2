/* http_response: http-parser's callbacks and our rules, see the header. */
#include "oracle/http_response.h"

#include "base/log.h"
#include "oracle/https_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BODY_FIRST 4096 /* the first allocation; most answers fit */
/* Chunk lines and trailers may add this much to the body, and as much again
 * as the body is long: chunks shorter than six bytes do not go on for ever. */
#define FRAMING_MAX HTTPS_HEADERS_MAX

static int fail(
    struct http_response *r, enum quote_error error, const char *why)
{
	if (r->state != HTTP_RESPONSE_FAILED) {
		r->state = HTTP_RESPONSE_FAILED;
		r->error = error;
		r->why = why;
	}
	r->status = 0;
	r->len = 0;
	r->keep_alive = false;
	return -1;
}

/* ---- Date and Retry-After ---- */

static int64_t retry_after_seconds(const char *text, size_t len)
{
	int64_t s = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		s = s * 10 + (text[i] - '0');
		if (s > HTTP_RESPONSE_RETRY_AFTER_MAX_S)
			s = HTTP_RESPONSE_RETRY_AFTER_MAX_S;
	}
	return len > 0 ? s * 1000 : -1;
}

int64_t http_response_date(const char *text, size_t len)
{
	static const char format[] = "%a, %d %b %Y %H:%M:%S GMT";
	char copy[HTTP_RESPONSE_VALUE_MAX], again[HTTP_RESPONSE_VALUE_MAX];
	struct tm tm = {0};

	if (len >= sizeof(copy))
		return -1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	const char *end = strptime(copy, format, &tm);
	if (end == NULL || *end != '\0')
		return -1;
	int64_t at_s = (int64_t)timegm(&tm);
	/* strptime(3) is generous: written back it must come out the same. */
	if (at_s < 0 || strftime(again, sizeof(again), format, &tm) != len ||
	    memcmp(copy, again, len) != 0)
		return -1;
	return at_s * 1000;
}

static int64_t retry_after_date(const char *text, size_t len, int64_t now_ms)
{
	int64_t max_ms = HTTP_RESPONSE_RETRY_AFTER_MAX_S * 1000LL;
	int64_t at_ms = http_response_date(text, len);

	if (at_ms < 0)
		return -1;
	if (at_ms <= now_ms)
		return 0;
	return at_ms - now_ms > max_ms ? max_ms : at_ms - now_ms;
}

int64_t http_response_retry_after(const char *text, size_t len, int64_t now_ms)
{
	int64_t ms = retry_after_seconds(text, len);
	return ms >= 0 ? ms : retry_after_date(text, len, now_ms);
}

/* ---- headers, one at a time ---- */

static bool name_is(const struct http_response *r, const char *name)
{
	return r->name_len == strlen(name) &&
	       strncasecmp(r->name, name, r->name_len) == 0;
}

static bool value_is(const struct http_response *r, const char *value)
{
	return r->value_len == strlen(value) &&
	       strncasecmp(r->value, value, r->value_len) == 0;
}

static void trim_value(struct http_response *r)
{
	while (r->value_len > 0 && r->value_len <= sizeof(r->value) &&
	       strchr(" \t", r->value[r->value_len - 1]) != NULL)
		r->value_len--;
}

/* RFC 9112, 6.1: only a final `chunked` says how long the body is; we sent no
 * TE, so there is nothing else to be found here. */
static int take_coding(struct http_response *r)
{
	if (r->has_coding || !value_is(r, "chunked"))
		return fail(
		    r, QUOTE_BAD_HTTP, "Transfer-Encoding is not chunked");
	r->has_coding = true;
	return 0;
}

/* RFC 9110, 6.6.1. It is a witness against our clock: one that says two things
 * says nothing. */
static void take_date(struct http_response *r)
{
	bool fits = r->value_len <= sizeof(r->value);

	r->date_ms = fits && !r->has_date
			 ? http_response_date(r->value, r->value_len)
			 : -1;
	r->has_date = true;
}

/* A whole header was read. Returns 0, or -1 after fail(). http-parser itself
 * refuses a second Content-Length, one that is not a number, and one beside
 * Transfer-Encoding (RFC 9112, 6.3). */
static int take_header(struct http_response *r)
{
	trim_value(r);
	if (name_is(r, "content-length"))
		r->has_length = true;
	if (name_is(r, "transfer-encoding"))
		return take_coding(r);
	if (name_is(r, "content-encoding") && !value_is(r, "identity"))
		return fail(
		    r, QUOTE_BAD_HTTP, "Content-Encoding not asked for");
	if (name_is(r, "date"))
		take_date(r);
	if (name_is(r, "retry-after") && r->value_len <= sizeof(r->value)) {
		int64_t ms = http_response_retry_after(
		    r->value, r->value_len, r->now_ms);
		if (ms > r->retry_after_ms)
			r->retry_after_ms = ms;
	}
	return 0;
}

/* Keeps what fits; what does not fit is counted, so that it cannot match. */
static void append(
    char *to, size_t capacity, size_t *total, const char *at, size_t len)
{
	if (*total < capacity) {
		size_t room = capacity - *total;
		memcpy(to + *total, at, len < room ? len : room);
	}
	*total += len;
}

/* ---- http-parser's callbacks, in the order they fire ---- */

static int on_message_begin(http_parser *parser)
{
	struct http_response *r = parser->data;
	r->headers_done = r->in_value = false;
	r->has_length = r->has_coding = r->has_date = false;
	r->name_len = r->value_len = 0;
	r->retry_after_ms = r->date_ms = -1;
	return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t len)
{
	struct http_response *r = parser->data;
	if (r->headers_done)
		return 0; /* trailers say nothing that we would believe */
	/* RFC 9112, 5.1: no blank between the name and the colon. */
	if (memchr(at, ' ', len) != NULL)
		return fail(r, QUOTE_BAD_HTTP, "a blank in a header's name");
	if (r->in_value) {
		if (take_header(r) != 0)
			return -1;
		r->in_value = false;
		r->name_len = r->value_len = 0;
	}
	append(r->name, sizeof(r->name), &r->name_len, at, len);
	return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
	struct http_response *r = parser->data;
	if (r->headers_done)
		return 0;
	r->in_value = true;
	append(r->value, sizeof(r->value), &r->value_len, at, len);
	return 0;
}

static int on_headers_complete(http_parser *parser)
{
	struct http_response *r = parser->data;
	unsigned status = parser->status_code;

	if (r->in_value && take_header(r) != 0)
		return -1;
	if (parser->http_major != 1 || parser->http_minor > 1)
		return fail(r, QUOTE_BAD_HTTP, "not HTTP/1.0 or HTTP/1.1");
	if (status < 100 || status > 599)
		return fail(r, QUOTE_BAD_HTTP, "status out of range");
	if (status == 101)
		return fail(r, QUOTE_BAD_HTTP, "a switch of protocols");
	if (r->has_coding && parser->http_minor == 0)
		return fail(r, QUOTE_BAD_HTTP, "Transfer-Encoding in HTTP/1.0");
	r->headers_done = status >= 200;
	/* RFC 9112, 6.3, rule 1: these have no body whatever they say. */
	if (status < 200 || status == 204 || status == 304)
		return 1;
	if (r->has_length && parser->content_length > r->body_max)
		return fail(r, QUOTE_TOO_LARGE, "body over its ceiling");
	return 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
	struct http_response *r = parser->data;
	if (len > r->body_max - r->len)
		return fail(r, QUOTE_TOO_LARGE, "body over its ceiling");
	if (len > r->capacity - r->len) {
		size_t want = r->capacity < BODY_FIRST ? BODY_FIRST
						       : r->capacity * 2;
		if (want < r->len + len)
			want = r->len + len;
		char *grown = realloc(r->body, want);
		if (grown == NULL)
			log_die("http_response", "out of memory");
		r->body = grown;
		r->capacity = want;
	}
	memcpy(r->body + r->len, at, len);
	r->len += len;
	return 0;
}

static int on_message_complete(http_parser *parser)
{
	struct http_response *r = parser->data;
	if (parser->status_code < 200) {
		if (++r->interim > HTTP_RESPONSE_INTERIM_MAX)
			return fail(r, QUOTE_BAD_HTTP, "too many 1xx answers");
		return 0;
	}
	r->state = HTTP_RESPONSE_DONE;
	r->status = (int)parser->status_code;
	r->keep_alive = http_should_keep_alive(parser) != 0;
	http_parser_pause(parser, 1); /* so that the rest is counted */
	return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- public ---- */

void http_response_init(struct http_response *r, size_t body_max)
{
	*r = (struct http_response){.body_max = body_max};
	http_response_start(r, 0);
}

void http_response_fini(struct http_response *r)
{
	free(r->body);
	*r = (struct http_response){0};
}

void http_response_start(struct http_response *r, int64_t now_ms)
{
	*r = (struct http_response){
	    .state = HTTP_RESPONSE_READING,
	    .retry_after_ms = -1,
	    .date_ms = -1,
	    .body = r->body,
	    .capacity = r->capacity,
	    .body_max = r->body_max,
	    .now_ms = now_ms,
	};
	http_parser_init(&r->parser, HTTP_RESPONSE);
	r->parser.data = r;
}

/* Up to the header ceiling and not a byte further while headers are read, so
 * that the ceiling is exact. */
static size_t next_piece(const struct http_response *r, size_t len)
{
	if (r->headers_done)
		return len;
	size_t room = HTTPS_HEADERS_MAX - (size_t)r->received;
	return len < room ? len : room;
}

static void feed_piece(struct http_response *r, const char *bytes, size_t len)
{
	size_t used = http_parser_execute(&r->parser, &settings, bytes, len);
	enum http_errno error = HTTP_PARSER_ERRNO(&r->parser);

	r->received += used;
	if (r->state == HTTP_RESPONSE_FAILED)
		return;
	if (error != HPE_OK && error != HPE_PAUSED)
		fail(r, QUOTE_BAD_HTTP, http_errno_description(error));
	else if (r->state == HTTP_RESPONSE_DONE && used < len)
		fail(r, QUOTE_BAD_HTTP, "bytes after the response");
	else if (!r->headers_done && r->received >= HTTPS_HEADERS_MAX)
		fail(r, QUOTE_TOO_LARGE, "headers over their ceiling");
	else if (r->received - r->len >
		 HTTPS_HEADERS_MAX + FRAMING_MAX + r->len)
		fail(r, QUOTE_TOO_LARGE, "framing over its ceiling");
}

enum http_response_state http_response_feed(
    struct http_response *r, const char *bytes, size_t len)
{
	while (len > 0 && r->state == HTTP_RESPONSE_READING) {
		size_t piece = next_piece(r, len);
		assert(piece > 0);
		feed_piece(r, bytes, piece);
		bytes += piece;
		len -= piece;
	}
	if (len > 0)
		fail(r, QUOTE_BAD_HTTP, "bytes after the response");
	return r->state;
}

enum http_response_state http_response_end(struct http_response *r)
{
	if (r->state != HTTP_RESPONSE_READING)
		return r->state;
	http_parser_execute(&r->parser, &settings, "", 0);
	if (r->state == HTTP_RESPONSE_READING)
		fail(r, QUOTE_BAD_HTTP,
		    r->received == 0 ? "closed before an answer"
				     : "closed in the middle of the answer");
	return r->state;
}
