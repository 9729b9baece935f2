#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/refusal.h"

struct fixture {
	uv_loop_t loop;
	struct refusal refusal;
	int client;
	unsigned descriptors; /* before */
	bool done;
};

static struct fixture f;

static void on_done(struct refusal *refusal)
{
	assert_ptr_equal(refusal->data, &f);
	assert_false(f.done);
	f.done = true;
	memset(refusal, 0xaa, sizeof(*refusal)); /* it is ours again */
}

/* TCP, where unread bytes make a reset of a close. */
static void start(const char *answer)
{
	int pair[2];

	memset(&f, 0, sizeof(f));
	f.descriptors = harness_descriptors();
	assert_int_equal(uv_loop_init(&f.loop), 0);
	harness_tcp_pair(pair);
	f.client = pair[0];
	f.refusal.data = &f;
	refusal_start(
	    &f.refusal, &f.loop, pair[1], answer, strlen(answer), on_done);
	assert_false(f.done);
}

static void turn(int times)
{
	for (int i = 0; i < times; i++) {
		uv_run(&f.loop, UV_RUN_NOWAIT);
		harness_sleep_ms(1);
	}
}

/* Reads until the end, or an error: what there was. */
static ssize_t read_answer(char *out, size_t cap)
{
	size_t len = 0;
	ssize_t n;

	do {
		turn(1);
		n = recv(f.client, out + len, cap - len, 0);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EAGAIN && !f.done));
	return n < 0 ? -errno : (ssize_t)len;
}

static void finish(void)
{
	harness_run_until(&f.loop, &f.done);
	harness_close_loop(&f.loop);
	close(f.client);
	assert_int_equal(harness_descriptors(), f.descriptors);
}

static void test_answer_and_end(void **state)
{
	int64_t began = harness_now_ms();
	char got[64];

	(void)state;
	start("no\n");
	assert_int_equal(read_answer(got, sizeof(got)), 3);
	assert_memory_equal(got, "no\n", 3);
	turn(10);
	if (f.done) /* it waits for our end */
		assert_true(harness_now_ms() - began >= REFUSAL_LINGER_MS);
	shutdown(f.client, SHUT_WR);
	finish();
}

/* Nothing to say: just an end, and no reset for what we have sent. */
static void test_end_only(void **state)
{
	char got[64];

	(void)state;
	start("");
	assert_int_equal(send(f.client, "hello", 5, MSG_NOSIGNAL), 5);
	turn(10);
	assert_int_equal(read_answer(got, sizeof(got)), 0);
	shutdown(f.client, SHUT_WR);
	finish();
}

/* More than the sockets hold is still on its way: it is all taken, and the
 * answer is whole. */
static void test_client_still_sends(void **state)
{
	static char noise[65536];
	size_t left = 8u << 20;
	char got[64];

	(void)state;
	start("no\n");
	while (left > 0) {
		ssize_t n = send(f.client, noise,
		    left < sizeof(noise) ? left : sizeof(noise), MSG_NOSIGNAL);

		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		left -= n > 0 ? (size_t)n : 0;
		uv_run(&f.loop, UV_RUN_NOWAIT);
		if (f.done) /* a second is over: too slow a machine to say */
			break;
	}
	if (!f.done)
		assert_int_equal(read_answer(got, sizeof(got)), 3);
	shutdown(f.client, SHUT_WR);
	finish();
}

static void test_client_ended_first(void **state)
{
	char got[64];

	(void)state;
	start("no\n");
	shutdown(f.client, SHUT_WR);
	assert_int_equal(read_answer(got, sizeof(got)), 3);
	finish();
}

/* It never ends: not for long. */
static void test_linger_is_over(void **state)
{
	int64_t began = harness_now_ms();

	(void)state;
	start("no\n");
	finish();
	assert_true(harness_now_ms() - began >= REFUSAL_LINGER_MS - 10);
}

static void test_reset(void **state)
{
	(void)state;
	start("no\n");
	harness_reset(f.client);
	f.client = dup(STDERR_FILENO);
	finish();
}

/* Gone before it could be told. */
static void test_gone(void **state)
{
	int pair[2];

	(void)state;
	memset(&f, 0, sizeof(f));
	f.descriptors = harness_descriptors();
	assert_int_equal(uv_loop_init(&f.loop), 0);
	harness_unix_pair(pair);
	close(pair[0]);
	f.client = dup(STDERR_FILENO);
	f.refusal.data = &f;
	refusal_start(&f.refusal, &f.loop, pair[1], "no\n", 3, on_done);
	assert_false(f.done);
	finish();
}

/* A socket that cannot take it all at once. */
static void test_slow_client(void **state)
{
	char answer[ANSWER_BYTES_MAX], noise[4096] = "", got[ANSWER_BYTES_MAX];
	size_t full = 0, len = 0;
	int64_t began = harness_now_ms();
	int pair[2];

	(void)state;
	memset(&f, 0, sizeof(f));
	f.descriptors = harness_descriptors();
	assert_int_equal(uv_loop_init(&f.loop), 0);
	harness_unix_pair(pair);
	f.client = pair[0];
	for (ssize_t n; (n = send(pair[1], noise, sizeof(noise), 0)) > 0;)
		full += (size_t)n;
	f.refusal.data = &f;
	memset(answer, 'a', sizeof(answer));
	refusal_start(
	    &f.refusal, &f.loop, pair[1], answer, sizeof(answer), on_done);
	turn(5);
	while (full > 0) {
		ssize_t n = recv(f.client, noise,
		    full < sizeof(noise) ? full : sizeof(noise), 0);

		assert_true(n > 0);
		full -= (size_t)n;
	}
	while (len < sizeof(got) && !f.done) {
		ssize_t n;

		turn(1);
		n = recv(f.client, got + len, sizeof(got) - len, 0);
		assert_true(n > 0 || (n < 0 && errno == EAGAIN));
		len += n > 0 ? (size_t)n : 0;
	}
	if (len < sizeof(got))
		assert_true(harness_now_ms() - began >= REFUSAL_LINGER_MS);
	assert_memory_equal(got, answer, len);
	shutdown(f.client, SHUT_WR);
	finish();
}

static void test_stop(void **state)
{
	(void)state;
	start("no\n");
	refusal_stop(&f.refusal);
	refusal_stop(&f.refusal);
	assert_false(f.done);
	finish();
	start("no\n");
	turn(5);
	refusal_stop(&f.refusal);
	assert_false(f.done);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answer_and_end),
	    cmocka_unit_test(test_end_only),
	    cmocka_unit_test(test_client_still_sends),
	    cmocka_unit_test(test_client_ended_first),
	    cmocka_unit_test(test_linger_is_over),
	    cmocka_unit_test(test_reset),
	    cmocka_unit_test(test_gone),
	    cmocka_unit_test(test_slow_client),
	    cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests_name(
	    "refusal", tests, harness_first_loop, NULL);
}
