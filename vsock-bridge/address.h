/*
 * address: whether an answer of DNS may be connected to. Pure.
 *
 * DNS is not trusted: an answer that points into the parent instance, its
 * network or the instance metadata service (169.254.169.254) would make the
 * bridge a way into places that only the instance should reach. Such an
 * address is taken only for a rule that says so (allowlist.h: allow-private),
 * and what is no server's address at all for none.
 *
 * Source: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC
 * 6890): what is not "globally reachable" is not public.
 */
#ifndef HALLMARK_BRIDGE_ADDRESS_H
#define HALLMARK_BRIDGE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

enum address_class {
	ADDRESS_PUBLIC,  /* unicast, globally reachable */
	ADDRESS_PRIVATE, /* private use, shared (carrier-grade NAT), loopback,
			    link-local, benchmarks */
	ADDRESS_NEVER    /* all others: unspecified, multicast, broadcast,
			    reserved, documentation, tunnels, other families */
};

/* An IPv6 address that carries an IPv4 one is judged by that one if it is
 * mapped; if it is NAT64's, that one must be public (RFC 6052 3.1). */
enum address_class address_classify(const struct sockaddr *address);

#endif
