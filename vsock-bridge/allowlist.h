/*
 * allowlist: which destinations clients may ask for. Deny by default. Pure.
 *
 *   # the exchanges
 *   api.exchange.example:443
 *   *.other.example:443
 *   api.third.example:443   tcp://127.0.0.1:9443
 *   ssh.example:22          any-protocol
 *   db.corp.example:443     allow-private
 *
 * One rule a line: a host name and a port, and in any order behind it
 *
 *   tcp://... unix://...  where to connect instead of resolving the name (a
 *                         pinned address, an upstream relay, a test)
 *   any-protocol          the client need not begin with a TLS ClientHello
 *                         that names this host (client_hello.h)
 *   allow-private         the name may lead to private, loopback and
 *                         link-local addresses too (address.h)
 *
 * `*.` stands for one or more labels, never for none: *.other.example lets
 * through api.other.example and a.b.other.example, but not other.example. An
 * exact rule wins over one with a star, and a longer suffix over a shorter.
 *
 * A file that is wrong anywhere gives no list at all, and no destination may
 * have two rules: which one counts must never be a question.
 */
#ifndef HALLMARK_BRIDGE_ALLOWLIST_H
#define HALLMARK_BRIDGE_ALLOWLIST_H

#include "base/endpoint.h"
#include "vsock-bridge/authority.h"

#define ALLOWLIST_BYTES_MAX 262144 /* of a file; read while the loop waits */
#define ALLOWLIST_RULES_MAX 1024
#define ALLOWLIST_ERROR_MAX 256
/* of one as allowlist_format writes it, and a NUL */
#define ALLOWLIST_RULE_TEXT_MAX (AUTHORITY_TEXT_MAX + ENDPOINT_TEXT_MAX + 40)

struct allowlist_rule {
	struct authority target; /* with a star: what stands behind it */
	bool star, any_protocol, allow_private;
	bool pinned;                /* connect_to counts; no name lookup */
	struct endpoint connect_to; /* tcp or unix */
	unsigned line;              /* where it stands in the file */
};

struct allowlist {
	struct allowlist_rule *rules; /* sorted, those with a star last */
	size_t count;
};

/* Returns 0 and a list in *out that the caller frees, or -1, *out NULL and one
 * line about what is wrong, and where, in `error`. An empty list is valid. */
__attribute__((warn_unused_result)) int allowlist_parse(struct allowlist **out,
    const void *bytes, size_t len, char error[static ALLOWLIST_ERROR_MAX]);

/* The same from a file. Blocks; start-up and reload only. */
__attribute__((warn_unused_result)) int allowlist_load(struct allowlist **out,
    const char *path, char error[static ALLOWLIST_ERROR_MAX]);

/* The rule that counts for this destination, borrowed until the list is freed,
 * or NULL: refused. */
const struct allowlist_rule *allowlist_find(
    const struct allowlist *list, const struct authority *target);

/* The rule as a line of a file. */
void allowlist_format(const struct allowlist_rule *rule,
    char out[static ALLOWLIST_RULE_TEXT_MAX]);

void allowlist_free(struct allowlist *list);

#endif
