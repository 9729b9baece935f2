/* sgx_part: one part of the collateral, judged alone and told to people
 * (sgx_collateral.h). */
#include "verifier/sgx/sgx_vouch.h"

#include "feeds/hex.h"

#include <stdio.h>
#include <string.h>

/* A root of the policy, and its revocation list if that is there. */
static int open_anchor(struct sgx_anchor *out,
    const struct sgx_collateral *collateral, const struct sgx_root *root,
    int64_t at_ms)
{
	*out = (struct sgx_anchor){
	    .root = sgx_p256_key(root->point), .at_ms = at_ms};
	if (out->root == NULL)
		return -1; /* unnamed: no memory */
	for (size_t i = 0; i < collateral->count; i++) {
		X509_CRL *crl = collateral->parts[i].crl;

		if (crl != NULL && X509_CRL_verify(crl, out->root) == 1)
			out->root_crl = crl;
	}
	return 0;
}

/* Their certificates are in quotes, and need not be here. */
static bool is_of_pck_ca(const X509_NAME *issuer)
{
	char name[80] = "";

	X509_NAME_get_text_by_NID(issuer, NID_commonName, name, sizeof(name));
	/* unnamed: a fact */
	return strncmp(name, "Intel SGX PCK ", 14) == 0;
}

/* Of the root, or of a CA that is there and that the root signed. */
static enum hm_verdict judge_crl(const struct sgx_collateral *collateral,
    const struct sgx_stored *part, const struct sgx_anchor *anchor)
{
	const X509_NAME *issuer = X509_CRL_get_issuer(part->crl);
	enum hm_verdict verdict = sgx_vouch_crl(
	    part, anchor->root, anchor->at_ms);
	bool found = false;

	if (verdict != HM_COLLATERAL_SIGNATURE)
		return verdict;
	for (size_t i = 0; i < collateral->count; i++) {
		const struct sgx_stored *ca = &collateral->parts[i];

		if (ca->kind != SGX_PART_CA ||
		    X509_NAME_cmp(
			X509_get_subject_name(ca->cert.x509), issuer) != 0)
			continue;
		found = true;
		if (sgx_vouch_cert(ca, anchor) == HM_VALID)
			return sgx_vouch_crl(part,
			    X509_get0_pubkey(ca->cert.x509), anchor->at_ms);
	}
	/* unnamed: the signature was refused by name */
	return found || !is_of_pck_ca(issuer) ? verdict : HM_COLLATERAL_MISSING;
}

static enum hm_verdict judge(const struct sgx_collateral *collateral,
    const struct sgx_stored *part, const struct sgx_anchor *anchor)
{
	switch (part->kind) {
	case SGX_PART_CRL:
		return judge_crl(collateral, part, anchor);
	case SGX_PART_SIGNER:
	case SGX_PART_CA:
		return sgx_vouch_cert(part, anchor);
	default:
		return sgx_vouch_signed(collateral, part, anchor);
	}
}

/* It may not even be Intel's. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

static void describe(const struct sgx_stored *part, char out[HM_TEXT_MAX])
{
	const struct sgx_tcb_about *about;
	char fmspc[2 * SGX_FMSPC_LEN + 1], name[80] = "";

	switch (part->kind) {
	case SGX_PART_TCB_INFO:
		about = sgx_tcb_info_about(part->tcb);
		hex_encode(about->fmspc, SGX_FMSPC_LEN, fmspc);
		snprintf(out, HM_TEXT_MAX, "%s TCB info of platform %s",
		    about->is_td ? "TDX" : "SGX", fmspc);
		return;
	case SGX_PART_QE_IDENTITY:
		snprintf(out, HM_TEXT_MAX, "identity of the %squoting enclave",
		    sgx_qe_identity_about(part->qe)->is_td ? "TD " : "");
		return;
	case SGX_PART_CRL:
		X509_NAME_get_text_by_NID(X509_CRL_get_issuer(part->crl),
		    NID_commonName, name, sizeof(name));
		make_printable(name);
		snprintf(out, HM_TEXT_MAX, "revocation list of %s", name);
		return;
	default:
		cert_common_name(&part->cert, out);
	}
}

void sgx_collateral_part(const struct sgx_collateral *collateral, size_t index,
    const struct sgx_root *roots, size_t root_count, int64_t at_ms,
    struct sgx_part *out)
{
	const struct sgx_stored *part = &collateral->parts[index];
	struct sgx_anchor anchor;

	memset(out, 0, sizeof(*out));
	out->kind = part->kind;
	out->not_before_ms = part->from_ms;
	out->not_after_ms = part->until_ms;
	out->verdict = HM_COLLATERAL_SIGNATURE;
	describe(part, out->what);
	for (size_t i = 0; i < root_count; i++) {
		if (open_anchor(&anchor, collateral, &roots[i], at_ms) != 0) {
			out->verdict = HM_NO_MEMORY;
			return;
		}
		out->verdict = judge(collateral, part, &anchor);
		EVP_PKEY_free(anchor.root);
		if (out->verdict != HM_COLLATERAL_SIGNATURE)
			return;
	}
}
