/* virtqueue: the test is the guest and writes rings into memory of its own. */
#include "tests/vm/virtqueue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIZE  8
#define GUEST 0x100000u /* where the guest has its memory */
#define USER  0x7000000u
#define BYTES 65536u

static _Alignas(4096) uint8_t ram[BYTES];
static struct guest_memory memory;
static struct vring_desc *desc;
static struct vring_avail *avail;
static struct vring_used *used;
static struct virtqueue queue;
static struct virtqueue_chain chain;

static int set_up(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	memory = (struct guest_memory){
	    .regions = {{GUEST, USER, BYTES / 2, ram},
		{GUEST + BYTES, USER + BYTES, BYTES / 2, ram + BYTES / 2}},
	    .count = 2};
	desc = (struct vring_desc *)(void *)ram;
	avail = (struct vring_avail *)(void *)(ram + 1024);
	used = (struct vring_used *)(void *)(ram + 2048);
	queue = (struct virtqueue){.memory = &memory,
	    .desc = desc,
	    .avail = avail,
	    .used = used,
	    .size = SIZE};
	return 0;
}

static void describe(
    uint16_t index, uint64_t at, uint32_t len, uint16_t flags, uint16_t next)
{
	desc[index] = (struct vring_desc){at, len, flags, next};
}

static void offer(uint16_t head)
{
	avail->ring[avail->idx % SIZE] = head;
	avail->idx++;
}

static void memory_of_the_guest(void **state)
{
	(void)state;
	assert_ptr_equal(guest_memory_at(&memory, GUEST, 1), ram);
	assert_ptr_equal(guest_memory_at(&memory, GUEST + BYTES / 2 - 1, 1),
	    ram + BYTES / 2 - 1);
	assert_ptr_equal(
	    guest_memory_at(&memory, GUEST + BYTES, 2), ram + BYTES / 2);
	assert_ptr_equal(guest_memory_at_user(&memory, USER + 5, 3), ram + 5);
	assert_non_null(guest_memory_at(&memory, GUEST, BYTES / 2));
	assert_null(guest_memory_at(&memory, GUEST, BYTES / 2 + 1));
	assert_null(guest_memory_at(&memory, GUEST + BYTES / 2, 1));
	assert_null(guest_memory_at(&memory, GUEST - 1, 1));
	assert_null(guest_memory_at(&memory, GUEST + 1, UINT64_MAX));
	assert_null(guest_memory_at(&memory, UINT64_MAX, 2));
	assert_null(guest_memory_at(&memory, USER, 1));
}

static void a_message_and_its_answer(void **state)
{
	uint8_t bytes[8];

	(void)state;
	memcpy(ram + 4096, "request", 7);
	describe(3, GUEST + 4096, 3, VRING_DESC_F_NEXT, 5);
	describe(5, GUEST + 4099, 4, VRING_DESC_F_NEXT, 1);
	describe(1, GUEST + 8192, 2, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 0);
	describe(0, GUEST + BYTES, 100, VRING_DESC_F_WRITE, 0);
	assert_int_equal(virtqueue_take(&queue, &chain), 0);
	offer(3);
	assert_int_equal(virtqueue_take(&queue, &chain), 1);
	virtqueue_untake(&queue);
	assert_int_equal(virtqueue_take(&queue, &chain), 1);
	assert_int_equal(virtqueue_take(&queue, &chain), 0);
	assert_int_equal(virtqueue_read(&chain, bytes, sizeof(bytes)), 7);
	assert_memory_equal(bytes, "request", 7);
	assert_int_equal(virtqueue_room(&chain), 102);
	assert_int_equal(
	    virtqueue_write(&chain, (const uint8_t *)"answer", 6), 6);
	assert_memory_equal(ram + 8192, "an", 2);
	assert_memory_equal(ram + BYTES / 2, "swer", 5);
	virtqueue_give(&queue, &chain, 6);
	assert_int_equal(used->idx, 1);
	assert_int_equal(used->ring[0].id, 3);
	assert_int_equal(used->ring[0].len, 6);
}

