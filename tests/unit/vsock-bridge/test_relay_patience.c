#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/relay.h"

static int limit_of(int fd)
{
	int bytes = -1;
	socklen_t len = sizeof(bytes);

	assert_int_equal(
	    getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, &len), 0);
	return bytes;
}

/* One that reads from fd and has moved `bytes` in bulk. */
static void moved(struct relay_patience *patience, struct relay_half *half,
    int fd, uint64_t bytes)
{
	half->from = fd;
	half->bytes += bytes;
	half->bulk_bytes += (uint32_t)bytes;
	relay_patience_moved(patience, half);
}

static void test_begins_and_ends(void **state)
{
	struct relay_patience patience = {0};
	struct relay_half half = {0};
	int pair[2];

	(void)state;
	harness_tcp_pair(pair);
	moved(&patience, &half, pair[1], RELAY_PATIENT_BYTES - 1);
	assert_false(half.patient);
	assert_int_equal(limit_of(pair[1]), 1);
	moved(&patience, &half, pair[1], 1);
	assert_true(half.patient);
	assert_int_equal(limit_of(pair[1]), RELAY_GATHER_BYTES);
	/* It has moved since: it stays so, and is there once only. */
	relay_patience_tick(&patience);
	moved(&patience, &half, pair[1], RELAY_PATIENT_BYTES);
	relay_patience_tick(&patience);
	assert_true(half.patient);
	assert_int_equal(patience.count, 1);
	/* It has not. */
	relay_patience_tick(&patience);
	assert_false(half.patient);
	assert_int_equal(patience.count, 0);
	assert_int_equal(limit_of(pair[1]), 1);
	/* It is asked for as much again. */
	moved(&patience, &half, pair[1], 1);
	assert_false(half.patient);
	moved(&patience, &half, pair[1], RELAY_PATIENT_BYTES);
	assert_true(half.patient);
	relay_patience_forget(&patience, &half);
	assert_int_equal(patience.count, 0);
	relay_patience_forget(&patience, &half);
	close(pair[0]);
	close(pair[1]);
}

static void test_tcp_only(void **state)
{
	struct relay_patience patience = {0};
	struct relay_half half = {0};
	int pair[2];

	(void)state;
	harness_unix_pair(pair);
	moved(&patience, &half, pair[1], RELAY_PATIENT_BYTES);
	assert_false(half.patient);
	assert_int_equal(patience.count, 0);
	assert_int_equal(limit_of(pair[1]), 1);
	close(pair[0]);
	close(pair[1]);
}

static void test_bounded(void **state)
{
	struct relay_half halves[RELAY_PATIENT_MAX + 1] = {0};
	struct relay_patience patience = {0};
	int pair[2];

	(void)state;
	harness_tcp_pair(pair);
	for (size_t i = 0; i <= RELAY_PATIENT_MAX; i++)
		moved(&patience, &halves[i], pair[1], RELAY_PATIENT_BYTES);
	assert_int_equal(patience.count, RELAY_PATIENT_MAX);
	assert_false(halves[RELAY_PATIENT_MAX].patient);
	/* From the middle, the first and the last. */
	relay_patience_forget(&patience, &halves[7]);
	relay_patience_forget(&patience, &halves[0]);
	relay_patience_forget(&patience, &halves[RELAY_PATIENT_MAX - 1]);
	assert_int_equal(patience.count, RELAY_PATIENT_MAX - 3);
	moved(&patience, &halves[RELAY_PATIENT_MAX], pair[1], 1);
	assert_true(halves[RELAY_PATIENT_MAX].patient);
	halves[9].bytes++;
	relay_patience_tick(&patience); /* all have moved since they came */
	assert_int_equal(patience.count, RELAY_PATIENT_MAX - 2);
	halves[9].bytes++;
	relay_patience_tick(&patience);
	assert_int_equal(patience.count, 1);
	assert_true(halves[9].patient);
	close(pair[0]);
	close(pair[1]);
}

/* ---- in a relay ---- */

struct fixture {
	uv_loop_t loop;
	struct relay_hub hub;
	struct relay relay;
	int far_a, far_b;
	size_t sent, got;
	bool done;
};

static void on_done(struct relay *relay, int result)
{
	struct fixture *f = relay->data;

	assert_int_equal(result, UV_ECANCELED);
	f->done = true;
}

