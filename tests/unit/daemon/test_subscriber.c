/* subscriber: against a server of our own that streams, ends, refuses, says
 * nothing, and goes away. */
#include "subscriber_fixture.h"

static void test_events_arrive(void **state)
{
	struct fixture *f = *state;

	f->mode = HUB;
	subscribe(f, "", 0);
	assert_int_equal(f->requests, 0); /* never before it returned */
	TURN_UNTIL(&f->loop, f->requests == 1);
	TURN_FOR(&f->loop, 50);
	publish(f, "{\"n\":1}");
	TURN_UNTIL(&f->loop, f->prices == 1);
	assert_string_equal(f->data, "{\"n\":1}");
	assert_true(subscriber_connected(f->subscriber));
	assert_int_equal(f->found, 1);
	assert_string_equal(f->last_event_id, "");
}

/* Killed and started again: found within seconds, resumed where it was. */
static void test_server_comes_back(void **state)
{
	struct fixture *f = *state;
	char seen[SSE_ID_MAX];

	f->mode = HUB;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->requests == 1);
	TURN_FOR(&f->loop, 50);
	publish(f, "{}");
	TURN_UNTIL(&f->loop, f->prices == 1);
	snprintf(seen, sizeof(seen), "%s", f->id);
	assert_true(seen[0] != '\0');
	stop_server(f);
	TURN_UNTIL(&f->loop, f->lost == 1);
	assert_false(subscriber_connected(f->subscriber));
	TURN_FOR(&f->loop, 700); /* some tries against nobody */
	start_server(f);
	TURN_UNTIL(&f->loop, f->requests == 2);
	assert_string_equal(f->last_event_id, seen);
	TURN_UNTIL(&f->loop, f->found == 2);
}

static void test_stream_that_ends(void **state)
{
	struct fixture *f = *state;

	f->mode = ENDS;
	subscribe(f, "z-9", 0);
	TURN_UNTIL(&f->loop, f->requests == 1);
	assert_string_equal(f->last_event_id, "z-9"); /* as the archive said */
	TURN_UNTIL(&f->loop, f->requests == 3);
	assert_string_equal(f->last_event_id, "a-2");
	TURN_UNTIL(&f->loop, f->found == f->lost && f->lost >= 2);
	assert_string_equal(f->data, "two");
}

/* A place that the oracle no longer has is not asked for again. */
static void test_resync_forgets(void **state)
{
	struct fixture *f = *state;

	f->mode = CONTROL;
	subscribe(f, "z-9", 0);
	TURN_UNTIL(&f->loop, f->requests == 2);
	assert_string_equal(f->last_event_id, "");
}

/* The server was started again and has sent a few before we came: all of them
 * arrive, in order, once. */
static void test_another_run_from_its_first(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		sse_publish(f->hub, "price", "", "old", 3, true);
	f->from_first = true;
	subscribe(f, "before-7", 0);
	TURN_UNTIL(&f->loop, f->found == 1);
	assert_int_equal(f->prices, 0);
	sse_publish(f->hub, "price", "", "new", 3, true);
	TURN_UNTIL(&f->loop, f->prices == 4);
	assert_string_equal(f->last_event_id, "boot-0");
	assert_string_equal(f->data, "new");
	assert_string_equal(f->id, "boot-4");
	assert_int_equal(f->requests, 2);
	/* And on from there. */
	sse_publish(f->hub, "price", "", "more", 4, true);
	TURN_UNTIL(&f->loop, f->prices == 5);
	assert_int_equal(f->requests, 2);
}

/* Whoever cannot tell doubles gets what is new. */
static void test_another_run_as_it_goes_on(void **state)
{
	struct fixture *f = *state;

	sse_publish(f->hub, "price", "", "old", 3, true);
	subscribe(f, "before-7", 0);
	TURN_UNTIL(&f->loop, f->found == 1);
	sse_publish(f->hub, "price", "", "new", 3, true);
	TURN_UNTIL(&f->loop, f->prices == 1);
	assert_string_equal(f->id, "boot-2");
	assert_int_equal(f->requests, 1);
}

/* Nothing was missed: its first event is the first that we see. */
static void test_another_run_at_its_first(void **state)
{
	struct fixture *f = *state;

	f->from_first = true;
	subscribe(f, "before-7", 0);
	TURN_UNTIL(&f->loop, f->found == 1);
	sse_publish(f->hub, "price", "", "new", 3, true);
	TURN_UNTIL(&f->loop, f->prices == 1);
	assert_string_equal(f->id, "boot-1");
	assert_int_equal(f->requests, 1);
}

