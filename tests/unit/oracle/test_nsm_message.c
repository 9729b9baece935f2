/* nsm_message: byte-exact requests, answers from the recorded vectors, and
 * answers that no NSM should give. */
#include "oracle/nsm_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_MAX_BYTES 4096

/* Our own, so that this test stands without any other room's code. */
static size_t unhex(const char *hex, uint8_t *out, size_t cap)
{
	size_t len = 0;
	unsigned byte;

	for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
		assert_true(len < cap);
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		out[len++] = (uint8_t)byte;
	}
	return len;
}

static void check_request(
    const struct nsm_message_request *request, const char *hex)
{
	uint8_t out[NSM_MESSAGE_REQUEST_MAX], wanted[256];
	size_t wanted_len = unhex(hex, wanted, sizeof(wanted));
	size_t len = nsm_message_encode(request, out);

	assert_int_equal(len, wanted_len);
	assert_memory_equal(out, wanted, len);
}

static enum nsm_message_status decode(struct nsm_message_answer *out,
    enum nsm_message_kind wanted, const char *hex)
{
	static uint8_t bytes[LINE_MAX_BYTES]; /* the answer borrows from it */

	return nsm_message_decode(
	    out, wanted, bytes, unhex(hex, bytes, sizeof(bytes)));
}

static void assert_zeroed(const struct nsm_message_answer *answer)
{
	static const struct nsm_message_answer zero;

	assert_memory_equal(answer, &zero, sizeof(zero));
}

/* ---- the recorded vectors ---- */

static const struct {
	const char *description;
	struct nsm_message_request request;
} requests[] = {
    {"DescribePCR index=3", {.kind = NSM_MESSAGE_DESCRIBE_PCR, .index = 3}},
    {"ExtendPCR index=4 data=010203", {.kind = NSM_MESSAGE_EXTEND_PCR,
					  .index = 4,
					  .data = (const uint8_t *)"\1\2\3",
					  .len = 3}},
    {"LockPCR index=5", {.kind = NSM_MESSAGE_LOCK_PCR, .index = 5}},
    {"LockPCRs range=16", {.kind = NSM_MESSAGE_LOCK_PCRS, .range = 16}},
    {"DescribeNSM", {.kind = NSM_MESSAGE_DESCRIBE_NSM}},
    {"Attestation user_data=0909 nonce=None public_key=07",
	{.kind = NSM_MESSAGE_ATTESTATION,
	    .attest = {.user_data = (const uint8_t *)"\x09\x09",
		.user_data_len = 2,
		.public_key = (const uint8_t *)"\x07",
		.public_key_len = 1}}},
    {"GetRandom", {.kind = NSM_MESSAGE_GET_RANDOM}},
    {"Attestation all absent", {.kind = NSM_MESSAGE_ATTESTATION}},
    {"Attestation 32-byte nonce 00..1f",
	{.kind = NSM_MESSAGE_ATTESTATION,
	    .attest = {.nonce = (const uint8_t *)"\x00\x01\x02\x03\x04\x05\x06"
						 "\x07\x08\x09\x0a\x0b\x0c\x0d"
						 "\x0e\x0f\x10\x11\x12\x13\x14"
						 "\x15\x16\x17\x18\x19\x1a\x1b"
						 "\x1c\x1d\x1e\x1f",
		.nonce_len = 32}}},
};

#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

static void check_vector_request(const char *description, const char *hex)
{
	for (size_t i = 0; i < REQUESTS; i++) {
		if (strcmp(description, requests[i].description) != 0)
			continue;
		check_request(&requests[i].request, hex);
		return;
	}
	fail_msg("a vector without a request: %s", description);
}

static enum nsm_message_kind kind_of(const char *description)
{
	static const struct {
		const char *name;
		enum nsm_message_kind kind;
	} kinds[] = {{"DescribePCR", NSM_MESSAGE_DESCRIBE_PCR},
	    {"ExtendPCR", NSM_MESSAGE_EXTEND_PCR},
	    {"LockPCRs", NSM_MESSAGE_LOCK_PCRS},
	    {"LockPCR", NSM_MESSAGE_LOCK_PCR},
	    {"DescribeNSM", NSM_MESSAGE_DESCRIBE_NSM},
	    {"Attestation", NSM_MESSAGE_ATTESTATION},
	    {"GetRandom", NSM_MESSAGE_GET_RANDOM},
	    {"Error", NSM_MESSAGE_ERROR}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(
			description, kinds[i].name, strlen(kinds[i].name)) == 0)
			return kinds[i].kind;
	fail_msg("unknown vector: %s", description);
	return NSM_MESSAGE_ERROR;
}

