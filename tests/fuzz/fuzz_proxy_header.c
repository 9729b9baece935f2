/* fuzz_proxy_header: any bytes as the beginning of a connection. What is read
 * to the announced length and not further is judged alike however it comes in
 * pieces; what is accepted with addresses is written again to the same bytes,
 * but for vectors. */
#include "base/proxy_header.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_again(
    const struct proxy_header *header, const uint8_t *bytes, size_t len)
{
	uint8_t again[PROXY_HEADER_ENCODED_MAX];
	size_t count = proxy_header_encode(again, header);

	assert(count <= len);
	assert(again[12] == bytes[12]);
	/* IPv4 in IPv6 is written as IPv4. */
	if (again[13] != bytes[13])
		return;
	assert(memcmp(again + 16, bytes + 16, count - 16) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	enum proxy_header_state state = PROXY_HEADER_MORE;
	struct proxy_header header;
	size_t have = 0, need = 0;
	const char *why = NULL;

	while (state == PROXY_HEADER_MORE && have < len) {
		have++;
		state = proxy_header_parse(&header, bytes, have, &need, &why);
		assert((state == PROXY_HEADER_REFUSED) == (why != NULL));
		assert(state != PROXY_HEADER_MORE ||
		       (need > have && need <= PROXY_HEADER_BYTES_MAX));
	}
	if (state == PROXY_HEADER_READY) {
		assert(have == need);
		check_again(&header, bytes, have);
	}
	if (state == PROXY_HEADER_READY && have < len)
		assert(proxy_header_parse(&header, bytes, len, &need, &why) ==
		       PROXY_HEADER_REFUSED);
	return 0;
}
