/*
 * vhost_user: the back end of a virtio device whose front end is QEMU. QEMU
 * connects to our Unix socket, says where the guest's memory and the rings are
 * (with descriptors for both), and from then on is not asked again: a kick is
 * an eventfd from the guest's virtual processor, a call one to it. Written for
 * test devices; Debian has no libvhost-user. Source: QEMU's
 * docs/interop/vhost-user.rst.
 *
 *   front end                            we
 *   GET_FEATURES ...                     features, protocol features, config
 *   SET_MEM_TABLE + descriptors          mmap
 *   SET_VRING_NUM, BASE, ADDR, KICK+fd, CALL+fd, ENABLE
 *                                        vhost_user_queue() is not NULL now
 *   GET_VRING_BASE                       it is NULL again
 *
 * Whoever is at the other end of that socket can make us map its files, so it
 * is trusted as we are; what does not belong to the protocol ends the
 * conversation nevertheless, with a line in the log.
 */
#ifndef HALLMARK_TESTS_VHOST_USER_H
#define HALLMARK_TESTS_VHOST_USER_H

#include "tests/vm/virtqueue.h"

#define VHOST_USER_QUEUES_MAX 4
#define VHOST_USER_CONFIG_MAX 256 /* the protocol's own ceiling */

struct vhost_user_device { /* borrowed while the back end lives */
	unsigned queues;   /* at most VHOST_USER_QUEUES_MAX */
	uint64_t features; /* the device's own; VERSION_1 goes without saying */
	const void *config;
	uint32_t config_len; /* 0: the front end makes its own */
};

struct vhost_user_queue { /* private */
	struct virtqueue ring;
	uint64_t desc, avail, used; /* as the front end has them */
	int kick, call;             /* -1: none */
	bool enabled;
};

struct vhost_user {
	int events; /* readable when vhost_user_work has something to do */

	/* private from here on */
	int fd;
	const struct vhost_user_device *device;
	struct guest_memory memory;
	struct iovec mapped[GUEST_REGIONS_MAX]; /* what munmap gets */
	struct vhost_user_queue queues[VHOST_USER_QUEUES_MAX];
};

/* Listens at an absolute path and waits for the front end, the only one that
 * it takes. The connection, or -1, and why is in the log. */
__attribute__((warn_unused_result)) int vhost_user_accept(const char *path);

/* Takes fd. Out of descriptors: log_die. */
void vhost_user_init(
    struct vhost_user *vu, int fd, const struct vhost_user_device *device);

/* Answers what has come and forgets the kicks: look at every queue after it.
 * Does not wait if `events` was readable. 0; 1: the front end has gone; -1: it
 * broke the protocol. After these two only fini may be called. */
__attribute__((warn_unused_result)) int vhost_user_work(struct vhost_user *vu);

/* Borrowed until the next vhost_user_work; NULL: it does not run (yet). */
struct virtqueue *vhost_user_queue(struct vhost_user *vu, unsigned index);

/* Tells the guest that chains were given back, if it wants to know. */
void vhost_user_call(struct vhost_user *vu, unsigned index);

void vhost_user_fini(struct vhost_user *vu);

#endif
