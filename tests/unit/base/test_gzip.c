/* gzip: what zlib gets back is what was put in, again and again. */
#include "base/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void comes_back(struct gzip *gzip, const void *bytes, size_t len)
{
	z_stream stream = {.next_in = NULL};
	uint8_t *back = malloc(len + 1), *packed;
	size_t packed_len;

	packed = gzip_pack(gzip, bytes, len, &packed_len);
	assert_memory_equal(packed, "\x1f\x8b", 2);
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	stream.next_in = packed;
	stream.avail_in = (unsigned)packed_len;
	stream.next_out = back;
	stream.avail_out = (unsigned)len + 1;
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, len);
	assert_int_equal(stream.avail_in, 0);
	assert_memory_equal(back, bytes, len);
	inflateEnd(&stream);
	free(packed);
	free(back);
}

static void all_comes_back(void **state)
{
	struct gzip *gzip = gzip_new();
	uint8_t *noise = malloc(1 << 20);
	char text[20000];

	(void)state;
	comes_back(gzip, "", 0);
	comes_back(gzip, "{}", 2);
	memset(text, 'a', sizeof(text));
	comes_back(gzip, text, sizeof(text));
	srandom(7);
	for (size_t i = 0; i < 1 << 20; i++)
		noise[i] = (uint8_t)random();
	comes_back(gzip, noise, 1 << 20); /* larger than what went in */
	comes_back(gzip, text, sizeof(text));
	free(noise);
	gzip_free(gzip);
	gzip_free(NULL);
}

static void repetition_is_small(void **state)
{
	struct gzip *gzip = gzip_new();
	char text[20000];
	size_t len;

	(void)state;
	memset(text, 'a', sizeof(text));
	free(gzip_pack(gzip, text, sizeof(text), &len));
	assert_true(len < 200);
	gzip_free(gzip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_comes_back),
	    cmocka_unit_test(repetition_is_small),
	};

	return cmocka_run_group_tests_name("gzip", tests, NULL, NULL);
}
