/* eif_crc: see eif_crc.h. Half a byte at a time, with a table that one can
 * read; zlib would be another library for this alone. */
#include "verifier/eif/eif_crc.h"

/* What four bits become: each shifted out low bit adds the polynomial. */
static const uint32_t nibbles[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, //
    0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, //
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, //
    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c, //
};

uint32_t eif_crc_update(uint32_t crc, const uint8_t *bytes, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return ~crc;
}
