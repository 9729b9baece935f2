/* proxy_connect: HTTP CONNECT, the client's side; see the header. */
#include "oracle/proxy_connect.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static int fail(
    struct proxy_connect *pc, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(pc->why, sizeof(pc->why), format, args);
	va_end(args);
	pc->done = -1;
	return -1;
}

static int on_status(http_parser *parser, const char *at, size_t len)
{
	struct proxy_connect *pc = parser->data;
	size_t room = PROXY_CONNECT_REASON_MAX - pc->reason_len;
	if (len > room)
		len = room;
	memcpy(pc->reason + pc->reason_len, at, len);
	pc->reason_len += len;
	return 0;
}

static int on_headers_complete(http_parser *parser)
{
	struct proxy_connect *pc = parser->data;
	if (parser->http_major != 1 || parser->http_minor > 1)
		return fail(pc, "proxy: not HTTP/1.0 or HTTP/1.1");
	if (parser->status_code != 200)
		return fail(
		    pc, "proxy: %u %s", parser->status_code, pc->reason);
	pc->done = 1;
	return 2; /* http_parser.h: neither a body nor another response */
}

static const http_parser_settings settings = {
    .on_status = on_status,
    .on_headers_complete = on_headers_complete,
};

void proxy_connect_init(struct proxy_connect *pc)
{
	*pc = (struct proxy_connect){0};
	http_parser_init(&pc->parser, HTTP_RESPONSE);
	pc->parser.data = pc;
}

size_t proxy_connect_request(
    char out[static PROXY_CONNECT_REQUEST_MAX], const char *host, uint16_t port)
{
	int n = snprintf(out, PROXY_CONNECT_REQUEST_MAX,
	    "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n\r\n", host, port, host,
	    port);
	assert(n > 0 && n < PROXY_CONNECT_REQUEST_MAX);
	return (size_t)n;
}

int proxy_connect_feed(struct proxy_connect *pc, const char *bytes, size_t len)
{
	if (len == 0 || pc->done < 0)
		return pc->done;
	if (pc->done > 0)
		return fail(pc, "proxy: spoke before we did");

	size_t room = PROXY_CONNECT_HEAD_MAX - pc->received;
	size_t piece = len < room ? len : room;
	size_t used = http_parser_execute(&pc->parser, &settings, bytes, piece);
	enum http_errno error = HTTP_PARSER_ERRNO(&pc->parser);

	pc->received += used;
	if (pc->done < 0)
		return -1;
	if (error != HPE_OK)
		return fail(pc, "proxy: %s", http_errno_description(error));
	if (pc->done > 0 && used < len)
		return fail(pc, "proxy: spoke before we did");
	if (pc->done == 0 && pc->received >= PROXY_CONNECT_HEAD_MAX)
		return fail(pc, "proxy: answer over its ceiling");
	return pc->done;
}
