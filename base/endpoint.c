/*
 * endpoint: the URI and the listener. The connecting side is in
 * endpoint_connect.c.
 */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

/* ---- text ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Decimal digits only, no sign, no leading zero, at most `max`. */
static int parse_number(uint32_t *out, const char *text, uint32_t max)
{
	uint64_t value = 0;

	if (!is_digit(text[0]) || (text[0] == '0' && text[1] != '\0'))
		return UV_EINVAL;
	for (; *text; text++) {
		if (!is_digit(*text))
			return UV_EINVAL;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > max)
			return UV_EINVAL;
	}
	*out = (uint32_t)value;
	return 0;
}

/* Splits "host:port" at the last colon into a copy of the host. */
static int split_port(
    char *host, size_t cap, const char *text, uint32_t *port, uint32_t port_max)
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (!colon)
		return UV_EINVAL;
	len = (size_t)(colon - text);
	if (len == 0 || len >= cap)
		return UV_EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	return parse_number(port, colon + 1, port_max);
}

/* Letters, digits, '-' and '_' in labels of 1 to 63 bytes. A name whose last
 * label is a number would be read as an address by inet_aton(3), in octal or
 * with parts left out: such a one must be a plain IPv4 address. */
static bool is_host(const char *host)
{
	struct in_addr v4;
	bool numeric = true;
	size_t label = 0;

	for (const char *p = host; *p; p++) {
		if (*p == '.') {
			if (label == 0 || p[1] == '\0')
				return false;
			label = 0;
			numeric = true;
			continue;
		}
		if (!is_alnum(*p) && *p != '-' && *p != '_')
			return false;
		if (++label > LABEL_MAX)
			return false;
		numeric = numeric && is_digit(*p);
	}
	return !numeric || inet_pton(AF_INET, host, &v4) == 1;
}

static int parse_tcp(struct endpoint *out, const char *text)
{
	char host[ENDPOINT_HOST_MAX + 2]; /* and brackets */
	struct in6_addr v6;
	size_t len;

	out->kind = ENDPOINT_TCP;
	if (split_port(host, sizeof(host), text, &out->port, 65535) < 0)
		return UV_EINVAL;
	len = strlen(host);
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &v6) != 1)
			return UV_EINVAL;
		memcpy(out->host, host + 1, len - 1);
		return 0;
	}
	if (len >= sizeof(out->host) || !is_host(host))
		return UV_EINVAL;
	memcpy(out->host, host, len + 1);
	return 0;
}

static int parse_unix(struct endpoint *out, const char *path)
{
	size_t len = strnlen(path, sizeof(out->path));

	out->kind = ENDPOINT_UNIX;
	if (len < 2 || len >= sizeof(out->path) || path[0] != '/' ||
	    path[len - 1] == '/')
		return UV_EINVAL;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)path[i] < ' ' || path[i] == 0x7f)
			return UV_EINVAL;
	}
	memcpy(out->path, path, len + 1);
	return 0;
}

/* The highest number is the wildcard, of CIDs and of ports: "any" says it for
 * CIDs, and nobody can ask for any port. Port 0 is nobody's. */
static int parse_vsock(struct endpoint *out, const char *text)
{
	char cid[16];

	out->kind = ENDPOINT_VSOCK;
	if (split_port(cid, sizeof(cid), text, &out->port, UINT32_MAX - 1) < 0)
		return UV_EINVAL;
	if (out->port == 0)
		return UV_EINVAL;
	if (strcmp(cid, "any") == 0) {
		out->cid = VMADDR_CID_ANY;
		return 0;
	}
	return parse_number(&out->cid, cid, UINT32_MAX - 1);
}

/* The listener's PATH_PORT must be a path, too. */
static int parse_hybrid(struct endpoint *out, const char *text)
{
	char path[ENDPOINT_PATH_MAX];
	uint32_t port = 0;
	int len;

	if (split_port(path, sizeof(path), text, &port, UINT32_MAX - 1) < 0 ||
	    port == 0 || parse_unix(out, path) < 0)
		return UV_EINVAL;
	out->kind = ENDPOINT_HYBRID;
	out->port = port;
	len = snprintf(NULL, 0, "%s_%u", path, port);
	return len < ENDPOINT_PATH_MAX ? 0 : UV_EINVAL;
}

int endpoint_parse(struct endpoint *out, const char *text)
{
	static const struct {
		const char *scheme;
		int (*parse)(struct endpoint *out, const char *text);
	} kinds[] = {
	    {"tcp://", parse_tcp},
	    {"unix://", parse_unix},
	    {"vsock://", parse_vsock},
	    {"hybrid://", parse_hybrid},
	};

	memset(out, 0, sizeof(*out));
	if (strnlen(text, ENDPOINT_TEXT_MAX) >= ENDPOINT_TEXT_MAX)
		return UV_EINVAL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].scheme);

		if (strncmp(text, kinds[i].scheme, len) != 0)
			continue;
		if (kinds[i].parse(out, text + len) == 0)
			return 0;
		memset(out, 0, sizeof(*out));
		return UV_EINVAL;
	}
	return UV_EINVAL;
}

