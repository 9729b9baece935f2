/* peer: who is at the other end of a connected socket: for log lines, and to
 * count what one of them has (peers.h). */
#ifndef HALLMARK_BRIDGE_PEER_H
#define HALLMARK_BRIDGE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_TEXT_MAX 64

enum peer_kind {
	PEER_UNKNOWN,
	PEER_IPV4, /* the address; also one in IPv6 */
	PEER_IPV6, /* the /64: what one subscriber gets, at least */
	PEER_LINK, /* IPv6, link-local: the interface's part */
	PEER_UNIX, /* the user */
	PEER_VSOCK /* the CID: one machine */
};

struct peer_key {
	enum peer_kind kind;
	uint64_t value;
};

struct peer_key peer_key_of(int fd);

/* "vsock:16:1025", "127.0.0.1:40312", "[::1]:40312", "unix:pid=12,uid=0", or
 * "unknown". */
void peer_describe(int fd, char out[static PEER_TEXT_MAX]);

/* close(2) will send it RST instead of FIN. For TCP only: other kinds of
 * socket have no such thing and ignore it. */
void peer_reset_on_close(int fd);

#endif
