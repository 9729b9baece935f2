/* quote_document: see quote_document.h. */
#include "verifier/quote_document.h"

#include "feeds/hex.h"
#include "verifier/report.h"
#include "verifier/sgx/sgx_pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *quote_document_platform(const struct hm_quote *quote)
{
	return quote->is_td ? "tdx" : "sgx-dcap";
}

bool quote_document_is(struct slice bytes)
{
	/* unnamed: a fact */
	return bytes.len >= 2 && bytes.at[0] >= 3 && bytes.at[0] <= 5 &&
	       bytes.at[1] == 0;
}

static void copy_measurements(
    struct hm_quote *out, const struct sgx_quote *quote)
{
	out->present = true;
	out->version = quote->version;
	out->is_td = quote->is_td;
	memcpy(out->mrenclave, quote->enclave.mrenclave, HM_MRENCLAVE_LEN);
	memcpy(out->mrsigner, quote->enclave.mrsigner, HM_MRENCLAVE_LEN);
	out->product_id = quote->enclave.isv_prod_id;
	out->svn = quote->enclave.isv_svn;
	memcpy(out->mrtd, quote->td.mrtd, sizeof(out->mrtd));
	memcpy(out->rtmrs, quote->td.rtmrs, sizeof(out->rtmrs));
	memcpy(out->report_data, quote->report_data, sizeof(out->report_data));
}

/* Who it speaks for, as a document's module_id does. */
static void name_module(struct hm_document *out)
{
	char hex[2 * HM_PCR_LEN + 1];

	if (out->quote.is_td)
		hex_encode(out->quote.mrtd, HM_PCR_LEN, hex);
	else
		hex_encode(out->quote.mrenclave, HM_MRENCLAVE_LEN, hex);
	snprintf(out->module_id, sizeof(out->module_id), "%s-%s",
	    out->quote.is_td ? "mrtd" : "mrenclave", hex);
}

enum hm_verdict quote_document_read(
    struct hm_document *out, struct slice bytes, const char **why)
{
	struct sgx_quote quote;
	enum hm_verdict verdict = sgx_quote_parse(
	    &quote, bytes.at, bytes.len, why);

	memset(out, 0, sizeof(*out));
	if (verdict != HM_VALID)
		return verdict;
	copy_measurements(&out->quote, &quote);
	out->debug = quote.debug;
	name_module(out);
	return HM_VALID;
}

/* 0, or -1: nobody can say. */
static int narrow(struct hm_document *out, struct slice *pem)
{
	struct cert cert;
	uint8_t *der;
	size_t len;
	int status = sgx_pem_next(pem, "CERTIFICATE", &der, &len);

	if (status == 0 &&
	    cert_parse_p256(&cert, (struct slice){der, len}) != HM_VALID)
		status = -1;
	free(der);
	if (status != 0)
		return -1;
	if (cert.not_before_ms > out->not_before_ms)
		out->not_before_ms = cert.not_before_ms;
	if (cert.not_after_ms < out->not_after_ms)
		out->not_after_ms = cert.not_after_ms;
	cert_fini(&cert);
	return 0;
}

void quote_document_bounds(struct hm_document *out, struct slice bytes)
{
	struct sgx_quote quote;

	out->not_before_ms = INT64_MIN;
	out->not_after_ms = INT64_MAX;
	/* unnamed: nothing is judged by it */
	if (sgx_quote_parse(&quote, bytes.at, bytes.len, NULL) == HM_VALID &&
	    narrow(out, &quote.pem) == 0 && narrow(out, &quote.pem) == 0)
		return;
	out->not_before_ms = 0;
	out->not_after_ms = 0;
}

static enum hm_verdict copy_quote(
    struct established *e, struct slice bytes, const struct hm_report *report)
{
	const char *why = NULL;
	enum hm_verdict verdict = quote_document_read(
	    &e->document, bytes, &why);

	if (verdict != HM_VALID)
		return report_check(report, "quote", verdict, NULL, why);
	e->quote.at = malloc(bytes.len);
	if (e->quote.at == NULL)
		return HM_NO_MEMORY;
	memcpy(e->quote.at, bytes.at, bytes.len);
	e->quote.len = bytes.len;
	return HM_VALID;
}

enum hm_verdict quote_document_establish(struct established **out,
    struct slice bytes, const uint8_t sha256[HM_SHA256_LEN],
    const struct hm_report *report)
{
	struct established *e = calloc(1, sizeof(*e));
	enum hm_verdict verdict;

	*out = NULL;
	if (e == NULL)
		return HM_NO_MEMORY;
	verdict = copy_quote(e, bytes, report);
	if (verdict != HM_VALID) {
		established_free(e);
		return verdict;
	}
	memcpy(e->document.sha256, sha256, HM_SHA256_LEN);
	*out = e;
	return HM_VALID;
}
