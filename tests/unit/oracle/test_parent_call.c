/*
 * parent_call: an answer whole, in pieces, too long, cut off, too late, from
 * nobody; and cancelled while it dials and while it waits.
 */
#include "oracle/parent_call.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ANSWER_MAX 100
#define ASKED      "how much?"

static uv_loop_t loop;
static struct endpoint at;
static int listener;
static char path[64];

/* What the parent says, in such pieces; then it waits for us to go, or not. */
static struct {
	const char *bytes;
	size_t len, piece;
	bool stays, reads;
	char asked[64];
} parent;

static struct {
	unsigned fired;
	int status;
	char bytes[ANSWER_MAX + 1];
	size_t len;
} heard;

static void *serve(void *data)
{
	int fd = accept(listener, NULL, NULL);
	size_t said = 0;
	char rest[64];
	(void)data;

	if (parent.reads)
		(void)!read(fd, parent.asked, sizeof(parent.asked) - 1);
	while (said < parent.len) {
		size_t left = parent.len - said;
		ssize_t n = send(fd, parent.bytes + said,
		    left < parent.piece ? left : parent.piece, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		said += (size_t)n;
		usleep(500);
	}
	while (parent.stays && read(fd, rest, sizeof(rest)) > 0)
		continue;
	close(fd);
	return NULL;
}

static void on_answer(int status, const uint8_t *bytes, size_t len, void *data)
{
	(void)data;
	heard.fired++;
	heard.status = status;
	heard.len = len;
	assert_true(len <= ANSWER_MAX && (status == 0) == (bytes != NULL));
	if (len > 0)
		memcpy(heard.bytes, bytes, len);
}

static struct parent_call *start(uint64_t timeout_ms)
{
	heard.fired = 0;
	return parent_call_start(&(struct parent_call_options){.loop = &loop,
	    .at = &at,
	    .bytes = ASKED,
	    .len = strlen(ASKED),
	    .answer_max = ANSWER_MAX,
	    .timeout_ms = timeout_ms,
	    .cb = on_answer});
}

static void call(const char *bytes, size_t len, size_t piece)
{
	pthread_t thread;

	parent.bytes = bytes;
	parent.len = len;
	parent.piece = piece;
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	start(parent.stays && len == 0 ? 100 : 20000);
	assert_int_equal(heard.fired, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	pthread_join(thread, NULL);
	assert_int_equal(heard.fired, 1);
}

static int up(void **state)
{
	char text[100];
	(void)state;
	memset(&parent, 0, sizeof(parent));
	memset(&heard, 0, sizeof(heard));
	parent.reads = true;
	assert_int_equal(uv_loop_init(&loop), 0);
	snprintf(path, sizeof(path), "/tmp/test_parent_call.%d", getpid());
	snprintf(text, sizeof(text), "unix://%s", path);
	assert_int_equal(endpoint_parse(&at, text), 0);
	listener = endpoint_listen(&at, 8);
	assert_true(listener >= 0);
	/* it listens on a non-blocking descriptor; the thread waits */
	(void)!fcntl(listener, F_SETFL, 0);
	return 0;
}

static int down(void **state)
{
	(void)state;
	close(listener);
	unlink(path);
	return uv_loop_close(&loop);
}

static void test_answer(void **state)
{
	static const size_t pieces[] = {1000, 1, 3};
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		call("\0\0\0\5a lot", 9, pieces[i]);
		assert_int_equal(heard.status, 0);
		assert_int_equal(heard.len, 5);
		assert_memory_equal(heard.bytes, "a lot", 5);
		assert_string_equal(parent.asked, ASKED);
	}
}

static void test_lengths(void **state)
{
	static char most[4 + ANSWER_MAX] = {0, 0, 0, ANSWER_MAX};
	(void)state;

	call(most, sizeof(most), 1000);
	assert_int_equal(heard.status, 0);
	assert_int_equal(heard.len, ANSWER_MAX);
	most[3]++;
	call(most, sizeof(most), 1000);
	assert_int_equal(heard.status, UV_EMSGSIZE);
	call("\xff\xff\xff\xff", 4, 4);
	assert_int_equal(heard.status, UV_EMSGSIZE);
	call("\0\0\0\0", 4, 4);
	assert_int_equal(heard.status, UV_EMSGSIZE);
}

static void test_cut_off(void **state)
{
	(void)state;
	call("", 0, 1);
	assert_int_equal(heard.status, UV_EOF);
	call("\0\0", 2, 1);
	assert_int_equal(heard.status, UV_EOF);
	call("\0\0\0\5a lo", 8, 1);
	assert_int_equal(heard.status, UV_EOF);
}

static void test_late(void **state)
{
	(void)state;
	parent.stays = true;
	call("", 0, 1);
	assert_int_equal(heard.status, UV_ETIMEDOUT);
}

static void test_nobody(void **state)
{
	(void)state;
	unlink(path);
	start(5000);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(heard.fired, 1);
	assert_int_equal(heard.status, UV_ENOENT);
}

static void test_cancel(void **state)
{
	(void)state;
	parent_call_cancel(start(5000)); /* while it dials */
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(heard.fired, 0);
	struct parent_call *call = start(5000);
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	parent_call_cancel(call); /* while it waits for an answer */
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(heard.fired, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_answer, up, down),
	    cmocka_unit_test_setup_teardown(test_lengths, up, down),
	    cmocka_unit_test_setup_teardown(test_cut_off, up, down),
	    cmocka_unit_test_setup_teardown(test_late, up, down),
	    cmocka_unit_test_setup_teardown(test_nobody, up, down),
	    cmocka_unit_test_setup_teardown(test_cancel, up, down),
	};
	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	return cmocka_run_group_tests_name("parent_call", tests, NULL, NULL);
}
