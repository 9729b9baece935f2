/* quote_maker: see quote_maker.h. The layout of quotes is that of Intel's
 * "Intel SGX ECDSA QuoteGenReference" (version 3) and "Intel TDX DCAP Quoting
 * Library API" (4 and 5). */
#include "tests/sgx/quote_maker.h"

#include "feeds/hex.h"
#include "tests/sgx/quote_pki.h"
#include "verifier/moment.h"

#include <jansson.h>
#include <string.h>

#define DAY_MS     86400000LL
#define QE_SVN     8
#define TDX_MODULE 1 /* TEE_TCB_SVN[1]: "TDX_01" */
#define AUTH_LEN   32

#define QE_MRSIGNER \
	"8C4F5775D796503E96137F77C68A829A0056AC8DED70140B081B094490C57BFF"
#define TD_QE_MRSIGNER \
	"DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5"

struct quote_maker {
	struct quote_pki pki;
	EVP_PKEY *attestation_key;
	char *root_pem, *chain_pem, *ca_pem, *signer_pem;
	char *root_crl, *pck_crl;
	int64_t now_ms;
};

struct quote_maker *quote_maker_new(int64_t now_ms)
{
	struct quote_maker *m = calloc(1, sizeof(*m));
	struct quote_pki *pki;

	quote_need(m != NULL);
	pki = &m->pki;
	m->now_ms = now_ms;
	quote_pki_init(pki, now_ms / 1000);
	m->attestation_key = quote_pki_key();
	m->root_pem = quote_pki_pem(pki->root.x509, NULL, NULL);
	m->chain_pem = quote_pki_pem(
	    pki->pck.x509, pki->ca.x509, pki->root.x509);
	m->ca_pem = quote_pki_pem(pki->ca.x509, pki->root.x509, NULL);
	m->signer_pem = quote_pki_pem(pki->signer.x509, pki->root.x509, NULL);
	m->root_crl = quote_pki_crl_hex(pki, &pki->root);
	m->pck_crl = quote_pki_crl_hex(pki, &pki->ca);
	return m;
}

void quote_maker_free(struct quote_maker *m)
{
	if (m == NULL)
		return;
	quote_pki_fini(&m->pki);
	EVP_PKEY_free(m->attestation_key);
	free(m->root_pem);
	free(m->chain_pem);
	free(m->ca_pem);
	free(m->signer_pem);
	free(m->root_crl);
	free(m->pck_crl);
	free(m);
}

const char *quote_maker_root_pem(const struct quote_maker *m)
{
	return m->root_pem;
}

/* ---- collateral ---- */

/* "2026-11-22T01:00:00Z": PCS writes no fractions. */
static void date(char out[MOMENT_TEXT_MAX], int64_t ms)
{
	moment_format(ms / 1000 * 1000, out);
	memcpy(strchr(out, '.'), "Z", 2);
}

static json_t *components(int svn)
{
	json_t *out = json_array();

	for (int i = 0; i < 16; i++)
		json_array_append_new(out, json_pack("{s:i}", "svn", svn));
	return out;
}

static json_t *zeros(size_t bytes)
{
	char text[2 * 48 + 1];

	memset(text, '0', 2 * bytes);
	text[2 * bytes] = '\0';
	return json_string(text);
}

static json_t *tdx_module(const char *id)
{
	json_t *out = json_pack("{s:s, s:o, s:s, s:s, s:[{s:{s:i}, s:s, "
				"s:s}]}",
	    "id", id, "mrsigner", zeros(48), "attributes", "0000000000000000",
	    "attributesMask", "FFFFFFFFFFFFFFFF", "tcbLevels", "tcb", "isvsvn",
	    2, "tcbDate", "2024-03-13T00:00:00Z", "tcbStatus", "UpToDate");

	quote_need(out != NULL);
	return out;
}

