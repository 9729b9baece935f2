/* hex: lower-case hexadecimal both ways. */
#ifndef HALLMARK_FEEDS_HEX_H
#define HALLMARK_FEEDS_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* out has room for 2 * len + 1 bytes. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);

/* Exactly 2 * len digits, either case; 0 or -1. */
__attribute__((warn_unused_result)) int hex_decode(
    uint8_t *out, size_t len, const char *text, size_t text_len);

/* Of text that hex_decode() has taken: whether it has one of A to F. */
bool hex_has_capital(const char *text, size_t len);

#endif
