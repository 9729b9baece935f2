/*
 * vsock_device: the vsock of a test guest, on a machine that has none or must
 * not use it: a vhost-user back end for QEMU's vhost-user-vsock-pci (or
 * -device, on a machine without PCI).
 *
 *   vsock_device SOCKET GUEST_CID UDS_PATH
 *
 * QEMU connects to SOCKET, once; what leads where is in vsock_mux.h. Both paths
 * are absolute. Ends when QEMU does, or at SIGTERM.
 *
 *   qemu-system-x86_64 -object memory-backend-memfd,id=m,size=256M,share=on
 *       -machine memory-backend=m -chardev socket,id=v,path=SOCKET
 *       -device vhost-user-vsock-pci,chardev=v
 */
#include "base/log.h"
#include "tests/vm/vhost_user.h"
#include "tests/vm/vsock_mux.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define TURN 64 /* packets one way before the other way is looked at */

enum queue { /* section 5.10.2; the event queue is QEMU's own */
	TO_GUEST,
	FROM_GUEST,
	QUEUES
};

static uint8_t packet[VSOCK_PACKET_MAX];

static _Noreturn void die_of_guest(void)
{
	log_die("vsock_device", "the guest broke a rule of virtqueues");
}

/* The number of packets. */
static int hear_guest(struct vsock_mux *mux, struct virtqueue *queue)
{
	struct virtqueue_chain chain;
	int count = 0, there;

	while (count < TURN && vsock_mux_can_hear(mux)) {
		size_t len;

		there = virtqueue_take(queue, &chain);
		if (there < 0)
			die_of_guest();
		if (there == 0)
			break;
		len = virtqueue_read(&chain, packet, sizeof(packet));
		if (len > sizeof(packet))
			die_of_guest();
		vsock_mux_hear(mux, packet, len);
		virtqueue_give(queue, &chain, 0);
		count++;
	}
	return count;
}

static int tell_guest(struct vsock_mux *mux, struct virtqueue *queue)
{
	struct virtqueue_chain chain;
	int count = 0, there;

	while (count < TURN) {
		size_t room, len;

		there = virtqueue_take(queue, &chain);
		if (there == 0)
			break;
		room = there < 0 ? 0 : virtqueue_room(&chain);
		if (room <= VSOCK_HEADER)
			die_of_guest();
		len = vsock_mux_say(
		    mux, packet, room < sizeof(packet) ? room : sizeof(packet));
		if (len == 0) {
			virtqueue_untake(queue);
			break;
		}
		virtqueue_write(&chain, packet, len);
		virtqueue_give(queue, &chain, (uint32_t)len);
		count++;
	}
	return count;
}

/* One turn of each way; whether there may be more. */
static bool exchange(struct vsock_mux *mux, struct vhost_user *vu)
{
	struct virtqueue *to = vhost_user_queue(vu, TO_GUEST);
	struct virtqueue *from = vhost_user_queue(vu, FROM_GUEST);
	int heard, told;

	vsock_mux_set_running(mux, to != NULL && from != NULL);
	if (to == NULL || from == NULL)
		return false;
	heard = hear_guest(mux, from);
	told = tell_guest(mux, to);
	if (heard > 0)
		vhost_user_call(vu, FROM_GUEST);
	if (told > 0)
		vhost_user_call(vu, TO_GUEST);
	return heard > 0 || told > 0;
}

static int serve(struct vsock_mux *mux, struct vhost_user *vu)
{
	struct pollfd fds[] = {
	    {vu->events, POLLIN, 0}, {vsock_mux_events(mux), POLLIN, 0}};
	bool more = false;

	for (;;) {
		int rc;

		if (poll(fds, 2, more ? 0 : -1) < 0 && errno != EINTR)
			log_die("vsock_device", "poll: %s", strerror(errno));
		rc = vhost_user_work(vu);
		if (rc != 0)
			return rc;
		vsock_mux_work(mux);
		more = exchange(mux, vu);
	}
}

/* Each connection is a descriptor. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int usage(void)
{
	fprintf(stderr, "usage: vsock_device SOCKET GUEST_CID UDS_PATH\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct virtio_vsock_config config;
	const struct vhost_user_device device = {
	    .queues = QUEUES,
	    .config = &config,
	    .config_len = sizeof(config),
	};
	struct vhost_user vu;
	struct vsock_mux *mux;
	char *end;
	int fd, rc;

	if (argc != 4)
		return usage();
	config.guest_cid = strtoull(argv[2], &end, 10);
	if (*end != '\0' || config.guest_cid <= 3 ||
	    config.guest_cid >= UINT32_MAX) /* 3 is its parent */
		return usage();
	raise_limit();
	mux = vsock_mux_new(config.guest_cid, argv[3]);
	fd = mux != NULL ? vhost_user_accept(argv[1]) : -1;
	if (fd < 0)
		return 1;
	vhost_user_init(&vu, fd, &device);
	rc = serve(mux, &vu);
	vhost_user_fini(&vu);
	vsock_mux_free(mux);
	return rc < 0 ? 1 : 0;
}
