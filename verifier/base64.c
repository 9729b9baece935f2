/* base64: OpenSSL's block coder, made strict. EVP_DecodeBlock forgives blanks
 * at both ends and stray pad bits; a text is canonical exactly if encoding
 * what was decoded gives it back, so that is what is asked. */
#include "verifier/base64.h"

#include "feeds/check.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BASE64_BYTES_MAX (INT_MAX / 2) /* OpenSSL counts in int */

char *base64_encode(const uint8_t *bytes, size_t len)
{
	char *text;

	if (len > BASE64_BYTES_MAX)
		return NULL;
	text = malloc((len + 2) / 3 * 4 + 1);
	if (text == NULL)
		return NULL;
	text[0] = '\0';
	if (len > 0)
		EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	return text;
}

static size_t padding(const char *text, size_t len)
{
	if (len < 2 || text[len - 1] != '=')
		return 0;
	return text[len - 2] == '=' ? 2 : 1;
}

static bool is_canonical(
    const uint8_t *bytes, size_t bytes_len, const char *text, size_t len)
{
	char *again = base64_encode(bytes, bytes_len);
	bool same = again != NULL && strlen(again) == len &&
		    memcmp(again, text, len) == 0;

	free(again);
	return same;
}

int base64_decode(uint8_t **out, size_t *out_len, const char *text, size_t len)
{
	uint8_t *bytes = NULL;
	int decoded = 0;

	*out = NULL;
	*out_len = 0;
	if (len > BASE64_BYTES_MAX)
		return -1;
	bytes = malloc(len / 4 * 3 + 1);
	if (bytes == NULL)
		return -1;
	if (len > 0)
		decoded = EVP_DecodeBlock(
		    bytes, (const unsigned char *)text, (int)len);
	if (decoded < 0)
		goto out;
	*out_len = (size_t)decoded - padding(text, len);
	if (REFUSE(base64_canonical, !is_canonical(bytes, *out_len, text, len)))
		goto out;
	*out = bytes;
	return 0;
out:
	*out_len = 0;
	free(bytes);
	return -1;
}
