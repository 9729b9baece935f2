/* sgx_pck: see sgx_pck.h. */
#include "verifier/sgx/sgx_pck.h"

#include "feeds/check.h"
#include "verifier/sgx/sgx_extension.h"
#include "verifier/sgx/sgx_pem.h"

#include <stdlib.h>
#include <string.h>

/* The root's certificate, as in the quote. Not trusted, only compared. */
struct claimed_root {
	bool present;
	struct cert cert;
};

/* As published in https://certificates.trustedservices.intel.com/
 * IntelSGXRootCA.der; SHA-256 of the SubjectPublicKeyInfo: a0af031289f5d5d4
 * 132f9186068a7fc13628633ba235777472e29b6b6c67a49e. */
const struct sgx_root sgx_intel_root = {"intel-sgx",
    {0x04, 0x0b, 0xa9, 0xc4, 0xc0, 0xc0, 0xc8, 0x61, 0x93, 0xa3, 0xfe, 0x23,
	0xd6, 0xb0, 0x2c, 0xda, 0x10, 0xa8, 0xbb, 0xd4, 0xe8, 0x8e, 0x48, 0xb4,
	0x45, 0x85, 0x61, 0xa3, 0x6e, 0x70, 0x55, 0x25, 0xf5, 0x67, 0x91, 0x8e,
	0x2e, 0xdc, 0x88, 0xe4, 0x0d, 0x86, 0x0b, 0xd0, 0xcc, 0x4e, 0xe2, 0x6a,
	0xac, 0xc9, 0x88, 0xe5, 0x05, 0xa9, 0x53, 0x55, 0x8c, 0x45, 0x3f, 0x6b,
	0x09, 0x04, 0xae, 0x73, 0x94}};

bool sgx_is_pck_ca(const struct cert *cert, bool *by_platform_ca)
{
	char name[HM_TEXT_MAX];

	cert_common_name(cert, name);
	*by_platform_ca = strcmp(name, "Intel SGX PCK Platform CA") == 0;
	return REQUIRE(pck_ca_name,
		   *by_platform_ca ||
		       strcmp(name, "Intel SGX PCK Processor CA") == 0) &&
	       REQUIRE(pck_ca, cert_is_ca(cert, 0));
}

static bool is_pck(const struct cert *cert)
{
	char name[HM_TEXT_MAX];

	cert_common_name(cert, name);
	return REQUIRE(
		   pck_name, strcmp(name, "Intel SGX PCK Certificate") == 0) &&
	       REQUIRE(pck_leaf, cert_is_leaf(cert));
}

static enum hm_verdict read_cert(struct slice *pem, struct cert *out)
{
	uint8_t *der;
	size_t len;
	enum hm_verdict verdict;

	/* unnamed: sgx_pem names what is wrong with it */
	if (sgx_pem_next(pem, "CERTIFICATE", &der, &len) != 0)
		return HM_CERTIFICATE_PROFILE;
	verdict = cert_parse_p256(out, (struct slice){der, len});
	free(der);
	return verdict;
}

/* The leaf, its CA, and mostly the root. */
static enum hm_verdict read_chain(
    struct sgx_pck *pck, struct claimed_root *root, struct slice pem)
{
	enum hm_verdict verdict = read_cert(&pem, &pck->leaf);

	if (verdict == HM_VALID)
		verdict = read_cert(&pem, &pck->ca);
	if (verdict != HM_VALID || pem.len == 0)
		return verdict;
	verdict = read_cert(&pem, &root->cert);
	root->present = verdict == HM_VALID;
	if (verdict == HM_VALID && REFUSE(pck_chain_length, pem.len > 0))
		return HM_CERTIFICATE_PROFILE;
	return verdict;
}

static bool read_platform(struct sgx_pck *pck)
{
	struct sgx_platform *platform = &pck->platform;
	int status = sgx_extension_read(platform, pck->leaf.x509);

	return REQUIRE(pck_extension, status == 0) && is_pck(&pck->leaf) &&
	       sgx_is_pck_ca(&pck->ca, &platform->by_platform_ca);
}

/* The first root that signed the CA's certificate. */
static enum hm_verdict find_root(struct sgx_pck *pck,
    const struct claimed_root *claimed, const struct sgx_root *roots,
    size_t count)
{
	bool named = !claimed->present;

	for (size_t i = 0; i < count; i++) {
		if (claimed->present &&
		    !sgx_p256_is(
			X509_get0_pubkey(claimed->cert.x509), roots[i].point))
			continue;
		named = true;
		pck->root = sgx_p256_key(roots[i].point);
		pck->root_index = i;
		if (pck->root == NULL)
			return HM_NO_MEMORY;
		if (X509_verify(pck->ca.x509, pck->root) == 1)
			return HM_VALID;
		EVP_PKEY_free(pck->root);
		pck->root = NULL;
	}
	/* unnamed: without a key there is nothing to go on with */
	return named && claimed->present ? HM_CHAIN_BROKEN : HM_ROOT_UNTRUSTED;
}

static enum hm_verdict verify_leaf(const struct sgx_pck *pck)
{
	X509 *leaf = pck->leaf.x509, *ca = pck->ca.x509;
	int order = X509_NAME_cmp(
	    X509_get_issuer_name(leaf), X509_get_subject_name(ca));
	int status = X509_verify(leaf, X509_get0_pubkey(ca));

	if (REFUSE(pck_issuer, order != 0) ||
	    REFUSE(pck_signature, status != 1))
		return HM_CHAIN_BROKEN;
	return HM_VALID;
}

static void read_times(struct sgx_pck *pck)
{
	const struct cert *a = &pck->leaf, *b = &pck->ca;

	pck->not_before_ms = a->not_before_ms > b->not_before_ms
				 ? a->not_before_ms
				 : b->not_before_ms;
	pck->not_after_ms = a->not_after_ms < b->not_after_ms ? a->not_after_ms
							      : b->not_after_ms;
}

static enum hm_verdict open_chain(struct sgx_pck *pck,
    struct claimed_root *claimed, struct slice pem,
    const struct sgx_root *roots, size_t count, const char **why)
{
	enum hm_verdict verdict = read_chain(pck, claimed, pem);

	*why = "not certificates as Intel writes them";
	if (verdict != HM_VALID)
		return verdict;
	*why = "not a PCK certificate and the CA above it";
	if (!read_platform(pck))
		return HM_CERTIFICATE_PROFILE;
	read_times(pck);
	verdict = find_root(pck, claimed, roots, count);
	*why = verdict == HM_ROOT_UNTRUSTED
		   ? "a root that the policy does not name"
		   : "the root did not sign the CA's certificate";
	if (verdict != HM_VALID)
		return verdict;
	*why = "the CA did not sign the PCK certificate";
	return verify_leaf(pck);
}

enum hm_verdict sgx_pck_open(struct sgx_pck *out, struct slice pem,
    const struct sgx_root *roots, size_t root_count, const char **why)
{
	struct claimed_root claimed = {0};
	const char *text;
	enum hm_verdict verdict;

	memset(out, 0, sizeof(*out));
	verdict = open_chain(out, &claimed, pem, roots, root_count, &text);
	cert_fini(&claimed.cert);
	if (verdict != HM_VALID)
		sgx_pck_close(out);
	if (why != NULL)
		*why = verdict == HM_VALID ? NULL : text;
	return verdict;
}

void sgx_pck_close(struct sgx_pck *pck)
{
	cert_fini(&pck->leaf);
	cert_fini(&pck->ca);
	EVP_PKEY_free(pck->root);
	memset(pck, 0, sizeof(*pck));
}
