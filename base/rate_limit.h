/*
 * rate_limit: so many requests a second from one address, and so many at once
 * (a token bucket each).
 *
 * The table is bounded: where it is full of addresses, the one that has been
 * quiet for longest is forgotten, and so forgiven. An IPv6 client is its /64:
 * that is what one household or machine is given. Addresses of this machine
 * itself, and peers without an address (Unix sockets, vsock), are not limited:
 * they stand for many, such as a reverse proxy's clients.
 */
#ifndef HALLMARK_BASE_RATE_LIMIT_H
#define HALLMARK_BASE_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define RATE_LIMIT_SETS  1024 /* with 8 addresses each: 192 KiB */
#define RATE_LIMIT_WAYS  8
#define RATE_LIMIT_MAX_S 1000000 /* requests a second, or at once */
/* Where a configuration does not say otherwise. */
#define RATE_LIMIT_PER_S 100
#define RATE_LIMIT_BURST 500

struct rate_limit;

/* Returns NULL, which limits nobody, if per_s is 0; a burst of 0 is per_s.
 * Both are at most RATE_LIMIT_MAX_S. */
struct rate_limit *rate_limit_new(unsigned per_s, unsigned burst);
void rate_limit_free(struct rate_limit *limit); /* NULL is fine */

/* Takes one of what this address may; now_ms only goes forward. False: it has
 * none left; *retry_s says when the next one is there (at least 1). addr may
 * be NULL. */
bool rate_limit_take(struct rate_limit *limit, const struct sockaddr *addr,
    int64_t now_ms, unsigned *retry_s);

#endif
