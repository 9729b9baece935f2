/*
 * http_response: any bytes, whole and in pieces. The first byte chooses the
 * size of the pieces and whether the stream ends. However it is cut, the
 * outcome is the same, and it never breaks the promises of the header.
 */
#include "oracle/http_response.h"
#include "oracle/https_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 300
#define NOW_MS   784111777000LL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct http_response *r, const uint8_t *data, size_t size,
    size_t step, bool end)
{
	http_response_start(r, NOW_MS);
	for (size_t i = 0; i < size; i += step)
		http_response_feed(r, (const char *)data + i,
		    size - i < step ? size - i : step);
	if (end)
		http_response_end(r);
}

static void check_promises(const struct http_response *r)
{
	const int64_t longest_ms = HTTP_RESPONSE_RETRY_AFTER_MAX_S * 1000LL;

	assert(r->len <= BODY_MAX);
	if (r->state == HTTP_RESPONSE_DONE) {
		assert(r->status >= 200 && r->status <= 599);
		assert(r->retry_after_ms >= -1);
		assert(r->retry_after_ms <= longest_ms);
		assert(r->date_ms >= -1 && r->date_ms % 1000 <= 0);
	}
	if (r->state == HTTP_RESPONSE_FAILED) {
		assert(r->len == 0 && !r->keep_alive && r->why != NULL);
		assert(
		    r->error == QUOTE_BAD_HTTP || r->error == QUOTE_TOO_LARGE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_response whole, cut;

	if (size == 0)
		return 0;
	size_t step = 1u + (data[0] & 0x7f);
	bool end = (data[0] & 0x80) != 0;
	http_response_init(&whole, BODY_MAX);
	http_response_init(&cut, BODY_MAX);
	feed(&whole, data + 1, size - 1, size, end);
	feed(&cut, data + 1, size - 1, step, end);
	check_promises(&whole);
	check_promises(&cut);
	assert(whole.state == cut.state && whole.status == cut.status);
	assert(whole.retry_after_ms == cut.retry_after_ms ||
	       whole.state != HTTP_RESPONSE_DONE);
	assert(
	    whole.date_ms == cut.date_ms || whole.state != HTTP_RESPONSE_DONE);
	assert(whole.keep_alive == cut.keep_alive && whole.len == cut.len);
	assert(whole.len == 0 || memcmp(whole.body, cut.body, cut.len) == 0);
	http_response_fini(&whole);
	http_response_fini(&cut);
	return 0;
}
