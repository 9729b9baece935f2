/*
 * stream_load: readers of a stream, for bench_serve.py.
 *
 *   stream_load PORT PATH READERS SECONDS PID [price PATH HZ|publish PATH HZ]
 *
 * Opens READERS streams, waits until they are served, and reads for SECONDS.
 * Finds the marks of stream_server.c in what comes, however it is framed, and
 * prints one line: deliveries, lost, late (over a second), p50 and p99 of the
 * time from publishing to receiving (us), CPU time of process PID for each
 * delivery (us), its memory for each reader (KB), and p50 and p99 of the
 * answers to GET PATH meanwhile (us), HZ a second on one connection. With
 * `publish` it is the one who publishes, by POST, for servers of others. With
 * READERS 0 it asks and reads nothing: one that reads for thousands is not
 * there when the answer comes.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK_BYTES 32 /* "TS=" 16 digits " SEQ=" 8 digits */
#define BODY_BYTES 1180
#define LATE_NS    1000000000u
#define SETTLE_NS  2000000000u

struct reader {
	int fd;
	uint32_t last;
	size_t kept; /* of a mark that may go on */
	char carry[MARK_BYTES];
};

static struct reader *readers;
static int reader_count, epoll_fd;
static bool measuring;
static unsigned long delivered, lost, late;

struct times {
	uint32_t *us;
	size_t count, cap;
};
static struct times received, answered;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "stream_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- figures ---- */

static void add_time(struct times *times, uint64_t ns)
{
	if (times->count == times->cap) {
		times->cap = times->cap ? 2 * times->cap : 1 << 20;
		times->us = realloc(
		    times->us, times->cap * sizeof(times->us[0]));
		if (!times->us)
			die("memory");
	}
	times->us[times->count++] = (uint32_t)(ns / 1000);
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint32_t percentile(struct times *times, unsigned percent)
{
	if (times->count == 0)
		return 0;
	qsort(times->us, times->count, sizeof(times->us[0]), compare);
	return times->us[times->count * percent / 100];
}

/* CPU time of all threads of a process, ns. */
static double cpu_ns(int pid)
{
	char path[512];
	struct dirent *entry;
	double total = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir))) {
		unsigned long long ns = 0;
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat",
		    pid, entry->d_name);
		file = fopen(path, "r");
		if (file && fscanf(file, "%llu", &ns) == 1)
			total += (double)ns;
		if (file)
			fclose(file);
	}
	closedir(dir);
	return total;
}

