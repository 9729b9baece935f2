/* COSE_Sign1: any bytes are safe, and what is accepted is what was there. */
#include "tests/fuzz/openssl_errors.h"
#include "verifier/cose.h"

#include <openssl/ec.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *key;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	key = EVP_EC_gen("P-384");
	if (key == NULL)
		abort();
	openssl_errors_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cose cose;

	if (cose_parse(&cose, data, size) != HM_VALID)
		return 0;
	if (cose.payload.at < data ||
	    cose.payload.at + cose.payload.len > data + size ||
	    cose.signature.at + cose.signature.len != data + size)
		abort();
	/* nobody has signed for a key made a moment ago */
	if (cose_verify(&cose, key) == HM_VALID)
		abort();
	ERR_clear_error();
	return 0;
}
