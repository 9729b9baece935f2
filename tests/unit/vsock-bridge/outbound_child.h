/*
 * outbound_child: the program with two outbound rules, a Unix socket and TCP,
 * one allow-list, and an upstream of the test's own behind it.
 *
 *   good.example:443   any-protocol      gone.example:443      refuses
 *   tls.example:443    and *.tls.example nowhere.example:443   no such socket
 *   localhost:443      looked up, and prohibited
 */
#ifndef HALLMARK_TESTS_BRIDGE_OUTBOUND_CHILD_H
#define HALLMARK_TESTS_BRIDGE_OUTBOUND_CHILD_H

#include "tests/unit/vsock-bridge/child.h"

#include "vsock-bridge/answer.h"

static struct child child;
static int upstream; /* what good.example:443 leads to */
static uint16_t tcp_port;

#define TLS     "CONNECT tls.example:443 HTTP/1.1\r\n\r\n"
#define GOOD    "CONNECT good.example:443 HTTP/1.1\r\n\r\n"
#define BAD     "CONNECT evil.example:443 HTTP/1.1\r\n\r\n"
#define GRANTED ANSWER_GRANTED

HARNESS void write_allowlist(const char *more)
{
	char text[1024];
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	assert_int_equal(
	    getsockname(upstream, (struct sockaddr *)&in, &len), 0);
	snprintf(text, sizeof(text),
	    "good.example:443 tcp://127.0.0.1:%u any-protocol\n"
	    "tls.example:443 tcp://127.0.0.1:%u\n"
	    "*.tls.example:443 tcp://127.0.0.1:%u\n"
	    "gone.example:443 tcp://127.0.0.1:%u\n"
	    "nowhere.example:443 unix:///nonexistent/socket\n"
	    "localhost:443\n"
	    "%s",
	    ntohs(in.sin_port), ntohs(in.sin_port), ntohs(in.sin_port),
	    harness_closed_port(), more);
	child_write_file(&child, "allow", text);
}

/* With these settings beside the rules: `, "connections_max": 2`. */
HARNESS void start_with(const char *settings, const char *more_rules)
{
	uint16_t ignored;
	char config[1024];

	child_init(&child);
	upstream = harness_tcp_listen(64, &ignored);
	write_allowlist(more_rules);
	tcp_port = harness_closed_port();
	snprintf(config, sizeof(config),
	    "{\"outbound\": ["
	    "{\"listen\": \"unix://%s\", \"allowlist\": \"allow\"},"
	    "{\"listen\": \"tcp://127.0.0.1:%u\", \"allowlist\": \"allow\"}"
	    "]%s}",
	    child.socket_path, tcp_port, settings);
	child_start(&child, config, 2);
}

HARNESS void stop(void)
{
	close(upstream);
	child_stop(&child);
}

HARNESS int client(void)
{
	return client_unix(child.socket_path);
}

/* A relay that stands: its client, and its upstream in *far. */
HARNESS int granted(int *far)
{
	int fd = client();

	client_say(fd, GOOD);
	client_expect(fd, GRANTED);
	*far = client_accept(upstream);
	return fd;
}

HARNESS void refused_fd(int fd, const char *request, const char *status)
{
	char answer[2 * ANSWER_BYTES_MAX], expected[64];

	client_say(fd, request);
	client_read_all(fd, answer, sizeof(answer));
	snprintf(expected, sizeof(expected), "HTTP/1.1 %s ", status);
	if (strncmp(answer, expected, strlen(expected)) != 0)
		fail_msg("%s: %s", request, answer);
	assert_non_null(strstr(answer, "\r\n\r\n"));
	close(fd);
}

HARNESS void refused(const char *request, const char *status)
{
	refused_fd(client(), request, status);
}

/* The service goes on. */
HARNESS void still_serves(void)
{
	int far, fd = granted(&far);

	client_say(fd, "ping");
	client_expect(far, "ping");
	close(far);
	close(fd);
}

#endif
