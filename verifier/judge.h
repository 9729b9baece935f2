/* judge: the checks of a document that depend on the time asked about and on
 * the policy's releases. Reports revoked, chain_time, document_time,
 * enclave_age, booted_after, debug, pcrN, release, nonce, policy_nonce,
 * policy_user_data, and stops at the first that fails. */
#ifndef HALLMARK_VERIFIER_JUDGE_H
#define HALLMARK_VERIFIER_JUDGE_H

#include "verifier/verify_document.h"

/* answer->facts is set; sets answer->root and answer->release. */
HM_MUST_CHECK enum hm_verdict judge_document(
    const struct question *question, struct answer *answer);

#endif
