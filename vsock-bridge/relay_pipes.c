/* relay_pipes: see relay_pipes.h. */
#include "vsock-bridge/relay_pipes.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void close_pipe(struct relay_pipe *pipe)
{
	close(pipe->read_fd);
	close(pipe->write_fd);
	free(pipe);
}

/* As large as may be; false: too small to be of use. */
static bool is_large(int fd)
{
	if (fcntl(fd, F_SETPIPE_SZ, RELAY_PIPE_BYTES) >= RELAY_PIPE_BYTES_MIN)
		return true;
	return fcntl(fd, F_GETPIPE_SZ) >= RELAY_PIPE_BYTES_MIN;
}

static struct relay_pipe *open_pipe(void)
{
	struct relay_pipe *pipe = malloc(sizeof(*pipe));
	int fds[2];

	if (pipe == NULL)
		return NULL;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) {
		free(pipe);
		return NULL;
	}
	pipe->read_fd = fds[0];
	pipe->write_fd = fds[1];
	pipe->next = NULL;
	if (is_large(pipe->write_fd))
		return pipe;
	close_pipe(pipe);
	return NULL;
}

struct relay_pipe *relay_pipes_take(struct relay_pipes *pipes)
{
	struct relay_pipe *pipe = pipes->kept;

	if (pipe != NULL) {
		pipes->kept = pipe->next;
		pipes->kept_count--;
		pipes->lent++;
		return pipe;
	}
	if (pipes->lent >= RELAY_PIPES_MAX)
		return NULL;
	/* Want of descriptors or memory lasts: do not ask for each read. */
	if (pipes->refused > 0) {
		pipes->refused--;
		return NULL;
	}
	pipe = open_pipe();
	if (pipe == NULL)
		pipes->refused = RELAY_PIPES_RETRY;
	else
		pipes->lent++;
	return pipe;
}

void relay_pipes_give(
    struct relay_pipes *pipes, struct relay_pipe *pipe, bool empty)
{
	if (pipe == NULL)
		return;
	assert(pipes->lent > 0);
	pipes->lent--;
	if (!empty || pipes->kept_count >= RELAY_PIPES_KEPT_MAX) {
		close_pipe(pipe);
		return;
	}
	pipe->next = pipes->kept;
	pipes->kept = pipe;
	pipes->kept_count++;
}

void relay_pipes_fini(struct relay_pipes *pipes)
{
	assert(pipes->lent == 0);
	while (pipes->kept != NULL) {
		struct relay_pipe *next = pipes->kept->next;

		close_pipe(pipes->kept);
		pipes->kept = next;
	}
	pipes->kept_count = 0;
}
