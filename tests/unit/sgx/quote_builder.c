/* quote_builder: see quote_builder.h. A test includes it whole. */
#include "tests/unit/sgx/quote_builder.h"

#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/moment.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char qb_root_name[] = "Intel SGX Root CA";
static const char qb_ca_name[] = "Intel SGX PCK Platform CA";

static void put(struct qb_bytes *out, const void *bytes, size_t len)
{
	assert(out->len + len <= sizeof(out->bytes));
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

static void put_number(struct qb_bytes *out, size_t value, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * i);

		put(out, &byte, 1);
	}
}

/* An element in DER. */
static void put_der(
    struct qb_bytes *out, uint8_t tag, const void *value, size_t len)
{
	uint8_t head[4] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

	if (len < 0x80) {
		head[1] = (uint8_t)len;
		put(out, head, 2);
	} else if (len < 0x100) {
		head[1] = 0x81;
		head[2] = (uint8_t)len;
		put(out, head, 3);
	} else {
		put(out, head, 4);
	}
	put(out, value, len);
}

/* SEQUENCE { OID 1.2.840.113741.1.13.1.a[.b], value } */
static void put_member(
    struct qb_bytes *out, unsigned a, unsigned b, const struct qb_bytes *value)
{
	const uint8_t oid[11] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d,
	    0x01, (uint8_t)a, (uint8_t)b};
	struct qb_bytes member = {0};

	put_der(&member, 0x06, oid, b > 0 ? 11 : 10);
	put(&member, value->bytes, value->len);
	put_der(out, 0x30, member.bytes, member.len);
}

static void put_integer(
    struct qb_bytes *out, unsigned a, unsigned b, unsigned number)
{
	const uint8_t bytes[3] = {0, (uint8_t)(number >> 8), (uint8_t)number};
	size_t skip = number < 0x80 ? 2 : number < 0x8000 ? 1 : 0;
	struct qb_bytes value = {0};

	put_der(&value, 0x02, bytes + skip, 3 - skip);
	put_member(out, a, b, &value);
}

static void put_octets(struct qb_bytes *out, unsigned a, unsigned b,
    const uint8_t *bytes, size_t len)
{
	struct qb_bytes value = {0};

	put_der(&value, 0x04, bytes, len);
	put_member(out, a, b, &value);
}

void qb_extension(struct quote_builder *b)
{
	static const uint8_t ppid[16] = {1, 2, 3};
	struct qb_bytes tcb = {0}, own = {0}, value = {0};

	for (unsigned i = 0; i < 16; i++)
		put_integer(&tcb, 2, i + 1, b->components[i]);
	put_integer(&tcb, 2, 17, b->pcesvn);
	put_octets(&tcb, 2, 18, b->components, 16);
	put_der(&value, 0x30, tcb.bytes, tcb.len);
	put_octets(&own, 1, 0, ppid, sizeof(ppid));
	put_member(&own, 2, 0, &value);
	put_octets(&own, 3, 0, b->pceid, sizeof(b->pceid));
	put_octets(&own, 4, 0, b->fmspc, sizeof(b->fmspc));
	b->extension.len = 0;
	put_der(&b->extension, 0x30, own.bytes, own.len);
}

static X509_NAME *make_name(const char *common_name)
{
	X509_NAME *name = X509_NAME_new();

	assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		   (const unsigned char *)common_name, -1, -1, 0) == 1);
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

static void put_pem(
    struct qb_bytes *out, const char *label, const struct qb_bytes *der)
{
	char *text = base64_encode(der->bytes, der->len), line[80];

	put(out, line,
	    (size_t)snprintf(
		line, sizeof(line), "-----BEGIN %s-----\n", label));
	for (size_t i = 0; i < strlen(text); i += 64)
		put(out, line,
		    (size_t)snprintf(line, sizeof(line), "%.64s\n", text + i));
	put(out, line,
	    (size_t)snprintf(line, sizeof(line), "-----END %s-----\n", label));
	free(text);
}

void qb_pem(const struct qb_cert *cert, struct qb_bytes *out)
{
	struct qb_bytes der = {0};

	qb_cert_der(cert, &der);
	put_pem(out, "CERTIFICATE", &der);
}

