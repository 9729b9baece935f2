/*
 * imds: see imds.h.
 *
 *   DIALING --> TALKING --> over      both under the one deadline
 *
 * After it is over it waits for libuv to let go of the dial, the pipe and the
 * timer; the last of them frees.
 */
#include "vsock-bridge/imds.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct imds_request {
	struct endpoint at;
	struct endpoint_connect dial;
	uv_pipe_t pipe; /* any stream socket; initialised from the start */
	uv_timer_t timer;
	uv_write_t write;
	bool dialing, over;
	unsigned open_handles; /* pipe, timer */
	imds_cb cb;
	void *data;
	char request[IMDS_REQUEST_MAX];
	size_t request_len, len;
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

/* ---- the end ---- */

static void free_if_idle(struct imds_request *request)
{
	if (request->dialing || request->open_handles > 0)
		return;
	explicit_bzero(request->answer, sizeof(request->answer));
	free(request);
}

static void on_closed(uv_handle_t *handle)
{
	struct imds_request *request = handle->data;

	request->open_handles--;
	free_if_idle(request);
}

static void end(struct imds_request *request)
{
	request->over = true;
	uv_close((uv_handle_t *)&request->pipe, on_closed);
	uv_close((uv_handle_t *)&request->timer, on_closed);
	if (request->dialing)
		endpoint_connect_cancel(&request->dial);
}

static void finish(struct imds_request *request, int status)
{
	const char *body = NULL;
	size_t len = 0;

	if (request->over)
		return;
	end(request);
	if (status == 0 &&
	    !imds_body(request->answer, request->len, &body, &len))
		status = UV_EPROTO;
	request->cb(status, status == 0 ? body : NULL, status == 0 ? len : 0,
	    request->data);
}

static void on_timer(uv_timer_t *timer)
{
	finish(timer->data, UV_ETIMEDOUT);
}

/* ---- talking ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct imds_request *request = handle->data;

	(void)suggested;
	*buf = uv_buf_init(request->answer + request->len,
	    (unsigned)(sizeof(request->answer) - request->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct imds_request *request = stream->data;

	(void)buf;
	if (n < 0) {
		if (n == UV_EOF)
			request->answer[request->len] = '\0';
		finish(request, n == UV_EOF ? 0 : (int)n);
		return;
	}
	request->len += (size_t)n;
	if (request->len > IMDS_ANSWER_MAX)
		finish(request, UV_EMSGSIZE);
}

static void on_written(uv_write_t *req, int status)
{
	(void)req; /* the reading side tells */
	(void)status;
}

static int talk(struct imds_request *request, int fd)
{
	uv_stream_t *stream = (uv_stream_t *)&request->pipe;
	uv_buf_t buf = uv_buf_init(
	    request->request, (unsigned)request->request_len);
	int err = uv_pipe_open(&request->pipe, fd);

	if (err != 0) {
		close(fd);
		return err;
	}
	err = uv_read_start(stream, on_alloc, on_read);
	if (err == 0)
		err = uv_write(&request->write, stream, &buf, 1, on_written);
	return err;
}

static void on_dialled(struct endpoint_connect *op, int fd)
{
	struct imds_request *request = op->data;
	int err = fd < 0 ? fd : 0;

	request->dialing = false;
	if (request->over) {
		if (fd >= 0)
			close(fd);
		free_if_idle(request);
		return;
	}
	if (err == 0)
		err = talk(request, fd);
	if (err != 0)
		finish(request, err);
}

/* ---- public ---- */

static void write_request(
    struct imds_request *request, const char *path, const char *token)
{
	int n = snprintf(request->request, sizeof(request->request),
	    "%s %s HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "%s%s\r\n"
	    "%s"
	    "Connection: close\r\n\r\n",
	    token != NULL ? "GET" : "PUT", path, request->at.host,
	    token != NULL ? "X-aws-ec2-metadata-token: "
			  : "X-aws-ec2-metadata-token-ttl-seconds: ",
	    token != NULL ? token : "60",
	    token != NULL ? "" : "Content-Length: 0\r\n");

	assert(n > 0 && (size_t)n < sizeof(request->request));
	request->request_len = (size_t)n;
}

struct imds_request *imds_start(uv_loop_t *loop, const struct endpoint *at,
    const char *path, const char *token, imds_cb cb, void *data)
{
	struct imds_request *request = calloc(1, sizeof(*request));
	int err;

	assert(strlen(path) < IMDS_PATH_MAX &&
	       (token == NULL || strlen(token) < IMDS_TOKEN_MAX));
	if (request == NULL)
		log_die("imds", "out of memory");
	request->at = *at;
	request->cb = cb;
	request->data = data;
	write_request(request, path, token);
	uv_pipe_init(loop, &request->pipe, 0);
	uv_timer_init(loop, &request->timer);
	request->pipe.data = request->timer.data = request->dial.data = request;
	request->open_handles = 2;
	uv_timer_start(&request->timer, on_timer, IMDS_TIMEOUT_MS, 0);
	err = endpoint_connect_start(&request->dial, loop, &request->at,
	    2 * IMDS_TIMEOUT_MS, on_dialled);
	/* Only for an address that the configuration must not let through. */
	if (err != 0)
		log_die("imds", "dial: %s", uv_strerror(err));
	request->dialing = true;
	return request;
}

void imds_cancel(struct imds_request *request)
{
	assert(!request->over);
	end(request);
}
