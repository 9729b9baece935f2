/* Attestation documents with one thing wrong in one certificate (the bundle is
 * test_bundle.c). Everything is signed again after the change, so that only the
 * check under test can refuse it. */
#include "tests/unit/verifier/one_thing_wrong.h"
#include "tests/unit/verifier/shared_builder.h"

#include <openssl/x509v3.h>

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

/* ---- other keys and algorithms ---- */

static EVP_PKEY *other_key;

static void other_leaf_key(struct builder *x, unsigned level, X509 *c)
{
	(void)x;
	if (level == x->level)
		assert_int_equal(X509_set_pubkey(c, other_key), 1);
}

static void use_key(struct builder *x, unsigned level, EVP_PKEY *key)
{
	EVP_PKEY_free(other_key);
	other_key = key;
	assert_non_null(key);
	x->level = level;
	x->edit_cert = other_leaf_key;
}

static void leaf_p256(struct builder *x)
{
	use_key(x, 4, EVP_EC_gen("P-256"));
}

static void leaf_p521(struct builder *x)
{
	use_key(x, 4, EVP_EC_gen("P-521"));
}

static void leaf_rsa(struct builder *x)
{
	use_key(x, 4, EVP_RSA_gen(2048));
}

static void leaf_ed25519(struct builder *x)
{
	use_key(x, 4, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

static void leaf_brainpool(struct builder *x)
{
	use_key(x, 4, EVP_EC_gen("brainpoolP384r1"));
}

static void ca_p256(struct builder *x)
{
	use_key(x, 2, EVP_EC_gen("P-256"));
}

/* A good P-384 key, but not the one that signed. */
static void leaf_another_key(struct builder *x)
{
	use_key(x, 4, EVP_EC_gen("P-384"));
}

static void ca_another_key(struct builder *x)
{
	use_key(x, 3, EVP_EC_gen("P-384"));
}

/* The instance's own key signs the chain below it, but its certificate holds
 * explicit parameters of the same curve. */
static void explicit_parameters(struct builder *x, unsigned level, X509 *c)
{
	EVP_PKEY *copy;

	(void)x;
	if (level != 4)
		return;
	copy = EVP_PKEY_dup(x->keys[4]);
	assert_int_equal(
	    EVP_PKEY_set_utf8_string_param(copy, "encoding", "explicit"), 1);
	assert_int_equal(X509_set_pubkey(c, copy), 1);
	EVP_PKEY_free(copy);
}

static void leaf_explicit(struct builder *x)
{
	x->edit_cert = explicit_parameters;
}

static void compressed_point(struct builder *x, unsigned level, X509 *c)
{
	EVP_PKEY *copy;

	if (level != 4)
		return;
	copy = EVP_PKEY_dup(x->keys[4]);
	assert_int_equal(
	    EVP_PKEY_set_utf8_string_param(copy, "point-format", "compressed"),
	    1);
	assert_int_equal(X509_set_pubkey(c, copy), 1);
	EVP_PKEY_free(copy);
}

static void leaf_compressed(struct builder *x)
{
	x->edit_cert = compressed_point;
}

static void all_sha256(struct builder *x)
{
	x->digest = EVP_sha256();
}

static void all_sha512(struct builder *x)
{
	x->digest = EVP_sha512();
}

/* ---- edits of the encoding; TBS edits are signed again ---- */

#define TBS(name, which, from, to)                                            \
	static void edit_##name(                                              \
	    struct builder *x, unsigned level, struct blob *tbs)              \
	{                                                                     \
		(void)x;                                                      \
		if (level == (which))                                         \
			blob_replace(                                         \
			    tbs, from, sizeof(from) - 1, to, sizeof(to) - 1); \
	}                                                                     \
	static void name(struct builder *x)                                   \
	{                                                                     \
		x->edit_tbs = edit_##name;                                    \
	}

/* In the bytes: newer OpenSSL makes it version 3 again when it signs. */
TBS(version_2, 4, "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x01")
/* critical BOOLEAN of basicConstraints 01 instead of FF */
TBS(critical_01, 4, "\x55\x1d\x13\x01\x01\xff", "\x55\x1d\x13\x01\x01\x01")
/* the inner algorithm says SHA-256, the outer SHA-384 */
TBS(inner_sha256, 4, "\x2a\x86\x48\xce\x3d\x04\x03\x03",
    "\x2a\x86\x48\xce\x3d\x04\x03\x02")
/* secp384r1 becomes secp521r1 by name only */
TBS(curve_renamed, 4, "\x2b\x81\x04\x00\x22", "\x2b\x81\x04\x00\x23")
/* the point's first byte: hybrid, infinity-like */
TBS(point_hybrid, 4, "\x03\x62\x00\x04", "\x03\x62\x00\x06")

static void edit_unused_bits(
    struct builder *x, unsigned level, struct blob *tbs)
{
	(void)x;
	if (level == BUILDER_LEAF)
		blob_replace(tbs, "\x03\x62\x00\x04", 4, "\x03\x62\x01\x04", 4);
}

/* Keys until one has a point that ends with a zero bit: one unused bit is in
 * order for DER then. */
static void point_unused_bits(struct builder *x)
{
	uint8_t point[97] = {0};
	size_t len;

	do {
		EVP_PKEY_free(other_key);
		other_key = EVP_EC_gen("P-384");
		assert_int_equal(EVP_PKEY_get_octet_string_param(other_key,
				     "pub", point, sizeof(point), &len),
		    1);
	} while ((point[96] & 1) != 0);
	x->key_of[BUILDER_LEAF] = other_key;
	x->edit_tbs = edit_unused_bits;
}

/* The same of a signature: every other one ends with a zero bit. */
static void edit_signature_bits(
    struct builder *x, unsigned level, struct blob *der)
{
	const unsigned char *at = der->at;
	size_t len = (size_t)(der->at[6] << 8 | der->at[7]);
	uint8_t sig[256];
	static struct blob tbs;
	X509 *c;

	if (level != BUILDER_LEAF)
		return;
	c = d2i_X509(NULL, &at, (long)der->len);
	blob_set(&tbs, der->at + 4, 4 + len);
	do {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		len = sizeof(sig);
		EVP_DigestSignInit(ctx, NULL, x->digest, NULL, x->keys[3]);
		EVP_DigestSign(ctx, sig, &len, tbs.at, tbs.len);
		EVP_MD_CTX_free(ctx);
	} while ((sig[len - 1] & 1) != 0);
	seal(der, &tbs, X509_get0_tbs_sigalg(c), sig, len);
	der->at[der->len - len - 1] = 0x01;
	X509_free(c);
}

static void signature_unused_bits(struct builder *x)
{
	x->edit_der = edit_signature_bits;
}

static void break_point(struct builder *x, unsigned level, struct blob *tbs)
{
	uint8_t *point;

	(void)x;
	if (level != 4)
		return;
	point = memmem(tbs->at, tbs->len, "\x03\x62\x00\x04", 4);
	assert_non_null(point);
	point[4 + 95] ^= 1;
}

static void point_off_curve(struct builder *x)
{
	x->edit_tbs = break_point;
}

/* One byte behind the last extension, inside the outermost TBS SEQUENCE. */
static void append_to_tbs(struct builder *x, unsigned level, struct blob *tbs)
{
	size_t len;

	(void)x;
	if (level != 4)
		return;
	blob_put(tbs, "\x05\x00", 2);
	len = tbs->len - 4;
	tbs->at[2] = (uint8_t)(len >> 8);
	tbs->at[3] = (uint8_t)len;
}

static void tbs_and_more(struct builder *x)
{
	x->edit_tbs = append_to_tbs;
}

/* ecdsa-with-SHA384 and a NULL; two bytes more. */
static void put_alg_null(struct builder *x, unsigned level, struct blob *tbs)
{
	static const char sha384[] = "\x2a\x86\x48\xce\x3d\x04\x03\x03";
	uint8_t without[12], with_null[14] = {0x30, 0x0c, 0x06, 0x08};
	size_t len;

	(void)x;
	if (level != 4)
		return;
	memcpy(with_null + 4, sha384, 8);
	with_null[12] = 0x05;
	memcpy(without, with_null, 12);
	without[1] = 0x0a;
	blob_replace(tbs, without, 12, with_null, 14);
	len = tbs->len - 4;
	tbs->at[2] = (uint8_t)(len >> 8);
	tbs->at[3] = (uint8_t)len;
}

static void alg_null(struct builder *x)
{
	x->edit_tbs = put_alg_null;
}

#define DER(name, which, statement)                              \
	static void edit_##name(                                 \
	    struct builder *x, unsigned level, struct blob *der) \
	{                                                        \
		(void)x;                                         \
		if (level == (which)) {                          \
			statement;                               \
		}                                                \
	}                                                        \
	static void name(struct builder *x)                      \
	{                                                        \
		x->edit_der = edit_##name;                       \
	}

