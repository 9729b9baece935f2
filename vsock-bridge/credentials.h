/*
 * credentials: one rule that hands an enclave the credentials of the instance's
 * role, which it signs its requests to KMS with: the JSON of the instance
 * metadata service as it is (AWS EC2 User Guide, "Retrieve security credentials
 * from instance metadata"), or {"Code":"Unavailable","Message":why}.
 *
 *   it connects; we ask the service for a token, the role's name and its
 *   credentials; 4 bytes, big-endian: how many follow, and so many bytes
 *
 * Whoever asks while that is under way gets the same answer. Nothing is kept.
 * These are the parent's own credentials: who listens here on another kind of
 * socket than vsock must know who can connect.
 */
#ifndef HALLMARK_BRIDGE_CREDENTIALS_H
#define HALLMARK_BRIDGE_CREDENTIALS_H

#include "vsock-bridge/imds.h"
#include "vsock-bridge/question.h"

struct credentials {
	struct question_rule questions;
	const struct bridge_credentials *rule; /* borrowed */

	/* private from here on */
	struct question *first;       /* those that wait */
	struct imds_request *request; /* under way; NULL: none */
	char token[IMDS_TOKEN_MAX];
};

/* As handout_start(). */
__attribute__((warn_unused_result)) int credentials_start(
    struct credentials *out, struct service *service,
    const struct bridge_credentials *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

#endif
