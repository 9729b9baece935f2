/*
 * judge_quote: is this quote good at that time by that policy? Its own
 * signatures and what Intel says of it (sgx_verify.h), then what judge.h asks
 * of a document: revocation by the policy, times, the release, nonces. Reports
 * all names of hallmark.h, hm_quote_verify(), and stops at the first that
 * fails.
 *
 * Without anybody listening, what was found good for a policy stays good for a
 * minute, if it does not end before: an item a second on one quote costs its
 * signatures once a minute.
 */
#ifndef HALLMARK_VERIFIER_JUDGE_QUOTE_H
#define HALLMARK_VERIFIER_JUDGE_QUOTE_H

#include "verifier/verify_document.h"

/* answer->facts is set, a quote's; sets the rest of *answer. */
HM_MUST_CHECK enum hm_verdict judge_quote(
    const struct question *question, struct answer *answer);

#endif
