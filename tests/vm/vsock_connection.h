/*
 * vsock_connection: one connection between a port of the guest and a Unix
 * socket of the host: what each side may still send, how much the other has
 * room for, and which packet is to be said next (Virtual I/O Device Version
 * 1.2, section 5.10.6). No rings here: packets are structs and bytes.
 *
 *    host connects                 guest connects
 *         |                              |
 *      GREETING  "CONNECT P\n"           |
 *         |                              |
 *     REQUESTED  until the guest         |
 *         |      has answered            |
 *         +--------------> OPEN <--------+
 *                           |   the guest has closed or reset
 *                         PARTED   what it had sent goes to the host
 *                           |
 *                         OVER     to be freed
 *
 * GREETING waits for the host, REQUESTED for the guest, without deadlines: the
 * host's program has one, and its end is seen. Any state can go to OVER.
 *
 * How ends are carried across:
 *   the guest sends no more      shutdown(SHUT_WR), once all is written
 *   the guest receives no more   shutdown(SHUT_RD): the host's program gets
 *                                EPIPE
 *   both (close)                 the same for both, then close. What the host
 *                                had sent and nobody has read is thrown away,
 *                                for a Unix socket that is closed with unread
 *                                bytes in it resets the other side
 *   the guest resets             close
 *   the host sends no more       SHUTDOWN with flag SEND, once all is read
 *   the host has closed          SHUTDOWN with both flags
 *   the host resets              RST. (A Unix socket does that when it is
 *                                closed with unread bytes in it.)
 *
 * The socket's readiness is edge-triggered: `readable` and `writable` stay
 * true until a call has said EAGAIN, so nothing has to be armed.
 */
#ifndef HALLMARK_TESTS_VSOCK_CONNECTION_H
#define HALLMARK_TESTS_VSOCK_CONNECTION_H

#include <linux/virtio_vsock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VSOCK_BUFFER (1u << 18) /* as Linux's own; a power of 2 */
#define VSOCK_SHUTDOWN_BOTH \
	(VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND)

enum vsock_state {
	VSOCK_GREETING,
	VSOCK_REQUESTED,
	VSOCK_OPEN,
	VSOCK_PARTED,
	VSOCK_OVER
};

struct vsock_connection {
	int fd;
	enum vsock_state state;
	uint64_t host_cid;              /* as the guest calls the host */
	uint32_t host_port, guest_port; /* set from REQUESTED on */

	bool readable, writable; /* the socket: until EAGAIN */
	bool hung_up;            /* it is over in both directions */
	bool is_write_shut;      /* SHUT_WR is done */
	bool is_broken;          /* RST is to be said, then it is OVER */

	uint16_t opening;    /* REQUEST or RESPONSE to be said, or 0 */
	bool credit_due;     /* CREDIT_UPDATE is to be said */
	uint32_t guest_ends; /* SHUTDOWN flags that the guest has said */
	uint32_t host_ends;  /* those that are true of the host */
	uint32_t ends_said;  /* those of them that the guest knows */

	/* Bytes to the guest, counted on; what it has room for. */
	uint32_t sent, guest_forwarded, guest_buffer;
	/* Bytes of the guest: come, gone to the host, the guest knows of. */
	uint32_t received, forwarded, forwarded_said;
	uint8_t buffer[VSOCK_BUFFER]; /* those between the first two */
};

/* fd is taken, non-blocking. Out of memory: log_die. */
struct vsock_connection *vsock_connection_new(int fd, enum vsock_state state);
void vsock_connection_free(struct vsock_connection *c);

/* What epoll says of its socket. */
void vsock_connection_on_socket(struct vsock_connection *c, uint32_t events);

/* In GREETING: 1: the line is there, and names this port; 0: it is not there
 * yet; -1: it is something else. */
__attribute__((warn_unused_result)) int vsock_connection_greeting(
    struct vsock_connection *c, uint32_t *port);

/* A packet of the guest's that is not REQUEST; payload: h->len bytes. What it
 * may not say at this point breaks the connection. */
void vsock_connection_hear(struct vsock_connection *c,
    const struct virtio_vsock_hdr *h, const uint8_t *payload);

/* Whether vsock_connection_say is worth a try. */
bool vsock_connection_has_something(const struct vsock_connection *c);

/* The next packet for the guest: op, flags, len, buf_alloc and fwd_cnt of *h,
 * and at most `max` bytes of payload. false: there is none after all. */
__attribute__((warn_unused_result)) bool vsock_connection_say(
    struct vsock_connection *c, struct virtio_vsock_hdr *h, uint8_t *payload,
    size_t max);

#endif
