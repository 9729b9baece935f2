/* quote_pki: the certificates and CRLs of quote_maker. */
#ifndef HALLMARK_TESTS_SGX_QUOTE_PKI_H
#define HALLMARK_TESTS_SGX_QUOTE_PKI_H

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What the PCK certificate says of the platform. */
#define QUOTE_PKI_SVN    5 /* each of its 16 components */
#define QUOTE_PKI_PCESVN 13
#define QUOTE_PKI_FMSPC  "00906ea10000"

struct quote_pki_cert {
	X509 *x509;
	EVP_PKEY *key;
};

struct quote_pki {
	int64_t now_s;
	struct quote_pki_cert root, ca, pck, signer;
};

#define quote_need(ok) quote_need_at(ok, #ok)
static inline void quote_need_at(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "quote_maker: %s\n", what);
	abort();
}

void quote_pki_init(struct quote_pki *pki, int64_t now_s);
void quote_pki_fini(struct quote_pki *pki);

/* The certificate's PEM, then that of the next; NULL: none. free() it. */
char *quote_pki_pem(const X509 *first, const X509 *second, const X509 *third);
/* A CRL of this issuer without an entry, DER in hex; free() it. */
char *quote_pki_crl_hex(
    const struct quote_pki *pki, const struct quote_pki_cert *issuer);

/* ECDSA-P256-SHA256 as r || s. */
void quote_pki_sign(
    EVP_PKEY *key, const void *bytes, size_t len, uint8_t out[static 64]);
/* x || y */
void quote_pki_point(const EVP_PKEY *key, uint8_t out[static 64]);
EVP_PKEY *quote_pki_key(void);

#endif
