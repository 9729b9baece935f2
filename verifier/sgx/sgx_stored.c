/* sgx_stored: see sgx_stored.h. */
#include "verifier/sgx/sgx_stored.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Always -1, so that it can stand in a return. */
static int fail(struct sgx_stored *out, char *error, const char *why)
{
	sgx_stored_fini(out);
	snprintf(error, HM_TEXT_MAX, "%s", why);
	return -1; /* unnamed: the caller's to judge */
}

static int keep(struct sgx_stored *out, struct slice bytes)
{
	out->bytes = malloc(bytes.len + 1);
	if (out->bytes == NULL)
		return -1;
	memcpy(out->bytes, bytes.at, bytes.len);
	out->len = bytes.len;
	return 0;
}

/* What a signed JSON object and its signature have in common. */
static int begin_signed(struct sgx_stored *out, enum sgx_part_kind kind,
    struct slice text, const char *signature, char *error)
{
	memset(out, 0, sizeof(*out));
	out->kind = kind;
	if (REFUSE(
		stored_signature, hex_decode(out->signature, SGX_SIGNATURE_LEN,
				      signature, strlen(signature)) != 0))
		return fail(
		    out, error, "a signature that is not 64 bytes in hex");
	if (keep(out, text) != 0)
		return fail(out, error, "no memory");
	return 0;
}

int sgx_stored_tcb_info(struct sgx_stored *out, struct slice text,
    const char *signature, char error[HM_TEXT_MAX])
{
	const struct sgx_tcb_about *about;

	if (begin_signed(out, SGX_PART_TCB_INFO, text, signature, error) != 0)
		return -1;
	out->tcb = sgx_tcb_info_parse((const char *)text.at, text.len, error);
	if (REFUSE(stored_tcb_info, out->tcb == NULL)) {
		sgx_stored_fini(out);
		return -1;
	}
	about = sgx_tcb_info_about(out->tcb);
	out->from_ms = about->issued_ms;
	out->until_ms = about->next_ms;
	return 0;
}

int sgx_stored_qe_identity(struct sgx_stored *out, struct slice text,
    const char *signature, char error[HM_TEXT_MAX])
{
	const struct sgx_qe_about *about;

	if (begin_signed(out, SGX_PART_QE_IDENTITY, text, signature, error) !=
	    0)
		return -1;
	out->qe = sgx_qe_identity_parse((const char *)text.at, text.len, error);
	if (REFUSE(stored_qe_identity, out->qe == NULL)) {
		sgx_stored_fini(out);
		return -1;
	}
	about = sgx_qe_identity_about(out->qe);
	out->from_ms = about->issued_ms;
	out->until_ms = about->next_ms;
	return 0;
}

/* A critical extension may say that the list is not for all certificates
 * (issuingDistributionPoint) or only what has changed (deltaCRLIndicator):
 * RFC 5280, 5.2.4 and 5.2.5. Intel's have none. */
static bool is_whole(const X509_CRL *crl)
{
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++)
		if (REFUSE(crl_critical,
			X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i))))
			return false;
	return true;
}

static bool read_crl(struct sgx_stored *out)
{
	const ASN1_TIME *from = X509_CRL_get0_lastUpdate(out->crl);
	const ASN1_TIME *until = X509_CRL_get0_nextUpdate(out->crl);

	return REQUIRE(crl_this_update,
		   moment_from_asn1(&out->from_ms, from) == 0) &&
	       REQUIRE(crl_next_update,
		   until != NULL &&
		       moment_from_asn1(&out->until_ms, until) == 0) &&
	       is_whole(out->crl);
}

/* Open Enclave keeps lists with C's end of a string. */
static bool ends_with_nul(struct slice der, const uint8_t *end)
{
	/* unnamed: a fact */
	return end + 1 == der.at + der.len && *end == '\0';
}

int sgx_stored_crl(
    struct sgx_stored *out, struct slice der, char error[HM_TEXT_MAX])
{
	const unsigned char *at = der.at;

	memset(out, 0, sizeof(*out));
	out->kind = SGX_PART_CRL;
	out->crl = d2i_X509_CRL(NULL, &at, (long)der.len);
	if (out->crl != NULL)
		der.len -= ends_with_nul(der, at);
	if (REFUSE(crl_der, out->crl == NULL) ||
	    REFUSE(crl_end, at != der.at + der.len) || !read_crl(out))
		return fail(
		    out, error, "not a revocation list as Intel issues it");
	if (keep(out, der) != 0)
		return fail(out, error, "no memory");
	return 0;
}

static bool is_self_issued(const struct cert *cert)
{
	/* unnamed: a fact */
	return X509_NAME_cmp(X509_get_subject_name(cert->x509),
		   X509_get_issuer_name(cert->x509)) == 0;
}

static bool is_signer(const struct cert *cert)
{
	char name[HM_TEXT_MAX];

	cert_common_name(cert, name);
	return REQUIRE(
		   signer_name, strcmp(name, "Intel SGX TCB Signing") == 0) &&
	       REQUIRE(signer_leaf, cert_is_leaf(cert));
}

int sgx_stored_cert(
    struct sgx_stored *out, struct slice der, char error[HM_TEXT_MAX])
{
	enum hm_verdict verdict;
	bool by_platform_ca;

	memset(out, 0, sizeof(*out));
	verdict = cert_parse_p256(&out->cert, der);
	if (REFUSE(stored_cert, verdict != HM_VALID))
		return fail(out, error, "not a certificate as Intel issues it");
	if (is_self_issued(&out->cert)) {
		sgx_stored_fini(out);
		return 0;
	}
	out->kind = SGX_PART_SIGNER;
	if (sgx_is_pck_ca(&out->cert, &by_platform_ca))
		out->kind = SGX_PART_CA;
	else if (!is_signer(&out->cert))
		return fail(out, error,
		    "a certificate of neither a PCK CA nor the TCB's signer");
	out->from_ms = out->cert.not_before_ms;
	out->until_ms = out->cert.not_after_ms;
	if (keep(out, der) != 0)
		return fail(out, error, "no memory");
	return 0;
}

void sgx_stored_fini(struct sgx_stored *part)
{
	free(part->bytes);
	sgx_tcb_info_free(part->tcb);
	sgx_qe_identity_free(part->qe);
	X509_CRL_free(part->crl);
	cert_fini(&part->cert);
	memset(part, 0, sizeof(*part));
}
