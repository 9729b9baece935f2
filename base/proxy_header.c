/* proxy_header: see proxy_header.h. */
#include "base/proxy_header.h"

#include <string.h>

static const uint8_t signature[12] = {
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

#define VERSION_LOCAL 0x20
#define VERSION_PROXY 0x21
#define UNSPEC        0x00
#define TCP4          0x11
#define TCP6          0x21
#define UNIX_STREAM   0x31
#define UNIX_PATH     108 /* of the protocol; sun_path has as many */

_Static_assert(
    sizeof(((struct sockaddr_un *)0)->sun_path) == UNIX_PATH, "sun_path");

/* Bytes of both addresses and ports. */
static size_t block_len(uint8_t family)
{
	switch (family) {
	case TCP4:
		return 12;
	case TCP6:
		return 36;
	case UNIX_STREAM:
		return 216;
	default:
		return 0;
	}
}

/* ---- writing ---- */

static void put_v4(uint8_t *block, const union proxy_address *from,
    const union proxy_address *to)
{
	memcpy(block, &from->in.sin_addr, 4);
	memcpy(block + 4, &to->in.sin_addr, 4);
	memcpy(block + 8, &from->in.sin_port, 2);
	memcpy(block + 10, &to->in.sin_port, 2);
}

static void put_v6(uint8_t *block, const union proxy_address *from,
    const union proxy_address *to)
{
	memcpy(block, &from->in6.sin6_addr, 16);
	memcpy(block + 16, &to->in6.sin6_addr, 16);
	memcpy(block + 32, &from->in6.sin6_port, 2);
	memcpy(block + 34, &to->in6.sin6_port, 2);
}

static void put_unix(uint8_t *block, const union proxy_address *from,
    const union proxy_address *to)
{
	memcpy(block, from->un.sun_path, UNIX_PATH);
	memcpy(block + UNIX_PATH, to->un.sun_path, UNIX_PATH);
}

/* A client of a listener at [::] that came over IPv4. */
static bool unmap(union proxy_address *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (address->sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
		return false;
	in.sin_port = address->in6.sin6_port;
	memcpy(&in.sin_addr, &address->in6.sin6_addr.s6_addr[12], 4);
	memset(address, 0, sizeof(*address));
	address->in = in;
	return true;
}

static uint8_t family_of(const struct proxy_header *header)
{
	if (header->local ||
	    header->source.sa.sa_family != header->destination.sa.sa_family)
		return UNSPEC;
	switch (header->source.sa.sa_family) {
	case AF_INET:
		return TCP4;
	case AF_INET6:
		return TCP6;
	case AF_UNIX:
		return UNIX_STREAM;
	default:
		return UNSPEC;
	}
}

size_t proxy_header_encode(uint8_t out[static PROXY_HEADER_ENCODED_MAX],
    const struct proxy_header *header)
{
	struct proxy_header plain = *header;
	uint8_t *block = out + PROXY_HEADER_FIXED_BYTES, family;

	if (unmap(&plain.source) != unmap(&plain.destination))
		plain = *header;
	family = family_of(&plain);
	memcpy(out, signature, sizeof(signature));
	out[12] = header->local ? VERSION_LOCAL : VERSION_PROXY;
	out[13] = family;
	out[14] = 0;
	out[15] = (uint8_t)block_len(family);
	if (family == TCP4)
		put_v4(block, &plain.source, &plain.destination);
	else if (family == TCP6)
		put_v6(block, &plain.source, &plain.destination);
	else if (family == UNIX_STREAM)
		put_unix(block, &plain.source, &plain.destination);
	return PROXY_HEADER_FIXED_BYTES + block_len(family);
}

void proxy_header_of(struct proxy_header *out, int fd)
{
	socklen_t len = sizeof(out->source);

	memset(out, 0, sizeof(*out));
	/* What cannot be asked for (the client has left) stays unknown. */
	if (getpeername(fd, &out->source.sa, &len) != 0)
		out->source.sa.sa_family = AF_UNSPEC;
	len = sizeof(out->destination);
	if (getsockname(fd, &out->destination.sa, &len) != 0)
		out->destination.sa.sa_family = AF_UNSPEC;
}

/* ---- reading ---- */

static void take_v4(
    union proxy_address *from, union proxy_address *to, const uint8_t *block)
{
	from->in.sin_family = to->in.sin_family = AF_INET;
	memcpy(&from->in.sin_addr, block, 4);
	memcpy(&to->in.sin_addr, block + 4, 4);
	memcpy(&from->in.sin_port, block + 8, 2);
	memcpy(&to->in.sin_port, block + 10, 2);
}

static void take_v6(
    union proxy_address *from, union proxy_address *to, const uint8_t *block)
{
	from->in6.sin6_family = to->in6.sin6_family = AF_INET6;
	memcpy(&from->in6.sin6_addr, block, 16);
	memcpy(&to->in6.sin6_addr, block + 16, 16);
	memcpy(&from->in6.sin6_port, block + 32, 2);
	memcpy(&to->in6.sin6_port, block + 34, 2);
}

static void take_unix(
    union proxy_address *from, union proxy_address *to, const uint8_t *block)
{
	from->un.sun_family = to->un.sun_family = AF_UNIX;
	memcpy(from->un.sun_path, block, UNIX_PATH);
	memcpy(to->un.sun_path, block + UNIX_PATH, UNIX_PATH);
}

/* 2.2: "the first byte is the Type of the vector. The second two bytes
 * represent the length in bytes of the value". */
static bool vectors_fit(const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t value;

		if (len < 3)
			return false;
		value = (size_t)bytes[1] << 8 | bytes[2];
		if (value > len - 3)
			return false;
		bytes += 3 + value;
		len -= 3 + value;
	}
	return true;
}

static const char *judge_fixed(const uint8_t *bytes, size_t len)
{
	size_t known = len < sizeof(signature) ? len : sizeof(signature);

	if (memcmp(bytes, signature, known) != 0)
		return "no PROXY header, or not of version 2";
	if (len > 12 && bytes[12] != VERSION_LOCAL &&
	    bytes[12] != VERSION_PROXY)
		return "an unknown version or command";
	/* "LOCAL: the receiver must [...] discard the protocol block including
	 * the family which is ignored." */
	if (len > 13 && bytes[12] == VERSION_PROXY && bytes[13] != UNSPEC &&
	    block_len(bytes[13]) == 0)
		return "an unknown family or not a stream";
	return NULL;
}

static const char *take_block(
    struct proxy_header *out, const uint8_t *bytes, size_t len)
{
	const uint8_t *block = bytes + PROXY_HEADER_FIXED_BYTES;
	size_t used = block_len(bytes[13]);

	if (bytes[12] == VERSION_LOCAL) {
		out->local = true;
		return NULL;
	}
	if (bytes[13] == UNSPEC)
		return NULL; /* "should ignore address information" */
	len -= PROXY_HEADER_FIXED_BYTES;
	if (len < used)
		return "too short for its addresses";
	if (!vectors_fit(block + used, len - used))
		return "vectors that do not end where it ends";
	if (bytes[13] == TCP4)
		take_v4(&out->source, &out->destination, block);
	else if (bytes[13] == TCP6)
		take_v6(&out->source, &out->destination, block);
	else
		take_unix(&out->source, &out->destination, block);
	return NULL;
}

enum proxy_header_state proxy_header_parse(struct proxy_header *out,
    const uint8_t *bytes, size_t len, size_t *need, const char **why)
{
	size_t total;

	memset(out, 0, sizeof(*out));
	*need = PROXY_HEADER_FIXED_BYTES;
	*why = len > 0 ? judge_fixed(bytes, len) : NULL;
	if (*why != NULL)
		return PROXY_HEADER_REFUSED;
	if (len < PROXY_HEADER_FIXED_BYTES)
		return PROXY_HEADER_MORE;
	total = PROXY_HEADER_FIXED_BYTES + ((size_t)bytes[14] << 8 | bytes[15]);
	*need = total;
	if (total > PROXY_HEADER_BYTES_MAX)
		*why = "too long";
	else if (len > total)
		*why = "more bytes than belong to it";
	else if (len == total)
		*why = take_block(out, bytes, len);
	if (*why != NULL)
		return PROXY_HEADER_REFUSED;
	return len < total ? PROXY_HEADER_MORE : PROXY_HEADER_READY;
}
