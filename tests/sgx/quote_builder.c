/* quote_builder: see quote_builder.h. */
#include "tests/sgx/quote_builder.h"

#include "feeds/hex.h"
#include "verifier/moment.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char qb_root_name[] = "Intel SGX Root CA";
static const char qb_ca_name[] = "Intel SGX PCK Platform CA";

void qb_extension(struct quote_builder *b)
{
	static const uint8_t ppid[16] = {1, 2, 3};
	struct qb_bytes tcb = {0}, own = {0}, value = {0};

	for (unsigned i = 0; i < 16; i++)
		qb_put_integer(&tcb, 2, i + 1, b->components[i]);
	qb_put_integer(&tcb, 2, 17, b->pcesvn);
	qb_put_octets(&tcb, 2, 18, b->components, 16);
	qb_put_der(&value, 0x30, tcb.bytes, tcb.len);
	qb_put_octets(&own, 1, 0, ppid, sizeof(ppid));
	qb_put_member(&own, 2, 0, &value);
	qb_put_octets(&own, 3, 0, b->pceid, sizeof(b->pceid));
	qb_put_octets(&own, 4, 0, b->fmspc, sizeof(b->fmspc));
	b->extension.len = 0;
	qb_put_der(&b->extension, 0x30, own.bytes, own.len);
}

static void bind_key(struct quote_builder *b, uint8_t key[64])
{
	uint8_t bytes[96], point[SGX_POINT_LEN];

	qb_point(b->attestation_key, point);
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

	qb_sign(b->qe_signer != NULL ? b->qe_signer : b->pck_key, b->qe_report,
	    SGX_REPORT_LEN, signature);
	qb_put(out, b->qe_report, SGX_REPORT_LEN);
	qb_put(out, signature, sizeof(signature));
	qb_put_number(out, sizeof(b->auth), 2);
	qb_put(out, b->auth, sizeof(b->auth));
	qb_pem(&b->pck, &pem);
	qb_pem(&b->ca, &pem);
	if (!b->without_root)
		qb_pem(&b->root, &pem);
	qb_put_number(out, 5, 2);
	qb_put_number(out, pem.len, 4);
	qb_put(out, pem.bytes, pem.len);
}

static void put_header(struct quote_builder *b, struct qb_bytes *out)
{
	static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c,
	    0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
	static const uint8_t user_data[20];

	qb_put_number(out, b->version, 2);
	qb_put_number(out, 2, 2);
	qb_put_number(out, b->is_td ? 0x81 : 0, 4);
	qb_put_number(out, 0, 4);
	qb_put(out, vendor, sizeof(vendor));
	qb_put(out, user_data, sizeof(user_data));
	if (b->version < 5)
		return;
	qb_put_number(out, b->body_type, 2);
	qb_put_number(out, b->body_len, 4);
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
	qb_put(&b->quote, b->body, b->body_len);
	qb_sign(signer != NULL ? signer : b->attestation_key, b->quote.bytes,
	    b->quote.len, signature);
	qb_put(&data, signature, sizeof(signature));
	qb_put(&data, key, sizeof(key));
	put_qe(b, &qe);
	if (b->version > 3) {
		qb_put_number(&data, 6, 2);
		qb_put_number(&data, qe.len, 4);
	}
	qb_put(&data, qe.bytes, qe.len);
	qb_put_number(&b->quote, data.len, 4);
	qb_put(&b->quote, data.bytes, data.len);
}

/* ---- collateral ---- */

void qb_crl(struct quote_builder *b, bool of_root, struct qb_bytes *der)
{
	qb_crl_der(
	    &(struct qb_crl){
		.issuer = of_root ? b->root.subject : b->ca.subject,
		.key = of_root ? b->root_key : b->ca_key,
		.from_ms = b->crl_from_ms,
		.until_ms = b->crl_until_ms,
		.revoked = of_root ? b->revoked_by_root : b->revoked_by_ca,
	    },
	    der);
}

/* As Intel answers: the object's text, its signature. */
static char *signed_file(
    struct quote_builder *b, const char *key, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT), *out;
	uint8_t signature[SGX_SIGNATURE_LEN];
	char hex[2 * SGX_SIGNATURE_LEN + 1];

	qb_sign(b->signer_key, text, strlen(text), signature);
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

static json_t *issued(
    const struct quote_builder *b, const char *id, int version)
{
	char from[MOMENT_TEXT_MAX], until[MOMENT_TEXT_MAX];

	moment_format(b->from_ms, from);
	moment_format(b->until_ms, until);
	return json_pack("{s:s, s:i, s:s, s:s, s:i}", "id", id, "version",
	    version, "issueDate", from, "nextUpdate", until,
	    "tcbEvaluationDataNumber", 20);
}

void qb_tcb_info(struct quote_builder *b)
{
	static const char zeros[] =
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "00000000000000000000000000000000";
	char fmspc[13], pceid[5];
	json_t *tcb = json_pack("{s:o, s:i}", "sgxtcbcomponents",
	    svns(b->components), "pcesvn", b->pcesvn);
	json_t *info = issued(b, b->is_td ? "TDX" : "SGX", 3);

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
	json_t *identity = issued(b, b->is_td ? "TD_QE" : "QE", 2);

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
	qb_tcb_info(b);
	make_identity(b);
}

static void make_certs(struct quote_builder *b, int64_t now_ms)
{
	const int64_t from = now_ms - 100 * (int64_t)QB_DAY_MS;
	const int64_t until = now_ms + 100 * (int64_t)QB_DAY_MS;

	b->extension_value = (struct slice){
	    b->extension.bytes, b->extension.len};
	b->root = (struct qb_cert){qb_root_name, qb_root_name, b->root_key,
	    b->root_key, true, 1, from, until, NULL};
	b->ca = (struct qb_cert){qb_ca_name, qb_root_name, b->ca_key,
	    b->root_key, true, 2, from, until, NULL};
	b->pck = (struct qb_cert){"Intel SGX PCK Certificate", qb_ca_name,
	    b->pck_key, b->ca_key, false, 3, from, until, &b->extension_value};
	b->signer = (struct qb_cert){"Intel SGX TCB Signing", qb_root_name,
	    b->signer_key, b->root_key, false, 4, from, until, NULL};
}

struct quote_builder *qb_new_at(int64_t now_ms)
{
	struct quote_builder *b = calloc(1, sizeof(*b));
	EVP_PKEY **keys[] = {&b->root_key, &b->ca_key, &b->pck_key,
	    &b->signer_key, &b->attestation_key};

	for (size_t i = 0; i < 5; i++)
		*keys[i] = qb_key();
	memcpy(b->fmspc, "\x00\x60\x6a\x00\x00\x01", 6);
	memset(b->components, 5, 8);
	b->pcesvn = 11;
	memset(b->auth, 7, sizeof(b->auth));
	b->from_ms = b->crl_from_ms = now_ms - QB_DAY_MS;
	b->until_ms = b->crl_until_ms = now_ms + QB_DAY_MS;
	qb_extension(b);
	make_certs(b, now_ms);
	qb_kind(b, 3, false);
	qb_point(b->root_key, b->trusted.point);
	b->trusted.name = "made here";
	b->policy.roots = &b->trusted;
	b->policy.root_count = 1;
	b->policy.statuses = 1u << SGX_UP_TO_DATE;
	return b;
}

struct quote_builder *qb_new(void)
{
	return qb_new_at(QB_NOW_MS);
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
