/* Policies: made by calls, and read from their JSON. Their roots are in
 * test_policy_roots.c. */
#include "tests/unit/verifier/shared_builder.h"

#define HEX96                                                  \
	"1111111111111111111111111111111111111111111111111111" \
	"11111111111111111111111111111111111111111111"

static int setup_made(void **state)
{
	setup(state);
	builder_make(b);
	return 0;
}

/* ---- releases ---- */

static void test_releases(void **state)
{
	struct hm_policy *policy = hm_policy_new();
	uint8_t pcr[HM_PCR_LEN] = {1};
	char longest[HM_TEXT_MAX + 1];

	(void)state;
	assert_int_equal(hm_policy_add_release(policy, "a", 0, 1), 0);
	assert_int_equal(hm_policy_add_release(policy, "b", 1, 1), 1);
	assert_int_equal(hm_policy_add_release(policy, "a", 0, 1), -1);
	assert_int_equal(hm_policy_add_release(policy, "", 0, 1), -1);
	assert_int_equal(hm_policy_add_release(policy, "c", 2, 1), -1);
	assert_int_equal(hm_policy_add_release(policy, "c\n", 0, 1), -1);
	memset(longest, 'x', sizeof(longest));
	longest[HM_TEXT_MAX] = '\0';
	assert_int_equal(hm_policy_add_release(policy, longest, 0, 1), -1);
	longest[HM_TEXT_MAX - 1] = '\0';
	assert_int_equal(hm_policy_add_release(policy, longest, 0, 1), 2);
	assert_int_equal(hm_policy_add_pcr(policy, 1, 31, pcr), 0);
	assert_int_equal(hm_policy_add_pcr(policy, 1, 32, pcr), -1);
	assert_int_equal(hm_policy_add_pcr(policy, 3, 0, pcr), -1);
	assert_int_equal(hm_policy_add_pcr(policy, -1, 0, pcr), -1);
	hm_policy_free(policy);
}

static void test_ceilings(void **state)
{
	struct hm_policy *policy = hm_policy_new();
	uint8_t pcr[HM_PCR_LEN] = {1};
	char name[16];

	(void)state;
	for (int i = 0; i <= POLICY_RELEASES_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(hm_policy_add_release(policy, name, 0, 1),
		    i < POLICY_RELEASES_MAX ? i : -1);
	}
	for (int i = 0; i <= POLICY_PINS_MAX; i++)
		assert_int_equal(hm_policy_add_pcr(policy, 0, 0, pcr),
		    i < POLICY_PINS_MAX ? 0 : -1);
	hm_policy_free(policy);
}

static void test_check(void **state)
{
	struct hm_policy *policy = hm_policy_new();
	uint8_t pcr[HM_PCR_LEN] = {1};
	char error[HM_TEXT_MAX];

	(void)state;
	assert_int_equal(hm_policy_check(NULL, error), -1);
	assert_int_equal(hm_policy_check(policy, error), -1);
	assert_string_equal(error, "no root is trusted");
	assert_int_equal(hm_policy_add_root_name(policy, "aws-nitro-g1"), 0);
	assert_int_equal(hm_policy_check(policy, error), -1);
	assert_string_equal(error, "no release is accepted");
	assert_int_equal(hm_policy_add_release(policy, "a", 0, 1), 0);
	assert_int_equal(hm_policy_check(policy, error), -1);
	assert_int_equal(hm_policy_add_pcr(policy, 0, 8, pcr), 0);
	assert_int_equal(hm_policy_add_pcr(policy, 0, 16, pcr), 0);
	assert_int_equal(hm_policy_check(policy, error), -1);
	assert_string_equal(error, "releases[0] pins none of PCR0, PCR1, PCR2");
	assert_int_equal(hm_policy_add_pcr(policy, 0, 2, pcr), 0);
	assert_int_equal(hm_policy_check(policy, error), 0);
	assert_int_equal(hm_policy_add_release(policy, "b", 0, 1), 1);
	assert_int_equal(hm_policy_check(policy, error), -1);
	hm_policy_free(policy);
	hm_policy_free(NULL);
}

