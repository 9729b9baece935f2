/*
 * fetch: what callers cannot do, however many they are: ask a host more often
 * than its budget says or than it likes, twice for the same, or hold memory;
 * and what happens to them when they leave, and at the end.
 */
#include "tests/unit/oracle/fetch_fixture.h"

/* ---- single flight ---- */

static void test_same_request_shares_an_answer(void **state)
{
	(void)state;
	start_fetch();
	atomic_store(&peer_holds, true);
	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(ask(i, "/a/held"), FETCH_STARTED);
	run_until_requests(1);
	assert_int_equal(stats().asked, 1);
	assert_int_equal(stats().shared, WAITERS - 1);
	atomic_store(&peer_holds, false);
	for (size_t i = 0; i < WAITERS; i++)
		run_until_fired(i);
	assert_int_equal(atomic_load(&fetch_peer.requests), 1);
	for (size_t i = 0; i < WAITERS; i++)
		assert_ptr_equal(callers[i].text, callers[0].text);
	assert_int_equal(stats().held_bytes, callers[0].text->len);
	for (size_t i = 0; i < WAITERS; i++)
		let_go(i);
	assert_int_equal(stats().held_bytes, 0);
}

/* Who fails, fails for all. */
static void test_same_request_shares_a_failure(void **state)
{
	(void)state;
	start_fetch();
	peer_answer = "none of it is HTTP\r\n\r\n";
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ask(i, "/a"), FETCH_STARTED);
	for (size_t i = 0; i < 3; i++) {
		run_until_fired(i);
		assert_int_equal(callers[i].error, QUOTE_BAD_HTTP);
	}
	assert_int_equal(stats().failed, 1);
	assert_int_equal(atomic_load(&fetch_peer.requests), 1);
}

/* ---- the budget ---- */

static void test_budget(void **state)
{
	int64_t retry_ms;

	(void)state;
	config.fetch.per_minute = 2;
	start_fetch();
	assert_int_equal(ask(0, "/a/1"), FETCH_STARTED);
	for (int i = 0; i < 1000; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/a/%d", i + 2);
		assert_int_equal(
		    ask_at(1, HOST, PORT, path, &retry_ms), FETCH_NO_BUDGET);
		assert_in_range(retry_ms, 1, 30000);
	}
	run_until_fired(0);
	/* Also the same again, once it is answered. */
	assert_int_equal(ask(1, "/a/1"), FETCH_NO_BUDGET);
	assert_int_equal(stats().refused, 1001);
	assert_int_equal(stats().asked, 1);
	assert_int_equal(atomic_load(&fetch_peer.requests), 1);
}

static void test_budget_comes_back(void **state)
{
	int64_t start_ms = now_monotonic_ms();

	(void)state;
	start_fetch(); /* each 100 ms */
	for (size_t i = 0; i < 4; i++) {
		ask_well(i, "/a");
		run_until_fired(i);
		assert_non_null(callers[i].text);
	}
	assert_true(now_monotonic_ms() - start_ms >= 300);
	assert_int_equal(atomic_load(&fetch_peer.requests), 4);
	assert_int_equal(atomic_load(&fetch_peer.connections), 1); /* kept */
}

/* A host has one budget, whatever its ports and prefixes. */
static void test_budget_is_the_hosts(void **state)
{
	int64_t retry_ms;

	(void)state;
	config.fetch.per_minute = 1;
	allow(PORT, "/b");
	allow(8443, "/a");
	start_fetch();
	assert_int_equal(ask(0, "/a"), FETCH_STARTED);
	assert_int_equal(ask(1, "/b"), FETCH_NO_BUDGET);
	assert_int_equal(
	    ask_at(1, HOST, 8443, "/a", &retry_ms), FETCH_NO_BUDGET);
	run_until_fired(0);
}

static void test_retry_after_is_kept_to(void **state)
{
	int64_t retry_ms;

	(void)state;
	start_fetch();
	peer_answer = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\n"
		      "Content-Length: 0\r\n\r\n";
	assert_int_equal(ask(0, "/a"), FETCH_STARTED);
	run_until_fired(0);
	assert_non_null(callers[0].text); /* it is an answer */
	assert_int_equal(
	    ask_at(1, HOST, PORT, "/a", &retry_ms), FETCH_NO_BUDGET);
	assert_in_range(retry_ms, 110000, 140000);
}

/* An exchange that bans us: for everybody here, and for longer each time. */
static void test_ban(void **state)
{
	int64_t retry_ms;

	(void)state;
	start_fetch();
	peer_answer = "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n";
	assert_int_equal(ask(0, "/a"), FETCH_STARTED);
	run_until_fired(0);
	assert_int_equal(
	    ask_at(1, HOST, PORT, "/a", &retry_ms), FETCH_NO_BUDGET);
	assert_true(retry_ms > 60000);
}

/* ---- beside the poller ---- */

