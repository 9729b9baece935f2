/* teller: the other side of one connection, on a thread: it takes the question
 * and says what it was told to, in pieces. teller_up() listens on a Unix socket
 * at teller.at; teller_tell() waits for the next one who dials. */
#ifndef HALLMARK_TESTS_BASE_TELLER_H
#define HALLMARK_TESTS_BASE_TELLER_H

#include "base/endpoint.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The test includes cmocka. */
static struct {
	const char *bytes;
	size_t len, piece;
	bool stays; /* it waits for the other to go; else it hangs up */
	char asked[64];

	struct endpoint at;
	int listener;
	char path[64];
	pthread_t thread;
} teller;

static void *teller_run(void *data)
{
	int fd = accept(teller.listener, NULL, NULL);
	size_t said = 0;
	char rest[64];

	(void)data;
	(void)!read(fd, teller.asked, sizeof(teller.asked) - 1);
	while (said < teller.len) {
		size_t left = teller.len - said;
		ssize_t n = send(fd, teller.bytes + said,
		    left < teller.piece ? left : teller.piece, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		said += (size_t)n;
		usleep(500);
	}
	while (teller.stays && read(fd, rest, sizeof(rest)) > 0)
		continue;
	close(fd);
	return NULL;
}

static void teller_tell(const char *bytes, size_t len, size_t piece)
{
	teller.bytes = bytes;
	teller.len = len;
	teller.piece = piece;
	assert_int_equal(
	    pthread_create(&teller.thread, NULL, teller_run, NULL), 0);
}

static void teller_up(void)
{
	char text[100];

	memset(&teller, 0, sizeof(teller));
	snprintf(teller.path, sizeof(teller.path), "/tmp/hallmark-teller.%d",
	    getpid());
	snprintf(text, sizeof(text), "unix://%s", teller.path);
	assert_int_equal(endpoint_parse(&teller.at, text), 0);
	teller.listener = endpoint_listen(&teller.at, 8);
	assert_true(teller.listener >= 0);
	/* it listens on a non-blocking descriptor; the thread waits */
	(void)!fcntl(teller.listener, F_SETFL, 0);
}

static void teller_down(void)
{
	close(teller.listener);
	unlink(teller.path);
}

#endif