static void test_ages(void **state)
{
	struct hm_policy *policy = hm_policy_new();

	(void)state;
	assert_int_equal(policy->max_age_ms, 300000);
	assert_int_equal(policy->max_future_ms, 5000);
	hm_policy_set_ages(policy, -1, -1);
	assert_int_equal(policy->max_age_ms, 300000);
	hm_policy_set_ages(policy, 0, 1);
	assert_int_equal(policy->max_age_ms, 0);
	assert_int_equal(policy->max_future_ms, 1000);
	hm_policy_set_ages(policy, INT64_MAX, INT64_MAX);
	assert_int_equal(policy->max_age_ms, 0);
	hm_policy_free(policy);
}

/* ---- the file ---- */

static struct hm_policy *parse(const char *json)
{
	struct hm_policy *policy;
	char error[HM_TEXT_MAX];

	if (hm_policy_parse(&policy, json, strlen(json), error) != 0)
		fail_msg("%s: %s", error, json);
	assert_string_equal(error, "");
	return policy;
}

static void test_file(void **state)
{
	struct hm_policy *p = parse(
	    "{ \"roots\": [\"aws-nitro-g1\"], \"root_files\": [\"a.pem\", "
	    "\"b.pem\"], \"releases\": [ {\"name\": \"1.4.0\", \"pcrs\": "
	    "{\"0\": \"" HEX96 "\", \"16\": [\"" HEX96 "\", \"" HEX96
	    "\"]}, \"not_before\": \"2026-11-01T00:00:00Z\", \"not_after\": "
	    "null } ], \"max_age_s\": 60, \"max_future_s\": 2, "
	    "\"max_enclave_age_s\": 86400, \"revoked\": "
	    "[{\"issuer_spki_sha256\": \"00112233445566778899aabbccddeeff00112"
	    "233445566778899aabbccddeeff\", \"serial\": \"00ABC\"}], "
	    "\"insecure_allow_debug\": true, \"quorum\": 2 }");
	char error[HM_TEXT_MAX];

	(void)state;
	assert_int_equal(hm_policy_check(p, error), 0);
	assert_int_equal(p->root_count, 1);
	assert_string_equal(hm_policy_root_file(p, 0), "a.pem");
	assert_string_equal(hm_policy_root_file(p, 1), "b.pem");
	assert_null(hm_policy_root_file(p, 2));
	assert_int_equal(p->release_count, 1);
	assert_string_equal(p->releases[0].name, "1.4.0");
	assert_int_equal(p->releases[0].pin_count, 3);
	assert_int_equal(p->releases[0].pin_mask, 1u << 0 | 1u << 16);
	assert_int_equal(p->releases[0].pins[0].value[47], 0x11);
	assert_int_equal(p->releases[0].not_before_ms, 1793491200000);
	assert_true(p->releases[0].not_after_ms == INT64_MAX);
	assert_int_equal(p->max_age_ms, 60000);
	assert_int_equal(p->max_future_ms, 2000);
	assert_int_equal(p->max_enclave_age_ms, 86400000);
	assert_int_equal(p->quorum, 2);
	assert_int_equal(p->revoked_count, 1);
	assert_int_equal(p->revoked[0].serial_len, 2);
	assert_int_equal(p->revoked[0].serial[0], 0x0a);
	assert_int_equal(p->revoked[0].serial[1], 0xbc);
	assert_true(p->allow_debug);
	hm_policy_free(p);
}

static void test_file_defaults(void **state)
{
	struct hm_policy *p = parse("{\"releases\":[]}");
	char error[HM_TEXT_MAX];

	(void)state;
	assert_int_equal(hm_policy_check(p, error), -1);
	assert_int_equal(p->max_age_ms, 300000);
	assert_int_equal(p->max_enclave_age_ms, -1);
	assert_false(p->allow_debug);
	hm_policy_free(p);
	p = parse("{\"releases\":[],\"max_enclave_age_s\":null}");
	assert_int_equal(p->max_enclave_age_ms, -1);
	hm_policy_free(p);
}

#define RELEASE(more) "{\"releases\":[{" more "}]}"
#define PCRS          "\"pcrs\":{\"0\":\"" HEX96 "\"}"

