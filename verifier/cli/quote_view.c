/*
 * quote_view: see quote_view.h. The names are those of the files that Open
 * Enclave's and Intel's variants of Microsoft's sample write; their hex is in
 * capitals. Attributes is, in an Open Enclave report, Open Enclave's word for
 * it (1 debug, 2 remote), and elsewhere the enclave's flags.
 */
#include "verifier/cli/quote_view.h"

#include "verifier/cli/json_of.h"
#include "verifier/sgx/sgx_verify.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_REMOTE 2
#define OE_DEBUG    1
#define OE_REMOTE   2
#define PRODUCT_LEN 16
#define HEADER_USER 16 /* bytes of user_data that identify the QE */

static json_t *capitals(const uint8_t *bytes, size_t len)
{
	json_t *lower = hex_json(bytes, len), *out;
	char *text = lower ? strdup(json_string_value(lower)) : NULL;

	for (char *at = text; at && *at; at++)
		*at = (char)toupper((unsigned char)*at);
	out = text ? json_string(text) : NULL;
	free(text);
	json_decref(lower);
	return out;
}

static uint64_t flags_of(const uint8_t attributes[8])
{
	uint64_t flags = 0;

	for (size_t i = 0; i < 8; i++)
		flags |= (uint64_t)attributes[i] << (8 * i);
	return flags;
}

static json_int_t attributes_of(
    const struct sgx_quote *q, const struct quote_input *quote)
{
	if (quote->oe.form != OE_BARE)
		return (q->debug ? OE_DEBUG : 0) | OE_REMOTE;
	return (json_int_t)(q->is_td ? flags_of(q->td.td_attributes)
				     : q->enclave.flags);
}

/* The page's names; of a trust domain what it does not have is null. */
static json_t *of_page(const struct input *input, const struct sgx_quote *q,
    const struct quote_input *quote)
{
	const struct sgx_report *e = &q->enclave;
	uint8_t product[PRODUCT_LEN] = {
	    (uint8_t)e->isv_prod_id, (uint8_t)(e->isv_prod_id >> 8)};
	bool sgx = !q->is_td;

	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "Type",
	    TYPE_REMOTE, "MrEnclaveHex",
	    sgx ? capitals(e->mrenclave, sizeof(e->mrenclave)) : json_null(),
	    "MrSignerHex",
	    sgx ? capitals(e->mrsigner, sizeof(e->mrsigner)) : json_null(),
	    "ProductIdHex",
	    sgx ? capitals(product, sizeof(product)) : json_null(),
	    "SecurityVersion", sgx ? json_integer(e->isv_svn) : json_null(),
	    "Attributes", attributes_of(q, quote), "QuoteHex",
	    capitals(input->bytes, input->len), "EnclaveHeldDataHex",
	    quote->held.at ? capitals(quote->held.at, quote->held.len)
			   : json_null());
}

/* ---- what else there is ---- */

static json_t *of_report(const struct sgx_report *e)
{
	return json_pack("{s:o, s:o, s:o, s:I, s:b, s:o, s:o, s:i, s:i, s:i, "
			 "s:o, s:o, s:o, s:o}",
	    "cpusvn", hex_json(e->cpusvn, sizeof(e->cpusvn)), "miscselect",
	    hex_json(e->misc_select, sizeof(e->misc_select)), "attributes",
	    hex_json(e->attributes, sizeof(e->attributes)), "flags",
	    (json_int_t)e->flags, "debug", (e->flags & SGX_FLAG_DEBUG) != 0,
	    "mrenclave", hex_json(e->mrenclave, sizeof(e->mrenclave)),
	    "mrsigner", hex_json(e->mrsigner, sizeof(e->mrsigner)),
	    "product_id", e->isv_prod_id, "svn", e->isv_svn, "config_svn",
	    e->config_svn, "config_id",
	    hex_json(e->config_id, sizeof(e->config_id)), "family_id",
	    hex_json(e->isv_family_id, sizeof(e->isv_family_id)),
	    "extended_product_id",
	    hex_json(e->isv_ext_prod_id, sizeof(e->isv_ext_prod_id)),
	    "report_data", hex_json(e->report_data, sizeof(e->report_data)));
}

static json_t *of_rtmrs(const struct sgx_td *td)
{
	json_t *out = json_array();

	for (size_t i = 0; i < 4; i++)
		json_array_append_new(
		    out, hex_json(td->rtmrs[i], sizeof(td->rtmrs[i])));
	return out;
}

