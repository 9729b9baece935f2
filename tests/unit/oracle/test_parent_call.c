/*
 * parent_call: an answer whole, in pieces, too long, cut off; and cancelled
 * while it dials and while it waits. The rest is base/call's (test_call).
 */
#include "oracle/parent_call.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/base/teller.h"

#define ANSWER_MAX 100
#define ASKED      "how much?"

static uv_loop_t loop;

static struct {
	unsigned fired;
	int status;
	char bytes[ANSWER_MAX + 1];
	size_t len;
} heard;

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
	    .at = &teller.at,
	    .bytes = ASKED,
	    .len = strlen(ASKED),
	    .answer_max = ANSWER_MAX,
	    .timeout_ms = timeout_ms,
	    .cb = on_answer});
}

static void call(const char *bytes, size_t len, size_t piece)
{
	teller_tell(bytes, len, piece);
	start(20000);
	assert_int_equal(heard.fired, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	pthread_join(teller.thread, NULL);
	assert_int_equal(heard.fired, 1);
}

static int up(void **state)
{
	(void)state;
	memset(&heard, 0, sizeof(heard));
	teller_up();
	return uv_loop_init(&loop);
}

static int down(void **state)
{
	(void)state;
	teller_down();
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
		assert_string_equal(teller.asked, ASKED);
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
	    cmocka_unit_test_setup_teardown(test_cancel, up, down),
	};
	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	return cmocka_run_group_tests_name("parent_call", tests, NULL, NULL);
}
