/* handover: see handover.h. */
#include "oracle/init/handover.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/init/dial.h"

#include <stdlib.h>
#include <unistd.h>

static int take_length(uv_loop_t *loop, int fd, size_t *len, int64_t until_ms)
{
	uint8_t head[4];
	int err = dial_read(loop, fd, head, sizeof(head), until_ms);

	if (err != 0)
		return err;
	*len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	       (size_t)head[2] << 8 | head[3];
	return *len >= 1 && *len <= HANDOVER_BYTES_MAX ? 0 : UV_EMSGSIZE;
}

static int take_bytes(
    uv_loop_t *loop, int fd, uint8_t **bytes, size_t *len, int64_t until_ms)
{
	int err = take_length(loop, fd, len, until_ms);

	if (err != 0)
		return err;
	*bytes = malloc(*len);
	if (*bytes == NULL)
		log_die("handover", "out of memory");
	err = dial_read(loop, fd, *bytes, *len, until_ms);
	if (err != 0) {
		free(*bytes);
		*bytes = NULL;
	}
	return err;
}

static int take_once(
    const struct handover_options *options, uint8_t **bytes, size_t *len)
{
	int64_t until_ms = now_monotonic_ms() + (int64_t)options->try_ms;
	int fd = dial(options->loop, &options->from, options->try_ms), err;

	if (fd < 0)
		return fd;
	err = take_bytes(options->loop, fd, bytes, len, until_ms);
	close(fd);
	return err;
}

static const char *reason(int err)
{
	if (err == UV_EMSGSIZE)
		return "the length is 0 or more than 1 MiB";
	return err == UV_EOF ? "it ended before its length" : uv_strerror(err);
}

static void say(const struct handover_options *options, int err, unsigned tries)
{
	char from[ENDPOINT_TEXT_MAX];

	endpoint_format(&options->from, from);
	log_warn("handover", "no_configuration", LOG_S("from", from),
	    LOG_S("error", reason(err)), LOG_D("tries", tries));
}

int handover_take(
    const struct handover_options *options, uint8_t **bytes, size_t *len)
{
	int64_t said_ms = 0;
	unsigned tries = 0;
	int err, said = 0;

	*bytes = NULL;
	*len = 0;
	for (;;) {
		err = take_once(options, bytes, len);
		tries++;
		if (err == 0)
			return 0;
		*len = 0;
		if (err != said ||
		    now_monotonic_ms() - said_ms >= options->say_ms) {
			say(options, err, tries);
			said_ms = now_monotonic_ms();
			said = err;
		}
		if (tries == options->tries_max)
			return err;
		dial_wait(options->loop, options->retry_ms);
	}
}
