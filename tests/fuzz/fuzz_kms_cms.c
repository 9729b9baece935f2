/*
 * fuzz_kms_cms: whatever KMS, or who stands for it, sends as
 * CiphertextForRecipient is safe to open, and what does not open leaves nothing
 * behind.
 *
 * The input: a byte, 'r': the rest is CMS as it is; 'c' or 'w': a good one, its
 * content in chunks or whole, with the changes that follow, each two bytes of
 * where and one of what.
 */
#include "oracle/kms_cms.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/openssl_errors.h"
#include "tests/simulator/kms_envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *key;
static struct kms_envelope chunks, whole;
static const uint8_t plain[32] = "thirty-two bytes of a data key!";

static void make_once(void)
{
	if (key != NULL)
		return;
	openssl_errors_init();
	key = EVP_RSA_gen(2048);
	chunks = kms_envelope_make(key, plain, sizeof(plain),
	    &(struct kms_envelope_options){.octet_strings = true});
	whole = kms_envelope_make(
	    key, plain, sizeof(plain), &(struct kms_envelope_options){0});
}

static void open_it(const uint8_t *bytes, size_t len, bool good)
{
	static const uint8_t zeros[sizeof(plain)];
	uint8_t out[sizeof(plain)];
	const char *why = NULL;
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int result;

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, len);
	result = kms_cms_open(copy, len, key, out, sizeof(out), &why);
	if (result != 0 && (why == NULL || memcmp(out, zeros, 32) != 0))
		abort();
	if (good && (result != 0 || memcmp(out, plain, sizeof(plain)) != 0))
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kms_envelope changed;

	make_once();
	if (size == 0)
		return 0;
	if (data[0] == 'r') {
		open_it(data + 1, size - 1, false);
		return 0;
	}
	changed = data[0] == 'c' ? chunks : whole;
	for (size_t i = 1; i + 3 <= size; i += 3) {
		size_t at = (size_t)data[i] << 8 | data[i + 1];

		changed.bytes[at % changed.len] = data[i + 2];
	}
	open_it(changed.bytes, changed.len, size < 4);
	return 0;
}
