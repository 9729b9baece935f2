/* quote_pki: see quote_pki.h. The names and extensions are those of Intel's
 * certificates ("Intel SGX PCK Certificate and Certificate Revocation List
 * Profile Specification"), but for the root's name. */
#include "tests/sgx/quote_pki.h"

#include "feeds/hex.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <string.h>

#define DAY_S         86400
#define EXTENSION_MAX 1024
#define ROOT_NAME     "Test SGX Root CA"

/* ---- the SGX extension: OID, value pairs under 1.2.840.113741.1.13.1 ---- */

struct der {
	uint8_t bytes[EXTENSION_MAX];
	size_t len;
};

static const uint8_t sgx_oid[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

static void der_put(struct der *out, uint8_t tag, const void *bytes, size_t len)
{
	quote_need(out->len + len + 4 <= sizeof(out->bytes));
	out->bytes[out->len++] = tag;
	if (len >= 256) {
		out->bytes[out->len++] = 0x82;
		out->bytes[out->len++] = (uint8_t)(len >> 8);
	} else if (len >= 128) {
		out->bytes[out->len++] = 0x81;
	}
	out->bytes[out->len++] = (uint8_t)len;
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

/* SEQUENCE { OID sgx.a[.b], value } */
static void der_entry(struct der *out, uint8_t a, uint8_t b, uint8_t tag,
    const void *value, size_t len)
{
	struct der inner = {.len = 0};
	uint8_t oid[sizeof(sgx_oid) + 2];
	size_t oid_len = sizeof(sgx_oid) + (b != 0 ? 2 : 1);

	memcpy(oid, sgx_oid, sizeof(sgx_oid));
	oid[sizeof(sgx_oid)] = a;
	oid[sizeof(sgx_oid) + 1] = b;
	der_put(&inner, V_ASN1_OBJECT, oid, oid_len);
	der_put(&inner, tag, value, len);
	der_put(out, V_ASN1_SEQUENCE | 0x20, inner.bytes, inner.len);
}

static void make_extension(struct der *out)
{
	static const uint8_t zeros[16];
	const uint8_t svn = QUOTE_PKI_SVN, pcesvn = QUOTE_PKI_PCESVN, kind = 0;
	struct der tcb = {.len = 0}, all = {.len = 0};
	uint8_t cpusvn[16], fmspc[6];

	memset(cpusvn, QUOTE_PKI_SVN, sizeof(cpusvn));
	quote_need(hex_decode(fmspc, sizeof(fmspc), QUOTE_PKI_FMSPC, 12) == 0);
	for (uint8_t i = 1; i <= 16; i++)
		der_entry(&tcb, 2, i, V_ASN1_INTEGER, &svn, 1);
	der_entry(&tcb, 2, 17, V_ASN1_INTEGER, &pcesvn, 1);
	der_entry(&tcb, 2, 18, V_ASN1_OCTET_STRING, cpusvn, sizeof(cpusvn));
	der_entry(&all, 1, 0, V_ASN1_OCTET_STRING, zeros, 16); /* PPID */
	der_entry(&all, 2, 0, V_ASN1_SEQUENCE | 0x20, tcb.bytes, tcb.len);
	der_entry(&all, 3, 0, V_ASN1_OCTET_STRING, zeros, 2); /* PCEID */
	der_entry(&all, 4, 0, V_ASN1_OCTET_STRING, fmspc, sizeof(fmspc));
	der_entry(&all, 5, 0, V_ASN1_ENUMERATED, &kind, 1);
	out->len = 0;
	der_put(out, V_ASN1_SEQUENCE | 0x20, all.bytes, all.len);
}

static void add_sgx_extension(X509 *cert)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;
	struct der der;

	make_extension(&der);
	quote_need(oid != NULL && value != NULL);
	quote_need(ASN1_OCTET_STRING_set(value, der.bytes, (int)der.len) == 1);
	extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	quote_need(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

/* ---- certificates ---- */

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	quote_need(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static void fill_name(X509_NAME *name, const char *common)
{
	const char *const rdns[][2] = {{"CN", common},
	    {"O", "Intel Corporation"}, {"L", "Santa Clara"}, {"ST", "CA"},
	    {"C", "US"}};

	for (size_t i = 0; i < sizeof(rdns) / sizeof(rdns[0]); i++)
		quote_need(
		    X509_NAME_add_entry_by_txt(name, rdns[i][0], MBSTRING_ASC,
			(const uint8_t *)rdns[i][1], -1, -1, 0) == 1);
}

static X509 *blank(
    const char *name, EVP_PKEY *key, X509 *issuer, const struct quote_pki *pki)
{
	X509 *cert = X509_new();
	BIGNUM *serial = BN_new();

	quote_need(cert != NULL && serial != NULL);
	quote_need(X509_set_version(cert, X509_VERSION_3) == 1);
	quote_need(BN_rand(serial, 159, BN_RAND_TOP_ONE, 0) == 1);
	quote_need(
	    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL);
	BN_free(serial);
	ASN1_TIME_set(X509_getm_notBefore(cert), pki->now_s - 30 * DAY_S);
	ASN1_TIME_set(X509_getm_notAfter(cert), pki->now_s + 3650L * DAY_S);
	fill_name(X509_get_subject_name(cert), name);
	quote_need(X509_set_issuer_name(cert,
		       X509_get_subject_name(issuer ? issuer : cert)) == 1);
	quote_need(X509_set_pubkey(cert, key) == 1);
	return cert;
}

EVP_PKEY *quote_pki_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	quote_need(key != NULL);
	return key;
}

/* issuer NULL: the root. path: -1 for a leaf. */
static void issue(struct quote_pki_cert *out, const struct quote_pki *pki,
    const struct quote_pki_cert *issuer, const char *name, int path, bool sgx)
{
	X509 *above = issuer != NULL ? issuer->x509 : NULL;
	char constraints[48] = "critical,CA:FALSE";

	out->key = quote_pki_key();
	out->x509 = blank(name, out->key, above, pki);
	if (above == NULL)
		above = out->x509;
	if (path >= 0)
		snprintf(constraints, sizeof(constraints),
		    "critical,CA:TRUE,pathlen:%d", path);
	add_extension(out->x509, above, NID_subject_key_identifier, "hash");
	add_extension(out->x509, above, NID_authority_key_identifier, "keyid");
	add_extension(out->x509, above, NID_key_usage,
	    path >= 0 ? "critical,keyCertSign,cRLSign"
		      : "critical,digitalSignature,nonRepudiation");
	add_extension(out->x509, above, NID_basic_constraints, constraints);
	if (sgx)
		add_sgx_extension(out->x509);
	quote_need(X509_sign(out->x509, issuer != NULL ? issuer->key : out->key,
		       EVP_sha256()) > 0);
}

void quote_pki_init(struct quote_pki *pki, int64_t now_s)
{
	pki->now_s = now_s;
	issue(&pki->root, pki, NULL, ROOT_NAME, 1, false);
	issue(
	    &pki->ca, pki, &pki->root, "Intel SGX PCK Processor CA", 0, false);
	issue(&pki->pck, pki, &pki->ca, "Intel SGX PCK Certificate", -1, true);
	issue(
	    &pki->signer, pki, &pki->root, "Intel SGX TCB Signing", -1, false);
}

void quote_pki_fini(struct quote_pki *pki)
{
	struct quote_pki_cert *all[] = {
	    &pki->root, &pki->ca, &pki->pck, &pki->signer};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		X509_free(all[i]->x509);
		EVP_PKEY_free(all[i]->key);
	}
}

static char *text_of(BIO *bio)
{
	char *bytes, *text;
	long len = BIO_get_mem_data(bio, &bytes);

	text = strndup(bytes, (size_t)len);
	quote_need(text != NULL);
	BIO_free(bio);
	return text;
}

char *quote_pki_pem(const X509 *first, const X509 *second, const X509 *third)
{
	const X509 *const certs[] = {first, second, third};
	BIO *bio = BIO_new(BIO_s_mem());

	for (size_t i = 0; i < 3 && certs[i] != NULL; i++)
		quote_need(PEM_write_bio_X509(bio, certs[i]) == 1);
	return text_of(bio);
}

char *quote_pki_crl_hex(
    const struct quote_pki *pki, const struct quote_pki_cert *issuer)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *time = ASN1_TIME_new();
	X509_EXTENSION *keyid;
	X509V3_CTX context;
	uint8_t *der = NULL;
	char *hex;
	int len;

	quote_need(crl != NULL && time != NULL && number != NULL);
	quote_need(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509));
	X509_CRL_set1_lastUpdate(crl, ASN1_TIME_set(time, pki->now_s - DAY_S));
	X509_CRL_set1_nextUpdate(
	    crl, ASN1_TIME_set(time, pki->now_s + 29 * DAY_S));
	ASN1_INTEGER_set(number, 1);
	quote_need(
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1);
	X509V3_set_ctx(&context, issuer->x509, NULL, NULL, crl, 0);
	keyid = X509V3_EXT_conf_nid(
	    NULL, &context, NID_authority_key_identifier, "keyid:always");
	quote_need(keyid != NULL && X509_CRL_add_ext(crl, keyid, -1) == 1);
	X509_EXTENSION_free(keyid);
	quote_need(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, &der);
	quote_need(len > 0);
	hex = malloc(2 * (size_t)len + 1);
	quote_need(hex != NULL);
	hex_encode(der, (size_t)len, hex);
	OPENSSL_free(der);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(time);
	X509_CRL_free(crl);
	return hex;
}

/* ---- signatures ---- */

void quote_pki_sign(
    EVP_PKEY *key, const void *bytes, size_t len, uint8_t out[static 64])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[80];
	const uint8_t *at = der;
	size_t der_len = sizeof(der);
	ECDSA_SIG *sig;

	quote_need(
	    ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, der, &der_len, bytes, len) == 1);
	EVP_MD_CTX_free(ctx);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	quote_need(sig != NULL &&
		   BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32) == 32 &&
		   BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32) == 32);
	ECDSA_SIG_free(sig);
}

void quote_pki_point(const EVP_PKEY *key, uint8_t out[static 64])
{
	uint8_t point[65];
	size_t len = 0;

	quote_need(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY,
		       point, sizeof(point), &len) == 1 &&
		   len == 65 && point[0] == 4);
	memcpy(out, point + 1, 64);
}
