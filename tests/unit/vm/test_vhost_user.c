/* vhost_user: the test is QEMU, with a memory of one file. */
#include "tests/vm/vhost_user.h"

#include "base/log.h"
#include "tests/vm/vhost_message.h"

#include <linux/virtio_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define GUEST  0x100000u
#define USER   0x7f0000000000u
#define BYTES  65536u
#define OFFSET 4096u /* of the memory in its file */
#define SIZE   8
#define F_OURS (1ull << 5)

static const struct vhost_user_device device = {
    .queues = 2, .features = F_OURS, .config = "config", .config_len = 6};
static struct vhost_user vu;
static int qemu, file, kick, call;
static uint8_t *ram; /* as the front end has it */
static struct vhost_message got;

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	log_set_level(LOG_ERROR + 1); /* refusals are what is wanted */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	qemu = pair[0];
	vhost_user_init(&vu, pair[1], &device);
	file = memfd_create("ram", MFD_CLOEXEC);
	kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (file < 0 || ftruncate(file, OFFSET + BYTES) != 0)
		return -1;
	ram = mmap(
	    NULL, OFFSET + BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (ram == MAP_FAILED)
		return -1;
	ram += OFFSET;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	vhost_user_fini(&vu);
	munmap(ram - OFFSET, OFFSET + BYTES);
	close(file);
	close(kick);
	close(call);
	if (qemu >= 0)
		close(qemu);
	return 0;
}

/* Sends it and lets the back end work: what that returned. */
static int send_raw(uint32_t request, const void *body, uint32_t said_size,
    uint32_t size, int fd)
{
	const struct vhost_message_head head = {request, 1, said_size};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec parts[] = {{(void *)(uintptr_t)&head, sizeof(head)},
	    {(void *)(uintptr_t)body, size}};
	struct msghdr out = {.msg_iov = parts, .msg_iovlen = 2};

	memset(control, 0, sizeof(control));
	if (fd >= 0) {
		struct cmsghdr *c;

		out.msg_control = control;
		out.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&out);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	assert_int_equal(sendmsg(qemu, &out, 0), sizeof(head) + size);
	return vhost_user_work(&vu);
}

static int send_number(uint32_t request, uint64_t number, int fd)
{
	return send_raw(request, &number, sizeof(number), sizeof(number), fd);
}

static int send_state(uint32_t request, uint32_t index, uint32_t number)
{
	const struct vhost_vring_state s = {index, number};

	return send_raw(request, &s, sizeof(s), sizeof(s), -1);
}

static int send_memory(uint64_t guest, uint64_t size)
{
	const struct {
		uint32_t count, padding;
		struct vhost_message_region region;
	} table = {1, 0, {guest, size, USER, OFFSET}};

	return send_raw(
	    VHOST_SET_MEM_TABLE, &table, sizeof(table), sizeof(table), file);
}

static int send_addresses(uint64_t desc, uint64_t avail, uint64_t used)
{
	const struct vhost_vring_addr a = {.index = 1,
	    .desc_user_addr = USER + desc,
	    .avail_user_addr = USER + avail,
	    .used_user_addr = USER + used};

	return send_raw(VHOST_SET_VRING_ADDR, &a, sizeof(a), sizeof(a), -1);
}

static void must_answer(uint32_t request, uint32_t size)
{
	assert_int_equal(vhost_message_read(&got, qemu), 1);
	assert_int_equal(got.head.request, request);
	assert_int_equal(got.head.flags, 5); /* version 1, a reply */
	assert_int_equal(got.head.size, size);
}

static void start_queue(void)
{
	assert_int_equal(send_memory(GUEST, BYTES), 0);
	assert_int_equal(send_state(VHOST_SET_VRING_NUM, 1, SIZE), 0);
	assert_int_equal(send_state(VHOST_SET_VRING_BASE, 1, 0), 0);
	assert_int_equal(send_addresses(0, 1024, 2048), 0);
	assert_int_equal(send_number(VHOST_SET_VRING_KICK, 1, kick), 0);
	assert_int_equal(send_number(VHOST_SET_VRING_CALL, 1, call), 0);
	assert_null(vhost_user_queue(&vu, 1)); /* not before ENABLE */
	assert_int_equal(send_state(VHOST_SET_VRING_ENABLE, 1, 1), 0);
	assert_non_null(vhost_user_queue(&vu, 1));
	assert_null(vhost_user_queue(&vu, 0));
}

