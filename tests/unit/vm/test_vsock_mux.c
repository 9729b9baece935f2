/* vsock_mux: which packet belongs to which Unix socket, several hundred of
 * them, and packets that belong to none. */
#include "tests/vm/vsock_mux.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define GUEST 52
#define PORT  9000
#define MANY  300
#define TURNS 30000

static char directory[64], uds_path[80];
static struct vsock_mux *mux;
static struct virtio_vsock_hdr said;
static uint8_t packet[VSOCK_PACKET_MAX];

static int set_up(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	snprintf(directory, sizeof(directory), "/tmp/test_vsock_mux.XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(uds_path, sizeof(uds_path), "%s/v", directory);
	mux = vsock_mux_new(GUEST, uds_path);
	if (mux == NULL)
		return -1;
	vsock_mux_set_running(mux, true);
	return 0;
}

static int tear_down(void **state)
{
	char path[100];

	(void)state;
	vsock_mux_free(mux);
	snprintf(path, sizeof(path), "%s_%u", uds_path, PORT);
	unlink(path);
	return rmdir(directory);
}

static int unix_socket(const char *path, bool listening)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_true(fd >= 0);
	if (listening) {
		assert_int_equal(
		    bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
		assert_int_equal(listen(fd, MANY), 0);
	} else {
		assert_int_equal(
		    connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	return fd;
}

static int host_listens(void)
{
	char path[100];

	snprintf(path, sizeof(path), "%s_%u", uds_path, PORT);
	return unix_socket(path, true);
}

static int host_dials(const char *greeting)
{
	int fd = unix_socket(uds_path, false);

	assert_int_equal(
	    send(fd, greeting, strlen(greeting), 0), strlen(greeting));
	vsock_mux_work(mux);
	vsock_mux_work(mux);
	return fd;
}

static void hear_header(const struct virtio_vsock_hdr *h, const char *text)
{
	memcpy(packet, h, VSOCK_HEADER);
	memcpy(packet + VSOCK_HEADER, text, strlen(text));
	vsock_mux_hear(mux, packet, VSOCK_HEADER + strlen(text));
}

static struct virtio_vsock_hdr header(
    uint16_t op, uint64_t cid, uint32_t host_port, uint32_t guest_port)
{
	return (struct virtio_vsock_hdr){.src_cid = GUEST,
	    .dst_cid = cid,
	    .src_port = guest_port,
	    .dst_port = host_port,
	    .type = VIRTIO_VSOCK_TYPE_STREAM,
	    .op = op,
	    .buf_alloc = 65536};
}

static void hear(
    uint16_t op, uint32_t host_port, uint32_t guest_port, const char *text)
{
	struct virtio_vsock_hdr h = header(op, 3, host_port, guest_port);

	h.len = (uint32_t)strlen(text);
	hear_header(&h, text);
}

static bool say(void)
{
	size_t len;

	vsock_mux_work(mux);
	len = vsock_mux_say(mux, packet, sizeof(packet));
	memcpy(&said, packet, VSOCK_HEADER);
	if (len > 0)
		assert_int_equal(len, VSOCK_HEADER + said.len);
	return len > 0;
}

static void must_say(
    uint16_t op, uint64_t cid, uint32_t host_port, uint32_t guest_port)
{
	assert_true(say());
	assert_int_equal(said.op, op);
	assert_int_equal(said.src_cid, cid);
	assert_int_equal(said.dst_cid, GUEST);
	assert_int_equal(said.src_port, host_port);
	assert_int_equal(said.dst_port, guest_port);
}

static void must_hang_up(int fd)
{
	char byte;

	vsock_mux_work(mux);
	assert_true(
	    recv(fd, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
	close(fd);
}

/* ---- connections ---- */

static void guest_connects_to_parent_and_host(void **state)
{
	int listening = host_listens();

	(void)state;
	for (uint64_t cid = 2; cid <= 3; cid++) {
		struct virtio_vsock_hdr h = header(
		    VIRTIO_VSOCK_OP_REQUEST, cid, PORT, 77);
		char text[8] = "";
		int fd;

		hear_header(&h, "");
		must_say(VIRTIO_VSOCK_OP_RESPONSE, cid, PORT, 77);
		assert_int_equal(said.type, VIRTIO_VSOCK_TYPE_STREAM);
		fd = accept(listening, NULL, NULL);
		assert_true(fd >= 0);
		h.op = VIRTIO_VSOCK_OP_RW;
		h.len = 2;
		hear_header(&h, cid == 2 ? "22" : "33");
		assert_int_equal(recv(fd, text, sizeof(text), 0), 2);
		assert_string_equal(text, cid == 2 ? "22" : "33");
		close(fd);
		must_say(VIRTIO_VSOCK_OP_SHUTDOWN, cid, PORT, 77);
	}
	assert_int_equal(vsock_mux_count(mux), 2); /* the same ports twice */
	close(listening);
}

static void nobody_there_is_a_reset_at_once(void **state)
{
	(void)state;
	hear(VIRTIO_VSOCK_OP_REQUEST, PORT, 77, "");
	must_say(VIRTIO_VSOCK_OP_RST, 3, PORT, 77);
	close(host_listens()); /* leaves its file behind */
	hear(VIRTIO_VSOCK_OP_REQUEST, PORT, 77, "");
	must_say(VIRTIO_VSOCK_OP_RST, 3, PORT, 77);
	assert_int_equal(vsock_mux_count(mux), 0);
}

static void host_connects(void **state)
{
	char text[32] = "";
	int fd = host_dials("CONNECT 5000\nearly");

	(void)state;
	must_say(VIRTIO_VSOCK_OP_REQUEST, 3, 1u << 30, 5000);
	hear(VIRTIO_VSOCK_OP_RESPONSE, 1u << 30, 5000, "");
	assert_int_equal(recv(fd, text, sizeof(text), 0), 14);
	assert_string_equal(text, "OK 1073741824\n");
	must_say(VIRTIO_VSOCK_OP_RW, 3, 1u << 30, 5000);
	assert_memory_equal(packet + VSOCK_HEADER, "early", 5);
	close(fd);
}

static void guest_refuses(void **state)
{
	int fd = host_dials("CONNECT 5000\n");

	(void)state;
	must_say(VIRTIO_VSOCK_OP_REQUEST, 3, 1u << 30, 5000);
	hear(VIRTIO_VSOCK_OP_RST, 1u << 30, 5000, "");
	must_hang_up(fd);
	fd = host_dials("CONNECT 5000\n"); /* another port of ours */
	must_say(VIRTIO_VSOCK_OP_REQUEST, 3, (1u << 30) + 1, 5000);
	close(fd);
	must_hang_up(host_dials("CONNECT me\n"));
	assert_true(say());
	assert_int_equal(said.op, VIRTIO_VSOCK_OP_RST); /* of the one before */
	assert_false(say());
}

static void without_a_guest_all_hang_up(void **state)
{
	int fd = host_dials("CONNECT 5000\n");

	(void)state;
	hear(VIRTIO_VSOCK_OP_RW, 1, 1, "");
	vsock_mux_set_running(mux, false);
	must_hang_up(fd);
	must_hang_up(host_dials("CONNECT 5000\n"));
	vsock_mux_set_running(mux, true);
	assert_false(say());
	assert_int_equal(vsock_mux_count(mux), 0);
}

/* Whatever is still to be written: a guest waits for it, and forgets. */
static void a_close_is_answered_at_once(void **state)
{
	int listening = host_listens(), fd;

	(void)state;
	for (int turn = 0; turn < 2; turn++) { /* the ports are free again */
		struct virtio_vsock_hdr h = header(
		    VIRTIO_VSOCK_OP_SHUTDOWN, 3, PORT, 77);

		hear(VIRTIO_VSOCK_OP_REQUEST, PORT, 77, "");
		must_say(VIRTIO_VSOCK_OP_RESPONSE, 3, PORT, 77);
		fd = accept(listening, NULL, NULL);
		vsock_mux_work(mux);
		for (int i = 0; i < 5; i++) {
			h.flags = VIRTIO_VSOCK_SHUTDOWN_SEND;
			hear(VIRTIO_VSOCK_OP_RW, PORT, 77, "last words");
		}
		hear_header(&h, "");
		h.flags |= VIRTIO_VSOCK_SHUTDOWN_RCV;
		hear_header(&h, "");
		must_say(VIRTIO_VSOCK_OP_RST, 3, PORT, 77);
		assert_false(say());
		assert_int_equal(recv(fd, packet, sizeof(packet), 0), 50);
		assert_int_equal(recv(fd, packet, sizeof(packet), 0), 0);
		close(fd);
	}
	assert_int_equal(vsock_mux_count(mux), 0);
	close(listening);
}

/* A connection whose rest is still being written is none to the guest. */
static void the_ports_are_free_at_once(void **state)
{
	static char much[60001];
	int listening = host_listens(), fd;

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	hear(VIRTIO_VSOCK_OP_REQUEST, PORT, 77, "");
	must_say(VIRTIO_VSOCK_OP_RESPONSE, 3, PORT, 77);
	fd = accept(listening, NULL, NULL);
	vsock_mux_work(mux);
	for (int i = 0; i < 4; i++)
		hear(VIRTIO_VSOCK_OP_RW, PORT, 77, much);
	hear(VIRTIO_VSOCK_OP_RST, PORT, 77, "");
	assert_int_equal(vsock_mux_count(mux), 1);
	hear(VIRTIO_VSOCK_OP_RW, PORT, 77, "x");
	must_say(VIRTIO_VSOCK_OP_RST, 3, PORT, 77);
	hear(VIRTIO_VSOCK_OP_REQUEST, PORT, 77, "");
	must_say(VIRTIO_VSOCK_OP_RESPONSE, 3, PORT, 77);
	assert_int_equal(vsock_mux_count(mux), 2);
	close(fd);
	close(listening);
}

static void several_hundred_in_turn(void **state)
{
	static int fds[MANY];
	static bool seen[MANY];
	int listening = host_listens();
	char text[16];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		hear(VIRTIO_VSOCK_OP_REQUEST, PORT, i, "");
		fds[i] = accept(listening, NULL, NULL);
		snprintf(text, sizeof(text), "%u", i);
		assert_true(send(fds[i], text, strlen(text), 0) > 0);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		assert_true(say());
		assert_int_equal(said.op, VIRTIO_VSOCK_OP_RESPONSE);
	}
	for (uint32_t i = 0; i < MANY; i++) { /* each once */
		assert_true(say());
		assert_int_equal(said.op, VIRTIO_VSOCK_OP_RW);
		snprintf(text, sizeof(text), "%u", said.dst_port);
		assert_memory_equal(packet + VSOCK_HEADER, text, said.len);
		assert_false(seen[said.dst_port]);
		seen[said.dst_port] = true;
	}
	for (uint32_t i = 0; i < MANY; i++)
		close(fds[i]);
	close(listening);
}

static void one_too_many_is_refused(void **state)
{
	static int fds[VSOCK_CONNECTIONS_MAX];
	struct rlimit limit;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 2 * VSOCK_CONNECTIONS_MAX + 64)
		skip();
	for (size_t i = 0; i < VSOCK_CONNECTIONS_MAX; i++)
		fds[i] = host_dials("CONNECT 1\n");
	assert_int_equal(vsock_mux_count(mux), VSOCK_CONNECTIONS_MAX);
	must_hang_up(host_dials("CONNECT 1\n"));
	close(host_listens());
	hear(VIRTIO_VSOCK_OP_REQUEST, PORT, 77, "");
	must_say(VIRTIO_VSOCK_OP_RST, 3, PORT, 77);
	for (size_t i = 0; i < VSOCK_CONNECTIONS_MAX; i++)
		close(fds[i]);
	while (say())
		;
	assert_int_equal(vsock_mux_count(mux), 0);
}

/* ---- what belongs to nothing ---- */

static void strays_are_reset(void **state)
{
	struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_REQUEST, 3, PORT, 7);
	int listening = host_listens();

	(void)state;
	hear(VIRTIO_VSOCK_OP_RW, PORT, 77, "x");
	must_say(VIRTIO_VSOCK_OP_RST, 3, PORT, 77);
	hear(VIRTIO_VSOCK_OP_RST, PORT, 77, "");
	assert_false(say());
	h.type = VIRTIO_VSOCK_TYPE_SEQPACKET;
	hear_header(&h, "");
	must_say(VIRTIO_VSOCK_OP_RST, 3, PORT, 7);
	assert_int_equal(said.type, VIRTIO_VSOCK_TYPE_SEQPACKET);
	h = header(VIRTIO_VSOCK_OP_REQUEST, 4, PORT, 7); /* a sibling */
	hear_header(&h, "");
	must_say(VIRTIO_VSOCK_OP_RST, 4, PORT, 7);
	close(listening);
}

static void what_is_no_packet_is_dropped(void **state)
{
	struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, 3, PORT, 7);

	(void)state;
	vsock_mux_hear(mux, (const uint8_t *)&h, VSOCK_HEADER - 1);
	h.len = 3;
	hear_header(&h, "xx");
	hear_header(&h, "xxxx");
	h.src_cid = GUEST + 1;
	hear_header(&h, "xxx");
	assert_false(say());
}

static void a_guest_that_does_not_listen_is_not_heard(void **state)
{
	unsigned count = 0;

	(void)state;
	for (; vsock_mux_can_hear(mux); count++)
		hear(VIRTIO_VSOCK_OP_RW, PORT, count, "");
	assert_in_range(count, 100, 1000);
	must_say(VIRTIO_VSOCK_OP_RST, 3, PORT, 0);
	assert_true(vsock_mux_can_hear(mux));
	hear(VIRTIO_VSOCK_OP_RW, PORT, count, "");
	for (unsigned i = 1; i <= count; i++)
		must_say(VIRTIO_VSOCK_OP_RST, 3, PORT, i);
	assert_false(say());
}

/* Any order of anything, from few enough values that it often fits. */
static void guests_without_sense(void **state)
{
	int listening = host_listens(), fd = -1;

	(void)state;
	assert_int_equal(fcntl(listening, F_SETFL, O_NONBLOCK), 0);
	srand(1);
	for (int i = 0; i < TURNS; i++) {
		struct virtio_vsock_hdr h = header((uint16_t)(rand() % 9),
		    2 + (uint64_t)(rand() % 2), PORT, (uint32_t)(rand() % 3));
		size_t len = (size_t)(rand() % 3) * 1000;

		h.flags = (uint32_t)(rand() % 4);
		h.len = (uint32_t)len;
		h.fwd_cnt = (uint32_t)(rand() % 5000);
		memcpy(packet, &h, VSOCK_HEADER);
		vsock_mux_hear(mux, packet, VSOCK_HEADER + len);
		if (rand() % 4 == 0) {
			if (fd >= 0)
				close(fd);
			fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
		}
		if (fd >= 0 && rand() % 2 == 0)
			(void)!send(fd, packet, len, MSG_NOSIGNAL);
		if (fd >= 0 && rand() % 2 == 0)
			(void)!recv(fd, packet, sizeof(packet), 0);
		while (say())
			assert_in_range(said.op, VIRTIO_VSOCK_OP_REQUEST,
			    VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	}
	if (fd >= 0)
		close(fd);
	close(listening);
}

static void paths_that_cannot_be_are_refused(void **state)
{
	char path[200];

	(void)state;
	log_set_level(LOG_ERROR + 1);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_null(vsock_mux_new(GUEST, path));
	assert_null(vsock_mux_new(GUEST, "relative"));
	assert_null(vsock_mux_new(GUEST, "/nowhere/at/all"));
}

#define MUX_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MUX_TEST(guest_connects_to_parent_and_host),
	    MUX_TEST(nobody_there_is_a_reset_at_once),
	    MUX_TEST(host_connects),
	    MUX_TEST(guest_refuses),
	    MUX_TEST(without_a_guest_all_hang_up),
	    MUX_TEST(a_close_is_answered_at_once),
	    MUX_TEST(the_ports_are_free_at_once),
	    MUX_TEST(several_hundred_in_turn),
	    MUX_TEST(one_too_many_is_refused),
	    MUX_TEST(strays_are_reset),
	    MUX_TEST(what_is_no_packet_is_dropped),
	    MUX_TEST(a_guest_that_does_not_listen_is_not_heard),
	    MUX_TEST(guests_without_sense),
	    MUX_TEST(paths_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests_name("vsock_mux", tests, NULL, NULL);
}
