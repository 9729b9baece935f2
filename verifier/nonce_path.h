/*
 * nonce_path: where in a batch a nonce is. Many nonces that wait at once get
 * one document, whose nonce is the root of the tree over them (RFC 6962, 2.1; a
 * leaf is a nonce), and each its path to the root:
 *
 *   {"index": 2, "size": 5, "path": ["hex", ...]}
 */
#ifndef HALLMARK_VERIFIER_NONCE_PATH_H
#define HALLMARK_VERIFIER_NONCE_PATH_H

#include "verifier/hallmark.h"

#include <jansson.h>
#include <stdio.h>

struct nonce_path {
	uint64_t index, size;
	struct hm_log_proof proof;
};

/* Writes `,"nonce_path":{...}`, or nothing for NULL: the nonce stands plain. */
void nonce_path_put(FILE *out, const struct nonce_path *path);

/* Borrows the value. 0, or -1 and *out zeroed: no such object, a key too many,
 * capital digits. Whether it leads anywhere is not looked at. */
HM_MUST_CHECK int nonce_path_read(struct nonce_path *out, json_t *value);

/* Does it lead from `nonce` to the root that the document holds? */
bool nonce_path_holds(const struct nonce_path *path,
    const struct hm_bytes *root, const uint8_t *nonce, size_t nonce_len);

#endif
