/* kept_answers: for whom an answer is good, and for how long. */
#include "base/kept_answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASKED "GET /price/A HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEAD                                        \
	"HTTP/1.1 200 OK\r\nDate: " KEPT_DATE_BLANK \
	"\r\nX-Request-Id: " KEPT_ID_BLANK "\r\nContent-Length: 4\r\n\r\n"
#define UNTIL 1000000

static struct kept_answers kept;
static uint64_t version;

static int setup(void **state)
{
	(void)state;
	version = 7;
	kept_answers_init(&kept);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kept_answers_fini(&kept);
	return 0;
}

static struct kept_answer *put(const char *asked, const char *body)
{
	return kept_answers_put(&kept, asked, strlen(asked),
	    &(struct kept_reply){.head = HEAD,
		.head_len = strlen(HEAD),
		.body = body,
		.body_len = strlen(body),
		.until_ms = UNTIL,
		.version = &version});
}

/* From a buffer of its exact size: the sanitizer sees a byte too far. */
static bool serves(const struct kept_answer *answer, const char *text)
{
	size_t len = strlen(text);
	char *bytes = malloc(len ? len : 1);
	bool yes;

	memcpy(bytes, text, len);
	yes = kept_answer_serves(answer, bytes, len, UNTIL);
	free(bytes);
	return yes;
}

static void test_same_words(void **state)
{
	struct kept_answer *answer = put(ASKED, "body");

	(void)state;
	assert_non_null(answer);
	assert_ptr_equal(
	    kept_answers_place(&kept, ASKED, strlen(ASKED)), answer);
	assert_true(serves(answer, ASKED));
	assert_true(serves(answer, ASKED "GET /another"));
	assert_false(serves(answer, ""));
	assert_false(serves(answer, "GET /price/A HTTP/1.1\r\nHost: x\r\n\r"));
	assert_false(
	    serves(answer, "GET /price/A HTTP/1.1\r\nHost: y\r\n\r\n"));
	assert_false(
	    serves(answer, "get /price/A HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_memory_equal(answer->bytes + answer->len - 8, "\r\n\r\nbody", 8);
}

static void test_nothing_is_kept(void **state)
{
	struct kept_answer *place = kept_answers_place(
	    &kept, ASKED, strlen(ASKED));

	(void)state;
	assert_false(serves(place, ASKED));
	assert_false(serves(place, ""));
}

static void test_good_until(void **state)
{
	struct kept_answer *answer = put(ASKED, "body");

	(void)state;
	assert_true(
	    kept_answer_serves(answer, ASKED, strlen(ASKED), UNTIL - 1));
	assert_true(kept_answer_serves(answer, ASKED, strlen(ASKED), UNTIL));
	assert_false(
	    kept_answer_serves(answer, ASKED, strlen(ASKED), UNTIL + 1));
}

static void test_version(void **state)
{
	struct kept_answer *answer = put(ASKED, "old");

	(void)state;
	version++;
	assert_false(serves(answer, ASKED));
	answer = put(ASKED, "new");
	assert_true(serves(answer, ASKED));
	assert_memory_equal(answer->bytes + answer->len - 3, "new", 3);
	version--;
	assert_false(serves(answer, ASKED));
}

static void test_ceilings(void **state)
{
	char *body = calloc(1, KEPT_ANSWER_MAX + 1);
	char asked[KEPT_ASKED_MAX + 2];

	(void)state;
	memset(body, 'x', KEPT_ANSWER_MAX);
	assert_null(put(ASKED, body));
	body[KEPT_ANSWER_MAX - strlen(HEAD)] = '\0';
	assert_non_null(put(ASKED, body));
	free(body);
	memset(asked, 'x', sizeof(asked));
	asked[KEPT_ASKED_MAX + 1] = '\0';
	assert_null(put(asked, "body"));
	asked[KEPT_ASKED_MAX] = '\0';
	assert_non_null(put(asked, "body"));
}

/* Each can be asked for right after it was kept; the memory is the table's. */
static void test_crowd(void **state)
{
	char asked[128];
	unsigned left = 0;

	(void)state;
	for (unsigned i = 0; i < 20 * KEPT_ANSWERS_MAX; i++) {
		struct kept_answer *answer;

		snprintf(asked, sizeof(asked),
		    "GET /price/A HTTP/1.1\r\nHost: x%u\r\n\r\n", i);
		answer = put(asked, "body");
		assert_in_range(answer - kept.places, 0, KEPT_ANSWERS_MAX - 1);
		assert_true(serves(answer, asked));
	}
	/* They are spread: few places have never been used. */
	for (size_t i = 0; i < KEPT_ANSWERS_MAX; i++)
		left += kept.places[i].asked == NULL;
	assert_in_range(left, 0, 8);
}

static void test_stamp(void **state)
{
	struct kept_answer *answer = put(ASKED, "body");
	char first[KEPT_ID_LEN + 1] = "", second[KEPT_ID_LEN + 1] = "";

	(void)state;
	kept_answer_stamp(&kept, answer, INT64_C(784111777000));
	memcpy(first, answer->bytes + answer->id_at, KEPT_ID_LEN);
	assert_non_null(
	    strstr(answer->bytes, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	kept_answer_stamp(&kept, answer, INT64_C(784111778001));
	memcpy(second, answer->bytes + answer->id_at, KEPT_ID_LEN);
	assert_non_null(
	    strstr(answer->bytes, "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"));
	assert_string_not_equal(first, second);
	assert_int_equal(strspn(first, "0123456789abcdef-"), KEPT_ID_LEN);
	assert_int_equal(first[16], '-');
	assert_memory_equal(first, second, 17);
	assert_non_null(strstr(answer->bytes, "\r\nX-Request-Id: "));
	assert_int_equal(answer->len, strlen(HEAD) + 4);
	/* The clock was set back. */
	kept_answer_stamp(&kept, answer, INT64_C(784111777999));
	assert_non_null(strstr(answer->bytes, "08:49:37 GMT\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_same_words, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_nothing_is_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_good_until, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_version, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ceilings, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_crowd, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stamp, setup, teardown),
	};

	return cmocka_run_group_tests_name("kept_answers", tests, NULL, NULL);
}
