/* quote_certs: see quote_certs.h. */
#include "tests/sgx/quote_certs.h"

#include "verifier/base64.h"

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes ---- */

void qb_put(struct qb_bytes *out, const void *bytes, size_t len)
{
	assert(out->len + len <= sizeof(out->bytes));
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

void qb_put_number(struct qb_bytes *out, size_t value, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * i);

		qb_put(out, &byte, 1);
	}
}

/* An element in DER. */
void qb_put_der(
    struct qb_bytes *out, uint8_t tag, const void *value, size_t len)
{
	uint8_t head[4] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

	if (len < 0x80) {
		head[1] = (uint8_t)len;
		qb_put(out, head, 2);
	} else if (len < 0x100) {
		head[1] = 0x81;
		head[2] = (uint8_t)len;
		qb_put(out, head, 3);
	} else {
		qb_put(out, head, 4);
	}
	qb_put(out, value, len);
}

/* SEQUENCE { OID 1.2.840.113741.1.13.1.a[.b], value } */
void qb_put_member(
    struct qb_bytes *out, unsigned a, unsigned b, const struct qb_bytes *value)
{
	const uint8_t oid[11] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d,
	    0x01, (uint8_t)a, (uint8_t)b};
	struct qb_bytes member = {0};

	qb_put_der(&member, 0x06, oid, b > 0 ? 11 : 10);
	qb_put(&member, value->bytes, value->len);
	qb_put_der(out, 0x30, member.bytes, member.len);
}

void qb_put_integer(
    struct qb_bytes *out, unsigned a, unsigned b, unsigned number)
{
	const uint8_t bytes[3] = {0, (uint8_t)(number >> 8), (uint8_t)number};
	size_t skip = number < 0x80 ? 2 : number < 0x8000 ? 1 : 0;
	struct qb_bytes value = {0};

	qb_put_der(&value, 0x02, bytes + skip, 3 - skip);
	qb_put_member(out, a, b, &value);
}

void qb_put_octets(struct qb_bytes *out, unsigned a, unsigned b,
    const uint8_t *bytes, size_t len)
{
	struct qb_bytes value = {0};

	qb_put_der(&value, 0x04, bytes, len);
	qb_put_member(out, a, b, &value);
}

/* ---- certificates and revocation lists ---- */

/* "A" is a common name; "O=A" an organisation, and no common name. */
static X509_NAME *make_name(const char *text)
{
	bool other = strncmp(text, "O=", 2) == 0;
	X509_NAME *name = X509_NAME_new();

	assert(
	    X509_NAME_add_entry_by_txt(name, other ? "O" : "CN", MBSTRING_ASC,
		(const unsigned char *)text + (other ? 2 : 0), -1, -1, 0) == 1);
	return name;
}

static void set_time(ASN1_TIME *out, int64_t ms)
{
	assert(ASN1_TIME_set(out, (time_t)(ms / 1000)) != NULL);
}

static void add_known(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert(e != NULL && X509_add_ext(x509, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static void add_intels(X509 *x509, const struct slice *value)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	ASN1_OCTET_STRING_set(octets, value->at, (int)value->len);
	e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets);
	assert(e != NULL && X509_add_ext(x509, e, -1) == 1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(oid);
}

static X509 *make_x509(const struct qb_cert *cert)
{
	X509 *x509 = X509_new();
	X509_NAME *subject = make_name(cert->subject);
	X509_NAME *issuer = make_name(cert->issuer);

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), cert->serial);
	X509_set_subject_name(x509, subject);
	X509_set_issuer_name(x509, issuer);
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
	set_time(X509_getm_notBefore(x509), cert->from_ms);
	set_time(X509_getm_notAfter(x509), cert->until_ms);
	assert(X509_set_pubkey(x509, cert->key) == 1);
	add_known(x509, NID_basic_constraints,
	    cert->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_known(x509, NID_key_usage,
	    cert->is_ca ? "critical,keyCertSign,cRLSign"
			: "critical,digitalSignature,nonRepudiation");
	if (cert->extension != NULL)
		add_intels(x509, cert->extension);
	assert(X509_sign(x509, cert->by, EVP_sha256()) > 0);
	return x509;
}

void qb_cert_der(const struct qb_cert *cert, struct qb_bytes *out)
{
	X509 *x509 = make_x509(cert);
	unsigned char *at = out->bytes;
	int len = i2d_X509(x509, NULL);

	assert(len > 0 && (size_t)len <= sizeof(out->bytes));
	out->len = (size_t)i2d_X509(x509, &at);
	X509_free(x509);
}

void qb_put_pem(
    struct qb_bytes *out, const char *label, const struct qb_bytes *der)
{
	char *text = base64_encode(der->bytes, der->len), line[80];

	qb_put(out, line,
	    (size_t)snprintf(
		line, sizeof(line), "-----BEGIN %s-----\n", label));
	for (size_t i = 0; i < strlen(text); i += 64)
		qb_put(out, line,
		    (size_t)snprintf(line, sizeof(line), "%.64s\n", text + i));
	qb_put(out, line,
	    (size_t)snprintf(line, sizeof(line), "-----END %s-----\n", label));
	free(text);
}

void qb_pem(const struct qb_cert *cert, struct qb_bytes *out)
{
	struct qb_bytes der = {0};

	qb_cert_der(cert, &der);
	qb_put_pem(out, "CERTIFICATE", &der);
}

static void add_revoked(X509_CRL *crl, long serial, int64_t ms)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *when = ASN1_TIME_new();

	ASN1_INTEGER_set(number, serial);
	set_time(when, ms);
	X509_REVOKED_set_serialNumber(entry, number);
	X509_REVOKED_set_revocationDate(entry, when);
	assert(X509_CRL_add0_revoked(crl, entry) == 1);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(when);
}

void qb_crl_der(const struct qb_crl *list, struct qb_bytes *der)
{
	X509_CRL *crl = X509_CRL_new();
	X509_NAME *name = make_name(list->issuer);
	ASN1_TIME *time = ASN1_TIME_new();
	unsigned char *at = der->bytes;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, name);
	set_time(time, list->from_ms);
	X509_CRL_set1_lastUpdate(crl, time);
	set_time(time, list->until_ms);
	X509_CRL_set1_nextUpdate(crl, time);
	if (list->revoked != 0)
		add_revoked(crl, list->revoked, list->from_ms);
	assert(X509_CRL_sign(crl, list->key, EVP_sha256()) > 0);
	der->len = (size_t)i2d_X509_CRL(crl, &at);
	ASN1_TIME_free(time);
	X509_NAME_free(name);
	X509_CRL_free(crl);
}

/* ---- keys ---- */

EVP_PKEY *qb_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert(key != NULL);
	return key;
}

void qb_sign(EVP_PKEY *key, const void *bytes, size_t len,
    uint8_t out[SGX_SIGNATURE_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[80];
	const unsigned char *at = der;
	size_t der_len = sizeof(der);
	ECDSA_SIG *sig;

	assert(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
	assert(EVP_DigestSign(ctx, der, &der_len, bytes, len) == 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	assert(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32) == 32);
	assert(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32) == 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

/* x || y */
void qb_point(EVP_PKEY *key, uint8_t out[SGX_POINT_LEN])
{
	unsigned char *point = NULL;

	assert(EVP_PKEY_get1_encoded_public_key(key, &point) == SGX_POINT_LEN);
	memcpy(out, point, SGX_POINT_LEN);
	OPENSSL_free(point);
}
