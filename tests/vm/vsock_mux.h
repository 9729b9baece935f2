/*
 * vsock_mux: all connections between one guest and the Unix sockets of this
 * machine, as packets; vsock_device puts it behind a virtio device. It never
 * opens AF_VSOCK: a test must not reach this machine's own.
 *
 *   the guest connects to CID 3, port P    we connect to UDS_PATH_P
 *   (or CID 2; the parent instance,        nobody there: RST, at once
 *   or the hypervisor)
 *   a program connects to UDS_PATH and     the guest sees a connection from
 *   writes "CONNECT P\n"                   CID 3 to its port P; once it has
 *                                          taken it, we write "OK PORT\n".
 *                                          Nobody there: we hang up
 *
 * as Firecracker has it (docs/vsock.md); what a connection is, is in
 * vsock_connection.h.
 *
 * Answers to packets that belong to no connection (all of them RST) are kept
 * in a queue of their own. It cannot overflow, because a guest is heard only
 * while there is room in it: a guest that sends and does not receive is not
 * heard any more.
 */
#ifndef HALLMARK_TESTS_VSOCK_MUX_H
#define HALLMARK_TESTS_VSOCK_MUX_H

#include <linux/virtio_vsock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VSOCK_CONNECTIONS_MAX 1024 /* further ones are refused */
#define VSOCK_HEADER          sizeof(struct virtio_vsock_hdr)
#define VSOCK_PACKET_MAX      (VSOCK_HEADER + 65536) /* Linux sends no more */

struct vsock_mux;

/* Listens on uds_path, an absolute path. NULL, and why is in the log. */
struct vsock_mux *vsock_mux_new(uint64_t guest_cid, const char *uds_path);
void vsock_mux_free(struct vsock_mux *mux);

/* A descriptor that is readable when vsock_mux_work has something to do. */
int vsock_mux_events(const struct vsock_mux *mux);
void vsock_mux_work(struct vsock_mux *mux);

/* Whether there is a guest, as there is none at first. Without one, all
 * connections end and new ones are hung up on. */
void vsock_mux_set_running(struct vsock_mux *mux, bool running);

size_t vsock_mux_count(const struct vsock_mux *mux);

/* Takes a whole packet of the guest's; only while can_hear says so. */
bool vsock_mux_can_hear(const struct vsock_mux *mux);
void vsock_mux_hear(struct vsock_mux *mux, const uint8_t *packet, size_t len);

/* Writes the next packet for the guest, of VSOCK_HEADER to max bytes, each
 * connection in its turn. 0: there is none now. */
size_t vsock_mux_say(struct vsock_mux *mux, uint8_t *out, size_t max);

#endif
