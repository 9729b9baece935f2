/* Certificates that say what they should, in an encoding that is not theirs:
 * one element has another tag, something behind it, nothing in it, a default
 * written out. All lengths are right, and all is signed again. What audits of
 * other verifiers found is here by name. */
#include "tests/unit/verifier/der_edit.h"
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

struct edited {
	const char *name;
	unsigned level;
	struct der_edit edit;
	enum hm_verdict verdict;
};

#define E(name, level, path, op, bytes)                            \
	{                                                          \
		name, level, {path, op, bytes, sizeof(bytes) - 1}, \
		    HM_CERTIFICATE_PROFILE                         \
	}
#define E_IS(name, level, path, op, bytes, verdict)                        \
	{                                                                  \
		name, level, {path, op, bytes, sizeof(bytes) - 1}, verdict \
	}
#define LEAF BUILDER_LEAF

static const struct edited *now; /* the case under way */

static void edit(struct builder *x, unsigned level, struct blob *der)
{
	(void)x;
	if (level == now->level)
		der_edit(der, &now->edit);
}

static void in_tbs(struct builder *x)
{
	x->edit_tbs = edit;
}

static void in_certificate(struct builder *x)
{
	x->edit_der = edit;
}

static void run(
    void (*spoil)(struct builder *x), const struct edited *cases, size_t count)
{
	size_t bad = 0;

	for (size_t i = 0; i < count; i++) {
		struct wrong w = {cases[i].name, spoil, cases[i].verdict};

		now = &cases[i];
		bad += !wrong_try(b, &w, NULL);
	}
	wrong_summary(count, bad);
}

/*
 * Paths into a TBSCertificate (RFC 5280, 4.1): 0 [0] version, 1 serial, 2
 * signature, 3 issuer, 4 validity, 5 subject, 6 subjectPublicKeyInfo, 7 [3]
 * extensions, of which 700 is basicConstraints and 701 keyUsage.
 */
static void test_tags(void **state)
{
	static const struct edited cases[] = {
	    E("[0] version as [1]", LEAF, "0", DER_TAG, "\xa1"),
	    E("version an ENUMERATED", LEAF, "00", DER_TAG, "\x0a"),
	    E("serial an ENUMERATED", LEAF, "1", DER_TAG, "\x0a"),
	    E("serial an OCTET STRING", LEAF, "1", DER_TAG, "\x04"),
	    E("serial a BOOLEAN", LEAF, "1", DER_TAG, "\x01"),
	    E("serial context-specific", LEAF, "1", DER_TAG, "\x82"),
	    E("inner algorithm a SET", LEAF, "2", DER_TAG, "\x31"),
	    E("algorithm's OID an OCTET STRING", LEAF, "20", DER_TAG, "\x04"),
	    E("algorithm's OID a RELATIVE-OID", LEAF, "20", DER_TAG, "\x0d"),
	    E("issuer a SET", LEAF, "3", DER_TAG, "\x31"),
	    E("issuer's RDN a SEQUENCE", LEAF, "30", DER_TAG, "\x30"),
	    E("issuer's attribute a SET", LEAF, "300", DER_TAG, "\x31"),
	    E("issuer's OID an OCTET STRING", LEAF, "3000", DER_TAG, "\x04"),
	    E("validity a SET", LEAF, "4", DER_TAG, "\x31"),
	    E("notBefore a VisibleString", LEAF, "40", DER_TAG, "\x1a"),
	    E("notAfter an OCTET STRING", LEAF, "41", DER_TAG, "\x04"),
	    E("UTCTime called GeneralizedTime", LEAF, "41", DER_TAG, "\x18"),
	    E("GeneralizedTime called UTCTime", 0, "41", DER_VALUE,
		"20490101000000Z"),
	    E("subject a SET", LEAF, "5", DER_TAG, "\x31"),
	    E("SPKI a SET", LEAF, "6", DER_TAG, "\x31"),
	    E("SPKI algorithm a SET", LEAF, "60", DER_TAG, "\x31"),
	    E("SPKI OID an OCTET STRING", LEAF, "600", DER_TAG, "\x04"),
	    E("curve an OCTET STRING", LEAF, "601", DER_TAG, "\x04"),
	    E("key an OCTET STRING", LEAF, "61", DER_TAG, "\x04"),
	    E("[3] extensions as [2]", LEAF, "7", DER_TAG, "\xa2"),
	    E("extensions a SET", LEAF, "70", DER_TAG, "\x31"),
	    E("extension a SET", LEAF, "700", DER_TAG, "\x31"),
	    E("extension's OID an OCTET STRING", LEAF, "7000", DER_TAG, "\x04"),
	    E("critical an INTEGER", LEAF, "7001", DER_TAG, "\x02"),
	    E("extension's value a UTF8String", LEAF, "7002", DER_TAG, "\x0c"),
	    E("basicConstraints a SET", LEAF, "7002", DER_VALUE, "\x31\x00"),
	    E("keyUsage an OCTET STRING", LEAF, "7011", DER_VALUE,
		"\x04\x02\x06\xc0"),
	    E("CA's serial an OCTET STRING", 2, "1", DER_TAG, "\x04"),
	    E("CA's SPKI a SET", 2, "6", DER_TAG, "\x31"),
	    E("cA an INTEGER", 2, "7002", DER_VALUE,
		"\x30\x06\x02\x01\xff\x02\x01\x01"),
	    E("pathLen an ENUMERATED", 2, "7002", DER_VALUE,
		"\x30\x06\x01\x01\xff\x0a\x01\x01"),
	};

	(void)state;
	run(in_tbs, cases, sizeof(cases) / sizeof(cases[0]));
}

