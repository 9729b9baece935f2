/* imds: see imds.h. The connection is base/call's; here is the HTTP. */
#include "vsock-bridge/imds.h"

#include "base/call.h"
#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct imds_request {
	struct call call;
	imds_cb cb;
	void *data;
	char request[IMDS_REQUEST_MAX];
	size_t len;
	char
	    answer[IMDS_ANSWER_MAX + 1]; /* and a byte to see that it is over */
};

/* ---- the answer, pure ---- */

static bool is_length(const char *line, size_t len, size_t body_len)
{
	static const char name[] = "content-length:";
	unsigned long value;

	if (len < sizeof(name) - 1 ||
	    strncasecmp(line, name, sizeof(name) - 1) != 0)
		return true; /* another header */
	value = strtoul(line + sizeof(name) - 1, NULL, 10);
	return value == body_len;
}

static bool is_coding(const char *line, size_t len)
{
	static const char name[] = "transfer-encoding:";

	return len >= sizeof(name) - 1 &&
	       strncasecmp(line, name, sizeof(name) - 1) == 0;
}

/* `line` to `end` are whole lines, each with its CRLF. */
static bool headers_agree(const char *line, const char *end, size_t body_len)
{
	while (line < end) {
		const char *next = memmem(
		    line, (size_t)(end - line), "\r\n", 2);
		size_t len = (size_t)(next - line);

		if (is_coding(line, len) || !is_length(line, len, body_len))
			return false;
		line = next + 2;
	}
	return true;
}

bool imds_body(
    const char *bytes, size_t len, const char **body, size_t *body_len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	const char *first;

	if (end == NULL || len < 13 ||
	    (memcmp(bytes, "HTTP/1.1 200 ", 13) != 0 &&
		memcmp(bytes, "HTTP/1.0 200 ", 13) != 0))
		return false;
	*body = end + 4;
	*body_len = len - (size_t)(*body - bytes);
	first = memmem(bytes, len, "\r\n", 2);
	return headers_agree(first + 2, end + 2, *body_len);
}

/* ---- the connection ---- */

static uv_buf_t room(void *data)
{
	struct imds_request *request = data;

	return uv_buf_init(request->answer + request->len,
	    (unsigned)(sizeof(request->answer) - request->len));
}

static int took(void *data, size_t len)
{
	struct imds_request *request = data;

	request->len += len;
	if (request->len > IMDS_ANSWER_MAX)
		return UV_EMSGSIZE;
	return len > 0 ? CALL_MORE : 0; /* it ends with the connection */
}

static void ended(void *data, int status)
{
	struct imds_request *request = data;
	const char *body = NULL;
	size_t len = 0;

	request->answer[status == 0 ? request->len : 0] = '\0';
	if (status == 0 &&
	    !imds_body(request->answer, request->len, &body, &len))
		status = UV_EPROTO;
	request->cb(status, status == 0 ? body : NULL, status == 0 ? len : 0,
	    request->data);
}

static void closed(void *data)
{
	struct imds_request *request = data;

	/* A token, or credentials. */
	explicit_bzero(request, sizeof(*request));
	free(request);
}

static const struct call_owner owner = {
    .name = "imds",
    .room = room,
    .took = took,
    .ended = ended,
    .closed = closed,
};

/* ---- public ---- */

/* Its length. */
static size_t write_request(char out[static IMDS_REQUEST_MAX], const char *host,
    const char *path, const char *token)
{
	int n = snprintf(out, IMDS_REQUEST_MAX,
	    "%s %s HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "%s%s\r\n"
	    "%s"
	    "Connection: close\r\n\r\n",
	    token != NULL ? "GET" : "PUT", path, host,
	    token != NULL ? "X-aws-ec2-metadata-token: "
			  : "X-aws-ec2-metadata-token-ttl-seconds: ",
	    token != NULL ? token : "60",
	    token != NULL ? "" : "Content-Length: 0\r\n");

	assert(n > 0 && n < IMDS_REQUEST_MAX);
	return (size_t)n;
}

struct imds_request *imds_start(uv_loop_t *loop, const struct endpoint *at,
    const char *path, const char *token, imds_cb cb, void *data)
{
	struct imds_request *request = calloc(1, sizeof(*request));

	assert(strlen(path) < IMDS_PATH_MAX &&
	       (token == NULL || strlen(token) < IMDS_TOKEN_MAX));
	if (request == NULL)
		log_die("imds", "out of memory");
	request->cb = cb;
	request->data = data;
	call_start(&request->call,
	    &(struct call_options){
		.loop = loop,
		.at = at,
		.bytes = request->request,
		.len = write_request(request->request, at->host, path, token),
		.timeout_ms = IMDS_TIMEOUT_MS,
		.owner = &owner,
		.data = request,
	    });
	return request;
}

void imds_cancel(struct imds_request *request)
{
	call_cancel(&request->call);
}