static void check_vector_answer(const char *description, const char *hex)
{
	enum nsm_message_kind kind = kind_of(description);
	enum nsm_message_kind asked = kind == NSM_MESSAGE_ERROR
					  ? NSM_MESSAGE_LOCK_PCR
					  : kind;
	struct nsm_message_answer answer;

	assert_int_equal(decode(&answer, asked, hex), NSM_MESSAGE_OK);
	assert_int_equal(answer.kind, kind);
	if (kind == NSM_MESSAGE_ERROR)
		assert_string_equal(
		    answer.error, description + strlen("Error "));
}

static FILE *open_vectors(void)
{
	const char *root = getenv("HALLMARK_VECTORS");
	const char *ci = getenv("CI");
	char path[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/nitro/nsm_cbor_vectors.tsv",
	    root != NULL ? root : "../shared/vectors");
	file = fopen(path, "r");
	if (file == NULL && ci != NULL && strcmp(ci, "true") == 0)
		fail_msg("no vectors at %s", path);
	return file;
}

static void test_vectors(void **state)
{
	char line[LINE_MAX_BYTES], *direction, *description, *hex, *save;
	unsigned seen = 0;
	FILE *file = open_vectors();

	(void)state;
	if (file == NULL)
		skip();
	while (fgets(line, sizeof(line), file) != NULL) {
		direction = strtok_r(line, "\t", &save);
		description = strtok_r(NULL, "\t", &save);
		hex = strtok_r(NULL, "\t", &save);
		if (strcmp(direction, "req") == 0)
			check_vector_request(description, hex);
		else if (strcmp(direction, "resp") == 0)
			check_vector_answer(description, hex);
		else
			continue;
		seen++;
	}
	fclose(file);
	assert_true(seen >= 20);
}

/* ---- the same, from the specification alone ---- */

static void test_requests(void **state)
{
	struct nsm_message_request request = {
	    .kind = NSM_MESSAGE_DESCRIBE_PCR, .index = 3};

	(void)state;
	check_request(&request, "a16b4465736372696265504352a165696e64657803");
	request.index = 0xffff; /* a u16, in its shortest form */
	check_request(
	    &request, "a16b4465736372696265504352a165696e64657819ffff");
	request = (struct nsm_message_request){.kind = NSM_MESSAGE_ATTESTATION,
	    .attest = {.nonce = (const uint8_t *)"", .nonce_len = 0}};
	/* Empty is not the same as absent. */
	check_request(&request,
	    "a16b4174746573746174696f6ea369757365725f64617461"
	    "f6656e6f6e6365406a7075626c69635f6b6579f6");
}

static void test_request_ceiling(void **state)
{
	static uint8_t data[NSM_MESSAGE_REQUEST_MAX];
	uint8_t out[NSM_MESSAGE_REQUEST_MAX];
	struct nsm_message_request request = {.kind = NSM_MESSAGE_EXTEND_PCR,
	    .index = 16,
	    .data = data,
	    .len = sizeof(data)};

	(void)state;
	assert_int_equal(nsm_message_encode(&request, out), 0);
	/* a1 69 ExtendPCR a2 65 index 10 64 data 59 xxxx: 27 bytes of head */
	request.len = sizeof(data) - 27;
	assert_int_equal(nsm_message_encode(&request, out), sizeof(out));
	request.len++;
	assert_int_equal(nsm_message_encode(&request, out), 0);
}

static void test_describe_nsm(void **state)
{
	struct nsm_message_answer a;

	(void)state;
	assert_int_equal(
	    decode(&a, NSM_MESSAGE_DESCRIBE_NSM,
		"a16b44657363726962654e534da76d76657273696f6e5f6d616a6f72016d76"
		"657273696f6e5f6d696e6f72026d76657273696f6e5f706174636803696d6f"
		"64756c655f696465692d616263686d61785f7063727318206b6c6f636b6564"
		"5f706372738200016664696765737466534841333834"),
	    NSM_MESSAGE_OK);
	assert_int_equal(a.version_major, 1);
	assert_int_equal(a.version_minor, 2);
	assert_int_equal(a.version_patch, 3);
	assert_string_equal(a.module_id, "i-abc");
	assert_int_equal(a.max_pcrs, 32);
	assert_int_equal(a.locked_mask, 3);
	assert_string_equal(a.digest, "SHA384");
}

