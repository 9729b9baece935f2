/*
 * fuzz_http_server: a connection's bytes through the real server, on the
 * board's routes. Whatever comes, an answer is one: a status line, and where
 * it says JSON, JSON; and when the client has left nothing of it is left.
 */
#include "base/board_routes.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TURNS_MAX  200 /* of the loop, for one input */
#define ANSWER_MAX 262144
#define NAME       "fuzz-http-server"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static uv_loop_t loop;
static struct board_front front;
static struct http_server *server;
static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

static void forget_socket(void)
{
	unlink(socket_path);
}

static void post(const char *name, int64_t life_ms, const char *unavailable)
{
	board_post(front.board,
	    &(struct board_text){
		.name = name,
		.full = "{\"content\":\"\",\"attestation_doc_b64\":\"\"}",
		.ref = "{\"content\":\"\"}",
		.sha256_hex = "ab",
		.published_ms = 1700000000000,
		.expires_ms = 1700000000000 + life_ms,
		.unavailable = unavailable,
		.boot_id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		.sequence = 7,
		.price = unavailable ? NULL : "84036.50",
		.confidence = unavailable ? NULL : "3.25",
	    });
}

static void start(void)
{
	static const struct service_route *const tables[] = {
	    board_routes, NULL};
	struct endpoint ep;
	char uri[160];

	assert(uv_loop_init(&loop) == 0);
	snprintf(
	    socket_path, sizeof(socket_path), "/tmp/%s.%d", NAME, getpid());
	snprintf(uri, sizeof(uri), "unix://%s", socket_path);
	atexit(forget_socket);
	assert(endpoint_parse(&ep, uri) == 0);
	front.service = service_new("fuzz", tables);
	front.board = board_new(&loop, "e1");
	board_add_name(front.board, "BTC-USD");
	board_add_name(front.board, "ETH-USD");
	board_add_name(front.board, "OLD-USD");
	post("BTC-USD", INT64_C(9000000000000), NULL);
	post("ETH-USD", INT64_C(9000000000000), "price_jump");
	post("OLD-USD", 1, NULL);
	assert(http_server_start(&server, &loop, &ep,
		   service_routes(front.service), &front) == 0);
}

static int dial(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(un.sun_path, socket_path, sizeof(un.sun_path));
	assert(connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
	return fd;
}

/* Reads until the server is silent; the bytes that came. */
static size_t talk(int fd, const uint8_t *bytes, size_t len, char *out)
{
	size_t got = 0, silent = 0;

	for (int turn = 0; turn < TURNS_MAX && silent < 6; turn++) {
		ssize_t sent = len ? send(fd, bytes, len, MSG_NOSIGNAL) : 0;
		ssize_t n;

		if (sent > 0) {
			bytes += sent;
			len -= (size_t)sent;
		}
		uv_run(&loop, UV_RUN_NOWAIT);
		n = recv(fd, out + got, ANSWER_MAX - got, 0);
		if (n == 0)
			break;
		silent = n > 0 || sent > 0 ? 0 : silent + 1;
		got += n > 0 ? (size_t)n : 0;
	}
	return got;
}

/* The first answer: several may have been asked for. */
static void check_answer(const char *text)
{
	const char *body = strstr(text, "\r\n\r\n"), *length;
	json_t *json;
	size_t len;

	assert(strncmp(text, "HTTP/1.", 7) == 0);
	if (!body || !strstr(text, "application/problem+json") ||
	    strstr(text, "application/problem+json") > body)
		return;
	length = strcasestr(text, "\r\nContent-Length: ");
	assert(length && length < body);
	len = strtoul(length + 18, NULL, 10);
	if (strlen(body + 4) < len || strncmp(body + 4, "{", 1) != 0)
		return; /* HEAD, or cut off */
	json = json_loadb(body + 4, len, JSON_REJECT_DUPLICATES, NULL);
	assert(json && json_is_string(json_object_get(json, "code")));
	json_decref(json);
}

static unsigned streams(void)
{
	struct sse_stats stats;

	board_stream_stats(front.board, &stats);
	return stats.subscribers;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static char answer[ANSWER_MAX + 1];
	int fd;

	if (!server)
		start();
	fd = dial();
	answer[talk(fd, bytes, len, answer)] = '\0';
	if (answer[0])
		check_answer(answer);
	close(fd);
	for (int turn = 0;
	     turn < TURNS_MAX && (streams() || board_waiting(front.board));
	     turn++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert(streams() == 0 && board_waiting(front.board) == 0);
	return 0;
}
