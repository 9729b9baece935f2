/*
 * address: whether an answer of DNS may be connected to. Pure.
 *
 * DNS is not trusted: an answer that points into the parent instance, its
 * network or the instance metadata service (169.254.169.254) would make the
 * bridge a way into places that only the instance should reach. Such an
 * address is taken only from a rule that names it (allowlist.h, second word).
 *
 * Source: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC
 * 6890): what is not "globally reachable" is not public.
 */
#ifndef HALLMARK_BRIDGE_ADDRESS_H
#define HALLMARK_BRIDGE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for anything but a public unicast IPv4 or IPv6 address. An IPv6
 * address that carries an IPv4 one (mapped, NAT64) is judged by that one. */
bool address_is_public(const struct sockaddr *address);

#endif
