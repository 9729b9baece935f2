/* vhost_user: see vhost_user.h. */
#include "tests/vm/vhost_user.h"

#include "base/endpoint.h"
#include "base/log.h"
#include "tests/vm/vhost_message.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define F_PROTOCOL        30 /* VHOST_USER_F_PROTOCOL_FEATURES */
#define PROTOCOL_F_MQ     0  /* VHOST_GET_QUEUE_NUM */
#define PROTOCOL_F_CONFIG 9  /* VHOST_GET_CONFIG */
#define VRING_INDEX       0xff
#define VRING_NO_FD       0x100
#define CONFIG_HEAD       12 /* offset, size, flags; then the bytes */
#define EVENTS_MAX        8

/* ---- memory ---- */

static void unmap(struct vhost_user *vu)
{
	for (size_t i = 0; i < vu->memory.count; i++)
		munmap(vu->mapped[i].iov_base, vu->mapped[i].iov_len);
	vu->memory.count = 0;
}

/* The offset is into the file, which is mapped from its beginning: a file of
 * huge pages can be mapped at few offsets only. */
static int map_region(
    struct vhost_user *vu, const struct vhost_message_region *r, int fd)
{
	struct iovec *mapped = &vu->mapped[vu->memory.count];
	void *at;

	if (r->size == 0 || r->size > SIZE_MAX - r->offset ||
	    r->guest > UINT64_MAX - r->size || r->user > UINT64_MAX - r->size)
		return -1;
	at = mmap(NULL, r->offset + r->size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (at == MAP_FAILED)
		return -1;
	*mapped = (struct iovec){at, r->offset + r->size};
	vu->memory.regions[vu->memory.count++] = (struct guest_region){
	    .guest = r->guest,
	    .user = r->user,
	    .size = r->size,
	    .at = (uint8_t *)at + r->offset,
	};
	return 0;
}

static int place_rings(struct vhost_user *vu, struct vhost_user_queue *queue)
{
	uint64_t size = queue->ring.size;
	struct virtqueue *ring = &queue->ring;

	ring->desc = guest_memory_at_user(&vu->memory, queue->desc, 16 * size);
	ring->avail = guest_memory_at_user(
	    &vu->memory, queue->avail, 6 + 2 * size);
	ring->used = guest_memory_at_user(
	    &vu->memory, queue->used, 6 + 8 * size);
	return ring->desc != NULL && ring->avail != NULL &&
		       ring->used != NULL && (uintptr_t)ring->desc % 16 == 0 &&
		       (uintptr_t)ring->avail % 2 == 0 &&
		       (uintptr_t)ring->used % 4 == 0
		   ? 0
		   : -1;
}

static int set_memory(struct vhost_user *vu, const struct vhost_message *m)
{
	uint32_t count = m->body.table.count;

	if (m->head.size < 8 || count > GUEST_REGIONS_MAX ||
	    m->head.size != 8 + count * sizeof(struct vhost_message_region) ||
	    m->fd_count != count)
		return vhost_message_refuse(
		    m, "not as many regions as descriptors");
	unmap(vu);
	for (uint32_t i = 0; i < count; i++)
		if (map_region(vu, &m->body.table.regions[i], m->fds[i]) != 0)
			return vhost_message_refuse(
			    m, "region cannot be mapped");
	for (unsigned i = 0; i < vu->device->queues; i++)
		if (vu->queues[i].ring.desc != NULL &&
		    place_rings(vu, &vu->queues[i]) != 0)
			return vhost_message_refuse(
			    m, "a ring is not in memory any more");
	return 0;
}

/* ---- rings ---- */

static void replace_fd(int *fd, int other)
{
	if (*fd >= 0)
		close(*fd);
	*fd = other;
}

static void stop_queue(struct vhost_user_queue *queue)
{
	replace_fd(&queue->kick, -1);
	replace_fd(&queue->call, -1);
	queue->ring.desc = NULL;
	queue->enabled = false;
}

static int set_state(struct vhost_user *vu, struct vhost_message *m)
{
	struct vhost_user_queue *queue = &vu->queues[m->body.state.index];
	unsigned number = m->body.state.num;

	switch (m->head.request) {
	case VHOST_SET_VRING_NUM:
		if (number == 0 || number > VIRTQUEUE_SIZE_MAX ||
		    (number & (number - 1)) != 0)
			return vhost_message_refuse(m, "queue size");
		queue->ring.size = (uint16_t)number;
		return 0;
	case VHOST_SET_VRING_BASE:
		queue->ring.next = (uint16_t)number;
		return 0;
	case VHOST_SET_VRING_ENABLE:
		queue->enabled = number != 0;
		return 0;
	default: /* VHOST_GET_VRING_BASE: the queue stops */
		m->body.state.num = queue->ring.next;
		stop_queue(queue);
		return 0;
	}
}

static int set_address(struct vhost_user *vu, const struct vhost_message *m)
{
	struct vhost_user_queue *queue = &vu->queues[m->body.addr.index];

	queue->desc = m->body.addr.desc_user_addr;
	queue->avail = m->body.addr.avail_user_addr;
	queue->used = m->body.addr.used_user_addr;
	return place_rings(vu, queue) == 0
		   ? 0
		   : vhost_message_refuse(m, "ring address");
}

static void ring_bell(int fd)
{
	uint64_t one = 1;

	/* EAGAIN: it rings already. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("vhost_user", "call", LOG_S("why", strerror(errno)));
}

static void watch(struct vhost_user *vu, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(vu->events, EPOLL_CTL_ADD, fd, &event) != 0)
		log_die("vhost_user", "epoll_ctl: %s", strerror(errno));
}

static int set_descriptor(struct vhost_user *vu, struct vhost_message *m)
{
	uint64_t index = m->body.number & VRING_INDEX;
	bool none = (m->body.number & VRING_NO_FD) != 0;
	int fd = none ? -1 : m->fds[0];
	struct vhost_user_queue *queue;

	if (index >= vu->device->queues || m->fd_count != (none ? 0 : 1))
		return vhost_message_refuse(m, "descriptor of a queue");
	queue = &vu->queues[index];
	if (m->head.request == VHOST_SET_VRING_ERR)
		return 0; /* we have nothing to say on it */
	m->fds[0] = -1;
	if (m->head.request == VHOST_SET_VRING_KICK) {
		replace_fd(&queue->kick, fd);
		if (fd >= 0)
			watch(vu, fd);
	} else {
		replace_fd(&queue->call, fd);
		/* The front end may not have seen a call to the old one. */
		ring_bell(fd);
	}
	return 0;
}

/* ---- messages ---- */

static void answer_number(struct vhost_message *m, uint64_t number)
{
	m->body.number = number;
	m->head.size = sizeof(number);
}

static void answer_config(const struct vhost_user *vu, struct vhost_message *m)
{
	uint32_t offset = m->body.config.offset, size = m->body.config.size;

	if (m->head.size != CONFIG_HEAD + size ||
	    offset > vu->device->config_len ||
	    size > vu->device->config_len - offset)
		m->head.size = 0; /* the protocol's way to say no */
	else
		memcpy(m->body.config.bytes,
		    (const uint8_t *)vu->device->config + offset, size);
}

/* Index and length of what is about a queue, before anybody looks at it. */
static bool is_about_queue(
    const struct vhost_user *vu, const struct vhost_message *m)
{
	size_t size = m->head.request == VHOST_SET_VRING_ADDR
			  ? sizeof(m->body.addr)
			  : sizeof(m->body.state);

	return m->head.size == size && m->body.state.index < vu->device->queues;
}

static int handle(struct vhost_user *vu, struct vhost_message *m)
{
	const struct vhost_user_device *device = vu->device;

	switch (m->head.request) {
	case VHOST_GET_FEATURES:
		answer_number(m, device->features | 1ull << F_PROTOCOL |
				     1ull << VIRTIO_F_VERSION_1);
		return vhost_message_reply(m, vu->fd);
	case VHOST_GET_PROTOCOL_FEATURES:
		answer_number(
		    m, 1ull << PROTOCOL_F_MQ |
			   (device->config_len > 0 ? 1ull << PROTOCOL_F_CONFIG
						   : 0));
		return vhost_message_reply(m, vu->fd);
	case VHOST_GET_QUEUE_NUM:
		answer_number(m, device->queues);
		return vhost_message_reply(m, vu->fd);
	case VHOST_GET_CONFIG:
		answer_config(vu, m);
		return vhost_message_reply(m, vu->fd);
	case VHOST_SET_FEATURES: /* a subset of what we offered; none changes us
				  */
	case VHOST_SET_PROTOCOL_FEATURES:
	case VHOST_SET_OWNER:
	case VHOST_RESET_OWNER:
	case VHOST_SET_CONFIG:
		return 0;
	case VHOST_SET_MEM_TABLE:
		return set_memory(vu, m);
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
	case VHOST_SET_VRING_ENABLE:
		return is_about_queue(vu, m) ? set_state(vu, m)
					     : vhost_message_refuse(m, "queue");
	case VHOST_GET_VRING_BASE:
		if (!is_about_queue(vu, m) || set_state(vu, m) != 0)
			return vhost_message_refuse(m, "queue");
		return vhost_message_reply(m, vu->fd);
	case VHOST_SET_VRING_ADDR:
		return is_about_queue(vu, m) ? set_address(vu, m)
					     : vhost_message_refuse(m, "queue");
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		return m->head.size == sizeof(m->body.number)
			   ? set_descriptor(vu, m)
			   : vhost_message_refuse(m, "size");
	default:
		return vhost_message_refuse(m, "not offered");
	}
}

static int on_message(struct vhost_user *vu)
{
	struct vhost_message m = {.fd_count = 0};
	int more = vhost_message_read(&m, vu->fd);
	int rc = more == 1 ? handle(vu, &m) : 1 - 2 * (more < 0);

	for (size_t i = 0; i < m.fd_count; i++)
		if (m.fds[i] >= 0)
			close(m.fds[i]);
	return rc;
}

/* ---- the back end ---- */

int vhost_user_work(struct vhost_user *vu)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(vu->events, events, EVENTS_MAX, 0);
	bool message = false;

