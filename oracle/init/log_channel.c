/* log_channel: see log_channel.h. */
#include "oracle/init/log_channel.h"

#include "base/lines.h"
#include "base/log.h"
#include "oracle/init/log_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES 4096
#define TURN_CHUNKS 16 /* from one pipe before others get a turn */

struct source { /* a pipe that lines come out of */
	struct log_channel *channel;
	int read_end, write_end;
	uv_poll_t poll;
	struct lines lines;
};

struct log_channel {
	uv_loop_t *loop;
	int console;
	struct source own, child;
	struct log_ring ring;
	struct log_out out;
	unsigned open_handles; /* the pipes' */
};

static void put_line(void *data, const char *text, size_t len, bool cut)
{
	static const char mark[] = " ...";
	struct log_channel *channel = data;
	char line[LINES_MAX + 1];

	if (cut && len > LINES_MAX - sizeof(mark))
		len = LINES_MAX - sizeof(mark);
	memcpy(line, text, len);
	if (cut) {
		memcpy(line + len, mark, sizeof(mark) - 1);
		len += sizeof(mark) - 1;
	}
	log_ring_put(&channel->ring, line, len);
	line[len] = '\n';
	/* One that takes a part of it, or nothing, is as it is. */
	if (channel->console >= 0 &&
	    write(channel->console, line, len + 1) < 0 && errno == EBADF)
		channel->console = -1;
}

/* Into our own pipe: it comes back as a line like any other. */
static void tell_lost(struct log_channel *channel)
{
	uint64_t lost = log_ring_lost(&channel->ring);

	if (lost > 0)
		log_warn("log", "dropped", LOG_D("lines", lost));
}

/* Takes what there is. False: nothing for now. */
static bool take_chunk(struct source *source)
{
	char bytes[CHUNK_BYTES];
	ssize_t n = read(source->read_end, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return true;
	if (n > 0)
		lines_feed(&source->lines, bytes, (size_t)n, put_line,
		    source->channel);
	return n > 0; /* no end: we have a write end as well */
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct source *source = poll->data;

	(void)status; /* an error shows in read */
	(void)events;
	for (unsigned i = 0; i < TURN_CHUNKS && take_chunk(source); i++)
		;
	tell_lost(source->channel);
	log_out_kick(&source->channel->out);
}

/* ---- start ---- */

static int open_pipe(struct source *source, int write_flags)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	source->read_end = ends[0];
	source->write_end = ends[1];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0 ||
	    fcntl(ends[1], F_SETFL, write_flags) != 0)
		return -errno;
	return 0;
}

static int watch_pipe(struct log_channel *channel, struct source *source)
{
	int err = uv_poll_init(channel->loop, &source->poll, source->read_end);

	if (err != 0)
		return err;
	channel->open_handles++;
	source->channel = channel;
	source->poll.data = source;
	lines_init(&source->lines);
	return uv_poll_start(&source->poll, UV_READABLE, on_readable);
}

static void close_end(int *end)
{
	if (*end >= 0)
		close(*end);
	*end = -1;
}

static void free_channel(struct log_channel *channel)
{
	close_end(&channel->own.read_end);
	close_end(&channel->own.write_end);
	close_end(&channel->child.read_end);
	close_end(&channel->child.write_end);
	free(channel);
}

int log_channel_start(
    struct log_channel **out, const struct log_channel_options *options)
{
	struct log_channel *channel = calloc(1, sizeof(*channel));
	int err;

	*out = NULL;
	if (channel == NULL)
		log_die("log", "out of memory");
	channel->loop = options->loop;
	channel->console = options->console;
	channel->own.read_end = channel->own.write_end = -1;
	channel->child.read_end = channel->child.write_end = -1;
	log_ring_init(&channel->ring);
	err = open_pipe(&channel->own, O_NONBLOCK);
	if (err == 0)
		err = open_pipe(&channel->child, 0);
	if (err != 0) {
		free_channel(channel);
		return err;
	}
	err = watch_pipe(channel, &channel->own);
	if (err == 0)
		err = watch_pipe(channel, &channel->child);
	if (err != 0) /* UNTESTED: epoll refused a pipe */
		log_die("log", "pipe: %s", uv_strerror(err));
	channel->out.loop = options->loop;
	channel->out.to = options->to;
	channel->out.ring = &channel->ring;
	channel->out.retry_ms = options->retry_ms;
	log_out_start(&channel->out);
	*out = channel;
	return 0;
}

int log_channel_own(const struct log_channel *channel)
{
	return channel->own.write_end;
}

int log_channel_child(const struct log_channel *channel)
{
	return channel->child.write_end;
}

/* ---- finish ---- */

static void on_closed(uv_handle_t *handle)
{
	const struct source *source = handle->data;

	source->channel->open_handles--;
}

/* What is in the pipe now: all that somebody has said who has ended. */
static void drain(struct source *source)
{
	while (take_chunk(source))
		;
	lines_end(&source->lines, put_line, source->channel);
	uv_close((uv_handle_t *)&source->poll, on_closed);
}

void log_channel_finish(struct log_channel *channel, uint64_t timeout_ms)
{
	drain(&channel->child);
	drain(&channel->own);
	log_out_stop(&channel->out, timeout_ms);
	while (channel->open_handles > 0)
		uv_run(channel->loop, UV_RUN_ONCE);
	free_channel(channel);
}
