/* activation: see activation.h. */
#include "vsock-bridge/activation.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
};

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, name, &value, &len) != 0)
		return -1;
	return value;
}

/* Where it listens, as an endpoint. NULL, or what it is not. */
static const char *describe(int fd, struct endpoint *out)
{
	union address address;
	socklen_t len = sizeof(address);

	memset(out, 0, sizeof(*out));
	memset(&address, 0, sizeof(address));
	if (option(fd, SO_TYPE) != SOCK_STREAM)
		return "not a stream socket";
	if (option(fd, SO_ACCEPTCONN) != 1)
		return "not a listening socket";
	if (getsockname(fd, &address.sa, &len) != 0)
		return "without an address";
	switch (address.sa.sa_family) {
	case AF_INET:
		out->kind = ENDPOINT_TCP;
		out->port = ntohs(address.in.sin_port);
		uv_ip4_name(&address.in, out->host, sizeof(out->host));
		return NULL;
	case AF_INET6:
		out->kind = ENDPOINT_TCP;
		out->port = ntohs(address.in6.sin6_port);
		uv_ip6_name(&address.in6, out->host, sizeof(out->host));
		return NULL;
	case AF_UNIX:
		out->kind = ENDPOINT_UNIX;
		snprintf(out->path, sizeof(out->path), "%.*s",
		    (int)sizeof(address.un.sun_path), address.un.sun_path);
		return NULL;
	case AF_VSOCK:
		out->kind = ENDPOINT_VSOCK;
		out->cid = address.vm.svm_cid;
		out->port = address.vm.svm_port;
		return NULL;
	default:
		return "neither tcp, unix nor vsock";
	}
}

/* Addresses have more than one spelling; a port 0 is any. */
static bool same_host(const char *a, const char *b)
{
	struct in6_addr a6, b6;

	if (inet_pton(AF_INET6, a, &a6) == 1 &&
	    inet_pton(AF_INET6, b, &b6) == 1)
		return memcmp(&a6, &b6, sizeof(a6)) == 0;
	return strcmp(a, b) == 0;
}

static bool same(const struct endpoint *rule, const struct endpoint *socket)
{
	if (rule->kind != socket->kind)
		return false;
	switch (rule->kind) {
	case ENDPOINT_TCP:
		return same_host(rule->host, socket->host) &&
		       rule->port == socket->port;
	case ENDPOINT_UNIX:
		return strcmp(rule->path, socket->path) == 0;
	default:
		return rule->cid == socket->cid && rule->port == socket->port;
	}
}

/* The place for it in the rule that listens there and has none yet. */
static int *find(struct bridge_config *config, const struct endpoint *socket)
{
	const struct endpoint *rule;

	for (size_t n = 0; (rule = bridge_config_listener(config, n)) != NULL;
	     n++) {
		int *inherited = bridge_config_inherited(config, n);

		if (*inherited == 0 && same(rule, socket))
			return inherited;
	}
	return NULL;
}

static int assign(struct bridge_config *config, int fd,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char where[ENDPOINT_TEXT_MAX];
	struct endpoint socket;
	const char *wrong = describe(fd, &socket);
	int *place;

	if (wrong != NULL) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX,
		    "inherited descriptor %d: %s", fd, wrong);
		return -1;
	}
	place = find(config, &socket);
	if (place == NULL) {
		endpoint_format(&socket, where);
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX,
		    "inherited descriptor %d: no rule listens at %s", fd,
		    where);
		return -1;
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX,
		    "inherited descriptor %d: %s", fd, strerror(errno));
		return -1;
	}
	*place = fd;
	return 0;
}

int activation_assign(struct bridge_config *config, int first, int count,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	for (int i = 0; i < count; i++)
		if (assign(config, first + i, error) != 0)
			return -1;
	return count;
}

/* A whole number from 1 to max; 0 for anything else. */
static long number(const char *text, long max)
{
	char *end;
	long value;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno != 0 || *end != '\0' || value > max ? 0 : value;
}

int activation_take(
    struct bridge_config *config, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	const char *text = getenv("LISTEN_FDS");
	bool ours = number(getenv("LISTEN_PID"), LONG_MAX) == getpid();
	long count = number(text, 4 * BRIDGE_CONFIG_RULES_MAX);

	if (ours && text != NULL && count == 0 && strcmp(text, "0") != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX,
		    "LISTEN_FDS: not a number, or more than there are rules");
		return -1;
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return 0;
	return activation_assign(config, ACTIVATION_FIRST, (int)count, error);
}
