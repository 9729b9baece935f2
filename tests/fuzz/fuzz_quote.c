/*
 * SGX and TDX quotes: any bytes are safe; what is read lies within them; and
 * the seeds, which are signed under the root below, can be changed in nothing
 * that counts: a debug enclave is never found good.
 */
#include "verifier/sgx/sgx_verify.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEEDS_MS 1790000000000 /* when they are good */

/* Its private half was thrown away. */
static const struct sgx_root root = {"of the seeds",
    {0x04, 0x09, 0x4d, 0xa5, 0x09, 0x05, 0x56, 0xeb, 0x39, 0x07, 0x89, 0x8f,
	0x99, 0x40, 0x15, 0xce, 0xec, 0xd9, 0x82, 0x0b, 0x62, 0xa2, 0x64, 0x70,
	0x8e, 0x1b, 0xd7, 0xc2, 0x1d, 0xbe, 0x74, 0xa6, 0xac, 0xe5, 0xc5, 0x41,
	0x87, 0xd2, 0x29, 0x24, 0x27, 0x08, 0xe4, 0xff, 0x04, 0xb7, 0xd6, 0x5d,
	0x08, 0x02, 0x73, 0xbd, 0xa7, 0xe4, 0x16, 0x63, 0xa8, 0xf4, 0x70, 0xa8,
	0x16, 0x3d, 0x6e, 0x9f, 0x9c}};

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Whether the slice lies in the quote, behind what is signed. */
static void within(const struct sgx_quote *quote, struct slice slice)
{
	const uint8_t *begin = quote->signed_part.at;

	must(slice.at >= begin + quote->signed_part.len);
	must(slice.at + slice.len <= begin + quote->len);
}

static void check_slices(const struct sgx_quote *quote)
{
	within(quote, quote->signature);
	within(quote, quote->attestation_key);
	within(quote, quote->qe_report);
	within(quote, quote->qe_signature);
	within(quote, quote->qe_auth);
	within(quote, quote->pem);
	must(quote->signature.len == 64 && quote->attestation_key.len == 64);
	must(quote->qe_signature.len == 64);
	must(quote->qe_report.len == SGX_REPORT_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sgx_policy policy = {
	    .roots = &root,
	    .root_count = 1,
	    .insecure_without_collateral = true,
	};
	struct sgx_result result;
	struct sgx_quote quote;
	const char *why;
	enum hm_verdict form = sgx_quote_parse(&quote, data, size, &why);
	enum hm_verdict verdict = sgx_verify(
	    data, size, NULL, &policy, SEEDS_MS, &result, NULL);

	must((form == HM_VALID) == (why == NULL));
	must((form != HM_VALID) == (verdict == HM_QUOTE_MALFORMED));
	if (form != HM_VALID)
		return 0;
	must(quote.signed_part.at == data && quote.len <= size);
	check_slices(&quote);
	must(verdict != HM_VALID || !quote.debug);
	return 0;
}
