#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/relay.h"

#include <openssl/evp.h>
#include <signal.h>

/* Two far ends, and the relay between the near ones. */
struct fixture {
	uv_loop_t loop;
	struct relay_hub hub;
	int far_a, far_b, near_b;
	struct relay relay;
	bool done;
	int result;
};

static void on_done(struct relay *relay, int result)
{
	struct fixture *f = relay->data;

	assert_false(f->done);
	f->done = true;
	f->result = result;
}

static void start_with(
    struct fixture *f, void (*make)(int pair[2]), struct relay_options options)
{
	int pair[2];

	memset(f, 0, sizeof(*f));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(relay_hub_init(&f->hub, &f->loop), 0);
	make(pair);
	f->far_a = pair[0];
	options.a = pair[1];
	make(pair);
	f->far_b = pair[0];
	f->near_b = options.b = pair[1];
	f->relay.data = f;
	options.hub = &f->hub;
	if (options.idle_timeout_ms == 0)
		options.idle_timeout_ms = HARNESS_DEADLINE_MS;
	options.on_done = on_done;
	relay_start(&f->relay, &options);
	assert_false(f->done);
}

static void start(struct fixture *f, void (*make)(int pair[2]))
{
	start_with(f, make, (struct relay_options){0});
}

static void assert_holds_nothing(const struct relay_half *half)
{
	assert_null(half->kept);
	assert_null(half->pipe);
	assert_int_equal(half->kept_len, 0);
	assert_int_equal(half->pipe_len, 0);
}

static void finish(struct fixture *f, int result)
{
	harness_run_until(&f->loop, &f->done);
	assert_int_equal(f->result, result);
	assert_holds_nothing(&f->relay.to_a);
	assert_holds_nothing(&f->relay.to_b);
	assert_int_equal(f->hub.tools.pipes.lent, 0);
	assert_null(f->hub.tools.pipes.kept); /* nor at rest */
	if (f->far_a >= 0)
		close(f->far_a);
	if (f->far_b >= 0)
		close(f->far_b);
	relay_hub_close(&f->hub, NULL);
	harness_close_loop(&f->loop);
}