static void test_any_order_and_indefinite(void **state)
{
	struct nsm_message_answer a;

	(void)state;
	/* {"DescribePCR": {"data": h'aabb', "lock": false}} */
	assert_int_equal(decode(&a, NSM_MESSAGE_DESCRIBE_PCR,
			     "a16b4465736372696265504352a2646461746142aabb646c"
			     "6f636bf4"),
	    NSM_MESSAGE_OK);
	assert_false(a.lock);
	assert_int_equal(a.data.len, 2);
	assert_memory_equal(a.data.at, "\xaa\xbb", 2);
	/* {_ "DescribePCR": {_ "lock": true, "data": h'aabb'}} */
	assert_int_equal(decode(&a, NSM_MESSAGE_DESCRIBE_PCR,
			     "bf6b4465736372696265504352bf646c6f636bf564646174"
			     "6142aabbffff"),
	    NSM_MESSAGE_OK);
	assert_true(a.lock);
}

static const struct {
	const char *what, *hex;
	enum nsm_message_kind wanted;
	enum nsm_message_status status;
} hostile[] = {
    {"nothing", "", NSM_MESSAGE_LOCK_PCR, NSM_MESSAGE_MALFORMED},
    {"cut in a text", "674c6f636b50", NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_MALFORMED},
    {"cut in a map", "a16b4465736372696265504352a2646c6f636bf5",
	NSM_MESSAGE_DESCRIBE_PCR, NSM_MESSAGE_MALFORMED},
    {"cut before the break",
	"bf6b4465736372696265504352a2646c6f636bf56464617"
	"46142aabb",
	NSM_MESSAGE_DESCRIBE_PCR, NSM_MESSAGE_MALFORMED},
    {"a reserved head", "1c", NSM_MESSAGE_LOCK_PCR, NSM_MESSAGE_MALFORMED},
    {"a huge text", "7bffffffffffffffff", NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_MALFORMED},
    {"a huge document",
	"a16b4174746573746174696f6ea168646f63756d656e745bfffff"
	"fffffffffff",
	NSM_MESSAGE_ATTESTATION, NSM_MESSAGE_BAD_VALUE},
    {"a huge map of fields",
	"a169457874656e64504352bbfffffffffffffffe"
	"6464617461410164646174614101",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_DUPLICATE_FIELD},
    {"a byte after", "674c6f636b50435200", NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_TRAILING},
    {"a second answer", "674c6f636b504352674c6f636b504352",
	NSM_MESSAGE_LOCK_PCR, NSM_MESSAGE_TRAILING},
    {"an unknown name", "634c6f6c", NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_WRONG_ANSWER},
    {"a number", "01", NSM_MESSAGE_LOCK_PCR, NSM_MESSAGE_MALFORMED},
    {"a tag", "c1674c6f636b504352", NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_MALFORMED},
    {"a name with more after it", "684c6f636b50435200", NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_WRONG_ANSWER},
    {"an empty map", "a0", NSM_MESSAGE_LOCK_PCR, NSM_MESSAGE_MALFORMED},
    {"two pairs", "a269457874656e64504352a164646174614101674c6f636b50435201",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_MALFORMED},
    {"two pairs announced", "a269457874656e64504352a164646174614101",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_MALFORMED},
    {"two pairs, no length",
	"bf69457874656e64504352a164646174614101674c6f636b5043520100ff",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_MALFORMED},
    {"of another request", "674c6f636b504352", NSM_MESSAGE_LOCK_PCRS,
	NSM_MESSAGE_WRONG_ANSWER},
    {"an unknown field", "a169457874656e64504352a26464617461410161780a",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_UNKNOWN_FIELD},
    {"another kind's field", "a169457874656e64504352a1646c6f636bf5",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_UNKNOWN_FIELD},
    {"a key that is no text", "a169457874656e64504352a1014101",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_MALFORMED},
    {"a field twice", "a169457874656e64504352a264646174614101646461746141ff",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_DUPLICATE_FIELD},
    {"a field missing", "a16b4465736372696265504352a1646c6f636bf5",
	NSM_MESSAGE_DESCRIBE_PCR, NSM_MESSAGE_MISSING_FIELD},
    {"no fields at all", "69457874656e64504352", NSM_MESSAGE_EXTEND_PCR,
	NSM_MESSAGE_MISSING_FIELD},
    {"an error without a text", "654572726f72", NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_MISSING_FIELD},
    {"fields where none are", "a1674c6f636b504352a0", NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_MALFORMED},
    {"a number for bytes", "a169457874656e64504352a1646461746101",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_BAD_VALUE},
    {"bytes in pieces", "a169457874656e64504352a164646174615f4101ff",
	NSM_MESSAGE_EXTEND_PCR, NSM_MESSAGE_BAD_VALUE},
    {"null for a bool", "a16b4465736372696265504352a1646c6f636bf6",
	NSM_MESSAGE_DESCRIBE_PCR, NSM_MESSAGE_BAD_VALUE},
    {"a number for an error", "a1654572726f7201", NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_BAD_VALUE},
    {"a control character in an error", "a1654572726f72640a0a0a0a",
	NSM_MESSAGE_LOCK_PCR, NSM_MESSAGE_BAD_VALUE},
    {"70000 PCRs", "a16b44657363726962654e534da1686d61785f706372731a00011170",
	NSM_MESSAGE_DESCRIBE_NSM, NSM_MESSAGE_BAD_VALUE},
    {"a negative version",
	"a16b44657363726962654e534da16d76657273696f6e5f6d616a6f7220",
	NSM_MESSAGE_DESCRIBE_NSM, NSM_MESSAGE_BAD_VALUE},
    {"PCR 32 locked",
	"a16b44657363726962654e534da16b6c6f636b65645f7063727381"
	"1820",
	NSM_MESSAGE_DESCRIBE_NSM, NSM_MESSAGE_BAD_VALUE},
    {"a PCR locked twice",
	"a16b44657363726962654e534da16b6c6f636b65645f70637273820101",
	NSM_MESSAGE_DESCRIBE_NSM, NSM_MESSAGE_BAD_VALUE},
    {"a version that is not the shortest",
	"a16b44657363726962654e534da16d76657273696f6e5f6d616a6f721801",
	NSM_MESSAGE_DESCRIBE_NSM, NSM_MESSAGE_BAD_VALUE},
    {"locked PCRs until a break",
	"a16b44657363726962654e534da16b6c6f636b65645f706372739f01ff",
	NSM_MESSAGE_DESCRIBE_NSM, NSM_MESSAGE_BAD_VALUE},
    {"a huge array of locked PCRs",
	"a16b44657363726962654e534da16b6c6f636b65645f706372739bfffffffffffffff"
	"e0001",
	NSM_MESSAGE_DESCRIBE_NSM, NSM_MESSAGE_BAD_VALUE},
};

