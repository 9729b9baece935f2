/* The envelope's own reader against jansson: the same verdict and the same
 * meaning, for texts chosen to tell two JSON readers apart and for many made
 * by damaging good ones. */
#include "tests/unit/verifier/envelope_reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define REST                                                        \
	",\"signature_b64\":\"c2ln\",\"public_key\":\"PEM\\n\","    \
	"\"platform\":\"simulated\",\"attestation_sha256\":\"" HASH \
	"\",\"attestation_doc_b64\":\"ZG9j\"}"
#define WITH(content) "{\"content\":\"" content "\"" REST

#define OPEN                                             \
	"{\"content\":\"y\",\"signature_b64\":\"c2ln\"," \
	"\"public_key\":\"P\",\"platform\":\"s\","       \
	"\"attestation_sha256\":\"" HASH "\""
#define ONE                                              \
	"{\"content\":\"y\",\"signature_b64\":\"c2ln\"," \
	"\"public_key\":\"P\",\"platform\":\"s\","       \
	"\"attestation_sha256\":\"" HASH "\"}"
#define COSIGNED(list) "{\"cosignatures\":" list ",\"content\":\"x\"" REST

#define ROUNDS     100000
#define JSON_MAX   4096
#define SAMPLES(x) (sizeof(x) / sizeof((x)[0]))

#define GOOD 16 /* of the chosen, which come first */

/* A text and whether it is to be taken. */
static const struct {
	bool good;
	const char *json;
} chosen[] = {
    {true, WITH("{\\\"a\\\":1}")},
    {true, " \t\r\n" WITH("x") " \t\r\n"},
    {true, WITH("\\\"\\\\\\/\\b\\f\\n\\r\\t")},
    {true, WITH("\\u0041\\u00e9\\u20ac\\uFFFD\\uffff\\u0001\\u007f")},
    {true, WITH("\\ud83d\\ude00\\uD83D\\uDE00\\udbff\\udfff")},
    {true, WITH("\x7f")},
    {true, WITH("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf")},
    {true, WITH("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80")},
    {true, WITH("\xf0\x90\x80\x80")},
    {true, "{\"c\\u006fntent\":\"x\"" REST},
    {true, "{\"\\u0063\\u006f\\u006e\\u0074\\u0065\\u006e\\u0074\":\"x\"" REST},
    {true, "{ \"content\" : \"x\" " REST},
    {true, COSIGNED("[" ONE "]")},
    {true, COSIGNED(" [ " ONE " , " ONE "\t]\n")},
    {true, COSIGNED("[" ONE "," ONE "," ONE "," ONE "]")},
    {true, COSIGNED("[{\"content\":\"y\"" REST "]")},
    {false, COSIGNED("[" ONE "," ONE "," ONE "," ONE "," ONE "]")},
    {false, OPEN ",\"cosignatures\":[" ONE "}"},
    {false, OPEN ",\"cosignatures\":[}"},
    {false, COSIGNED("[]")},
    {false, COSIGNED("[ ]")},
    {false, COSIGNED("[" ONE ",]")},
    {false, COSIGNED("[," ONE "]")},
    {false, COSIGNED("[" ONE ONE "]")},
    {false, COSIGNED("[" ONE "]]")},
    {false, COSIGNED("[" ONE)},
    {false, COSIGNED("[null]")},
    {false, COSIGNED("[{}]")},
    {false, COSIGNED("[[" ONE "]]")},
    {false, COSIGNED("[\"x\"]")},
    {false, COSIGNED("\"\"")},
    {false, COSIGNED("null")},
    {false, COSIGNED("{}")},
    {false, COSIGNED("{" ONE "}")},
    {false, COSIGNED(ONE)},
    {false, COSIGNED("[" COSIGNED("[" ONE "]") "]")},
    {false, COSIGNED("[" ONE "],\"cosignatures\":[" ONE "]")},
    {false, COSIGNED("[{\"content\":\"y\",\"content\":\"y\"" REST "]")},
    {false, "{\"content\":\"x\",\"c\\u006fntent\":\"x\"" REST},
    {false, "{\"content\\u0000\":\"x\"" REST},
    {false, "{\"content\":\"x\",\"\":\"x\"" REST},
    {false, "{\"Content\":\"x\"" REST},
    {false, "{\"content \":\"x\"" REST},
    {false, WITH("")},
    {false, WITH("\\u0000")},
    {false, WITH("\\ud83d")},
    {false, WITH("\\ud83dx")},
    {false, WITH("\\ud83d\\n")},
    {false, WITH("\\ud83d\\u0041")},
    {false, WITH("\\ud83d\\ud83d")},
    {false, WITH("\\ude00")},
    {false, WITH("\\ude00\\ud83d")},
    {false, WITH("\\u12")},
    {false, WITH("\\u12g4")},
    {false, WITH("\\u+123")},
    {false, WITH("\\u 123")},
    {false, WITH("\\U0041")},
    {false, WITH("\\x41")},
    {false, WITH("\\a")},
    {false, WITH("\\'")},
    {false, WITH("\\")},
    {false, WITH("\x01")},
    {false, WITH("\x1f")},
    {false, WITH("a\nb")},
    {false, WITH("a\tb")},
    {false, WITH("\x80")},
    {false, WITH("\xbf")},
    {false, WITH("\xc0\x80")},
    {false, WITH("\xc1\xbf")},
    {false, WITH("\xc3")},
    {false, WITH("\xc3\xc3")},
    {false, WITH("\xe0\x9f\xbf")},
    {false, WITH("\xe2\x82")},
    {false, WITH("\xed\xa0\x80")},
    {false, WITH("\xed\xbf\xbf")},
    {false, WITH("\xf0\x8f\xbf\xbf")},
    {false, WITH("\xf0\x9f\x98")},
    {false, WITH("\xf4\x90\x80\x80")},
    {false, WITH("\xf5\x80\x80\x80")},
    {false, WITH("\xff")},
    {false, "{,\"content\":\"x\"" REST},
    {false, "{\"content\":\"x\"," REST},
    {false, "{\"content\" \"x\"" REST},
    {false, "{\"content\"::\"x\"" REST},
    {false, "{\"content\":'x'" REST},
    {false, "{content:\"x\"" REST},
    {false, "{\"content\":null" REST},
    {false, "{\"content\":[\"x\"]" REST},
    {false, "{\"content\":\"x\"/**/" REST},
    {false, "\xef\xbb\xbf" WITH("x")},
    {false, "\v" WITH("x")},
    {false, WITH("x") ","},
    {false, WITH("x") "}"},
    {false, WITH("x") "\f"},
    {false, "[" WITH("x") "]"},
};

