/*
 * attestation: keeps a good attestation document at hand. Asks the attester
 * (on the thread pool, one call at a time) at start, at least every
 * ATTESTATION_RENEW_MS, and well before the earliest notAfter of the current
 * chain; keeps the last ATTESTATION_KEPT documents by hash for those who come
 * with a reference; answers nonce requests from the same queue.
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
#include "verifier/hallmark.h"

#include <uv.h>

#define ATTESTATION_RENEW_MS   (25 * 60 * 1000)
#define ATTESTATION_RETRY_MS   5000
#define ATTESTATION_MARGIN_MS  (10 * 60 * 1000) /* before notAfter */
#define ATTESTATION_KEPT       8
#define ATTESTATION_NONCES_MAX 32 /* unanswered; one more is refused */

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
	const uint8_t *user_data; /* copied */
	size_t user_data_len;
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

/* A document with this nonce (copied). Returns 0 and fires cb once later, from
 * the loop (doc and error borrowed for the call; doc NULL and an error text on
 * failure); or, and then cb never fires: UV_EINVAL (no nonce, or one over
 * ATTESTER_NONCE_MAX), UV_EAGAIN when too many wait, UV_ECANCELED when
 * stopping. Not cancellable; cb must cope with a requester that left. Such a
 * document is not kept: attestation_find() does not know it. */
typedef void (*attestation_nonce_cb)(
    const struct attestation_document *doc, const char *error, void *data);
__attribute__((warn_unused_result)) int attestation_request_nonce(
    struct attestation *a, const uint8_t *nonce, size_t nonce_len,
    attestation_nonce_cb cb, void *data);

#endif
