/* builder_chain: the five certificates of a builder's document. A part of
 * document_builder.c, which includes it. */
#include "tests/unit/verifier/document_builder.h"

#include <assert.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

void builder_drop_extension(X509 *x509, int nid)
{
	int at = X509_get_ext_by_NID(x509, nid, -1);

	assert(at >= 0);
	X509_EXTENSION_free(X509_delete_ext(x509, at));
}

void builder_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (ext == NULL)
		fprintf(stderr, "no extension from \"%s\"\n", value);
	assert(ext != NULL && X509_add_ext(x509, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

static void set_name(X509_NAME *name, const char *cn)
{
	assert(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
		   (const unsigned char *)"Hallmark tests", -1, -1, 0) == 1);
	assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		   (const unsigned char *)cn, -1, -1, 0) == 1);
}

static const char *subject_of(const struct builder *b, unsigned level)
{
	static const char *const names[] = {BUILDER_ROOT_NAME,
	    "regional.simulated", "zonal.simulated", "instance.simulated"};

	return level == BUILDER_LEAF ? b->leaf_name : names[level];
}

/* RFC 5280: UTCTime until 2049; ASN1_TIME_set does so. */
static void set_times(const struct builder *b, unsigned level, X509 *x509)
{
	const time_t now = BUILDER_NOW_MS / 1000;

	assert(ASN1_TIME_set(X509_getm_notBefore(x509),
		   now + (time_t)b->not_before_s[level]) != NULL);
	assert(ASN1_TIME_set(X509_getm_notAfter(x509),
		   now + (time_t)b->not_after_s[level]) != NULL);
}

static void set_extensions(unsigned level, X509 *x509)
{
	static const char *const constraints[] = {"critical,CA:TRUE",
	    "critical,CA:TRUE,pathlen:2", "critical,CA:TRUE,pathlen:1",
	    "critical,CA:TRUE,pathlen:0", "critical,CA:FALSE"};
	static const char *const usages[] = {
	    "critical,digitalSignature,keyCertSign,cRLSign",
	    "critical,digitalSignature,keyCertSign,cRLSign",
	    "critical,digitalSignature,keyCertSign,cRLSign",
	    "critical,keyCertSign", "digitalSignature,nonRepudiation"};

	builder_extension(x509, NID_basic_constraints, constraints[level]);
	builder_extension(x509, NID_key_usage, usages[level]);
	if (level == 1 || level == 2)
		builder_extension(x509, NID_crl_distribution_points,
		    "URI:http://crl.example/x.crl");
	if (level < BUILDER_LEAF)
		builder_extension(x509, NID_subject_key_identifier, "hash");
}

static EVP_PKEY *key_of(const struct builder *b, unsigned level)
{
	return b->key_of[level] != NULL ? b->key_of[level] : b->keys[level];
}

static X509 *make_cert(struct builder *b, unsigned level)
{
	X509 *x509 = X509_new();
	unsigned issuer = level == 0 ? 0 : level - 1;

	assert(x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1);
	assert(ASN1_INTEGER_set(
		   X509_get_serialNumber(x509), 1000 + (long)level) == 1);
	set_name(X509_get_subject_name(x509), subject_of(b, level));
	set_name(X509_get_issuer_name(x509), subject_of(b, issuer));
	set_times(b, level, x509);
	assert(X509_set_pubkey(x509, key_of(b, level)) == 1);
	set_extensions(level, x509);
	return x509;
}

void blob_der_head(struct blob *out, uint8_t tag, size_t len)
{
	uint8_t head[4] = {tag};
	size_t n = 1;

	if (len >= 256) {
		head[n++] = 0x82;
		head[n++] = (uint8_t)(len >> 8);
	} else if (len >= 128) {
		head[n++] = 0x81;
	}
	head[n++] = (uint8_t)len;
	blob_put(out, head, n);
}

/* SEQUENCE { tbs, the algorithm of the signature, the signature } */
static void seal(struct blob *out, const struct blob *tbs,
    const X509_ALGOR *alg, const uint8_t *sig, size_t sig_len)
{
	static struct blob body;
	unsigned char *alg_der = NULL;
	int alg_len = i2d_X509_ALGOR(alg, &alg_der);

	assert(alg_len > 0);
	body.len = 0;
	blob_put(&body, tbs->at, tbs->len);
	blob_put(&body, alg_der, (size_t)alg_len);
	blob_der_head(&body, 0x03, sig_len + 1);
	blob_put(&body, "", 1);
	blob_put(&body, sig, sig_len);
	out->len = 0;
	blob_der_head(out, 0x30, body.len);
	blob_put(out, body.at, body.len);
	OPENSSL_free(alg_der);
}

static void sign_cert(struct builder *b, unsigned level, X509 *x509)
{
	static struct blob tbs;
	EVP_PKEY *key = key_of(b, level == 0 ? 0 : level - 1);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *inner = NULL, sig[1024];
	size_t sig_len = sizeof(sig);
	int inner_len;

	/* Sets the inner algorithm and its twin. */
	assert(X509_sign(x509, key, b->digest) > 0);
	inner_len = i2d_re_X509_tbs(x509, &inner);
	assert(inner_len > 0);
	blob_set(&tbs, inner, (size_t)inner_len);
	if (b->edit_tbs != NULL)
		b->edit_tbs(b, level, &tbs);
	assert(EVP_DigestSignInit(ctx, NULL, b->digest, NULL, key) == 1);
	assert(EVP_DigestSign(ctx, sig, &sig_len, tbs.at, tbs.len) == 1);
	seal(&b->der[level], &tbs, X509_get0_tbs_sigalg(x509), sig, sig_len);
	OPENSSL_free(inner);
	EVP_MD_CTX_free(ctx);
}

static void make_chain(struct builder *b)
{
	for (unsigned level = b->kept; level < BUILDER_LEVELS; level++) {
		X509 *x509 = make_cert(b, level);

		if (b->edit_cert != NULL)
			b->edit_cert(b, level, x509);
		sign_cert(b, level, x509);
		if (b->edit_der != NULL)
			b->edit_der(b, level, &b->der[level]);
		X509_free(x509);
	}
	b->bundle_count = BUILDER_LEVELS - 1;
	for (unsigned level = 0; level < BUILDER_LEAF; level++)
		b->bundle[level] = b->der[level];
	if (b->edit_bundle != NULL)
		b->edit_bundle(b);
}
