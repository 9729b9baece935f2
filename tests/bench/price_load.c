/*
 * price_load: asks for the same again and again, on some connections, as fast
 * as the server answers, for bench_price.py.
 *
 *   price_load PORT CONNECTIONS SECONDS REQUEST
 *
 * REQUEST is the text of a request with its empty line. Prints how many were
 * answered and the 50th and 99th percentile of the time that took, in us.
 *
 * It has to cost less than any server, or it would measure its own processor:
 * a server that waits for its client wakes up more often than one that is
 * busy. So only the first answer of each connection is read; of all others the
 * kernel throws the bytes away (MSG_TRUNC) and tells how many there were: as
 * many as in the first, or it fails.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define ANSWER_MAX      65536
#define SLOTS           100000 /* of a histogram, 1 us each; the last: more */

static struct connection {
	int fd;
	size_t want, got; /* bytes of one answer */
	int64_t asked_ns;
} connections[CONNECTIONS_MAX];

static uint64_t histogram[SLOTS], answered;
static const char *request;
static size_t request_len;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fail(const char *why)
{
	fprintf(stderr, "price_load: %s\n", why);
	exit(1);
}

static void ask(struct connection *c)
{
	c->got = 0;
	c->asked_ns = now_ns();
	if (send(c->fd, request, request_len, MSG_NOSIGNAL) !=
	    (ssize_t)request_len)
		fail("the request was not taken");
}

/* The first answer, whole: its length is that of all others. */
static void learn(struct connection *c)
{
	static char answer[ANSWER_MAX + 1];
	size_t len = 0;

	ask(c);
	while (c->want == 0 || len < c->want) {
		ssize_t n = recv(c->fd, answer + len, ANSWER_MAX - len, 0);
		const char *end, *length;

		if (n <= 0)
			fail("no answer");
		len += (size_t)n;
		answer[len] = '\0';
		end = strstr(answer, "\r\n\r\n");
		if (!end || c->want)
			continue;
		length = strcasestr(answer, "\r\nContent-Length: ");
		if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || !length)
			fail("not the answer that was asked for");
		c->want = (size_t)(end + 4 - answer) +
			  strtoul(length + 18, NULL, 10);
	}
	if (len != c->want)
		fail("more than one answer");
}

static int connect_to(unsigned port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
		fail("cannot connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void on_readable(struct connection *c)
{
	ssize_t n = recv(c->fd, NULL, ANSWER_MAX, MSG_TRUNC | MSG_DONTWAIT);
	int64_t us;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		fail("the server closed");
	c->got += (size_t)n;
	if (c->got < c->want)
		return;
	if (c->got > c->want)
		fail("an answer of another length");
	us = (now_ns() - c->asked_ns) / 1000;
	histogram[us < SLOTS ? us : SLOTS - 1]++;
	answered++;
	ask(c);
}

static unsigned percentile(unsigned percent)
{
	uint64_t seen = 0;

	for (unsigned us = 0; us < SLOTS; us++) {
		seen += histogram[us];
		if (seen * 100 >= answered * percent)
			return us;
	}
	return SLOTS;
}

int main(int argc, char **argv)
{
	struct epoll_event events[CONNECTIONS_MAX];
	int epoll_fd = epoll_create1(0);
	unsigned count;
	int64_t end;

	if (argc != 5)
		return 1;
	count = (unsigned)strtoul(argv[2], NULL, 10);
	if (count == 0 || count > CONNECTIONS_MAX)
		fail("so many connections?");
	request = argv[4];
	request_len = strlen(request);
	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = {
		    .events = EPOLLIN, .data.ptr = &connections[i]};

		connections[i].fd = connect_to(
		    (unsigned)strtoul(argv[1], NULL, 10));
		learn(&connections[i]);
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connections[i].fd, &event);
	}
	end = now_ns() + (int64_t)strtoul(argv[3], NULL, 10) * 1000000000;
	for (unsigned i = 0; i < count; i++)
		ask(&connections[i]);
	while (now_ns() < end) {
		int n = epoll_wait(epoll_fd, events, CONNECTIONS_MAX, 1000);

		for (int i = 0; i < n; i++)
			on_readable(events[i].data.ptr);
	}
	printf("%llu %u %u\n", (unsigned long long)answered, percentile(50),
	    percentile(99));
	return 0;
}
