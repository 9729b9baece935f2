#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/relay_half.h"

#include <signal.h>
#include <sys/stat.h>

#define BULK (4u << 20)

/* far_in -> (from, to) -> far_out */
static struct relay_half half;
static struct relay_tools tools;
static int far_in, far_out;
static unsigned into_pipe, out_of_pipe; /* calls of splice that moved bytes */

static void start(void (*make)(int pair[2]),
    ssize_t (*replaced)(int from, int to, size_t len))
{
	int pair[2];

	memset(&half, 0, sizeof(half));
	memset(&tools, 0, sizeof(tools));
	into_pipe = out_of_pipe = 0;
	tools.splice = replaced;
	make(pair);
	far_in = pair[0];
	half.from = pair[1];
	make(pair);
	half.to = pair[0];
	far_out = pair[1];
}

static void stop(void)
{
	close(far_in);
	close(far_out);
	close(half.from);
	close(half.to);
	relay_half_fini(&half, &tools);
	relay_pipes_fini(&tools.pipes);
}

/* ---- kernels of several kinds ---- */

static bool is_pipe(int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	return S_ISFIFO(status.st_mode);
}

static ssize_t real(int from, int to, size_t len)
{
	ssize_t n = splice(from, NULL, to, NULL, len, SPLICE_F_NONBLOCK);

	*(is_pipe(to) ? &into_pipe : &out_of_pipe) += n > 0;
	return n;
}

static ssize_t refuse(void)
{
	errno = EINVAL;
	return -1;
}

static ssize_t neither(int from, int to, size_t len)
{
	(void)from;
	(void)to;
	(void)len;
	return refuse();
}

static ssize_t only_in(int from, int to, size_t len)
{
	return is_pipe(to) ? real(from, to, len) : refuse();
}

static ssize_t only_out(int from, int to, size_t len)
{
	return is_pipe(to) ? refuse() : real(from, to, len);
}

/* Refuses in the middle of what it has in the pipe. */
static ssize_t in_the_middle(int from, int to, size_t len)
{
	if (is_pipe(to))
		return real(from, to, len);
	if (out_of_pipe > 0)
		return refuse();
	return real(from, to, len < 5000 ? len : 5000);
}

/* Odd portions: pages that are full in part only. */
static ssize_t in_small_portions(int from, int to, size_t len)
{
	size_t most = 1 + (into_pipe * 7919 + out_of_pipe * 104729) % 9973;

	return real(from, to, len < most ? len : most);
}

/* ---- a lot of bytes, each of them known ---- */

static uint8_t byte_at(size_t i)
{
	return (uint8_t)((i * 2654435761u) >> 13);
}

static size_t feed(size_t sent)
{
	static uint8_t bytes[16384];
	size_t len = BULK - sent < sizeof(bytes) ? BULK - sent : sizeof(bytes);
	ssize_t n;

	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(sent + i);
	n = len > 0 ? send(far_in, bytes, len, MSG_NOSIGNAL) : 0;
	return n > 0 ? (size_t)n : 0;
}

static size_t check(size_t got, size_t most)
{
	static uint8_t bytes[65536];
	ssize_t n = recv(far_out, bytes, most, 0);

	for (ssize_t i = 0; i < n; i++)
		if (bytes[i] != byte_at(got + (size_t)i))
			fail_msg("byte %zu", got + (size_t)i);
	return n > 0 ? (size_t)n : 0;
}

static void work(void)
{
	int ret;

	half.readable = true;
	while ((ret = relay_half_move(&half, &tools)) == 1)
		;
	assert_int_equal(ret, 0);
	/* Nothing that waits, nothing that is held. */
	if (half.state != RELAY_BLOCKED) {
		assert_null(half.kept);
		assert_null(half.pipe);
	}
	assert_true(half.kept_len <= RELAY_BUFFER_BYTES);
	assert_true(half.pipe_len <= RELAY_PIPE_BYTES);
}

