/* Releases, their windows, empty policies and revoked certificates: a good
 * document, and a policy that does not want it. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/one_question_wrong.h"

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

/* ---- two versions: the builder's release "test", and another ---- */

static void pin(struct hm_policy *policy, int release, unsigned index)
{
	assert_int_equal(
	    hm_policy_add_pcr(policy, release, index, b->pcrs[index]), 0);
}

static void pin_other(struct hm_policy *policy, int release, unsigned index)
{
	uint8_t value[HM_PCR_LEN];

	memset(value, 0x99, sizeof(value));
	assert_int_equal(hm_policy_add_pcr(policy, release, index, value), 0);
}

/* "test" becomes the release of another image. */
static void spoil_test(struct hm_policy *policy)
{
	memset(policy->releases[0].pins[0].value, 0x99, HM_PCR_LEN);
}

static int add_release(
    struct hm_policy *policy, int64_t not_before_ms, int64_t not_after_ms)
{
	int at = hm_policy_add_release(
	    policy, "2.0", not_before_ms, not_after_ms);

	assert_true(at > 0);
	return at;
}

static void other_version(struct hm_policy *policy)
{
	pin_other(policy, add_release(policy, INT64_MIN, INT64_MAX), 0);
}

static void only_newer(struct hm_policy *policy)
{
	spoil_test(policy);
	pin(policy, add_release(policy, INT64_MIN, INT64_MAX), 0);
}

static void newer_is_over(struct hm_policy *policy)
{
	spoil_test(policy);
	pin(policy, add_release(policy, INT64_MIN, BUILDER_NOW_MS - 1), 0);
}

static void newer_ends_now(struct hm_policy *policy)
{
	spoil_test(policy);
	pin(policy, add_release(policy, INT64_MIN, BUILDER_NOW_MS), 0);
}

static void newer_not_yet(struct hm_policy *policy)
{
	spoil_test(policy);
	pin(policy, add_release(policy, BUILDER_NOW_MS + 1, INT64_MAX), 0);
}

static void newer_begins_now(struct hm_policy *policy)
{
	spoil_test(policy);
	pin(policy, add_release(policy, BUILDER_NOW_MS, INT64_MAX), 0);
}

/* The same image, in two windows, and now is between them. */
static void between_windows(struct hm_policy *policy)
{
	policy->releases[0].not_after_ms = BUILDER_NOW_MS - 1;
	pin(policy, add_release(policy, BUILDER_NOW_MS + 1, INT64_MAX), 0);
}

/* Over, but the same image is released again. */
static void released_again(struct hm_policy *policy)
{
	policy->releases[0].not_after_ms = BUILDER_NOW_MS - 1;
	pin(policy, add_release(policy, BUILDER_NOW_MS, INT64_MAX), 0);
}

/* PCR0 of the one, PCR1 of the other. */
static void mixed(struct hm_policy *policy)
{
	int newer = add_release(policy, INT64_MIN, INT64_MAX);

	memset(policy->releases[0].pins[1].value, 0x99, HM_PCR_LEN);
	pin_other(policy, newer, 0);
	pin(policy, newer, 1);
}

/* The window of one does not serve the other: "test" fits and is over, the
 * other is current and does not fit. */
static void window_of_the_other(struct hm_policy *policy)
{
	policy->releases[0].not_after_ms = BUILDER_NOW_MS - 1;
	pin_other(policy, add_release(policy, INT64_MIN, INT64_MAX), 0);
}

static void test_versions(void **state)
{
	static const struct asked cases[] = {
	    {"another version beside it", 0, NULL, other_version, NULL,
		HM_VALID},
	    {"the other of two versions", 0, NULL, only_newer, NULL, HM_VALID},
	    {"neither version", 0, NULL, spoil_test, NULL, HM_PCR_MISMATCH},
	    {"its window ended 1 ms ago", 0, NULL, newer_is_over, NULL,
		HM_RELEASE_WINDOW},
	    {"its window ends now", 0, NULL, newer_ends_now, NULL, HM_VALID},
	    {"its window ended 1 ms before it was asked", 1, NULL,
		newer_ends_now, NULL, HM_RELEASE_WINDOW},
	    {"its window begins in 1 ms", 0, NULL, newer_not_yet, NULL,
		HM_RELEASE_WINDOW},
	    {"its window begins now", 0, NULL, newer_begins_now, NULL,
		HM_VALID},
	    {"between two windows", 0, NULL, between_windows, NULL,
		HM_RELEASE_WINDOW},
	    {"released again", 0, NULL, released_again, NULL, HM_VALID},
	    {"PCR0 of the one, PCR1 of the other", 0, NULL, mixed, NULL,
		HM_PCR_MISMATCH},
	    {"the window of the other", 0, NULL, window_of_the_other, NULL,
		HM_RELEASE_WINDOW},
	};

	(void)state;
	ASKED_RUN(b, cases);
}

