/* refusal: see refusal.h. */
#include "vsock-bridge/refusal.h"

static void on_closed(uv_handle_t *handle)
{
	struct refusal *refusal = handle->data;

	if (--refusal->open_handles == 0)
		refusal->on_done(refusal);
}

static void on_linger_over(uv_timer_t *timer)
{
	refusal_stop(timer->data);
}

static void on_waste_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	static char waste[4096]; /* written by libuv only, never read */

	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(waste, sizeof(waste));
}

/* Over when both sides have ended. */
static void on_waste(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
	struct refusal *refusal = stream->data;

	(void)buf;
	if (nread == UV_EOF)
		refusal->client_ended = true;
	if (nread < 0 && (nread != UV_EOF || refusal->answered))
		refusal_stop(refusal);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	struct refusal *refusal = req->data;

	refusal->answered = true;
	if (status < 0 || refusal->client_ended)
		refusal_stop(refusal);
}

/* The shutdown stands behind it in libuv's queue and hears of an error too. */
static void on_written(uv_write_t *req, int status)
{
	(void)req;
	(void)status;
}

static int send_answer(struct refusal *refusal, size_t len)
{
	uv_buf_t buf = uv_buf_init(refusal->answer, (unsigned)len);
	uv_stream_t *client = refusal->client;
	int err;

	err = uv_write(&refusal->write, client, &buf, 1, on_written);
	if (err == 0)
		err = uv_shutdown(&refusal->shutdown, client, on_shutdown);
	if (err == 0)
		err = uv_read_start(client, on_waste_alloc, on_waste);
	return err;
}

void refusal_start(struct refusal *refusal, uv_stream_t *client,
    enum answer_code code, const char *detail, refusal_done_cb on_done)
{
	refusal->client = client;
	refusal->on_done = on_done;
	refusal->open_handles = 2;
	refusal->answered = false;
	refusal->client_ended = false;
	refusal->closing = false;
	client->data = refusal;
	refusal->shutdown.data = refusal;
	uv_timer_init(client->loop, &refusal->timer);
	refusal->timer.data = refusal;
	uv_timer_start(&refusal->timer, on_linger_over, REFUSAL_LINGER_MS, 0);
	if (send_answer(
		refusal, answer_format(refusal->answer, code, detail)) != 0)
		refusal_stop(refusal);
}

void refusal_stop(struct refusal *refusal)
{
	if (refusal->closing)
		return;
	refusal->closing = true;
	uv_close((uv_handle_t *)refusal->client, on_closed);
	uv_close((uv_handle_t *)&refusal->timer, on_closed);
}