static void test_file_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "{",
	    "[]",
	    "null",
	    "{}",
	    "{\"releases\":[]} x",
	    "{\"releases\":[]}{}",
	    "{\"releases\":{}}",
	    "{\"releases\":null}",
	    "{\"releases\":[],\"releases\":[]}",
	    "{\"releases\":[],\"Roots\":[]}",
	    "{\"releases\":[],\"quorum\":-1}",
	    "{\"releases\":[],\"quorum\":5}",
	    "{\"releases\":[],\"quorum\":\"1\"}",
	    "{\"releases\":[],\"quorum\":1.0}",
	    "{\"releases\":[],\"insecure_allow_debugs\":true}",
	    "{\"releases\":[],\"insecure_allow_debug\":1}",
	    "{\"releases\":[],\"insecure_allow_debug\":\"false\"}",
	    "{\"releases\":[],\"roots\":\"aws-nitro-g1\"}",
	    "{\"releases\":[],\"roots\":[\"aws\"]}",
	    "{\"releases\":[],\"roots\":[1]}",
	    "{\"releases\":[],\"roots\":null}",
	    "{\"releases\":[],\"root_files\":[\"\"]}",
	    "{\"releases\":[],\"root_files\":[1]}",
	    "{\"releases\":[],\"root_files\":[\"a\\u0000b\"]}",
	    "{\"releases\":[],\"max_age_s\":-1}",
	    "{\"releases\":[],\"max_age_s\":1.5}",
	    "{\"releases\":[],\"max_age_s\":\"300\"}",
	    "{\"releases\":[],\"max_age_s\":null}",
	    "{\"releases\":[],\"max_age_s\":9223372036854775807}",
	    "{\"releases\":[],\"max_age_s\":1e3}",
	    "{\"releases\":[],\"max_future_s\":-5}",
	    "{\"releases\":[],\"max_enclave_age_s\":\"1\"}",
	    "{\"releases\":[],\"booted_after\":1}",
	    RELEASE("\"name\":\"a\""),
	    RELEASE(PCRS),
	    RELEASE("\"name\":1," PCRS),
	    RELEASE("\"name\":\"\"," PCRS),
	    RELEASE("\"name\":\"a\"," PCRS ",\"window\":1"),
	    RELEASE("\"name\":\"a\"," PCRS ",\"not_before\":0"),
	    RELEASE("\"name\":\"a\"," PCRS ",\"not_before\":\"2026-11-01\""),
	    RELEASE("\"name\":\"a\"," PCRS ",\"not_after\":\"now\""),
	    RELEASE("\"name\":\"a\"," PCRS
		    ",\"not_before\":\"2026-11-02T00:00:00Z\","
		    "\"not_after\":\"2026-11-01T00:00:00Z\""),
	    RELEASE("\"name\":\"a\",\"pcrs\":[]"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"32\":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"00\":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"-1\":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"\":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"0 \":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"1 \":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"1a\":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"1:\":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"\",\"pcrs\":{}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"PCR0\":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"100\":\"" HEX96 "\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"0\":\"" HEX96 "11\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"0\":\"\"}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"0\":null}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"0\":[]}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"0\":[null]}"),
	    RELEASE("\"name\":\"a\",\"pcrs\":{\"0\":\"" HEX96
		    "\",\"0\":\"" HEX96 "\"}"),
	    "{\"releases\":[{\"name\":\"a\"," PCRS "},{\"name\":\"a\"," PCRS
	    "}]}",
	    "{\"releases\":[1]}",
	    "{\"releases\":[],\"revoked\":[{}]}",
	    "{\"releases\":[],\"revoked\":[{\"issuer_spki_sha256\":\"00\","
	    "\"serial\":\"1\"}]}",
	    "{\"releases\":[],\"revoked\":[{\"issuer_spki_sha256\":\"00112233445"
	    "566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"serial\":"
	    "\"\"}]}",
	    "{\"releases\":[],\"revoked\":[{\"issuer_spki_sha256\":\"00112233445"
	    "566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"serial\":"
	    "\"0\"}]}",
	    "{\"releases\":[],\"revoked\":[{\"issuer_spki_sha256\":\"00112233445"
	    "566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"serial\":"
	    "\"xyz\"}]}",
	    "{\"releases\":[],\"revoked\":[{\"issuer_spki_sha256\":\"00112233445"
	    "566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"serial\":"
	    "\"11111111111111111111111111111111111111111\"}]}",
	};
	struct hm_policy *policy;
	char error[HM_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		policy = (struct hm_policy *)error;
		if (hm_policy_parse(&policy, bad[i], strlen(bad[i]), error) ==
		    0)
			fail_msg("taken: %s", bad[i]);
		assert_null(policy);
		assert_true(strlen(error) > 0);
	}
	printf("# %zu policy files refused\n", sizeof(bad) / sizeof(bad[0]));
}

