/*
 * endpoint: where a program listens or connects, as one URI.
 *
 *   tcp://127.0.0.1:8080   tcp://[::1]:8080   tcp://host.example:443
 *   unix:///run/hallmark/oracle.sock
 *   vsock://3:8443         vsock://any:8080 (to listen)
 *   hybrid:///run/vm.vsock:8443
 *
 * hybrid is the vsock of a guest whose monitor offers it as Unix sockets, on a
 * host without vsock (Firecracker's docs/vsock.md; vhost-device-vsock with
 * uds-path): a connection to the guest's port is one to /run/vm.vsock with a
 * greeting (hybrid_greeting.h), and what the guest connects to at the host's
 * port arrives at a listener on /run/vm.vsock_8443.
 *
 * Source: vsock(7) for CIDs; 3 is the parent instance as seen from a Nitro
 * enclave (AWS Nitro Enclaves User Guide, "Vsock").
 */
#ifndef HALLMARK_BASE_ENDPOINT_H
#define HALLMARK_BASE_ENDPOINT_H

#include "base/hybrid_greeting.h"

#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#define ENDPOINT_HOST_MAX 254 /* a DNS name (RFC 1035 2.3.4) and a NUL */
#define ENDPOINT_PATH_MAX 108 /* sun_path of sockaddr_un */
#define ENDPOINT_TEXT_MAX 300 /* the longest URI and a NUL */

enum endpoint_kind {
	ENDPOINT_TCP,
	ENDPOINT_UNIX,
	ENDPOINT_VSOCK,
	ENDPOINT_HYBRID
};

struct endpoint {
	enum endpoint_kind kind;
	char host[ENDPOINT_HOST_MAX]; /* tcp: name or address, no brackets */
	char path[ENDPOINT_PATH_MAX]; /* unix, hybrid: absolute path */
	uint32_t cid;                 /* vsock; VMADDR_CID_ANY for "any" */
	uint32_t port; /* tcp (1..65535, 0 to listen), vsock, hybrid */
};

/* Returns 0, or UV_EINVAL for anything but one of the forms above. tcp port 0
 * is accepted: a listener then gets a free port. */
__attribute__((warn_unused_result)) int endpoint_parse(
    struct endpoint *out, const char *text);

void endpoint_format(
    const struct endpoint *ep, char out[static ENDPOINT_TEXT_MAX]);

/*
 * A non-blocking listening descriptor, close-on-exec, or a negative uv error.
 * A tcp host must be a numeric address here. A Unix socket left behind by a
 * dead process is replaced; one that still answers gives UV_EADDRINUSE.
 */
__attribute__((warn_unused_result)) int endpoint_listen(
    const struct endpoint *ep, int backlog);

/* The port a tcp listener really has (for port 0); 0 for other kinds. */
unsigned endpoint_bound_port(int fd);

/*
 * endpoint_connect: one connection attempt on the loop (for hybrid with its
 * greeting: UV_ECONNRESET if the monitor hangs up, as it does where nobody
 * listens in the guest, UV_EPROTO for another answer than OK). If start
 * returns 0,
 * `cb` fires exactly once, never before start has returned, with a connected
 * non-blocking close-on-exec descriptor that the callee now owns (TCP_NODELAY
 * set for tcp), or a negative uv error (UV_ETIMEDOUT after timeout_ms). If
 * start returns an error, `cb` never fires. cancel makes it fire with
 * UV_ECANCELED, if it has not fired yet. The struct is the caller's and must
 * live until `cb` has fired; `cb` may free it.
 * All addresses of a name are tried in the order that getaddrinfo gives.
 */
struct endpoint_connect;
struct endpoint_resolve;
typedef void (*endpoint_connect_cb)(struct endpoint_connect *op, int fd);

struct endpoint_connect {
	void *data; /* the caller's */

	/* private from here on */
	uv_loop_t *loop;
	endpoint_connect_cb cb;
	struct endpoint ep;
	struct endpoint_resolve *resolve; /* tcp: while it waits for names */
	struct addrinfo *addresses, *next_address;
	uv_poll_t poll; /* waits for connect(2) to finish */
	uv_timer_t timer;
	int fd, result;
	struct hybrid_greeting greeting;
	unsigned open_handles; /* poll, timer: closed before cb fires */
	int poll_active, finished;
};

__attribute__((warn_unused_result)) int endpoint_connect_start(
    struct endpoint_connect *op, uv_loop_t *loop, const struct endpoint *ep,
    uint64_t timeout_ms, endpoint_connect_cb cb);
void endpoint_connect_cancel(struct endpoint_connect *op);

#endif
