/*
 * attested_tls: the key of the oracle's own TLS. An ECDSA key on P-256 is made
 * at start and never leaves the process; the SHA-256 of its
 * SubjectPublicKeyInfo stands in the user data of each attestation document
 * ("tls_spki_sha256"). The certificate around it is self-signed, and nobody is
 * to look at anything in it but that key: who has a fresh document knows it,
 * and needs no authority, no name and no clock.
 *
 * TLS 1.3 alone, without session tickets: a resumed session would show no
 * certificate.
 */
#ifndef HALLMARK_ORACLE_ATTESTED_TLS_H
#define HALLMARK_ORACLE_ATTESTED_TLS_H

#include <openssl/ssl.h>
#include <stdint.h>

#define ATTESTED_TLS_NAME  "hallmark-oracle" /* the certificate's CN */
#define ATTESTED_TLS_YEARS 10 /* it must outlive the process, no more */

struct attested_tls;

/* Makes the key; dies without randomness or memory. */
struct attested_tls *attested_tls_new(void);
void attested_tls_free(struct attested_tls *tls); /* NULL is fine */

/* Borrowed. */
const uint8_t *attested_tls_spki_sha256(const struct attested_tls *tls);
const char *attested_tls_spki_sha256_hex(const struct attested_tls *tls);

/* A context that shows this certificate; `method` is TLS_server_method() or
 * TLS_client_method(). The caller frees it; it may outlive `tls`. */
SSL_CTX *attested_tls_context(
    const struct attested_tls *tls, const SSL_METHOD *method);

/* For HTTP: a server's context that agrees on http/1.1 where the client names
 * protocols, and refuses a client that names none that we speak. */
SSL_CTX *attested_tls_http(const struct attested_tls *tls);

#endif
