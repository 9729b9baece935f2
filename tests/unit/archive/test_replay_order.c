/* replay_order: what is said of a line whose items come in any order, twice,
 * not at all, or with another past. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verifier/archive/replay_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS 1800000000000

static struct replay_order *order;
static struct replay_step step;
static char words[4096]; /* each finding: its kind and number */

static int setup(void **state)
{
	(void)state;
	order = replay_order_new();
	words[0] = '\0';
	return order ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	replay_order_free(order);
	return 0;
}

static void note(enum replay_kind kind, uint64_t sequence)
{
	size_t at = strlen(words);

	snprintf(words + at, sizeof(words) - at, "%s%s %llu", at ? ", " : "",
	    replay_kind_name(kind), (unsigned long long)sequence);
}

/* Whatever was found since the last call. */
static void assert_found(const char *wanted)
{
	assert_string_equal(words, wanted);
	words[0] = '\0';
}

/* The hash of an item's content, on this branch of history. */
static void hash_of(uint8_t out[32], uint64_t sequence, uint8_t branch)
{
	memset(out, 0, 32);
	memcpy(out, &sequence, sizeof(sequence));
	out[30] = branch;
	out[31] = 1;
}

struct wish {
	uint64_t sequence;
	uint8_t branch, before; /* the predecessor's branch */
	int64_t ms;             /* 0: a second each */
	bool late;
	uint8_t boot;
	const char *feed;
};

static void add(const struct wish *w)
{
	uint8_t boot_id[16], content[32], previous[32] = {0};
	const struct replay_seen seen = {
	    .feed = w->feed ? w->feed : "BTC-USD",
	    .boot_id = boot_id,
	    .sequence = w->sequence,
	    .published_ms = w->ms ? w->ms
				  : START_MS + 1000 * (int64_t)w->sequence,
	    .previous_sha256 = previous,
	    .content_sha256 = content,
	    .late = w->late,
	};

	memset(boot_id, w->boot, sizeof(boot_id));
	hash_of(content, w->sequence, w->branch);
	if (w->sequence > 0)
		hash_of(previous, w->sequence - 1, w->before);
	assert_int_equal(replay_order_add(order, &seen, &step), 0);
	for (size_t i = 0; i < step.count; i++)
		note(step.told[i].kind, step.told[i].sequence);
}

static void add_from_to(uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++)
		add(&(struct wish){.sequence = i, .late = true});
}

static char lines[4096];

static void on_told(
    const struct replay_told *told, const struct replay_line *line, void *data)
{
	(void)data;
	(void)line;
	note(told->kind, told->sequence);
}

static void on_line(const struct replay_line *line, void *data)
{
	size_t at = strlen(lines);

	(void)data;
	snprintf(lines + at, sizeof(lines) - at, "%s %.2s %llu-%llu -%llu; ",
	    line->feed, line->boot_id, (unsigned long long)line->first,
	    (unsigned long long)line->last, (unsigned long long)line->missing);
}

static void assert_end(const char *found, const char *wanted_lines)
{
	lines[0] = '\0';
	assert_int_equal(replay_order_end(order, on_told, on_line, NULL), 0);
	assert_found(found);
	assert_string_equal(lines, wanted_lines);
}

static void whole(void **state)
{
	(void)state;
	add_from_to(0, 5000);
	assert_end("", "BTC-USD 00 0-5000 -0; ");
}

static void gaps(void **state)
{
	(void)state;
	add_from_to(3, 5);
	add_from_to(7, 7);
	add_from_to(10, 12);
	assert_end("sequence_gap 6, sequence_gap 8", "BTC-USD 00 3-12 -3; ");
}

/* Every order of six items is the same line. */
static void any_order(void **state)
{
	uint64_t items[6] = {0, 1, 2, 3, 4, 5};
	int counters[6] = {0};

	(void)state;
	for (int i = 0; i < 6;) {
		if (counters[i] < i) {
			int j = i % 2 ? counters[i] : 0;
			uint64_t swap = items[i];

			items[i] = items[j];
			items[j] = swap;
			teardown(NULL);
			setup(NULL);
			for (int k = 0; k < 6; k++)
				add(&(struct wish){
				    .sequence = items[k], .late = true});
			assert_end("", "BTC-USD 00 0-5 -0; ");
			counters[i]++;
			i = 0;
		} else {
			counters[i++] = 0;
		}
	}
}