/* In a buffer with nothing behind it, so that a sanitizer sees a step too
 * far. */
static bool agree(const char *json, size_t len, enum hm_verdict *verdict)
{
	char *copy = malloc(len > 0 ? len : 1);
	bool same;

	memcpy(copy, json, len);
	same = reference_agrees(copy, len, verdict);
	free(copy);
	return same;
}

static void test_chosen(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES(chosen); i++) {
		enum hm_verdict verdict;

		if (!agree(chosen[i].json, strlen(chosen[i].json), &verdict) ||
		    (verdict == HM_VALID) != chosen[i].good)
			fail_msg(
			    "%s: %s", chosen[i].json, hm_verdict_name(verdict));
	}
}

/* Base64 and the others may be written with escapes as well. */
static void test_escaped_values(void **state)
{
	static const char json[] =
	    "{\"content\":\"x\",\"signature_b64\":\"c2\\u006cn\","
	    "\"public_key\":\"\\u0050EM\",\"platform\":\"simul\\u0061ted\","
	    "\"attestation_sha256\":\"\\u0030" /* the first 0 of HASH */
	    "0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\","
	    "\"attestation_doc_b64\":\"\\/\\/\\/\\/\"}";
	enum hm_verdict verdict;
	struct hm_envelope e;

	(void)state;
	assert_true(agree(json, strlen(json), &verdict));
	assert_int_equal(verdict, HM_VALID);
	assert_int_equal(hm_envelope_parse(&e, json, strlen(json)), HM_VALID);
	assert_memory_equal(e.signature, "sig", 3);
	assert_string_equal(e.public_key, "PEM");
	assert_string_equal(e.platform, "simulated");
	assert_memory_equal(e.document, "\xff\xff\xff", 3);
	hm_envelope_fini(&e);
}

static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES(chosen); i++)
		for (size_t len = 0; len < strlen(chosen[i].json); len++) {
			enum hm_verdict verdict;

			assert_true(agree(chosen[i].json, len, &verdict));
		}
}

/* Every byte value in every kind of place. */
static void test_each_byte(void **state)
{
	static const char json[] = " {\"content\":\"\\u0041b\"" REST " ";
	char changed[sizeof(json)];
	enum hm_verdict verdict;

	(void)state;
	for (size_t i = 0; i < strlen(json); i++) {
		for (int byte = 0; byte < 256; byte++) {
			memcpy(changed, json, sizeof(json));
			changed[i] = (char)byte;
			if (!agree(changed, strlen(json), &verdict))
				fail_msg("byte %zu is %02x", i, (unsigned)byte);
		}
	}
}

