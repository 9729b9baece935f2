/*
 * The document's signature at the edges of ECDSA's arithmetic (SEC 1, 4.1.4),
 * in the classes that Project Wycheproof tests, with values made here.
 *
 * Right signatures with any r and s that one likes are made backwards: from a
 * point R, whose x is r, and s follows the key that they verify under,
 * Q = r^-1 (s R - z G). A verifier that is wrong about a carry, a doubling or
 * an x above the group's order refuses some of them. Each one's wrong
 * neighbours are tried with it.
 */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/ecdsa_case.h"

/* ---- right ones ---- */

static void tiny_r(void)
{
	BN_one(e.a);
	set_point_by_x(e.a, 1);
	recover_key();
}

static void largest_r(void)
{
	OK(BN_sub(e.a, e.n, BN_value_one()));
	set_point_by_x(e.a, -1);
	recover_key();
}

/* x = n + 1 or the next above: r = x - n. Of random signatures that is one in
 * 2^194. */
static void x_above_n(void)
{
	OK(BN_add(e.a, e.n, BN_value_one()));
	set_point_by_x(e.a, 1);
	recover_key();
	assert_true(BN_num_bits(e.r) < 16);
}

static void largest_x(void)
{
	OK(BN_sub(e.a, e.p, BN_value_one()));
	set_point_by_x(e.a, -1);
	recover_key();
}

static void s_is_1(void)
{
	set_any_point();
	BN_one(e.s);
	recover_key();
}

static void s_is_2(void)
{
	set_any_point();
	OK(BN_set_word(e.s, 2));
	recover_key();
}

static void s_is_last(void)
{
	set_any_point();
	OK(BN_sub(e.s, e.n, BN_value_one()));
	recover_key();
}

/* One below the middle, so that n - s is one above it. */
static void s_is_half(void)
{
	set_any_point();
	OK(BN_rshift1(e.s, e.n));
	recover_key();
}

/* s^-1 = 2 */
static void s_is_inverse_of_2(void)
{
	set_any_point();
	OK(BN_set_word(e.a, 2));
	divide(e.s, BN_value_one(), e.a);
	recover_key();
}

static void s_with_zero_bytes(void)
{
	set_any_point();
	OK(BN_one(e.s));
	OK(BN_lshift(e.s, e.s, 320));
	recover_key();
}

static void both_tiny(void)
{
	BN_one(e.a);
	set_point_by_x(e.a, 1);
	BN_one(e.s);
	recover_key();
}

static void above_n_and_last(void)
{
	OK(BN_add(e.a, e.n, BN_value_one()));
	set_point_by_x(e.a, 1);
	OK(BN_sub(e.s, e.n, BN_value_one()));
	recover_key();
}

/* u1 = z / s, u2 = r / s */
static void u1_is_1(void)
{
	set_any_point();
	OK(BN_nnmod(e.s, e.z, e.n, e.ctx));
	recover_key();
}

static void u1_is_last(void)
{
	set_any_point();
	negate(e.s, e.z);
	recover_key();
}

static void u2_is_1(void)
{
	set_any_point();
	read_r();
	assert_non_null(BN_copy(e.s, e.r));
	recover_key();
}

static void u2_is_last(void)
{
	set_any_point();
	read_r();
	negate(e.s, e.r);
	recover_key();
}

/* r = z: of a payload whose hash is the x of a point. */
static void u1_is_u2(void)
{
	uint32_t number = 0;

	do
		set_payload(++number);
	while (EC_POINT_set_compressed_coordinates(
		   e.group, e.point, e.z, 0, e.ctx) != 1);
	ERR_clear_error();
	recover_key();
	assert_int_equal(BN_cmp(e.r, e.z), 0);
}

/* u1 G = u2 Q, so the last addition is a doubling: for R = k G the secret is
 * z / r, and s = 2 z / k. */
static void doubling(void)
{
	set_any_point();
	read_r();
	divide(e.b, e.z, e.r);
	sign();
}

static void key_of_secret(unsigned secret)
{
	OK(BN_set_word(e.b, secret));
	set_any_point();
	sign();
}

static void key_is_g(void)
{
	key_of_secret(1);
}

static void key_is_2g(void)
{
	key_of_secret(2);
}

static void key_is_minus_g(void)
{
	OK(BN_sub(e.b, e.n, BN_value_one()));
	set_any_point();
	sign();
}

static void key_is_half_g(void)
{
	OK(BN_set_word(e.a, 2));
	divide(e.b, BN_value_one(), e.a);
	set_any_point();
	sign();
}

/* R is the key itself: k is the secret. */
static void point_is_key(void)
{
	set_any_point();
	assert_non_null(BN_copy(e.b, e.a));
	sign();
}

/* R = G, which anybody can see: k = 1. */
static void point_is_g(void)
{
	BN_one(e.a);
	OK(EC_POINT_mul(e.group, e.point, e.a, NULL, NULL, e.ctx));
	recover_key();
}

/* Searches payloads for a hash of so many bits at most. */
static void short_hash(int bits)
{
	uint32_t number = 0;

	do
		set_payload(++number);
	while (BN_num_bits(e.z) > bits);
	set_any_point();
	recover_key();
}

static void hash_zero_byte(void)
{
	short_hash(SCALAR_BITS - 8);
}

static void hash_two_zero_bytes(void)
{
	short_hash(SCALAR_BITS - 16);
}