static void out_of_order(void **state)
{
	(void)state;
	add(&(struct wish){.sequence = 0});
	add(&(struct wish){.sequence = 2});
	add(&(struct wish){.sequence = 1});
	assert_found("out_of_order 1");
	add(&(struct wish){.sequence = 3});
	/* another file begins where it likes */
	replay_order_next_file(order);
	add(&(struct wish){.sequence = 3});
	assert_true(step.twice);
	assert_end("", "BTC-USD 00 0-3 -0; ");
}

static void another_predecessor(void **state)
{
	(void)state;
	add(&(struct wish){.sequence = 0});
	add(&(struct wish){.sequence = 1, .before = 9});
	assert_found("sequence_fork 1");
	/* the same where two pieces meet */
	add(&(struct wish){.sequence = 4, .before = 9});
	add(&(struct wish){.sequence = 2, .late = true});
	add(&(struct wish){.sequence = 3, .late = true});
	assert_found("sequence_fork 4");
	assert_end("", "BTC-USD 00 0-4 -0; ");
}

static void first_with_a_predecessor(void **state)
{
	uint8_t boot_id[16] = {0}, hash[32] = {7};
	const struct replay_seen seen = {.feed = "BTC-USD",
	    .boot_id = boot_id,
	    .previous_sha256 = hash,
	    .content_sha256 = hash};

	(void)state;
	assert_int_equal(replay_order_add(order, &seen, &step), 0);
	assert_int_equal(step.count, 1);
	assert_int_equal(step.told[0].kind, REPLAY_FORK);
}

static void back_in_time(void **state)
{
	(void)state;
	add(&(struct wish){.sequence = 0, .ms = START_MS});
	add(&(struct wish){.sequence = 1, .ms = START_MS});
	add(&(struct wish){.sequence = 2, .ms = START_MS - 1});
	assert_found("time_regression 2");
	/* across a joint */
	add(&(struct wish){.sequence = 4, .ms = START_MS});
	add(&(struct wish){.sequence = 3, .ms = START_MS + 1, .late = true});
	assert_found("time_regression 4");
}

/* ---- twice ---- */

static void twice_and_the_same(void **state)
{
	(void)state;
	add_from_to(0, 3000);
	replay_order_next_file(order);
	add_from_to(0, 3000);
	assert_true(step.twice);
	assert_end("", "BTC-USD 00 0-3000 -0; ");
}

/* One other item in a second file is found, wherever it is: by its hash, or
 * because the next names the first one. */
static void fork_anywhere(void **state)
{
	static const uint64_t places[] = {0, 1, 500, 1023, 1024, 1025, 2999};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		teardown(NULL);
		setup(NULL);
		add_from_to(0, 3000);
		replay_order_next_file(order);
		for (uint64_t n = 0; n <= 3000; n++)
			add(&(struct wish){.sequence = n,
			    .branch = n == places[i],
			    .late = true});
		assert_non_null(strstr(words, "sequence_fork"));
	}
}

/* A whole other history meets the first at the next known number. */
static void fork_that_goes_on(void **state)
{
	(void)state;
	add_from_to(0, 3000);
	replay_order_next_file(order);
	for (uint64_t n = 100; n <= 1023; n++)
		add(&(struct wish){
		    .sequence = n, .branch = 1, .before = n > 100});
	assert_found("");
	add(&(struct wish){.sequence = 1024, .branch = 1, .before = 1});
	assert_found("sequence_fork 1024");
}

static void twice_unproved(void **state)
{
	(void)state;
	add_from_to(0, 3000);
	replay_order_next_file(order);
	add_from_to(500, 510);
	add_from_to(2990, 2999);
	assert_found("twice 500");
	add_from_to(1500, 1500);
	assert_end("twice 1500", "BTC-USD 00 0-3000 -0; ");
}

/* ---- lines ---- */

