/* identity: the configuration is measured, and the oracle's own policy accepts
 * its own document and nobody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/now.h"
#include "identity_fixture.h"
#include "oracle/measure.h"
#include "verifier/attested_data.h"

#include <openssl/sha.h>

static const struct attestation_document *current(void)
{
	const struct attestation_document *document = attestation_current(
	    identity.attestation, now_unix_ms());

	assert_non_null(document);
	return document;
}

static void verified(struct hm_document *out)
{
	assert_int_equal(
	    hm_document_verify_live(identity.policy, NULL, current()->bytes,
		current()->len, now_unix_ms(), NULL, 0, out, NULL),
	    HM_VALID);
}

static void the_own_policy_accepts_the_own_document(void **state)
{
	struct hm_document document;

	(void)state;
	assert_int_equal(documents_seen, 1);
	verified(&document);
	assert_string_equal(document.platform, "simulated");
	assert_string_equal(document.release, "self");
}

/* PCR16 = SHA384(48 zero bytes || SHA384(configuration)), and locked: only
 * locked PCRs are in a document. */
static void the_configuration_is_measured(void **state)
{
	uint8_t both[96] = {0}, wanted[48];
	struct hm_document document;

	(void)state;
	verified(&document);
	SHA384((const uint8_t *)config_text, strlen(config_text), both + 48);
	SHA384(both, sizeof(both), wanted);
	assert_true(document.pcr_mask & 1u << MEASURE_PCR);
	assert_memory_equal(document.pcrs[MEASURE_PCR], wanted, 48);
}

static void the_document_binds_key_boot_and_configuration(void **state)
{
	struct attested_data attested;
	struct hm_document document;
	const uint8_t *key;
	size_t len;

	(void)state;
	verified(&document);
	key = signer_public_der(identity.signer, &len);
	assert_int_equal(document.public_key.len, len);
	assert_memory_equal(document.public_key.bytes, key, len);
	assert_int_equal(attested_data_parse(
			     &attested, (struct slice){document.user_data.bytes,
					    document.user_data.len}),
	    0);
	assert_memory_equal(attested.boot_id, identity.boot_id, 16);
	assert_memory_equal(attested.config_sha256, config.sha256, 32);
}

/* Another start with another configuration in the same directory: the same
 * root, another boot, another key, and neither policy accepts the other. */
static void another_configuration_is_another_oracle(void **state)
{
	struct identity first = identity;
	struct hm_document document;
	static struct config other, kept; /* too large for a stack */

	(void)state;
	kept = config;
	fixture_load_config("{\"listen\":\"tcp://127.0.0.1:1\",\"attester\":"
			    "\"simulated\",\"simulated_dir\":\"simulated\","
			    "\"ca_bundle\":\"x\",\"feeds\":[{\"feed\":\"A-B\","
			    "\"decimals\":2,\"interval_ms\":1000,"
			    "\"max_age_ms\":5000,\"min_sources\":1,\"sources\":"
			    "[{\"exchange\":\"kraken\",\"symbol\":\"AB\"}]}]}");
	other = config;
	config = kept;
	identity_load(&identity, &other);
	assert_memory_not_equal(identity.boot_id, first.boot_id, 16);
	assert_int_equal(
	    hm_document_verify_live(identity.policy, NULL,
		attestation_current(first.attestation, now_unix_ms())->bytes,
		attestation_current(first.attestation, now_unix_ms())->len,
		now_unix_ms(), NULL, 0, &document, NULL),
	    HM_PCR_MISMATCH);
	identity_free(&identity);
	identity = first;
}

#define IDENTITY_TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IDENTITY_TEST(the_own_policy_accepts_the_own_document),
	    IDENTITY_TEST(the_configuration_is_measured),
	    IDENTITY_TEST(the_document_binds_key_boot_and_configuration),
	    IDENTITY_TEST(another_configuration_is_another_oracle),
	};
	int failed = cmocka_run_group_tests_name("identity", tests, NULL, NULL);

	uv_library_shutdown();
	return failed;
}
