/* sgx_judge: see sgx_judge.h. */
#include "verifier/sgx/sgx_judge.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/moment.h"
#include "verifier/report.h"
#include "verifier/sgx/sgx_vouch.h"

#include <stdio.h>
#include <string.h>

#define ALLOWED "missing, which the policy allows"
/* All names of statuses, and what is between them. */
#define STATUSES_MAX 256

/* Where a part is missing, the report names it. */
static enum hm_verdict missing(
    struct sgx_judged *j, const char *check, const char *what)
{
	bool allowed = j->policy->insecure_without_collateral;

	j->out->complete = false;
	if (REFUSE(collateral_missing, !allowed))
		return report_check(
		    j->report, check, HM_COLLATERAL_MISSING, what, "missing");
	return report_check(j->report, check, HM_VALID, what, ALLOWED);
}

/* When the part is good, or what is wrong with it. */
static enum hm_verdict tell(struct sgx_judged *j, const char *check,
    enum hm_verdict verdict, const char *what, const struct sgx_stored *part)
{
	char found[2 * MOMENT_TEXT_MAX + 8], from[MOMENT_TEXT_MAX];
	char until[MOMENT_TEXT_MAX];

	if (part == NULL)
		return report_check(
		    j->report, check, verdict, what, hm_verdict_name(verdict));
	moment_format(part->from_ms, from);
	moment_format(part->until_ms, until);
	snprintf(found, sizeof(found), "%s to %s", from, until);
	return report_check(j->report, check, verdict, what, found);
}

static enum hm_verdict find(struct sgx_judged *j, const char *check,
    const char *what, const struct sgx_wanted *wanted,
    const struct sgx_stored **part)
{
	const struct sgx_anchor anchor = {
	    .root = j->pck.root,
	    .root_crl = j->root_crl != NULL ? j->root_crl->crl : NULL,
	    .at_ms = j->at_ms,
	};
	enum hm_verdict verdict = sgx_vouch(
	    j->collateral, wanted, &anchor, part);

	if (verdict == HM_COLLATERAL_MISSING)
		return missing(j, check, what);
	if (*part != NULL && (*part)->until_ms < j->out->collateral_until_ms)
		j->out->collateral_until_ms = (*part)->until_ms;
	return tell(j, check, verdict, what, *part);
}

static enum hm_verdict check_crls(struct sgx_judged *j)
{
	const struct sgx_wanted of_root = {
	    .kind = SGX_PART_CRL,
	    .issuer = X509_get_issuer_name(j->pck.ca.x509),
	    .crl_key = j->pck.root,
	};
	const struct sgx_wanted of_ca = {
	    .kind = SGX_PART_CRL,
	    .issuer = X509_get_subject_name(j->pck.ca.x509),
	    .crl_key = X509_get0_pubkey(j->pck.ca.x509),
	};
	enum hm_verdict verdict = find(j, "root_crl",
	    "the root's revocation list", &of_root, &j->root_crl);

	if (verdict != HM_VALID)
		return verdict;
	return find(j, "pck_crl",
	    j->pck.platform.by_platform_ca
		? "the revocation list of Intel SGX PCK Platform CA"
		: "the revocation list of Intel SGX PCK Processor CA",
	    &of_ca, &j->pck_crl);
}

static enum hm_verdict check_revoked(struct sgx_judged *j)
{
	const struct sgx_stored *root = j->root_crl, *ca = j->pck_crl;
	const char *found = NULL;

	if (root == NULL && ca == NULL)
		return HM_VALID;
	if (root != NULL && sgx_vouch_revokes(root->crl, &j->pck.ca))
		found = "the CA of the PCK certificate";
	else if (ca != NULL && sgx_vouch_revokes(ca->crl, &j->pck.leaf))
		found = "the PCK certificate";
	if (REFUSE(pck_revoked, found != NULL))
		return report_check(
		    j->report, "revoked", HM_CERTIFICATE_REVOKED, NULL, found);
	return report_check(j->report, "revoked", HM_VALID, NULL, NULL);
}

static enum hm_verdict check_tcb_info(struct sgx_judged *j)
{
	const struct sgx_wanted wanted = {
	    .kind = SGX_PART_TCB_INFO,
	    .is_td = j->out->quote.is_td,
	    .platform = &j->pck.platform,
	};
	char fmspc[2 * SGX_FMSPC_LEN + 1], what[HM_TEXT_MAX];

	hex_encode(j->pck.platform.fmspc, SGX_FMSPC_LEN, fmspc);
	snprintf(what, sizeof(what), "%s TCB info of platform %s",
	    wanted.is_td ? "TDX" : "SGX", fmspc);
	return find(j, "tcb_info", what, &wanted, &j->tcb);
}

static enum hm_verdict check_qe_identity(struct sgx_judged *j)
{
	const struct sgx_wanted wanted = {
	    .kind = SGX_PART_QE_IDENTITY,
	    .is_td = j->out->quote.is_td,
	};