static void start(struct fixture *f)
{
	struct relay_options options = {.hub = &f->hub,
	    .idle_timeout_ms = HARNESS_DEADLINE_MS,
	    .on_done = on_done};
	int pair[2];

	memset(f, 0, sizeof(*f));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(relay_hub_init(&f->hub, &f->loop), 0);
	harness_tcp_pair(pair);
	f->far_a = pair[0];
	options.a = pair[1];
	harness_unix_pair(pair);
	f->far_b = pair[0];
	options.b = pair[1];
	f->relay.data = f;
	relay_start(&f->relay, &options);
}

static void stop(struct fixture *f)
{
	relay_stop(&f->relay);
	harness_run_until(&f->loop, &f->done);
	assert_int_equal(f->hub.patience.count, 0);
	close(f->far_a);
	close(f->far_b);
	relay_hub_close(&f->hub, NULL);
	harness_close_loop(&f->loop);
}

static void turn(struct fixture *f)
{
	static char bytes[262144];
	ssize_t n;

	uv_run(&f->loop, UV_RUN_NOWAIT);
	while ((n = recv(f->far_b, bytes, sizeof(bytes), 0)) > 0)
		f->got += (size_t)n;
	assert_true(n == -1 && errno == EAGAIN);
}

/* Until it is patient: so fast a stream becomes so. */
static void stream(struct fixture *f)
{
	static const char bytes[262144];
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;

	while (!f->relay.to_b.patient) {
		ssize_t n = send(f->far_a, bytes, sizeof(bytes), MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		f->sent += n > 0 ? (size_t)n : 0;
		turn(f);
		assert_true(harness_now_ms() < end);
	}
}

static void await_all(struct fixture *f)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;

	while (f->got < f->sent) {
		turn(f);
		assert_true(harness_now_ms() < end);
	}
	assert_int_equal(f->got, f->sent);
}

/* A few bytes behind many, and then nothing more: they come. */
static void test_tail(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (int i = 0; i < 5; i++) {
		stream(&f);
		await_all(&f);
		assert_int_equal(send(f.far_a, "tail", 4, MSG_NOSIGNAL), 4);
		f.sent += 4;
		await_all(&f);
		/* Nothing moves: it is no longer patient. */
		for (int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;
		     f.relay.to_b.patient; assert_true(harness_now_ms() < end))
			turn(&f);
		assert_int_equal(limit_of(f.relay.to_b.from), 1);
		assert_int_equal(send(f.far_a, "x", 1, MSG_NOSIGNAL), 1);
		f.sent += 1;
		await_all(&f);
	}
	stop(&f);
}

static void test_stop_while_patient(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	stream(&f);
	stop(&f);
}

/* The end is below any limit. */
static void test_end_while_patient(void **state)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;
	struct fixture f;
	char byte;

	(void)state;
	start(&f);
	stream(&f);
	assert_int_equal(send(f.far_a, "end", 3, MSG_NOSIGNAL), 3);
	f.sent += 3;
	assert_int_equal(shutdown(f.far_a, SHUT_WR), 0);
	while (f.relay.to_b.state != RELAY_ENDED) {
		static char bytes[65536];
		ssize_t n = recv(f.far_b, bytes, sizeof(bytes), 0);

		f.got += n > 0 ? (size_t)n : 0;
		uv_run(&f.loop, UV_RUN_NOWAIT);
		assert_true(harness_now_ms() < end);
	}
	while (f.got < f.sent) {
		assert_int_equal(recv(f.far_b, &byte, 1, 0), 1);
		f.got++;
	}
	assert_int_equal(recv(f.far_b, &byte, 1, 0), 0);
	/* The other direction goes on. */
	assert_int_equal(send(f.far_b, "y", 1, MSG_NOSIGNAL), 1);
	while (recv(f.far_a, &byte, 1, 0) != 1) {
		uv_run(&f.loop, UV_RUN_NOWAIT);
		assert_true(harness_now_ms() < end);
	}
	stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_begins_and_ends),
	    cmocka_unit_test(test_tcp_only),
	    cmocka_unit_test(test_bounded),
	    cmocka_unit_test(test_tail),
	    cmocka_unit_test(test_stop_while_patient),
	    cmocka_unit_test(test_end_while_patient),
	};

	return cmocka_run_group_tests_name("relay_patience", tests, NULL, NULL);
}
