/* The outer JSON of an item: both ways, and what is refused. */
#include "verifier/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

#define CONTENT   "\"content\":\"{\\\"a\\\":1}\""
#define SIGNATURE ",\"signature_b64\":\"c2ln\""
#define KEY       ",\"public_key\":\"PEM\\n\""
#define PLATFORM  ",\"platform\":\"simulated\""
#define SHA       ",\"attestation_sha256\":\"" HASH "\""
#define DOCUMENT  ",\"attestation_doc_b64\":\"ZG9j\""

#define REF  "{" CONTENT SIGNATURE KEY PLATFORM SHA "}"
#define FULL "{" CONTENT SIGNATURE KEY PLATFORM SHA DOCUMENT "}"

static enum hm_verdict parse(struct hm_envelope *out, const char *json)
{
	return hm_envelope_parse(out, json, strlen(json));
}

static void test_both_ways(void **state)
{
	struct hm_envelope e;
	char *text;

	(void)state;
	assert_int_equal(parse(&e, FULL), HM_VALID);
	assert_string_equal(e.content, "{\"a\":1}");
	assert_int_equal(e.content_len, 7);
	assert_int_equal(e.signature_len, 3);
	assert_memory_equal(e.signature, "sig", 3);
	assert_string_equal(e.public_key, "PEM\n");
	assert_string_equal(e.platform, "simulated");
	assert_int_equal(e.attestation_sha256[31], 0xff);
	assert_int_equal(e.document_len, 3);
	assert_memory_equal(e.document, "doc", 3);
	text = envelope_format(&e, true);
	assert_string_equal(text, FULL);
	free(text);
	text = envelope_format(&e, false);
	assert_string_equal(text, REF);
	free(text);
	text = envelope_add_document(REF, &e);
	assert_string_equal(text, FULL);
	free(text);
	hm_envelope_fini(&e);
	assert_null(e.content);
	hm_envelope_fini(&e);
}

/* The outer document and those inside come and go together. */
static void test_cosigned(void **state)
{
	static const char full[] =
	    "{" CONTENT SIGNATURE KEY PLATFORM SHA DOCUMENT
	    ",\"cosignatures\":[" FULL "," REF "]}";
	static const char ref[] = "{" CONTENT SIGNATURE KEY PLATFORM SHA
				  ",\"cosignatures\":[" REF "," REF "]}";
	struct hm_envelope e;
	char *text;

	(void)state;
	assert_int_equal(parse(&e, full), HM_VALID);
	assert_int_equal(e.cosignature_count, 2);
	assert_memory_equal(e.cosignatures[0].document, "doc", 3);
	assert_null(e.cosignatures[1].document);
	text = envelope_format(&e, true);
	assert_string_equal(text, full);
	free(text);
	text = envelope_format(&e, false);
	assert_string_equal(text, ref);
	free(text);
	text = envelope_add_document(ref, &e);
	assert_string_equal(text, full);
	free(text);
	hm_envelope_fini(&e);
	assert_null(e.cosignatures);
	assert_int_equal(e.cosignature_count, 0);
}

