/* archive_input: see archive_input.h. */
#include "verifier/archive/archive_input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES 65536

static int fail(char error[static ARCHIVE_SOURCE_ERROR_MAX], const char *why)
{
	snprintf(error, ARCHIVE_SOURCE_ERROR_MAX, "%s", why);
	return -1;
}

/* All of `len` bytes; 0, or a negative errno. */
static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int copy(int to, int from)
{
	char bytes[COPY_BYTES];
	uint64_t sum = 0;
	int rc = 0;

	while (rc == 0) {
		ssize_t n = read(from, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		sum += (uint64_t)n;
		rc = sum > ARCHIVE_INPUT_MAX ? -EFBIG
					     : write_all(to, bytes, (size_t)n);
	}
	return rc;
}

int archive_input_nameless(void)
{
	const char *folder = getenv("TMPDIR");
	char path[1024];
	int fd;

	if (folder == NULL || folder[0] != '/' || strlen(folder) > 900)
		folder = "/tmp";
	snprintf(path, sizeof(path), "%s/hallmark-XXXXXX", folder);
	fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

/* The pipe's bytes in a file; the pipe is closed. An fd or a negative errno. */
static int keep(int pipe)
{
	int fd = archive_input_nameless();
	int rc = fd < 0 ? fd : copy(fd, pipe);

	close(pipe);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

int archive_input_open(struct archive_input *out, int fd,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	struct stat about;

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	if (fstat(fd, &about) == 0 && S_ISDIR(about.st_mode)) {
		close(fd);
		return fail(error, "is a directory");
	}
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
		fd = keep(fd);
	if (fd < 0)
		return fail(error, strerror(-fd));
	out->fd = fd;
	out->buffer = malloc(ARCHIVE_INPUT_WINDOW);
	out->at = out->buffer;
	if (out->buffer == NULL || fstat(fd, &about) != 0) {
		archive_input_close(out);
		return fail(error, "out of memory");
	}
	out->size = (uint64_t)about.st_size;
	if (out->size > ARCHIVE_INPUT_MAX) {
		archive_input_close(out);
		return fail(error, "is too large");
	}
	return 0;
}

void archive_input_memory(
    struct archive_input *out, const char *bytes, size_t len)
{
	memset(out, 0, sizeof(*out));
	out->fd = -1;
	out->memory = out->at = bytes;
	out->len = out->size = len;
}

void archive_input_close(struct archive_input *input)
{
	if (input->fd >= 0)
		close(input->fd);
	free(input->buffer);
	memset(input, 0, sizeof(*input));
	input->fd = -1;
}

/* 0: there is no more. */
static size_t read_more(struct archive_input *in)
{
	uint64_t from = in->offset + in->len;
	ssize_t n;

	do
		n = pread(in->fd, in->buffer + in->len,
		    ARCHIVE_INPUT_WINDOW - in->len, (off_t)from);
	while (n < 0 && errno == EINTR);
	in->failed |= n < 0;
	return n > 0 ? (size_t)n : 0;
}

size_t archive_input_need(struct archive_input *in, size_t want)
{
	size_t more = 1;

	assert(want <= ARCHIVE_INPUT_PIECE);
	if (in->len >= want || in->memory != NULL)
		return in->len;
	memmove(in->buffer, in->at, in->len);
	in->at = in->buffer;
	while (in->len < want && more > 0) {
		more = read_more(in);
		in->len += more;
	}
	return in->len;
}

void archive_input_skip(struct archive_input *in, size_t len)
{
	assert(len <= in->len);
	in->at += len;
	in->len -= len;
	in->offset += len;
}

void archive_input_rewind(struct archive_input *in)
{
	in->at = in->memory != NULL ? in->memory : in->buffer;
	in->len = in->memory != NULL ? (size_t)in->size : 0;
	in->offset = 0;
}

int archive_input_read_at(
    const struct archive_input *in, uint64_t offset, char *out, size_t len)
{
	if (offset > in->size || len > in->size - offset)
		return -1;
	if (in->memory != NULL) {
		memcpy(out, in->memory + offset, len);
		return 0;
	}
	return pread(in->fd, out, len, (off_t)offset) == (ssize_t)len ? 0 : -1;
}
