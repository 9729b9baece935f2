/*
 * quote_input: a file with a quote of SGX or TDX in it: bare, in an Open
 * Enclave report or evidence, or in the JSON that Microsoft's samples write
 * ("QuoteHex", "EnclaveHeldDataHex"). And what the enclave held when it was
 * made: in that file, or in one of its own.
 */
#ifndef HALLMARK_VERIFIER_CLI_QUOTE_INPUT_H
#define HALLMARK_VERIFIER_CLI_QUOTE_INPUT_H

#include "verifier/cli/input.h"
#include "verifier/sgx/oe_evidence.h"

#define QUOTE_INPUT_HELD_MAX 16777216

struct quote_input {
	struct oe_evidence oe; /* slices of the input's bytes */
	struct slice held;     /* at NULL: nothing is known to be held */
	uint8_t *file;         /* owned: of --held */
	size_t file_len;
	uint8_t *key; /* owned: the DER of a key that came with the quote */
};

/* Whether the input's bytes begin like one of these. */
bool quote_input_is(const struct input *input);

/* held_path: NULL, or a file. Opened wrappers that are none are left to the
 * quote's reader (oe.quote is all of the bytes then). 0, or -1 and why: the
 * held file cannot be read. */
HM_MUST_CHECK int quote_input_open(struct quote_input *out,
    const struct input *input, const char *held_path,
    char error[static INPUT_ERROR_MAX]);
void quote_input_close(struct quote_input *quote);

/* The bytes that the JSON holds; the caller frees both. held: NULL if it has
 * none. 0, or -1: it is another JSON. */
HM_MUST_CHECK int quote_input_page(const char *text, size_t len,
    uint8_t **quote, size_t *quote_len, uint8_t **held, size_t *held_len);

#endif
