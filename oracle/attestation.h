/*
 * attestation: keeps a good attestation document at hand. Asks the attester
 * (on the thread pool, one call at a time) at start, at least every
 * ATTESTATION_RENEW_MS, and well before the earliest notAfter of the current
 * chain; keeps the last ATTESTATION_KEPT documents by hash for those who come
 * with a reference; answers nonces, all those that wait for one call with one
 * document (nonce_batch.h), at most one call each ATTESTATION_CALL_MS.
 *
 * Nothing that the attester gives is used before libhallmark has judged it by
 * the policy, as any verifier would, and before it is seen to hold our key and
 * user data. That is done on the loop (3 to 4 ms a document), because a policy
 * serves one thread at a time.
 *
 * A renewal that fails is tried again every ATTESTATION_RETRY_MS with a log
 * line; the current document stays until its chain expires, and then
 * attestation_current() is NULL and nothing is published. A renewal whose
 * chain ends within the margin is used, and tried again as well.
 */
#ifndef HALLMARK_ORACLE_ATTESTATION_H
#define HALLMARK_ORACLE_ATTESTATION_H

#include "oracle/attester.h"
#include "oracle/user_data.h"
#include "verifier/hallmark.h"
#include "verifier/nonce_path.h"

#include <stdbool.h>
#include <uv.h>

#define ATTESTATION_RENEW_MS   (25 * 60 * 1000)
#define ATTESTATION_RETRY_MS   5000
#define ATTESTATION_MARGIN_MS  (10 * 60 * 1000) /* before notAfter */
#define ATTESTATION_KEPT       8
#define ATTESTATION_NONCES_MAX 4096 /* unanswered; one more is refused */
/* Between two calls for nonces: 50 a second, which an NSM can do. */
#define ATTESTATION_CALL_MS 20
/* And for nonces with a result: of those, each needs a document of its own. */
#define ATTESTATION_RESULT_MS   100
#define ATTESTATION_RESULTS_MAX 16 /* different ones that wait */

struct attestation_document {
	uint8_t sha256[HM_SHA256_LEN];
	char sha256_hex[2 * HM_SHA256_LEN + 1];
	uint8_t *bytes; /* owned */
	size_t len;
	char *base64; /* owned */
	int64_t timestamp_ms, not_after_ms;
};

struct attestation;

struct attestation_options {
	uv_loop_t *loop;
	struct attester *attester;      /* borrowed until stopped */
	const struct hm_policy *policy; /* borrowed; judges what the attester
					   gave before it is used */
	const uint8_t *public_key;      /* SPKI DER, copied */
	size_t public_key_len;
	const struct user_data *user_data; /* borrowed, and all that it points
					      to, until stopped; read at each
					      call, so it may change */
	/* A new current document; borrowed for the call. For the first one it
	 * is called from attestation_start(), before that returns, so that
	 * the document is known before anything can refer to it. NULL is
	 * fine. */
	void (*changed)(const struct attestation_document *doc, void *data);
	void *data;

	/* For tests; 0 and NULL: the constants above and now_unix_ms(). */
	uint64_t renew_ms, retry_ms;
	int64_t (*now_ms)(void);
};

/* Asks once, blocking (start-up). NULL and a text on failure. */
struct attestation *attestation_start(
    const struct attestation_options *options, char error[ATTESTER_ERROR_MAX]);
/* Nonce requests that wait get an error text soon; the loop stays alive until
 * a call under way returns; then the struct is freed and `done` (may be NULL)
 * called. Until then a second stop is ignored, its `done` is never called. */
void attestation_stop(
    struct attestation *a, void (*done)(void *data), void *data);

/* Borrowed until the loop turns; NULL when the chain has expired. */
const struct attestation_document *attestation_current(
    const struct attestation *a, int64_t now_ms);
const struct attestation_document *attestation_find(
    const struct attestation *a, const uint8_t sha256[HM_SHA256_LEN]);

/* Of a nonce: doc, path (NULL: the document's nonce is this one) and error are
 * borrowed for the call; doc NULL and an error text on failure. */
typedef void (*attestation_nonce_cb)(const struct attestation_document *doc,
    const struct nonce_path *path, const char *error, void *data);

/* A document for this nonce (copied) and, unless that is NULL, for a result
 * with this SHA-256 (copied), which then stands in its user data. Returns 0 and
 * fires cb once later, from the loop; or, and then cb never fires: UV_EINVAL
 * (no nonce, or one over ATTESTER_NONCE_MAX), UV_EAGAIN when too many wait,
 * UV_ECANCELED when stopping. Not cancellable; cb must cope with a requester
 * that left. Such a document is not kept: attestation_find() does not know
 * it. */
__attribute__((warn_unused_result)) int attestation_request_nonce(
    struct attestation *a, const uint8_t *nonce, size_t nonce_len,
    const uint8_t *content_sha256, attestation_nonce_cb cb, void *data);

/*
 * A document for another key than ours: one that is only for its recipient, or
 * (keep) of the key that will sign next, which attestation_find() then knows.
 * user_data may be NULL: none; all is copied. cb fires once later, from the
 * loop, as above without a path. One at a time (asserted), before a stop.
 */
struct attestation_subject {
	const uint8_t *public_key;
	size_t public_key_len;
	const struct user_data *user_data;
	bool keep;
};
void attestation_request_subject(struct attestation *a,
    const struct attestation_subject *subject, attestation_nonce_cb cb,
    void *data);

/* From now on public_key (copied) is ours, and the kept document with this hash
 * the current one until it is renewed, which begins at once. The caller has
 * changed the user data. */
void attestation_rekey(struct attestation *a, const uint8_t *public_key,
    size_t public_key_len, const uint8_t sha256[HM_SHA256_LEN]);

struct attestation_stats {
	uint64_t calls;  /* of the attester, since the start */
	uint64_t nonces; /* that got a document */
	unsigned waiting;
};

void attestation_stats(
    const struct attestation *a, struct attestation_stats *out);

#endif
