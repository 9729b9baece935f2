/* Roots of a policy: what is taken for one, and how it is called. */
#include "tests/unit/verifier/shared_builder.h"

#include "verifier/known_roots.h"

static int setup_made(void **state)
{
	setup(state);
	builder_make(b);
	return 0;
}

static void test_known_roots(void **state)
{
	struct hm_policy *policy = hm_policy_new();

	(void)state;
	for (const struct known_root *r = known_roots; r->name != NULL; r++) {
		assert_int_equal(hm_policy_add_root_name(policy, r->name), 0);
		/* the text gives the certificate that AWS published the hash of
		 */
		assert_non_null(policy_find_root(policy, r->sha256));
	}
	assert_int_equal(policy->root_count, 1);
	assert_string_equal(policy->roots[0].name, "aws-nitro-g1");
	assert_string_equal(policy->roots[0].platform, "aws-nitro");
	assert_int_equal(hm_policy_add_root_name(policy, "aws-nitro"), -1);
	assert_int_equal(hm_policy_add_root_name(policy, ""), -1);
	/* the same one again is no other */
	assert_int_equal(hm_policy_add_root_name(policy, "aws-nitro-g1"), 0);
	assert_int_equal(policy->root_count, 1);
	hm_policy_free(policy);
}

static void test_fingerprint(void **state)
{
	static const uint8_t published[HM_SHA256_LEN] = {0x64, 0x1a, 0x03, 0x21,
	    0xa3, 0xe2, 0x44, 0xef, 0xe4, 0x56, 0x46, 0x31, 0x95, 0xd6, 0x06,
	    0x31, 0x7e, 0xd7, 0xcd, 0xcc, 0x3c, 0x17, 0x56, 0xe0, 0x98, 0x93,
	    0xf3, 0xc6, 0x8f, 0x79, 0xbb, 0x5b};

	(void)state;
	assert_memory_equal(
	    known_roots[0].sha256, published, sizeof(published));
}

static void test_root_pem(void **state)
{
	struct hm_policy *policy = hm_policy_new();
	char *pem = builder_root_pem(b);
	size_t len = strlen(pem);
	char twice[8192];

	(void)state;
	assert_int_equal(hm_policy_add_root_pem(policy, pem, len), 0);
	assert_string_equal(policy->roots[0].name, BUILDER_ROOT_NAME);
	assert_string_equal(policy->roots[0].platform, "simulated");
	snprintf(twice, sizeof(twice), "%s%s", pem, pem);
	assert_int_equal(
	    hm_policy_add_root_pem(policy, twice, strlen(twice)), -1);
	assert_int_equal(hm_policy_add_root_pem(policy, pem, len / 2), -1);
	assert_int_equal(hm_policy_add_root_pem(policy, "", 0), -1);
	assert_int_equal(
	    hm_policy_add_root_pem(policy, b->rsa_pem, strlen(b->rsa_pem)), -1);
	pem[100] = pem[100] == 'A' ? 'B' : 'A';
	assert_int_equal(hm_policy_add_root_pem(policy, pem, len), -1);
	assert_int_equal(policy->root_count, 1);
	hm_policy_free(policy);
	free(pem);
}

/* The right bytes under another name. */
static void test_root_pem_of_another_kind(void **state)
{
	static const char *const names[] = {
	    "TRUSTED CERTIFICATE", "PUBLIC KEY", "X509 CRL", "ROOT"};
	struct hm_policy *policy = hm_policy_new();

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		BIO *bio = BIO_new(BIO_s_mem());
		char *text;
		long len;

		assert_true(PEM_write_bio(bio, names[i], "", b->der[0].at,
				(long)b->der[0].len) > 0);
		len = BIO_get_mem_data(bio, &text);
		assert_int_equal(
		    hm_policy_add_root_pem(policy, text, (size_t)len), -1);
		BIO_free(bio);
	}
	for (size_t i = 0; i < 2; i++) {
		const char *header = i == 0 ? "" : "Proc-Type: 4\n";
		BIO *bio = BIO_new(BIO_s_mem());
		char *text;
		long len;

		assert_true(PEM_write_bio(bio, PEM_STRING_X509, header,
				b->der[0].at, (long)b->der[0].len) > 0);
		len = BIO_get_mem_data(bio, &text);
		assert_int_equal(
		    hm_policy_add_root_pem(policy, text, (size_t)len),
		    i == 0 ? 0 : -1);
		BIO_free(bio);
	}
	hm_policy_free(policy);
}

