/* identity: see identity.h. */
#include "oracle/identity.h"

#include "base/file.h"
#include "base/log.h"
#include "feeds/hex.h"
#include "oracle/attester_gramine.h"
#include "oracle/identity_quote.h"
#include "oracle/measure.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static void open_attester(struct identity *identity)
{
	const struct config *config = identity->config;
	char error[ATTESTER_ERROR_MAX];

	switch (config->attester) {
	case CONFIG_NSM:
		identity->attester = attester_nsm_open(
		    config->nsm_device, error);
		break;
	case CONFIG_SIMULATED:
		identity->attester = attester_simulated_open(
		    config->simulated_dir, error);
		break;
	case CONFIG_GRAMINE:
		identity->attester = attester_gramine_open(
		    config->gramine_dir, error);
	}
	if (!identity->attester)
		log_die("identity", "attester: %s", error);
}

static void describe(struct identity *identity, unsigned index,
    uint8_t out[ATTESTER_PCR_LEN], int *locked)
{
	struct attester *attester = identity->attester;
	char error[ATTESTER_ERROR_MAX];

	if (attester->ops->describe_pcr(attester, index, out, locked, error) !=
	    0)
		log_die("identity", "PCR%u: %s", index, error);
}

/* Init has done it already where there is one: then this finds what it left. */
static void measure(struct identity *identity, uint8_t pcr16[ATTESTER_PCR_LEN])
{
	char error[ATTESTER_ERROR_MAX], hex[2 * ATTESTER_PCR_LEN + 1];
	int found = measure_config(
	    identity->attester, identity->config->sha384, pcr16, error);

	if (found < 0)
		log_die("identity", "%s", error);
	hex_encode(pcr16, ATTESTER_PCR_LEN, hex);
	log_info("identity", found == 1 ? "measured_before" : "measured",
	    LOG_S("pcr16", hex));
}

static void pin(struct identity *identity, int release, unsigned index,
    const uint8_t value[ATTESTER_PCR_LEN])
{
	if (hm_policy_add_pcr(identity->policy, release, index, value) != 0)
		log_die("identity", "policy: PCR%u was refused", index);
}

static int add_root_file(struct identity *identity, const char *path)
{
	uint8_t *pem;
	size_t len;
	int status = file_read(path, CERTIFICATES_MAX, &pem, &len);

	if (status != 0)
		log_die(
		    "identity", "nsm_root: %s: %s", path, strerror(-status));
	status = hm_policy_add_root_pem(
	    identity->policy, (const char *)pem, len);
	free(pem);
	return status;
}

/* A root in place of AWS's is never used without a word. */
static int add_other_root(struct identity *identity, const char *root)
{
	log_warn("identity", "other_root",
	    LOG_S("meaning",
		"documents must lead to this root, not to AWS's; a verifier "
		"accepts them only if its policy names it"),
	    LOG_S("nsm_root", certificates_name(root)));
	if (certificates_inline(root))
		return hm_policy_add_root_pem(
		    identity->policy, root, strlen(root));
	return add_root_file(identity, root);
}

static void add_root(struct identity *identity)
{
	const char *pem = identity->attester->ops->root_pem(identity->attester);
	const char *other = identity->config->nsm_root;
	int status;

	if (pem)
		status = hm_policy_add_root_pem(
		    identity->policy, pem, strlen(pem));
	else if (other[0] != '\0')
		status = add_other_root(identity, other);
	else
		status = hm_policy_add_root_name(
		    identity->policy, "aws-nitro-g1");
	if (status != 0)
		log_die("identity", "policy: the root was refused");
}

/* What a matching policy of a verifier says: this root, these PCRs. */
static void make_policy(
    struct identity *identity, const uint8_t pcr16[ATTESTER_PCR_LEN])
{
	uint8_t value[ATTESTER_PCR_LEN];
	char why[HM_TEXT_MAX];
	int release, locked;

	identity->policy = hm_policy_new();
	if (!identity->policy)
		log_die("identity", "out of memory");
	add_root(identity);
	release = hm_policy_add_release(
	    identity->policy, "self", INT64_MIN, INT64_MAX);
	if (release < 0)
		log_die("identity", "policy: the release was refused");
	for (unsigned i = 0; i < 3; i++) {
		describe(identity, i, value, &locked);
		pin(identity, release, i, value);
	}
	pin(identity, release, MEASURE_PCR, pcr16);
	if (identity->config->insecure_allow_debug)
		hm_policy_insecure_allow_debug(identity->policy);
	if (hm_policy_check(identity->policy, why) != 0)
		log_die("identity", "policy: %s", why);
}

static void take_key(struct identity *identity)
{
	struct kept_key *kept = &identity->kept;

	if (!identity->config->key.kms) {
		identity->signer = signer_new();
		return;
	}
	kept_key_load(kept, identity->config, identity->attester);
	identity->signer = kept->signer;
	identity->bound.key_epoch = kept->epoch;
}

static void make_tls(struct identity *identity)
{
	if (!identity->config->attested_tls &&
	    identity->config->peers.connect_count == 0)
		return;
	identity->tls = attested_tls_new();
	identity->bound.tls_spki_sha256 = attested_tls_spki_sha256(
	    identity->tls);
}

void identity_load(struct identity *identity, const struct config *config)
{
	uint8_t pcr16[ATTESTER_PCR_LEN];

	*identity = (struct identity){.config = config,
	    .bound = {
		.boot_id = identity->boot_id, .config_sha256 = config->sha256}};
	if (RAND_bytes(identity->boot_id, sizeof(identity->boot_id)) != 1)
		log_die("identity", "no random bytes");
	open_attester(identity);
	if (config->attester == CONFIG_GRAMINE) {
		identity->policy = identity_quote_policy(
		    identity->attester, config);
	} else {
		measure(identity, pcr16);
		make_policy(identity, pcr16);
	}
	make_tls(identity);
	take_key(identity); /* slow: only once all else is well */
}

void identity_attest(struct identity *identity, uv_loop_t *loop,
    void (*changed)(const struct attestation_document *, void *), void *data)
{
	char error[ATTESTER_ERROR_MAX];
	struct attestation_options options = {
	    .loop = loop,
	    .attester = identity->attester,
	    .policy = identity->policy,
	    .user_data = &identity->bound,
	    .changed = changed,
	    .data = data,
	};

	options.public_key = signer_public_der(
	    identity->signer, &options.public_key_len);
	identity->attestation = attestation_start(&options, error);
	if (!identity->attestation)
		log_die("identity", "attestation: %s", error);
}

void identity_free(struct identity *identity)
{
	if (identity->attester)
		identity->attester->ops->close(identity->attester);
	attested_tls_free(identity->tls);
	signer_free(identity->signer);
	hm_policy_free(identity->policy);
	*identity = (struct identity){0};
}
