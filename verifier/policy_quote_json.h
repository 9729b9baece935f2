/* policy_quote_json: the members of a policy's JSON that are about SGX and TDX,
 * for policy_json.c, which has taken them out of the objects that they are in.
 */
#ifndef HALLMARK_VERIFIER_POLICY_QUOTE_JSON_H
#define HALLMARK_VERIFIER_POLICY_QUOTE_JSON_H

#include "verifier/hallmark.h"

#include <jansson.h>

struct policy_json_quotes { /* of the file; NULL: absent */
	json_t *collateral_files, *tcb_statuses;
	int insecure_without_collateral;
};

struct policy_json_measures { /* of a release; NULL: absent */
	json_t *mrenclave, *mrsigner, *product_id, *min_svn, *mrtd, *rtmrs;
};

/* 0; or -1 and `error` says what is wrong with which: a member's path, below
 * the release. */
HM_MUST_CHECK int policy_json_read_quotes(struct hm_policy *policy,
    const struct policy_json_quotes *members, char error[HM_TEXT_MAX]);
HM_MUST_CHECK int policy_json_read_measures(struct hm_policy *policy,
    int release, const struct policy_json_measures *members,
    char error[HM_TEXT_MAX]);

#endif
