/* Attestation documents with one certificate of another key, another algorithm
 * or broken bytes. (Encodings, element by element: test_cert_encoding.c.) */
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

#define PROFILE HM_CERTIFICATE_PROFILE

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
	    {"leaf version 2", version_2, PROFILE},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_encoding),
	};

	return cmocka_run_group_tests_name("cert_keys", tests, setup, teardown);
}
