/*
 * proxy_header: the PROXY protocol, version 2: who a relayed connection is
 * from, told in front of its first byte. Encoder and parser; pure but for
 * proxy_header_of.
 *
 *   \r\n\r\n\0\r\nQUIT\n  0x21  0x11  12   source, destination, ports
 *   signature             PROXY TCP4  length
 *
 * The parser is strict: another version, an unassigned command or family, a
 * block too short for its family, or vectors (TLV) that do not fill the rest
 * exactly are refused. Vectors are skipped; a checksum among them is not
 * verified. Version 1, which is text, is refused.
 *
 * Whoever opens the connection can write what it likes into the header. Behind
 * a bridge that is not trusted the address is information, good for limits and
 * logs, and never a reason to believe anybody anything.
 *
 * Source: "The PROXY protocol", section 2.2, by W. Tarreau, HAProxy
 * (haproxy.org/download/2.9/doc/proxy-protocol.txt).
 */
#ifndef HALLMARK_BASE_PROXY_HEADER_H
#define HALLMARK_BASE_PROXY_HEADER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PROXY_HEADER_FIXED_BYTES 16  /* up to the length, with it */
#define PROXY_HEADER_ENCODED_MAX 232 /* of what we write: two Unix paths */
#define PROXY_HEADER_BYTES_MAX   536 /* of what we read: the smallest MSS */

union proxy_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage any;
};

struct proxy_header {
	/* LOCAL: the sender's own connection (a health check). */
	bool local;
	/* Both AF_INET, AF_INET6 or AF_UNIX; AF_UNSPEC: the header does not
	 * say, what is known of the connection itself counts. */
	union proxy_address source, destination;
};

/* Writes the header and returns its length. Addresses of other families, or
 * of two different ones, are told as unknown; IPv4 in IPv6 as IPv4. */
size_t proxy_header_encode(uint8_t out[static PROXY_HEADER_ENCODED_MAX],
    const struct proxy_header *header);

/* What there is to tell about an accepted connection: its two ends. */
void proxy_header_of(struct proxy_header *out, int fd);

enum proxy_header_state {
	PROXY_HEADER_MORE,    /* a good beginning */
	PROXY_HEADER_READY,   /* all of it, and nothing behind it */
	PROXY_HEADER_REFUSED, /* *why is set */
};

/*
 * Judges the first `len` bytes of a connection. On MORE, *need is how many
 * bytes to have before asking again: never more than belong to the header, so
 * that who reads no further than that takes nothing from the stream. On READY
 * *out is filled. On REFUSED *out is zeroed and *why a literal.
 */
__attribute__((warn_unused_result)) enum proxy_header_state proxy_header_parse(
    struct proxy_header *out, const uint8_t *bytes, size_t len, size_t *need,
    const char **why);

#endif
