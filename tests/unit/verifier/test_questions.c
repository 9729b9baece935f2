/* Questions about a good document, asked live, with one thing wrong in the
 * clock, the nonce, the PCRs or the policy. Each bound is tried on both of its
 * sides, a millisecond apart. */
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

/* ---- time; the policy's defaults are 300 s and 5 s ---- */

static void no_leeway(struct hm_policy *policy)
{
	hm_policy_set_ages(policy, 0, 0);
}

static void any_age(struct hm_policy *policy)
{
	hm_policy_set_ages(policy, 1000000, -1);
}

static void as_leaf_begins(struct builder *x)
{
	x->timestamp_ms = BUILDER_NOW_MS - 60000;
}

static void before_leaf_begins(struct builder *x)
{
	x->timestamp_ms = BUILDER_NOW_MS - 60001;
}

#define LEAF_MS ((3 * 3600 - 57) * 1000) /* its end */

static void as_leaf_ends(struct builder *x)
{
	x->timestamp_ms = BUILDER_NOW_MS + LEAF_MS;
}

static void after_leaf_ends(struct builder *x)
{
	x->timestamp_ms = BUILDER_NOW_MS + LEAF_MS + 1;
}

static void year_10000(struct builder *x)
{
	x->timestamp_ms = 253402300800000;
}

static void test_time(void **state)
{
	static const struct asked cases[] = {
	    {"at once", 0, NULL, NULL, NULL, HM_VALID},
	    {"max_age - 1 ms", 299999, NULL, NULL, NULL, HM_VALID},
	    {"max_age", 300000, NULL, NULL, NULL, HM_VALID},
	    {"max_age + 1 ms", 300001, NULL, NULL, NULL, HM_DOCUMENT_TOO_OLD},
	    {"max_future - 1 ms", -4999, NULL, NULL, NULL, HM_VALID},
	    {"max_future", -5000, NULL, NULL, NULL, HM_VALID},
	    {"max_future + 1 ms", -5001, NULL, NULL, NULL,
		HM_DOCUMENT_IN_FUTURE},
	    {"max_age 0", 0, NULL, no_leeway, NULL, HM_VALID},
	    {"max_age 0 + 1 ms", 1, NULL, no_leeway, NULL, HM_DOCUMENT_TOO_OLD},
	    {"max_future 0 + 1 ms", -1, NULL, no_leeway, NULL,
		HM_DOCUMENT_IN_FUTURE},
	    {"signed as the leaf begins", 0, as_leaf_begins, NULL, NULL,
		HM_VALID},
	    {"signed 1 ms before the leaf begins", 0, before_leaf_begins, NULL,
		NULL, HM_CHAIN_NOT_YET_VALID},
	    {"signed as the leaf ends", LEAF_MS, as_leaf_ends, NULL, NULL,
		HM_VALID},
	    {"signed 1 ms after the leaf ends", LEAF_MS, after_leaf_ends, NULL,
		NULL, HM_CHAIN_EXPIRED},
	    {"asked as the leaf ends", LEAF_MS, NULL, any_age, NULL, HM_VALID},
	    {"asked 1 ms after the leaf ends", LEAF_MS + 1, NULL, any_age, NULL,
		HM_CHAIN_EXPIRED},
	    {"asked an hour before", -3600000, NULL, any_age, NULL,
		HM_CHAIN_NOT_YET_VALID},
	    {"timestamp in the year 10000", 0, year_10000, NULL, NULL,
		HM_DOCUMENT_MALFORMED},
	};

	(void)state;
	ASKED_RUN(b, cases);
}

/* ---- nonce ---- */

#define NONCE "0123456789abcdef"

static void nonce(struct builder *x)
{
	blob_set(&x->nonce, NONCE, strlen(NONCE));
}

static void longer_nonce(struct builder *x)
{
	blob_set(&x->nonce, NONCE "g", strlen(NONCE "g"));
}

static void nonce_and_nul(struct builder *x)
{
	blob_set(&x->nonce, NONCE "\0", strlen(NONCE) + 1);
}

static void nonce_in_user_data(struct builder *x)
{
	blob_set(&x->user_data, NONCE, strlen(NONCE));
}

static void nonce_in_public_key(struct builder *x)
{
	blob_set(&x->public_key, NONCE, strlen(NONCE));
}

static void nonce_in_both(struct builder *x)
{
	nonce_in_user_data(x);
	blob_set(&x->nonce, "another", strlen("another"));
}

static void put_empty_nonce(struct builder *x)
{
	blob_set(&builder_field(x, "nonce")->value, "\x40", 1);
}

static void empty_nonce(struct builder *x)
{
	x->edit_fields = put_empty_nonce;
}

static void drop_nonce(struct builder *x)
{
	builder_drop_field(x, "nonce");
}

static void absent_nonce(struct builder *x)
{
	x->edit_fields = drop_nonce;
}

