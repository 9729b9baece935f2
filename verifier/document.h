/*
 * document: the payload of an attestation document (S1, 2.2 and 3.2.2), read
 * strictly but as real documents are, where AWS's text and AWS's documents
 * differ:
 *
 * - the outer map is definite, or indefinite (all documents since mid 2025);
 * - optional fields that were not asked for are null; absent is the same;
 * - public_key, user_data and nonce may have 0..1024 bytes.
 *
 * Keys come in any order, each once, and no others. A NitroTPM document
 * (`nitrotpm_pcrs`, a module_id without "-enc") chains to the same root but
 * anybody who has an ordinary instance can get one with any content: it is
 * told apart and refused as HM_NOT_AN_ENCLAVE.
 */
#ifndef HALLMARK_VERIFIER_DOCUMENT_H
#define HALLMARK_VERIFIER_DOCUMENT_H

#include "verifier/cursor.h"
#include "verifier/hallmark.h"

#define DOCUMENT_CABUNDLE_MAX    7    /* certificates; real ones: 4 */
#define DOCUMENT_CERTIFICATE_MAX 1024 /* bytes, S1 2.2 */
#define DOCUMENT_FIELD_MAX       HM_NONCE_MAX

struct document_certs { /* slices of the document's bytes, DER */
	struct slice leaf;
	struct slice cabundle[DOCUMENT_CABUNDLE_MAX]; /* root first */
	size_t cabundle_count;                        /* >= 1 */
};

/*
 * Reads the payload. Fills module_id, timestamp_ms, pcr_mask, pcrs, debug,
 * public_key, user_data and nonce of *out and zeroes the rest. HM_VALID,
 * HM_DOCUMENT_MALFORMED or HM_NOT_AN_ENCLAVE, and then both are zeroed.
 */
HM_MUST_CHECK enum hm_verdict document_parse(struct hm_document *out,
    struct document_certs *certs, struct slice payload);

/* The enclave's start, from module_id: the first 48 of the 64 bits after
 * "-enc" are Unix ms (not documented by AWS, but so in every document seen).
 * For a module_id that document_parse() accepted. */
int64_t document_enclave_start_ms(const struct hm_document *document);

#endif
