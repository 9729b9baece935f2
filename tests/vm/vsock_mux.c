/* vsock_mux: see vsock_mux.h. */
#include "tests/vm/vsock_mux.h"

#include "base/endpoint.h"
#include "base/log.h"
#include "tests/vm/vsock_connection.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CID_HOST    2          /* vsock(7) */
#define CID_PARENT  3          /* AWS Nitro Enclaves User Guide */
#define FIRST_PORT  (1u << 30) /* as Firecracker's */
#define BACKLOG     512
#define STRAYS_MAX  256
#define EVENTS_MAX  64
#define EVENTS_WANT (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

struct vsock_mux {
	int events, listening;
	uint64_t guest_cid;
	char uds_path[ENDPOINT_PATH_MAX];
	bool running;
	uint32_t next_port; /* for connections of the host */
	struct vsock_connection *connections[VSOCK_CONNECTIONS_MAX];
	size_t count;
	size_t turn; /* whose it is to be heard by the guest */
	struct virtio_vsock_hdr strays[STRAYS_MAX];
	size_t stray_first, stray_count;
};

/* ---- the table ---- */

static void add(struct vsock_mux *mux, struct vsock_connection *c)
{
	struct epoll_event event = {.events = EVENTS_WANT, .data.ptr = c};

	assert(mux->count < VSOCK_CONNECTIONS_MAX);
	mux->connections[mux->count++] = c;
	if (epoll_ctl(mux->events, EPOLL_CTL_ADD, c->fd, &event) != 0)
		log_die("vsock_mux", "epoll_ctl: %s", strerror(errno));
}

static void free_those_over(struct vsock_mux *mux)
{
	for (size_t i = 0; i < mux->count;) {
		struct vsock_connection *c = mux->connections[i];

		if (c->state == VSOCK_OVER) {
			vsock_connection_free(c);
			mux->connections[i] = mux->connections[--mux->count];
		} else {
			i++;
		}
	}
}

static struct vsock_connection *find(const struct vsock_mux *mux,
    uint64_t host_cid, uint32_t host_port, uint32_t guest_port)
{
	for (size_t i = 0; i < mux->count; i++) {
		struct vsock_connection *c = mux->connections[i];

		if ((c->state == VSOCK_REQUESTED || c->state == VSOCK_OPEN) &&
		    c->host_cid == host_cid && c->host_port == host_port &&
		    c->guest_port == guest_port)
			return c;
	}
	return NULL;
}

/* ---- the host connects ---- */

static void request(
    struct vsock_mux *mux, struct vsock_connection *c, uint32_t guest_port)
{
	while (find(mux, CID_PARENT, mux->next_port, guest_port) != NULL)
		mux->next_port++;
	c->host_cid = CID_PARENT;
	c->host_port = mux->next_port++;
	c->guest_port = guest_port;
	c->opening = VIRTIO_VSOCK_OP_REQUEST;
	c->state = VSOCK_REQUESTED;
}

static void on_greeting(struct vsock_mux *mux, struct vsock_connection *c)
{
	uint32_t port;
	int rc = vsock_connection_greeting(c, &port);

	if (rc == 1)
		request(mux, c, port);
	else if (rc < 0)
		c->state = VSOCK_OVER;
}

static void on_listening(struct vsock_mux *mux)
{
	int fd = accept4(
	    mux->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED)
		log_die("vsock_mux", "accept: %s", strerror(errno));
	if (fd < 0)
		return;
	if (mux->running && mux->count < VSOCK_CONNECTIONS_MAX)
		add(mux, vsock_connection_new(fd, VSOCK_GREETING));
	else
		close(fd);
}

void vsock_mux_work(struct vsock_mux *mux)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(mux->events, events, EVENTS_MAX, 0);

	for (int i = 0; i < count; i++) {
		struct vsock_connection *c = events[i].data.ptr;

		if (c == NULL) {
			on_listening(mux);
			continue;
		}
		vsock_connection_on_socket(c, events[i].events);
		if (c->state == VSOCK_GREETING)
			on_greeting(mux, c);
	}
	free_those_over(mux);
}

/* ---- the guest speaks ---- */

static void reset_stray(struct vsock_mux *mux, const struct virtio_vsock_hdr *h)
{
	size_t last = (mux->stray_first + mux->stray_count) % STRAYS_MAX;

	if (h->op == VIRTIO_VSOCK_OP_RST)
		return; /* or two peers could go on with it for ever */
	assert(mux->stray_count < STRAYS_MAX);
	mux->stray_count++;
	mux->strays[last] = (struct virtio_vsock_hdr){
	    .src_cid = h->dst_cid,
	    .dst_cid = h->src_cid,
	    .src_port = h->dst_port,
	    .dst_port = h->src_port,
	    .type = h->type,
	    .op = VIRTIO_VSOCK_OP_RST,
	};
}

/* A connected socket, or -1. */
static int connect_to_host(const struct vsock_mux *mux, uint32_t port)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int len = snprintf(
	    addr.sun_path, sizeof(addr.sun_path), "%s_%u", mux->uds_path, port);
	int fd;

	if (len < 0 || (size_t)len >= sizeof(addr.sun_path))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		log_die("vsock_mux", "socket: %s", strerror(errno));
	/* At once: also when the listener's queue is full, which is a reset
	 * with a real vsock, too. */
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void on_request(struct vsock_mux *mux, const struct virtio_vsock_hdr *h)
{
	struct vsock_connection *c;
	int fd = -1;

	if (mux->count < VSOCK_CONNECTIONS_MAX)
		fd = connect_to_host(mux, h->dst_port);
	if (fd < 0) {
		log_info("vsock_mux", "refused", LOG_D("port", h->dst_port));
		reset_stray(mux, h);
		return;
	}
	c = vsock_connection_new(fd, VSOCK_OPEN);
	c->host_cid = h->dst_cid;
	c->host_port = h->dst_port;
	c->guest_port = h->src_port;
	c->guest_buffer = h->buf_alloc;
	c->guest_forwarded = h->fwd_cnt;
	c->opening = VIRTIO_VSOCK_OP_RESPONSE;
	add(mux, c);
}