static char *tcb_info(const struct quote_maker *m, const char *status, bool tdx)
{
	char from[MOMENT_TEXT_MAX], until[MOMENT_TEXT_MAX], *text;
	json_t *tcb, *out;

	date(from, m->now_ms - DAY_MS);
	date(until, m->now_ms + 29 * DAY_MS);
	out = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:i}", "id",
	    tdx ? "TDX" : "SGX", "version", 3, "issueDate", from, "nextUpdate",
	    until, "fmspc", QUOTE_PKI_FMSPC, "pceId", "0000", "tcbType", 0,
	    "tcbEvaluationDataNumber", 17);
	tcb = json_pack("{s:o, s:i}", "sgxtcbcomponents",
	    components(QUOTE_PKI_SVN), "pcesvn", QUOTE_PKI_PCESVN);
	if (tdx) {
		json_object_set_new(tcb, "tdxtcbcomponents", components(0));
		json_object_set_new(out, "tdxModule",
		    json_pack("{s:o, s:s, s:s}", "mrsigner", zeros(48),
			"attributes", "0000000000000000", "attributesMask",
			"FFFFFFFFFFFFFFFF"));
		json_object_set_new(out, "tdxModuleIdentities",
		    json_pack("[o]", tdx_module("TDX_01")));
	}
	json_object_set_new(out, "tcbLevels",
	    json_pack("[{s:o, s:s, s:s}]", "tcb", tcb, "tcbDate",
		"2024-03-13T00:00:00Z", "tcbStatus", status));
	text = json_dumps(out, JSON_COMPACT);
	quote_need(text != NULL);
	json_decref(out);
	return text;
}

static char *qe_identity(const struct quote_maker *m, bool tdx)
{
	char from[MOMENT_TEXT_MAX], until[MOMENT_TEXT_MAX], *text;
	json_t *out;

	date(from, m->now_ms - DAY_MS);
	date(until, m->now_ms + 29 * DAY_MS);
	out = json_pack("{s:s, s:i, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, "
			"s:i, s:[{s:{s:i}, s:s, s:s}]}",
	    "id", tdx ? "TD_QE" : "QE", "version", 2, "issueDate", from,
	    "nextUpdate", until, "tcbEvaluationDataNumber", 17, "miscselect",
	    "00000000", "miscselectMask", "FFFFFFFF", "attributes",
	    "11000000000000000000000000000000", "attributesMask",
	    "FBFFFFFFFFFFFFFF0000000000000000", "mrsigner",
	    tdx ? TD_QE_MRSIGNER : QE_MRSIGNER, "isvprodid", tdx ? 2 : 1,
	    "tcbLevels", "tcb", "isvsvn", QE_SVN, "tcbDate",
	    "2024-03-13T00:00:00Z", "tcbStatus", "UpToDate");
	quote_need(out != NULL);
	text = json_dumps(out, JSON_COMPACT);
	json_decref(out);
	return text;
}

static json_t *signature(const struct quote_maker *m, const char *text)
{
	uint8_t raw[64];
	char hex[129];

	quote_pki_sign(m->pki.signer.key, text, strlen(text), raw);
	hex_encode(raw, sizeof(raw), hex);
	return json_string(hex);
}

char *quote_maker_collateral(
    const struct quote_maker *m, const char *tcb_status, bool tdx)
{
	char *tcb = tcb_info(m, tcb_status, tdx), *qe = qe_identity(m, tdx);
	json_t *out = json_pack("{s:s, s:o, s:s, s:s, s:o, s:s, s:s, s:s, s:s}",
	    "tcb_info", tcb, "tcb_info_signature", signature(m, tcb),
	    "tcb_info_issuer_chain", m->signer_pem, "qe_identity", qe,
	    "qe_identity_signature", signature(m, qe),
	    "qe_identity_issuer_chain", m->signer_pem, "pck_crl", m->pck_crl,
	    "pck_crl_issuer_chain", m->ca_pem, "root_ca_crl", m->root_crl);
	char *text = json_dumps(out, JSON_INDENT(1));

	quote_need(text != NULL);
	json_decref(out);
	free(tcb);
	free(qe);
	return text;
}

/* ---- quotes ---- */

struct bytes {
	uint8_t *at;
	size_t len;
};

static void put(struct bytes *out, const void *bytes, size_t len)
{
	quote_need(out->len + len <= QUOTE_MAKER_MAX);
	memcpy(out->at + out->len, bytes, len);
	out->len += len;
}

static void put_number(struct bytes *out, size_t number, size_t len)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	put(out, bytes, len);
}

static void set_16(uint8_t *at, uint16_t number)
{
	at[0] = (uint8_t)number;
	at[1] = (uint8_t)(number >> 8);
}

static bool is_tdx(const struct quote_maker_body *b)
{
	return b->kind == QUOTE_MAKER_TDX_4 || b->kind == QUOTE_MAKER_TDX_5;
}

