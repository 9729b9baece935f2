/* user_data: the attested map. See user_data.h. */
#include "oracle/user_data.h"

#include "oracle/cbor_writer.h"

#include <assert.h>

size_t user_data_encode(const uint8_t boot_id[16],
    const uint8_t config_sha256[32], uint8_t out[static USER_DATA_MAX])
{
	struct writer w;
	size_t len;

	writer_init(&w, out, USER_DATA_MAX);
	writer_map(&w, 2);
	/* RFC 8949, 4.2.1: keys in the bytewise order of their encodings,
	 * so the shorter text is first. */
	writer_text(&w, "boot_id");
	writer_bytes(&w, boot_id, 16);
	writer_text(&w, "config_sha256");
	writer_bytes(&w, config_sha256, 32);
	len = writer_end(&w);
	assert(len != 0);
	return len;
}
