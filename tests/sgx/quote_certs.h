/*
 * quote_certs: what quotes are made of in tests: bytes, DER, certificates as
 * Intel's are, revocation lists, signatures. Each part can be wrong; what
 * cannot be made aborts.
 */
#ifndef HALLMARK_TESTS_SGX_QUOTE_CERTS_H
#define HALLMARK_TESTS_SGX_QUOTE_CERTS_H

#include "verifier/sgx/sgx_p256.h"

#include <openssl/x509.h>

struct qb_cert {
	const char *subject, *issuer; /* common names */
	EVP_PKEY *key, *by;           /* borrowed */
	bool is_ca;
	long serial;
	int64_t from_ms, until_ms;
	const struct slice *extension; /* Intel's; NULL: none */
};

struct qb_bytes {
	size_t len;
	uint8_t bytes[16384];
};

struct qb_crl {
	const char *issuer; /* its common name */
	EVP_PKEY *key;      /* borrowed */
	int64_t from_ms, until_ms;
	long revoked; /* a serial; 0: none */
};

/* Behind what is there. */
void qb_put(struct qb_bytes *out, const void *bytes, size_t len);
void qb_put_number(/* little-endian */
    struct qb_bytes *out, size_t value, unsigned count);
/* An element in DER. */
void qb_put_der(
    struct qb_bytes *out, uint8_t tag, const void *value, size_t len);
/* SEQUENCE { OID 1.2.840.113741.1.13.1.a[.b], value } */
void qb_put_member(
    struct qb_bytes *out, unsigned a, unsigned b, const struct qb_bytes *value);
void qb_put_integer(
    struct qb_bytes *out, unsigned a, unsigned b, unsigned number);
void qb_put_octets(struct qb_bytes *out, unsigned a, unsigned b,
    const uint8_t *bytes, size_t len);
void qb_put_pem(
    struct qb_bytes *out, const char *label, const struct qb_bytes *der);

void qb_cert_der(const struct qb_cert *cert, struct qb_bytes *out);
/* Behind what is there. */
void qb_pem(const struct qb_cert *cert, struct qb_bytes *out);
void qb_crl_der(const struct qb_crl *list, struct qb_bytes *der);

/* P-256. The caller's. */
EVP_PKEY *qb_key(void);
/* ECDSA with SHA-256 as r || s. */
void qb_sign(EVP_PKEY *key, const void *bytes, size_t len,
    uint8_t out[SGX_SIGNATURE_LEN]);
/* 4 || x || y */
void qb_point(EVP_PKEY *key, uint8_t out[SGX_POINT_LEN]);

#endif
