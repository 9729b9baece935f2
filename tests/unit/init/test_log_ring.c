/* log_ring: lines come out as they went in, whole, and what is lost is
 * counted. */
#include "oracle/init/log_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct log_ring ring;

static int setup(void **state)
{
	(void)state;
	log_ring_init(&ring);
	return 0;
}

static void put(const char *text)
{
	log_ring_put(&ring, text, strlen(text));
}

/* Takes `len` bytes, in as many pieces as they lie in. */
static void take(const char *wanted)
{
	const char *at;
	size_t len = strlen(wanted);

	while (len > 0) {
		size_t piece = log_ring_peek(&ring, &at);

		assert_true(piece > 0);
		if (piece > len)
			piece = len;
		assert_memory_equal(at, wanted, piece);
		log_ring_take(&ring, piece);
		wanted += piece;
		len -= piece;
	}
}

static void is_empty(void)
{
	const char *at;

	assert_int_equal(log_ring_peek(&ring, &at), 0);
	assert_int_equal(ring.used, 0);
}

static void lines_in_lines_out(void **state)
{
	(void)state;
	is_empty();
	put("one");
	put("");
	put("three");
	take("one\n\nthree\n");
	is_empty();
}

static void a_part_is_sent_again(void **state)
{
	(void)state;
	put("one");
	put("two");
	take("one\nt");
	log_ring_rewind(&ring);
	take("two\n");
	is_empty();
	log_ring_rewind(&ring);
	is_empty();
}

static void what_does_not_fit_is_counted(void **state)
{
	static char text[LOG_RING_BYTES];

	(void)state;
	memset(text, 'x', sizeof(text));
	log_ring_put(&ring, text, LOG_RING_BYTES); /* never */
	assert_int_equal(log_ring_lost(&ring), 1);
	assert_int_equal(log_ring_lost(&ring), 0);
	log_ring_put(&ring, text, LOG_RING_BYTES - 2);
	put("");
	put("");
	put("lost");
	assert_int_equal(ring.used, LOG_RING_BYTES);
	/* The line that tells would be lost as well. */
	assert_int_equal(log_ring_lost(&ring), 0);
	log_ring_take(&ring, LOG_RING_BYTES - 1);
	assert_int_equal(log_ring_lost(&ring), 2);
	take("\n");
	is_empty();
}

/* Anything, in any pieces, around the end and around again. */
static void like_a_queue(void **state)
{
	static char wanted[4 * LOG_RING_BYTES];
	size_t in = 0, out = 0;
	unsigned random = 1;

	(void)state;
	while (in < sizeof(wanted) - 5000) {
		char line[64];
		size_t len, piece;
		const char *at;

		random = random * 1103515245 + 12345;
		len = (random >> 16) % sizeof(line);
		memset(line, 'a' + (int)(random >> 8) % 26, sizeof(line));
		if (in - out + len + 1 < LOG_RING_BYTES / 2) {
			log_ring_put(&ring, line, len);
			memcpy(wanted + in, line, len);
			wanted[in + len] = '\n';
			in += len + 1;
			continue;
		}
		piece = log_ring_peek(&ring, &at);
		if (piece > (random >> 4) % 5000 + 1)
			piece = (random >> 4) % 5000 + 1;
		assert_memory_equal(at, wanted + out, piece);
		log_ring_take(&ring, piece);
		out += piece;
		if (random % 7 == 0) {
			out -= ring.taken;
			log_ring_rewind(&ring);
		}
	}
	wanted[in] = '\0';
	take(wanted + out);
	is_empty();
	assert_int_equal(log_ring_lost(&ring), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_in_lines_out),
	    TEST(a_part_is_sent_again),
	    TEST(what_does_not_fit_is_counted),
	    TEST(like_a_queue),
	};

	return cmocka_run_group_tests_name("log_ring", tests, NULL, NULL);
}
