/*
 * kms_call: one data key from KMS: a new one, or the one that was wrapped
 * before.
 *
 *   a fresh RSA key  -> an attestation document that holds it
 *   the bridge       -> credentials, that are used once
 *   KMS, over TLS that ends here -> the data key, encrypted to that RSA key
 *
 * The bridge can withhold credentials or hand out wrong ones; what KMS answers
 * opens with the RSA key alone, which nobody else ever sees.
 */
#ifndef HALLMARK_ORACLE_KMS_CALL_H
#define HALLMARK_ORACLE_KMS_CALL_H

#include "oracle/config.h"
#include "oracle/kms_message.h"

#include <openssl/ssl.h>
#include <uv.h>

#define KMS_DATA_KEY_LEN 32
/* Of each: a document, credentials, an answer. */
#define KMS_STEP_TIMEOUT_MS 10000

/* document NULL: there is none, and why. */
typedef void (*kms_attested_cb)(
    const uint8_t *document, size_t len, const char *error, void *data);

/* How a document for a public key is had: fires cb once, perhaps at once. */
struct kms_attester {
	void (*ask)(void *data, const uint8_t *public_key, size_t len,
	    kms_attested_cb cb, void *cb_data);
	void *data;
};

struct kms_call_result {
	enum kms_outcome outcome;
	/* when DONE; borrowed for the call, and wiped after it */
	const uint8_t *data_key;
	const uint8_t *wrapped; /* when one was made */
	size_t wrapped_len;
	/* when not */
	const char *what; /* was asked: "kms", "credentials" ... */
	const char *why, *remedy;
};

struct kms_call;
typedef void (*kms_call_cb)(const struct kms_call_result *result, void *data);

struct kms_call_options {
	uv_loop_t *loop;
	const struct config *config; /* borrowed */
	SSL_CTX *tls;                /* borrowed */
	struct kms_attester attester;
	const uint8_t *wrapped; /* copied; NULL: make a data key */
	size_t wrapped_len;
	int64_t (*now_ms)(void);
	kms_call_cb cb;
	void *data;
};

/* cb fires exactly once, never before this has returned, unless cancelled. */
struct kms_call *kms_call_start(const struct kms_call_options *options);
/* Before cb: it never fires. The loop must run on until nothing is left. */
void kms_call_cancel(struct kms_call *call);

#endif
