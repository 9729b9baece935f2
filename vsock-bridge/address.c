/* address: see address.h. */
#include "vsock-bridge/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prefix4 {
	uint32_t network;
	unsigned bits;
	enum address_class class;
};

/* In the order of the registry; none lies inside of another. */
static const struct prefix4 special4[] = {
    {0x00000000, 8, ADDRESS_NEVER},    /* 0.0.0.0/8        this network */
    {0x0a000000, 8, ADDRESS_PRIVATE},  /* 10.0.0.0/8       private */
    {0x64400000, 10, ADDRESS_PRIVATE}, /* 100.64.0.0/10    CGNAT */
    {0x7f000000, 8, ADDRESS_PRIVATE},  /* 127.0.0.0/8      loopback */
    {0xa9fe0000, 16, ADDRESS_PRIVATE}, /* 169.254.0.0/16   link-local */
    {0xac100000, 12, ADDRESS_PRIVATE}, /* 172.16.0.0/12    private */
    {0xc0000000, 24, ADDRESS_NEVER},   /* 192.0.0.0/24     IETF protocols */
    {0xc0000200, 24, ADDRESS_NEVER},   /* 192.0.2.0/24     documentation */
    {0xc0586300, 24, ADDRESS_NEVER},   /* 192.88.99.0/24   6to4 relays */
    {0xc0a80000, 16, ADDRESS_PRIVATE}, /* 192.168.0.0/16   private */
    {0xc6120000, 15, ADDRESS_PRIVATE}, /* 198.18.0.0/15    benchmarks */
    {0xc6336400, 24, ADDRESS_NEVER},   /* 198.51.100.0/24  documentation */
    {0xcb007100, 24, ADDRESS_NEVER},   /* 203.0.113.0/24   documentation */
    {0xe0000000, 4, ADDRESS_NEVER},    /* 224.0.0.0/4      multicast */
    {0xf0000000, 4, ADDRESS_NEVER}, /* 240.0.0.0/4      reserved, broadcast */
};

struct prefix6 {
	uint8_t network[16];
	unsigned bits;
	enum address_class class;
};

/* The first one that fits. RFC 4291 2.4: global unicast is 2000::/3, and what
 * is in none of these but in there is public. */
static const struct prefix6 special6[] = {
    {{[15] = 1}, 128, ADDRESS_PRIVATE},            /* ::1 loopback */
    {{0xfc}, 7, ADDRESS_PRIVATE},                  /* fc00::/7 unique local */
    {{0xfe, 0x80}, 10, ADDRESS_PRIVATE},           /* fe80::/10 link-local */
    {{0x20, 0x01, 0x00}, 23, ADDRESS_NEVER},       /* 2001::/23 Teredo ... */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, ADDRESS_NEVER}, /* documentation */
    {{0x20, 0x02}, 16, ADDRESS_NEVER},             /* 2002::/16 6to4 */
    {{0x3f, 0xff, 0x00}, 20, ADDRESS_NEVER},       /* documentation */
    {{0x20}, 3, ADDRESS_PUBLIC},                   /* 2000::/3 */
};

static const uint8_t mapped[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};             /* ::ffff:0:0/96 */
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b}; /* 64:ff9b::/96 */

static enum address_class classify4(uint32_t address)
{
	for (size_t i = 0; i < sizeof(special4) / sizeof(special4[0]); i++) {
		const struct prefix4 *p = &special4[i];

		if ((address ^ p->network) >> (32 - p->bits) == 0)
			return p->class;
	}
	return ADDRESS_PUBLIC;
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

static enum address_class classify6(const uint8_t bytes[16])
{
	enum address_class inner = classify4(
	    (uint32_t)bytes[12] << 24 | (uint32_t)bytes[13] << 16 |
	    (uint32_t)bytes[14] << 8 | bytes[15]);

	if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return inner;
	/* RFC 6052 3.1: the well-known prefix "MUST NOT be used to represent
	 * non-global IPv4 addresses". */
	if (memcmp(bytes, nat64, sizeof(nat64)) == 0)
		return inner == ADDRESS_PUBLIC ? inner : ADDRESS_NEVER;
	for (size_t i = 0; i < sizeof(special6) / sizeof(special6[0]); i++)
		if (has_prefix(bytes, &special6[i]))
			return special6[i].class;
	return ADDRESS_NEVER;
}

enum address_class address_classify(const struct sockaddr *address)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&in, address, sizeof(in));
		return classify4(ntohl(in.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&in6, address, sizeof(in6));
		return classify6(in6.sin6_addr.s6_addr);
	default:
		return ADDRESS_NEVER;
	}
}