#define MORE "\x05\x00" /* a NULL that nobody asked for */

static void test_trailing(void **state)
{
	static const struct edited cases[] = {
	    E("more in the TBS", LEAF, "", DER_APPEND, MORE),
	    E("more in [0]", LEAF, "0", DER_APPEND, MORE),
	    E("version twice", LEAF, "0", DER_APPEND, "\x02\x01\x02"),
	    E("version of two bytes", LEAF, "00", DER_VALUE, "\x00\x02"),
	    E("version 2 + 2^32", LEAF, "00", DER_VALUE,
		"\x01\x00\x00\x00\x02"),
	    E("more behind the serial", LEAF, "1", DER_AFTER, MORE),
	    E("more in the inner algorithm", LEAF, "2", DER_APPEND, MORE),
	    E("more in the issuer", LEAF, "3", DER_APPEND, MORE),
	    E("more in an attribute", LEAF, "300", DER_APPEND, MORE),
	    E("more in the validity", LEAF, "4", DER_APPEND, MORE),
	    E("more in the subject", LEAF, "5", DER_APPEND, MORE),
	    E("more in the SPKI", LEAF, "6", DER_APPEND, MORE),
	    E("more in the SPKI algorithm", LEAF, "60", DER_APPEND, MORE),
	    E("more in the key", LEAF, "61", DER_APPEND, "\x00"),
	    E("CA: more in the key", 3, "61", DER_APPEND, "\x00"),
	    E("CA: more in the SPKI", 1, "6", DER_APPEND, MORE),
	    E("more in [3]", LEAF, "7", DER_APPEND, MORE),
	    E("more in the extensions", LEAF, "70", DER_APPEND, MORE),
	    E("more in an extension", LEAF, "701", DER_APPEND, MORE),
	    E("a byte behind keyUsage", LEAF, "7011", DER_APPEND, "\x00"),
	    E("more in basicConstraints", 2, "7002", DER_VALUE,
		"\x30\x08\x01\x01\xff\x02\x01\x01\x05\x00"),
	    E("more behind [3]", LEAF, "7", DER_AFTER, MORE),
	    E("issuerUniqueID", LEAF, "6", DER_AFTER, "\x81\x02\x00\xaa"),
	    E("subjectUniqueID", 2, "6", DER_AFTER, "\x82\x02\x00\xaa"),
	};
	static const struct edited outer[] = {
	    E("more in the certificate", LEAF, "", DER_APPEND, MORE),
	    E("more behind the certificate", LEAF, "", DER_AFTER, MORE),
	    E("certificate a SET", LEAF, "", DER_TAG, "\x31"),
	    E("outer algorithm a SET", LEAF, "1", DER_TAG, "\x31"),
	    E("more in the outer algorithm", LEAF, "1", DER_APPEND, MORE),
	    E("signature an OCTET STRING", LEAF, "2", DER_TAG, "\x04"),
	    E("signature of zero bytes", LEAF, "2", DER_VALUE, ""),
	    E_IS("signature without bits", LEAF, "2", DER_VALUE, "\x00",
		HM_CHAIN_BROKEN),
	    E_IS("more behind the signature", LEAF, "2", DER_APPEND, "\x00",
		HM_CHAIN_BROKEN),
	    E_IS("CA: more behind the signature", 2, "2", DER_APPEND, MORE,
		HM_CHAIN_BROKEN),
	    E_IS("signature cut", LEAF, "2", DER_CUT, "", HM_CHAIN_BROKEN),
	    E_IS("signature r = s = 0", LEAF, "2", DER_VALUE,
		"\x00\x30\x06\x02\x01\x00\x02\x01\x00", HM_CHAIN_BROKEN),
	    E_IS("CA: signature r = s = 0", 1, "2", DER_VALUE,
		"\x00\x30\x06\x02\x01\x00\x02\x01\x00", HM_CHAIN_BROKEN),
	    E_IS("signature r = s = 1", LEAF, "2", DER_VALUE,
		"\x00\x30\x06\x02\x01\x01\x02\x01\x01", HM_CHAIN_BROKEN),
	    E_IS("signature negative", LEAF, "2", DER_VALUE,
		"\x00\x30\x06\x02\x01\xff\x02\x01\xff", HM_CHAIN_BROKEN),
	};

	(void)state;
	run(in_tbs, cases, sizeof(cases) / sizeof(cases[0]));
	run(in_certificate, outer, sizeof(outer) / sizeof(outer[0]));
}