static uint64_t rings(int fd)
{
	uint64_t count = 0;

	(void)!read(fd, &count, sizeof(count));
	return count;
}

/* ---- what QEMU does ---- */

static void features_and_queues(void **state)
{
	(void)state;
	assert_int_equal(send_raw(VHOST_GET_FEATURES, "", 0, 0, -1), 0);
	must_answer(VHOST_GET_FEATURES, 8);
	assert_true(got.body.number ==
		    (F_OURS | 1ull << 30 | 1ull << VIRTIO_F_VERSION_1));
	assert_int_equal(
	    send_raw(VHOST_GET_PROTOCOL_FEATURES, "", 0, 0, -1), 0);
	must_answer(VHOST_GET_PROTOCOL_FEATURES, 8);
	assert_true(got.body.number == (1ull << 9 | 1));
	assert_int_equal(send_raw(VHOST_GET_QUEUE_NUM, "", 0, 0, -1), 0);
	must_answer(VHOST_GET_QUEUE_NUM, 8);
	assert_int_equal(got.body.number, 2);
	assert_int_equal(send_number(VHOST_SET_FEATURES, F_OURS, -1), 0);
	assert_int_equal(send_raw(VHOST_SET_OWNER, "", 0, 0, -1), 0);
}

static void config(void **state)
{
	const struct {
		uint32_t offset, size, flags;
		char bytes[8];
	} asked[] = {{0, 6, 0, ""}, {2, 3, 0, ""}, {2, 5, 0, ""}, {7, 0, 0, ""},
	    {UINT32_MAX, 2, 0, ""}};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		uint32_t size = 12 + asked[i].size;

		assert_int_equal(
		    send_raw(VHOST_GET_CONFIG, &asked[i], size, size, -1), 0);
		must_answer(VHOST_GET_CONFIG, i < 2 ? size : 0);
	}
	assert_int_equal(send_raw(VHOST_GET_CONFIG, &asked[1], 15, 15, -1), 0);
	must_answer(VHOST_GET_CONFIG, 15);
	assert_memory_equal(got.body.config.bytes, "nfi", 3);
	assert_int_equal(send_raw(VHOST_GET_CONFIG, &asked[1], 14, 14, -1), 0);
	must_answer(VHOST_GET_CONFIG, 0); /* sizes that disagree */
}

static void a_queue_starts_serves_and_stops(void **state)
{
	struct virtqueue_chain chain;
	struct virtqueue *queue;
	uint64_t one = 1;

	(void)state;
	start_queue();
	assert_int_equal(rings(call), 1); /* one may have been missed */
	*(struct vring_desc *)(void *)ram = (struct vring_desc){
	    GUEST + 4096, 4, VRING_DESC_F_WRITE, 0};
	((struct vring_avail *)(void *)(ram + 1024))->idx = 1;
	assert_int_equal(write(kick, &one, sizeof(one)), sizeof(one));
	assert_int_equal(vhost_user_work(&vu), 0);
	assert_int_equal(rings(kick), 0); /* taken */
	queue = vhost_user_queue(&vu, 1);
	assert_int_equal(virtqueue_take(queue, &chain), 1);
	assert_int_equal(
	    virtqueue_write(&chain, (const uint8_t *)"pong", 4), 4);
	virtqueue_give(queue, &chain, 4);
	vhost_user_call(&vu, 1);
	assert_int_equal(rings(call), 1);
	assert_memory_equal(ram + 4096, "pong", 4);
	assert_int_equal(send_state(VHOST_GET_VRING_BASE, 1, 0), 0);
	must_answer(VHOST_GET_VRING_BASE, 8);
	assert_int_equal(got.body.state.num, 1);
	assert_null(vhost_user_queue(&vu, 1));
}

static void memory_moves_under_a_queue(void **state)
{
	const struct vring_desc *before;

	(void)state;
	start_queue();
	before = vhost_user_queue(&vu, 1)->desc;
	assert_int_equal(send_memory(GUEST, BYTES / 2), 0);
	assert_non_null(before);
	assert_non_null(vhost_user_queue(&vu, 1)->desc);
	assert_null(guest_memory_at(&vu.memory, GUEST + BYTES / 2, 1));
	assert_int_equal(send_memory(GUEST, 1024), -1); /* the ring is lost */
}