/* The reader takes `most` at once, and less often than there is room. */
static void bulk(void (*make)(int pair[2]),
    ssize_t (*replaced)(int from, int to, size_t len), size_t most)
{
	int64_t end = harness_now_ms() + 3 * HARNESS_DEADLINE_MS;
	size_t sent = 0, got = 0, more;

	start(make, replaced);
	while (got < BULK) {
		while ((more = feed(sent)) > 0)
			sent += more;
		work();
		for (int i = 0; i < 40 && (more = check(got, most)) > 0; i++)
			got += more;
		assert_true(harness_now_ms() < end);
	}
	shutdown(far_in, SHUT_WR);
	while (half.state != RELAY_ENDED) {
		work();
		assert_true(harness_now_ms() < end);
	}
	assert_int_equal(recv(far_out, &(char){0}, 1, MSG_DONTWAIT), 0);
	assert_int_equal(half.bytes, BULK);
}

static void bulk_of_each_kind(
    ssize_t (*replaced)(int from, int to, size_t len), bool in, bool out)
{
	void (*const kinds[])(int[2]) = {harness_unix_pair, harness_tcp_pair};

	for (int i = 0; i < 4; i++) {
		bulk(kinds[i & 1], replaced, i & 2 ? 3001 : 65536);
		if (replaced != NULL) {
			assert_int_equal(into_pipe > 0, in);
			assert_int_equal(out_of_pipe > 0, out);
		}
		stop();
	}
}

static void test_splice(void **state)
{
	(void)state;
	bulk_of_each_kind(NULL, true, true);
	bulk_of_each_kind(real, true, true);
}

static void test_no_splice(void **state)
{
	(void)state;
	bulk_of_each_kind(neither, false, false);
}

static void test_splice_one_way_only(void **state)
{
	(void)state;
	bulk_of_each_kind(only_in, true, false);
	assert_int_equal(into_pipe, 1);
	bulk_of_each_kind(only_out, false, false);
}

static void test_splice_refused_in_the_middle(void **state)
{
	(void)state;
	bulk_of_each_kind(in_the_middle, true, true);
	assert_int_equal(out_of_pipe, 1);
}

static void test_splice_in_small_portions(void **state)
{
	(void)state;
	bulk_of_each_kind(in_small_portions, true, true);
}

/* All pipes are with others: the buffer does it. */
static void test_no_pipe(void **state)
{
	size_t sent = 0, got = 0, more;

	(void)state;
	start(harness_unix_pair, real);
	tools.pipes.lent = RELAY_PIPES_MAX;
	while (got < BULK) {
		sent += feed(sent);
		work();
		while ((more = check(got, 65536)) > 0)
			got += more;
	}
	assert_int_equal(into_pipe, 0);
	assert_int_equal(got, sent);
	tools.pipes.lent = 0;
	stop();
}

/* What is kept goes out in more than one piece. */
static void test_kept_in_pieces(void **state)
{
	static uint8_t bytes[RELAY_BUFFER_BYTES];
	size_t got = 0, pieces = 0, before;
	int small = 4096;

	(void)state;
	start(harness_unix_pair, NULL);
	setsockopt(half.to, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = byte_at(i);
	assert_int_equal(relay_half_put(&half, bytes, sizeof(bytes)), 0);
	assert_int_equal(half.state, RELAY_BLOCKED);
	while (got < sizeof(bytes)) {
		got += check(got, 1000);
		before = half.kept_len;
		assert_int_equal(relay_half_move(&half, &tools), 0);
		pieces += half.kept_len != before;
	}
	assert_true(pieces > 2);
	assert_null(half.kept);
	assert_int_equal(half.state, RELAY_FLOWING);
	stop();
}

/* A pipe with somebody's bytes in it is never lent to another. */
static void test_dirty_pipe_is_closed(void **state)
{
	size_t sent = 0, more;

	(void)state;
	start(harness_unix_pair, real);
	while (half.pipe == NULL) {
		while ((more = feed(sent)) > 0)
			sent += more;
		work();
	}
	assert_int_equal(half.state, RELAY_BLOCKED);
	assert_true(half.pipe_len > 0);
	relay_half_fini(&half, &tools);
	assert_null(half.pipe);
	assert_null(tools.pipes.kept);
	assert_int_equal(tools.pipes.lent, 0);
	stop();
}

/* The other side is gone when it is told the end: reading from it says so. */
static void test_end_to_one_that_left(void **state)
{
	(void)state;
	start(harness_tcp_pair, NULL);
	harness_reset(far_out);
	far_out = -1;
	shutdown(far_in, SHUT_WR);
	half.readable = true;
	assert_int_equal(relay_half_move(&half, &tools), 0);
	assert_int_equal(half.state, RELAY_ENDED);
	stop();
}

/* Few bytes never need a pipe. */
static void test_few_bytes_are_copied(void **state)
{
	char got[8];

	(void)state;
	start(harness_tcp_pair, real);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(send(far_in, "12345", 5, 0), 5);
		while (half.bytes < (uint64_t)(i + 1) * 5)
			work();
		assert_int_equal(half.state, RELAY_FLOWING);
		assert_int_equal(recv(far_out, got, sizeof(got), 0), 5);
	}
	assert_int_equal(into_pipe, 0);
	assert_null(tools.pipes.kept);
	stop();
}

