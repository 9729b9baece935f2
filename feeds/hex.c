/* hex: see hex.h. Eight digits at a time stand in one word, the first in the
 * highest byte: replay and the encoding of items do little more often. */
#include "feeds/hex.h"

#include <endian.h>
#include <string.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* ---- words ---- */

/* Eight values below 16 as '0' to '9' and 'a' to 'f'. */
static uint64_t to_digits(uint64_t values)
{
	uint64_t letters = (values + EACH(6)) >> 4 & EACH(1);

	return values + EACH('0') + letters * ('a' - '9' - 1);
}

/* Eight digits of either case as values. 0, or -1 if one of them is none. */
static int from_digits(uint64_t *values, uint64_t digits)
{
	/* Of the digits, letters alone have this bit. */
	uint64_t letters = digits >> 6 & EACH(1);

	*values = (digits & EACH(0x0f)) + letters * 9;
	/* What is no digit does not come out as it went in. */
	return (*values & EACH(0xf0)) == 0 &&
		       to_digits(*values) == (digits | letters << 5)
		   ? 0
		   : -1;
}

static uint64_t load(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return be64toh(word);
}

/* Four bytes as eight digits. */
static void encode_word(const uint8_t bytes[4], char out[8])
{
	uint32_t four;
	uint64_t word;

	memcpy(&four, bytes, sizeof(four));
	word = be32toh(four);
	word = (word << 16 | word) & UINT64_C(0x0000ffff0000ffff);
	word = (word << 8 | word) & UINT64_C(0x00ff00ff00ff00ff);
	word = htobe64(to_digits((word << 4 | word) & EACH(0x0f)));
	memcpy(out, &word, sizeof(word));
}

/* And back. */
static int decode_word(uint8_t out[4], const char text[8])
{
	uint64_t word;
	uint32_t four;

	if (from_digits(&word, load(text)) != 0)
		return -1;
	word = (word >> 4 | word) & UINT64_C(0x00ff00ff00ff00ff);
	word = (word >> 8 | word) & UINT64_C(0x0000ffff0000ffff);
	four = htobe32((uint32_t)(word >> 16 | word));
	memcpy(out, &four, sizeof(four));
	return 0;
}

/* ---- texts ---- */

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
	uint8_t rest[4] = {0};
	char text[8];

	for (; len >= 4; len -= 4, bytes += 4, out += 8)
		encode_word(bytes, out);
	out[2 * len] = '\0';
	if (len == 0)
		return;
	memcpy(rest, bytes, len);
	encode_word(rest, text);
	memcpy(out, text, 2 * len);
}

int hex_decode(uint8_t *out, size_t len, const char *text, size_t text_len)
{
	char rest[8] = "0000000";
	uint8_t bytes[4];

	if (text_len % 2 != 0 || text_len / 2 != len)
		return -1;
	for (; len >= 4; len -= 4, out += 4, text += 8)
		if (decode_word(out, text) != 0)
			return -1;
	if (len == 0)
		return 0;
	rest[7] = '0';
	memcpy(rest, text, 2 * len);
	if (decode_word(bytes, rest) != 0)
		return -1;
	memcpy(out, bytes, len);
	return 0;
}

/* Of the digits, these alone lack the bit that makes small letters. */
bool hex_has_capital(const char *text, size_t len)
{
	char all = 0x20;
	uint64_t words = EACH(0x20);

	for (; len >= 8; len -= 8, text += 8)
		words &= load(text);
	for (size_t i = 0; i < len; i++)
		all &= text[i];
	return all == 0 || words != EACH(0x20);
}
