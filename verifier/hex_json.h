/* hex_json: bytes as a JSON string in lower-case hex, and back. */
#ifndef HALLMARK_VERIFIER_HEX_JSON_H
#define HALLMARK_VERIFIER_HEX_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* A new reference; NULL: no memory. */
json_t *hex_json(const uint8_t *bytes, size_t len);

/*
 * For a reader that asks the writer afterwards whether it would have written
 * this very text, and so need not refuse anything itself: what is not hex of
 * len bytes (NULL: no string at all) leaves zeros, which are written otherwise;
 * so are capital digits.
 */
void hex_json_read(uint8_t *out, size_t len, const char *text);

#endif
