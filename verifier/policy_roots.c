/* policy_roots: whom a policy trusts: self-signed CA certificates, known by the
 * hash of their bytes. */
#include "verifier/policy.h"

#include "feeds/check.h"
#include "verifier/known_roots.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The DER of the only PEM block, which must be a certificate; the caller
 * frees it with OPENSSL_free. */
static unsigned char *only_certificate(const char *pem, size_t len, long *out)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	char *name = NULL, *header = NULL, *name2 = NULL, *header2 = NULL;
	unsigned char *der = NULL, *second = NULL;
	long second_len;
	bool more;

	if (bio == NULL || PEM_read_bio(bio, &name, &header, &der, out) != 1)
		goto out;
	more = PEM_read_bio(bio, &name2, &header2, &second, &second_len) == 1;
	if (REFUSE(pem_name, strcmp(name, PEM_STRING_X509) != 0) ||
	    REFUSE(pem_header, header[0] != '\0') || REFUSE(pem_more, more)) {
		OPENSSL_free(der);
		der = NULL;
	}
out:
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(name2);
	OPENSSL_free(header2);
	OPENSSL_free(second);
	BIO_free(bio);
	return der;
}

static const char *known_name(const uint8_t sha256[HM_SHA256_LEN])
{
	for (const struct known_root *r = known_roots; r->name != NULL; r++)
		if (memcmp(r->sha256, sha256, HM_SHA256_LEN) == 0)
			return r->name;
	return NULL;
}

/* Nobody else's root is called like one that we know. */
static bool name_is_taken(const char *name)
{
	for (const struct known_root *r = known_roots; r->name != NULL; r++)
		if (strcmp(r->name, name) == 0)
			return true;
	return strcmp(sgx_intel_root.name, name) == 0;
}

/* For a certificate that out->cert holds. */
static int describe_root(struct policy_root *out, struct slice der)
{
	const char *known;

	if (REFUSE(root_ca, !cert_is_ca(&out->cert, 0)) ||
	    REFUSE(root_self_signed, !cert_is_self_signed(&out->cert)) ||
	    EVP_Digest(
		der.at, der.len, out->sha256, NULL, EVP_sha256(), NULL) != 1)
		return -1;
	cert_common_name(&out->cert, out->name);
	if (REFUSE(root_name, out->name[0] == '\0') ||
	    REFUSE(root_name_taken, name_is_taken(out->name)))
		return -1;
	snprintf(out->platform, sizeof(out->platform), "%s",
	    strncmp(out->name, "simulated.", strlen("simulated.")) == 0
		? "simulated"
		: "aws-nitro");
	known = known_name(out->sha256);
	if (known != NULL)
		snprintf(out->name, sizeof(out->name), "%s", known);
	return 0;
}

static int add_root(struct hm_policy *policy, struct slice der)
{
	struct policy_root root = {0};
	int status = -1;

	if (REFUSE(root_max, der.len > DOCUMENT_CERTIFICATE_MAX))
		return -1;
	if (cert_parse(&root.cert, der) != HM_VALID)
		return policy_quote_add_root(policy, der, name_is_taken);
	if (describe_root(&root, der) != 0)
		goto out;
	status = 0;
	if (policy_find_root(policy, root.sha256) != NULL)
		goto out;
	if (REFUSE(roots_max, policy->root_count == POLICY_ROOTS_MAX)) {
		status = -1;
		goto out;
	}
	policy->roots[policy->root_count++] = root;
	root.cert.x509 = NULL;
out:
	cert_fini(&root.cert);
	return status;
}

int hm_policy_add_root_pem(
    struct hm_policy *policy, const char *pem, size_t len)
{
	unsigned char *der;
	long der_len = 0;
	int status = -1;

	if (REFUSE(pem_max, len > POLICY_PEM_MAX))
		return -1;
	ERR_set_mark();
	der = only_certificate(pem, len, &der_len);
	if (der != NULL && der_len > 0)
		status = add_root(policy, (struct slice){der, (size_t)der_len});
	OPENSSL_free(der);
	ERR_pop_to_mark();
	return status;
}

int hm_policy_add_root_name(struct hm_policy *policy, const char *name)
{
	if (strcmp(name, sgx_intel_root.name) == 0)
		return policy_quote_add_intel(policy);
	for (const struct known_root *r = known_roots; r->name != NULL; r++)
		if (strcmp(r->name, name) == 0)
			return hm_policy_add_root_pem(
			    policy, r->pem, strlen(r->pem));
	return REQUIRE(root_unknown, false) ? 0 : -1;
}

int policy_add_root_file(struct hm_policy *policy, const char *path)
{
	size_t len = strlen(path);

	if (REFUSE(
		root_files_max, policy->root_file_count == POLICY_ROOTS_MAX) ||
	    REFUSE(root_file_empty, len == 0) ||
	    REFUSE(root_file_max, len > POLICY_PATH_MAX))
		return -1;
	policy->root_files[policy->root_file_count] = strdup(path);
	if (policy->root_files[policy->root_file_count] == NULL)
		return -1;
	policy->root_file_count++;
	return 0;
}

const char *hm_policy_root_file(const struct hm_policy *policy, size_t index)
{
	return index < policy->root_file_count ? policy->root_files[index]
					       : NULL;
}

const struct policy_root *policy_find_root(
    const struct hm_policy *policy, const uint8_t sha256[HM_SHA256_LEN])
{
	for (size_t i = 0; i < policy->root_count; i++)
		if (memcmp(policy->roots[i].sha256, sha256, HM_SHA256_LEN) == 0)
			return &policy->roots[i];
	return NULL;
}
