/* Attestation documents with one certificate that says something else than
 * AWS's do: extensions, serials, names, dates. Everything is signed again after
 * the change, so that only the check under test can refuse it. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/one_thing_wrong.h"

#include <openssl/x509v3.h>

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

/* A spoil function that edits the certificate of one level. */
#define CERT(name, which, statement)                                        \
	static void edit_##name(struct builder *x, unsigned level, X509 *c) \
	{                                                                   \
		(void)x;                                                    \
		if (level == (which)) {                                     \
			statement;                                          \
		}                                                           \
	}                                                                   \
	static void name(struct builder *x)                                 \
	{                                                                   \
		x->edit_cert = edit_##name;                                 \
	}

/* Takes out an extension and puts another text of it. */
static void again(X509 *c, int nid, const char *value)
{
	builder_drop_extension(c, nid);
	builder_extension(c, nid, value);
}

static void raw_extension(X509 *c, int nid, const void *der, int len, int crit)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	assert_int_equal(ASN1_OCTET_STRING_set(value, der, len), 1);
	ext = X509_EXTENSION_create_by_NID(NULL, nid, crit, value);
	assert_int_equal(X509_add_ext(c, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
}

static void unknown_extension(X509 *c, int critical)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.55555.1", 1);
	X509_EXTENSION *ext;

	assert_int_equal(
	    ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2),
	    1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
	assert_int_equal(X509_add_ext(c, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OBJECT_free(oid);
	ASN1_OCTET_STRING_free(value);
}

/* The leaf has two of its own. */
static void many_extensions(X509 *c, int count)
{
	for (int i = 2; i < count; i++) {
		char text[32];
		int nid;

		snprintf(text, sizeof(text), "1.3.6.1.4.1.55555.%d", i);
		nid = OBJ_txt2nid(text);
		if (nid == NID_undef)
			nid = OBJ_create(text, text, text);
		raw_extension(c, nid, "\x05\x00", 2, 0);
	}
}

static void set_common_name(X509_NAME *name, const char *cn)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)cn, -1, -1, 0),
	    1);
}

#define BC NID_basic_constraints
#define KU NID_key_usage

CERT(leaf_is_ca, 4, again(c, BC, "critical,CA:TRUE"))
CERT(leaf_no_constraints, 4, builder_drop_extension(c, BC))
CERT(leaf_constraints_not_critical, 4, again(c, BC, "CA:FALSE"))
CERT(leaf_pathlen, 4, again(c, BC, "critical,CA:FALSE,pathlen:0"))
CERT(leaf_no_usage, 4, builder_drop_extension(c, KU))
CERT(leaf_usage_encrypt, 4, again(c, KU, "keyEncipherment"))
CERT(leaf_usage_certsign, 4, again(c, KU, "digitalSignature,keyCertSign"))
CERT(leaf_usage_crlsign, 4, again(c, KU, "digitalSignature,cRLSign"))
CERT(ca_not_ca, 3, again(c, BC, "critical,CA:FALSE"))
CERT(ca_no_constraints, 2, builder_drop_extension(c, BC))
CERT(ca_constraints_not_critical, 2, again(c, BC, "CA:TRUE,pathlen:1"))
CERT(ca_no_usage, 1, builder_drop_extension(c, KU))
CERT(ca_usage_no_certsign, 3, again(c, KU, "critical,digitalSignature"))
CERT(regional_pathlen_1, 1, again(c, BC, "critical,CA:TRUE,pathlen:1"))
CERT(zonal_pathlen_0, 2, again(c, BC, "critical,CA:TRUE,pathlen:0"))
CERT(root_pathlen_2, 0, again(c, BC, "critical,CA:TRUE,pathlen:2"))
CERT(root_not_ca, 0, again(c, BC, "critical,CA:FALSE"))
CERT(pathlen_17, 1, again(c, BC, "critical,CA:TRUE,pathlen:17"))
CERT(no_pathlen, 1, again(c, BC, "critical,CA:TRUE"))

