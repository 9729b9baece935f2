/* address: see address.h. */
#include "vsock-bridge/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prefix4 {
	uint32_t network;
	unsigned bits;
};

/* In the order of the registry. */
static const struct prefix4 not_public4[] = {
    {0x00000000, 8},  /* 0.0.0.0/8        this network */
    {0x0a000000, 8},  /* 10.0.0.0/8       private */
    {0x64400000, 10}, /* 100.64.0.0/10    carrier-grade NAT */
    {0x7f000000, 8},  /* 127.0.0.0/8      loopback */
    {0xa9fe0000, 16}, /* 169.254.0.0/16   link-local, instance metadata */
    {0xac100000, 12}, /* 172.16.0.0/12    private */
    {0xc0000000, 24}, /* 192.0.0.0/24     IETF protocols */
    {0xc0000200, 24}, /* 192.0.2.0/24     documentation */
    {0xc0586300, 24}, /* 192.88.99.0/24   6to4 relays, deprecated */
    {0xc0a80000, 16}, /* 192.168.0.0/16   private */
    {0xc6120000, 15}, /* 198.18.0.0/15    benchmarks */
    {0xc6336400, 24}, /* 198.51.100.0/24  documentation */
    {0xcb007100, 24}, /* 203.0.113.0/24   documentation */
    {0xe0000000, 4},  /* 224.0.0.0/4      multicast */
    {0xf0000000, 4},  /* 240.0.0.0/4      reserved, broadcast */
};

struct prefix6 {
	uint8_t network[6];
	unsigned bits;
};

/* Inside 2000::/3, the only global unicast space (RFC 4291 2.4). */
static const struct prefix6 not_public6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* 2001::/23   Teredo, ORCHID ... */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* 2001:db8::/32 documentation */
    {{0x20, 0x02}, 16},             /* 2002::/16   6to4 */
    {{0x3f, 0xff, 0x00}, 20},       /* 3fff::/20   documentation */
};

static const uint8_t mapped[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};             /* ::ffff:0:0/96 */
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b}; /* 64:ff9b::/96 */

static bool is_public4(uint32_t address)
{
	for (size_t i = 0; i < sizeof(not_public4) / sizeof(not_public4[0]);
	     i++) {
		const struct prefix4 *p = &not_public4[i];

		if ((address ^ p->network) >> (32 - p->bits) == 0)
			return false;
	}
	return true;
}

static bool has_prefix(const uint8_t bytes[16], const struct prefix6 *prefix)
{
	size_t whole = prefix->bits / 8;
	unsigned rest = prefix->bits % 8;

	if (memcmp(bytes, prefix->network, whole) != 0)
		return false;
	return rest == 0 ||
	       (bytes[whole] ^ prefix->network[whole]) >> (8 - rest) == 0;
}

static bool is_public6(const uint8_t bytes[16])
{
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0 ||
	    memcmp(bytes, nat64, sizeof(nat64)) == 0)
		return is_public4((uint32_t)bytes[12] << 24 |
				  (uint32_t)bytes[13] << 16 |
				  (uint32_t)bytes[14] << 8 | bytes[15]);
	if (bytes[0] >> 5 != 1)
		return false;
	for (size_t i = 0; i < sizeof(not_public6) / sizeof(not_public6[0]);
	     i++)
		if (has_prefix(bytes, &not_public6[i]))
			return false;
	return true;
}

bool address_is_public(const struct sockaddr *address)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&in, address, sizeof(in));
		return is_public4(ntohl(in.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&in6, address, sizeof(in6));
		return is_public6(in6.sin6_addr.s6_addr);
	default:
		return false;
	}
}
