/* vsock_connection: see vsock_connection.h. */
#include "tests/vm/vsock_connection.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING      "CONNECT "
#define GREETING_MAX  19 /* "CONNECT 4294967295\n" */
#define GREETING_MIN  10 /* "CONNECT 0\n" */
#define ANSWER_MAX    16 /* "OK 4294967295\n" and a NUL */
#define CREDIT_LOW    (VSOCK_BUFFER / 2)
#define DISCARD_CHUNK 4096

static bool is_end_of_turn(void)
{
	return errno == EAGAIN; /* nothing here waits: never EINTR */
}

/* ---- to the host ---- */

static void host_takes_no_more(struct vsock_connection *c)
{
	c->host_ends |= VIRTIO_VSOCK_SHUTDOWN_RCV;
	c->forwarded = c->received; /* thrown away */
}

static void write_once(struct vsock_connection *c)
{
	size_t start = c->forwarded % VSOCK_BUFFER;
	size_t len = c->received - c->forwarded;
	ssize_t n;

	if (len > VSOCK_BUFFER - start)
		len = VSOCK_BUFFER - start;
	n = send(c->fd, c->buffer + start, len, MSG_NOSIGNAL);
	if (n >= 0)
		c->forwarded += (uint32_t)n;
	else if (is_end_of_turn())
		c->writable = false;
	else
		host_takes_no_more(c);
}

/* The guest must hear of room before it runs out of it, but not of each byte:
 * once it believes that less than half is free. */
static void notice_room(struct vsock_connection *c)
{
	bool is_news = c->forwarded != c->forwarded_said;

	if (is_news && c->received - c->forwarded_said > CREDIT_LOW)
		c->credit_due = true;
}

