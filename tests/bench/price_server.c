/*
 * price_server: what answers GET /price/BTC-USD in bench_price.py.
 *
 *   price_server ours PORT FULL REF   base/board on http_server, as both
 *                                     programs serve it; a new item each second
 *   price_server bare PORT FULL REF   epoll, one read and one write for a
 *                                     request, an answer made once: the limit
 *
 * FULL and REF are files with the item's two forms; FULL.gz is the packed full
 * form for `bare`; ours packs it itself. ?attestation=ref asks for REF, and
 * Accept-Encoding: gzip for FULL.gz.
 */
#include "bench_server.h"

#include "base/descriptors.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 65536
#define EVENTS   256
#define HEAD_MAX 4096

struct text {
	char *bytes;
	size_t len;
};

static struct text read_text(const char *path, const char *suffix)
{
	char name[4096];
	FILE *in;
	struct text text = {.bytes = calloc(1, FILE_MAX)};

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	in = fopen(name, "rb");
	if (!in || !text.bytes)
		log_die("bench", "cannot read %s", name);
	text.len = fread(text.bytes, 1, FILE_MAX - 1, in);
	fclose(in);
	return text;
}

/* ---- ours ---- */

static struct text full, ref;

static void on_time(uv_timer_t *timer)
{
	(void)timer;
	board_post(board, &(struct board_text){
			      .name = NAME,
			      .full = full.bytes,
			      .ref = ref.bytes,
			      .sha256_hex = "e3b0c44298fc1c149afbf4c8996fb924"
					    "27ae41e4649b934ca495991b7852b855",
			      .published_ms = 1,
			      .expires_ms = INT64_MAX / 2,
			  });
}

static void serve_ours(unsigned port)
{
	static const char *const params[] = {"attestation", NULL};
	static const struct http_route routes[] = {
	    {http_get_kept, "/price/{feed}", params, bench_on_price},
	    {NULL, NULL, NULL, NULL},
	};
	uv_timer_t timer;

	bench_listen_ours(port, routes, &timer);
	uv_timer_start(&timer, on_time, 0, 1000);
	uv_run(timer.loop, UV_RUN_DEFAULT);
}

/* ---- bare ---- */

static struct text answers[3]; /* full, packed, ref */

static struct text make_answer(struct text body, const char *coding)
{
	struct text out = {.bytes = malloc(body.len + HEAD_MAX)};
	int n;

	if (!out.bytes)
		log_die("bench", "out of memory");
	/* As many bytes as ours has. */
	n = snprintf(out.bytes, HEAD_MAX,
	    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	    "Content-Type: application/json\r\n%s"
	    "Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: "
	    "ETag, Link, Retry-After, X-Request-Id\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "X-Request-Id: 0123456789abcdef-0123456789abcdef\r\n"
	    "Cache-Control: public, max-age=1\r\nETag: \"e3b0c44298fc1c149afb"
	    "f4c8996fb92427ae41e4649b934ca495991b7852b855\"\r\n"
	    "Vary: Accept-Encoding\r\nContent-Length: %zu\r\n\r\n",
	    coding, body.len);
	memcpy(out.bytes + n, body.bytes, body.len);
	out.len = (size_t)n + body.len;
	return out;
}

static const struct text *choose(const char *head)
{
	if (strncmp(head, "GET /price/" NAME, 18) != 0)
		return NULL;
	if (strncmp(head + 18, "?attestation=ref ", 17) == 0)
		return &answers[2];
	return strstr(head, "\r\nAccept-Encoding: gzip\r\n") ? &answers[1]
							     : &answers[0];
}

/* Its readers are fast: what the socket does not take at once waits here. */
static bool serve_request(int fd)
{
	char head[HEAD_MAX + 1];
	ssize_t n = read(fd, head, HEAD_MAX);
	const struct text *answer;

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	head[n] = '\0';
	answer = strstr(head, "\r\n\r\n") ? choose(head) : NULL;
	if (!answer)
		return false;
	for (size_t gone = 0; gone < answer->len;) {
		n = write(fd, answer->bytes + gone, answer->len - gone);
		if (n < 0 && errno != EAGAIN)
			return false;
		gone += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static void serve_bare(unsigned port, const char *full_path)
{
	int listener = bench_listen_bare(port), epoll_fd = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
	struct epoll_event events[EVENTS];

	answers[0] = make_answer(full, "");
	answers[1] = make_answer(
	    read_text(full_path, ".gz"), "Content-Encoding: gzip\r\n");
	answers[2] = make_answer(ref, "");
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				bench_accept_all(epoll_fd, listener);
			else if (!serve_request(events[i].data.fd))
				close(events[i].data.fd);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned port;

	if (argc != 5)
		return 1;
	port = (unsigned)strtoul(argv[2], NULL, 10);
	signal(SIGPIPE, SIG_IGN);
	descriptors_want(HTTP_CONNECTIONS_MAX);
	full = read_text(argv[3], "");
	ref = read_text(argv[4], "");
	if (strcmp(argv[1], "ours") == 0)
		serve_ours(port);
	else
		serve_bare(port, argv[3]);
	return 0;
}