/* Lengths around each ceiling, written plainly and all in escapes. */
static void test_ceilings(void **state)
{
	static const struct {
		const char *before, *after;
		size_t max;
	} fields[] = {
	    {"{\"content\":\"", "\"" REST, ITEM_CONTENT_MAX},
	    {"{\"content\":\"x\",\"signature_b64\":\"",
		"\",\"public_key\":\"P\",\"platform\":\"s\","
		"\"attestation_sha256\":\"" HASH "\"}",
		684},
	    {"{\"content\":\"x\",\"signature_b64\":\"c2ln\",\"public_key\":\"",
		"\",\"platform\":\"s\",\"attestation_sha256\":\"" HASH "\"}",
		ITEM_KEY_PEM_MAX - 1},
	    {"{\"content\":\"x\",\"signature_b64\":\"c2ln\",\"public_key\":\"P"
	     "\",\"platform\":\"",
		"\",\"attestation_sha256\":\"" HASH "\"}", 15},
	    {"{\"content\":\"x\",\"signature_b64\":\"c2ln\",\"public_key\":\"P"
	     "\",\"platform\":\"s\",\"attestation_sha256\":\"" HASH
	     "\",\"attestation_doc_b64\":\"",
		"\"}", (HM_DOCUMENT_MAX + 2) / 3 * 4},
	};
	static char json[HM_ENVELOPE_MAX * 2];

	(void)state;
	for (size_t i = 0; i < SAMPLES(fields); i++) {
		for (int escaped = 0; escaped < 2; escaped++) {
			for (int extra = -4; extra <= 4; extra++) {
				size_t len = fields[i].max + (size_t)extra;
				const char *one = escaped ? "\\u0041" : "A";
				enum hm_verdict verdict;
				char *p = json;

				p = stpcpy(p, fields[i].before);
				while (len-- > 0)
					p = stpcpy(p, one);
				p = stpcpy(p, fields[i].after);
				assert_true(
				    agree(json, (size_t)(p - json), &verdict));
				if (extra > 0 || !escaped)
					assert_int_equal(verdict == HM_VALID,
					    extra <= 0 &&
						(i != 1 || extra % 4 == 0) &&
						(i != 4 || extra % 4 == 0));
			}
		}
	}
}

/* ---- damage ---- */

static uint32_t random_state = 0x9e3779b9;

static size_t random_below(size_t max)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % max;
}

static const char *const pieces[] = {"\"", "\\", "\\\"", "{", "}", ":", ",",
    "[", "]", "\"cosignatures\":[" ONE "]", " ", "\n", "\\u0041", "\\ud83d",
    "\\ude00", "\\u0000", "\\u", "\xc3", "\xa9", "\xe2\x82\xac", "\xed\xa0\x80",
    "\xf0\x9f\x98\x80", "=", "A", "\"}", "\",\"", "\":\"", "content",
    "platform", "null", "[]", "\\/", "\x1f", "\x7f"};

/* Some bytes in the place of some others. */
static size_t damage(char *json, size_t len)
{
	const char *piece = pieces[random_below(SAMPLES(pieces))];
	size_t at = random_below(len), gone = random_below(4);
	size_t put = random_below(3) == 0 ? 0 : strlen(piece);

	if (gone > len - at)
		gone = len - at;
	if (len - gone + put >= JSON_MAX)
		return len;
	memmove(json + at + put, json + at + gone, len - at - gone);
	memcpy(json + at, piece, put);
	return len - gone + put;
}

static void test_damaged(void **state)
{
	unsigned taken = 0, refused = 0;
	char json[JSON_MAX];

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		const char *from = chosen[random_below(GOOD)].json;
		size_t len = strlen(from);
		enum hm_verdict verdict;

		memcpy(json, from, len);
		for (size_t n = 1 + random_below(2); n > 0 && len > 0; n--)
			len = damage(json, len);
		if (!agree(json, len, &verdict))
			fail_msg("%.*s", (int)len, json);
		taken += verdict == HM_VALID;
		refused += verdict != HM_VALID;
	}
	print_message("%u taken, %u refused, by both\n", taken, refused);
	assert_true(taken > ROUNDS / 40 && refused > ROUNDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_chosen),
	    cmocka_unit_test(test_escaped_values),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_each_byte),
	    cmocka_unit_test(test_ceilings),
	    cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name(
	    "envelope_differential", tests, NULL, NULL);
}
