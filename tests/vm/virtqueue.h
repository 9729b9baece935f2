/*
 * virtqueue: a device's side of a split virtqueue in a guest's memory (Virtual
 * I/O Device Version 1.2, section 2.7). No socket and no QEMU here: memory is
 * what somebody has mapped (vhost_user.h, or a test).
 *
 * The guest writes descriptors; each chain of them is one message: first what
 * the device reads, then where it may write. The device takes chains in order
 * and gives each back with the number of bytes that it wrote.
 *
 * Without indirect descriptors and event indices: offer neither.
 */
#ifndef HALLMARK_TESTS_VIRTQUEUE_H
#define HALLMARK_TESTS_VIRTQUEUE_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "rings are little-endian, and so are we");

#define GUEST_REGIONS_MAX   8     /* what vhost-user can name at once */
#define VIRTQUEUE_SIZE_MAX  32768 /* section 2.7: queue size */
#define VIRTQUEUE_PARTS_MAX 64    /* of one chain; Linux: 18 for 64 KiB */

struct guest_region {
	uint64_t guest; /* where the guest has it */
	uint64_t user;  /* where QEMU has it */
	uint64_t size;
	uint8_t *at; /* where we have it */
};

struct guest_memory {
	struct guest_region regions[GUEST_REGIONS_MAX];
	size_t count;
};

/* Borrowed until the memory is mapped anew; NULL unless one region has it
 * all. _user takes an address of QEMU's. */
void *guest_memory_at(
    const struct guest_memory *memory, uint64_t address, uint64_t len);
void *guest_memory_at_user(
    const struct guest_memory *memory, uint64_t address, uint64_t len);

struct virtqueue {
	const struct guest_memory *memory; /* borrowed */
	const struct vring_desc *desc;     /* these three in its memory */
	const struct vring_avail *avail;
	struct vring_used *used;
	uint16_t size; /* a power of 2 */
	uint16_t next; /* the one to take next, counted on */
};

/* One message. The parts lie in the guest's memory, which it may change under
 * us: read each byte once. */
struct virtqueue_chain {
	uint16_t head;
	struct iovec out[VIRTQUEUE_PARTS_MAX]; /* written by the guest */
	struct iovec in[VIRTQUEUE_PARTS_MAX];  /* to be written by us */
	int outs, ins;
};

/* 1: a chain, 0: there is none now, -1: the guest broke a rule. */
__attribute__((warn_unused_result)) int virtqueue_take(
    struct virtqueue *queue, struct virtqueue_chain *out);

/* Puts back the chain taken last: the next take finds it again. */
void virtqueue_untake(struct virtqueue *queue);

/* Gives it back, `written` bytes of it ours. */
void virtqueue_give(struct virtqueue *queue,
    const struct virtqueue_chain *chain, uint32_t written);

/* Whether the guest wants to be told of what was given. */
bool virtqueue_wants_call(const struct virtqueue *queue);

/* What was written by the guest, as much as fits; all of its length. */
size_t virtqueue_read(
    const struct virtqueue_chain *chain, uint8_t *out, size_t max);

/* Room for us in it; writes what fits, the number of bytes written. */
size_t virtqueue_room(const struct virtqueue_chain *chain);
size_t virtqueue_write(
    const struct virtqueue_chain *chain, const uint8_t *bytes, size_t len);

#endif
