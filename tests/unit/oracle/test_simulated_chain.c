/* simulated_chain: the profile of each level, as OpenSSL reads it, a chain
 * that verifies, and what is made anew when. */
#include "oracle/simulated_chain.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW  INT64_C(1800000000)
#define HOUR 3600
#define DAY  (24 * HOUR)

static struct simulated_chain chain;

static int setup(void **state)
{
	struct simulated_chain_link root;

	(void)state;
	assert_int_equal(simulated_chain_make_root(&root, NOW), 0);
	assert_int_equal(
	    simulated_chain_init(&chain, &root, NOW * 1000 + 123), 0);
	assert_null(root.cert);
	assert_int_equal(simulated_chain_renew(&chain, NOW), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	simulated_chain_fini(&chain);
	return 0;
}

/* The chain, by a path validation that is not ours. */
static int verifies_at(int64_t at_s, unsigned long flags)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	int rc;

	X509_STORE_add_cert(store, chain.links[SIMULATED_CHAIN_ROOT].cert);
	for (unsigned i = 1; i < SIMULATED_CHAIN_LEAF; i++)
		sk_X509_push(between, chain.links[i].cert);
	assert_int_equal(X509_STORE_CTX_init(ctx, store,
			     chain.links[SIMULATED_CHAIN_LEAF].cert, between),
	    1);
	X509_STORE_CTX_set_time(ctx, 0, at_s);
	X509_STORE_CTX_set_flags(ctx, flags);
	rc = X509_verify_cert(ctx);
	sk_X509_free(between);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return rc == 1;
}

static void test_verifies(void **state)
{
	(void)state;
	assert_true(verifies_at(NOW, 0));
	assert_true(verifies_at(NOW - 60, 0));
	assert_false(verifies_at(NOW - 61, 0));
	/* To OpenSSL the second of notAfter is already over. */
	assert_true(verifies_at(NOW - 60 + 3 * HOUR + 2, 0));
	assert_false(verifies_at(NOW - 60 + 3 * HOUR + 3, 0));
	/* Real leaves have no authority key identifier, nor has ours. */
	assert_false(verifies_at(NOW, X509_V_FLAG_X509_STRICT));
}

static const struct {
	int64_t lifetime_s;
	long path_length; /* -1: none */
	uint32_t usage;
	int is_ca, usage_critical, subject_key_id, authority_key_id;
} expected[SIMULATED_CHAIN_LEVELS] = {
    {INT64_C(10958) * DAY, -1,
	KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN, 1, 1, 1, 0},
    {20 * DAY + HOUR, 2, KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN,
	1, 1, 1, 1},
    {6 * DAY, 1, KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN, 1, 1, 1,
	1},
    {DAY, 0, KU_KEY_CERT_SIGN, 1, 1, 1, 1},
    {3 * HOUR + 3, -1, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION, 0, 0, 0, 0},
};

static void check_profile(unsigned level)
{
	const struct simulated_chain_link *link = &chain.links[level];
	X509 *cert = link->cert;
	char group[32];
	int at;

	assert_int_equal(
	    link->not_after_s - link->not_before_s, expected[level].lifetime_s);
	assert_int_equal(link->not_before_s, NOW - SIMULATED_CHAIN_BACKDATE_S);
	assert_int_equal(X509_get_version(cert), X509_VERSION_3);
	assert_int_equal(X509_get_signature_nid(cert), NID_ecdsa_with_SHA384);
	assert_int_equal(EVP_PKEY_get_group_name(X509_get0_pubkey(cert), group,
			     sizeof(group), NULL),
	    1);
	assert_string_equal(group, "secp384r1");
	assert_int_equal(X509_check_ca(cert) == 1, expected[level].is_ca);
	assert_int_equal(X509_get_pathlen(cert), expected[level].path_length);
	assert_int_equal(X509_get_key_usage(cert), expected[level].usage);
	at = X509_get_ext_by_NID(cert, NID_basic_constraints, -1);
	assert_int_equal(
	    X509_EXTENSION_get_critical(X509_get_ext(cert, at)), 1);
	at = X509_get_ext_by_NID(cert, NID_key_usage, -1);
	assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(cert, at)),
	    expected[level].usage_critical);
	assert_int_equal(X509_get0_subject_key_id(cert) != NULL,
	    expected[level].subject_key_id);
	assert_int_equal(X509_get0_authority_key_id(cert) != NULL,
	    expected[level].authority_key_id);
	assert_int_equal(X509_get_extension_flags(cert) & EXFLAG_XKUSAGE, 0);
}

static void test_profiles(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIMULATED_CHAIN_LEVELS; i++)
		check_profile(i);
}

static void common_name(unsigned level, char out[80])
{
	X509_NAME *name = X509_get_subject_name(chain.links[level].cert);
	char part[80];

	assert_true(
	    X509_NAME_get_text_by_NID(name, NID_commonName, out, 80) > 0);
	assert_true(X509_NAME_get_text_by_NID(
			name, NID_organizationName, part, 80) > 0);
	assert_string_equal(part, "Hallmark");
	assert_true(X509_NAME_get_text_by_NID(
			name, NID_organizationalUnitName, part, 80) > 0);
	assert_string_equal(part, "simulated");
}

