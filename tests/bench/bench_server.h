/*
 * bench_server: what the servers of the benches share: a port of this machine,
 * ours on a loop with a board, and the beginning of a bare one.
 */
#ifndef HALLMARK_TESTS_BENCH_SERVER_H
#define HALLMARK_TESTS_BENCH_SERVER_H

#include "base/board.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define NAME "BTC-USD"

static struct board *board;

/* Ours, with one feed; `timer` is there to be started. Never stops. */
static inline void bench_listen_ours(
    unsigned port, const struct http_route *routes, uv_timer_t *timer)
{
	uv_loop_t *loop = uv_default_loop();
	struct http_server *server;
	struct endpoint ep;
	char uri[64];

	snprintf(uri, sizeof(uri), "tcp://127.0.0.1:%u", port);
	board = board_new(loop, "bench");
	board_add_name(board, NAME);
	if (endpoint_parse(&ep, uri) != 0 ||
	    http_server_start(&server, loop, &ep, routes, NULL) != 0)
		log_die("bench", "does not listen");
	uv_timer_init(loop, timer);
}

static inline void bench_on_price(struct http_request *req, void *data)
{
	(void)data;
	board_serve_one(board, req);
}

static inline int bench_listen_bare(unsigned port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0 ||
	    listen(fd, 4096) != 0)
		log_die("bench", "does not listen");
	return fd;
}

static inline void bench_accept_all(int epoll_fd, int listener)
{
	int fd, on = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
	}
}

#endif
