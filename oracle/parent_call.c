/*
 * parent_call: see parent_call.h.
 *
 *   DIALING --> TALKING --> OVER      every state has the one deadline
 *
 * DIALING waits for endpoint_connect, TALKING for the parent's bytes. After
 * OVER it waits for libuv to let go of the dial, the pipe and the timer; the
 * last of them frees.
 */
#include "oracle/parent_call.h"

#include "base/log.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_LEN 4

struct parent_call {
	struct parent_call_options with;
	struct endpoint at;
	struct endpoint_connect dial;
	uv_pipe_t pipe; /* any stream socket; initialised from the start */
	uv_timer_t timer;
	uv_write_t write;
	bool dialing, over;
	unsigned open_handles; /* pipe, timer */
	size_t received;       /* of head and answer */
	uint8_t head[HEAD_LEN];
	uint8_t *question, *answer; /* owned */
	size_t answer_len;          /* once the head is here */
};

static void *need(void *memory)
{
	if (memory == NULL)
		log_die("parent_call", "out of memory");
	return memory;
}

static void free_if_idle(struct parent_call *call)
{
	if (call->dialing || call->open_handles > 0)
		return;
	if (call->answer != NULL)
		OPENSSL_cleanse(call->answer, call->answer_len);
	free(call->answer);
	free(call->question);
	free(call);
}

static void on_closed(uv_handle_t *handle)
{
	struct parent_call *call = handle->data;

	call->open_handles--;
	free_if_idle(call);
}

static void end(struct parent_call *call)
{
	call->over = true;
	uv_close((uv_handle_t *)&call->pipe, on_closed);
	uv_close((uv_handle_t *)&call->timer, on_closed);
	if (call->dialing)
		endpoint_connect_cancel(&call->dial);
}

static void finish(struct parent_call *call, int status)
{
	if (call->over)
		return;
	end(call);
	call->with.cb(status, status == 0 ? call->answer : NULL,
	    status == 0 ? call->answer_len : 0, call->with.data);
}

static void on_timer(uv_timer_t *timer)
{
	finish(timer->data, UV_ETIMEDOUT);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct parent_call *call = handle->data;

	(void)suggested;
	if (call->received < HEAD_LEN)
		*buf = uv_buf_init((char *)call->head + call->received,
		    (unsigned)(HEAD_LEN - call->received));
	else
		*buf = uv_buf_init(
		    (char *)call->answer + call->received - HEAD_LEN,
		    (unsigned)(HEAD_LEN + call->answer_len - call->received));
}

static int take_head(struct parent_call *call)
{
	const uint8_t *head = call->head;

	call->answer_len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
			   (size_t)head[2] << 8 | head[3];
	if (call->answer_len == 0 || call->answer_len > call->with.answer_max) {
		call->answer_len = 0;
		return UV_EMSGSIZE;
	}
	call->answer = need(calloc(1, call->answer_len));
	return 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct parent_call *call = stream->data;

	(void)buf;
	if (n < 0) {
		finish(call, (int)n);
		return;
	}
	call->received += (size_t)n;
	if (call->received == HEAD_LEN && call->answer == NULL && n > 0) {
		int err = take_head(call);

		if (err != 0)
			finish(call, err);
		return;
	}
	if (call->answer != NULL &&
	    call->received == HEAD_LEN + call->answer_len)
		finish(call, 0);
}

/* ---- dialling and writing ---- */

static void on_written(uv_write_t *req, int status)
{
	(void)req; /* the reading side tells */
	(void)status;
}

static int talk(struct parent_call *call, int fd)
{
	uv_stream_t *stream = (uv_stream_t *)&call->pipe;
	uv_buf_t buf = uv_buf_init(
	    (char *)call->question, (unsigned)call->with.len);
	int err = uv_pipe_open(&call->pipe, fd);

	if (err != 0) {
		close(fd);
		return err;
	}
	err = uv_read_start(stream, on_alloc, on_read);
	if (err == 0 && call->with.len > 0)
		err = uv_write(&call->write, stream, &buf, 1, on_written);
	return err;
}

static void on_dialled(struct endpoint_connect *op, int fd)
{
	struct parent_call *call = op->data;
	int err = fd < 0 ? fd : 0;

	call->dialing = false;
	if (call->over) {
		if (fd >= 0)
			close(fd);
		free_if_idle(call);
		return;
	}
	if (err == 0)
		err = talk(call, fd);
	if (err != 0)
		finish(call, err);
}

struct parent_call *parent_call_start(const struct parent_call_options *options)
{
	struct parent_call *call = need(calloc(1, sizeof(*call)));
	int err;

	call->with = *options;
	call->at = *options->at;
	call->question = need(malloc(options->len + 1));
	if (options->len > 0)
		memcpy(call->question, options->bytes, options->len);
	uv_pipe_init(options->loop, &call->pipe, 0);
	uv_timer_init(options->loop, &call->timer);
	call->pipe.data = call->timer.data = call->dial.data = call;
	call->open_handles = 2;
	uv_update_time(options->loop);
	uv_timer_start(&call->timer, on_timer, options->timeout_ms, 0);
	err = endpoint_connect_start(&call->dial, options->loop, &call->at,
	    options->timeout_ms + 1000, on_dialled);
	/* Only for an address that the configuration must not let through. */
	if (err != 0)
		log_die("parent_call", "dial: %s", uv_strerror(err));
	call->dialing = true;
	return call;
}

void parent_call_cancel(struct parent_call *call)
{
	assert(!call->over);
	end(call);
}
