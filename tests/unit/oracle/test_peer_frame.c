/* peer_frame: frames in pieces of any size, and lengths that are none. */
#include "oracle/peer_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t make(uint8_t *out, const char *text)
{
	size_t len = strlen(text);

	peer_frame_head(len, out);
	memcpy(out + PEER_FRAME_HEAD, text, len);
	return PEER_FRAME_HEAD + len;
}

/* Two frames, handed over in pieces of this size. */
static void read_two(size_t piece)
{
	static const char *const texts[] = {"{\"a\":1}", "{}"};
	struct peer_frame frame = {0};
	uint8_t bytes[64];
	size_t len = make(bytes, texts[0]), seen = 0;

	len += make(bytes + len, texts[1]);
	for (size_t at = 0; at < len;) {
		size_t part = len - at < piece ? len - at : piece, used;
		enum peer_frame_status status;
		uint8_t *copy = malloc(part);

		memcpy(copy, bytes + at, part);
		status = peer_frame_take(&frame, 16, copy, part, &used);
		free(copy);
		assert_true(used <= part && status >= 0);
		at += used;
		if (status != PEER_FRAME_WHOLE)
			continue;
		assert_int_equal(frame.len, strlen(texts[seen]));
		assert_string_equal(frame.text, texts[seen++]);
		peer_frame_next(&frame);
	}
	assert_int_equal(seen, 2);
	peer_frame_fini(&frame);
}

static void test_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= 24; piece++)
		read_two(piece);
}

static enum peer_frame_status head(uint32_t len, size_t max)
{
	const uint8_t bytes[] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16),
	    (uint8_t)(len >> 8), (uint8_t)len, 'x'};
	struct peer_frame frame = {0};
	enum peer_frame_status status;
	size_t used;

	status = peer_frame_take(&frame, max, bytes, sizeof(bytes), &used);
	peer_frame_fini(&frame);
	return status;
}

static void test_lengths(void **state)
{
	(void)state;
	assert_int_equal(head(0, 100), PEER_FRAME_REFUSED);
	assert_int_equal(head(1, 100), PEER_FRAME_WHOLE);
	assert_int_equal(head(100, 100), PEER_FRAME_MORE);
	assert_int_equal(head(101, 100), PEER_FRAME_REFUSED);
	assert_int_equal(head(PEER_FRAME_MAX, PEER_FRAME_MAX), PEER_FRAME_MORE);
	assert_int_equal(
	    head(PEER_FRAME_MAX + 1, PEER_FRAME_MAX), PEER_FRAME_REFUSED);
	assert_int_equal(head(0xffffffff, PEER_FRAME_MAX), PEER_FRAME_REFUSED);
	assert_int_equal(head(0x80000001, 1), PEER_FRAME_REFUSED);
}

static void test_head(void **state)
{
	uint8_t out[4];

	(void)state;
	peer_frame_head(0x10203, out);
	assert_memory_equal(out, "\x00\x01\x02\x03", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_head),
	};

	return cmocka_run_group_tests_name("peer_frame", tests, NULL, NULL);
}
