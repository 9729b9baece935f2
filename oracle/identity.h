/*
 * identity: who this oracle is, from boot to stop: its boot_id, its signing
 * key, the platform that attests both, and the policy under which it checks
 * its own items before anybody else sees them.
 */
#ifndef HALLMARK_ORACLE_IDENTITY_H
#define HALLMARK_ORACLE_IDENTITY_H

#include "oracle/attestation.h"
#include "oracle/attested_tls.h"
#include "oracle/config.h"
#include "oracle/kept_key.h"
#include "oracle/signer.h"

struct identity {
	uint8_t boot_id[16];
	struct attester *attester;
	struct signer *signer;
	struct attested_tls *tls; /* NULL: the configuration wants none */
	struct kept_key kept; /* epoch 0: the signer's key is of this start */
	struct hm_policy *policy;
	/* What documents vouch for besides the key: identity_load() sets
	 * boot_id and config_sha256, others add to it before
	 * identity_attest(). */
	struct user_data bound;
	struct attestation *attestation; /* after identity_attest() */
	const struct config *config;     /* borrowed */
};

/* Opens the platform, measures the configuration (measure.h), makes the policy
 * and the key, or has the one that is kept. Dies with a reason if it cannot: an
 * oracle without an identity has nothing to say. */
void identity_load(struct identity *identity, const struct config *config);

/* Gets the first document and keeps it renewed; `changed` as in
 * attestation.h. Dies if the first one fails. */
void identity_attest(struct identity *identity, uv_loop_t *loop,
    void (*changed)(const struct attestation_document *, void *), void *data);

/* After the loop has ended. */
void identity_free(struct identity *identity);

#endif