static void dispatch(struct vsock_mux *mux, const struct virtio_vsock_hdr *h,
    const uint8_t *payload)
{
	struct vsock_connection *c = find(
	    mux, h->dst_cid, h->dst_port, h->src_port);

	if (h->type != VIRTIO_VSOCK_TYPE_STREAM ||
	    (h->dst_cid != CID_HOST && h->dst_cid != CID_PARENT)) {
		reset_stray(mux, h);
	} else if (c == NULL && h->op == VIRTIO_VSOCK_OP_REQUEST) {
		on_request(mux, h);
	} else if (c == NULL) {
		reset_stray(mux, h);
	} else {
		vsock_connection_hear(c, h, payload);
		/* Its close is answered at once, whatever we have still to
		 * write: Linux forgets a connection after 8 s without. */
		if (h->op == VIRTIO_VSOCK_OP_SHUTDOWN &&
		    c->guest_ends == VSOCK_SHUTDOWN_BOTH)
			reset_stray(mux, h);
	}
}

bool vsock_mux_can_hear(const struct vsock_mux *mux)
{
	return mux->stray_count < STRAYS_MAX;
}

void vsock_mux_hear(struct vsock_mux *mux, const uint8_t *packet, size_t len)
{
	struct virtio_vsock_hdr h;

	assert(vsock_mux_can_hear(mux));
	if (len >= sizeof(h))
		memcpy(&h, packet, sizeof(h));
	if (len < sizeof(h) || h.len != len - sizeof(h) ||
	    h.src_cid != mux->guest_cid) {
		log_warn("vsock_mux", "no packet", LOG_D("bytes", len));
		return; /* there is nobody to answer */
	}
	dispatch(mux, &h, packet + sizeof(h));
	free_those_over(mux);
}

/* ---- the guest is spoken to ---- */

static size_t say_stray(struct vsock_mux *mux, uint8_t *out)
{
	memcpy(out, &mux->strays[mux->stray_first], VSOCK_HEADER);
	mux->stray_first = (mux->stray_first + 1) % STRAYS_MAX;
	mux->stray_count--;
	return VSOCK_HEADER;
}

static size_t say_for(
    struct vsock_mux *mux, struct vsock_connection *c, uint8_t *out, size_t max)
{
	struct virtio_vsock_hdr h = {
	    .src_cid = c->host_cid,
	    .dst_cid = mux->guest_cid,
	    .src_port = c->host_port,
	    .dst_port = c->guest_port,
	    .type = VIRTIO_VSOCK_TYPE_STREAM,
	};

	if (!vsock_connection_has_something(c) ||
	    !vsock_connection_say(c, &h, out + sizeof(h), max - sizeof(h)))
		return 0;
	memcpy(out, &h, sizeof(h));
	return sizeof(h) + h.len;
}

size_t vsock_mux_say(struct vsock_mux *mux, uint8_t *out, size_t max)
{
	size_t len = 0;

	assert(max > VSOCK_HEADER);
	if (mux->stray_count > 0)
		return say_stray(mux, out);
	for (size_t i = 0; i < mux->count && len == 0; i++) {
		mux->turn = (mux->turn + 1) % mux->count;
		len = say_for(mux, mux->connections[mux->turn], out, max);
	}
	free_those_over(mux);
	return len;
}

/* ---- the whole ---- */

int vsock_mux_events(const struct vsock_mux *mux)
{
	return mux->events;
}

size_t vsock_mux_count(const struct vsock_mux *mux)
{
	return mux->count;
}

void vsock_mux_set_running(struct vsock_mux *mux, bool running)
{
	mux->running = running;
	if (running)
		return;
	for (size_t i = 0; i < mux->count; i++)
		mux->connections[i]->state = VSOCK_OVER;
	free_those_over(mux);
	mux->stray_count = 0;
}

struct vsock_mux *vsock_mux_new(uint64_t guest_cid, const char *uds_path)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	struct vsock_mux *mux = calloc(1, sizeof(*mux));
	char uri[ENDPOINT_TEXT_MAX];
	struct endpoint ep;

	if (mux == NULL)
		log_die("vsock_mux", "out of memory");
	mux->guest_cid = guest_cid;
	mux->next_port = FIRST_PORT;
	mux->listening = -1;
	snprintf(uri, sizeof(uri), "unix://%s", uds_path);
	if (endpoint_parse(&ep, uri) == 0)
		mux->listening = endpoint_listen(&ep, BACKLOG);
	if (mux->listening < 0) {
		log_error(
		    "vsock_mux", "cannot listen", LOG_S("path", uds_path));
		free(mux);
		return NULL;
	}
	memcpy(mux->uds_path, ep.path, sizeof(mux->uds_path));
	mux->events = epoll_create1(EPOLL_CLOEXEC);
	if (mux->events < 0 ||
	    epoll_ctl(mux->events, EPOLL_CTL_ADD, mux->listening, &event) != 0)
		log_die("vsock_mux", "epoll: %s", strerror(errno));
	return mux;
}

void vsock_mux_free(struct vsock_mux *mux)
{
	if (mux == NULL)
		return;
	vsock_mux_set_running(mux, false);
	close(mux->listening);
	close(mux->events);
	unlink(mux->uds_path);
	free(mux);
}