static double memory_kb(int pid)
{
	char path[64], line[256];
	double kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %lf", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

/* ---- marks ---- */

static void on_mark(struct reader *reader, const char *mark, uint64_t now)
{
	uint64_t at = strtoull(mark + 3, NULL, 16);
	uint32_t number = (uint32_t)strtoul(mark + 24, NULL, 16);

	if (measuring) {
		if (reader->last && number > reader->last + 1)
			lost += number - reader->last - 1;
		delivered++;
		late += now - at > LATE_NS;
		add_time(&received, now - at);
	}
	reader->last = number;
}

static void on_bytes(struct reader *reader)
{
	static char bytes[MARK_BYTES + 65536];
	char *at = bytes, *end, *found;
	uint64_t now;
	ssize_t n;

	memcpy(bytes, reader->carry, reader->kept);
	n = recv(reader->fd, bytes + reader->kept, 65536, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("a stream ended");
	now = now_ns();
	end = bytes + reader->kept + n;
	while ((found = memmem(at, (size_t)(end - at), "TS=", 3)) &&
	       end - found >= MARK_BYTES) {
		on_mark(reader, found, now);
		at = found + MARK_BYTES;
	}
	if (end - at > MARK_BYTES - 1)
		at = end - (MARK_BYTES - 1);
	reader->kept = (size_t)(end - at);
	memcpy(reader->carry, at, reader->kept);
}

static void read_ready(int wait_ms)
{
	struct epoll_event events[512];
	int n = epoll_wait(epoll_fd, events, 512, wait_ms);

	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			on_bytes(events[i].data.ptr);
}

/* ---- connections ---- */

static int dial(int port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void open_readers(int port, const char *path)
{
	char request[512];
	int len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\n"
	    "Accept: text/event-stream\r\n\r\n",
	    path);

	for (int i = 0; i < reader_count; i++) {
		struct reader *reader = &readers[i];
		struct epoll_event event = {
		    .events = EPOLLIN, .data.ptr = reader};

		reader->fd = dial(port);
		if (write(reader->fd, request, (size_t)len) != len)
			die("request");
		fcntl(reader->fd, F_SETFL, O_NONBLOCK);
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, reader->fd, &event);
		if (i % 64 == 0)
			read_ready(0);
	}
}

/* ---- what else there is to do, HZ times a second ---- */

struct side {
	bool publishes;
	const char *path;
	uint64_t period_ns, next_ns, asked_ns;
	int fd;
};

static void publish(struct side *side)
{
	static unsigned number;
	char message[2048], body[BODY_BYTES + 1], rest[4096];
	int n = snprintf(body, sizeof(body),
	    "{\"m\":\"TS=%016llx SEQ=%08x\",\"x\":\"",
	    (unsigned long long)now_ns(), ++number);
	int len;

	memset(body + n, 'x', BODY_BYTES - (size_t)n - 2);
	memcpy(body + BODY_BYTES - 2, "\"}", 3);
	len = snprintf(message, sizeof(message),
	    "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s",
	    side->path, BODY_BYTES, body);
	if (write(side->fd, message, (size_t)len) != len)
		die("publish");
	(void)!recv(side->fd, rest, sizeof(rest), MSG_DONTWAIT);
}

static void ask(struct side *side)
{
	char message[512];
	int len = snprintf(message, sizeof(message),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", side->path);

	if (side->asked_ns) /* still waits for the last answer */
		return;
	if (write(side->fd, message, (size_t)len) != len)
		die("ask");
	side->asked_ns = now_ns();
}

static void take_answer(struct side *side)
{
	char answer[16384];

	if (!side->asked_ns ||
	    recv(side->fd, answer, sizeof(answer), MSG_DONTWAIT) <= 0)
		return;
	if (measuring)
		add_time(&answered, now_ns() - side->asked_ns);
	side->asked_ns = 0;
}

/* Returns ms until there is something to do again. */
static int turn(struct side *side)
{
	uint64_t now = now_ns();

	if (!side->path)
		return 20;
	if (!side->publishes)
		take_answer(side);
	if (now >= side->next_ns) {
		side->next_ns += side->period_ns;
		if (side->publishes)
			publish(side);
		else
			ask(side);
	}
	now = now_ns();
	return side->next_ns > now ? (int)((side->next_ns - now) / 1000000) : 0;
}

static void start_side(struct side *side, int port, char **argv)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

	side->publishes = strcmp(argv[0], "publish") == 0;
	side->path = argv[1];
	side->period_ns = 1000000000u / strtoul(argv[2], NULL, 10);
	side->next_ns = now_ns();
	side->fd = dial(port);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, side->fd, &event);
}

static void run_until(uint64_t end_ns, struct side *side)
{
	while (now_ns() < end_ns)
		read_ready(turn(side));
}

int main(int argc, char **argv)
{
	struct rlimit limit = {20000, 20000};
	struct side side = {.path = NULL};
	double before_ns, before_kb, cpu;
	int port, pid;

	if (argc != 6 && argc != 9)
		return 1;
	setrlimit(RLIMIT_NOFILE, &limit);
	port = atoi(argv[1]);
	reader_count = atoi(argv[3]);
	pid = atoi(argv[5]);
	readers = calloc((size_t)reader_count, sizeof(readers[0]));
	epoll_fd = epoll_create1(0);
	before_kb = memory_kb(pid);
	open_readers(port, argv[2]);
	if (argc == 9)
		start_side(&side, port, argv + 6);
	run_until(now_ns() + SETTLE_NS, &side);
	before_kb = memory_kb(pid) - before_kb;
	before_ns = cpu_ns(pid);
	measuring = true;
	run_until(now_ns() + (uint64_t)(atof(argv[4]) * 1e9), &side);
	cpu = cpu_ns(pid) - before_ns;
	printf("%lu %lu %lu %u %u %.3f %.3f %u %u\n", delivered, lost, late,
	    percentile(&received, 50), percentile(&received, 99),
	    cpu / 1000 / (double)(delivered ? delivered : 1),
	    before_kb / (reader_count ? reader_count : 1),
	    percentile(&answered, 50), percentile(&answered, 99));
	return 0;
}
