/*
 * fuzz_oe_evidence: any bytes are safe, and whatever is opened lies within
 * them: the quote, then what is held, up to the end; claims one after the
 * other, in the held bytes.
 */
#include "verifier/sgx/oe_evidence.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void read_claims(struct slice held)
{
	struct oe_claim claims[OE_CLAIMS_MAX];
	const uint8_t *at = held.at;
	size_t count;

	if (oe_claims_read(held, claims, &count) != 0) {
		must(count == 0);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		must(claims[i].name.at >= at && claims[i].name.len > 0);
		must(claims[i].value.at ==
		     claims[i].name.at + claims[i].name.len + 1);
		at = claims[i].value.at + claims[i].value.len;
	}
	must(at <= held.at + held.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oe_evidence oe;
	const char *why;

	if (oe_evidence_open(&oe, (struct slice){data, size}, &why) != 0) {
		must(why != NULL && oe.quote.at == NULL && oe.held.at == NULL);
		return 0;
	}
	must(oe.quote.at >= data && oe.quote.at + oe.quote.len <= data + size);
	if (oe.held.at == NULL)
		return 0;
	must(oe.held.at == oe.quote.at + oe.quote.len &&
	     oe.held.at + oe.held.len == data + size && oe.held.len > 0);
	read_claims(oe.held);
	return 0;
}
