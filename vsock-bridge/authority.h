/*
 * authority: `host:port`, the only thing a client of the bridge may ask for
 * and the only thing an allow-list names. Pure.
 *
 * RFC 3986 3.2.2 allows far more than is needed here: no user information, no
 * percent-encoding, no empty label and no trailing dot are accepted, so that
 * one destination has exactly one spelling and a rule cannot be walked around
 * by writing its name in another way.
 */
#ifndef HALLMARK_BRIDGE_AUTHORITY_H
#define HALLMARK_BRIDGE_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTHORITY_HOST_MAX  254 /* a DNS name (RFC 1035 2.3.4) and a NUL */
#define AUTHORITY_LABEL_MAX 63  /* bytes of one label (RFC 1035 2.3.4) */
#define AUTHORITY_TEXT_MAX  264 /* [host]:65535 and a NUL */

struct authority {
	char host[AUTHORITY_HOST_MAX]; /* lower case, without brackets */
	uint16_t port;                 /* never 0 */
};

/* Reads exactly `len` bytes. Returns 0, or -1 and in *why a literal that says
 * what is wrong; *out is zeroed then. */
__attribute__((warn_unused_result)) int authority_parse(
    struct authority *out, const char *text, size_t len, const char **why);

/* The same for a host alone, which must be a name (see below). */
__attribute__((warn_unused_result)) int authority_parse_name(
    char host[static AUTHORITY_HOST_MAX], const char *text, size_t len,
    const char **why);

/* Whether the host is a name: not an address in any of the spellings that
 * resolvers take for one ("127.1", "0x7f.1", "2130706433", "::1"). */
bool authority_is_name(const struct authority *authority);

/* Order by host, then port, for sorting and searching. */
int authority_compare(const struct authority *a, const struct authority *b);

void authority_format(
    const struct authority *authority, char out[static AUTHORITY_TEXT_MAX]);

#endif