static void discard_unread(struct vsock_connection *c)
{
	uint8_t bytes[DISCARD_CHUNK];

	shutdown(c->fd, SHUT_RDWR); /* so that it comes to an end */
	while (recv(c->fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static void forward(struct vsock_connection *c)
{
	while (c->writable && c->forwarded != c->received)
		write_once(c);
	notice_room(c);
	if (c->forwarded != c->received)
		return;
	if ((c->guest_ends & VIRTIO_VSOCK_SHUTDOWN_SEND) != 0 &&
	    !c->is_write_shut) {
		shutdown(c->fd, SHUT_WR);
		c->is_write_shut = true;
	}
	if (c->state == VSOCK_PARTED) {
		if (c->guest_ends == VSOCK_SHUTDOWN_BOTH)
			discard_unread(c);
		c->state = VSOCK_OVER;
	}
}

/* "OK N\n" fits into any socket that nothing was written to. */
static void answer_greeting(struct vsock_connection *c)
{
	char line[ANSWER_MAX];
	int len = snprintf(line, sizeof(line), "OK %u\n", c->host_port);

	if (send(c->fd, line, (size_t)len, MSG_NOSIGNAL) != len)
		c->is_broken = true;
}

/* ---- what the guest says ---- */

static void hear_data(
    struct vsock_connection *c, const uint8_t *payload, uint32_t len)
{
	size_t start = c->received % VSOCK_BUFFER;
	size_t first = VSOCK_BUFFER - start;

	if (len > VSOCK_BUFFER - (c->received - c->forwarded) ||
	    (c->guest_ends & VIRTIO_VSOCK_SHUTDOWN_SEND) != 0) {
		c->is_broken = true; /* beyond the credit, or its own end */
		return;
	}
	if (first > len)
		first = len;
	memcpy(c->buffer + start, payload, first);
	memcpy(c->buffer, payload + first, len - first);
	c->received += len;
	if ((c->host_ends & VIRTIO_VSOCK_SHUTDOWN_RCV) != 0)
		c->forwarded = c->received;
}

static void hear_shutdown(struct vsock_connection *c, uint32_t flags)
{
	c->guest_ends |= flags & VSOCK_SHUTDOWN_BOTH;
	if (c->guest_ends == VSOCK_SHUTDOWN_BOTH)
		c->state = VSOCK_PARTED;
	else if ((c->guest_ends & VIRTIO_VSOCK_SHUTDOWN_RCV) != 0)
		shutdown(c->fd, SHUT_RD);
}

static void hear_open(struct vsock_connection *c,
    const struct virtio_vsock_hdr *h, const uint8_t *payload)
{
	switch (h->op) {
	case VIRTIO_VSOCK_OP_RW:
		hear_data(c, payload, h->len);
		break;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		hear_shutdown(c, h->flags);
		break;
	case VIRTIO_VSOCK_OP_RST:
		c->state = VSOCK_PARTED;
		break;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		break;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		c->credit_due = true;
		break;
	default:
		c->is_broken = true;
	}
	forward(c);
}

void vsock_connection_hear(struct vsock_connection *c,
    const struct virtio_vsock_hdr *h, const uint8_t *payload)
{
	c->guest_buffer = h->buf_alloc;
	c->guest_forwarded = h->fwd_cnt;
	if (c->state == VSOCK_OPEN) {
		hear_open(c, h, payload);
	} else if (h->op == VIRTIO_VSOCK_OP_RST) {
		c->state = VSOCK_OVER;
	} else if (h->op == VIRTIO_VSOCK_OP_RESPONSE &&
		   c->state == VSOCK_REQUESTED && c->opening == 0) {
		c->state = VSOCK_OPEN;
		answer_greeting(c);
	} else {
		c->is_broken = true;
	}
}

/* ---- what the host does ---- */

static uint32_t credit(const struct vsock_connection *c)
{
	uint32_t on_its_way = c->sent - c->guest_forwarded;

	return on_its_way < c->guest_buffer ? c->guest_buffer - on_its_way : 0;
}

/* An end is one for a guest without room, too: there is no reading up to it. */
static void notice_end(struct vsock_connection *c)
{
	uint8_t byte;

	if (credit(c) == 0 && recv(c->fd, &byte, 1, MSG_PEEK) == 0)
		c->host_ends |= VIRTIO_VSOCK_SHUTDOWN_SEND;
}

static int parse_greeting(const char *line, size_t len, uint32_t *port)
{
	uint64_t number = 0;
	size_t at = strlen(GREETING);

	if (len < GREETING_MIN || memcmp(line, GREETING, at) != 0)
		return -1;
	for (; at < len - 1; at++) {
		if (line[at] < '0' || line[at] > '9')
			return -1;
		number = 10 * number + (unsigned)(line[at] - '0');
	}
	*port = (uint32_t)number;
	return number <= UINT32_MAX ? 1 : -1;
}

int vsock_connection_greeting(struct vsock_connection *c, uint32_t *port)
{
	char line[GREETING_MAX];
	ssize_t n = recv(c->fd, line, sizeof(line), MSG_PEEK);
	const char *end;
	size_t len;

	if (n < 0)
		return is_end_of_turn() ? 0 : -1;
	end = memchr(line, '\n', (size_t)n);
	if (end == NULL)
		return n > 0 && n < GREETING_MAX && !c->hung_up ? 0 : -1;
	/* What stands behind it is for the guest. */
	len = (size_t)(end - line) + 1;
	if (recv(c->fd, line, len, 0) != (ssize_t)len)
		return -1;
	return parse_greeting(line, len, port);
}

void vsock_connection_on_socket(struct vsock_connection *c, uint32_t events)
{
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		c->readable = true;
	if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
		c->writable = true;
	if ((events & EPOLLHUP) != 0)
		c->hung_up = true;
	if (c->state == VSOCK_REQUESTED && c->hung_up) {
		/* The guest need not know what it was not asked. */
		if (c->opening != 0)
			c->state = VSOCK_OVER;
		c->is_broken = true;
	}
	if (c->state != VSOCK_OPEN && c->state != VSOCK_PARTED)
		return;
	if (c->hung_up) {
		host_takes_no_more(c);
		/* Nobody reads to the end then. */
		if ((c->guest_ends & VIRTIO_VSOCK_SHUTDOWN_RCV) != 0)
			c->host_ends |= VIRTIO_VSOCK_SHUTDOWN_SEND;
	}
	if ((c->guest_ends & VIRTIO_VSOCK_SHUTDOWN_RCV) == 0)
		notice_end(c);
	forward(c);
}

/* ---- what is said to the guest ---- */

static bool may_read(const struct vsock_connection *c)
{
	return c->readable && credit(c) > 0 &&
	       (c->guest_ends & VIRTIO_VSOCK_SHUTDOWN_RCV) == 0 &&
	       (c->host_ends & VIRTIO_VSOCK_SHUTDOWN_SEND) == 0;
}

/* From the host's socket: the number of bytes; 0: no data now. */
static uint32_t read_host(
    struct vsock_connection *c, uint8_t *payload, size_t max)
{
	size_t room = credit(c);
	ssize_t n;

	if (!may_read(c))
		return 0;
	n = recv(c->fd, payload, room < max ? room : max, 0);
	if (n > 0) {
		c->sent += (uint32_t)n;
		notice_end(c);
		return (uint32_t)n;
	}
	if (n < 0 && is_end_of_turn())
		c->readable = false;
	else if (n < 0)
		c->is_broken = true;
	else
		c->host_ends |= VIRTIO_VSOCK_SHUTDOWN_SEND;
	return 0;
}

/* After read_host: its findings are among what there is to say. */
static uint16_t next_op(struct vsock_connection *c, uint32_t len)
{
	if (c->is_broken)
		return VIRTIO_VSOCK_OP_RST;
	if (c->opening != 0)
		return c->opening;
	if (c->state != VSOCK_OPEN)
		return VIRTIO_VSOCK_OP_INVALID;
	if (len > 0)
		return VIRTIO_VSOCK_OP_RW;
	if (c->host_ends != c->ends_said)
		return VIRTIO_VSOCK_OP_SHUTDOWN;
	return c->credit_due ? VIRTIO_VSOCK_OP_CREDIT_UPDATE
			     : VIRTIO_VSOCK_OP_INVALID;
}

static void remember_said(struct vsock_connection *c, uint16_t op)
{
	if (op == VIRTIO_VSOCK_OP_RST)
		c->state = VSOCK_OVER;
	if (op == c->opening)
		c->opening = 0;
	if (op == VIRTIO_VSOCK_OP_SHUTDOWN)
		c->ends_said = c->host_ends;
	/* Each packet tells the room. */
	c->forwarded_said = c->forwarded;
	c->credit_due = false;
}

bool vsock_connection_has_something(const struct vsock_connection *c)
{
	if (c->state == VSOCK_OVER || c->state == VSOCK_PARTED)
		return false;
	if (c->is_broken || c->opening != 0)
		return true;
	return c->state == VSOCK_OPEN &&
	       (may_read(c) || c->host_ends != c->ends_said || c->credit_due);
}

bool vsock_connection_say(struct vsock_connection *c,
    struct virtio_vsock_hdr *h, uint8_t *payload, size_t max)
{
	bool flows = c->state == VSOCK_OPEN && c->opening == 0 && !c->is_broken;
	uint32_t len = flows ? read_host(c, payload, max) : 0;
	uint16_t op = next_op(c, len);

	if (op == VIRTIO_VSOCK_OP_INVALID)
		return false;
	h->op = op;
	h->len = len;
	h->flags = op == VIRTIO_VSOCK_OP_SHUTDOWN ? c->host_ends : 0;
	h->buf_alloc = VSOCK_BUFFER;
	h->fwd_cnt = c->forwarded;
	remember_said(c, op);
	return true;
}

/* ---- new and free ---- */

struct vsock_connection *vsock_connection_new(int fd, enum vsock_state state)
{
	struct vsock_connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		log_die("vsock_connection", "out of memory");
	c->fd = fd;
	c->state = state;
	return c;
}

void vsock_connection_free(struct vsock_connection *c)
{
	if (c == NULL)
		return;
	close(c->fd);
	free(c);
}
