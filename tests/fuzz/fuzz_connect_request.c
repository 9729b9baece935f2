/*
 * fuzz_connect_request: any bytes as the head of a request. What is granted
 * has one spelling, and the answer does not depend on how the bytes arrive: a
 * refusal or a complete head stays what it is when more bytes follow.
 */
#include "vsock-bridge/connect_request.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_target(const struct authority *target)
{
	char text[AUTHORITY_TEXT_MAX];
	struct authority again;
	const char *why;

	authority_format(target, text);
	assert(authority_parse(&again, text, strlen(text), &why) == 0);
	assert(authority_compare(target, &again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct connect_request whole, part;
	enum connect_request_state at_end, before = CONNECT_REQUEST_MORE;

	at_end = connect_request_parse(&whole, bytes, len);
	assert((at_end == CONNECT_REQUEST_REFUSED) == (whole.reason != NULL));
	assert(
	    at_end != CONNECT_REQUEST_MORE || len < CONNECT_REQUEST_BYTES_MAX);
	if (at_end == CONNECT_REQUEST_READY) {
		assert(whole.head_len <= len);
		assert(whole.head_len <= CONNECT_REQUEST_BYTES_MAX);
		check_target(&whole.target);
	}
	for (size_t i = 0; i <= len && i <= 256; i++) {
		enum connect_request_state now = connect_request_parse(
		    &part, bytes, i);

		assert(before == CONNECT_REQUEST_MORE || now == before);
		before = now;
	}
	assert(before == CONNECT_REQUEST_MORE || before == at_end);
	return 0;
}
