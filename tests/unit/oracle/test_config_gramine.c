/* config_gramine: an oracle in an SGX enclave, in the configuration: what is
 * taken, what is refused, and what a quote cannot vouch for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/oracle/config_fixture.h"

#define HASH "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

/* With this attester, and this after it. */
static int load(const char *attester, const char *more)
{
	char text[4096];

	snprintf(text, sizeof(text),
	    "{\"listen\":\"tcp://127.0.0.1:0\",\"attester\":\"%s\"%s,"
	    "\"ca_bundle\":\"ca.pem\"," CONFIG_FEEDS "}",
	    attester, more);
	return config_text(text);
}

static void refuse(const char *attester, const char *more, const char *why)
{
	assert_int_equal(load(attester, more), -1);
	if (strstr(error, why) == NULL)
		fail_msg("%s%s: %s", attester, more, error);
}

static void test_good(void **state)
{
	char root[80];

	(void)state;
	assert_int_equal(load("gramine", ""), 0);
	assert_int_equal(config.attester, CONFIG_GRAMINE);
	assert_string_equal(config.gramine_dir, "/dev/attestation");
	assert_string_equal(config.gramine_root, "");
	assert_int_equal(load("gramine", ",\"gramine_dir\":\"/there\","
					 "\"gramine_root\":\"root.pem\""),
	    0);
	assert_string_equal(config.gramine_dir, "/there");
	snprintf(root, sizeof(root), "%s/root.pem", config_dir);
	assert_string_equal(config.gramine_root, root);
	assert_int_equal(load("nsm", ""), 0);
	assert_string_equal(config.gramine_dir, "");
}

static void test_refused(void **state)
{
	(void)state;
	refuse("gramine", ",\"gramine_dir\":\"\"", "gramine_dir: the path");
	refuse("gramine", ",\"gramine_root\":\"\"", "gramine_root: the path");
	refuse("gramine", ",\"simulated_dir\":\"s\"", "simulated_dir: only");
	refuse("gramine", ",\"nsm_root\":\"r\"", "nsm_root: only");
	refuse("nsm", ",\"gramine_dir\":\"/there\"", "gramine_dir: only");
	refuse("nsm", ",\"gramine_root\":\"r\"", "gramine_root: only");
	refuse("simulated", ",\"simulated_dir\":\"s\",\"gramine_root\":\"r\"",
	    "gramine_root: only");
	refuse("sgx", "", "\"sgx\" is unknown; nsm, gramine or simulated");
}

/* Each of these is a key of its own, which a Nitro document holds in its
 * user_data and a quote in nothing. */
static void test_other_keys(void **state)
{
	(void)state;
	refuse("gramine", ",\"tls\":\"attested\"", "tls: not with");
	refuse("gramine",
	    ",\"secrets\":{\"token_sha256\":\"" HASH
	    "\",\"names\":[\"coinmarketcap_api_key\"]}",
	    "secrets: not with");
	refuse("gramine",
	    ",\"peers\":{\"listen\":\"tcp://127.0.0.1:1\","
	    "\"connect\":[\"tcp://127.0.0.1:2\"]}",
	    "peers: not with");
	refuse("gramine",
	    ",\"key\":{\"kms\":{\"key_id\":\"alias/k\","
	    "\"region\":\"eu-central-1\",\"blob\":\"vsock://3:9003\","
	    "\"credentials\":\"vsock://3:9004\"}}",
	    "key: not with");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_other_keys),
	};

	return cmocka_run_group_tests_name("config_gramine", tests, NULL, NULL);
}
