/* eif_key: the certificate and the private key that sign an image. */
#ifndef HALLMARK_VERIFIER_CLI_EIF_KEY_H
#define HALLMARK_VERIFIER_CLI_EIF_KEY_H

#include "verifier/cursor.h"

#include <openssl/evp.h>

#define EIF_KEY_ERROR_MAX 512

struct eif_key {      /* owned */
	uint8_t *pem; /* the certificate's text */
	size_t pem_len;
	EVP_PKEY *key;
};

/* The private key's file must be the caller's (or root's) and nobody else's to
 * read; its text is wiped from memory. 0, or -1 and why, and then nothing is
 * owned. */
__attribute__((warn_unused_result)) int eif_key_load(struct eif_key *out,
    const char *certificate_path, const char *key_path,
    char error[static EIF_KEY_ERROR_MAX]);
void eif_key_fini(struct eif_key *key);

#endif