/* ---- policies that say nothing ---- */

static void no_roots(struct hm_policy *policy)
{
	policy->root_count = 0;
}

static void no_releases(struct hm_policy *policy)
{
	free(policy->releases[0].pins);
	policy->release_count = 0;
}

static void no_pins(struct hm_policy *policy)
{
	policy->releases[0].pin_count = 0;
	policy->releases[0].pin_mask = 0;
}

/* PCR3 alone: says who may run it, not what. */
static void no_image(struct hm_policy *policy)
{
	no_pins(policy);
	pin(policy, 0, 3);
}

static void one_says_nothing(struct hm_policy *policy)
{
	(void)add_release(policy, INT64_MIN, INT64_MAX);
}

static void test_empty(void **state)
{
	static const struct asked cases[] = {
	    {"no root", 0, NULL, no_roots, NULL, HM_POLICY_EMPTY},
	    {"no release", 0, NULL, no_releases, NULL, HM_POLICY_EMPTY},
	    {"a release without PCRs", 0, NULL, no_pins, NULL, HM_POLICY_EMPTY},
	    {"a release without PCR0, 1 or 2", 0, NULL, no_image, NULL,
		HM_POLICY_EMPTY},
	    {"one of two releases without PCRs", 0, NULL, one_says_nothing,
		NULL, HM_POLICY_EMPTY},
	};

	(void)state;
	ASKED_RUN(b, cases);
}

/* ---- revoked by (issuer, serial) ---- */

/* The builder's serial numbers are 1000 and the level. */
static void revoke(struct hm_policy *policy, unsigned issuer, unsigned serial)
{
	struct policy_revoked revoked = {.serial_len = 2};
	unsigned char *spki = NULL;
	int len = i2d_PUBKEY(b->keys[issuer], &spki);

	assert_true(len > 0);
	EVP_Digest(spki, (size_t)len, revoked.issuer_spki_sha256, NULL,
	    EVP_sha256(), NULL);
	OPENSSL_free(spki);
	revoked.serial[0] = (uint8_t)(serial >> 8);
	revoked.serial[1] = (uint8_t)serial;
	assert_int_equal(policy_add_revoked(policy, &revoked), 0);
}

#define REVOKE(name, issuer, serial)               \
	static void name(struct hm_policy *policy) \
	{                                          \
		revoke(policy, issuer, serial);    \
	}

REVOKE(regional, 0, 1001)
REVOKE(zonal, 1, 1002)
REVOKE(instance, 2, 1003)
REVOKE(leaf, 3, 1004)
REVOKE(other_serial, 3, 1005)
REVOKE(other_issuer, 2, 1004)
REVOKE(by_the_leaf, 4, 1004)

static void last_of_many(struct hm_policy *policy)
{
	for (unsigned i = 0; i < 100; i++)
		revoke(policy, 3, 2000 + i);
	leaf(policy);
}

static void test_revoked(void **state)
{
	static const struct asked cases[] = {
	    {"regional revoked", 0, NULL, regional, NULL,
		HM_CERTIFICATE_REVOKED},
	    {"zonal revoked", 0, NULL, zonal, NULL, HM_CERTIFICATE_REVOKED},
	    {"instance revoked", 0, NULL, instance, NULL,
		HM_CERTIFICATE_REVOKED},
	    {"leaf revoked", 0, NULL, leaf, NULL, HM_CERTIFICATE_REVOKED},
	    {"leaf revoked, the last of 101", 0, NULL, last_of_many, NULL,
		HM_CERTIFICATE_REVOKED},
	    {"another serial revoked", 0, NULL, other_serial, NULL, HM_VALID},
	    {"the serial of another issuer revoked", 0, NULL, other_issuer,
		NULL, HM_VALID},
	    {"the serial revoked with its own key", 0, NULL, by_the_leaf, NULL,
		HM_VALID},
	};

	(void)state;
	ASKED_RUN(b, cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_versions),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_revoked),
	};

	return cmocka_run_group_tests_name("releases", tests, setup, teardown);
}
