/* user_data: the attested map. See user_data.h. */
#include "oracle/user_data.h"

#include "oracle/encoder.h"

#include <assert.h>

size_t user_data_encode(const uint8_t boot_id[16],
    const uint8_t config_sha256[32], uint8_t out[static USER_DATA_MAX])
{
	struct encoder e;
	size_t len;

	encoder_init(&e, out, USER_DATA_MAX);
	encoder_map(&e, 2);
	/* RFC 8949, 4.2.1: keys in the bytewise order of their encodings,
	 * so the shorter text is first. */
	encoder_text(&e, "boot_id");
	encoder_bytes(&e, boot_id, 16);
	encoder_text(&e, "config_sha256");
	encoder_bytes(&e, config_sha256, 32);
	len = encoder_end(&e);
	assert(len != 0);
	return len;
}