/* SEQUENCE { BOOLEAN TRUE, INTEGER n } with an INTEGER of our making */
CERT(pathlen_negative, 2, builder_drop_extension(c, BC);
     raw_extension(c, BC, "\x30\x06\x01\x01\xff\x02\x01\xff", 8, 1))
CERT(pathlen_2_63, 2, builder_drop_extension(c, BC); raw_extension(c, BC,
    "\x30\x0e\x01\x01\xff\x02\x09\x00\x80\x00\x00\x00\x00\x00\x00\x00", 16, 1))
CERT(pathlen_not_shortest, 2, builder_drop_extension(c, BC);
     raw_extension(c, BC, "\x30\x07\x01\x01\xff\x02\x02\x00\x05", 9, 1))
CERT(boolean_01, 2, builder_drop_extension(c, BC);
     raw_extension(c, BC, "\x30\x06\x01\x01\x01\x02\x01\x01", 8, 1))
CERT(constraints_and_byte, 2, builder_drop_extension(c, BC);
     raw_extension(c, BC, "\x30\x06\x01\x01\xff\x02\x01\x01\x00", 9, 1))
CERT(usage_empty_bits, 4, builder_drop_extension(c, KU);
     raw_extension(c, KU, "\x03\x00", 2, 0))
CERT(usage_unused_bits, 4, builder_drop_extension(c, KU);
     raw_extension(c, KU, "\x03\x02\x07\xc0", 4, 0))
CERT(constraints_twice, 4, builder_extension(c, BC, "critical,CA:FALSE"))
CERT(usage_twice, 3, builder_extension(c, KU, "critical,keyCertSign"))
CERT(unknown_critical, 4, unknown_extension(c, 1))
CERT(unknown_critical_ca, 1, unknown_extension(c, 1))
CERT(unknown_harmless, 4, unknown_extension(c, 0))
CERT(unknown_twice, 4, unknown_extension(c, 0); unknown_extension(c, 0))
CERT(key_id_a_number, 3, builder_drop_extension(c, NID_subject_key_identifier);
     raw_extension(c, NID_subject_key_identifier, "\x02\x01\x01", 3, 0))
CERT(extensions_16, 4, many_extensions(c, 16))
CERT(extensions_17, 4, many_extensions(c, 17))
CERT(server_auth, 4, builder_extension(c, NID_ext_key_usage, "serverAuth"))
CERT(ca_server_auth, 2, builder_extension(c, NID_ext_key_usage, "serverAuth"))
CERT(name_constraint, 1,
    builder_extension(
	c, NID_name_constraints, "critical,permitted;DNS:example"))
CERT(policies, 3,
    raw_extension(c, NID_certificate_policies,
	"\x30\x07\x30\x05\x06\x03\x2a\x03\x04", 9, 0))
CERT(key_id_not_der, 3, builder_drop_extension(c, NID_subject_key_identifier);
     raw_extension(c, NID_subject_key_identifier, "\x04\x81\x01\x01", 4, 0))
CERT(key_id_critical, 3, builder_drop_extension(c, NID_subject_key_identifier);
     raw_extension(c, NID_subject_key_identifier, "\x04\x01\x01", 3, 1))

CERT(version_1, 4,
     while (X509_get_ext_count(c) > 0)
	 X509_EXTENSION_free(X509_delete_ext(c, 0));
     X509_set_version(c, X509_VERSION_1))
CERT(ca_version_1, 2,
     while (X509_get_ext_count(c) > 0)
	 X509_EXTENSION_free(X509_delete_ext(c, 0));
     X509_set_version(c, X509_VERSION_1))
CERT(serial_zero, 4, ASN1_INTEGER_set(X509_get_serialNumber(c), 0))
CERT(serial_negative, 4, ASN1_INTEGER_set(X509_get_serialNumber(c), -5))

