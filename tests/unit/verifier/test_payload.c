/* Attestation documents with one thing wrong in the payload's CBOR; it is
 * signed as it is. */
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

/* ---- the payload's CBOR ---- */

static void set_value(
    struct builder *x, const char *key, const void *bytes, size_t len)
{
	blob_set(&builder_field(x, key)->value, bytes, len);
}

/* A spoil function whose hook sets one field's CBOR. */
#define FIELD(name, key, bytes)                              \
	static void set_##name(struct builder *x)            \
	{                                                    \
		set_value(x, key, bytes, sizeof(bytes) - 1); \
	}                                                    \
	static void name(struct builder *x)                  \
	{                                                    \
		x->edit_fields = set_##name;                 \
	}
#define DROP(name, key)                            \
	static void drop_##name(struct builder *x) \
	{                                          \
		builder_drop_field(x, key);        \
	}                                          \
	static void name(struct builder *x)        \
	{                                          \
		x->edit_fields = drop_##name;      \
	}
#define REPEAT(name, key)                            \
	static void repeat_##name(struct builder *x) \
	{                                            \
		builder_add_field(x, key)->value =   \
		    builder_field(x, key)->value;    \
	}                                            \
	static void name(struct builder *x)          \
	{                                            \
		x->edit_fields = repeat_##name;      \
	}
#define EXTRA(name, key, bytes)                                    \
	static void add_##name(struct builder *x)                  \
	{                                                          \
		blob_set(&builder_add_field(x, key)->value, bytes, \
		    sizeof(bytes) - 1);                            \
	}                                                          \
	static void name(struct builder *x)                        \
	{                                                          \
		x->edit_fields = add_##name;                       \
	}

EXTRA(unknown_key, "pcr_count", "\x10")
EXTRA(unknown_long_key, "a_key_that_is_longer_than_any_that_we_know", "\x00")
REPEAT(pcrs_twice, "pcrs")
REPEAT(nonce_twice, "nonce")
REPEAT(module_twice, "module_id")
REPEAT(certificate_twice, "certificate")
DROP(no_module_id, "module_id")
DROP(no_digest, "digest")
DROP(no_timestamp, "timestamp")
DROP(no_pcrs, "pcrs")
DROP(no_certificate, "certificate")
DROP(no_cabundle, "cabundle")
FIELD(module_null, "module_id", "\xf6")
FIELD(module_bytes, "module_id", "\x43i-0")
FIELD(module_empty, "module_id", "\x60")
FIELD(module_in_chunks, "module_id", "\x7f\x63i-0\xff")
FIELD(module_not_utf8, "module_id", "\x63i-\xff")
FIELD(module_with_nul, "module_id", "\x64i-0\x00")
FIELD(digest_256, "digest", "\x66SHA256")
FIELD(digest_512, "digest", "\x66SHA512")
FIELD(digest_lower, "digest", "\x66sha384")
FIELD(digest_longer, "digest", "\x67SHA3840")
FIELD(digest_null, "digest", "\xf6")
FIELD(time_zero, "timestamp", "\x00")
FIELD(time_negative, "timestamp", "\x20")
FIELD(time_2_63, "timestamp", "\x1b\x80\x00\x00\x00\x00\x00\x00\x00")
FIELD(time_2_64, "timestamp", "\x1b\xff\xff\xff\xff\xff\xff\xff\xff")
FIELD(time_not_shortest, "timestamp", "\x1b\x00\x00\x00\x00\x00\x00\x00\x01")
FIELD(time_float, "timestamp", "\xfb\x42\x79\x9e\x12\x34\x56\x78\x00")
FIELD(time_text, "timestamp",
    "\x64"
    "2026")
