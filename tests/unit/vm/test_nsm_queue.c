/* nsm_queue: the oracle's own client on one side of the rings, as behind the
 * kernel's driver; and drivers that do otherwise. */
#include "tests/vm/nsm_queue.h"

#include "base/log.h"
#include "oracle/attester_nsm.h"
#include "oracle/attester_simulated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE    8
#define REQUEST 4096u  /* where the driver has its two buffers */
#define ROOM    16384u /* in a memory that begins at 0 */

static char directory[64], error[ATTESTER_ERROR_MAX];
static _Alignas(4096) uint8_t ram[65536];
static const struct guest_memory memory = {
    .regions = {{.size = sizeof(ram), .at = ram}}, .count = 1};
static struct vring_desc *desc = (struct vring_desc *)(void *)ram;
static struct vring_avail *avail = (struct vring_avail *)(void *)(ram + 1024);
static struct vring_used *used = (struct vring_used *)(void *)(ram + 2048);
static struct virtqueue queue;
static struct nsm_core core;
static struct attester *module, *client;

static void describe(uint16_t index, uint64_t at, size_t len, unsigned flags)
{
	desc[index] = (struct vring_desc){
	    at, (uint32_t)len, (uint16_t)flags, (uint16_t)(index + 1)};
}

static void offer(uint16_t head)
{
	avail->ring[avail->idx % SIZE] = head;
	avail->idx++;
}

static const struct vring_used_elem *given(unsigned before_last)
{
	return &used->ring[(uint16_t)(used->idx - 1 - before_last) % SIZE];
}

/* As drivers/misc/nsm.c: two buffers, one kick, both back in order. */
static int driver(int fd, struct attester_nsm_raw *raw)
{
	uint16_t before = used->idx;

	(void)fd;
	memcpy(ram + REQUEST, (const void *)(uintptr_t)raw->request.addr,
	    raw->request.len);
	describe(0, REQUEST, raw->request.len, 0);
	describe(1, ROOM, NSM_MESSAGE_ANSWER_MAX, VRING_DESC_F_WRITE);
	offer(0);
	offer(1);
	assert_int_equal(nsm_queue_serve(&queue, &core), 1);
	assert_int_equal((uint16_t)(used->idx - before), 2);
	assert_int_equal(given(1)->id, 0);
	assert_int_equal(given(1)->len, 0);
	assert_int_equal(given(0)->id, 1);
	raw->response.len = given(0)->len;
	memcpy((void *)(uintptr_t)raw->response.addr, ram + ROOM,
	    raw->response.len);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	memset(ram, 0, sizeof(ram));
	queue = (struct virtqueue){.memory = &memory,
	    .desc = desc,
	    .avail = avail,
	    .used = used,
	    .size = SIZE};
	snprintf(directory, sizeof(directory), "/tmp/test_nsm_queue.XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	module = attester_simulated_open(directory, error);
	if (module == NULL || nsm_core_init(&core, module, error) != 0)
		return -1;
	client = attester_nsm_open_with("/dev/null", driver, error);
	memset(ram, 0, sizeof(ram)); /* it has asked already */
	queue.next = 0;
	return client != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {
	    "simulated-root.pem", "simulated-root-key.pem"};
	char path[128];

	(void)state;
	client->ops->close(client);
	module->ops->close(module);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	return rmdir(directory);
}

static void the_client_talks_through_the_rings(void **state)
{
	const struct attester_request request = {
	    .nonce = (const uint8_t *)"nonce", .nonce_len = 5};
	uint8_t bytes[ATTESTER_DOCUMENT_MAX], pcr[ATTESTER_PCR_LEN];
	size_t len;
	int locked;

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(
		    client->ops->attest(client, &request, bytes, &len, error),
		    0);
	assert_int_equal(client->ops->lock_pcr(client, 16, error), 0);
	assert_int_equal(
	    client->ops->describe_pcr(client, 16, pcr, &locked, error), 0);
	assert_int_equal(locked, 1);
}

static void what_was_measured_is_described(void **state)
{
	uint8_t value[ATTESTER_PCR_LEN], pcr[ATTESTER_PCR_LEN];
	int locked;

	(void)state;
	memset(value, 0x5a, sizeof(value));
	attester_simulated_set_pcr(module, 8, value);
	assert_int_equal(
	    client->ops->describe_pcr(client, 8, pcr, &locked, error), 0);
	assert_memory_equal(pcr, value, sizeof(pcr));
	assert_int_equal(locked, 1);
}

static void a_request_waits_for_room(void **state)
{
	(void)state;
	memcpy(ram + REQUEST, "\x69GetRandom", 10);
	describe(0, REQUEST, 10, 0);
	describe(1, ROOM, 12, VRING_DESC_F_WRITE);
	offer(0);
	assert_int_equal(nsm_queue_serve(&queue, &core), 0);
	assert_int_equal(used->idx, 0);
	offer(1);
	assert_int_equal(nsm_queue_serve(&queue, &core), 1);
	assert_int_equal(given(0)->len, 12); /* cut to the room */
	assert_memory_equal(ram + ROOM, "\xa1\x69GetRandom", 11);
	assert_int_equal(ram[ROOM + 12], 0);
}

static void one_chain_of_both(void **state)
{
	(void)state;
	memcpy(ram + REQUEST, "\x69GetRandom", 10);
	describe(0, REQUEST, 10, VRING_DESC_F_NEXT);
	describe(1, ROOM, 1000, VRING_DESC_F_WRITE);
	offer(0);
	assert_int_equal(nsm_queue_serve(&queue, &core), 1);
	assert_int_equal(used->idx, 1);
	assert_in_range(given(0)->len, 257, 300);
}

static void a_request_too_long_is_none(void **state)
{
	(void)state;
	describe(0, REQUEST, NSM_MESSAGE_REQUEST_MAX + 1, VRING_DESC_F_NEXT);
	describe(1, ROOM, 1000, VRING_DESC_F_WRITE);
	offer(0);
	assert_int_equal(nsm_queue_serve(&queue, &core), 1);
	assert_memory_equal(ram + ROOM,
	    "\xa1\x65"
	    "Error\x70InvalidOperation",
	    24);
}

static void drivers_that_break_rules(void **state)
{
	(void)state;
	describe(0, ROOM, 1000, VRING_DESC_F_WRITE);
	describe(1, REQUEST, 10, 0);
	offer(0); /* room for an answer to nothing */
	assert_int_equal(nsm_queue_serve(&queue, &core), -1);
	queue.next = 0;
	avail->idx = 0;
	offer(1); /* two requests and no room */
	offer(1);
	assert_int_equal(nsm_queue_serve(&queue, &core), -1);
	queue.next = 0;
	avail->idx = 0;
	offer(SIZE);
	assert_int_equal(nsm_queue_serve(&queue, &core), -1);
}

#define QUEUE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    QUEUE_TEST(the_client_talks_through_the_rings),
	    QUEUE_TEST(what_was_measured_is_described),
	    QUEUE_TEST(a_request_waits_for_room),
	    QUEUE_TEST(one_chain_of_both),
	    QUEUE_TEST(a_request_too_long_is_none),
	    QUEUE_TEST(drivers_that_break_rules),
	};

	return cmocka_run_group_tests_name("nsm_queue", tests, NULL, NULL);
}