static json_t *of_td(const struct sgx_td *td, bool debug)
{
	json_t *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o,"
				" s:o, s:o, s:o, s:o}",
	    "tee_tcb_svn", hex_json(td->tee_tcb_svn, 16), "mrseam",
	    hex_json(td->mrseam, 48), "mrsignerseam",
	    hex_json(td->mrsignerseam, 48), "seam_attributes",
	    hex_json(td->seam_attributes, 8), "td_attributes",
	    hex_json(td->td_attributes, 8), "debug", debug, "xfam",
	    hex_json(td->xfam, 8), "mrtd", hex_json(td->mrtd, 48), "mrconfigid",
	    hex_json(td->mrconfigid, 48), "mrowner", hex_json(td->mrowner, 48),
	    "mrownerconfig", hex_json(td->mrownerconfig, 48), "rtmrs",
	    of_rtmrs(td), "report_data", hex_json(td->report_data, 64));

	if (td->is_15) {
		json_object_set_new(
		    out, "tee_tcb_svn2", hex_json(td->tee_tcb_svn2, 16));
		json_object_set_new(
		    out, "mrservicetd", hex_json(td->mrservicetd, 48));
	}
	return out;
}

/* Not verified: whatever root the quote itself brings would do. */
static json_t *of_pem(const struct sgx_quote *q)
{
	json_t *out = json_stringn((const char *)q->pem.at, q->pem.len);

	return out ? out : json_null();
}

static json_t *of_quote(const struct sgx_quote *q)
{
	json_t *out = json_pack("{s:i, s:s, s:i, s:i, s:o, s:o, s:o, s:o}",
	    "version", (int)q->version, "tee", q->is_td ? "tdx" : "sgx",
	    "qe_svn", q->qe_svn, "pce_svn", q->pce_svn, "qe_id",
	    hex_json(q->user_data, HEADER_USER), "attestation_key",
	    hex_json(q->attestation_key.at, q->attestation_key.len), "qe",
	    of_report(&q->qe), "pck_chain", of_pem(q));

	if (q->is_td)
		json_object_set_new(out, "td", of_td(&q->td, q->debug));
	else
		json_object_set_new(out, "enclave", of_report(&q->enclave));
	return out;
}

static json_t *of_claims(struct slice held)
{
	struct oe_claim claims[OE_CLAIMS_MAX];
	json_t *out = json_array();
	size_t count;

	if (oe_claims_read(held, claims, &count))
		return out;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(out,
		    json_pack("{s:s%, s:o}", "name",
			(const char *)claims[i].name.at, claims[i].name.len,
			"value",
			hex_json(claims[i].value.at, claims[i].value.len)));
	return out;
}

static json_t *of_wrapper(const struct quote_input *quote)
{
	static const char *const forms[] = {NULL, "report", "evidence"};
	const struct oe_evidence *oe = &quote->oe;

	if (oe->form == OE_BARE)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o}", "form", forms[oe->form],
	    "format_id",
	    oe->form == OE_EVIDENCE ? hex_json(oe->format_id, OE_UUID_LEN)
				    : json_null(),
	    "format", json_of_text(oe->format), "custom_claims",
	    oe->held.at ? of_claims(oe->held) : json_array());
}

/* Whether report_data is what it is of held data: a fact, not a judgement. */
static json_t *of_held(
    const struct sgx_quote *q, const struct quote_input *quote)
{
	uint8_t wanted[SGX_REPORT_DATA_LEN] = {0};

	if (!quote->held.at || EVP_Digest(quote->held.at, quote->held.len,
				   wanted, NULL, EVP_sha256(), NULL) != 1)
		return json_null();
	return json_pack("{s:I, s:o, s:b}", "bytes",
	    (json_int_t)quote->held.len, "sha256", hex_json(wanted, 32),
	    "is_report_data",
	    memcmp(wanted, q->report_data, sizeof(wanted)) == 0);
}

json_t *quote_view(const struct input *input, const struct quote_input *quote,
    enum hm_verdict *verdict)
{
	struct sgx_quote q;
	const char *why;
	json_t *out;

	*verdict = sgx_quote_parse(
	    &q, quote->oe.quote.at, quote->oe.quote.len, &why);
	if (*verdict != HM_VALID)
		return json_pack("{s:s, s:o}", "error",
		    hm_verdict_name(*verdict), "why", json_of_text(why));
	out = of_page(input, &q, quote);
	json_object_set_new(out, "kind", json_string("quote"));
	json_object_set_new(out, "open_enclave", of_wrapper(quote));
	json_object_set_new(out, "held", of_held(&q, quote));
	json_object_set_new(out, "quote", of_quote(&q));
	return out;
}
