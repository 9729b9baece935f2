/*
 * keeper: one rule that keeps blobs for an enclave, which has no disk: its
 * sealed signing key. A question of question.h:
 *
 *   'G' (get) or 'P' (put), 1 byte: the name's length, the name, to put: a blob
 *
 * is answered by 'K' and the blob (get) or nothing more (put: it is on the
 * disk), 'N' (there is none), or 'E' and why not. What is kept is sealed: who
 * reads it learns nothing, and the enclave sees whether it was changed.
 */
#ifndef HALLMARK_BRIDGE_KEEPER_H
#define HALLMARK_BRIDGE_KEEPER_H

#include "vsock-bridge/keeper_store.h"
#include "vsock-bridge/question.h"

#define KEEPER_ASKED_MAX (2 + KEEPER_NAME_MAX + KEEPER_BLOB_MAX)

struct keeper {
	struct question_rule questions;
	const struct bridge_keeper *rule; /* borrowed */
};

/* As handout_start(). */
__attribute__((warn_unused_result)) int keeper_start(struct keeper *out,
    struct service *service, const struct bridge_keeper *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

#endif