void endpoint_format(
    const struct endpoint *ep, char out[static ENDPOINT_TEXT_MAX])
{
	bool v6 = strchr(ep->host, ':') != NULL;

	switch (ep->kind) {
	case ENDPOINT_TCP:
		snprintf(out, ENDPOINT_TEXT_MAX, "tcp://%s%s%s:%u",
		    v6 ? "[" : "", ep->host, v6 ? "]" : "", ep->port);
		break;
	case ENDPOINT_UNIX:
		snprintf(out, ENDPOINT_TEXT_MAX, "unix://%s", ep->path);
		break;
	case ENDPOINT_VSOCK:
		if (ep->cid == VMADDR_CID_ANY)
			snprintf(
			    out, ENDPOINT_TEXT_MAX, "vsock://any:%u", ep->port);
		else
			snprintf(out, ENDPOINT_TEXT_MAX, "vsock://%u:%u",
			    ep->cid, ep->port);
		break;
	case ENDPOINT_HYBRID:
		snprintf(out, ENDPOINT_TEXT_MAX, "hybrid://%s:%u", ep->path,
		    ep->port);
		break;
	}
}

/* ---- listening ---- */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
};

/* Returns the length of the address that `ep` is listened to at, 0 if its
 * host is not a numeric address. */
static socklen_t listen_address(const struct endpoint *ep, union address *addr)
{
	int len;

	memset(addr, 0, sizeof(*addr));
	switch (ep->kind) {
	case ENDPOINT_UNIX:
		addr->un.sun_family = AF_UNIX;
		memcpy(addr->un.sun_path, ep->path, sizeof(ep->path));
		return sizeof(addr->un);
	case ENDPOINT_HYBRID:
		addr->un.sun_family = AF_UNIX;
		len = snprintf(addr->un.sun_path, sizeof(addr->un.sun_path),
		    "%s_%u", ep->path, ep->port);
		return len < (int)sizeof(addr->un.sun_path) ? sizeof(addr->un)
							    : 0;
	case ENDPOINT_VSOCK:
		addr->vm.svm_family = AF_VSOCK;
		addr->vm.svm_cid = ep->cid;
		addr->vm.svm_port = ep->port;
		return sizeof(addr->vm);
	case ENDPOINT_TCP:
		break;
	}
	if (uv_ip4_addr(ep->host, (int)ep->port, &addr->in) == 0)
		return sizeof(addr->in);
	if (uv_ip6_addr(ep->host, (int)ep->port, &addr->in6) == 0)
		return sizeof(addr->in6);
	return 0;
}

/* Is the socket at this path one that nobody listens on any more? */
static bool is_left_behind(const union address *addr, socklen_t len)
{
	struct stat st;
	int fd;
	bool dead;

	if (lstat(addr->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	dead = connect(fd, &addr->sa, len) < 0 && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

static int bind_address(int fd, const union address *addr, socklen_t len)
{
	int on = 1;

	if (addr->sa.sa_family == AF_INET || addr->sa.sa_family == AF_INET6)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &addr->sa, len) == 0)
		return 0;
	if (errno != EADDRINUSE || addr->sa.sa_family != AF_UNIX)
		return -errno;
	if (!is_left_behind(addr, len))
		return UV_EADDRINUSE;
	if (unlink(addr->un.sun_path) < 0 && errno != ENOENT)
		return -errno;
	return bind(fd, &addr->sa, len) < 0 ? -errno : 0;
}

int endpoint_listen(const struct endpoint *ep, int backlog)
{
	union address addr;
	socklen_t len = listen_address(ep, &addr);
	int fd, ret;

	if (len == 0)
		return UV_EINVAL;
	fd = socket(
	    addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	ret = bind_address(fd, &addr, len);
	if (ret == 0 && listen(fd, backlog) < 0)
		ret = -errno;
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

unsigned endpoint_bound_port(int fd)
{
	union address addr;
	socklen_t len = sizeof(addr);

	memset(&addr, 0, sizeof(addr));
	if (getsockname(fd, &addr.sa, &len) < 0)
		return 0;
	if (addr.sa.sa_family == AF_INET)
		return ntohs(addr.in.sin_port);
	if (addr.sa.sa_family == AF_INET6)
		return ntohs(addr.in6.sin6_port);
	return 0;
}