static void raw_sign(EVP_PKEY *key, const void *bytes, size_t len,
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
static void raw_point(EVP_PKEY *key, uint8_t out[SGX_POINT_LEN])
{
	unsigned char *point = NULL;

	assert(EVP_PKEY_get1_encoded_public_key(key, &point) == SGX_POINT_LEN);
	memcpy(out, point, SGX_POINT_LEN);
	OPENSSL_free(point);
}

static void bind_key(struct quote_builder *b, uint8_t key[64])
{
	uint8_t bytes[96], point[SGX_POINT_LEN];

	raw_point(b->attestation_key, point);
	memcpy(key, point + 1, 64);
	memcpy(bytes, key, 64);
	memcpy(bytes + 64, b->auth, sizeof(b->auth));
	bytes[0] ^= b->other_key_in_qe;
	assert(EVP_Digest(bytes, sizeof(bytes), b->qe_report + 320, NULL,
		   EVP_sha256(), NULL) == 1);
}

/* From the QE's report to the certificates' end. */
static void put_qe(struct quote_builder *b, struct qb_bytes *out)
{
	struct qb_bytes pem = {0};
	uint8_t signature[SGX_SIGNATURE_LEN];

	raw_sign(b->qe_signer != NULL ? b->qe_signer : b->pck_key, b->qe_report,
	    SGX_REPORT_LEN, signature);
	put(out, b->qe_report, SGX_REPORT_LEN);
	put(out, signature, sizeof(signature));
	put_number(out, sizeof(b->auth), 2);
	put(out, b->auth, sizeof(b->auth));
	qb_pem(&b->pck, &pem);
	qb_pem(&b->ca, &pem);
	if (!b->without_root)
		qb_pem(&b->root, &pem);
	put_number(out, 5, 2);
	put_number(out, pem.len, 4);
	put(out, pem.bytes, pem.len);
}

static void put_header(struct quote_builder *b, struct qb_bytes *out)
{
	static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c,
	    0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
	static const uint8_t user_data[20];

	put_number(out, b->version, 2);
	put_number(out, 2, 2);
	put_number(out, b->is_td ? 0x81 : 0, 4);
	put_number(out, 0, 4);
	put(out, vendor, sizeof(vendor));
	put(out, user_data, sizeof(user_data));
	if (b->version < 5)
		return;
	put_number(out, b->body_type, 2);
	put_number(out, b->body_len, 4);
}

void qb_make_quote(struct quote_builder *b)
{
	uint8_t key[64], signature[SGX_SIGNATURE_LEN];
	struct qb_bytes qe = {0}, data = {0};
	size_t report_data = b->is_td ? 520 : 320;
	EVP_PKEY *signer = b->quote_signer;

	if (b->held != NULL)
		assert(
		    EVP_Digest(b->held, strlen(b->held), b->body + report_data,
			NULL, EVP_sha256(), NULL) == 1);
	bind_key(b, key);
	b->quote.len = 0;
	put_header(b, &b->quote);
	put(&b->quote, b->body, b->body_len);
	raw_sign(signer != NULL ? signer : b->attestation_key, b->quote.bytes,
	    b->quote.len, signature);
	put(&data, signature, sizeof(signature));
	put(&data, key, sizeof(key));
	put_qe(b, &qe);
	if (b->version > 3) {
		put_number(&data, 6, 2);
		put_number(&data, qe.len, 4);
	}
	put(&data, qe.bytes, qe.len);
	put_number(&b->quote, data.len, 4);
	put(&b->quote, data.bytes, data.len);
}

/* ---- collateral ---- */

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

void qb_crl(struct quote_builder *b, bool of_root, struct qb_bytes *der)
{
	X509_CRL *crl = X509_CRL_new();
	X509_NAME *name = make_name(of_root ? qb_root_name : b->ca.subject);
	long serial = of_root ? b->revoked_by_root : b->revoked_by_ca;
	ASN1_TIME *time = ASN1_TIME_new();
	unsigned char *at = der->bytes;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, name);
	set_time(time, b->crl_from_ms);
	X509_CRL_set1_lastUpdate(crl, time);
	set_time(time, b->crl_until_ms);
	X509_CRL_set1_nextUpdate(crl, time);
	if (serial != 0)
		add_revoked(crl, serial, b->crl_from_ms);
	assert(X509_CRL_sign(
		   crl, of_root ? b->root_key : b->ca_key, EVP_sha256()) > 0);
	der->len = (size_t)i2d_X509_CRL(crl, &at);
	ASN1_TIME_free(time);
	X509_NAME_free(name);
	X509_CRL_free(crl);
}

/* As Intel answers: the object's text, its signature. */
static char *signed_file(
    struct quote_builder *b, const char *key, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT), *out;
	uint8_t signature[SGX_SIGNATURE_LEN];
	char hex[2 * SGX_SIGNATURE_LEN + 1];

	raw_sign(b->signer_key, text, strlen(text), signature);
	hex_encode(signature, sizeof(signature), hex);
	assert(asprintf(&out, "{\"%s\":%s,\"signature\":\"%s\"}", key, text,
		   hex) > 0);
	free(text);
	return out;
}

