/* sgx_judge: what Intel says about a quote whose signatures are right: whether
 * its platform is revoked, how well it is patched, and whether its quoting
 * enclave is Intel's. The checks from root_crl to tcb_status (sgx_verify.h). */
#ifndef HALLMARK_VERIFIER_SGX_JUDGE_H
#define HALLMARK_VERIFIER_SGX_JUDGE_H

#include "verifier/sgx/sgx_stored.h"
#include "verifier/sgx/sgx_verify.h"

struct sgx_judged {                              /* all borrowed but the PCK */
	const struct sgx_collateral *collateral; /* may be NULL */
	const struct sgx_policy *policy;
	const struct hm_report *report;
	int64_t at_ms;
	struct sgx_result *out;
	struct sgx_pck pck;
	/* Set by sgx_judge; NULL: missing, and the policy allows it. */
	const struct sgx_stored *root_crl, *pck_crl, *tcb, *qe;
};

HM_MUST_CHECK enum hm_verdict sgx_judge(struct sgx_judged *j);

#endif
