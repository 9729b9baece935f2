/* vsock_connection: ends, resets and credit, each way. The test is the guest
 * (packets) and the host's program (the other end of a socket pair). */
#include "tests/vm/vsock_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define BOTH VSOCK_SHUTDOWN_BOTH
#define RCV  VIRTIO_VSOCK_SHUTDOWN_RCV
#define SEND VIRTIO_VSOCK_SHUTDOWN_SEND
#define ROOM 4096 /* of the guest, unless a test says otherwise */

static struct vsock_connection *c;
static int host;       /* the program's end; -1: closed */
static uint32_t taken; /* by the guest: what its fwd_cnt says */
static uint32_t room;
static struct virtio_vsock_hdr said;
static uint8_t payload[1 << 17], zeros[1 << 18];

static int set_up_in(enum vsock_state state)
{
	int pair[2];

	if (socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
		return -1;
	host = pair[1];
	c = vsock_connection_new(pair[0], state);
	c->host_port = 9000;
	taken = 0;
	room = c->guest_buffer = ROOM;
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	return set_up_in(VSOCK_OPEN);
}

static int set_up_requested(void **state)
{
	(void)state;
	return set_up_in(VSOCK_REQUESTED);
}

static int set_up_greeting(void **state)
{
	(void)state;
	return set_up_in(VSOCK_GREETING);
}

static int tear_down(void **state)
{
	(void)state;
	vsock_connection_free(c);
	if (host >= 0)
		close(host);
	return 0;
}

static void close_host(void)
{
	close(host);
	host = -1;
}

/* What epoll would say now. */
static void look(void)
{
	struct pollfd p = {c->fd, POLLIN | POLLOUT | POLLRDHUP, 0};

	assert_true(poll(&p, 1, 0) >= 0);
	vsock_connection_on_socket(c, (uint32_t)p.revents);
}

static void hear(uint16_t op, uint32_t flags, const void *bytes, uint32_t len)
{
	const struct virtio_vsock_hdr h = {.op = op,
	    .flags = flags,
	    .len = len,
	    .buf_alloc = room,
	    .fwd_cnt = taken};

	vsock_connection_hear(c, &h, bytes);
}

static bool say(void)
{
	look();
	memset(&said, 0, sizeof(said));
	return vsock_connection_has_something(c) &&
	       vsock_connection_say(c, &said, payload, sizeof(payload));
}

static void must_say(uint16_t op)
{
	assert_true(say());
	assert_int_equal(said.op, op);
}

static void must_say_nothing(void)
{
	if (say())
		fail_msg("said %u", said.op);
}

static void host_sends(const char *text)
{
	assert_int_equal(
	    send(host, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void host_reads(const char *text)
{
	char found[64] = "";

	assert_int_equal(recv(host, found, sizeof(found), 0), strlen(text));
	assert_string_equal(found, text);
}

/* To the end: how many bytes, and how it ended (0: an end of file). */
static size_t host_reads_all(int *error)
{
	size_t total = 0;
	ssize_t n;

	while ((n = recv(host, payload, sizeof(payload), 0)) > 0)
		total += (size_t)n;
	*error = n < 0 ? errno : 0;
	return total;
}

/* ---- data and ends ---- */

static void data_goes_both_ways(void **state)
{
	(void)state;
	look();
	hear(VIRTIO_VSOCK_OP_RW, 0, "ping", 4);
	host_reads("ping");
	host_sends("pong!");
	must_say(VIRTIO_VSOCK_OP_RW);
	assert_int_equal(said.len, 5);
	assert_memory_equal(payload, "pong!", 5);
	assert_int_equal(said.buf_alloc, VSOCK_BUFFER);
	assert_int_equal(said.fwd_cnt, 4);
	must_say_nothing();
}

static void guest_sends_no_more(void **state)
{
	(void)state;
	look();
	hear(VIRTIO_VSOCK_OP_RW, 0, "last", 4);
	hear(VIRTIO_VSOCK_OP_SHUTDOWN, SEND, NULL, 0);
	host_reads("last");
	host_reads("");
	must_say_nothing();
	host_sends("still");
	must_say(VIRTIO_VSOCK_OP_RW);
	shutdown(host, SHUT_WR);
	must_say(VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_true((said.flags & SEND) != 0);
	must_say_nothing();
}

static void host_sends_no_more(void **state)
{
	(void)state;
	host_sends("last");
	shutdown(host, SHUT_WR);
	must_say(VIRTIO_VSOCK_OP_RW);
	must_say(VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(said.flags, SEND);
	must_say_nothing();
	hear(VIRTIO_VSOCK_OP_RW, 0, "still", 5);
	host_reads("still");
	close_host();
	must_say(VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(said.flags, BOTH);
	hear(VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	assert_int_equal(c->state, VSOCK_OVER);
}

static void guest_receives_no_more(void **state)
{
	(void)state;
	look();
	hear(VIRTIO_VSOCK_OP_SHUTDOWN, RCV, NULL, 0);
	assert_int_equal(send(host, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	must_say_nothing();
	hear(VIRTIO_VSOCK_OP_RW, 0, "still", 5);
	host_reads("still");
	close_host(); /* which is seen though nobody reads */
	must_say(VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(said.flags, BOTH);
}

static void host_receives_no_more(void **state)
{
	(void)state;
	shutdown(host, SHUT_RD);
	look();
	hear(VIRTIO_VSOCK_OP_RW, 0, "lost", 4);
	must_say(VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(said.flags, RCV);
	hear(VIRTIO_VSOCK_OP_RW, 0, "lost", 4); /* sent before it knew */
	host_sends("still");
	must_say(VIRTIO_VSOCK_OP_RW);
	assert_int_equal(said.fwd_cnt, 8);
}

static void host_closes(void **state)
{
	(void)state;
	host_sends("last");
	close_host();
	room = c->guest_buffer = 2; /* the end comes after the data */
	must_say(VIRTIO_VSOCK_OP_RW);
	must_say(VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(said.flags, RCV);
	must_say_nothing();
	taken = 2;
	hear(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	must_say(VIRTIO_VSOCK_OP_RW);
	must_say(VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(said.flags, BOTH);
}

static void host_resets(void **state)
{
	(void)state;
	look();
	hear(VIRTIO_VSOCK_OP_RW, 0, "unread", 6);
	close_host();
	while (say() && said.op != VIRTIO_VSOCK_OP_RST)
		;
	assert_int_equal(said.op, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(c->state, VSOCK_OVER);
}

/* More than fits into the socket: the rest follows when there is room, also
 * after the guest has closed. */
static void guest_closes(void **state)
{
	size_t total = 0;
	int error;

	(void)state;
	look();
	for (int i = 0; i < 4; i++)
		hear(VIRTIO_VSOCK_OP_RW, 0, zeros, VSOCK_BUFFER / 4);
	host_sends("unread");
	hear(VIRTIO_VSOCK_OP_SHUTDOWN, BOTH, NULL, 0);
	for (int i = 0; i < 100 && c->state != VSOCK_OVER; i++) {
		total += host_reads_all(&error);
		look();
		assert_false(vsock_connection_has_something(c));
	}
	assert_int_equal(c->state, VSOCK_OVER);
	vsock_connection_free(c);
	c = NULL;
	total += host_reads_all(&error);
	assert_int_equal(total, VSOCK_BUFFER);
	assert_int_equal(error, 0);
}

static void guest_resets(void **state)
{
	int error;

	(void)state;
	look();
	hear(VIRTIO_VSOCK_OP_RW, 0, "data", 4);
	host_sends("unread");
	hear(VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	assert_int_equal(c->state, VSOCK_OVER);
	vsock_connection_free(c);
	c = NULL;
	assert_int_equal(host_reads_all(&error), 4);
	assert_int_equal(error, ECONNRESET);
}

/* ---- credit ---- */

static size_t all_that_is_said(void)
{
	size_t total = 0;

	while (say())
		total += said.len;
	return total;
}

static void guest_is_not_sent_more_than_it_has_room_for(void **state)
{
	(void)state;
	assert_int_equal(send(host, zeros, 10000, 0), 10000);
	assert_int_equal(all_that_is_said(), ROOM);
	hear(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	assert_int_equal(all_that_is_said(), 0);
	taken = 100;
	hear(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	assert_int_equal(all_that_is_said(), 100);
	room = 50; /* it may take room away: none is left */
	taken = 200;
	hear(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	assert_int_equal(all_that_is_said(), 0);
	taken = 5 * ROOM; /* more than it was sent: not believed */
	hear(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	assert_int_equal(all_that_is_said(), 0);
	taken = ROOM + 100;
	room = 100000;
	hear(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
	assert_int_equal(all_that_is_said(), 10000 - ROOM - 100);
}

/* An end needs no room. */
static void an_end_without_credit(void **state)
{
	(void)state;
	room = c->guest_buffer = 4;
	host_sends("last");
	must_say(VIRTIO_VSOCK_OP_RW);
	must_say_nothing();
	shutdown(host, SHUT_WR);
	must_say(VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(said.flags, SEND);
}

static void guest_may_fill_the_buffer_and_no_more(void **state)
{
	int error;

	(void)state;
	c->writable = false; /* a host that reads nothing */
	hear(VIRTIO_VSOCK_OP_RW, 0, zeros, VSOCK_BUFFER);
	assert_false(vsock_connection_has_something(c));
	hear(VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0, NULL, 0);
	assert_true(vsock_connection_say(c, &said, payload, 1));
	assert_int_equal(said.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(said.fwd_cnt, 0);
	look();
	while (c->forwarded != c->received) {
		assert_true(host_reads_all(&error) > 0);
		look();
	}
	must_say(VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(said.fwd_cnt, VSOCK_BUFFER);
	must_say_nothing();
	c->writable = false;
	hear(VIRTIO_VSOCK_OP_RW, 0, zeros, VSOCK_BUFFER);
	hear(VIRTIO_VSOCK_OP_RW, 0, zeros, 1);
	assert_true(vsock_connection_say(c, &said, payload, 1));
	assert_int_equal(said.op, VIRTIO_VSOCK_OP_RST);
}

/* A guest that sends little by little hears of room before it has none. */
static void room_is_told_in_time(void **state)
{
	uint32_t told = 0, sent = 0;
	unsigned updates = 0;
	int error;

	(void)state;
	look();
	for (; sent < 4 * VSOCK_BUFFER; sent += 1000) {
		assert_true(sent + 1000 - told <= VSOCK_BUFFER);
		hear(VIRTIO_VSOCK_OP_RW, 0, zeros, 1000);
		host_reads_all(&error);
		if (!say())
			continue;
		assert_int_equal(said.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		told = said.fwd_cnt;
		updates++;
	}
	assert_in_range(updates, 4, 16);
}

static void counters_go_round(void **state)
{
	(void)state;
	c->sent = taken = UINT32_MAX - 1;
	c->received = c->forwarded = c->forwarded_said = UINT32_MAX - 1;
	look();
	hear(VIRTIO_VSOCK_OP_RW, 0, "across", 6);
	host_reads("across");
	host_sends("across");
	must_say(VIRTIO_VSOCK_OP_RW);
	assert_int_equal(said.len, 6);
	assert_int_equal(said.fwd_cnt, 4);
	assert_int_equal(c->sent, 4);
	assert_int_equal(send(host, zeros, ROOM, 0), ROOM);
	must_say(VIRTIO_VSOCK_OP_RW);
	assert_int_equal(said.len, ROOM - 6);
}

/* ---- opening ---- */

static void guest_accepts(void **state)
{
	(void)state;
	c->opening = VIRTIO_VSOCK_OP_REQUEST;
	must_say(VIRTIO_VSOCK_OP_REQUEST);
	must_say_nothing();
	host_sends("early");
	must_say_nothing();
	hear(VIRTIO_VSOCK_OP_RESPONSE, 0, NULL, 0);
	host_reads("OK 9000\n");
	must_say(VIRTIO_VSOCK_OP_RW);
}

static void guest_refuses(void **state)
{
	(void)state;
	c->opening = VIRTIO_VSOCK_OP_REQUEST;
	must_say(VIRTIO_VSOCK_OP_REQUEST);
	hear(VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
	assert_int_equal(c->state, VSOCK_OVER);
}

static void host_gives_up(void **state)
{
	(void)state;
	c->opening = VIRTIO_VSOCK_OP_REQUEST;
	must_say(VIRTIO_VSOCK_OP_REQUEST);
	close_host();
	must_say(VIRTIO_VSOCK_OP_RST);
	assert_int_equal(c->state, VSOCK_OVER);
}

static void host_gives_up_before_the_guest_was_asked(void **state)
{
	(void)state;
	c->opening = VIRTIO_VSOCK_OP_REQUEST;
	close_host();
	must_say_nothing();
	assert_int_equal(c->state, VSOCK_OVER);
}

static void what_does_not_belong_is_reset(void **state)
{
	static const uint16_t before[] = {VIRTIO_VSOCK_OP_RW,
	    VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_OP_REQUEST, 99};
	static const uint16_t open[] = {VIRTIO_VSOCK_OP_REQUEST,
	    VIRTIO_VSOCK_OP_RESPONSE, VIRTIO_VSOCK_OP_INVALID, 99};

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		c->state = i < 4 ? VSOCK_REQUESTED : VSOCK_OPEN;
		hear(i < 4 ? before[i] : open[i - 4], 0, NULL, 0);
		must_say(VIRTIO_VSOCK_OP_RST);
		assert_int_equal(c->state, VSOCK_OVER);
		c->is_broken = false;
	}
	c->state = VSOCK_REQUESTED;
	c->opening = VIRTIO_VSOCK_OP_REQUEST;
	hear(VIRTIO_VSOCK_OP_RESPONSE, 0, NULL, 0); /* to what is not asked */
	must_say(VIRTIO_VSOCK_OP_RST);
	c->is_broken = false;
	c->opening = 0;
	c->state = VSOCK_OPEN;
	hear(VIRTIO_VSOCK_OP_SHUTDOWN, SEND, NULL, 0);
	hear(VIRTIO_VSOCK_OP_RW, 0, "x", 1); /* after its end */
	must_say(VIRTIO_VSOCK_OP_RST);
}

static void greetings(void **state)
{
	static const char *const bad[] = {"CONNECT \n", "CONNECT x\n", "\n",
	    "CONNECT 4294967296\n", "connect 1\n", "CONNECT 1 \n",
	    "CONNECT -1\n", "CONNECT 1\r\n", "CONNECT  1\n", "GET / HTTP/1.1\n",
	    "CONNECT 0000000001234"};
	uint32_t port = 0;

	(void)state;
	assert_int_equal(vsock_connection_greeting(c, &port), 0);
	host_sends("CONNECT 42949");
	assert_int_equal(vsock_connection_greeting(c, &port), 0);
	host_sends("67295\nCONNECT 7\nmore");
	assert_int_equal(vsock_connection_greeting(c, &port), 1);
	assert_int_equal(port, UINT32_MAX);
	assert_int_equal(vsock_connection_greeting(c, &port), 1);
	assert_int_equal(port, 7);
	assert_int_equal(recv(c->fd, payload, 9, 0), 4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		host_sends(bad[i]);
		if (strchr(bad[i], '\n') == NULL)
			host_sends("567890");
		if (vsock_connection_greeting(c, &port) != -1)
			fail_msg("\"%s\"", bad[i]);
		(void)!recv(c->fd, payload, sizeof(payload), 0);
	}
	close_host();
	look();
	assert_int_equal(vsock_connection_greeting(c, &port), -1);
}

#define VSOCK_TEST(name, up) \
	cmocka_unit_test_setup_teardown(name, up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    VSOCK_TEST(data_goes_both_ways, set_up),
	    VSOCK_TEST(guest_sends_no_more, set_up),
	    VSOCK_TEST(host_sends_no_more, set_up),
	    VSOCK_TEST(guest_receives_no_more, set_up),
	    VSOCK_TEST(host_receives_no_more, set_up),
	    VSOCK_TEST(host_closes, set_up),
	    VSOCK_TEST(host_resets, set_up),
	    VSOCK_TEST(guest_closes, set_up),
	    VSOCK_TEST(guest_resets, set_up),
	    VSOCK_TEST(guest_is_not_sent_more_than_it_has_room_for, set_up),
	    VSOCK_TEST(an_end_without_credit, set_up),
	    VSOCK_TEST(guest_may_fill_the_buffer_and_no_more, set_up),
	    VSOCK_TEST(room_is_told_in_time, set_up),
	    VSOCK_TEST(counters_go_round, set_up),
	    VSOCK_TEST(guest_accepts, set_up_requested),
	    VSOCK_TEST(guest_refuses, set_up_requested),
	    VSOCK_TEST(host_gives_up, set_up_requested),
	    VSOCK_TEST(
		host_gives_up_before_the_guest_was_asked, set_up_requested),
	    VSOCK_TEST(what_does_not_belong_is_reset, set_up),
	    VSOCK_TEST(greetings, set_up_greeting),
	};

	return cmocka_run_group_tests_name(
	    "vsock_connection", tests, NULL, NULL);
}
