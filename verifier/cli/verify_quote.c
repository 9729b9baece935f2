/* verify_quote: see verify_quote.h. */
#include "verifier/cli/verify_quote.h"

#include "feeds/hex.h"
#include "verifier/cli/check_view.h"
#include "verifier/moment.h"
#include "verifier/report.h"

#include <stdio.h>
#include <string.h>

/* Both a file of --held and something that came with the quote: one hash
 * cannot be that of two things. */
static enum hm_verdict check_file(
    const struct quote_input *quote, const struct hm_report *report)
{
	struct slice file = {quote->file, quote->file_len};
	bool same;

	if (!quote->file || file.at == quote->held.at)
		return HM_VALID;
	same = slice_equal(file, quote->held);
	return report_check(report, "held_data",
	    same ? HM_VALID : HM_HELD_DATA_MISMATCH,
	    "the file that --held names",
	    same ? "that" : "other data came with the quote");
}

/* What stands around it in the answer of GET /attestation; its key was held
 * against the quote, which has no time that timestamp_ms could be held
 * against. */
static enum hm_verdict check_said(const struct hm_document *d,
    const struct input_said *said, const struct hm_report *report)
{
	char sha256[2 * HM_SHA256_LEN + 1];
	bool same;

	hex_encode(d->sha256, HM_SHA256_LEN, sha256);
	same = strcmp(said->sha256, sha256) == 0 &&
	       said->not_after_ms == d->not_after_ms;
	if (report_check(report, "attestation_hash",
		same ? HM_VALID : HM_ATTESTATION_MISMATCH, NULL,
		NULL) != HM_VALID)
		return HM_ATTESTATION_MISMATCH;
	/* A quote vouches for the key alone. */
	same = !said->tls_spki_sha256 && !said->seal_public_key;
	if (!same)
		return report_check(report, "user_data", HM_USER_DATA_MISMATCH,
		    "nothing but a key", "more keys");
	return report_check(report, "platform",
	    strcmp(said->platform, d->platform) == 0 ? HM_VALID
						     : HM_PLATFORM_MISMATCH,
	    d->platform, said->platform);
}

enum hm_verdict verify_quote(const struct hm_policy *policy,
    const struct input *input, const struct quote_input *quote, int64_t at_ms,
    struct hm_document *out, const struct hm_report *report)
{
	enum hm_verdict verdict = hm_quote_verify(policy, NULL,
	    quote->oe.quote.at, quote->oe.quote.len, at_ms, quote->held.at,
	    quote->held.len, out, report);

	if (verdict == HM_VALID)
		verdict = check_file(quote, report);
	if (verdict == HM_VALID && input->said.sha256)
		verdict = check_said(out, &input->said, report);
	return verdict;
}

void verify_quote_print(
    const struct hm_document *d, const struct quote_input *quote)
{
	char until[MOMENT_TEXT_MAX];

	printf("VALID %s %s, release %s, TCB %s", d->platform, d->module_id,
	    d->release, d->quote.tcb_status);
	if (d->quote.collateral_until_ms != INT64_MAX) {
		moment_format(d->quote.collateral_until_ms, until);
		printf(" (collateral until %s)", until);
	}
	if (quote->held.at)
		printf(", for %zu bytes that it held", quote->held.len);
	printf("%s\n", check_view_caveat(d));
	if (!quote->held.at)
		puts("      Whom or what it was made for was not looked at: "
		     "--held FILE is what its report_data must be the SHA-256 "
		     "of. A quote carries no time.");
}
