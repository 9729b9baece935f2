/* peer: see peer.h. */
#include "vsock-bridge/peer.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

union any_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_vm vm;
	struct sockaddr_storage storage;
};

static void describe_tcp6(
    const struct sockaddr_in6 *in6, char out[static PEER_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	snprintf(out, PEER_TEXT_MAX, "[%s]:%u", host, ntohs(in6->sin6_port));
}

static void describe_tcp(
    const struct sockaddr_in *in, char out[static PEER_TEXT_MAX])
{
	char host[INET_ADDRSTRLEN] = "?";

	inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
	snprintf(out, PEER_TEXT_MAX, "%s:%u", host, ntohs(in->sin_port));
}

/* A Unix peer has no address; the kernel knows who connected. */
static void describe_unix(int fd, char out[static PEER_TEXT_MAX])
{
	struct ucred who = {0};
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		snprintf(out, PEER_TEXT_MAX, "unix");
	else
		snprintf(out, PEER_TEXT_MAX, "unix:pid=%ld,uid=%lu",
		    (long)who.pid, (unsigned long)who.uid);
}

static struct peer_key key_of_tcp6(const struct sockaddr_in6 *in6)
{
	const uint8_t *bytes = in6->sin6_addr.s6_addr;
	struct peer_key key = {.kind = PEER_IPV6};
	size_t from = 0, to = 8;

	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		key.kind = PEER_IPV4;
		from = 12;
		to = 16;
	} else if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr)) {
		key.kind = PEER_LINK;
		from = 8;
		to = 16;
	}
	for (size_t i = from; i < to; i++)
		key.value = key.value << 8 | bytes[i];
	return key;
}

static struct peer_key key_of_unix(int fd)
{
	struct ucred who = {0};
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return (struct peer_key){.kind = PEER_UNKNOWN};
	return (struct peer_key){.kind = PEER_UNIX, .value = who.uid};
}

static void read_address(int fd, union any_address *address)
{
	socklen_t len = sizeof(*address);

	if (getpeername(fd, &address->sa, &len) != 0)
		address->sa.sa_family = AF_UNSPEC;
}

struct peer_key peer_key_of(int fd)
{
	union any_address address = {.sa = {.sa_family = AF_UNSPEC}};

	read_address(fd, &address);
	switch (address.sa.sa_family) {
	case AF_INET:
		return (struct peer_key){.kind = PEER_IPV4,
		    .value = ntohl(address.in.sin_addr.s_addr)};
	case AF_INET6:
		return key_of_tcp6(&address.in6);
	case AF_UNIX:
		return key_of_unix(fd);
	case AF_VSOCK:
		return (struct peer_key){
		    .kind = PEER_VSOCK, .value = address.vm.svm_cid};
	default:
		return (struct peer_key){.kind = PEER_UNKNOWN};
	}
}

void peer_describe(int fd, char out[static PEER_TEXT_MAX])
{
	union any_address address = {.sa = {.sa_family = AF_UNSPEC}};

	read_address(fd, &address);
	switch (address.sa.sa_family) {
	case AF_INET:
		describe_tcp(&address.in, out);
		break;
	case AF_INET6:
		describe_tcp6(&address.in6, out);
		break;
	case AF_UNIX:
		describe_unix(fd, out);
		break;
	case AF_VSOCK:
		snprintf(out, PEER_TEXT_MAX, "vsock:%u:%u", address.vm.svm_cid,
		    address.vm.svm_port);
		break;
	default:
		snprintf(out, PEER_TEXT_MAX, "unknown");
	}
}

void peer_reset_on_close(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}