static void serial_of(X509 *c, const char *hex)
{
	BIGNUM *value = NULL;

	assert_true(BN_hex2bn(&value, hex) > 0);
	assert_non_null(BN_to_ASN1_INTEGER(value, X509_get_serialNumber(c)));
	BN_free(value);
}

CERT(serial_20, 4, serial_of(c, "ffffffffffffffffffffffffffffffffffffffff"))
CERT(serial_21, 4, serial_of(c, "01ffffffffffffffffffffffffffffffffffffffff"))

CERT(leaf_other_name, 4,
    set_common_name(X509_get_subject_name(c),
	"i-0123456789abcdef0-enc0000000000000000.test-1.aws"))
CERT(leaf_name_longer, 4, char name[256];
     snprintf(name, sizeof(name), "%sx.aws", x->module_id);
     set_common_name(X509_get_subject_name(c), name))
CERT(leaf_name_no_more, 4,
    set_common_name(X509_get_subject_name(c), x->module_id))
CERT(leaf_name_dot, 4, char name[256];
     snprintf(name, sizeof(name), "%s.", x->module_id);
     set_common_name(X509_get_subject_name(c), name))
CERT(leaf_name_twice, 4,
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
	(const unsigned char *)"x", -1, -1, 0))
CERT(issuer_name_other, 3,
    set_common_name(X509_get_issuer_name(c), "somebody else"))
CERT(subject_name_other, 2,
    set_common_name(X509_get_subject_name(c), "somebody else"))

static void set_time(ASN1_TIME *when, int type, const char *text)
{
	assert_int_equal(
	    ASN1_STRING_set((ASN1_STRING *)when, text, (int)strlen(text)), 1);
	((ASN1_STRING *)when)->type = type;
}

CERT(generalized_2030, 0,
    set_time(X509_getm_notAfter(c), V_ASN1_GENERALIZEDTIME, "20300101000000Z"))
CERT(generalized_2020, 0,
    set_time(X509_getm_notBefore(c), V_ASN1_GENERALIZEDTIME, "20200101000000Z"))
CERT(
    feb_30, 0, set_time(X509_getm_notAfter(c), V_ASN1_UTCTIME, "300230000000Z"))
CERT(no_z, 0, set_time(X509_getm_notAfter(c), V_ASN1_UTCTIME, "300201000000"))
CERT(with_offset, 0,
    set_time(X509_getm_notAfter(c), V_ASN1_UTCTIME, "300201000000+0000"))
CERT(no_seconds, 0,
    set_time(X509_getm_notAfter(c), V_ASN1_UTCTIME, "3002010000Z"))
CERT(fraction, 0,
    set_time(
	X509_getm_notAfter(c), V_ASN1_GENERALIZEDTIME, "20600101000000.5Z"))
CERT(second_60, 0,
    set_time(X509_getm_notAfter(c), V_ASN1_UTCTIME, "300201000060Z"))
CERT(year_9999, 0,
    set_time(X509_getm_notAfter(c), V_ASN1_GENERALIZEDTIME, "99991231235959Z"))

#define PROFILE HM_CERTIFICATE_PROFILE