static void test_reference(void **state)
{
	struct hm_envelope e;

	(void)state;
	assert_int_equal(parse(&e, REF), HM_VALID);
	assert_null(e.document);
	assert_int_equal(e.document_len, 0);
	hm_envelope_fini(&e);
	/* blanks and another order are nobody's harm */
	assert_int_equal(
	    parse(&e,
		" { \"platform\" : \"simulated\" , " CONTENT SIGNATURE KEY SHA
		" } \n"),
	    HM_VALID);
	hm_envelope_fini(&e);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "null",
	    "[]",
	    "{}",
	    "\"x\"",
	    REF "x",
	    REF REF,
	    "{" CONTENT SIGNATURE KEY PLATFORM "}",
	    "{" CONTENT SIGNATURE KEY SHA "}",
	    "{" CONTENT SIGNATURE PLATFORM SHA "}",
	    "{" CONTENT KEY PLATFORM SHA "}",
	    "{\"x\":1" SIGNATURE KEY PLATFORM SHA "}",
	    "{" CONTENT SIGNATURE KEY PLATFORM SHA ",\"x\":1}",
	    "{" CONTENT "," CONTENT SIGNATURE KEY PLATFORM SHA "}",
	    "{" CONTENT SIGNATURE SIGNATURE KEY PLATFORM SHA "}",
	    "{" CONTENT SIGNATURE KEY PLATFORM SHA DOCUMENT DOCUMENT "}",
	    "{\"content\":1" SIGNATURE KEY PLATFORM SHA "}",
	    "{\"content\":{\"a\":1}" SIGNATURE KEY PLATFORM SHA "}",
	    "{\"content\":\"\"" SIGNATURE KEY PLATFORM SHA "}",
	    "{\"content\":\"a\\u0000b\"" SIGNATURE KEY PLATFORM SHA "}",
	    "{\"content\":\"\xff\"" SIGNATURE KEY PLATFORM SHA "}",
	    "{" CONTENT ",\"signature_b64\":\"\"" KEY PLATFORM SHA "}",
	    "{" CONTENT ",\"signature_b64\":\"c2l\"" KEY PLATFORM SHA "}",
	    "{" CONTENT ",\"signature_b64\":\"c2l=\"" KEY PLATFORM "}",
	    "{" CONTENT ",\"signature_b64\":\"c2n=\"" KEY PLATFORM SHA "}",
	    "{" CONTENT ",\"signature_b64\":\"c2ln\\n\"" KEY PLATFORM SHA "}",
	    "{" CONTENT ",\"signature_b64\":null" KEY PLATFORM SHA "}",
	    "{" CONTENT SIGNATURE ",\"public_key\":\"\"" PLATFORM SHA "}",
	    "{" CONTENT SIGNATURE KEY ",\"platform\":\"\"" SHA "}",
	    "{" CONTENT SIGNATURE KEY ",\"platform\":\"0123456789abcdef\"" SHA
	    "}",
	    "{" CONTENT SIGNATURE KEY PLATFORM ",\"attestation_sha256\":\"\"}",
	    "{" CONTENT SIGNATURE KEY PLATFORM
	    ",\"attestation_sha256\":\"00112233445566778899AABBCCDDEEFF001122334"
	    "45566778899aabbccddeeff\"}",
	    "{" CONTENT SIGNATURE KEY PLATFORM ",\"attestation_sha256\":\"" HASH
	    "0\"}",
	    "{" CONTENT SIGNATURE KEY PLATFORM SHA
	    ",\"attestation_doc_b64\":\"\"}",
	    "{" CONTENT SIGNATURE KEY PLATFORM SHA
	    ",\"attestation_doc_b64\":null}",
	    "{" CONTENT SIGNATURE KEY PLATFORM SHA
	    ",\"attestation_doc_b64\":\"ZG9jZ\"}",
	};
	static const struct hm_envelope zero;
	struct hm_envelope e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&e, 0xaa, sizeof(e));
		if (parse(&e, bad[i]) != HM_ENVELOPE_MALFORMED)
			fail_msg("taken: %s", bad[i]);
		assert_memory_equal(&e, &zero, sizeof(e));
	}
	assert_int_equal(hm_envelope_parse(&e, NULL, 0), HM_ENVELOPE_MALFORMED);
	assert_int_equal(hm_envelope_parse(&e, NULL, 1), HM_ENVELOPE_MALFORMED);
}

/* Every prefix of a good one. */
static void test_cut(void **state)
{
	struct hm_envelope e;

	(void)state;
	for (size_t len = 0; len < strlen(FULL); len++)
		assert_int_equal(
		    hm_envelope_parse(&e, FULL, len), HM_ENVELOPE_MALFORMED);
}

static enum hm_verdict with_filled(
    const char *before, size_t count, char fill, const char *after)
{
	char *json = malloc(strlen(before) + count + strlen(after) + 1);
	struct hm_envelope e;
	enum hm_verdict verdict;

	memcpy(json, before, strlen(before));
	memset(json + strlen(before), fill, count);
	memcpy(json + strlen(before) + count, after, strlen(after) + 1);
	verdict = parse(&e, json);
	hm_envelope_fini(&e);
	free(json);
	return verdict;
}

static void test_ceilings(void **state)
{
	const char *content = "{\"content\":\"";
	const char *after = "\"" SIGNATURE KEY PLATFORM SHA "}";
	const char *document = "{" CONTENT SIGNATURE KEY PLATFORM SHA
			       ",\"attestation_doc_b64\":\"";

	(void)state;
	assert_int_equal(with_filled(content, 32768, 'x', after), HM_VALID);
	assert_int_equal(
	    with_filled(content, 32769, 'x', after), HM_ENVELOPE_MALFORMED);
	assert_int_equal(with_filled(document, 27304, 'A', "\"}"), HM_VALID);
	assert_int_equal(
	    with_filled(document, 27312, 'A', "\"}"), HM_ENVELOPE_MALFORMED);
	assert_int_equal(
	    with_filled(REF, HM_ENVELOPE_MAX, ' ', ""), HM_ENVELOPE_MALFORMED);
	assert_int_equal(
	    with_filled("", 100000, '[', ""), HM_ENVELOPE_MALFORMED);
	assert_int_equal(
	    with_filled("{\"", 1000, 'k', "\":\"\"}"), HM_ENVELOPE_MALFORMED);
	assert_int_equal(
	    with_filled("{" CONTENT SIGNATURE KEY ",\"platform\":\"", 1000, 'p',
		"\"" SHA "}"),
	    HM_ENVELOPE_MALFORMED);
	assert_int_equal(
	    with_filled("{" CONTENT SIGNATURE KEY ",\"platform\":\"\\n", 1000,
		'p', "\"" SHA "}"),
	    HM_ENVELOPE_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_cosigned),
	    cmocka_unit_test(test_reference),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_ceilings),
	};

	return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
