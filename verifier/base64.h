/* base64: RFC 4648 section 4, canonical only (3.5: pad bits zero, padding
 * there, no line breaks). Over OpenSSL. */
#ifndef HALLMARK_VERIFIER_BASE64_H
#define HALLMARK_VERIFIER_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* A new NUL-terminated text, the caller frees it; NULL: no memory. */
char *base64_encode(const uint8_t *bytes, size_t len);

/* Decodes into a new buffer that the caller frees. Returns 0 or -1 (malformed
 * or no memory) and then *out is NULL. */
__attribute__((warn_unused_result)) int base64_decode(
    uint8_t **out, size_t *out_len, const char *text, size_t len);

#endif