static void queues_are_disabled_and_enabled(void **state)
{
	(void)state;
	start_queue();
	assert_int_equal(send_state(VHOST_SET_VRING_ENABLE, 1, 0), 0);
	assert_null(vhost_user_queue(&vu, 1));
	assert_int_equal(send_state(VHOST_SET_VRING_ENABLE, 1, 1), 0);
	assert_non_null(vhost_user_queue(&vu, 1));
}

static void the_front_end_goes(void **state)
{
	(void)state;
	start_queue();
	close(qemu);
	qemu = -1;
	assert_int_equal(vhost_user_work(&vu), 1);
}

/* ---- what it does not ---- */

static void queues_that_do_not_exist(void **state)
{
	(void)state;
	assert_int_equal(send_state(VHOST_SET_VRING_NUM, 2, SIZE), -1);
	assert_int_equal(send_state(VHOST_GET_VRING_BASE, 77, 0), -1);
	assert_int_equal(send_number(VHOST_SET_VRING_KICK, 200, kick), -1);
	assert_int_equal(send_state(VHOST_SET_VRING_NUM, 1, 7), -1);
	assert_int_equal(send_state(VHOST_SET_VRING_NUM, 1, 65536), -1);
	assert_int_equal(send_state(VHOST_SET_VRING_NUM, 1, 0), -1);
}

static void descriptors_that_do_not_fit(void **state)
{
	(void)state;
	assert_int_equal(send_number(VHOST_SET_VRING_KICK, 1, -1), -1);
	assert_int_equal(send_number(VHOST_SET_VRING_CALL, 0x101, call), -1);
	assert_int_equal(send_number(VHOST_SET_VRING_CALL, 0x101, -1), 0);
	assert_int_equal(send_number(VHOST_SET_VRING_ERR, 1, call), 0);
}

static void memory_that_is_none(void **state)
{
	const uint32_t none[2] = {9, 0};

	(void)state;
	assert_int_equal(send_memory(GUEST, 0), -1);
	assert_int_equal(send_memory(GUEST, UINT64_MAX), -1);
	assert_int_equal(send_memory(UINT64_MAX - 5, BYTES), -1);
	assert_int_equal(send_raw(VHOST_SET_MEM_TABLE, none, 8, 8, -1), -1);
	assert_int_equal(send_raw(VHOST_SET_MEM_TABLE, none, 4, 4, -1), -1);
}

static void rings_outside_memory(void **state)
{
	static const uint64_t bad[][3] = {{BYTES, 1024, 2048},
	    {0, BYTES - 8, 2048}, {0, 1024, BYTES - 16}, {8, 1024, 2048},
	    {0, 1025, 2048}, {0, 1024, 2050}};

	(void)state;
	assert_int_equal(send_memory(GUEST, BYTES), 0);
	assert_int_equal(send_state(VHOST_SET_VRING_NUM, 1, SIZE), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (send_addresses(bad[i][0], bad[i][1], bad[i][2]) != -1)
			fail_msg("addresses %zu", i);
}

static void messages_that_are_none(void **state)
{
	(void)state;
	assert_int_equal(send_raw(6, "", 0, 0, -1), -1); /* SET_LOG_BASE */
	assert_int_equal(send_raw(99, "", 0, 0, -1), -1);
	assert_int_equal(send_raw(VHOST_SET_VRING_NUM, "xxxx", 4, 4, -1), -1);
	assert_int_equal(
	    send_raw(VHOST_SET_VRING_KICK, "xxxx", 4, 4, kick), -1);
	assert_int_equal(send_raw(VHOST_SET_OWNER, "", 5000, 0, -1), -1);
}

#define VHOST_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    VHOST_TEST(features_and_queues),
	    VHOST_TEST(config),
	    VHOST_TEST(a_queue_starts_serves_and_stops),
	    VHOST_TEST(memory_moves_under_a_queue),
	    VHOST_TEST(queues_are_disabled_and_enabled),
	    VHOST_TEST(the_front_end_goes),
	    VHOST_TEST(queues_that_do_not_exist),
	    VHOST_TEST(descriptors_that_do_not_fit),
	    VHOST_TEST(memory_that_is_none),
	    VHOST_TEST(rings_outside_memory),
	    VHOST_TEST(messages_that_are_none),
	};

	return cmocka_run_group_tests_name("vhost_user", tests, NULL, NULL);
}