static void spin(struct fixture *f)
{
	for (int i = 0; i < 50; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* Reads until something comes: bytes, 0 for the end, or -errno. */
static ssize_t receive(struct fixture *f, int fd, char *out, size_t cap)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;
	ssize_t n;

	while ((n = recv(fd, out, cap, 0)) < 0 && errno == EAGAIN) {
		assert_true(harness_now_ms() < end);
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	return n < 0 ? -errno : n;
}

static void expect(struct fixture *f, int fd, const char *text)
{
	char got[256];
	size_t len = 0;

	while (len < strlen(text)) {
		ssize_t n = receive(f, fd, got + len, strlen(text) - len);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_memory_equal(got, text, len);
}

static void expect_end(struct fixture *f, int fd)
{
	char byte;

	assert_int_equal(receive(f, fd, &byte, 1), 0);
}

static void say(int fd, const char *text)
{
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One side ends, the other goes on, then ends too. */
static void half_close(void (*make)(int pair[2]), bool a_first)
{
	struct fixture f;
	int first, second;

	start(&f, make);
	first = a_first ? f.far_a : f.far_b;
	second = a_first ? f.far_b : f.far_a;
	say(first, "request");
	shutdown(first, SHUT_WR);
	expect(&f, second, "request");
	expect_end(&f, second);
	assert_false(f.done);
	say(second, "long ");
	expect(&f, first, "long ");
	say(second, "answer");
	expect(&f, first, "answer");
	spin(&f);
	assert_false(f.done);
	shutdown(second, SHUT_WR);
	expect_end(&f, first);
	finish(&f, 0);
	assert_int_equal(a_first ? f.relay.to_b.bytes : f.relay.to_a.bytes, 7);
	assert_int_equal(a_first ? f.relay.to_a.bytes : f.relay.to_b.bytes, 11);
}

static void test_half_close_unix(void **state)
{
	(void)state;
	half_close(harness_unix_pair, true);
	half_close(harness_unix_pair, false);
}

static void test_half_close_tcp(void **state)
{
	(void)state;
	half_close(harness_tcp_pair, true);
	half_close(harness_tcp_pair, false);
}

/* The far end is gone altogether when the end is passed on to it. */
static void test_both_leave_at_once(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, harness_unix_pair);
	close(f.far_a);
	close(f.far_b);
	f.far_a = f.far_b = -1;
	finish(&f, 0);
}

static void test_first_bytes_come_first(void **state)
{
	struct fixture f;

	(void)state;
	start_with(&f, harness_unix_pair,
	    (struct relay_options){.first_to_b = "early ",
		.first_to_b_len = 6,
		.first_to_a = "200 ",
		.first_to_a_len = 4});
	say(f.far_a, "late");
	say(f.far_b, "stream");
	expect(&f, f.far_b, "early late");
	expect(&f, f.far_a, "200 stream");
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
}

static void small_pair(int pair[2])
{
	int small = 4096;

	harness_unix_pair(pair);
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
}

/* First bytes that the socket does not take at once are not overtaken. */
static void test_first_bytes_that_block(void **state)
{
	static char first[RELAY_BUFFER_BYTES], got[RELAY_BUFFER_BYTES];
	struct fixture f;
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(first); i++)
		first[i] = (char)(i * 7 % 251);
	start_with(&f, small_pair,
	    (struct relay_options){
		.first_to_b = first, .first_to_b_len = sizeof(first)});
	assert_int_equal(f.relay.to_b.state, RELAY_BLOCKED);
	say(f.far_a, "after");
	while (len < sizeof(got)) {
		ssize_t n = receive(&f, f.far_b, got + len, sizeof(got) - len);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_memory_equal(got, first, sizeof(first));
	expect(&f, f.far_b, "after");
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
}

/* ---- a lot, both ways, at different speeds ---- */

#define BULK (8u << 20)

/* One direction of the test: what was sent, what came, and their hashes. */
struct flow {
	int from, to;
	size_t sent, got, chunk; /* chunk: read at once by the reader */
	unsigned every;          /* reads once in so many turns */
	uint32_t random;
	EVP_MD_CTX *sent_hash, *got_hash;
	bool ended;
};

static void flow_init(
    struct flow *flow, int from, int to, size_t chunk, unsigned every)
{
	*flow = (struct flow){.from = from,
	    .to = to,
	    .chunk = chunk,
	    .every = every,
	    .random = 1 + (uint32_t)chunk,
	    .sent_hash = EVP_MD_CTX_new(),
	    .got_hash = EVP_MD_CTX_new()};
	assert_int_equal(
	    EVP_DigestInit_ex(flow->sent_hash, EVP_sha256(), NULL), 1);
	assert_int_equal(
	    EVP_DigestInit_ex(flow->got_hash, EVP_sha256(), NULL), 1);
}

static void flow_send(struct flow *flow)
{
	static uint8_t bytes[32768];
	uint32_t random = flow->random;
	size_t len = BULK - flow->sent;
	ssize_t n;

	if (len == 0)
		return;
	len = len < sizeof(bytes) ? len : sizeof(bytes);
	for (size_t i = 0; i < len; i++) {
		random = random * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(random >> 24);
	}
	n = send(flow->from, bytes, len, MSG_NOSIGNAL);
	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return;
	}
	/* The next bytes begin anew after what was taken. */
	flow->random = random ^ (uint32_t)n;
	EVP_DigestUpdate(flow->sent_hash, bytes, (size_t)n);
	flow->sent += (size_t)n;
	if (flow->sent == BULK)
		shutdown(flow->from, SHUT_WR);
}

static void flow_receive(struct flow *flow, unsigned turn)
{
	static uint8_t bytes[65536];
	ssize_t n;

	if (turn % flow->every != 0)
		return;
	n = recv(flow->to, bytes, flow->chunk, 0);
	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return;
	}
	flow->ended = n == 0;
	flow->got += (size_t)n;
	EVP_DigestUpdate(flow->got_hash, bytes, (size_t)n);
}

static void flow_check(struct flow *flow)
{
	uint8_t sent[32], got[32];

	assert_int_equal(flow->got, BULK);
	assert_int_equal(EVP_DigestFinal_ex(flow->sent_hash, sent, NULL), 1);
	assert_int_equal(EVP_DigestFinal_ex(flow->got_hash, got, NULL), 1);
	assert_memory_equal(sent, got, sizeof(sent));
	EVP_MD_CTX_free(flow->sent_hash);
	EVP_MD_CTX_free(flow->got_hash);
}

/* Both ways at once; b reads slowly, and while it does not read at all the
 * relay takes no more than one buffer. */
static void bulk(void (*make)(int pair[2]))
{
	int64_t end = harness_now_ms() + 3 * HARNESS_DEADLINE_MS;
	struct flow to_b, to_a;
	struct fixture f;

	start(&f, make);
	flow_init(&to_b, f.far_a, f.far_b, 16384, 3);
	flow_init(&to_a, f.far_b, f.far_a, 65536, 1);
	for (unsigned turn = 0; !to_a.ended || !to_b.ended; turn++) {
		flow_send(&to_b);
		flow_send(&to_a);
		uv_run(&f.loop, UV_RUN_NOWAIT);
		if (!to_b.ended)
			flow_receive(&to_b, turn);
		if (!to_a.ended)
			flow_receive(&to_a, turn);
		assert_true(harness_now_ms() < end);
	}
	flow_check(&to_b);
	flow_check(&to_a);
	assert_int_equal(f.relay.to_b.bytes, BULK);
	assert_int_equal(f.relay.to_a.bytes, BULK);
	finish(&f, 0);
}

static void test_bulk_unix(void **state)
{
	(void)state;
	bulk(harness_unix_pair);
}

static void test_bulk_tcp(void **state)
{
	(void)state;
	bulk(harness_tcp_pair);
}

/* What a reader that does not read can make the relay hold. */
static void test_memory_is_bounded(void **state)
{
	static char bytes[65536];
	struct fixture f;
	size_t sent = 0, taken, got;
	ssize_t n;

	(void)state;
	start(&f, harness_unix_pair);
	for (int i = 0; i < 2000; i++) {
		n = send(f.far_a, bytes, sizeof(bytes), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(f.relay.to_b.state, RELAY_BLOCKED);
	assert_true(f.relay.to_b.kept != NULL || f.relay.to_b.pipe != NULL);
	taken = f.relay.to_b.bytes;
	/* What the relay took is in one pipe and the socket of b; the rest
	 * waits in the socket of a, and then with its sender. */
	assert_true(taken < RELAY_PIPE_BYTES + (1u << 20));
	assert_true(sent < RELAY_PIPE_BYTES + (2u << 20));
	n = send(f.far_a, bytes, 1, MSG_NOSIGNAL);
	assert_int_equal(n, -1);
	/* The other direction does not wait for this one. */
	say(f.far_b, "meanwhile");
	expect(&f, f.far_a, "meanwhile");
	for (got = 0; got < sent;) {
		n = receive(&f, f.far_b, bytes, sizeof(bytes));
		assert_true(n > 0);
		got += (size_t)n;
	}
	spin(&f);
	assert_int_equal(f.relay.to_b.state, RELAY_FLOWING);
	assert_holds_nothing(&f.relay.to_b);
	assert_false(f.relay.to_b.out_watched); /* nobody waits for it */
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
}

/* An end that comes while bytes wait is passed on after them. */
static void test_end_after_kept_bytes(void **state)
{
	static char bytes[65536];
	struct fixture f;
	size_t sent = 0, got = 0;
	ssize_t n;

	(void)state;
	start(&f, harness_unix_pair);
	while (f.relay.to_b.state == RELAY_FLOWING) {
		n = send(f.far_a, bytes, sizeof(bytes), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	shutdown(f.far_a, SHUT_WR);
	spin(&f);
	while ((n = receive(&f, f.far_b, bytes, sizeof(bytes))) > 0)
		got += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	close(f.far_b);
	f.far_b = -1;
	finish(&f, 0);
}

/* ---- failures ---- */

static void reset_reaches_the_other(bool a_resets)
{
	struct fixture f;
	char byte;
	int victim;

	start(&f, harness_tcp_pair);
	say(f.far_a, "x");
	expect(&f, f.far_b, "x");
	victim = a_resets ? f.far_b : f.far_a;
	harness_reset(a_resets ? f.far_a : f.far_b);
	assert_int_equal(receive(&f, victim, &byte, 1), -ECONNRESET);
	*(a_resets ? &f.far_a : &f.far_b) = -1;
	finish(&f, UV_ECONNRESET);
}

static void test_reset_is_passed_on(void **state)
{
	(void)state;
	reset_reaches_the_other(true);
	reset_reaches_the_other(false);
}

/* A reset while its direction is blocked shows in the write. */
static void test_reset_while_blocked(void **state)
{
	static char bytes[65536];
	struct fixture f;

	(void)state;
	start(&f, harness_tcp_pair);
	while (f.relay.to_b.state == RELAY_FLOWING) {
		(void)!send(f.far_a, bytes, sizeof(bytes), MSG_NOSIGNAL);
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	harness_reset(f.far_b);
	f.far_b = -1;
	harness_run_until(&f.loop, &f.done);
	assert_true(f.result == UV_ECONNRESET || f.result == UV_EPIPE);
	finish(&f, f.result);
}

/* Its end was read already, so nobody reads from it any more. */
static void test_reset_after_end(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, harness_tcp_pair);
	shutdown(f.far_a, SHUT_WR);
	expect_end(&f, f.far_b);
	harness_reset(f.far_a);
	f.far_a = -1;
	finish(&f, UV_EPIPE);
}

/* The one that sends is gone while the other is too slow to be told. */
static void test_reset_of_sender_while_blocked(void **state)
{
	static char bytes[65536];
	struct fixture f;

	(void)state;
	start(&f, harness_tcp_pair);
	while (f.relay.to_b.state == RELAY_FLOWING) {
		(void)!send(f.far_a, bytes, sizeof(bytes), MSG_NOSIGNAL);
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	harness_reset(f.far_a);
	f.far_a = -1;
	finish(&f, UV_ECONNRESET);
}

/* The byte itself is lost, but nothing after it waits for ever. */
static void test_urgent(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, harness_tcp_pair);
	f.relay.to_b.bulk = true;
	say(f.far_a, "before ");
	assert_int_equal(send(f.far_a, "!", 1, MSG_OOB), 1);
	say(f.far_a, "after");
	expect(&f, f.far_b, "before after");
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
}

/* A reader that closed without a word: EPIPE on a Unix socket. */
static void test_write_to_one_that_left(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, harness_unix_pair);
	close(f.far_b);
	f.far_b = -1;
	expect_end(&f, f.far_a);
	say(f.far_a, "too late");
	finish(&f, UV_EPIPE);
}

/* It fails before it has begun, and that is told like any other failure. */
static void test_first_bytes_to_one_that_left(void **state)
{
	struct fixture f = {0};
	int a[2], b[2];
	char byte;

	(void)state;
	assert_int_equal(uv_loop_init(&f.loop), 0);
	assert_int_equal(relay_hub_init(&f.hub, &f.loop), 0);
	harness_tcp_pair(a);
	harness_unix_pair(b);
	close(b[0]);
	f.far_a = a[0];
	f.far_b = -1;
	f.relay.data = &f;
	relay_start(&f.relay, &(struct relay_options){.hub = &f.hub,
				  .a = a[1],
				  .b = b[1],
				  .first_to_b = "hello",
				  .first_to_b_len = 5,
				  .idle_timeout_ms = HARNESS_DEADLINE_MS,
				  .on_done = on_done});
	assert_false(f.done);
	assert_int_equal(receive(&f, f.far_a, &byte, 1), -ECONNRESET);
	finish(&f, UV_EPIPE);
}

/* ---- several on one hub ---- */

#define CROWD 40

static struct relay *crowd[CROWD];
static unsigned crowd_done;

/* Frees itself and stops another, which may have events in this very turn. */
static void on_crowd_done(struct relay *relay, int result)
{
	unsigned number = (unsigned)(uintptr_t)relay->data;

	assert_true(result == UV_ECANCELED || result == UV_EPIPE ||
		    result == UV_ECONNRESET);
	crowd[number] = NULL;
	free(relay);
	crowd_done++;
	if (crowd[(number + 7) % CROWD] != NULL)
		relay_stop(crowd[(number + 7) % CROWD]);
}

static void test_crowd(void **state)
{
	int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS;
	int far[CROWD][2];
	struct fixture f;

	(void)state;
	start(&f, harness_unix_pair);
	crowd_done = 0;
	for (unsigned i = 0; i < CROWD; i++) {
		int a[2], b[2];

		harness_unix_pair(a);
		harness_unix_pair(b);
		far[i][0] = a[0];
		far[i][1] = b[0];
		crowd[i] = malloc(sizeof(*crowd[i]));
		assert_non_null(crowd[i]);
		crowd[i]->data = (void *)(uintptr_t)i;
		relay_start(
		    crowd[i], &(struct relay_options){.hub = &f.hub,
				  .a = a[1],
				  .b = b[1],
				  .idle_timeout_ms = HARNESS_DEADLINE_MS,
				  .on_done = on_crowd_done});
	}
	for (unsigned i = 0; i < CROWD; i++) {
		say(far[i][0], "x");
		close(far[i][0]);
		close(far[i][1]);
	}
	while (crowd_done < CROWD) {
		assert_true(harness_now_ms() < end);
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	say(f.far_a, "alive");
	expect(&f, f.far_b, "alive");
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
}

static void test_idle(void **state)
{
	struct fixture f;

	(void)state;
	start_with(&f, harness_unix_pair,
	    (struct relay_options){.idle_timeout_ms = 20});
	finish(&f, UV_ETIMEDOUT);
}

/* Bytes move all the time, and it ends all the same. */
static void test_total(void **state)
{
	struct fixture f;

	(void)state;
	start_with(&f, harness_unix_pair,
	    (struct relay_options){.total_timeout_ms = 30});
	for (int64_t end = harness_now_ms() + HARNESS_DEADLINE_MS; !f.done;) {
		assert_true(harness_now_ms() < end);
		(void)!send(f.far_a, "x", 1, MSG_NOSIGNAL);
		(void)!recv(f.far_b, &(char){0}, 1, 0);
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	assert_true(f.relay.to_b.bytes > 0);
	finish(&f, RELAY_OVERTIME);
	assert_string_equal(
	    relay_strerror(RELAY_OVERTIME), "open for too long");
}

static void start_third(struct fixture *f, struct relay *relay, int far[2],
    uint64_t idle_timeout_ms)
{
	int a[2], b[2];

	harness_tcp_pair(a);
	harness_tcp_pair(b);
	far[0] = a[0];
	far[1] = b[0];
	relay->data = f;
	relay_start(relay, &(struct relay_options){.hub = &f->hub,
			       .a = a[1],
			       .b = b[1],
			       .idle_timeout_ms = idle_timeout_ms,
			       .on_done = on_done});
}

/* Of three that share a hub the second is due, and no other. */
static void test_idle_of_another(void **state)
{
	struct relay soon, late;
	int far_soon[2], far_late[2];
	struct fixture f;
	char byte;

	(void)state;
	start(&f, harness_unix_pair);
	start_third(&f, &soon, far_soon, 20);
	start_third(&f, &late, far_late, HARNESS_DEADLINE_MS);
	harness_run_until(&f.loop, &f.done);
	assert_int_equal(f.result, UV_ETIMEDOUT);
	assert_int_equal(recv(far_soon[0], &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	f.done = false;
	say(far_late[0], "alive");
	expect(&f, far_late[1], "alive");
	say(f.far_a, "alive");
	expect(&f, f.far_b, "alive");
	relay_stop(&late);
	harness_run_until(&f.loop, &f.done);
	f.done = false;
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
	for (int i = 0; i < 2; i++) {
		close(far_soon[i]);
		close(far_late[i]);
	}
}

static void test_idle_after_half_close(void **state)
{
	struct fixture f;

	(void)state;
	start_with(&f, harness_unix_pair,
	    (struct relay_options){.idle_timeout_ms = 20});
	shutdown(f.far_a, SHUT_WR);
	finish(&f, UV_ETIMEDOUT);
}

/* Deterministic: bytes in either direction, and only they, move the mark. */
static void test_bytes_are_not_idle(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, harness_unix_pair);
	f.relay.last_moved_ms = 0;
	spin(&f);
	assert_int_equal(f.relay.last_moved_ms, 0);
	say(f.far_a, "x");
	expect(&f, f.far_b, "x");
	assert_int_not_equal(f.relay.last_moved_ms, 0);
	f.relay.last_moved_ms = 0;
	say(f.far_b, "y");
	expect(&f, f.far_a, "y");
	assert_int_not_equal(f.relay.last_moved_ms, 0);
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
}

/* A slow reader takes longer for one buffer than the idle time-out, but it
 * takes: the queue gets shorter between two looks. */
static void test_slow_reader_is_not_idle(void **state)
{
	static char bytes[65536];
	int64_t end;
	int small = 4096;
	struct fixture f;
	size_t before;

	(void)state;
	start_with(&f, harness_unix_pair,
	    (struct relay_options){.idle_timeout_ms = 1000});
	setsockopt(f.near_b, SOL_SOCKET, SO_SNDBUF, &small, sizeof(int));
	while (f.relay.to_b.state == RELAY_FLOWING) {
		(void)!send(f.far_a, bytes, sizeof(bytes), MSG_NOSIGNAL);
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	before = f.relay.to_b.kept_len + f.relay.to_b.pipe_len;
	end = harness_now_ms() + 1600;
	while (harness_now_ms() < end) {
		(void)!recv(f.far_b, bytes, 400, 0);
		uv_run(&f.loop, UV_RUN_NOWAIT);
		harness_sleep_ms(20);
	}
	/* Still in its first buffer, and still alive. */
	assert_int_equal(f.relay.to_b.state, RELAY_BLOCKED);
	assert_true(f.relay.to_b.kept_len + f.relay.to_b.pipe_len < before);
	assert_false(f.done);
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
}

/* Nothing passes the relay, but what it has passed on is read little by little;
 * when that stops, it is idle. */
static void test_reader_of_kernel_bytes_is_not_idle(void **state)
{
	static char bytes[1000];
	struct fixture f;

	(void)state;
	start_with(&f, harness_unix_pair,
	    (struct relay_options){.idle_timeout_ms = 60});
	for (unsigned i = 1; i <= 60; i++) {
		assert_int_equal(send(f.far_a, bytes, 1000, 0), 1000);
		while (f.relay.to_b.bytes < i * 1000)
			uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	for (int i = 0; i < 50; i++) {
		assert_int_equal(recv(f.far_b, bytes, 1000, 0), 1000);
		uv_run(&f.loop, UV_RUN_NOWAIT);
		assert_false(f.done);
		harness_sleep_ms(10);
	}
	finish(&f, UV_ETIMEDOUT);
}

/* A source that has more than one turn may move: told again, it goes on, while
 * others had theirs. The byte that is never read stands for all the rest. */
#define ENDLESS (2 * RELAY_TURN_BYTES + RELAY_BUFFER_BYTES)

static size_t endless_moved;

static ssize_t endless(int from, int to, size_t len)
{
	static char bytes[RELAY_BUFFER_BYTES];
	struct stat status;

	(void)len;
	assert_int_equal(fstat(to, &status), 0);
	if (!S_ISFIFO(status.st_mode))
		return read(from, bytes, sizeof(bytes));
	if (endless_moved >= ENDLESS)
		return recv(from, bytes, 0, MSG_DONTWAIT); /* the end */
	endless_moved += sizeof(bytes);
	return write(to, bytes, sizeof(bytes));
}

static void test_more_than_one_turn(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, harness_unix_pair);
	endless_moved = 0;
	f.hub.tools.splice = endless;
	f.relay.to_b.bulk = true;
	say(f.far_a, "x");
	while (f.relay.to_b.state == RELAY_FLOWING)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.relay.to_b.bytes, endless_moved);
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
}

/* ---- stopped in each state ---- */

static void test_stop_while_flowing(void **state)
{
	struct fixture f;
	char byte;

	(void)state;
	start(&f, harness_tcp_pair);
	relay_stop(&f.relay);
	relay_stop(&f.relay);
	assert_false(f.done);
	assert_int_equal(receive(&f, f.far_a, &byte, 1), -ECONNRESET);
	assert_int_equal(receive(&f, f.far_b, &byte, 1), -ECONNRESET);
	finish(&f, UV_ECANCELED);
}

static void test_stop_while_blocked(void **state)
{
	static char bytes[65536];
	struct fixture f;

	(void)state;
	start(&f, harness_unix_pair);
	while (f.relay.to_b.state == RELAY_FLOWING) {
		(void)!send(f.far_a, bytes, sizeof(bytes), MSG_NOSIGNAL);
		uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
}

static void test_stop_after_one_end(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, harness_unix_pair);
	shutdown(f.far_a, SHUT_WR);
	while (f.relay.to_b.state == RELAY_FLOWING)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.relay.to_b.state, RELAY_ENDED);
	relay_stop(&f.relay);
	finish(&f, UV_ECANCELED);
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
	    cmocka_unit_test(test_half_close_unix),
	    cmocka_unit_test(test_half_close_tcp),
	    cmocka_unit_test(test_both_leave_at_once),
	    cmocka_unit_test(test_first_bytes_come_first),
	    cmocka_unit_test(test_first_bytes_that_block),
	    cmocka_unit_test(test_bulk_unix),
	    cmocka_unit_test(test_bulk_tcp),
	    cmocka_unit_test(test_memory_is_bounded),
	    cmocka_unit_test(test_end_after_kept_bytes),
	    cmocka_unit_test(test_reset_is_passed_on),
	    cmocka_unit_test(test_reset_while_blocked),
	    cmocka_unit_test(test_reset_after_end),
	    cmocka_unit_test(test_reset_of_sender_while_blocked),
	    cmocka_unit_test(test_urgent),
	    cmocka_unit_test(test_write_to_one_that_left),
	    cmocka_unit_test(test_first_bytes_to_one_that_left),
	    cmocka_unit_test(test_crowd),
	    cmocka_unit_test(test_idle),
	    cmocka_unit_test(test_total),
	    cmocka_unit_test(test_idle_of_another),
	    cmocka_unit_test(test_idle_after_half_close),
	    cmocka_unit_test(test_bytes_are_not_idle),
	    cmocka_unit_test(test_slow_reader_is_not_idle),
	    cmocka_unit_test(test_reader_of_kernel_bytes_is_not_idle),
	    cmocka_unit_test(test_more_than_one_turn),
	    cmocka_unit_test(test_stop_while_flowing),
	    cmocka_unit_test(test_stop_while_blocked),
	    cmocka_unit_test(test_stop_after_one_end),
	};

	return cmocka_run_group_tests_name("relay", tests, setup, NULL);
}
