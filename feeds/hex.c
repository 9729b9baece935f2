/* hex: see hex.h. */
#include "feeds/hex.h"

static const char hex_digits[] = "0123456789abcdef";

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex_digits[bytes[i] >> 4];
		out[2 * i + 1] = hex_digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

/* A digit's value and one, so that 0 is none. */
/* clang-format off */
static const uint8_t values[256] = {
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	['A'] = 11, 12, 13, 14, 15, 16,
	['a'] = 11, 12, 13, 14, 15, 16,
};
/* clang-format on */

int hex_decode(uint8_t *out, size_t len, const char *text, size_t text_len)
{
	if (text_len % 2 != 0 || text_len / 2 != len)
		return -1;
	for (size_t i = 0; i < len; i++) {
		unsigned high = values[(unsigned char)text[2 * i]];
		unsigned low = values[(unsigned char)text[2 * i + 1]];
		if (high == 0 || low == 0)
			return -1;
		out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return 0;
}

/* Of the digits, these alone lack the bit that makes small letters. */
bool hex_has_capital(const char *text, size_t len)
{
	char all = 0x20;

	for (size_t i = 0; i < len; i++)
		all &= text[i];
	return all == 0;
}