static void test_nothing_in_it(void **state)
{
	static const struct edited cases[] = {
	    E("version of zero bytes", LEAF, "00", DER_VALUE, ""),
	    E("[0] without a version", LEAF, "0", DER_VALUE, ""),
	    E("serial of zero bytes", LEAF, "1", DER_VALUE, ""),
	    E("inner algorithm empty", LEAF, "2", DER_VALUE, ""),
	    E_IS("issuer empty", LEAF, "3", DER_VALUE, "", HM_CHAIN_BROKEN),
	    E_IS("issuer's RDN empty", LEAF, "30", DER_VALUE, "",
		HM_CHAIN_BROKEN),
	    E("validity empty", LEAF, "4", DER_VALUE, ""),
	    E("notBefore empty", LEAF, "40", DER_VALUE, ""),
	    E("subject empty", LEAF, "5", DER_VALUE, ""),
	    E("SPKI empty", LEAF, "6", DER_VALUE, ""),
	    E("curve of zero bytes", LEAF, "601", DER_VALUE, ""),
	    E("key BIT STRING of zero bytes", LEAF, "61", DER_VALUE, ""),
	    E("key without bits", LEAF, "61", DER_VALUE, "\x00"),
	    E("extensions empty", LEAF, "70", DER_VALUE, ""),
	    E("[3] empty", LEAF, "7", DER_VALUE, ""),
	    E("critical of zero bytes", LEAF, "7001", DER_VALUE, ""),
	    E("basicConstraints of zero bytes", LEAF, "7002", DER_VALUE, ""),
	    E("keyUsage of zero bytes", LEAF, "7011", DER_VALUE, ""),
	    E("keyUsage without bits", LEAF, "7011", DER_VALUE, "\x03\x01\x00"),
	};

	(void)state;
	run(in_tbs, cases, sizeof(cases) / sizeof(cases[0]));
}

/* X.690, 11.5: what is the default is not written; 11.2.2: named bits end with
 * a bit that is set. */
static void test_defaults_written(void **state)
{
	static const struct edited cases[] = {
	    E("version 1 written", LEAF, "00", DER_VALUE, "\x00"),
	    E("critical FALSE written", LEAF, "7010", DER_AFTER,
		"\x01\x01\x00"),
	    E("CA: critical FALSE written", 1, "7030", DER_AFTER,
		"\x01\x01\x00"),
	    E("cA FALSE written", LEAF, "7002", DER_VALUE,
		"\x30\x03\x01\x01\x00"),
	    E("keyUsage ends with zero bits", LEAF, "7011", DER_VALUE,
		"\x03\x02\x00\xc0"),
	    E("keyUsage with a byte of zeros", LEAF, "7011", DER_VALUE,
		"\x03\x03\x00\xc0\x00"),
	    E("keyUsage of ten bits", LEAF, "7011", DER_VALUE,
		"\x03\x04\x06\x80\x00\x40"),
	    E_IS("keyUsage of nine bits", LEAF, "7011", DER_VALUE,
		"\x03\x03\x07\x80\x80", HM_VALID),
	    E("serial with a zero before", LEAF, "1", DER_VALUE, "\x00\x01"),
	};

	(void)state;
	run(in_tbs, cases, sizeof(cases) / sizeof(cases[0]));
}

