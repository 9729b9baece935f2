/* ecdsa: signatures as COSE and Intel's quotes write them, r || s as two
 * numbers of the curve's size, big-endian. OpenSSL wants DER (RFC 3279,
 * 2.2.3). */
#ifndef HALLMARK_VERIFIER_ECDSA_H
#define HALLMARK_VERIFIER_ECDSA_H

#include <stddef.h>
#include <stdint.h>

/* raw has 2 * scalar_len bytes. The length of *der, which is to be freed by
 * OPENSSL_free(), or -1 and it is NULL. That both numbers lie within 1..n-1
 * (SEC 1, 4.1.4) is OpenSSL's to check, and test_ecdsa_edges' to see that it
 * does: Java once forgot (CVE-2022-21449). */
__attribute__((warn_unused_result)) int ecdsa_der(
    const uint8_t *raw, size_t scalar_len, uint8_t **der);

#endif
