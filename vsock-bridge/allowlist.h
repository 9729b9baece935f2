/*
 * allowlist: which destinations clients may ask for. Deny by default. Pure.
 *
 *   # the exchanges
 *   api.exchange.example:443
 *   api.other.example:443   tcp://127.0.0.1:9443
 *   api.third.example:443   unix:///run/relay.sock
 *
 * One rule a line: host name and port, and where to connect instead of
 * resolving the name (a pinned address, an upstream relay, a test). Exact
 * names only. A file that is wrong anywhere gives no list at all, and no
 * destination may have two rules: which one counts must never be a question.
 */
#ifndef HALLMARK_BRIDGE_ALLOWLIST_H
#define HALLMARK_BRIDGE_ALLOWLIST_H

#include "base/endpoint.h"
#include "vsock-bridge/authority.h"

#define ALLOWLIST_BYTES_MAX 262144 /* of a file; read while the loop waits */
#define ALLOWLIST_RULES_MAX 1024
#define ALLOWLIST_ERROR_MAX 256

struct allowlist_rule {
	struct authority target;
	bool pinned;                /* connect_to counts; no name lookup */
	struct endpoint connect_to; /* tcp or unix */
	unsigned line;              /* where it stands in the file */
};

struct allowlist {
	struct allowlist_rule *rules; /* sorted by target */
	size_t count;
};

/* Returns 0 and a list in *out that the caller frees, or -1, *out NULL and one
 * line about what is wrong, and where, in `error`. An empty list is valid. */
__attribute__((warn_unused_result)) int allowlist_parse(struct allowlist **out,
    const void *bytes, size_t len, char error[static ALLOWLIST_ERROR_MAX]);

/* The same from a file. Blocks; start-up and reload only. */
__attribute__((warn_unused_result)) int allowlist_load(struct allowlist **out,
    const char *path, char error[static ALLOWLIST_ERROR_MAX]);

/* The rule for exactly this destination, borrowed until the list is freed, or
 * NULL: refused. */
const struct allowlist_rule *allowlist_find(
    const struct allowlist *list, const struct authority *target);

void allowlist_free(struct allowlist *list);

#endif