static void test_pause_of_the_poller(void **state)
{
	int64_t retry_ms;

	(void)state;
	fetch_with.poller = (const struct poller *)&fetch_with; /* not used */
	start_fetch();
	poller_paused_ms = 5000;
	assert_int_equal(
	    ask_at(0, HOST, PORT, "/a", &retry_ms), FETCH_NO_BUDGET);
	assert_int_equal(retry_ms, 5000);
	poller_paused_ms = 0;
	assert_int_equal(ask(0, "/a"), FETCH_STARTED);
	run_until_fired(0);
	assert_non_null(callers[0].text);
}

static void test_uncertain_clock(void **state)
{
	(void)state;
	fetch_with.poller = (const struct poller *)&fetch_with; /* not used */
	start_fetch();
	poller_offset_ms = 2001;
	assert_int_equal(ask(0, "/a"), FETCH_CLOCK_UNCERTAIN);
	poller_offset_ms = -2001;
	assert_int_equal(ask(0, "/a"), FETCH_CLOCK_UNCERTAIN);
	poller_offset_ms = -2000;
	assert_int_equal(ask(0, "/a"), FETCH_STARTED);
	run_until_fired(0);
}

/* ---- lanes and memory ---- */

static void test_lanes(void **state)
{
	(void)state;
	start_fetch();
	atomic_store(&peer_holds, true);
	ask_well(0, "/a/held1");
	run_until_requests(1);
	ask_well(1, "/a/held2");
	run_until_requests(2);
	while (ask(2, "/a/held3") == FETCH_NO_BUDGET)
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
	assert_int_equal(ask(2, "/a/held3"), FETCH_BUSY);
	assert_int_equal(ask(2, "/a/held2"), FETCH_STARTED); /* joins */
	atomic_store(&peer_holds, false);
	for (size_t i = 0; i < 3; i++)
		run_until_fired(i);
	ask_well(3, "/a/held3");
	run_until_fired(3);
}

static void test_slow_clients(void **state)
{
	(void)state;
	fetch_with.held_max = 1;
	start_fetch();
	ask_well(0, "/a");
	run_until_fired(0);
	assert_true(stats().held_bytes > 1);
	while (ask(1, "/a") == FETCH_NO_BUDGET)
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
	assert_int_equal(ask(1, "/a"), FETCH_BUSY);
	let_go(0);
	assert_int_equal(ask(1, "/a"), FETCH_STARTED);
	run_until_fired(1);
}

/* ---- leaving ---- */

static void test_forget(void **state)
{
	(void)state;
	start_fetch();
	atomic_store(&peer_holds, true);
	ask_well(0, "/a/held");
	assert_int_equal(ask(1, "/a/held"), FETCH_STARTED);
	run_until_requests(1);
	fetch_forget(&callers[0].waiter);
	atomic_store(&peer_holds, false);
	run_until_fired(1);
	assert_int_equal(callers[0].fired, 0);
}

/* All have left: the answer is nobody's. */
static void test_forgotten_by_all(void **state)
{
	(void)state;
	start_fetch();
	atomic_store(&peer_holds, true);
	ask_well(0, "/a/held");
	run_until_requests(1);
	fetch_forget(&callers[0].waiter);
	atomic_store(&peer_holds, false);
	ask_well(1, "/a/held"); /* the same, or another: it is answered */
	run_until_fired(1);
	assert_non_null(callers[1].text);
	assert_int_equal(callers[0].fired, 0);
	let_go(1);
	assert_int_equal(stats().held_bytes, 0);
}

/* fetch_down() sees that nothing is left in the loop. */
static void test_stop_while_asking(void **state)
{
	(void)state;
	start_fetch();
	atomic_store(&peer_holds, true);
	ask_well(0, "/a/held");
	run_until_requests(1);
	fetch_stop(fetch);
	assert_int_equal(ask(1, "/a/held"), FETCH_BUSY);
	fetch_forget(&callers[0].waiter);
	for (int i = 0; i < 100; i++)
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
	assert_int_equal(callers[0].fired, 0);
}

static void test_stop_at_once(void **state)
{
	(void)state;
	start_fetch();
	ask_well(0, "/a");
	fetch_stop(fetch);
	fetch_forget(&callers[0].waiter);
}

/* Between the answer and its signature, which the thread pool makes. */
static void test_stop_while_signing(void **state)
{
	(void)state;
	start_fetch();
	ask_well(0, "/a");
	run_until_requests(1);
	while (callers[0].fired == 0 && fixture_loop.active_reqs.count == 0)
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
	fetch_stop(fetch);
	run_until_fired(0);
	assert_non_null(callers[0].text);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fetch_up, fetch_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_same_request_shares_an_answer),
	    TEST(test_same_request_shares_a_failure),
	    TEST(test_budget),
	    TEST(test_budget_comes_back),
	    TEST(test_budget_is_the_hosts),
	    TEST(test_retry_after_is_kept_to),
	    TEST(test_ban),
	    TEST(test_pause_of_the_poller),
	    TEST(test_uncertain_clock),
	    TEST(test_lanes),
	    TEST(test_slow_clients),
	    TEST(test_forget),
	    TEST(test_forgotten_by_all),
	    TEST(test_stop_while_asking),
	    TEST(test_stop_at_once),
	    TEST(test_stop_while_signing),
	};

	return cmocka_run_group_tests_name(
	    "fetch_budget", tests, fetch_group_up, fetch_group_down);
}
