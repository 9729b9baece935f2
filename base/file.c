/* file: see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FILE_FIRST_BYTES 4096 /* the first buffer; doubled when full */

/* Grows *buf to hold at least one more byte and the NUL. */
static int grow(uint8_t **buf, size_t *cap, size_t max)
{
	size_t want = *cap ? *cap * 2 : FILE_FIRST_BYTES;
	uint8_t *bigger;

	/* One byte past max tells a file that is too long from one that is
	 * exactly max; one more is for the NUL. */
	if (want > max + 2)
		want = max + 2;
	bigger = realloc(*buf, want);
	if (!bigger)
		return -ENOMEM;
	*buf = bigger;
	*cap = want;
	return 0;
}

static int read_fd(int fd, size_t max, uint8_t **out, size_t *out_len)
{
	uint8_t *buf = NULL;
	size_t cap = 0, len = 0;
	int ret = 0;

	for (;;) {
		ssize_t n;

		if (len + 1 >= cap && (ret = grow(&buf, &cap, max)) < 0)
			goto out;
		n = read(fd, buf + len, cap - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ret = -errno;
			goto out;
		}
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max) {
			ret = -EFBIG;
			goto out;
		}
	}
	buf[len] = '\0';
	*out = buf;
	*out_len = len;
	buf = NULL;
out:
	free(buf);
	return ret;
}

int file_read(const char *path, size_t max, uint8_t **data, size_t *len)
{
	int fd, ret;

	*data = NULL;
	*len = 0;
	if (max > SSIZE_MAX)
		return -EINVAL;
	if (strcmp(path, "-") == 0)
		return read_fd(STDIN_FILENO, max, data, len);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	ret = read_fd(fd, max, data, len);
	close(fd);
	return ret;
}

static int write_fd(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A temporary that a dead process with our number left is in nobody's use. */
static int open_beside(const char *temp, unsigned mode)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(temp, flags, (mode_t)mode);

	if (fd < 0 && errno == EEXIST && unlink(temp) == 0)
		fd = open(temp, flags, (mode_t)mode);
	return fd < 0 ? -errno : fd;
}

/* The rename itself must survive a crash too. */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, ret = 0;

	if (!slash)
		snprintf(folder, sizeof(folder), ".");
	else
		snprintf(folder, sizeof(folder), "%.*s",
		    slash == path ? 1 : (int)(slash - path), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int file_begin(struct file_new *file, const char *path, unsigned mode)
{
	int n = snprintf(
	    file->temp, sizeof(file->temp), "%s.%ld.tmp", path, (long)getpid());

	file->path = path;
	file->fd = -1;
	if (n < 0 || (size_t)n >= sizeof(file->temp))
		return -ENAMETOOLONG;
	n = open_beside(file->temp, mode);
	if (n < 0)
		return n;
	file->fd = n;
	return 0;
}

int file_commit(struct file_new *file)
{
	int ret = fsync(file->fd) < 0 ? -errno : 0;

	if (close(file->fd) < 0 && ret == 0)
		ret = -errno;
	file->fd = -1;
	if (ret == 0 && rename(file->temp, file->path) < 0)
		ret = -errno;
	if (ret < 0) {
		unlink(file->temp);
		return ret;
	}
	return sync_folder(file->path);
}

void file_abandon(struct file_new *file)
{
	if (file->fd < 0)
		return;
	close(file->fd);
	file->fd = -1;
	unlink(file->temp);
}

int file_write(const char *path, const void *data, size_t len, unsigned mode)
{
	struct file_new file;
	int ret = file_begin(&file, path, mode);

	if (ret < 0)
		return ret;
	ret = write_fd(file.fd, data, len);
	if (ret == 0)
		return file_commit(&file);
	file_abandon(&file);
	return ret;
}
