/*
 * bridge_load: the load of bench_bridge.py: a server behind the relay, and
 * clients in front of it.
 *
 *   bridge_load serve PATH                 a Unix socket; ends with its stdin
 *   bridge_load bulk PORT MIB COUNT        MiB/s of COUNT connections at once
 *   bridge_load rate PORT SECONDS COUNT    connections that came about
 *   bridge_load idle PORT COUNT            holds them until its stdin ends
 *
 * A connection's first byte says what it is for: 'S' throws all away and
 * answers with how many bytes there were, 'E' sends everything back. A client
 * that does not get what it sent for ends the program with status 1: a relay
 * that loses bytes has no speed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CHUNK          65536
#define ECHO_BYTES     1024
#define CONNECTIONS    20000
#define THREADS        64
#define EVENTS         256
#define SERVER_BUFFER  262144
#define FIELD_MAX      1000000
#define LISTEN_BACKLOG 4096

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bridge_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	must(*text != '\0' && *end == '\0' && value <= FIELD_MAX, text);
	return (unsigned)value;
}

/* ---- the server ---- */

static struct {
	char what; /* the first byte; 0 before it */
	uint64_t bytes;
} served[CONNECTIONS];

static int epoll_fd;

static void watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	must(fd < CONNECTIONS, "too many connections");
	memset(&served[fd], 0, sizeof(served[fd]));
	must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void serve(int fd)
{
	static char bytes[SERVER_BUFFER];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0) {
		if (served[fd].what == 0)
			served[fd].what = bytes[0];
		served[fd].bytes += (uint64_t)n;
		/* So few that they go at once. */
		if (served[fd].what != 'E' || write(fd, bytes, (size_t)n) == n)
			return;
	}
	if (n == 0 && served[fd].what == 'S')
		(void)!write(fd, &served[fd].bytes, sizeof(served[fd].bytes));
	if (n >= 0 || errno != EAGAIN)
		close(fd);
}

static void accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		watch(fd);
}

static int listen_at(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	must(strlen(path) < sizeof(un.sun_path), path);
	memcpy(un.sun_path, path, strlen(path));
	must(bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0, path);
	must(listen(fd, LISTEN_BACKLOG) == 0, "listen");
	return fd;
}

static int run_server(char **args)
{
	struct epoll_event events[EVENTS];
	int listener = listen_at(args[0]);

	epoll_fd = epoll_create1(0);
	watch(STDIN_FILENO);
	watch(listener);
	for (;;) {
		int count = epoll_wait(epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == STDIN_FILENO)
				return 0;
			if (events[i].data.fd == listener)
				accept_all(listener);
			else
				serve(events[i].data.fd);
		}
	}
}

/* ---- clients ---- */

static struct {
	uint16_t port;
	uint64_t bytes_each;
	double until_s;
	uint64_t made[THREADS];
} load;

static int connected(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(load.port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	must(fd >= 0, "socket");
	must(connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void write_all(int fd, const void *bytes, size_t len)
{
	must(send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len, "send");
}

static void read_all(int fd, void *bytes, size_t len)
{
	must(recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len, "recv");
}

static void *send_bulk(void *arg)
{
	static const char chunk[CHUNK] = "S";
	uint64_t left = load.bytes_each, taken = 0;
	int fd = connected();

	while (left > 0) {
		size_t len = left < CHUNK ? (size_t)left : CHUNK;

		write_all(fd, chunk, len);
		left -= len;
	}
	shutdown(fd, SHUT_WR);
	read_all(fd, &taken, sizeof(taken));
	must(taken == load.bytes_each, "bytes were lost");
	close(fd);
	return arg;
}

/* Reset at the end: so many connections would leave no port free otherwise. */
static void echo_once(void)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	char sent[ECHO_BYTES] = "E", got[ECHO_BYTES];
	int fd = connected();

	write_all(fd, sent, sizeof(sent));
	read_all(fd, got, sizeof(got));
	must(memcmp(sent, got, sizeof(sent)) == 0, "other bytes came back");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void *make_connections(void *arg)
{
	uint64_t *made = arg;

	while (now_s() < load.until_s) {
		echo_once();
		(*made)++;
	}
	return NULL;
}

static void in_threads(void *(*work)(void *), unsigned count)
{
	pthread_t threads[THREADS];

	must(count > 0 && count <= THREADS, "number of threads");
	for (unsigned i = 0; i < count; i++)
		must(
		    pthread_create(&threads[i], NULL, work, &load.made[i]) == 0,
		    "thread");
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static int run_bulk(char **args)
{
	unsigned mib = number(args[1]), count = number(args[2]);
	double began_s = now_s();

	load.bytes_each = ((uint64_t)mib << 20) / count;
	in_threads(send_bulk, count);
	printf("%.1f\n", mib / (now_s() - began_s));
	return 0;
}

static int run_rate(char **args)
{
	unsigned count = number(args[2]);
	uint64_t made = 0;

	load.until_s = now_s() + number(args[1]);
	in_threads(make_connections, count);
	for (unsigned i = 0; i < count; i++)
		made += load.made[i];
	printf("%llu\n", (unsigned long long)made);
	return 0;
}

static int run_idle(char **args)
{
	unsigned count = number(args[1]);
	char byte;

	for (unsigned i = 0; i < count; i++) {
		int fd = connected();

		write_all(fd, "E", 1);
		read_all(fd, &byte, 1);
	}
	puts("open");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **args);
} commands[] = {
    {"serve", 1, run_server},
    {"bulk", 3, run_bulk},
    {"rate", 3, run_rate},
    {"idle", 2, run_idle},
};

int main(int argc, char **argv)
{
	struct rlimit limit;

	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (argc != commands[i].args + 2 ||
		    strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (commands[i].run != run_server)
			load.port = (uint16_t)number(argv[2]);
		return commands[i].run(argv + 2);
	}
	fprintf(stderr, "usage: see bridge_load.c\n");
	return 2;
}
