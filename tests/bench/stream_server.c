/*
 * stream_server: what serves a stream in bench_serve.py: events of 1.2 KB, so
 * many a second, to all who asked for any path.
 *
 *   stream_server ours PORT HZ    base/board on http_server, as both programs
 *                                 serve it, with /price/BTC-USD beside it
 *   stream_server bare PORT HZ    epoll and send, and nothing else: the limit
 *
 * Each event carries the time (CLOCK_MONOTONIC, ns) and a number, for
 * stream_load.c.
 */
#include "bench_server.h"

#include "base/descriptors.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define DATA_BYTES  1180 /* with event, id and data about 1.2 KB */
#define READERS_MAX 12288

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* {"m":"TS=...  SEQ=...","x":"xxx"} of DATA_BYTES. */
static void make_data(char out[static DATA_BYTES + 1])
{
	static unsigned sequence;
	int n = snprintf(out, DATA_BYTES,
	    "{\"m\":\"TS=%016llx SEQ=%08x\",\"x\":\"",
	    (unsigned long long)now_ns(), ++sequence);

	memset(out + n, 'x', DATA_BYTES - (size_t)n - 2);
	memcpy(out + DATA_BYTES - 2, "\"}", 3);
}

/* ---- ours ---- */

static uint64_t next_ms, period_ms;

static void on_stream(struct http_request *req, void *data)
{
	(void)data;
	board_serve_stream(board, req);
}

/* By the clock: the timer's own repetition drifts. */
static void on_time(uv_timer_t *timer)
{
	char data[DATA_BYTES + 1];
	uint64_t now;

	make_data(data);
	board_post(board, &(struct board_text){
			      .name = NAME,
			      .full = data,
			      .ref = data,
			      .sha256_hex = "00",
			      .published_ms = 1,
			      .expires_ms = INT64_MAX / 2,
			  });
	uv_update_time(timer->loop);
	now = uv_now(timer->loop);
	next_ms += period_ms;
	uv_timer_start(timer, on_time, next_ms > now ? next_ms - now : 0, 0);
}

static void serve_ours(unsigned port, unsigned hz)
{
	static const char *const params[] = {"feeds", NULL};
	static const struct http_route routes[] = {
	    {http_get_stream, "/stream", params, on_stream},
	    {http_get_kept, "/price/{feed}", params, bench_on_price},
	    {NULL, NULL, NULL, NULL},
	};
	uv_timer_t timer;

	bench_listen_ours(port, routes, &timer);
	period_ms = 1000 / hz;
	next_ms = uv_now(timer.loop) + period_ms;
	uv_timer_start(&timer, on_time, period_ms, 0);
	uv_run(timer.loop, UV_RUN_DEFAULT);
}

/* ---- bare ---- */

static int readers[READERS_MAX], reader_count;

static void serve_request(int fd)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Type: text/event-stream\r\n"
				   "Cache-Control: no-store\r\n"
				   "Connection: close\r\n\r\n";
	char request[4096];

	if (read(fd, request, sizeof(request)) <= 0) {
		for (int i = 0; i < reader_count; i++)
			if (readers[i] == fd) {
				readers[i] = readers[--reader_count];
				break;
			}
		close(fd);
		return;
	}
	if (reader_count < READERS_MAX && write(fd, head, sizeof(head) - 1) > 0)
		readers[reader_count++] = fd;
}

static void send_event(void)
{
	static char event[DATA_BYTES + 128];
	static unsigned number;
	char data[DATA_BYTES + 1];
	int len;

	make_data(data);
	len = snprintf(event, sizeof(event),
	    "event: price\nid: bench-%u\ndata: %s\n\n", ++number, data);
	/* What a full socket does not take is lost, and missed by its
	 * reader. */
	for (int i = 0; i < reader_count; i++)
		(void)!send(readers[i], event, (size_t)len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void serve_bare(unsigned port, unsigned hz)
{
	int listener = bench_listen_bare(port), epoll_fd = epoll_create1(0);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec period = {
	    .it_interval.tv_nsec = 1000000000 / (long)hz, .it_value.tv_sec = 1};
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
	struct epoll_event events[256];
	uint64_t ticks;

	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
	event.data.fd = timer;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &event);
	timerfd_settime(timer, 0, &period, NULL);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, 256, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == listener)
				bench_accept_all(epoll_fd, listener);
			else if (fd != timer)
				serve_request(fd);
			else if (read(timer, &ticks, sizeof(ticks)) > 0)
				send_event();
		}
	}
}

int main(int argc, char **argv)
{
	unsigned port, hz;

	if (argc != 4)
		return 1;
	port = (unsigned)strtoul(argv[2], NULL, 10);
	hz = (unsigned)strtoul(argv[3], NULL, 10);
	signal(SIGPIPE, SIG_IGN);
	descriptors_want(HTTP_CONNECTIONS_MAX);
	if (strcmp(argv[1], "ours") == 0)
		serve_ours(port, hz ? hz : 1);
	else
		serve_bare(port, hz ? hz : 1);
	return 0;
}
