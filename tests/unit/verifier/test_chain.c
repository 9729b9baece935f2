/* Chains of good certificates: the time of each level, and roots of the same
 * name. (Other orders: test_bundle.c; other issuers: test_issuers.c.) */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/one_thing_wrong.h"

static struct builder *b;

static int setup(void **state)
{
	(void)state;
	b = builder_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	builder_free(b);
	return 0;
}

static EVP_PKEY *other_key;

/* ---- times of each level ---- */

#define TIMES(name, array, which, seconds)  \
	static void name(struct builder *x) \
	{                                   \
		x->array[which] = seconds;  \
	}

TIMES(root_over, not_after_s, 0, -1)
TIMES(regional_over, not_after_s, 1, -1)
TIMES(zonal_over, not_after_s, 2, -1)
TIMES(instance_over, not_after_s, 3, -1)
TIMES(leaf_over, not_after_s, 4, -1)
TIMES(root_early, not_before_s, 0, 1)
TIMES(regional_early, not_before_s, 1, 1)
TIMES(zonal_early, not_before_s, 2, 1)
TIMES(instance_early, not_before_s, 3, 1)
TIMES(leaf_early, not_before_s, 4, 1)
TIMES(leaf_to_the_second, not_after_s, 4, 0)
TIMES(leaf_from_the_second, not_before_s, 4, 0)

static void test_times(void **state)
{
	static const struct wrong cases[] = {
	    {"root expired", root_over, HM_CHAIN_EXPIRED},
	    {"regional expired", regional_over, HM_CHAIN_EXPIRED},
	    {"zonal expired", zonal_over, HM_CHAIN_EXPIRED},
	    {"instance expired", instance_over, HM_CHAIN_EXPIRED},
	    {"leaf expired", leaf_over, HM_CHAIN_EXPIRED},
	    {"root not yet valid", root_early, HM_CHAIN_NOT_YET_VALID},
	    {"regional not yet valid", regional_early, HM_CHAIN_NOT_YET_VALID},
	    {"zonal not yet valid", zonal_early, HM_CHAIN_NOT_YET_VALID},
	    {"instance not yet valid", instance_early, HM_CHAIN_NOT_YET_VALID},
	    {"leaf not yet valid", leaf_early, HM_CHAIN_NOT_YET_VALID},
	    {"leaf ends at this instant", leaf_to_the_second, HM_VALID},
	    {"leaf begins at this instant", leaf_from_the_second, HM_VALID},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

/* The policy's root has the name of the document's root, and another key. */
static void test_root_of_the_same_name(void **state)
{
	static struct blob ours;
	struct hm_policy *policy;

	(void)state;
	builder_reset(b);
	builder_make(b);
	policy = builder_policy(b);
	ours = b->document;
	other_key = b->key_of[0] = EVP_EC_gen("P-384");
	builder_make(b);
	assert_int_equal(hm_document_verify_replay(policy, NULL, b->document.at,
			     b->document.len, NULL, 0, NULL, NULL),
	    HM_ROOT_UNTRUSTED);
	assert_int_equal(hm_document_verify_replay(policy, NULL, ours.at,
			     ours.len, NULL, 0, NULL, NULL),
	    HM_VALID);
	hm_policy_free(policy);
	EVP_PKEY_free(other_key);
	other_key = NULL;
}

/* As above, but with our root put at the head of the other's chain. */
static void put_our_root(struct builder *x)
{
	x->bundle[0] = x->bundle[15];
}

static void test_root_put_before_another_chain(void **state)
{
	struct hm_policy *policy;

	(void)state;
	builder_reset(b);
	builder_make(b);
	policy = builder_policy(b);
	b->bundle[15] = b->der[0];
	other_key = b->key_of[0] = EVP_EC_gen("P-384");
	b->edit_bundle = put_our_root;
	builder_make(b);
	assert_int_equal(hm_document_verify_replay(policy, NULL, b->document.at,
			     b->document.len, NULL, 0, NULL, NULL),
	    HM_CHAIN_BROKEN);
	hm_policy_free(policy);
	EVP_PKEY_free(other_key);
	other_key = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_root_of_the_same_name),
	    cmocka_unit_test(test_root_put_before_another_chain),
	};

	return cmocka_run_group_tests_name("chain", tests, setup, teardown);
}
