/* platform: see platform.h. */
#include "oracle/init/platform.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Its one line; "" if it cannot be read. */
static void read_line(char out[static PLATFORM_TEXT_MAX], const char *path)
{
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (file_read(path, 4096, &bytes, &len) != 0)
		len = 0;
	if (len >= PLATFORM_TEXT_MAX)
		len = PLATFORM_TEXT_MAX - 1;
	if (len > 0)
		memcpy(out, bytes, len);
	out[len] = '\0';
	out[strcspn(out, "\n")] = '\0';
	free(bytes);
}

static void ask_for(const char *path, const char *wanted)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* What came of it is read. */
	if (write(fd, wanted, strlen(wanted)) < 0)
		(void)0;
	close(fd);
}

int platform_want(
    const char *path, const char *wanted, char *error, size_t size)
{
	char found[PLATFORM_TEXT_MAX];

	read_line(found, path);
	if (strcmp(found, wanted) == 0)
		return 0;
	ask_for(path, wanted);
	read_line(found, path);
	if (strcmp(found, wanted) == 0)
		return 0;
	snprintf(error, size, "%s is \"%s\", not \"%s\"", path, found, wanted);
	return -1;
}