static void test_nonce(void **state)
{
	static const struct asked cases[] = {
	    {"the nonce", 0, nonce, NULL, NONCE, HM_VALID},
	    {"a nonce not asked for", 0, nonce, NULL, NULL, HM_VALID},
	    {"another last byte", 0, nonce, NULL, "0123456789abcdeg",
		HM_NONCE_MISMATCH},
	    {"another first byte", 0, nonce, NULL, "1123456789abcdef",
		HM_NONCE_MISMATCH},
	    {"asked for a prefix", 0, nonce, NULL, "0123456789abcde",
		HM_NONCE_MISMATCH},
	    {"got a prefix", 0, nonce, NULL, NONCE "g", HM_NONCE_MISMATCH},
	    {"a byte more", 0, longer_nonce, NULL, NONCE, HM_NONCE_MISMATCH},
	    {"a NUL more", 0, nonce_and_nul, NULL, NONCE, HM_NONCE_MISMATCH},
	    {"nonce null", 0, NULL, NULL, NONCE, HM_NONCE_MISMATCH},
	    {"nonce absent", 0, absent_nonce, NULL, NONCE, HM_NONCE_MISMATCH},
	    {"nonce empty", 0, empty_nonce, NULL, NONCE, HM_NONCE_MISMATCH},
	    {"asked for an empty one", 0, nonce, NULL, "", HM_NONCE_MISMATCH},
	    {"asked for an empty one, empty", 0, empty_nonce, NULL, "",
		HM_NONCE_MISMATCH},
	    {"asked for an empty one, null", 0, NULL, NULL, "",
		HM_NONCE_MISMATCH},
	    {"nonce in user_data", 0, nonce_in_user_data, NULL, NONCE,
		HM_NONCE_MISMATCH},
	    {"nonce in user_data, another in place", 0, nonce_in_both, NULL,
		NONCE, HM_NONCE_MISMATCH},
	    {"nonce in public_key", 0, nonce_in_public_key, NULL, NONCE,
		HM_NONCE_MISMATCH},
	};

	(void)state;
	ASKED_RUN(b, cases);
}

/* ---- PCRs ---- */

/* PCR15 under another number, as CBOR. */
static const char *pcr_key;
static size_t pcr_key_len;

static void put_pcr(struct builder *x)
{
	struct blob *v = &builder_field(x, "pcrs")->value;

	v->at[0] = 0xb1; /* map(17): the sixteen and this one */
	blob_put(v, pcr_key, pcr_key_len);
	blob_bytes(v, x->pcrs[4], 48);
}

#define PCR_KEY(name, bytes)                     \
	static void name(struct builder *x)      \
	{                                        \
		pcr_key = bytes;                 \
		pcr_key_len = sizeof(bytes) - 1; \
		x->edit_fields = put_pcr;        \
	}

PCR_KEY(pcr_16, "\x10")
PCR_KEY(pcr_31, "\x18\x1f")
PCR_KEY(pcr_32, "\x18\x20")
PCR_KEY(pcr_33, "\x18\x21")
PCR_KEY(pcr_256, "\x19\x01\x00")
PCR_KEY(pcr_2_32_16, "\x1b\x00\x00\x00\x01\x00\x00\x00\x10")
PCR_KEY(pcr_2_64, "\x1b\xff\xff\xff\xff\xff\xff\xff\xff")
PCR_KEY(pcr_negative, "\x20")
PCR_KEY(pcr_text, "\x62\x31\x36")
PCR_KEY(pcr_bytes, "\x41\x10")
PCR_KEY(pcr_not_shortest, "\x18\x10")
PCR_KEY(pcr_15, "\x0f")

static void pin(struct hm_policy *policy, unsigned index, uint8_t byte)
{
	uint8_t value[HM_PCR_LEN];

	memset(value, byte, sizeof(value));
	assert_int_equal(hm_policy_add_pcr(policy, 0, index, value), 0);
}

static void pins_16(struct hm_policy *policy)
{
	pin(policy, 16, 0x44);
}

static void pins_16_zero(struct hm_policy *policy)
{
	pin(policy, 16, 0);
}

static void pins_31(struct hm_policy *policy)
{
	pin(policy, 31, 0x44);
}

static void pins_other_0(struct hm_policy *policy)
{
	memset(policy->releases[0].pins[0].value, 0x99, HM_PCR_LEN);
}

static void pins_other_2(struct hm_policy *policy)
{
	policy->releases[0].pins[2].value[47] ^= 1;
}

#define MALFORMED HM_DOCUMENT_MALFORMED

static void test_pcrs(void **state)
{
	static const struct asked cases[] = {
	    {"PCR16 there and pinned", 0, pcr_16, pins_16, NULL, HM_VALID},
	    {"PCR31 there and pinned", 0, pcr_31, pins_31, NULL, HM_VALID},
	    {"PCR16 pinned, absent", 0, NULL, pins_16, NULL, HM_PCR_MISMATCH},
	    {"PCR16 pinned to zeros, absent", 0, NULL, pins_16_zero, NULL,
		HM_PCR_MISMATCH},
	    {"PCR16 pinned, PCR31 there", 0, pcr_31, pins_16, NULL,
		HM_PCR_MISMATCH},
	    {"PCR32", 0, pcr_32, NULL, NULL, MALFORMED},
	    {"PCR33", 0, pcr_33, NULL, NULL, MALFORMED},
	    {"PCR256", 0, pcr_256, NULL, NULL, MALFORMED},
	    {"PCR 2^32 + 16", 0, pcr_2_32_16, NULL, NULL, MALFORMED},
	    {"PCR 2^64 - 1", 0, pcr_2_64, NULL, NULL, MALFORMED},
	    {"PCR -1", 0, pcr_negative, NULL, NULL, MALFORMED},
	    {"PCR \"16\"", 0, pcr_text, NULL, NULL, MALFORMED},
	    {"PCR of bytes", 0, pcr_bytes, NULL, NULL, MALFORMED},
	    {"PCR16 in two bytes", 0, pcr_not_shortest, NULL, NULL, MALFORMED},
	    {"PCR15 twice", 0, pcr_15, NULL, NULL, MALFORMED},
	    {"another PCR0 wanted", 0, NULL, pins_other_0, NULL,
		HM_PCR_MISMATCH},
	    {"PCR2's last bit", 0, NULL, pins_other_2, NULL, HM_PCR_MISMATCH},
	};

	(void)state;
	ASKED_RUN(b, cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_time),
	    cmocka_unit_test(test_nonce),
	    cmocka_unit_test(test_pcrs),
	};

	return cmocka_run_group_tests_name("questions", tests, setup, teardown);
}