#define ZEROS_16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZEROS_48 ZEROS_16 ZEROS_16 ZEROS_16
/* The prime of the field: as a coordinate, zero in another spelling. */
#define P_384                                                      \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" \
	"\xff\xff\xff\xfe\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00" \
	"\x00\x00\xff\xff\xff\xff"
/* A root of the curve's b, so (0, y) is on the curve. */
#define Y_OF_0                                                     \
	"\x3c\xf9\x9e\xf0\x4f\x51\xa5\xea\x63\x0b\xa3\xf9\xf9\x60" \
	"\xdd\x59\x3a\x14\xc9\xbe\x39\xfd\x2b\xd2\x15\xd3\xb4\xb0" \
	"\x8a\xaa\xf8\x6b\xbf\x92\x7f\x2c\x46\xe5\x2a\xb0\x6f\xb7" \
	"\x42\xb8\x85\x0e\x52\x1e"

static void test_points(void **state)
{
	static const struct edited cases[] = {
	    E("point at infinity", LEAF, "61", DER_VALUE, "\x00\x00"),
	    E("CA: point at infinity", 2, "61", DER_VALUE, "\x00\x00"),
	    E("infinity with coordinates", LEAF, "61", DER_VALUE,
		"\x00\x00" ZEROS_48 ZEROS_48),
	    E("point (0, 0)", LEAF, "61", DER_VALUE,
		"\x00\x04" ZEROS_48 ZEROS_48),
	    E("point (p, y)", LEAF, "61", DER_VALUE, "\x00\x04" P_384 Y_OF_0),
	    E_IS("point (0, y), another's key", LEAF, "61", DER_VALUE,
		"\x00\x04" ZEROS_48 Y_OF_0, HM_DOCUMENT_SIGNATURE),
	    E("point (p, p)", LEAF, "61", DER_VALUE, "\x00\x04" P_384 P_384),
	    E("point a byte short", LEAF, "61", DER_CUT, ""),
	    E("point of one byte", LEAF, "61", DER_VALUE, "\x00\x04"),
	    E("point form 05", LEAF, "61", DER_VALUE,
		"\x00\x05" ZEROS_48 Y_OF_0),
	};

	(void)state;
	run(in_tbs, cases, sizeof(cases) / sizeof(cases[0]));
}

/* Numbers that another width would take for 1, and dates. */
static void test_numbers_and_dates(void **state)
{
	static const struct edited cases[] = {
	    E("pathLen 2^32 + 1", 2, "7002", DER_VALUE,
		"\x30\x0a\x01\x01\xff\x02\x05\x01\x00\x00\x00\x01"),
	    E("pathLen 2^64 + 1", 2, "7002", DER_VALUE,
		"\x30\x0e\x01\x01\xff\x02\x09\x01\x00\x00\x00\x00\x00\x00\x00"
		"\x01"),
	    E("pathLen -2^63", 2, "7002", DER_VALUE,
		"\x30\x0d\x01\x01\xff\x02\x08\x80\x00\x00\x00\x00\x00\x00"
		"\x00"),
	    E("month 13", LEAF, "41", DER_VALUE, "261321235959Z"),
	    E("month 00", LEAF, "41", DER_VALUE, "260021235959Z"),
	    E("day 00", LEAF, "41", DER_VALUE, "261200235959Z"),
	    E("February 29 of no leap year", LEAF, "41", DER_VALUE,
		"270229235959Z"),
	    E_IS("February 29 of a leap year", LEAF, "41", DER_VALUE,
		"280229235959Z", HM_VALID),
	    E("April 31", LEAF, "41", DER_VALUE, "270431235959Z"),
	    E("hour 24", LEAF, "41", DER_VALUE, "261121240000Z"),
	    E("z for Z", LEAF, "41", DER_VALUE, "261121235959z"),
	    E("a blank for a digit", LEAF, "41", DER_VALUE, "2611 1235959Z"),
	    E("a sign for a digit", LEAF, "41", DER_VALUE, "26112+235959Z"),
	    E("a NUL behind the time", LEAF, "41", DER_VALUE,
		"261121235959Z\0"),
	};

	(void)state;
	run(in_tbs, cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tags),
	    cmocka_unit_test(test_trailing),
	    cmocka_unit_test(test_nothing_in_it),
	    cmocka_unit_test(test_defaults_written),
	    cmocka_unit_test(test_points),
	    cmocka_unit_test(test_numbers_and_dates),
	};

	return cmocka_run_group_tests_name(
	    "cert_encoding", tests, setup, teardown);
}