char *qb_tcb_file(struct quote_builder *b)
{
	return signed_file(b, "tcbInfo", b->tcb_info);
}

char *qb_identity_file(struct quote_builder *b)
{
	return signed_file(b, "enclaveIdentity", b->identity);
}

void qb_add(struct sgx_collateral *collateral, const void *bytes, size_t len)
{
	char error[HM_TEXT_MAX];

	if (sgx_collateral_add(collateral, bytes, len, error) == 0)
		return;
	fprintf(stderr, "%s\n", error);
	abort();
}

void qb_make_collateral(struct quote_builder *b)
{
	struct qb_bytes part = {0};
	char *text;

	sgx_collateral_free(b->collateral);
	b->collateral = sgx_collateral_new();
	qb_pem(&b->signer, &part);
	qb_pem(&b->root, &part);
	qb_add(b->collateral, part.bytes, part.len);
	qb_crl(b, true, &part);
	qb_add(b->collateral, part.bytes, part.len);
	qb_crl(b, false, &part);
	qb_add(b->collateral, part.bytes, part.len);
	text = qb_tcb_file(b);
	qb_add(b->collateral, text, strlen(text));
	free(text);
	text = qb_identity_file(b);
	qb_add(b->collateral, text, strlen(text));
	free(text);
}

/* [{"svn":N}, ...] */
static json_t *svns(const uint8_t *components)
{
	json_t *list = json_array();

	for (size_t i = 0; i < SGX_SVN_COUNT; i++)
		json_array_append_new(
		    list, json_pack("{s:i}", "svn", components[i]));
	return list;
}

static json_t *issued(const char *id, int version)
{
	char from[MOMENT_TEXT_MAX], until[MOMENT_TEXT_MAX];

	moment_format(QB_NOW_MS - QB_DAY_MS, from);
	moment_format(QB_NOW_MS + QB_DAY_MS, until);
	return json_pack("{s:s, s:i, s:s, s:s, s:i}", "id", id, "version",
	    version, "issueDate", from, "nextUpdate", until,
	    "tcbEvaluationDataNumber", 20);
}

static void make_tcb_info(struct quote_builder *b)
{
	static const char zeros[] =
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "00000000000000000000000000000000";
	char fmspc[13], pceid[5];
	json_t *tcb = json_pack("{s:o, s:i}", "sgxtcbcomponents",
	    svns(b->components), "pcesvn", b->pcesvn);
	json_t *info = issued(b->is_td ? "TDX" : "SGX", 3);

	if (b->is_td)
		json_object_set_new(tcb, "tdxtcbcomponents", svns(b->body));
	hex_encode(b->fmspc, 6, fmspc);
	hex_encode(b->pceid, 2, pceid);
	json_object_update_new(info,
	    json_pack("{s:s, s:s, s:i, s:[{s:o, s:s, s:s}]}", "fmspc", fmspc,
		"pceId", pceid, "tcbType", 0, "tcbLevels", "tcb", tcb,
		"tcbDate", "2026-01-01T00:00:00Z", "tcbStatus", "UpToDate"));
	if (b->is_td)
		json_object_update_new(info,
		    json_pack("{s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s, s:s, "
			      "s:[{s:{s:i}, s:s}]}]}",
			"tdxModule", "mrsigner", zeros, "attributes",
			"0000000000000000", "attributesMask",
			"FFFFFFFFFFFFFFFF", "tdxModuleIdentities", "id",
			"TDX_01", "mrsigner", zeros, "attributes",
			"0000000000000000", "attributesMask",
			"FFFFFFFFFFFFFFFF", "tcbLevels", "tcb", "isvsvn", 4,
			"tcbStatus", "UpToDate"));
	json_decref(b->tcb_info);
	b->tcb_info = info;
}

static void make_identity(struct quote_builder *b)
{
	char mrsigner[65];
	json_t *identity = issued(b->is_td ? "TD_QE" : "QE", 2);

	hex_encode(b->qe_report + 128, 32, mrsigner);
	json_object_update_new(identity,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:[{s:{s:i}, s:s}]}",
		"miscselect", "00000000", "miscselectMask", "FFFFFFFF",
		"attributes", "11000000000000000000000000000000",
		"attributesMask", "FBFFFFFFFFFFFFFF0000000000000000",
		"mrsigner", mrsigner, "isvprodid", b->is_td ? 2 : 1,
		"tcbLevels", "tcb", "isvsvn", 8, "tcbStatus", "UpToDate"));
	json_decref(b->identity);
	b->identity = identity;
}

