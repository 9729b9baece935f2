/*
 * peer_tls: TLS between enclaves. Either side shows the certificate of its own;
 * TLS 1.3 proves that it has the key, and that is all that is asked here: whose
 * key it is, the hello says (peer_hello.h). No resumption, so each connection
 * has an exporter value of its own.
 */
#ifndef HALLMARK_ORACLE_PEER_TLS_H
#define HALLMARK_ORACLE_PEER_TLS_H

#include "oracle/attested_tls.h"
#include "oracle/peer_hello.h"

/* For either role, with the key that our documents name. The caller's to
 * free. */
SSL_CTX *peer_tls_context(const struct attested_tls *tls);

/* After the handshake: this connection's exporter value and the key that the
 * other side showed. 0 or -1. */
__attribute__((warn_unused_result)) int peer_tls_facts(SSL *ssl,
    uint8_t exporter[static PEER_EXPORTER_LEN],
    uint8_t spki_sha256[static HM_SHA256_LEN]);

#endif
