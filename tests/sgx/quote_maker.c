/* quote_maker: see quote_maker.h. A quote_builder that nobody breaks, with the
 * names of its own root and the form of collateral files. */
#include "tests/sgx/quote_maker.h"

#include "feeds/hex.h"
#include "tests/sgx/quote_builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_NAME "Test SGX Root CA"
#define MONTH     (29 * (int64_t)QB_DAY_MS)

struct quote_maker {
	struct quote_builder *b;
	char *root_pem;
};

/* One certificate, or it and the one above. */
static char *pem_of(const struct qb_cert *cert, const struct qb_cert *above)
{
	struct qb_bytes pem = {0};
	char *text;

	qb_pem(cert, &pem);
	if (above != NULL)
		qb_pem(above, &pem);
	text = strndup((const char *)pem.bytes, pem.len);
	assert(text != NULL);
	return text;
}

struct quote_maker *quote_maker_new(int64_t now_ms)
{
	struct quote_maker *m = calloc(1, sizeof(*m));
	struct quote_builder *b = qb_new_at(now_ms);

	assert(m != NULL);
	m->b = b;
	b->root.subject = b->root.issuer = ROOT_NAME;
	b->ca.issuer = b->signer.issuer = ROOT_NAME;
	b->until_ms = b->crl_until_ms = now_ms + MONTH;
	m->root_pem = pem_of(&b->root, NULL);
	return m;
}

void quote_maker_free(struct quote_maker *m)
{
	if (m == NULL)
		return;
	qb_free(m->b);
	free(m->root_pem);
	free(m);
}

const char *quote_maker_root_pem(const struct quote_maker *m)
{
	return m->root_pem;
}

const struct quote_builder *quote_maker_parts(const struct quote_maker *m)
{
	return m->b;
}

/* ---- collateral ---- */

static json_t *signature(struct quote_builder *b, const char *text)
{
	uint8_t raw[SGX_SIGNATURE_LEN];
	char hex[2 * SGX_SIGNATURE_LEN + 1];

	qb_sign(b->signer_key, text, strlen(text), raw);
	hex_encode(raw, sizeof(raw), hex);
	return json_string(hex);
}

static json_t *crl(struct quote_builder *b, bool of_root)
{
	struct qb_bytes der = {0};
	char hex[4096];

	qb_crl(b, of_root, &der);
	assert(2 * der.len < sizeof(hex));
	hex_encode(der.bytes, der.len, hex);
	return json_string(hex);
}

char *quote_maker_collateral(
    const struct quote_maker *m, const char *tcb_status, bool tdx)
{
	struct quote_builder *b = m->b;
	char *signer = pem_of(&b->signer, &b->root);
	char *ca = pem_of(&b->ca, &b->root), *tcb, *qe, *text;
	json_t *level, *out;

	qb_kind(b, tdx ? 4 : 3, tdx);
	level = json_array_get(json_object_get(b->tcb_info, "tcbLevels"), 0);
	json_object_set_new(level, "tcbStatus", json_string(tcb_status));
	tcb = json_dumps(b->tcb_info, JSON_COMPACT);
	qe = json_dumps(b->identity, JSON_COMPACT);
	out = json_pack("{s:s, s:o, s:s, s:s, s:o, s:s, s:o, s:s, s:o}",
	    "tcb_info", tcb, "tcb_info_signature", signature(b, tcb),
	    "tcb_info_issuer_chain", signer, "qe_identity", qe,
	    "qe_identity_signature", signature(b, qe),
	    "qe_identity_issuer_chain", signer, "pck_crl", crl(b, false),
	    "pck_crl_issuer_chain", ca, "root_ca_crl", crl(b, true));
	text = json_dumps(out, JSON_INDENT(1));
	assert(text != NULL);
	json_decref(out);
	free(tcb);
	free(qe);
	free(signer);
	free(ca);
	return text;
}

/* ---- quotes ---- */

static void set_u16(uint8_t *at, uint16_t number)
{
	at[0] = (uint8_t)number;
	at[1] = (uint8_t)(number >> 8);
}

static void fill_enclave(uint8_t *report, const struct quote_maker_body *body)
{
	if (body->debug)
		report[48] |= 0x02;
	memcpy(report + 64, body->mrenclave, 32);
	memcpy(report + 128, body->mrsigner, 32);
	set_u16(report + 256, body->product_id);
	set_u16(report + 258, body->svn);
	memcpy(report + 320, body->report_data, 64);
}

static void fill_td(uint8_t *report, const struct quote_maker_body *body)
{
	report[120] = body->debug ? 1 : 0;
	report[123] = 0x10; /* SEPT_VE_DISABLE */
	memcpy(report + 136, body->mrtd, 48);
	memcpy(report + 328, body->rtmrs, sizeof(body->rtmrs));
	memcpy(report + 520, body->report_data, 64);
}

size_t quote_maker_quote(const struct quote_maker *m,
    const struct quote_maker_body *body, uint8_t out[static QUOTE_MAKER_MAX])
{
	static const unsigned version[] = {3, 4, 4, 5};
	bool is_td = body->kind >= QUOTE_MAKER_TDX_4;
	struct quote_builder *b = m->b;

	qb_kind(b, version[body->kind], is_td);
	if (is_td)
		fill_td(b->body, body);
	else
		fill_enclave(b->body, body);
	qb_make_quote(b);
	assert(b->quote.len <= QUOTE_MAKER_MAX);
	memcpy(out, b->quote.bytes, b->quote.len);
	return b->quote.len;
}
