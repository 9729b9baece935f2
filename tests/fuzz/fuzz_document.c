/* The payload of an attestation document and its certificates, as if the
 * signature had been good: first the parser alone, then the chain. */
#include "tests/fuzz/openssl_errors.h"
#include "verifier/chain.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_chain(
    const struct hm_document *document, const struct document_certs *certs)
{
	struct chain_facts facts;
	struct chain chain;

	if (chain_open(&chain, certs, document->module_id, NULL, NULL) !=
	    HM_VALID)
		return;
	if (chain_verify(&chain, NULL) == HM_VALID) {
		chain_read_facts(&chain, &facts);
		if (facts.link_count + 1 != chain.count)
			abort();
	}
	chain_close(&chain);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	openssl_errors_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document_certs certs;
	struct hm_document document;

	if (document_parse(&document, &certs, (struct slice){data, size}) !=
	    HM_VALID)
		return 0;
	if (document.timestamp_ms <= 0 || certs.cabundle_count == 0 ||
	    (document.pcr_mask & 0xffff) != 0xffff ||
	    strlen(document.module_id) < 20 ||
	    document_enclave_start_ms(&document) < 0)
		abort();
	try_chain(&document, &certs);
	ERR_clear_error();
	return 0;
}
