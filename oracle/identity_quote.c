/* identity_quote: see identity_quote.h. */
#include "oracle/identity_quote.h"

#include "base/file.h"
#include "base/log.h"
#include "feeds/hex.h"

#include <stdlib.h>
#include <string.h>

/* A quote for nobody's key: only who quotes is asked. */
static void read_quote(struct attester *attester, struct hm_document *out)
{
	static const uint8_t nobody[1];
	const struct attester_request request = {
	    .public_key = nobody, .public_key_len = sizeof(nobody)};
	static uint8_t bytes[ATTESTER_DOCUMENT_MAX];
	char error[ATTESTER_ERROR_MAX];
	size_t len;

	if (attester->ops->attest(attester, &request, bytes, &len, error) != 0)
		log_die("identity", "attester: %s", error);
	if (hm_document_read(bytes, len, out) != HM_VALID ||
	    !out->quote.present)
		log_die("identity", "attester: its document is not a quote");
}

/* A root in place of Intel's is never used without a word. */
static void add_root(struct hm_policy *policy, const char *root)
{
	uint8_t *pem;
	size_t len;
	int status;

	if (root[0] == '\0') {
		status = hm_policy_add_root_name(policy, "intel-sgx");
	} else {
		log_warn("identity", "other_root",
		    LOG_S("meaning",
			"quotes must lead to this root, not to Intel's; a "
			"verifier accepts them only if its policy names it"),
		    LOG_S("gramine_root", root));
		status = file_read(root, CERTIFICATES_MAX, &pem, &len);
		if (status != 0)
			log_die("identity", "gramine_root: %s: %s", root,
			    strerror(-status));
		status = hm_policy_add_root_pem(policy, (const char *)pem, len);
		free(pem);
	}
	if (status != 0)
		log_die("identity", "policy: the root was refused");
}

struct hm_policy *identity_quote_policy(
    struct attester *attester, const struct config *config)
{
	struct hm_policy *policy = hm_policy_new();
	char why[HM_TEXT_MAX], hex[2 * HM_MRENCLAVE_LEN + 1];
	struct hm_document own;
	int release;

	if (policy == NULL)
		log_die("identity", "out of memory");
	read_quote(attester, &own);
	add_root(policy, config->gramine_root);
	release = hm_policy_add_release(policy, "self", INT64_MIN, INT64_MAX);
	if (release < 0 ||
	    hm_policy_add_mrenclave(policy, release, own.quote.mrenclave) != 0)
		log_die("identity", "policy: the release was refused");
	hm_policy_insecure_without_collateral(policy);
	if (config->insecure_allow_debug)
		hm_policy_insecure_allow_debug(policy);
	if (hm_policy_check(policy, why) != 0)
		log_die("identity", "policy: %s", why);
	hex_encode(own.quote.mrenclave, HM_MRENCLAVE_LEN, hex);
	log_info("identity", "quoted", LOG_S("mrenclave", hex));
	return policy;
}
