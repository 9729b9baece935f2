/* Signatures of a document whose r or s lies outside of 1..n-1, at its ends or
 * beside them (SEC 1, 4.1.4), and one whose sum is the point at infinity. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/ecdsa_case.h"

/* ---- wrong ones ---- */

/* u1 G + u2 Q is the point at infinity, which has no x, whatever r and s. */
static void test_infinity(void **state)
{
	enum hm_verdict verdict;

	(void)state;
	set_payload(0);
	set_any(e.s, "s");
	set_any_point();
	read_r();
	divide(e.b, e.z, e.r);
	negate(e.b, e.b);
	OK(EC_POINT_mul(e.group, e.q, e.b, NULL, NULL, e.ctx));
	set_key();
	verdict = verify(e.r, e.s);
	tell(verdict == HM_DOCUMENT_SIGNATURE, verdict, "R at infinity");
	assert_int_equal(verdict, HM_DOCUMENT_SIGNATURE);
}

#define EDGES 9

static const char *const edge_names[EDGES] = {
    "0", "1", "n - 1", "n", "n + 1", "p", "p + 1", "2^384 - 1", "as signed"};

/* `signed_one` is the last of them. */
static void set_edges(BIGNUM *out[EDGES], const BIGNUM *signed_one)
{
	for (int i = 0; i < EDGES; i++)
		out[i] = BN_new();
	OK(BN_one(out[1]));
	OK(BN_sub(out[2], e.n, BN_value_one()));
	assert_non_null(BN_copy(out[3], e.n));
	OK(BN_add(out[4], e.n, BN_value_one()));
	assert_non_null(BN_copy(out[5], e.p));
	OK(BN_add(out[6], e.p, BN_value_one()));
	OK(BN_lshift(out[7], BN_value_one(), SCALAR_BITS));
	OK(BN_sub_word(out[7], 1));
	assert_non_null(BN_copy(out[8], signed_one));
}

/* Each of them as r with each of them as s, but for the one that is right. */
static void test_edges(void **state)
{
	BIGNUM *r[EDGES], *s[EDGES];
	size_t bad = 0;

	(void)state;
	set_payload(0);
	set_any_point();
	set_any(e.b, "secret");
	sign();
	set_edges(r, e.r);
	set_edges(s, e.s);
	for (int i = 0; i < EDGES * EDGES; i++) {
		int at_r = i / EDGES, at_s = i % EDGES;
		bool right = at_r == EDGES - 1 && at_s == EDGES - 1;
		enum hm_verdict verdict = verify(r[at_r], s[at_s]);
		bool ok = verdict == (right ? HM_VALID : HM_DOCUMENT_SIGNATURE);
		char name[64];

		snprintf(name, sizeof(name), "r = %s, s = %s", edge_names[at_r],
		    edge_names[at_s]);
		tell(ok, verdict, name);
		bad += !ok;
	}
	for (int i = 0; i < EDGES; i++) {
		BN_free(r[i]);
		BN_free(s[i]);
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_infinity),
	    cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests_name(
	    "ecdsa_edges", tests, ecdsa_setup, ecdsa_teardown);
}
