/*
 * channel: who is at the other end? A fresh nonce goes out, GET /attestation
 * answers with a document that holds it, and in that document stands the key of
 * the oracle's own TLS. If that is the key at the other end of this very
 * connection, nobody is in between: not the parent instance, not a proxy, not
 * whoever owns the name. From then on the address is pinned to that key.
 *
 * A relay that passes the document on shows a key of its own: refused. A relay
 * that shows the oracle's certificate has not its private key: TLS fails. An
 * old document lacks the nonce. After a restart the oracle has another key: the
 * pin fails, and it has to be attested again; never is anything sent to a key
 * that was not.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_CHANNEL_H
#define HALLMARK_VERIFIER_DAEMON_CHANNEL_H

#include "verifier/daemon/channel_answer.h"
#include "verifier/daemon/oracle_address.h"

#define CHANNEL_ERROR_MAX 320
#define CHANNEL_MS        8000 /* from start to last byte */

struct channel_failure {
	/* HM_VALID: it did not come to a judgement (no connection, no such
	 * answer). */
	enum hm_verdict verdict;
	char text[CHANNEL_ERROR_MAX];
};

/*
 * Blocking, for the command line. nonce NULL: a fresh one of CHANNEL_NONCE_LEN
 * bytes; one of the caller's proves no freshness but by his own choice. An
 * https+attested:// address must answer over the attested key and is then
 * pinned to it; of any other the document is judged, and out->bound is false.
 * 0, or -1 and why.
 */
HM_MUST_CHECK int channel_attest(struct channel_facts *out,
    struct oracle_address *address, const struct hm_policy *policy,
    struct hm_cache *cache, const uint8_t *nonce, size_t nonce_len,
    const struct hm_report *report, struct channel_failure *why);

#endif