/* One that always has more does not keep the others waiting. */
static unsigned portions;

static ssize_t endless(int from, int to, size_t len)
{
	static const uint8_t bytes[RELAY_BUFFER_BYTES];

	(void)from;
	portions++;
	if (is_pipe(to))
		return write(to, bytes, sizeof(bytes));
	while (recv(far_out, tools.buffer, sizeof(tools.buffer), 0) > 0)
		;
	return splice(from, NULL, to, NULL, len, SPLICE_F_NONBLOCK);
}

static void test_turn_is_bounded(void **state)
{
	(void)state;
	start(harness_unix_pair, endless);
	half.readable = half.bulk = true;
	portions = 0;
	assert_int_equal(relay_half_move(&half, &tools), 1);
	assert_true(half.bytes >= RELAY_TURN_BYTES);
	assert_true(half.bytes < RELAY_TURN_BYTES + RELAY_PIPE_BYTES);
	assert_true(half.readable);
	assert_int_equal(half.state, RELAY_FLOWING);
	assert_true(portions > 0);
	stop();
}

static void test_error_of_reading(void **state)
{
	(void)state;
	start(harness_tcp_pair, NULL);
	harness_reset(far_in);
	far_in = -1;
	half.readable = true;
	assert_int_equal(relay_half_move(&half, &tools), -ECONNRESET);
	stop();
}

static void test_error_of_writing(void **state)
{
	for (int bulk_too = 0; bulk_too < 2; bulk_too++) {
		start(harness_unix_pair, NULL);
		close(far_out);
		far_out = -1;
		assert_int_equal(send(far_in, "x", 1, 0), 1);
		half.readable = true;
		half.bulk = bulk_too;
		assert_int_equal(relay_half_move(&half, &tools), -EPIPE);
		stop();
	}
	(void)state;
}

static void test_progress_of_a_slow_reader(void **state)
{
	static char bytes[30000];

	(void)state;
	start(harness_unix_pair, NULL);
	assert_false(relay_half_progressed(&half));
	assert_int_equal(relay_half_put(&half, bytes, sizeof(bytes)), 0);
	assert_true(relay_half_progressed(&half));
	assert_false(relay_half_progressed(&half));
	assert_true(recv(far_out, bytes, sizeof(bytes), 0) > 0);
	assert_true(relay_half_progressed(&half));
	assert_false(relay_half_progressed(&half));
	stop();
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_splice),
	    cmocka_unit_test(test_no_splice),
	    cmocka_unit_test(test_splice_one_way_only),
	    cmocka_unit_test(test_splice_refused_in_the_middle),
	    cmocka_unit_test(test_splice_in_small_portions),
	    cmocka_unit_test(test_no_pipe),
	    cmocka_unit_test(test_kept_in_pieces),
	    cmocka_unit_test(test_dirty_pipe_is_closed),
	    cmocka_unit_test(test_end_to_one_that_left),
	    cmocka_unit_test(test_few_bytes_are_copied),
	    cmocka_unit_test(test_turn_is_bounded),
	    cmocka_unit_test(test_error_of_reading),
	    cmocka_unit_test(test_error_of_writing),
	    cmocka_unit_test(test_progress_of_a_slow_reader),
	};

	return cmocka_run_group_tests_name("relay_half", tests, setup, NULL);
}
