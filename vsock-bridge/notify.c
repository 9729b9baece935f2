/* notify: see notify.h. */
#include "vsock-bridge/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 512

/* A path, or '@' and an abstract name; 0: neither. */
static socklen_t read_address(struct sockaddr_un *out)
{
	const char *text = getenv("NOTIFY_SOCKET");
	size_t len = text == NULL ? 0 : strlen(text);

	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	if (len < 2 || len >= sizeof(out->sun_path) ||
	    (text[0] != '/' && text[0] != '@'))
		return 0;
	memcpy(out->sun_path, text, len);
	if (text[0] == '@')
		out->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
			   (text[0] == '/'));
}

bool notify_send(const char *text)
{
	struct sockaddr_un address;
	socklen_t address_len = read_address(&address);
	size_t len = strlen(text);
	bool sent;
	int fd;

	if (address_len == 0)
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	sent = sendto(fd, text, len, MSG_NOSIGNAL, (struct sockaddr *)&address,
		   address_len) == (ssize_t)len;
	close(fd);
	return sent;
}

void notify_ready(const char *status)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
	notify_send(text);
}

/* "the value of the CLOCK_MONOTONIC clock, in microseconds" */
void notify_reloading(void)
{
	char text[TEXT_MAX];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_send(text);
}

void notify_stopping(const char *status, uint64_t timeout_ms)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text),
	    "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=%s",
	    timeout_ms * 1000, status);
	notify_send(text);
}
