/* secret_message: any bytes are safe, and what is taken is written again as
 * what it was. */
#include "verifier/secret_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct secret_message nothing;
	struct secret_message message, again;
	char text[SECRET_MESSAGE_MAX];
	size_t len;

	memset(&message, 0, sizeof(message));
	memset(&again, 0, sizeof(again));
	if (secret_message_decode(&message, (const char *)data, size) != 0) {
		require(memcmp(&message, &nothing, sizeof(message)) == 0);
		return 0;
	}
	len = secret_message_encode(&message, text);
	require(len > 0 && secret_message_decode(&again, text, len) == 0);
	require(memcmp(&message, &again, sizeof(message)) == 0);
	return 0;
}
