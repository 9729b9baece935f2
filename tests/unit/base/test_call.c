/*
 * call: an answer whole, in pieces, refused by its owner, cut off, too late,
 * from nobody; cancelled in each state that waits; and each time told once that
 * it is closed, as the last thing.
 */
#include "base/call.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/base/teller.h"

#define ASKED    "how much?"
#define REFUSED  UV_EPROTO
#define ROOM_MAX 16

static uv_loop_t loop;
static struct call call;

static struct {
	unsigned ended, closed;
	int status;
	char bytes[ROOM_MAX];
	size_t len;
} heard;

static uv_buf_t room(void *data)
{
	assert_ptr_equal(data, &heard);
	return uv_buf_init(heard.bytes + heard.len,
	    (unsigned)(sizeof(heard.bytes) - heard.len));
}

/* An answer ends with a point, or with the connection behind a comma. */
static int took(void *data, size_t len)
{
	assert_ptr_equal(data, &heard);
	assert_int_equal(heard.ended, 0);
	if (len == 0)
		return heard.len > 0 && heard.bytes[heard.len - 1] == ','
			   ? 0
			   : UV_EOF;
	heard.len += len;
	if (heard.bytes[heard.len - 1] == '!' ||
	    heard.len == sizeof(heard.bytes))
		return REFUSED;
	return heard.bytes[heard.len - 1] == '.' ? 0 : CALL_MORE;
}

static void ended(void *data, int status)
{
	assert_ptr_equal(data, &heard);
	assert_int_equal(heard.closed, 0);
	heard.ended++;
	heard.status = status;
}

static void closed(void *data)
{
	assert_ptr_equal(data, &heard);
	heard.closed++;
}

static const struct call_owner owner = {
    .name = "test_call",
    .room = room,
    .took = took,
    .ended = ended,
    .closed = closed,
};

static void start(const char *question, uint64_t timeout_ms)
{
	memset(&heard, 0, sizeof(heard));
	call_start(&call, &(struct call_options){
			      .loop = &loop,
			      .at = &teller.at,
			      .bytes = question,
			      .len = strlen(question),
			      .timeout_ms = timeout_ms,
			      .owner = &owner,
			      .data = &heard,
			  });
	assert_int_equal(heard.ended, 0);
}

/* How it ends when the other side says so. */
static int answered(const char *text, size_t piece, uint64_t timeout_ms)
{
	teller_tell(text, strlen(text), piece);
	start(ASKED, timeout_ms);
	uv_run(&loop, UV_RUN_DEFAULT);
	pthread_join(teller.thread, NULL);
	assert_int_equal(heard.ended, 1);
	assert_int_equal(heard.closed, 1);
	assert_string_equal(teller.asked, ASKED);
	return heard.status;
}

static int up(void **state)
{
	(void)state;
	teller_up();
	return uv_loop_init(&loop);
}

static int down(void **state)
{
	(void)state;
	teller_down();
	return uv_loop_close(&loop);
}

static void test_whole(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= 8; piece += 7) {
		assert_int_equal(answered("a lot.", piece, 20000), 0);
		assert_int_equal(heard.len, 6);
		assert_memory_equal(heard.bytes, "a lot.", 6);
		assert_int_equal(answered("more,", piece, 20000), 0);
		assert_int_equal(heard.len, 5);
	}
}

static void test_refused(void **state)
{
	(void)state;
	teller.stays = true;
	assert_int_equal(answered("no!", 8, 20000), REFUSED);
	assert_int_equal(answered("0123456789abcdef", 1, 20000), REFUSED);
}

static void test_cut_off(void **state)
{
	(void)state;
	assert_int_equal(answered("", 1, 20000), UV_EOF);
	assert_int_equal(answered("a l", 1, 20000), UV_EOF);
}

static void test_late(void **state)
{
	(void)state;
	teller.stays = true;
	assert_int_equal(answered("", 1, 100), UV_ETIMEDOUT);
	assert_int_equal(answered("a l", 1, 100), UV_ETIMEDOUT);
}

static void test_nobody(void **state)
{
	(void)state;
	unlink(teller.path);
	start(ASKED, 5000);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(heard.ended, 1);
	assert_int_equal(heard.closed, 1);
	assert_int_equal(heard.status, UV_ENOENT);
}

static void test_cancel(void **state)
{
	(void)state;
	start("", 5000);
	call_cancel(&call); /* while it dials */
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(heard.ended, 0);
	assert_int_equal(heard.closed, 1);
	start("", 5000);
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_false(call.dialing);
	call_cancel(&call); /* while it waits for an answer */
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(heard.ended, 0);
	assert_int_equal(heard.closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_whole, up, down),
	    cmocka_unit_test_setup_teardown(test_refused, up, down),
	    cmocka_unit_test_setup_teardown(test_cut_off, up, down),
	    cmocka_unit_test_setup_teardown(test_late, up, down),
	    cmocka_unit_test_setup_teardown(test_nobody, up, down),
	    cmocka_unit_test_setup_teardown(test_cancel, up, down),
	};

	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