static void many_lines(void **state)
{
	char feed[32];

	(void)state;
	for (uint64_t n = 0; n < 3; n++)
		for (int i = 0; i < 200; i++) {
			snprintf(feed, sizeof(feed), "F%03d-USD", i);
			add(&(struct wish){.sequence = n, .feed = feed});
		}
	lines[0] = '\0';
	add(&(struct wish){.sequence = 0, .boot = 2, .ms = START_MS - 5});
	add(&(struct wish){.sequence = 7, .boot = 3, .ms = START_MS - 9});
	assert_int_equal(replay_order_end(order, on_told, on_line, NULL), 0);
	assert_found("");
	assert_memory_equal(lines,
	    "BTC-USD 03 7-7 -0; BTC-USD 02 0-0 -0; F000-USD 00 0-2 -0; ", 56);
}

static bool lacks(uint8_t boot, uint64_t sequence, const uint8_t *sha256)
{
	uint8_t boot_id[16];
	struct replay_told told;

	memset(boot_id, boot, sizeof(boot_id));
	return replay_order_lacks(
	    order, "BTC-USD", boot_id, sequence, "somebody", sha256, &told);
}

static void ends(void **state)
{
	uint8_t right[32], wrong[32];

	(void)state;
	add_from_to(0, 9);
	hash_of(right, 9, 0);
	hash_of(wrong, 9, 1);
	assert_false(lacks(0, 9, NULL));
	assert_false(lacks(0, 9, right));
	assert_true(lacks(0, 9, wrong));
	assert_true(lacks(0, 10, NULL));
	assert_true(lacks(1, 0, NULL));
	assert_false(lacks(0, 5, wrong)); /* not its last: nothing is known */
}

/* ---- the past of a price ---- */

static void add_with_past(uint64_t sequence, const struct aggregate_past *after)
{
	uint8_t boot_id[16] = {0}, content[32], previous[32] = {0};
	const struct replay_seen seen = {.feed = "BTC-USD",
	    .boot_id = boot_id,
	    .sequence = sequence,
	    .published_ms = START_MS,
	    .previous_sha256 = previous,
	    .content_sha256 = content,
	    .late = true,
	    .after = after};

	hash_of(content, sequence, 0);
	if (sequence > 0)
		hash_of(previous, sequence - 1, 0);
	assert_int_equal(replay_order_add(order, &seen, &step), 0);
}

static void past_of_a_price(void **state)
{
	const struct aggregate_past priced = {.has_price = true,
	    .price = {8400000, -2},
	    .published_ms = START_MS};
	const struct aggregate_past jumped = {
	    .has_candidate = true, .candidate = {9900000, -2}};
	const struct aggregate_past nothing = {0};

	(void)state;
	add_with_past(0, &jumped);
	assert_true(step.past_known); /* the first has an empty one */
	assert_false(step.past.has_price);
	add_with_past(1, &priced);
	assert_true(step.past_known);
	assert_true(step.past.has_candidate);
	add_with_past(2, &jumped);
	assert_true(step.past.has_price);
	assert_false(step.past.has_candidate);
	add_with_past(3, &nothing);
	assert_true(step.past.has_price);
	assert_int_equal(step.past.candidate.mantissa, 9900000);
	add_with_past(4, NULL);
	assert_false(step.past.has_candidate);
	/* behind one that could not be priced, and behind a gap */
	add_with_past(5, &jumped);
	assert_false(step.past_known);
	add_with_past(9, &nothing);
	assert_false(step.past_known);
	add_with_past(10, &priced);
	assert_false(step.past_known);
	add_with_past(11, &priced);
	assert_true(step.past_known);
	/* what closes the gap leaves the end as it is */
	add_with_past(6, &priced);
	add_with_past(7, &priced);
	add_with_past(8, &priced);
	add_with_past(12, &priced);
	assert_true(step.past_known);
	assert_int_equal(step.past.price.mantissa, 8400000);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(whole),
	    TEST(gaps),
	    TEST(any_order),
	    TEST(out_of_order),
	    TEST(another_predecessor),
	    TEST(first_with_a_predecessor),
	    TEST(back_in_time),
	    TEST(twice_and_the_same),
	    TEST(fork_anywhere),
	    TEST(fork_that_goes_on),
	    TEST(twice_unproved),
	    TEST(many_lines),
	    TEST(ends),
	    TEST(past_of_a_price),
	};

	return cmocka_run_group_tests_name("replay_order", tests, NULL, NULL);
}