static void test_ids_that_are_no_ids(void **state)
{
	struct fixture *f = *state;

	f->mode = REFUSES;
	subscribe(f, "x\r\nX-Evil: 1", 0);
	TURN_UNTIL(&f->loop, f->requests == 1);
	assert_string_equal(f->last_event_id, "");
}

static void refused(struct fixture *f, enum mode mode)
{
	f->mode = mode;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->requests == 3);
	assert_int_equal(f->events, 0);
	assert_int_equal(f->found + f->lost, 0);
	assert_true(f->failed >= 2); /* each try that has ended */
	assert_non_null(strstr(f->why, "not a stream"));
	assert_false(subscriber_connected(f->subscriber));
	f->mode = HUB; /* and it is well again */
	TURN_UNTIL(&f->loop, f->requests == 4);
	TURN_FOR(&f->loop, 50);
	publish(f, "{}");
	TURN_UNTIL(&f->loop, f->prices == 1);
}

static void test_refused(void **state)
{
	refused(*state, REFUSES);
}

static void test_not_a_stream(void **state)
{
	refused(*state, NO_SSE);
}

static void test_too_long(void **state)
{
	struct fixture *f = *state;

	f->mode = TOO_LONG;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->requests == 2);
	assert_int_equal(f->events, 0);
}

static void test_silence(void **state)
{
	struct fixture *f = *state;

	f->mode = SILENT;
	subscribe(f, "", 200);
	TURN_UNTIL(&f->loop, f->kept != NULL);
	f->mode = HUB;
	/* No answer: dropped, asked again; then a stream without events. */
	TURN_UNTIL(&f->loop, f->requests >= 3);
}

static void test_pause(void **state)
{
	struct fixture *f = *state;
	int paused_at;

	f->mode = HUB;
	subscribe(f, "", 300);
	TURN_UNTIL(&f->loop, f->requests == 1);
	TURN_FOR(&f->loop, 50);
	f->pause_at_price = true;
	for (int i = 0; i < 3; i++) /* what came with it still comes */
		publish(f, "{\"n\":1}");
	TURN_UNTIL(&f->loop, f->prices == 3);
	for (int i = 0; i < 98; i++)
		publish(f, "{\"n\":2}");
	/* Longer than the silence that would end it: we are the silent. */
	TURN_FOR(&f->loop, 900);
	paused_at = f->prices;
	assert_true(paused_at < 101);
	assert_int_equal(f->requests, 1);
	assert_int_equal(f->lost, 0);
	f->pause_at_price = false;
	subscriber_resume(f->subscriber);
	TURN_UNTIL(&f->loop, f->prices == 101);
}

/* ---- stopped in each state; teardown checks that nothing is left ---- */

static void test_stop_before_the_first_try(void **state)
{
	struct fixture *f = *state;

	subscribe(f, "", 0);
	subscriber_stop(f->subscriber);
	f->subscriber = NULL;
	TURN_FOR(&f->loop, 100);
	assert_int_equal(f->requests, 0);
}

static void test_stop_while_opening(void **state)
{
	struct fixture *f = *state;

	f->mode = SILENT;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->kept != NULL);
}

static void test_stop_while_waiting(void **state)
{
	struct fixture *f = *state;

	stop_server(f);
	subscribe(f, "", 0);
	TURN_FOR(&f->loop, 300);
	assert_int_equal(f->requests, 0);
}

static void test_stop_while_paused(void **state)
{
	struct fixture *f = *state;

	f->mode = HUB;
	f->pause_at_price = true;
	subscribe(f, "", 0);
	TURN_UNTIL(&f->loop, f->requests == 1);
	TURN_FOR(&f->loop, 50);
	publish(f, "{}");
	publish(f, "{}");
	TURN_UNTIL(&f->loop, f->prices > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_events_arrive),
	    TEST(test_server_comes_back),
	    TEST(test_stream_that_ends),
	    TEST(test_resync_forgets),
	    TEST(test_another_run_from_its_first),
	    TEST(test_another_run_as_it_goes_on),
	    TEST(test_another_run_at_its_first),
	    TEST(test_ids_that_are_no_ids),
	    TEST(test_refused),
	    TEST(test_not_a_stream),
	    TEST(test_too_long),
	    TEST(test_silence),
	    TEST(test_pause),
	    TEST(test_stop_before_the_first_try),
	    TEST(test_stop_while_opening),
	    TEST(test_stop_while_waiting),
	    TEST(test_stop_while_paused),
	};

	return cmocka_run_group_tests_name("subscriber", tests, NULL, NULL);
}
