/* policy_summary: what it says is a policy again, and the same one. */
#include "verifier/daemon/policy_summary.h"

#include "mint.h"
#include "verifier/policy.h"

#include <jansson.h>

#define Z8  "0123456789abcdef"
#define Z48 Z8 Z8 Z8 Z8 Z8 Z8
#define Z32 Z8 Z8 Z8 Z8
#define A48 "aaaaaaaaaaaaaaaa" Z8 Z8 Z8 Z8 Z8

static struct mint mint;

static int setup(void **state)
{
	(void)state;
	mint_init(&mint, 0x11);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mint_fini(&mint);
	return 0;
}

static struct hm_policy *parse(const char *json)
{
	struct hm_policy *policy;
	char error[HM_TEXT_MAX];

	if (hm_policy_parse(&policy, json, strlen(json), error) != 0)
		fail_msg("%s: %s", error, json);
	return policy;
}

static void add_mints_root(struct hm_policy *policy)
{
	const char *pem = mint.attester->ops->root_pem(mint.attester);

	assert_int_equal(hm_policy_add_root_pem(policy, pem, strlen(pem)), 0);
}

/* As the page does it. */
static struct hm_policy *read_again(const char *summary)
{
	json_t *root = json_loads(summary, JSON_REJECT_DUPLICATES, NULL), *pem;
	struct hm_policy *policy;
	char *text;
	size_t i;

	assert_non_null(root);
	assert_int_equal(json_object_size(root), 2);
	text = json_dumps(json_object_get(root, "policy"), 0);
	policy = parse(text);
	json_array_foreach(json_object_get(root, "root_pems"), i, pem)
	{
		assert_non_null(hm_policy_root_file(policy, i));
		assert_int_equal(
		    hm_policy_add_root_pem(policy, json_string_value(pem),
			json_string_length(pem)),
		    0);
	}
	assert_null(hm_policy_root_file(policy, i));
	free(text);
	json_decref(root);
	return policy;
}

static void assert_same_releases(
    const struct hm_policy *a, const struct hm_policy *b)
{
	assert_int_equal(a->release_count, b->release_count);
	for (size_t i = 0; i < a->release_count; i++) {
		const struct policy_release *x = &a->releases[i];
		const struct policy_release *y = &b->releases[i];

		assert_string_equal(x->name, y->name);
		assert_true(x->not_before_ms == y->not_before_ms);
		assert_true(x->not_after_ms == y->not_after_ms);
		assert_int_equal(x->pin_count, y->pin_count);
		assert_memory_equal(
		    x->pins, y->pins, x->pin_count * sizeof(*x->pins));
	}
}

static void assert_same(const struct hm_policy *a, const struct hm_policy *b)
{
	assert_int_equal(a->root_count, b->root_count);
	for (size_t i = 0; i < a->root_count; i++)
		assert_memory_equal(
		    a->roots[i].sha256, b->roots[i].sha256, HM_SHA256_LEN);
	assert_same_releases(a, b);
	assert_int_equal(a->revoked_count, b->revoked_count);
	if (a->revoked_count > 0)
		assert_memory_equal(a->revoked, b->revoked,
		    a->revoked_count * sizeof(*a->revoked));
	assert_true(a->max_age_ms == b->max_age_ms);
	assert_true(a->max_future_ms == b->max_future_ms);
	assert_true(a->max_enclave_age_ms == b->max_enclave_age_ms);
	assert_true(a->booted_after_ms == b->booted_after_ms);
	assert_memory_equal(&a->nonce, &b->nonce, sizeof(a->nonce));
	assert_memory_equal(&a->user_data, &b->user_data, sizeof(a->nonce));
	assert_int_equal(a->allow_debug, b->allow_debug);
	assert_int_equal(a->quorum, b->quorum);
	assert_int_equal(a->min_key_epoch, b->min_key_epoch);
}

static void check(struct hm_policy *policy)
{
	char *summary = policy_summary_json(policy);
	struct hm_policy *again = read_again(summary);

	assert_null(strchr(summary, '\n'));
	assert_same(policy, again);
	hm_policy_free(again);
	hm_policy_free(policy);
	free(summary);
}

static void test_smallest(void **state)
{
	(void)state;
	check(parse("{\"roots\":[\"aws-nitro-g1\"],\"releases\":[{\"name\":"
		    "\"a\",\"pcrs\":{\"0\":\"" Z48 "\"}}]}"));
}

static void test_all_that_there_is(void **state)
{
	struct hm_policy *policy = parse(
	    "{\"roots\":[\"aws-nitro-g1\"],\"releases\":["
	    "{\"name\":\"1 \\\"a\\\"\",\"pcrs\":{\"0\":[\"" Z48 "\",\"" A48
	    "\"],\"16\":\"" A48 "\"},\"not_before\":\"2026-11-01T00:00:00Z\","
	    "\"not_after\":\"2027-11-01T00:00:00.5Z\"},"
	    "{\"name\":\"2\",\"pcrs\":{\"1\":\"" Z48 "\"}}],"
	    "\"max_age_s\":17,\"max_future_s\":2,\"max_enclave_age_s\":99,"
	    "\"booted_after\":\"2026-01-01T00:00:00Z\",\"nonce\":\"00ff\","
	    "\"user_data\":\"" Z8 "\",\"revoked\":[{\"issuer_spki_sha256\":"
	    "\"" Z32 "\",\"serial\":\"0123\"}],"
	    "\"insecure_allow_debug\":true,\"quorum\":3,"
	    "\"min_key_epoch\":5}");

	(void)state;
	add_mints_root(policy);
	check(policy);
}

static void test_only_a_root_of_a_file(void **state)
{
	struct hm_policy *policy = parse("{\"releases\":[{\"name\":\"a\","
					 "\"pcrs\":{\"0\":\"" Z48 "\"}}]}");

	(void)state;
	add_mints_root(policy);
	check(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_smallest),
	    cmocka_unit_test(test_all_that_there_is),
	    cmocka_unit_test(test_only_a_root_of_a_file),
	};

	return cmocka_run_group_tests_name(
	    "policy_summary", tests, setup, teardown);
}
