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

void peer_describe(int fd, char out[static PEER_TEXT_MAX])
{
	union any_address address = {.sa = {.sa_family = AF_UNSPEC}};
	socklen_t len = sizeof(address);

	if (getpeername(fd, &address.sa, &len) != 0)
		address.sa.sa_family = AF_UNSPEC;
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
