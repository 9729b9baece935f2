/*
 * call: see call.h.
 *
 *   DIALING --> TALKING --> over      both under the one deadline
 *
 * DIALING waits for endpoint_connect, TALKING for the other side's bytes. After
 * it is over it waits for libuv to let go of the dial, the pipe and the timer;
 * the last of them tells the owner.
 */
#include "base/call.h"

#include "base/log.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

/* ---- the end ---- */

static void tell_if_idle(struct call *call)
{
	if (!call->dialing && call->open_handles == 0)
		call->owner->closed(call->data);
}

static void on_closed(uv_handle_t *handle)
{
	struct call *call = handle->data;

	call->open_handles--;
	tell_if_idle(call);
}

static void end(struct call *call)
{
	call->over = true;
	uv_close((uv_handle_t *)&call->pipe, on_closed);
	uv_close((uv_handle_t *)&call->timer, on_closed);
	if (call->dialing)
		endpoint_connect_cancel(&call->dial);
}

static void finish(struct call *call, int status)
{
	if (call->over)
		return;
	end(call);
	call->owner->ended(call->data, status);
}

static void on_timer(uv_timer_t *timer)
{
	finish(timer->data, UV_ETIMEDOUT);
}

/* ---- talking ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct call *call = handle->data;

	(void)suggested;
	*buf = call->owner->room(call->data);
	assert(buf->len > 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct call *call = stream->data;
	int status = (int)n;

	(void)buf;
	if (n == 0)
		return; /* libuv's EAGAIN */
	if (n > 0 || n == UV_EOF)
		status = call->owner->took(call->data, n > 0 ? (size_t)n : 0);
	assert(n > 0 || status != CALL_MORE);
	if (status != CALL_MORE)
		finish(call, status);
}

static void on_written(uv_write_t *req, int status)
{
	(void)req; /* the reading side tells */
	(void)status;
}

static int talk(struct call *call, int fd)
{
	uv_stream_t *stream = (uv_stream_t *)&call->pipe;
	int err = uv_pipe_open(&call->pipe, fd);

	if (err != 0) {
		close(fd);
		return err;
	}
	err = uv_read_start(stream, on_alloc, on_read);
	if (err == 0 && call->question.len > 0)
		err = uv_write(
		    &call->write, stream, &call->question, 1, on_written);
	return err;
}

static void on_dialled(struct endpoint_connect *op, int fd)
{
	struct call *call = op->data;
	int err = fd < 0 ? fd : 0;

	call->dialing = false;
	if (call->over) {
		if (fd >= 0)
			close(fd);
		tell_if_idle(call);
		return;
	}
	if (err == 0)
		err = talk(call, fd);
	if (err != 0)
		finish(call, err);
}

/* ---- public ---- */

void call_start(struct call *call, const struct call_options *options)
{
	int err;

	memset(call, 0, sizeof(*call));
	call->owner = options->owner;
	call->data = options->data;
	call->at = *options->at;
	call->question = uv_buf_init(
	    (char *)options->bytes, (unsigned)options->len);
	uv_pipe_init(options->loop, &call->pipe, 0);
	uv_timer_init(options->loop, &call->timer);
	call->pipe.data = call->timer.data = call->dial.data = call;
	call->open_handles = 2;
	uv_update_time(options->loop);
	uv_timer_start(&call->timer, on_timer, options->timeout_ms, 0);
	/* Ours is the deadline; the dial's own is behind it. */
	err = endpoint_connect_start(&call->dial, options->loop, &call->at,
	    options->timeout_ms + 1000, on_dialled);
	/* Only for an address that the configuration must not let through. */
	if (err != 0)
		log_die(options->owner->name, "dial: %s", uv_strerror(err));
	call->dialing = true;
}

void call_cancel(struct call *call)
{
	assert(!call->over);
	end(call);
}