/* One block, and much else around it. */
static void test_root_pem_too_long(void **state)
{
	struct hm_policy *policy = hm_policy_new();
	static char text[POLICY_PEM_MAX + 2];
	char *pem = builder_root_pem(b);

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, pem, strlen(pem));
	assert_int_equal(
	    hm_policy_add_root_pem(policy, text, POLICY_PEM_MAX + 1), -1);
	assert_int_equal(
	    hm_policy_add_root_pem(policy, text, POLICY_PEM_MAX), 0);
	hm_policy_free(policy);
	free(pem);
}

/* A file that may stand for a root must be one: P-384, self-signed, a CA. */
static int add_level(unsigned level)
{
	struct hm_policy *policy = hm_policy_new();
	struct blob kept = b->der[0];
	char *pem;
	int status;

	b->der[0] = b->der[level];
	pem = builder_root_pem(b);
	b->der[0] = kept;
	status = hm_policy_add_root_pem(policy, pem, strlen(pem));
	free(pem);
	hm_policy_free(policy);
	return status;
}

static void test_not_a_root(void **state)
{
	(void)state;
	assert_int_equal(add_level(0), 0);
	for (unsigned level = 1; level < BUILDER_LEVELS; level++)
		assert_int_equal(add_level(level), -1);
}

/* Another common name in subject, issuer or both; signed by the root's key. */
static const char *other_subject, *other_issuer;

static void put_common_name(X509_NAME *name, const char *cn)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
	assert_int_equal(
	    X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
		(const unsigned char *)cn, -1, -1, 0),
	    1);
}

static void put_names(struct builder *x, unsigned level, X509 *c)
{
	(void)x;
	if (level != 0)
		return;
	put_common_name(X509_get_subject_name(c), other_subject);
	put_common_name(X509_get_issuer_name(c), other_issuer);
}

static int add_root_named(const char *subject, const char *issuer)
{
	int status;

	other_subject = subject;
	other_issuer = issuer;
	b->edit_cert = put_names;
	builder_make(b);
	status = add_level(0);
	builder_reset(b);
	builder_make(b);
	return status;
}

static void test_root_names(void **state)
{
	char name[HM_TEXT_MAX + 1];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[HM_TEXT_MAX] = '\0';
	assert_int_equal(add_root_named("a root", "a root"), 0);
	assert_int_equal(add_root_named("a root", "another"), -1);
	assert_int_equal(add_root_named("a\nroot", "a\nroot"), -1);
	assert_int_equal(add_root_named("a\x7froot", "a\x7froot"), -1);
	assert_int_equal(add_root_named("", ""), -1);
	assert_int_equal(add_root_named(name, name), -1);
	name[HM_TEXT_MAX - 1] = '\0';
	assert_int_equal(add_root_named(name, name), 0);
}

static void put_no_ca(struct builder *x, unsigned level, X509 *c)
{
	(void)x;
	if (level != 0)
		return;
	builder_drop_extension(c, NID_basic_constraints);
	builder_extension(c, NID_basic_constraints, "critical,CA:FALSE");
}

static void put_long_comment(struct builder *x, unsigned level, X509 *c)
{
	char comment[700];

	(void)x;
	if (level != 0)
		return;
	memset(comment, 'c', sizeof(comment));
	comment[sizeof(comment) - 1] = '\0';
	builder_extension(c, NID_netscape_comment, comment);
}

