/*
 * sgx_pem: PEM (RFC 7468, 3) in the one form that Intel's tools write: lines of
 * 64, each ended by a newline, nothing between two blocks. A quote's PEM is
 * under no signature, so whatever is read leniently there can be changed by
 * anybody.
 */
#ifndef HALLMARK_VERIFIER_SGX_PEM_H
#define HALLMARK_VERIFIER_SGX_PEM_H

#include "verifier/cursor.h"

#define SGX_PEM_MAX 1048576 /* bytes of one block */

/* Reads a block with this label ("CERTIFICATE") and steps over it. The caller
 * frees *der. 0, or -1 (malformed or no memory) and *der is NULL. The newline
 * behind the last line may be missing at the end of the text. */
__attribute__((warn_unused_result)) int sgx_pem_next(
    struct slice *text, const char *label, uint8_t **der, size_t *len);

#endif
