/*
 * vhost_message: one message of vhost-user, read and answered whole; see
 * vhost_user.h. Source: QEMU's docs/interop/vhost-user.rst, "Message
 * Specification".
 */
#ifndef HALLMARK_TESTS_VHOST_MESSAGE_H
#define HALLMARK_TESTS_VHOST_MESSAGE_H

#include "tests/vm/vhost_user.h"

#include <linux/vhost_types.h>

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_GET_CONFIG = 24,
	VHOST_SET_CONFIG = 25
};

struct vhost_message_head {
	uint32_t request, flags, size;
};

struct vhost_message_region {
	uint64_t guest, size, user, offset;
};

struct vhost_message {
	struct vhost_message_head head;
	int fds[GUEST_REGIONS_MAX]; /* -1 once somebody has taken it */
	size_t fd_count;
	union {
		uint64_t number;
		struct vhost_vring_state state;
		struct vhost_vring_addr addr;
		struct {
			uint32_t count, padding;
			struct vhost_message_region regions[GUEST_REGIONS_MAX];
		} table;
		struct {
			uint32_t offset, size, flags;
			uint8_t bytes[VHOST_USER_CONFIG_MAX];
		} config;
	} body;
};

/* Reads one; its descriptors are the caller's then, even after -1. 1: it is
 * there, 0: the front end has gone, -1: it is none, and the log says so. */
__attribute__((warn_unused_result)) int vhost_message_read(
    struct vhost_message *m, int fd);

/* Sends it back, as an answer of m->head.size bytes. 0 or -1. */
__attribute__((warn_unused_result)) int vhost_message_reply(
    struct vhost_message *m, int fd);

/* One log line; -1. */
int vhost_message_refuse(const struct vhost_message *m, const char *why);

#endif
