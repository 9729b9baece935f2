/*
 * sgx_extension: what Intel's extension of a PCK certificate says of the
 * platform (OID 1.2.840.113741.1.13.1; Intel SGX PCK Certificate and
 * Certificate Revocation List Profile Specification, 1.3.5):
 *
 *   SEQUENCE {
 *     SEQUENCE { OID ...1.1, PPID }, SEQUENCE { OID ...1.2, TCB }, ... }
 *
 * OpenSSL does not know it, so it is read here, in DER.
 */
#ifndef HALLMARK_VERIFIER_SGX_EXTENSION_H
#define HALLMARK_VERIFIER_SGX_EXTENSION_H

#include "verifier/sgx/sgx_pck.h"

/* Fills fmspc, pceid, components and pcesvn. 0 or -1. */
HM_MUST_CHECK int sgx_extension_read(
    struct sgx_platform *out, const X509 *x509);
/* The same of the extension's value. */
HM_MUST_CHECK int sgx_extension_parse(
    struct sgx_platform *out, struct slice der);

#endif