static void what_does_not_fit(void **state)
{
	uint8_t bytes[] = "....";

	(void)state;
	memcpy(ram + 4096, "request", 7);
	describe(0, GUEST + 4096, 2, VRING_DESC_F_NEXT, 1);
	describe(1, GUEST + 4098, 5, VRING_DESC_F_NEXT, 2);
	describe(2, GUEST + 8192, 4, VRING_DESC_F_WRITE, 0);
	offer(0);
	assert_int_equal(virtqueue_take(&queue, &chain), 1);
	assert_int_equal(virtqueue_read(&chain, bytes, 3), 7);
	assert_string_equal((char *)bytes, "req.");
	assert_int_equal(virtqueue_read(&chain, bytes, 0), 7);
	assert_int_equal(
	    virtqueue_write(&chain, (const uint8_t *)"answer", 6), 4);
	assert_memory_equal(ram + 8192, "answ", 5);
}

/* The indices count on and wrap at 2^16, the rings at their size. */
static void round_and_round(void **state)
{
	(void)state;
	avail->idx = used->idx = queue.next = 65530;
	for (uint16_t i = 0; i < 20; i++) {
		describe(i % SIZE, GUEST + 4096 + i, 1, 0, 0);
		offer(i % SIZE);
		assert_int_equal(virtqueue_take(&queue, &chain), 1);
		assert_int_equal(chain.head, i % SIZE);
		assert_ptr_equal(chain.out[0].iov_base, ram + 4096 + i);
		virtqueue_give(&queue, &chain, i);
		assert_int_equal(
		    used->ring[(uint16_t)(65530 + i) % SIZE].len, i);
	}
	assert_int_equal(used->idx, 14);
}

static void guests_that_break_rules(void **state)
{
	static const struct vring_desc bad[] = {
	    {GUEST - 1, 4, 0, 0},                      /* not its memory */
	    {GUEST + BYTES / 2 - 1, 2, 0, 0},          /* in two regions */
	    {GUEST, UINT32_MAX, 0, 0},                 /* too long */
	    {GUEST, 16, VRING_DESC_F_INDIRECT, 0},     /* not offered */
	    {GUEST, 4, VRING_DESC_F_NEXT, 0},          /* goes round */
	    {GUEST, 4, VRING_DESC_F_NEXT, SIZE},       /* not in the table */
	    {GUEST, 4, VRING_DESC_F_NEXT, UINT16_MAX}, /* nor this */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_up(NULL);
		desc[0] = bad[i];
		offer(0);
		if (virtqueue_take(&queue, &chain) != -1)
			fail_msg("descriptor %zu", i);
	}
	set_up(NULL);
	offer(SIZE); /* a head that is none */
	assert_int_equal(virtqueue_take(&queue, &chain), -1);
	set_up(NULL);
	describe(0, GUEST, 4, 0, 0);
	avail->idx = SIZE + 1; /* more than there can be */
	assert_int_equal(virtqueue_take(&queue, &chain), -1);
	set_up(NULL); /* to be read after to be written */
	describe(0, GUEST, 4, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
	describe(1, GUEST, 4, 0, 0);
	offer(0);
	assert_int_equal(virtqueue_take(&queue, &chain), -1);
}

static void calls_that_are_not_wanted(void **state)
{
	(void)state;
	assert_true(virtqueue_wants_call(&queue));
	avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	assert_false(virtqueue_wants_call(&queue));
}

#define RING_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RING_TEST(memory_of_the_guest),
	    RING_TEST(a_message_and_its_answer),
	    RING_TEST(what_does_not_fit),
	    RING_TEST(round_and_round),
	    RING_TEST(guests_that_break_rules),
	    RING_TEST(calls_that_are_not_wanted),
	};

	return cmocka_run_group_tests_name("virtqueue", tests, NULL, NULL);
}