static void test_root_of_another_form(void **state)
{
	(void)state;
	b->edit_cert = put_no_ca;
	builder_make(b);
	assert_int_equal(add_level(0), -1);
	b->edit_cert = put_long_comment;
	builder_make(b);
	assert_int_equal(add_level(0), -1);
	builder_reset(b);
	builder_make(b);
}

static void flip_signature(struct builder *x, unsigned level, struct blob *der)
{
	(void)x;
	if (level == 0)
		der->at[der->len - 1] ^= 1;
}

static void test_root_not_signed_by_itself(void **state)
{
	(void)state;
	b->edit_der = flip_signature;
	builder_make(b);
	assert_int_equal(add_level(0), -1);
	builder_reset(b);
	builder_make(b);
}

static void test_too_many_roots(void **state)
{
	struct hm_policy *policy = hm_policy_new();
	EVP_PKEY *keys[POLICY_ROOTS_MAX + 1];

	(void)state;
	for (size_t i = 0; i <= POLICY_ROOTS_MAX; i++) {
		char *pem;

		keys[i] = b->key_of[0] = EVP_EC_gen("P-384");
		builder_make(b);
		pem = builder_root_pem(b);
		assert_int_equal(
		    hm_policy_add_root_pem(policy, pem, strlen(pem)),
		    i < POLICY_ROOTS_MAX ? 0 : -1);
		free(pem);
	}
	for (size_t i = 0; i <= POLICY_ROOTS_MAX; i++)
		EVP_PKEY_free(keys[i]);
	builder_reset(b);
	builder_make(b);
	hm_policy_free(policy);
}

/* ---- roots that would be taken for others ---- */

static void test_known_name_of_another(void **state)
{
	(void)state;
	assert_int_equal(add_root_named("aws-nitro-g1", "aws-nitro-g1"), -1);
	assert_int_equal(add_root_named("aws-nitro-g2", "aws-nitro-g2"), 0);
}

/* To revoke a root is not to name it. Naming it nevertheless would leave the
 * revocation without effect, so it is a mistake. */
static void test_revoked_root(void **state)
{
	struct hm_policy *policy = builder_policy(b);
	const struct policy_root *root = &policy->roots[0];
	struct policy_revoked revoked = {0};
	char *pem = builder_root_pem(b), error[HM_TEXT_MAX];

	(void)state;
	policy->root_count = 0; /* that one was not read */
	assert_int_equal(hm_policy_add_root_pem(policy, pem, strlen(pem)), 0);
	free(pem);
	revoked.serial_len = root->cert.serial_len;
	memcpy(
	    revoked.issuer_spki_sha256, root->cert.spki_sha256, HM_SHA256_LEN);
	memcpy(revoked.serial, root->cert.serial, revoked.serial_len);
	revoked.serial[0] ^= 1;
	assert_int_equal(policy_add_revoked(policy, &revoked), 0);
	assert_int_equal(hm_policy_check(policy, error), 0);
	revoked.serial[0] ^= 1;
	assert_int_equal(policy_add_revoked(policy, &revoked), 0);
	assert_int_equal(hm_policy_check(policy, error), -1);
	assert_string_equal(error, "root 0 is named and revoked at once");
	assert_int_equal(hm_document_verify_replay(policy, NULL, b->document.at,
			     b->document.len, NULL, 0, NULL, NULL),
	    HM_POLICY_EMPTY);
	hm_policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_roots),
	    cmocka_unit_test(test_fingerprint),
	    cmocka_unit_test(test_root_pem),
	    cmocka_unit_test(test_root_pem_of_another_kind),
	    cmocka_unit_test(test_not_a_root),
	    cmocka_unit_test(test_root_pem_too_long),
	    cmocka_unit_test(test_root_of_another_form),
	    cmocka_unit_test(test_root_names),
	    cmocka_unit_test(test_root_not_signed_by_itself),
	    cmocka_unit_test(test_too_many_roots),
	    cmocka_unit_test(test_known_name_of_another),
	    cmocka_unit_test(test_revoked_root),
	};

	return cmocka_run_group_tests_name(
	    "policy roots", tests, setup_made, teardown);
}