	return find(j, "qe_identity",
	    wanted.is_td ? "the identity of the TD quoting enclave"
			 : "the identity of the quoting enclave",
	    &wanted, &j->qe);
}

/* Where there is no identity: Intel's two quoting enclaves by who signed them
 * and which they are. Any enclave with the PROVISION_KEY attribute can have a
 * report signed by the PCK's key. */
static const char *unlike_intels(const struct sgx_quote *quote)
{
	static const uint8_t qe[32] = {0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50,
	    0x3e, 0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82, 0x9a, 0x00, 0x56,
	    0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b, 0x08, 0x1b, 0x09, 0x44, 0x90,
	    0xc5, 0x7b, 0xff};
	static const uint8_t td_qe[32] = {0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94,
	    0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03, 0x0f,
	    0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e,
	    0x0e, 0x54, 0xa8, 0xc5};
	const uint8_t *signer = quote->is_td ? td_qe : qe;
	unsigned product = quote->is_td ? 2 : 1;

	if (REFUSE(intel_qe_signer,
		memcmp(quote->qe.mrsigner, signer, sizeof(qe)) != 0))
		return "another MRSIGNER than Intel's";
	if (REFUSE(intel_qe_product, quote->qe.isv_prod_id != product))
		return "another product than Intel's";
	return NULL;
}

static enum hm_verdict check_quoting_enclave(struct sgx_judged *j)
{
	const struct sgx_quote *quote = &j->out->quote;
	enum hm_verdict verdict = HM_VALID;
	const char *why;

	if (j->qe != NULL) {
		verdict = sgx_qe_identity_judge(
		    j->qe->qe, &quote->qe, &j->out->qe, &why);
	} else {
		why = unlike_intels(quote);
		if (REFUSE(intel_qe, why != NULL))
			verdict = HM_QE_IDENTITY;
	}
	return report_check(j->report, "quoting_enclave", verdict, NULL, why);
}

static enum hm_verdict check_module(struct sgx_judged *j)
{
	const struct sgx_quote *quote = &j->out->quote;
	enum hm_verdict verdict;

	if (!quote->is_td || j->tcb == NULL)
		return HM_VALID;
	verdict = sgx_tcb_info_module(
	    j->tcb->tcb, &quote->td, &j->out->module, j->out->module_name);
	return report_check(
	    j->report, "tdx_module", verdict, NULL, j->out->module_name);
}

static void list_accepted(unsigned statuses, char out[STATUSES_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < SGX_STATUS_COUNT; i++)
		if ((statuses >> i & 1) != 0)
			len += (size_t)snprintf(out + len, STATUSES_MAX - len,
			    "%s%s", len > 0 ? " or " : "",
			    sgx_status_name((enum sgx_status)i));
}

/* What is known, joined; and how many of the three are. */
static unsigned join_known(
    const struct sgx_result *out, enum sgx_status *joined)
{
	const struct sgx_level *levels[] = {&out->tcb, &out->module, &out->qe};
	unsigned known = 0;

	*joined = SGX_UP_TO_DATE;
	for (size_t i = 0; i < 3; i++)
		if (levels[i]->status != SGX_UNKNOWN) {
			*joined = sgx_status_join(*joined, levels[i]->status);
			known++;
		}
	return known;
}

static enum hm_verdict check_status(struct sgx_judged *j)
{
	struct sgx_result *out = j->out;
	char wanted[STATUSES_MAX], found[STATUSES_MAX + SGX_TCB_ADVISORIES_MAX];
	enum sgx_status joined;
	enum hm_verdict verdict = HM_VALID;
	unsigned known, accepted = j->policy->statuses;

	if (j->tcb != NULL)
		sgx_tcb_info_platform(j->tcb->tcb, &j->pck.platform,
		    out->quote.is_td ? &out->quote.td : NULL, &out->tcb);
	known = join_known(out, &joined);
	if (known == (out->quote.is_td ? 3 : 2))
		out->status = joined;
	if (known == 0)
		return HM_VALID;
	if (REFUSE(tcb_status, (accepted >> joined & 1) == 0))
		verdict = HM_TCB_STATUS;
	list_accepted(accepted, wanted);
	snprintf(found, sizeof(found), "%s (platform %s, QE %s%s%s)%s%s",
	    sgx_status_name(joined), sgx_status_name(out->tcb.status),
	    sgx_status_name(out->qe.status),
	    out->quote.is_td ? ", module " : "",
	    out->quote.is_td ? sgx_status_name(out->module.status) : "",
	    out->tcb.advisories[0] != '\0' ? ": " : "", out->tcb.advisories);
	return report_check(j->report, "tcb_status", verdict, wanted, found);
}

enum hm_verdict sgx_judge(struct sgx_judged *j)
{
	static enum hm_verdict (*const checks[])(struct sgx_judged *) = {
	    check_crls, check_revoked, check_tcb_info, check_qe_identity,
	    check_quoting_enclave, check_module, check_status};
	enum hm_verdict verdict = HM_VALID;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		verdict = checks[i](j);
		if (verdict != HM_VALID)
			break;
	}
	return verdict;
}
