/*
 * hybrid_greeting: what is said on a Unix socket before it is a connection to
 * a port in a guest; bytes only, no socket here.
 *
 *   we say      CONNECT 8443\n
 *   it answers  OK 1073741824\n     the port that it gave us on the host
 *
 * and from then on it is the guest that speaks. Where nobody listens in the
 * guest it hangs up without a word. Source: Firecracker, docs/vsock.md, "Host-
 * initiated connections"; vhost-device-vsock does the same.
 *
 * The other side is a program of this machine, but what it answers is not
 * believed: one line, of that form, no longer than it can be.
 */
#ifndef HALLMARK_BASE_HYBRID_GREETING_H
#define HALLMARK_BASE_HYBRID_GREETING_H

#include <stddef.h>
#include <stdint.h>

#define HYBRID_GREETING_MAX 20 /* "CONNECT 4294967295\n" and a NUL */

struct hybrid_greeting {
	char line[HYBRID_GREETING_MAX]; /* of the answer, so far */
	size_t len;
};

/* Writes the request; its length. Forgets what an earlier answer said. */
size_t hybrid_greeting_start(struct hybrid_greeting *greeting, uint32_t port,
    char out[static HYBRID_GREETING_MAX]);

/*
 * Reads what has come. 1: the answer is whole and good, 0: more must come,
 * UV_EPROTO: it is something else. *taken is how many of the bytes belong to
 * it; those behind are the guest's.
 */
__attribute__((warn_unused_result)) int hybrid_greeting_read(
    struct hybrid_greeting *greeting, const char *bytes, size_t len,
    size_t *taken);

#endif