static void test_names(void **state)
{
	static const char *const tails[SIMULATED_CHAIN_LEVELS] = {
	    "simulated.nitro-enclaves",
	    "0.simulated-1.simulated.nitro-enclaves",
	    "0.zonal.simulated-1.simulated.nitro-enclaves",
	    "0.simulated-1.simulated.nitro-enclaves",
	    "0.simulated-1.aws",
	};
	char name[80], wanted[80];

	(void)state;
	for (unsigned i = 0; i < SIMULATED_CHAIN_LEVELS; i++) {
		const char *tail = tails[i] + (tails[i][0] == '0');

		common_name(i, name);
		assert_true(strlen(name) >= strlen(tail));
		assert_string_equal(name + strlen(name) - strlen(tail), tail);
	}
	common_name(SIMULATED_CHAIN_LEAF, name);
	snprintf(wanted, sizeof(wanted), "%s.simulated-1.aws", chain.module_id);
	assert_string_equal(name, wanted);
	common_name(SIMULATED_CHAIN_INSTANCE, name);
	assert_memory_equal(name, chain.module_id, 19);
}

/* i-<17 hex>-enc<12 hex of the start><4 hex> */
static void test_module_id(void **state)
{
	char stamp[13] = {0};

	(void)state;
	assert_int_equal(strlen(chain.module_id), 19 + 4 + 16);
	assert_memory_equal(chain.module_id, "i-", 2);
	assert_int_equal(strspn(chain.module_id + 2, "0123456789abcdef"), 17);
	assert_memory_equal(chain.module_id + 19, "-enc", 4);
	assert_int_equal(strspn(chain.module_id + 23, "0123456789abcdef"), 16);
	memcpy(stamp, chain.module_id + 23, 12);
	assert_int_equal(strtoll(stamp, NULL, 16), NOW * 1000 + 123);
}

/* ---- renewal ---- */

/* Which levels are other certificates after renewing at this time. */
static unsigned renewed_at(int64_t at_s)
{
	struct simulated_chain_link old[SIMULATED_CHAIN_LEVELS];
	unsigned changed = 0;

	memcpy(old, chain.links, sizeof(old));
	assert_int_equal(simulated_chain_renew(&chain, at_s), 0);
	for (unsigned i = 0; i < SIMULATED_CHAIN_LEVELS; i++)
		if (old[i].der_len != chain.links[i].der_len ||
		    memcmp(old[i].der, chain.links[i].der, old[i].der_len))
			changed |= 1u << i;
	assert_true(verifies_at(at_s, 0));
	return changed;
}

#define LEAF_END (NOW - 60 + 3 * HOUR + 3)

static void test_leaf_is_reused(void **state)
{
	(void)state;
	assert_int_equal(renewed_at(NOW), 0);
	assert_int_equal(renewed_at(NOW + HOUR), 0);
	assert_int_equal(renewed_at(LEAF_END - 601), 0);
	assert_int_equal(renewed_at(LEAF_END - 600), 1 << 4);
}

/* Whoever signs must outlive what it signs. */
static void test_nothing_outlives_its_issuer(void **state)
{
	int64_t at_s = NOW;

	(void)state;
	for (unsigned step = 0; step < 300; step++) {
		const struct simulated_chain_link *l = chain.links;

		at_s += 2 * HOUR + step % 7 * 601;
		(void)renewed_at(at_s);
		for (unsigned i = 1; i < SIMULATED_CHAIN_LEVELS; i++)
			assert_true(l[i].not_after_s <= l[i - 1].not_after_s);
		assert_true(l[SIMULATED_CHAIN_LEAF].not_after_s > at_s + 600);
	}
}

static void test_upper_levels(void **state)
{
	(void)state;
	/* At 21 h a leaf would outlive its instance. */
	assert_int_equal(renewed_at(NOW + 20 * HOUR), 1 << 4);
	assert_int_equal(renewed_at(NOW + 23 * HOUR), 1 << 4 | 1 << 3);
	assert_int_equal(
	    renewed_at(NOW + 5 * DAY + HOUR), 1 << 4 | 1 << 3 | 1 << 2);
	assert_int_equal(
	    renewed_at(NOW + 19 * DAY), 1 << 4 | 1 << 3 | 1 << 2 | 1 << 1);
}

/* A gap of years, as after a restart of a machine that was off. */
static void test_after_years(void **state)
{
	(void)state;
	assert_int_equal(renewed_at(NOW + INT64_C(29) * 365 * DAY), 0x1e);
}

static void test_root_ends(void **state)
{
	struct simulated_chain before = chain;

	(void)state;
	assert_int_equal(
	    simulated_chain_renew(&chain, NOW + INT64_C(10958) * DAY), -1);
	assert_memory_equal(&before, &chain, sizeof(chain));
	/* Before the root began, too. */
	assert_int_equal(simulated_chain_renew(&chain, NOW - 61), -1);
}

static void test_clock_goes_back(void **state)
{
	(void)state;
	assert_int_equal(renewed_at(NOW + 5 * HOUR), 1 << 4);
	/* The new leaf begins a minute before it was made. */
	assert_int_equal(renewed_at(NOW + 5 * HOUR - 60), 0);
	assert_int_equal(renewed_at(NOW + 4 * HOUR), 1 << 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_verifies, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_profiles, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_names, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_module_id, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_leaf_is_reused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_nothing_outlives_its_issuer, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_upper_levels, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_after_years, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_root_ends, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_clock_goes_back, setup, teardown),
	};

	return cmocka_run_group_tests_name(
	    "simulated_chain", tests, NULL, NULL);
}