static void put_header(struct bytes *out, const struct quote_maker_body *b)
{
	static const uint8_t intel[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c,
	    0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
	static const uint8_t version[] = {3, 4, 4, 5};
	static const uint8_t user_data[20];

	put_number(out, version[b->kind], 2);
	put_number(out, 2, 2); /* ECDSA with P-256 */
	put_number(out, is_tdx(b) ? 0x81 : 0, 4);
	put_number(out, is_tdx(b) ? 0 : QE_SVN, 2);
	put_number(out, is_tdx(b) ? 0 : QUOTE_PKI_PCESVN, 2);
	put(out, intel, sizeof(intel));
	put(out, user_data, sizeof(user_data));
}

static void sgx_report(
    uint8_t out[static 384], const struct quote_maker_body *b)
{
	memset(out, 0, 384);
	memset(out, QUOTE_PKI_SVN, 16);
	out[48] = b->debug ? 0x7 : 0x5; /* INIT, DEBUG, MODE64BIT */
	out[56] = 0x3;                  /* XFRM: x87 and SSE */
	memcpy(out + 64, b->mrenclave, 32);
	memcpy(out + 128, b->mrsigner, 32);
	set_16(out + 256, b->product_id);
	set_16(out + 258, b->svn);
	memcpy(out + 320, b->report_data, 64);
}

static void td_report(uint8_t out[static 648], const struct quote_maker_body *b)
{
	memset(out, 0, 648);
	out[0] = 2;
	out[1] = TDX_MODULE;
	out[120] = b->debug ? 1 : 0;
	out[123] = 0x10; /* SEPT_VE_DISABLE */
	out[128] = 0xe7;
	memcpy(out + 136, b->mrtd, 48);
	memcpy(out + 328, b->rtmrs, sizeof(b->rtmrs));
	memcpy(out + 520, b->report_data, 64);
}

static void put_body(struct bytes *out, const struct quote_maker_body *b)
{
	uint8_t report[648];

	if (!is_tdx(b)) {
		sgx_report(report, b);
		put(out, report, 384);
		return;
	}
	td_report(report, b);
	if (b->kind == QUOTE_MAKER_TDX_5) {
		put_number(out, 3, 2); /* TD report 1.5 */
		put_number(out, 648, 4);
	}
	put(out, report, b->kind == QUOTE_MAKER_TDX_5 ? 648 : 584);
}

/* The quoting enclave's own report, which binds the attestation key. */
static void qe_report(const struct quote_maker *m, bool tdx,
    const uint8_t auth[static AUTH_LEN], uint8_t out[static 384])
{
	const char *signer = tdx ? TD_QE_MRSIGNER : QE_MRSIGNER;
	struct quote_maker_body qe = {.product_id = tdx ? 2 : 1, .svn = QE_SVN};
	uint8_t both[64 + AUTH_LEN];

	quote_need(hex_decode(qe.mrsigner, 32, signer, 64) == 0);
	quote_pki_point(m->attestation_key, both);
	memcpy(both + 64, auth, AUTH_LEN);
	quote_need(EVP_Digest(both, sizeof(both), qe.report_data, NULL,
		       EVP_sha256(), NULL) == 1);
	sgx_report(out, &qe);
	out[48] = 0x15; /* and PROVISION_KEY */
}

static void put_certification(
    struct bytes *out, const struct quote_maker *m, bool tdx)
{
	uint8_t report[384], signature[64], auth[AUTH_LEN];
	size_t len = strlen(m->chain_pem) + 1; /* with its NUL */

	for (uint8_t i = 0; i < AUTH_LEN; i++)
		auth[i] = i;
	qe_report(m, tdx, auth, report);
	quote_pki_sign(m->pki.pck.key, report, sizeof(report), signature);
	put(out, report, sizeof(report));
	put(out, signature, sizeof(signature));
	put_number(out, AUTH_LEN, 2);
	put(out, auth, AUTH_LEN);
	put_number(out, 5, 2); /* a PEM chain */
	put_number(out, len, 4);
	put(out, m->chain_pem, len);
}

size_t quote_maker_quote(const struct quote_maker *m,
    const struct quote_maker_body *b, uint8_t out[static QUOTE_MAKER_MAX])
{
	uint8_t inner_at[QUOTE_MAKER_MAX], signature[64], point[64];
	struct bytes quote = {.at = out}, inner = {.at = inner_at};
	bool nested = b->kind != QUOTE_MAKER_SGX_3;

	put_header(&quote, b);
	put_body(&quote, b);
	quote_pki_sign(m->attestation_key, out, quote.len, signature);
	quote_pki_point(m->attestation_key, point);
	put_certification(&inner, m, is_tdx(b));
	put_number(&quote, 128 + inner.len + (nested ? 6 : 0), 4);
	put(&quote, signature, sizeof(signature));
	put(&quote, point, sizeof(point));
	if (nested) {
		put_number(&quote, 6, 2);
		put_number(&quote, inner.len, 4);
	}
	put(&quote, inner_at, inner.len);
	return quote.len;
}
