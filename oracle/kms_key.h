/*
 * kms_key: the signing key that survives restarts.
 *
 *   load:  the bridge's keeper -> sealed key -> KMS opens its data key -> key
 *          none there, or it has retired -> make
 *   make:  KMS gives a data key -> a new RSA key, sealed -> the keeper, which
 * is then asked for it: what it does not give back is not used
 *
 * What is away (bridge, credentials, KMS) is tried again, at most every
 * KMS_KEY_RETRY_MAX_MS, for as long as `wait_ms`; what is refused (a policy
 * that does not let this enclave in, a blob of another configuration, an
 * altered one) ends it at once. Either way `why` and `remedy` say what to do.
 */
#ifndef HALLMARK_ORACLE_KMS_KEY_H
#define HALLMARK_ORACLE_KMS_KEY_H

#include "oracle/kms_call.h"
#include "oracle/signer.h"

#define KMS_KEY_RETRY_MIN_MS 500
#define KMS_KEY_RETRY_MAX_MS 30000

struct kms_key;

struct kms_key_made {
	struct signer *signer;      /* the callee's; NULL: none, and why */
	uint64_t epoch;             /* 1, 2 ... of this configuration */
	int64_t made_ms, retire_ms; /* retire_ms 0: never */
	const char *why, *remedy;
};

typedef void (*kms_key_cb)(const struct kms_key_made *made, void *data);

struct kms_key_options {
	uv_loop_t *loop;
	const struct config *config; /* borrowed */
	SSL_CTX *tls;                /* borrowed */
	struct kms_attester attester;
	uint64_t make_epoch; /* make this one; 0: load */
	uint64_t wait_ms;    /* 0: one attempt */
	int64_t (*now_ms)(void);
	kms_key_cb cb;
	void *data;
};

/* cb fires exactly once, never before this has returned, unless cancelled. */
struct kms_key *kms_key_start(const struct kms_key_options *options);
/* Before cb: it never fires. The loop must run on until nothing is left. */
void kms_key_cancel(struct kms_key *op);

#endif
