/*
 * input: a file that somebody wants checked, told apart by what is in it:
 *
 *   item      any other JSON
 *   attested  a result inside an attestation: the JSON that GET
 *             /price/{feed}?nonce=&attested=true answers
 *   fetched   what POST /fetch answers
 *   document  CBOR (a COSE_Sign1), or the same in base64, line breaks
 *             allowed, or the JSON that GET /attestation answers, no more and
 *             no less; what that says of the document is kept, to be held
 *             against it. A quote of SGX or TDX as well, also in the JSON that
 *             quote_input.h reads
 */
#ifndef HALLMARK_VERIFIER_CLI_INPUT_H
#define HALLMARK_VERIFIER_CLI_INPUT_H

#include "verifier/nonce_path.h"

#define INPUT_MAX       HM_FETCHED_MAX
#define INPUT_ERROR_MAX 512

enum input_kind {
	INPUT_ITEM,
	INPUT_DOCUMENT,
	INPUT_ATTESTED,
	INPUT_FETCHED
};

struct input {
	enum input_kind kind;
	uint8_t *bytes; /* owned: the JSON text, or the document */
	size_t len;
	struct input_said { /* by the answer of GET /attestation */
		char *sha256, *platform, *public_key; /* owned; all or none */
		int64_t timestamp_ms, not_after_ms;
		int64_t key_epoch; /* 0: not said */
		/* Owned; NULL: not said. */
		char *tls_spki_sha256, *seal_public_key;
		bool batched; /* the document answers many, by this path: */
		struct nonce_path path;
	} said;
	struct hm_attested attested; /* of INPUT_ATTESTED; `bytes` are kept */
	struct hm_envelope fetched;  /* the same of INPUT_FETCHED */
	uint8_t *held; /* owned; what a quote came with; NULL: nothing */
	size_t held_len;
};

/* Reads `path`, "-" for standard input. 0, or -1 and why: it cannot be read
 * or is longer than INPUT_MAX. Anything that was read is one of them. */
HM_MUST_CHECK int input_read(
    struct input *out, const char *path, char error[static INPUT_ERROR_MAX]);
/* The same from memory, which it takes (malloc). */
void input_tell(struct input *out, uint8_t *bytes, size_t len);
void input_fini(struct input *input);

/* Whether this file ("-": standard input, if that is one) begins like a bundle,
 * which is read otherwise (verifier/archive/archive_bundle.h). Nothing is
 * consumed. */
bool input_is_bundle(const char *path);

#endif