static void test_certificates(void **state)
{
	static const struct wrong cases[] = {
	    {"leaf CA:TRUE", leaf_is_ca, PROFILE},
	    {"leaf without basicConstraints", leaf_no_constraints, PROFILE},
	    {"leaf basicConstraints not critical",
		leaf_constraints_not_critical, PROFILE},
	    {"leaf with a pathLen", leaf_pathlen, PROFILE},
	    {"leaf without keyUsage", leaf_no_usage, PROFILE},
	    {"leaf keyUsage keyEncipherment", leaf_usage_encrypt, PROFILE},
	    {"leaf may sign certificates", leaf_usage_certsign, PROFILE},
	    {"leaf may sign CRLs", leaf_usage_crlsign, PROFILE},
	    {"CA with CA:FALSE", ca_not_ca, PROFILE},
	    {"CA without basicConstraints", ca_no_constraints, PROFILE},
	    {"CA basicConstraints not critical", ca_constraints_not_critical,
		PROFILE},
	    {"CA without keyUsage", ca_no_usage, PROFILE},
	    {"CA without keyCertSign", ca_usage_no_certsign, PROFILE},
	    {"root with CA:FALSE", root_not_ca, PROFILE},
	    {"root pathLen too small", root_pathlen_2, PROFILE},
	    {"regional pathLen too small", regional_pathlen_1, PROFILE},
	    {"zonal pathLen too small", zonal_pathlen_0, PROFILE},
	    {"pathLen 17", pathlen_17, PROFILE},
	    {"pathLen negative", pathlen_negative, PROFILE},
	    {"pathLen 2^63", pathlen_2_63, PROFILE},
	    {"pathLen not shortest", pathlen_not_shortest, PROFILE},
	    {"no pathLen", no_pathlen, HM_VALID},
	    {"CA BOOLEAN 01", boolean_01, PROFILE},
	    {"basicConstraints and a byte", constraints_and_byte, PROFILE},
	    {"keyUsage BIT STRING empty", usage_empty_bits, PROFILE},
	    {"keyUsage unused bits set", usage_unused_bits, PROFILE},
	    {"basicConstraints twice", constraints_twice, PROFILE},
	    {"keyUsage twice", usage_twice, PROFILE},
	    {"leaf unknown critical extension", unknown_critical, PROFILE},
	    {"CA unknown critical extension", unknown_critical_ca, PROFILE},
	    {"leaf unknown other extension", unknown_harmless, HM_VALID},
	    {"unknown extension twice", unknown_twice, PROFILE},
	    {"key identifier a number", key_id_a_number, PROFILE},
	    {"key identifier not DER", key_id_not_der, PROFILE},
	    {"16 extensions", extensions_16, HM_VALID},
	    {"17 extensions", extensions_17, PROFILE},
	    {"leaf for serverAuth only", server_auth, PROFILE},
	    {"CA for serverAuth only", ca_server_auth, PROFILE},
	    {"name constraints", name_constraint, PROFILE},
	    {"certificate policies", policies, PROFILE},
	    {"key identifier critical", key_id_critical, PROFILE},
	    {"leaf version 1", version_1, PROFILE},
	    {"CA version 1", ca_version_1, PROFILE},
	    {"serial 0", serial_zero, PROFILE},
	    {"serial negative", serial_negative, PROFILE},
	    {"serial of 20 bytes", serial_20, HM_VALID},
	    {"serial of 21 bytes", serial_21, PROFILE},
	    {"leaf of another module_id", leaf_other_name, PROFILE},
	    {"leaf name goes on without a dot", leaf_name_longer, PROFILE},
	    {"leaf name without region", leaf_name_no_more, PROFILE},
	    {"leaf name ends with the dot", leaf_name_dot, PROFILE},
	    {"leaf with two common names", leaf_name_twice, PROFILE},
	    {"issuer name of another", issuer_name_other, HM_CHAIN_BROKEN},
	    {"subject name of another", subject_name_other, HM_CHAIN_BROKEN},
	    {"GeneralizedTime in 2030", generalized_2030, PROFILE},
	    {"GeneralizedTime from 2020", generalized_2020, PROFILE},
	    {"February 30", feb_30, PROFILE},
	    {"time without Z", no_z, PROFILE},
	    {"time with an offset", with_offset, PROFILE},
	    {"time without seconds", no_seconds, PROFILE},
	    {"time with a fraction", fraction, PROFILE},
	    {"second 60", second_60, PROFILE},
	    {"no well-defined expiration", year_9999, HM_VALID},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_certificates),
	};

	return cmocka_run_group_tests_name(
	    "cert_profile", tests, setup, teardown);
}