void qb_kind(struct quote_builder *b, unsigned version, bool is_td)
{
	static const uint8_t qe[32] = {0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50,
	    0x3e, 0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82, 0x9a, 0x00, 0x56,
	    0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b, 0x08, 0x1b, 0x09, 0x44, 0x90,
	    0xc5, 0x7b, 0xff};
	static const uint8_t td_qe[32] = {0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94,
	    0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03, 0x0f,
	    0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e,
	    0x0e, 0x54, 0xa8, 0xc5};
	uint8_t *report = b->qe_report;

	b->version = version;
	b->is_td = is_td;
	b->body_type = !is_td ? 1 : version == 5 ? 3 : 2;
	b->body_len = !is_td         ? SGX_REPORT_LEN
		      : version == 5 ? SGX_TD15_LEN
				     : SGX_TD10_LEN;
	memset(b->body, 0, sizeof(b->body));
	if (is_td)
		memcpy(b->body, "\x04\x01\x07", 3); /* SVNs; module TDX_01 */
	else
		b->body[48] = 0x05; /* INIT, MODE64BIT */
	memset(report, 0, sizeof(b->qe_report));
	report[48] = 0x15; /* and PROVISION_KEY */
	memcpy(report + 128, is_td ? td_qe : qe, 32);
	report[256] = is_td ? 2 : 1;
	report[258] = 8;
	make_tcb_info(b);
	make_identity(b);
}

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert(key != NULL);
	return key;
}

static void make_certs(struct quote_builder *b)
{
	static struct slice extension;
	const int64_t from = QB_NOW_MS - 100 * (int64_t)QB_DAY_MS;
	const int64_t until = QB_NOW_MS + 100 * (int64_t)QB_DAY_MS;

	extension = (struct slice){b->extension.bytes, b->extension.len};
	b->root = (struct qb_cert){qb_root_name, qb_root_name, b->root_key,
	    b->root_key, true, 1, from, until, NULL};
	b->ca = (struct qb_cert){qb_ca_name, qb_root_name, b->ca_key,
	    b->root_key, true, 2, from, until, NULL};
	b->pck = (struct qb_cert){"Intel SGX PCK Certificate", qb_ca_name,
	    b->pck_key, b->ca_key, false, 3, from, until, &extension};
	b->signer = (struct qb_cert){"Intel SGX TCB Signing", qb_root_name,
	    b->signer_key, b->root_key, false, 4, from, until, NULL};
}

struct quote_builder *qb_new(void)
{
	struct quote_builder *b = calloc(1, sizeof(*b));
	EVP_PKEY **keys[] = {&b->root_key, &b->ca_key, &b->pck_key,
	    &b->signer_key, &b->attestation_key};

	for (size_t i = 0; i < 5; i++)
		*keys[i] = new_key();
	memcpy(b->fmspc, "\x00\x60\x6a\x00\x00\x01", 6);
	memset(b->components, 5, 8);
	b->pcesvn = 11;
	memset(b->auth, 7, sizeof(b->auth));
	b->crl_from_ms = QB_NOW_MS - QB_DAY_MS;
	b->crl_until_ms = QB_NOW_MS + QB_DAY_MS;
	qb_extension(b);
	make_certs(b);
	qb_kind(b, 3, false);
	raw_point(b->root_key, b->trusted.point);
	b->trusted.name = "made here";
	b->policy.roots = &b->trusted;
	b->policy.root_count = 1;
	b->policy.statuses = 1u << SGX_UP_TO_DATE;
	return b;
}

void qb_free(struct quote_builder *b)
{
	EVP_PKEY_free(b->root_key);
	EVP_PKEY_free(b->ca_key);
	EVP_PKEY_free(b->pck_key);
	EVP_PKEY_free(b->signer_key);
	EVP_PKEY_free(b->attestation_key);
	json_decref(b->tcb_info);
	json_decref(b->identity);
	sgx_collateral_free(b->collateral);
	free(b);
}

void qb_make(struct quote_builder *b)
{
	qb_make_quote(b);
	qb_make_collateral(b);
}

enum hm_verdict qb_judge(struct quote_builder *b, struct sgx_result *out)
{
	return sgx_verify(b->quote.bytes, b->quote.len, b->collateral,
	    &b->policy, QB_NOW_MS, out, NULL);
}