static void test_hostile(void **state)
{
	struct nsm_message_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		enum nsm_message_status status = decode(
		    &answer, hostile[i].wanted, hostile[i].hex);

		if (status != hostile[i].status)
			fail_msg("%s: %s", hostile[i].what,
			    nsm_message_status_text(status));
		assert_zeroed(&answer);
	}
}

static void test_long_error(void **state)
{
	uint8_t bytes[9 + 100] = {0xa1, 0x65, 'E', 'r', 'r', 'o', 'r', 0x78};
	struct nsm_message_answer answer;

	(void)state;
	memset(bytes + 9, 'x', 100);
	bytes[8] = NSM_MESSAGE_TEXT_MAX - 1;
	assert_int_equal(nsm_message_decode(&answer, NSM_MESSAGE_LOCK_PCR,
			     bytes, 9 + NSM_MESSAGE_TEXT_MAX - 1),
	    NSM_MESSAGE_OK);
	assert_int_equal(strlen(answer.error), NSM_MESSAGE_TEXT_MAX - 1);
	bytes[8] = NSM_MESSAGE_TEXT_MAX;
	assert_int_equal(nsm_message_decode(&answer, NSM_MESSAGE_LOCK_PCR,
			     bytes, 9 + NSM_MESSAGE_TEXT_MAX),
	    NSM_MESSAGE_BAD_VALUE);
}

static void test_every_cut(void **state)
{
	static const char good[] = "a16b4465736372696265504352a2646c6f636bf5"
				   "646461746142aabb";
	uint8_t bytes[64];
	size_t len = unhex(good, bytes, sizeof(bytes));
	struct nsm_message_answer answer;

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(nsm_message_decode(&answer,
					 NSM_MESSAGE_DESCRIBE_PCR, bytes, cut),
		    NSM_MESSAGE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_request_ceiling),
	    cmocka_unit_test(test_describe_nsm),
	    cmocka_unit_test(test_any_order_and_indefinite),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_long_error),
	    cmocka_unit_test(test_every_cut),
	};

	return cmocka_run_group_tests_name("nsm_message", tests, NULL, NULL);
}