FIELD(time_tagged, "timestamp", "\xc1\x1a\x65\x00\x00\x00")
FIELD(time_reserved_28, "timestamp", "\x1c")
FIELD(time_reserved_31, "timestamp", "\x1f")
FIELD(pcrs_empty, "pcrs", "\xa0")
FIELD(pcrs_null, "pcrs", "\xf6")
FIELD(pcrs_array, "pcrs", "\x80")
FIELD(pcrs_2_64, "pcrs", "\xbb\xff\xff\xff\xff\xff\xff\xff\xff")
FIELD(bundle_empty, "cabundle", "\x80")
FIELD(bundle_null, "cabundle", "\xf6")
FIELD(bundle_indefinite, "cabundle", "\x9f\x41\x30\xff")
FIELD(bundle_2_64, "cabundle", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff")
FIELD(bundle_1000, "cabundle", "\x99\x03\xe8")
FIELD(bundle_of_empty, "cabundle", "\x81\x40")
FIELD(certificate_null, "certificate", "\xf6")
FIELD(certificate_empty, "certificate", "\x40")
FIELD(nonce_true, "nonce", "\xf5")
FIELD(nonce_undefined, "nonce", "\xf7")
FIELD(nonce_simple, "nonce", "\xf8\x20")
FIELD(nonce_simple_20, "nonce", "\xe0")
FIELD(nonce_text, "nonce", "\x61x")
FIELD(nonce_half_float, "nonce", "\xf9\x00\x00")
FIELD(nonce_break, "nonce", "\xff")
FIELD(nonce_in_chunks, "nonce", "\x5f\x41\x00\xff")
FIELD(nonce_array, "nonce", "\x81\x00")
FIELD(null_in_two_bytes, "nonce", "\xf8\x16")

static void nonce_of_1025(struct builder *x)
{
	x->nonce.len = 1025;
}

/* An array in an array in an array: nobody must follow. */
static void put_deep(struct builder *x)
{
	struct blob *v = &builder_field(x, "nonce")->value;

	memset(v->at, 0x81, 10000);
	v->len = 10000;
}

static void depth_10000(struct builder *x)
{
	x->edit_fields = put_deep;
}

static void put_text_key(struct builder *x, struct blob *payload)
{
	(void)x;
	blob_replace(payload, "\x65nonce", 6, "\x45nonce", 6);
}

static void key_of_bytes(struct builder *x)
{
	x->edit_payload = put_text_key;
}

static void put_number_key(struct builder *x, struct blob *payload)
{
	(void)x;
	blob_replace(payload, "\x65nonce", 6, "\x05", 1);
}

static void key_a_number(struct builder *x)
{
	x->edit_payload = put_number_key;
}

static void put_long_key_head(struct builder *x, struct blob *payload)
{
	(void)x;
	blob_replace(payload, "\x65nonce", 6, "\x78\x05nonce", 7);
}

static void key_head_long(struct builder *x)
{
	x->edit_payload = put_long_key_head;
}

static void drop_last_byte(struct builder *x, struct blob *payload)
{
	(void)x;
	payload->len--;
}

static void no_break(struct builder *x)
{
	x->edit_payload = drop_last_byte;
}

static void put_second_break(struct builder *x, struct blob *payload)
{
	(void)x;
	blob_put(payload, "\xff", 1);
}

static void two_breaks(struct builder *x)
{
	x->edit_payload = put_second_break;
}

static void definite_and_behind(struct builder *x)
{
	x->indefinite = false;
	x->edit_payload = put_second_break;
}

static void count_less(struct builder *x, struct blob *payload)
{
	(void)x;
	payload->at[0]--;
}

static void count_too_small(struct builder *x)
{
	x->indefinite = false;
	x->edit_payload = count_less;
}

static void count_more(struct builder *x, struct blob *payload)
{
	(void)x;
	payload->at[0]++;
}

static void count_too_large(struct builder *x)
{
	x->indefinite = false;
	x->edit_payload = count_more;
}

static void drop_optionals(struct builder *x)
{
	builder_drop_field(x, "public_key");
	builder_drop_field(x, "user_data");
	builder_drop_field(x, "nonce");
}

static void put_count_2_64(struct builder *x, struct blob *payload)
{
	(void)x;
	blob_replace(
	    payload, "\xa9", 1, "\xbb\xff\xff\xff\xff\xff\xff\xff\xff", 9);
}

static void map_of_2_64(struct builder *x)
{
	x->indefinite = false;
	x->edit_payload = put_count_2_64;
}

static void put_count_2_63(struct builder *x, struct blob *payload)
{
	(void)x;
	blob_replace(payload, "\xa9", 1, "\xbb\x80\0\0\0\0\0\0\x09", 9);
}

/* twice so many entries, in 64 bits, are 18 */
static void map_of_2_63_and_9(struct builder *x)
{
	x->indefinite = false;
	x->edit_payload = put_count_2_63;
}

static void key_without_value(struct builder *x, struct blob *payload)
{
	(void)x;
	payload->at[payload->len - 1] = 0x65;
	blob_put(payload, "nonce\xff", 6);
}

static void odd_number(struct builder *x)
{
	x->edit_fields = drop_optionals;
	x->edit_payload = key_without_value;
}

static void tag_payload(struct builder *x, struct blob *payload)
{
	static struct blob rest;

	(void)x;
	rest = *payload;
	blob_set(payload, "\xd8\x18", 2);
	blob_put(payload, rest.at, rest.len);
}

static void payload_tagged(struct builder *x)
{
	x->edit_payload = tag_payload;
}

static void test_payload(void **state)
{
	static const struct wrong cases[] = {
	    {"unknown key", unknown_key, HM_DOCUMENT_MALFORMED},
	    {"unknown long key", unknown_long_key, HM_DOCUMENT_MALFORMED},
	    {"pcrs twice", pcrs_twice, HM_DOCUMENT_MALFORMED},
	    {"nonce twice", nonce_twice, HM_DOCUMENT_MALFORMED},
	    {"module_id twice", module_twice, HM_DOCUMENT_MALFORMED},
	    {"certificate twice", certificate_twice, HM_DOCUMENT_MALFORMED},
	    {"no module_id", no_module_id, HM_DOCUMENT_MALFORMED},
	    {"no digest", no_digest, HM_DOCUMENT_MALFORMED},
	    {"no timestamp", no_timestamp, HM_DOCUMENT_MALFORMED},
	    {"no pcrs", no_pcrs, HM_DOCUMENT_MALFORMED},
	    {"no certificate", no_certificate, HM_DOCUMENT_MALFORMED},
	    {"no cabundle", no_cabundle, HM_DOCUMENT_MALFORMED},
	    {"module_id null", module_null, HM_DOCUMENT_MALFORMED},
	    {"module_id bytes", module_bytes, HM_DOCUMENT_MALFORMED},
	    {"module_id empty", module_empty, HM_DOCUMENT_MALFORMED},
	    {"module_id in chunks", module_in_chunks, HM_DOCUMENT_MALFORMED},
	    {"module_id not UTF-8", module_not_utf8, HM_DOCUMENT_MALFORMED},
	    {"module_id with a NUL", module_with_nul, HM_DOCUMENT_MALFORMED},
	    {"digest SHA256", digest_256, HM_DOCUMENT_MALFORMED},
	    {"digest SHA512", digest_512, HM_DOCUMENT_MALFORMED},
	    {"digest sha384", digest_lower, HM_DOCUMENT_MALFORMED},
	    {"digest longer", digest_longer, HM_DOCUMENT_MALFORMED},
	    {"digest null", digest_null, HM_DOCUMENT_MALFORMED},
	    {"timestamp 0", time_zero, HM_DOCUMENT_MALFORMED},
	    {"timestamp -1", time_negative, HM_DOCUMENT_MALFORMED},
	    {"timestamp 2^63", time_2_63, HM_DOCUMENT_MALFORMED},
	    {"timestamp 2^64 - 1", time_2_64, HM_DOCUMENT_MALFORMED},
	    {"timestamp not shortest", time_not_shortest,
		HM_DOCUMENT_MALFORMED},
	    {"timestamp a float", time_float, HM_DOCUMENT_MALFORMED},
	    {"timestamp a text", time_text, HM_DOCUMENT_MALFORMED},
	    {"timestamp tagged", time_tagged, HM_DOCUMENT_MALFORMED},
	    {"timestamp reserved 28", time_reserved_28, HM_DOCUMENT_MALFORMED},
	    {"timestamp reserved 31", time_reserved_31, HM_DOCUMENT_MALFORMED},
	    {"pcrs empty", pcrs_empty, HM_DOCUMENT_MALFORMED},
	    {"pcrs null", pcrs_null, HM_DOCUMENT_MALFORMED},
	    {"pcrs an array", pcrs_array, HM_DOCUMENT_MALFORMED},
	    {"pcrs of 2^64 - 1", pcrs_2_64, HM_DOCUMENT_MALFORMED},
	    {"cabundle empty", bundle_empty, HM_DOCUMENT_MALFORMED},
	    {"cabundle null", bundle_null, HM_DOCUMENT_MALFORMED},
	    {"cabundle indefinite", bundle_indefinite, HM_DOCUMENT_MALFORMED},
	    {"cabundle of 2^64 - 1", bundle_2_64, HM_DOCUMENT_MALFORMED},
	    {"cabundle of 1000", bundle_1000, HM_DOCUMENT_MALFORMED},
	    {"cabundle of an empty one", bundle_of_empty,
		HM_DOCUMENT_MALFORMED},
	    {"certificate null", certificate_null, HM_DOCUMENT_MALFORMED},
	    {"certificate empty", certificate_empty, HM_DOCUMENT_MALFORMED},
	    {"nonce true", nonce_true, HM_DOCUMENT_MALFORMED},
	    {"nonce undefined", nonce_undefined, HM_DOCUMENT_MALFORMED},
	    {"nonce simple value 32", nonce_simple, HM_DOCUMENT_MALFORMED},
	    {"nonce simple value 0", nonce_simple_20, HM_DOCUMENT_MALFORMED},
	    {"nonce a text", nonce_text, HM_DOCUMENT_MALFORMED},
	    {"nonce a half float", nonce_half_float, HM_DOCUMENT_MALFORMED},
	    {"nonce a break", nonce_break, HM_DOCUMENT_MALFORMED},
	    {"nonce in chunks", nonce_in_chunks, HM_DOCUMENT_MALFORMED},
	    {"nonce an array", nonce_array, HM_DOCUMENT_MALFORMED},
	    {"null in two bytes", null_in_two_bytes, HM_DOCUMENT_MALFORMED},
	    {"nonce of 1025 bytes", nonce_of_1025, HM_DOCUMENT_MALFORMED},
	    {"arrays 10,000 deep", depth_10000, HM_DOCUMENT_MALFORMED},
	    {"a key of bytes", key_of_bytes, HM_DOCUMENT_MALFORMED},
	    {"a key a number", key_a_number, HM_DOCUMENT_MALFORMED},
	    {"map of 2^64 - 1", map_of_2_64, HM_DOCUMENT_MALFORMED},
	    {"map of 2^63 + 9", map_of_2_63_and_9, HM_DOCUMENT_MALFORMED},
	    {"a key's head not shortest", key_head_long, HM_DOCUMENT_MALFORMED},
	    {"indefinite map without break", no_break, HM_DOCUMENT_MALFORMED},
	    {"two breaks", two_breaks, HM_DOCUMENT_MALFORMED},
	    {"definite map and a byte", definite_and_behind,
		HM_DOCUMENT_MALFORMED},
	    {"map count too small", count_too_small, HM_DOCUMENT_MALFORMED},
	    {"map count too large", count_too_large, HM_DOCUMENT_MALFORMED},
	    {"a key without a value", odd_number, HM_DOCUMENT_MALFORMED},
	    {"payload tagged", payload_tagged, HM_DOCUMENT_MALFORMED},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_payload),
	};

	return cmocka_run_group_tests_name("payload", tests, setup, teardown);
}