DER(leaf_and_byte, 4, blob_put(der, "", 1))
DER(ca_and_byte, 2, blob_put(der, "", 1))
DER(leaf_cut, 4, der->len--)
DER(leaf_not_der, 4, blob_set(der, "hello", 5))
DER(leaf_signature_flip, 4, der->at[der->len - 1] ^= 1)
DER(ca_signature_flip, 2, der->at[der->len - 1] ^= 1)
DER(leaf_tbs_flip, 4, der->at[30] ^= 1)
DER(leaf_too_long, 4, der->len = 1025)

/* The last ecdsa-with-SHA384 is the outer one. */
static void outer_to_sha256(struct builder *x, unsigned level, struct blob *der)
{
	static const uint8_t oid[] = {
	    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
	uint8_t *last = NULL, *next = der->at;

	(void)x;
	if (level != BUILDER_LEAF)
		return;
	while ((next = memmem(next, (size_t)(der->at + der->len - next), oid,
		    sizeof(oid))) != NULL)
		last = next++;
	assert_non_null(last);
	last[7] = 0x02;
}

static void outer_sha256(struct builder *x)
{
	x->edit_der = outer_to_sha256;
}

/* 30 82 LL LL becomes 30 83 00 LL LL: BER, not DER. */
static void long_length(struct builder *x, unsigned level, struct blob *der)
{
	static struct blob rest;

	(void)x;
	if (level != 4)
		return;
	blob_set(&rest, der->at + 2, der->len - 2);
	blob_set(der, "\x30\x83\x00", 3);
	blob_put(der, rest.at, rest.len);
}

static void length_not_shortest(struct builder *x)
{
	x->edit_der = long_length;
}

static void indefinite_length(
    struct builder *x, unsigned level, struct blob *der)
{
	static struct blob rest;

	(void)x;
	if (level != 4)
		return;
	blob_set(&rest, der->at + 4, der->len - 4);
	blob_set(der, "\x30\x80", 2);
	blob_put(der, rest.at, rest.len);
	blob_put(der, "\0\0", 2);
}

static void length_indefinite(struct builder *x)
{
	x->edit_der = indefinite_length;
}

/* ---- times of each level ---- */

#define TIMES(name, array, which, seconds)  \
	static void name(struct builder *x) \
	{                                   \
		x->array[which] = seconds;  \
	}

TIMES(root_over, not_after_s, 0, -1)
TIMES(regional_over, not_after_s, 1, -1)
TIMES(zonal_over, not_after_s, 2, -1)
TIMES(instance_over, not_after_s, 3, -1)
TIMES(leaf_over, not_after_s, 4, -1)
TIMES(root_early, not_before_s, 0, 1)
TIMES(regional_early, not_before_s, 1, 1)
TIMES(zonal_early, not_before_s, 2, 1)
TIMES(instance_early, not_before_s, 3, 1)
TIMES(leaf_early, not_before_s, 4, 1)
TIMES(leaf_to_the_second, not_after_s, 4, 0)
TIMES(leaf_from_the_second, not_before_s, 4, 0)

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
	    {"leaf version 2", version_2, PROFILE},
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

static void test_keys(void **state)
{
	static const struct wrong cases[] = {
	    {"leaf P-256", leaf_p256, PROFILE},
	    {"leaf P-521", leaf_p521, PROFILE},
	    {"leaf RSA", leaf_rsa, PROFILE},
	    {"leaf Ed25519", leaf_ed25519, PROFILE},
	    {"leaf brainpoolP384r1", leaf_brainpool, PROFILE},
	    {"CA P-256", ca_p256, PROFILE},
	    {"leaf with another key", leaf_another_key, HM_DOCUMENT_SIGNATURE},
	    {"CA with another key", ca_another_key, HM_CHAIN_BROKEN},
	    {"leaf explicit parameters", leaf_explicit, PROFILE},
	    {"leaf compressed point", leaf_compressed, PROFILE},
	    {"leaf point not on the curve", point_off_curve, PROFILE},
	    {"leaf point hybrid", point_hybrid, PROFILE},
	    {"leaf point with unused bits", point_unused_bits, PROFILE},
	    {"leaf curve renamed", curve_renamed, PROFILE},
	    {"signed with SHA-256", all_sha256, PROFILE},
	    {"signed with SHA-512", all_sha512, PROFILE},
	    {"inner algorithm SHA-256", inner_sha256, PROFILE},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
	EVP_PKEY_free(other_key);
	other_key = NULL;
}

static void test_encoding(void **state)
{
	static const struct wrong cases[] = {
	    {"critical BOOLEAN 01", critical_01, PROFILE},
	    {"more in the TBS", tbs_and_more, PROFILE},
	    {"algorithm with a NULL", alg_null, PROFILE},
	    {"leaf and a byte", leaf_and_byte, PROFILE},
	    {"CA and a byte", ca_and_byte, PROFILE},
	    {"signature with unused bits", signature_unused_bits, PROFILE},
	    {"outer algorithm SHA-256", outer_sha256, PROFILE},
	    {"leaf cut", leaf_cut, PROFILE},
	    {"leaf not DER", leaf_not_der, PROFILE},
	    {"length not shortest", length_not_shortest, PROFILE},
	    {"length indefinite", length_indefinite, PROFILE},
	    {"leaf of 1025 bytes", leaf_too_long, HM_DOCUMENT_MALFORMED},
	    {"leaf's signature flipped", leaf_signature_flip, HM_CHAIN_BROKEN},
	    {"CA's signature flipped", ca_signature_flip, HM_CHAIN_BROKEN},
	    {"leaf's TBS flipped", leaf_tbs_flip, PROFILE},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_times(void **state)
{
	static const struct wrong cases[] = {
	    {"root expired", root_over, HM_CHAIN_EXPIRED},
	    {"regional expired", regional_over, HM_CHAIN_EXPIRED},
	    {"zonal expired", zonal_over, HM_CHAIN_EXPIRED},
	    {"instance expired", instance_over, HM_CHAIN_EXPIRED},
	    {"leaf expired", leaf_over, HM_CHAIN_EXPIRED},
	    {"root not yet valid", root_early, HM_CHAIN_NOT_YET_VALID},
	    {"regional not yet valid", regional_early, HM_CHAIN_NOT_YET_VALID},
	    {"zonal not yet valid", zonal_early, HM_CHAIN_NOT_YET_VALID},
	    {"instance not yet valid", instance_early, HM_CHAIN_NOT_YET_VALID},
	    {"leaf not yet valid", leaf_early, HM_CHAIN_NOT_YET_VALID},
	    {"leaf ends at this instant", leaf_to_the_second, HM_VALID},
	    {"leaf begins at this instant", leaf_from_the_second, HM_VALID},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

/* The policy's root has the name of the document's root, and another key. */
static void test_root_of_the_same_name(void **state)
{
	static struct blob ours;
	struct hm_policy *policy;

	(void)state;
	builder_reset(b);
	builder_make(b);
	policy = builder_policy(b);
	ours = b->document;
	other_key = b->key_of[0] = EVP_EC_gen("P-384");
	builder_make(b);
	assert_int_equal(hm_document_verify_replay(policy, NULL, b->document.at,
			     b->document.len, NULL, 0, NULL, NULL),
	    HM_ROOT_UNTRUSTED);
	assert_int_equal(hm_document_verify_replay(policy, NULL, ours.at,
			     ours.len, NULL, 0, NULL, NULL),
	    HM_VALID);
	hm_policy_free(policy);
	EVP_PKEY_free(other_key);
	other_key = NULL;
}

/* As above, but with our root put at the head of the other's chain. */
static void put_our_root(struct builder *x)
{
	x->bundle[0] = x->bundle[15];
}

static void test_root_put_before_another_chain(void **state)
{
	struct hm_policy *policy;

	(void)state;
	builder_reset(b);
	builder_make(b);
	policy = builder_policy(b);
	b->bundle[15] = b->der[0];
	other_key = b->key_of[0] = EVP_EC_gen("P-384");
	b->edit_bundle = put_our_root;
	builder_make(b);
	assert_int_equal(hm_document_verify_replay(policy, NULL, b->document.at,
			     b->document.len, NULL, 0, NULL, NULL),
	    HM_CHAIN_BROKEN);
	hm_policy_free(policy);
	EVP_PKEY_free(other_key);
	other_key = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_certificates),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_encoding),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_root_of_the_same_name),
	    cmocka_unit_test(test_root_put_before_another_chain),
	};

	return cmocka_run_group_tests_name("chain", tests, setup, teardown);
}
