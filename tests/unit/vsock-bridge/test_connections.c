#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/connections.h"

static unsigned aborted, emptied;

static void on_abort(struct connection *connection)
{
	assert_non_null(connection);
	aborted++;
}

static void on_empty(struct connections *all)
{
	assert_true(connections_empty(all));
	emptied++;
}

static struct connections make(unsigned max)
{
	aborted = emptied = 0;
	return (struct connections){.max = max, .on_empty = on_empty};
}

static void test_limit(void **state)
{
	struct connections all = make(2);
	struct connection c[4] = {{.abort = on_abort}, {.abort = on_abort},
	    {.abort = on_abort}, {.abort = on_abort}};

	(void)state;
	assert_true(connections_empty(&all));
	assert_int_equal(connections_enter(&all, &c[0]), CONNECTIONS_SERVED);
	assert_true(connections_enter_served(&all, &c[1]));
	assert_int_equal(connections_enter(&all, &c[2]), CONNECTIONS_REFUSAL);
	assert_false(connections_enter_served(&all, &c[3]));
	connections_leave(&all, &c[0]);
	assert_true(connections_enter_served(&all, &c[3]));
	connections_leave(&all, &c[1]);
	connections_leave(&all, &c[2]);
	assert_int_equal(emptied, 0);
	connections_leave(&all, &c[3]);
	assert_int_equal(emptied, 1);
}

static void test_refusals_have_a_limit(void **state)
{
	static struct connection c[CONNECTIONS_REFUSALS_MAX + 2];
	struct connections all = make(1);

	(void)state;
	for (size_t i = 0; i < CONNECTIONS_REFUSALS_MAX + 2; i++)
		c[i].abort = on_abort;
	assert_int_equal(connections_enter(&all, &c[0]), CONNECTIONS_SERVED);
	for (size_t i = 1; i <= CONNECTIONS_REFUSALS_MAX; i++)
		assert_int_equal(
		    connections_enter(&all, &c[i]), CONNECTIONS_REFUSAL);
	assert_int_equal(
	    connections_enter(&all, &c[CONNECTIONS_REFUSALS_MAX + 1]),
	    CONNECTIONS_NONE);
	/* No room to be refused in: it keeps the place that it has. */
	connections_refuse(&all, &c[0]);
	connections_leave(&all, &c[1]);
	assert_int_equal(connections_enter(&all, &c[1]), CONNECTIONS_REFUSAL);
	connections_abort_all(&all);
	assert_int_equal(aborted, CONNECTIONS_REFUSALS_MAX + 1);
}

static void test_refused_give_up_their_place(void **state)
{
	struct connections all = make(1);
	struct connection a = {.abort = on_abort}, b = {.abort = on_abort};

	(void)state;
	assert_int_equal(connections_enter(&all, &a), CONNECTIONS_SERVED);
	connections_refuse(&all, &a);
	connections_refuse(&all, &a);
	assert_int_equal(connections_enter(&all, &b), CONNECTIONS_SERVED);
	connections_leave(&all, &a);
	connections_leave(&all, &b);
	assert_int_equal(emptied, 1);
	assert_int_equal(connections_enter(&all, &a), CONNECTIONS_SERVED);
}

static void test_limit_of_one_peer(void **state)
{
	static struct connections all; /* large */
	struct connection c[4] = {{.abort = on_abort}, {.abort = on_abort},
	    {.abort = on_abort}, {.abort = on_abort}};

	(void)state;
	all = make(10);
	all.peers.max = 2;
	for (int i = 0; i < 4; i++)
		c[i].peer = (struct peer_key){PEER_IPV4, 7};
	assert_int_equal(connections_enter(&all, &c[0]), CONNECTIONS_SERVED);
	assert_false(c[0].peer_is_full);
	assert_true(connections_enter_served(&all, &c[1]));
	assert_int_equal(connections_enter(&all, &c[2]), CONNECTIONS_REFUSAL);
	assert_true(c[2].peer_is_full);
	assert_false(connections_enter_served(&all, &c[3]));
	assert_true(c[3].peer_is_full);
	assert_int_equal(all.served, 2);
	/* Others are served. */
	c[3].peer.value = 8;
	assert_true(connections_enter_served(&all, &c[3]));
	connections_leave(&all, &c[3]);
	/* One that is refused something else gives up its place. */
	c[3].peer.value = 7;
	connections_refuse(&all, &c[0]);
	assert_true(connections_enter_served(&all, &c[3]));
	for (int i = 0; i < 4; i++)
		connections_leave(&all, &c[i]);
	assert_int_equal(emptied, 1);
}

/* The limit of all comes first, and takes none of the peer's. */
static void test_both_limits(void **state)
{
	static struct connections all;
	struct connection a = {.abort = on_abort}, b = {.abort = on_abort};

	(void)state;
	all = make(1);
	all.peers.max = 1;
	a.peer = b.peer = (struct peer_key){PEER_VSOCK, 16};
	assert_true(connections_enter_served(&all, &a));
	assert_false(connections_enter_served(&all, &b));
	assert_false(b.peer_is_full);
	connections_leave(&all, &a);
	assert_true(connections_enter_served(&all, &b));
	connections_leave(&all, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_refusals_have_a_limit),
	    cmocka_unit_test(test_refused_give_up_their_place),
	    cmocka_unit_test(test_limit_of_one_peer),
	    cmocka_unit_test(test_both_limits),
	};

	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