static void hash_of_ones(void)
{
	uint32_t number = 0;
	uint8_t bytes[48];

	do {
		set_payload(++number);
		assert_int_equal(BN_bn2binpad(e.z, bytes, 48), 48);
	} while (bytes[0] != 0xff || bytes[1] != 0xff);
	set_any_point();
	recover_key();
}

/* Secrets from 3 on until one coordinate of the key begins with a zero. */
static void key_with_zero(bool in_y)
{
	unsigned secret = 3;
	int bits;

	for (;; secret++) {
		OK(BN_set_word(e.b, secret));
		OK(EC_POINT_mul(e.group, e.q, e.b, NULL, NULL, e.ctx));
		OK(EC_POINT_get_affine_coordinates(
		    e.group, e.q, in_y ? NULL : e.a, in_y ? e.a : NULL, e.ctx));
		bits = BN_num_bits(e.a);
		if (bits <= SCALAR_BITS - 8)
			break;
	}
	key_of_secret(secret);
}

static void key_x_zero_byte(void)
{
	key_with_zero(false);
}

static void key_y_zero_byte(void)
{
	key_with_zero(true);
}

/* ---- and their neighbours ---- */

/* Counts what was refused; a number that cannot be written does not count, nor
 * the twin. */
static size_t refuse(const BIGNUM *r, const BIGNUM *s)
{
	if (BN_num_bits(r) > SCALAR_BITS || BN_num_bits(s) > SCALAR_BITS)
		return 0;
	/* (n - 1) / 2 and (n + 1) / 2 are neighbours and twins */
	OK(BN_add(e.c, s, e.s));
	if (BN_cmp(e.c, e.n) == 0)
		return 0;
	assert_int_equal(verify(r, s), HM_DOCUMENT_SIGNATURE);
	return 1;
}

static size_t refuse_neighbours(void)
{
	size_t refused = 0;

	OK(BN_add(e.a, e.r, BN_value_one()));
	refused += refuse(e.a, e.s);
	OK(BN_sub(e.a, e.r, BN_value_one()));
	refused += refuse(e.a, e.s);
	OK(BN_add(e.a, e.s, BN_value_one()));
	refused += refuse(e.r, e.a);
	OK(BN_sub(e.a, e.s, BN_value_one()));
	refused += refuse(e.r, e.a);
	/* the same residues, not reduced */
	OK(BN_add(e.a, e.r, e.n));
	refused += refuse(e.a, e.s);
	OK(BN_add(e.b, e.s, e.n));
	refused += refuse(e.r, e.b);
	refused += refuse(e.a, e.b);
	if (BN_cmp(e.r, e.s) != 0)
		refused += refuse(e.s, e.r);
	return refused;
}

/* Another payload; the same under the key's negative. */
static size_t refuse_others(void)
{
	size_t refused = 0;

	e.payload[31] ^= 1;
	refused += refuse(e.r, e.s);
	e.payload[31] ^= 1;
	OK(EC_POINT_invert(e.group, e.q, e.ctx));
	set_key();
	refused += refuse(e.r, e.s);
	OK(EC_POINT_invert(e.group, e.q, e.ctx));
	set_key();
	return refused;
}

static void test_right_ones(void **state)
{
	static const struct {
		const char *name;
		void (*make)(void);
	} cases[] = {
	    {"r is the smallest x there is", tiny_r},
	    {"r is the largest x below n", largest_r},
	    {"x of R just above n, r = x - n", x_above_n},
	    {"x of R just below p, r = x - n", largest_x},
	    {"s = 1", s_is_1},
	    {"s = 2", s_is_2},
	    {"s = n - 1", s_is_last},
	    {"s = (n - 1) / 2", s_is_half},
	    {"s = 1 / 2", s_is_inverse_of_2},
	    {"s = 2^320", s_with_zero_bytes},
	    {"r smallest, s = 1", both_tiny},
	    {"x of R above n, s = n - 1", above_n_and_last},
	    {"u1 = 1", u1_is_1},
	    {"u1 = n - 1", u1_is_last},
	    {"u2 = 1, r = s", u2_is_1},
	    {"u2 = n - 1", u2_is_last},
	    {"u1 = u2", u1_is_u2},
	    {"u1 G = u2 Q, a doubling", doubling},
	    {"Q = G", key_is_g},
	    {"Q = 2 G", key_is_2g},
	    {"Q = -G", key_is_minus_g},
	    {"Q = G / 2", key_is_half_g},
	    {"R = Q", point_is_key},
	    {"R = G", point_is_g},
	    {"hash begins with a zero byte", hash_zero_byte},
	    {"hash begins with two zero bytes", hash_two_zero_bytes},
	    {"hash begins with 16 ones", hash_of_ones},
	    {"x of Q begins with a zero byte", key_x_zero_byte},
	    {"y of Q begins with a zero byte", key_y_zero_byte},
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		enum hm_verdict verdict;

		set_payload(0);
		set_any(e.s, "s");
		cases[i].make();
		verdict = verify(e.r, e.s);
		tell(verdict == HM_VALID, verdict, cases[i].name);
		assert_int_equal(verdict, HM_VALID);
		/* the twin, by the nature of ECDSA */
		negate(e.a, e.s);
		assert_int_equal(verify(e.r, e.a), HM_VALID);
		refused += refuse_neighbours() + refuse_others();
	}
	printf("# %zu right ones and their twins (r, n - s); %zu neighbours, "
	       "all refused\n",
	    count, refused);
	assert_true(refused >= 7 * count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_right_ones),
	};

	return cmocka_run_group_tests_name(
	    "ecdsa_right", tests, ecdsa_setup, ecdsa_teardown);
}