/* How a file with so many of something is judged: {"releases":[],KEY:[x,x]} */
static int parse_many(
    const char *before, const char *each, size_t count, size_t blanks)
{
	size_t room = strlen(before) + count * (strlen(each) + 1) + blanks + 8;
	char *json = malloc(room), error[HM_TEXT_MAX];
	struct hm_policy *policy;
	size_t len = strlen(before);
	int status;

	memcpy(json, before, len);
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(
		    json + len, room - len, "%s%s", i > 0 ? "," : "", each);
	len += (size_t)snprintf(json + len, room - len, "]}");
	memset(json + len, ' ', blanks);
	status = hm_policy_parse(&policy, json, len + blanks, error);
	free(json);
	hm_policy_free(policy);
	return status;
}

static void test_file_ceilings(void **state)
{
	const char *revoked =
	    "{\"issuer_spki_sha256\":\"00112233445566778899aabbccddeeff00112233"
	    "445566778899aabbccddeeff\",\"serial\":\"1\"}";
	const char *before = "{\"releases\":[";
	size_t room = POLICY_JSON_MAX - strlen("{\"releases\":[]}");
	char path[POLICY_PATH_MAX + 4];

	(void)state;
	assert_int_equal(parse_many(before, "", 0, room), 0);
	assert_int_equal(parse_many(before, "", 0, room + 1), -1);
	before = "{\"releases\":[],\"revoked\":[";
	assert_int_equal(parse_many(before, revoked, POLICY_REVOKED_MAX, 0), 0);
	assert_int_equal(
	    parse_many(before, revoked, POLICY_REVOKED_MAX + 1, 0), -1);
	before = "{\"releases\":[],\"root_files\":[";
	assert_int_equal(parse_many(before, "\"a\"", POLICY_ROOTS_MAX, 0), 0);
	assert_int_equal(
	    parse_many(before, "\"a\"", POLICY_ROOTS_MAX + 1, 0), -1);
	memset(path, 'p', sizeof(path));
	path[0] = path[POLICY_PATH_MAX + 1] = '"';
	path[POLICY_PATH_MAX + 2] = '\0';
	assert_int_equal(parse_many(before, path, 1, 0), 0);
	path[POLICY_PATH_MAX + 1] = 'p';
	path[POLICY_PATH_MAX + 2] = '"';
	path[POLICY_PATH_MAX + 3] = '\0';
	assert_int_equal(parse_many(before, path, 1, 0), -1);
}

static void test_error_says_where(void **state)
{
	const char *json = "{\"releases\":[{\"name\":\"a\",\"pcrs\":{\"0\":"
			   "\"" HEX96 "\",\"16\":\"beef\"}}]}";
	struct hm_policy *policy;
	char error[HM_TEXT_MAX];

	(void)state;
	assert_int_equal(
	    hm_policy_parse(&policy, json, strlen(json), error), -1);
	assert_non_null(strstr(error, "releases[0].pcrs.16"));
	json = "{\"releases\":[],\"max_agee_s\":1}";
	assert_int_equal(
	    hm_policy_parse(&policy, json, strlen(json), error), -1);
	assert_non_null(strstr(error, "max_agee_s"));
	json = "{\n\"releases\":[}";
	assert_int_equal(
	    hm_policy_parse(&policy, json, strlen(json), error), -1);
	assert_non_null(strstr(error, "line 2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_releases),
	    cmocka_unit_test(test_ceilings),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_ages),
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_file_defaults),
	    cmocka_unit_test(test_file_refused),
	    cmocka_unit_test(test_file_ceilings),
	    cmocka_unit_test(test_error_says_where),
	};

	return cmocka_run_group_tests_name(
	    "policy", tests, setup_made, teardown);
}
