/* quote_input: see quote_input.h. */
#include "verifier/cli/quote_input.h"

#include "base/file.h"
#include "feeds/hex.h"
#include "verifier/quote_document.h"
#include "verifier/sgx/sgx_pem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The headers of Open Enclave begin with their version in four bytes. */
bool quote_input_is(const struct input *input)
{
	struct slice bytes = {input->bytes, input->len};

	if (input->kind != INPUT_DOCUMENT || bytes.len < 4)
		return false;
	return quote_document_is(bytes) ||
	       (bytes.at[0] >= 1 && bytes.at[0] <= 3 && bytes.at[1] == 0 &&
		   bytes.at[2] == 0 && bytes.at[3] == 0);
}

static int read_held(struct quote_input *out, const char *path,
    char error[static INPUT_ERROR_MAX])
{
	int rc = file_read(
	    path, QUOTE_INPUT_HELD_MAX, &out->file, &out->file_len);

	if (rc == 0)
		return 0;
	snprintf(error, INPUT_ERROR_MAX, "%.300s: %s", path, strerror(-rc));
	return -1;
}

/* In the answer of GET /attestation the key stands beside the quote that was
 * made for it. One that is none is held against the quote as it stands. */
static void hold_key(struct quote_input *out, const char *pem)
{
	struct slice text = {(const uint8_t *)pem, strlen(pem)};
	size_t len;

	if (sgx_pem_next(&text, "PUBLIC KEY", &out->key, &len) == 0)
		out->held = (struct slice){out->key, len};
	else
		out->held = (struct slice){(const uint8_t *)pem, strlen(pem)};
}

int quote_input_open(struct quote_input *out, const struct input *input,
    const char *held_path, char error[static INPUT_ERROR_MAX])
{
	const char *why;

	memset(out, 0, sizeof(*out));
	if (oe_evidence_open(
		&out->oe, (struct slice){input->bytes, input->len}, &why) != 0)
		out->oe.quote = (struct slice){input->bytes, input->len};
	out->held = out->oe.held;
	if (input->said.public_key)
		hold_key(out, input->said.public_key);
	if (input->held)
		out->held = (struct slice){input->held, input->held_len};
	if (!held_path)
		return 0;
	if (read_held(out, held_path, error))
		return -1;
	/* What came with the quote goes first: it is compared later. */
	if (!out->held.at)
		out->held = (struct slice){out->file, out->file_len};
	return 0;
}

void quote_input_close(struct quote_input *quote)
{
	free(quote->file);
	free(quote->key);
	memset(quote, 0, sizeof(*quote));
}

/* ---- the JSON of samples ---- */

/* NULL: not hexadecimal, or no memory. Of an empty text one byte. */
static uint8_t *decode(const char *text, size_t digits, size_t *len)
{
	uint8_t *bytes = malloc(digits / 2 + 1);

	*len = digits / 2;
	if (bytes && hex_decode(bytes, *len, text, digits) == 0)
		return bytes;
	free(bytes);
	return NULL;
}

int quote_input_page(const char *text, size_t len, uint8_t **quote,
    size_t *quote_len, uint8_t **held, size_t *held_len)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *held_hex = json_object_get(root, "EnclaveHeldDataHex");
	const json_t *hex = json_object_get(root, "QuoteHex");
	int rc = -1;

	*quote = *held = NULL;
	*quote_len = *held_len = 0;
	if (json_string_length(hex) > 0)
		*quote = decode(
		    json_string_value(hex), json_string_length(hex), quote_len);
	if (*quote && json_is_string(held_hex))
		*held = decode(json_string_value(held_hex),
		    json_string_length(held_hex), held_len);
	/* Data that cannot be read would not be compared. */
	if (*quote && (*held || !held_hex || json_is_null(held_hex)))
		rc = 0;
	if (rc) {
		free(*quote);
		*quote = NULL;
	}
	json_decref(root);
	return rc;
}
