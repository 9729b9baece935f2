/* judge: the checks of a document that depend on the time asked about and on
 * the policy's releases. Reports revoked, chain_time, document_time,
 * enclave_age, booted_after, debug, pcrN, release, nonce, policy_nonce,
 * policy_user_data, and stops at the first that fails. */
#ifndef HALLMARK_VERIFIER_JUDGE_H
#define HALLMARK_VERIFIER_JUDGE_H

#include "verifier/moment.h"
#include "verifier/verify_document.h"

/* a name, two moments, the words between */
#define JUDGE_RELEASE_MAX (HM_TEXT_MAX + 2 * MOMENT_TEXT_MAX + 16)

/* answer->facts is set; sets the rest of *answer. */
HM_MUST_CHECK enum hm_verdict judge_document(
    const struct question *question, struct answer *answer);

/* "1.4.0 from 2026-11-01T00:00:00.000Z", as far as there are bounds. */
void judge_describe_release(
    const struct policy_release *release, char out[JUDGE_RELEASE_MAX]);

#endif