	for (int i = 0; i < count; i++) {
		uint64_t kicks;

		if (events[i].data.fd == vu->fd)
			message = true;
		else if (read(events[i].data.fd, &kicks, sizeof(kicks)) < 0 &&
			 errno != EAGAIN)
			log_die("vhost_user", "kick: %s", strerror(errno));
	}
	/* Last: it may close what the events above are about. */
	return message ? on_message(vu) : 0;
}

struct virtqueue *vhost_user_queue(struct vhost_user *vu, unsigned index)
{
	struct vhost_user_queue *queue = &vu->queues[index];
	bool runs = queue->enabled && queue->ring.desc != NULL &&
		    queue->kick >= 0;

	return runs ? &queue->ring : NULL;
}

void vhost_user_call(struct vhost_user *vu, unsigned index)
{
	struct vhost_user_queue *queue = &vu->queues[index];

	if (virtqueue_wants_call(&queue->ring))
		ring_bell(queue->call);
}

int vhost_user_accept(const char *path)
{
	char uri[ENDPOINT_TEXT_MAX];
	struct endpoint ep;
	int listening = -1, fd = -1;

	snprintf(uri, sizeof(uri), "unix://%s", path);
	if (endpoint_parse(&ep, uri) == 0)
		listening = endpoint_listen(&ep, 1);
	if (listening < 0) {
		log_error("vhost_user", "cannot listen", LOG_S("path", path));
		return -1;
	}
	log_info("vhost_user", "listening", LOG_S("path", path));
	if (poll(&(struct pollfd){listening, POLLIN, 0}, 1, -1) == 1)
		fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	close(listening);
	unlink(path); /* nobody else is served */
	if (fd < 0)
		log_error(
		    "vhost_user", "accept", LOG_S("why", strerror(errno)));
	return fd;
}

void vhost_user_init(
    struct vhost_user *vu, int fd, const struct vhost_user_device *device)
{
	*vu = (struct vhost_user){.fd = fd, .device = device};
	vu->events = epoll_create1(EPOLL_CLOEXEC);
	if (vu->events < 0)
		log_die("vhost_user", "epoll: %s", strerror(errno));
	watch(vu, fd);
	for (unsigned i = 0; i < VHOST_USER_QUEUES_MAX; i++) {
		vu->queues[i].kick = vu->queues[i].call = -1;
		vu->queues[i].ring.memory = &vu->memory;
	}
}

void vhost_user_fini(struct vhost_user *vu)
{
	for (unsigned i = 0; i < VHOST_USER_QUEUES_MAX; i++)
		stop_queue(&vu->queues[i]);
	unmap(vu);
	close(vu->fd);
	close(vu->events);
}
