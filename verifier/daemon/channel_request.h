/*
 * channel_request: one GET /attestation?nonce= over a connection of its own,
 * and the key that its other end proved to hold. What waits for it, a program
 * or a loop, is the caller's (channel.h, channel_keeper.h).
 */
#ifndef HALLMARK_VERIFIER_DAEMON_CHANNEL_REQUEST_H
#define HALLMARK_VERIFIER_DAEMON_CHANNEL_REQUEST_H

#include "verifier/daemon/channel.h"
#include "verifier/daemon/curl_body.h"

struct channel_request { /* the caller's; zero when there is none */
	CURL *easy;      /* to be performed, once */

	/* private */
	bool attested; /* the address is: its key has to be the document's */
	bool has_key;
	uint8_t spki_sha256[HM_SHA256_LEN]; /* of the key at the other end */
	uint8_t nonce[CHANNEL_NONCE_MAX];
	size_t nonce_len;
	struct curl_body body;
};

/* nonce NULL: a fresh one. At most CHANNEL_NONCE_MAX bytes. */
void channel_request_init(struct channel_request *request,
    const struct oracle_address *address, const uint8_t *nonce,
    size_t nonce_len);

/* What came of it, once performed: 0, or -1 and why. */
HM_MUST_CHECK int channel_request_judge(const struct channel_request *request,
    CURLcode result, const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_report *report, struct channel_facts *out,
    struct channel_failure *why);

/* Out of a loop first. Nothing to do if there is none. */
void channel_request_fini(struct channel_request *request);

#endif
