/* peers: each has its own count, for as long as it has connections. */
#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/peers.h"

static struct peers peers; /* large */

static void fresh(unsigned max)
{
	memset(&peers, 0, sizeof(peers));
	peers.max = max;
}

static bool empty(void)
{
	for (size_t i = 0; i < PEERS_BUCKETS; i++)
		if (peers.buckets[i] != NULL)
			return false;
	return true;
}

static void test_counts_each(void **state)
{
	struct peer_key a = {PEER_IPV4, 1}, b = {PEER_IPV4, 2};
	struct peers_entry *first, *second, *other, *none;

	(void)state;
	fresh(2);
	assert_true(peers_enter(&peers, &a, &first));
	assert_true(peers_enter(&peers, &a, &second));
	assert_false(peers_enter(&peers, &a, &none));
	assert_null(none);
	assert_true(peers_enter(&peers, &b, &other));
	peers_leave(&peers, first);
	assert_true(peers_enter(&peers, &a, &first));
	peers_leave(&peers, first);
	peers_leave(&peers, second);
	peers_leave(&peers, other);
	assert_true(empty());
}

/* The same number of another kind is another peer. */
static void test_kinds_are_apart(void **state)
{
	struct peers_entry *entries[PEER_VSOCK + 1], *none;

	(void)state;
	fresh(1);
	for (int kind = PEER_IPV4; kind <= PEER_VSOCK; kind++) {
		struct peer_key key = {(enum peer_kind)kind, 16};

		assert_true(peers_enter(&peers, &key, &entries[kind]));
		assert_false(peers_enter(&peers, &key, &none));
	}
	for (int kind = PEER_IPV4; kind <= PEER_VSOCK; kind++)
		peers_leave(&peers, entries[kind]);
	assert_true(empty());
}

static void test_nothing_to_count(void **state)
{
	struct peer_key unknown = {PEER_UNKNOWN, 0}, a = {PEER_UNIX, 0};
	struct peers_entry *entry;

	(void)state;
	fresh(1);
	for (int i = 0; i < 3; i++) {
		assert_true(peers_enter(&peers, &unknown, &entry));
		assert_null(entry);
	}
	fresh(0);
	for (int i = 0; i < 3; i++) {
		assert_true(peers_enter(&peers, &a, &entry));
		assert_null(entry);
	}
	peers_leave(&peers, NULL);
	assert_true(empty());
}

/* More than there are buckets, taken out in another order than put in. */
static void test_many(void **state)
{
	static struct peers_entry *entries[4 * PEERS_BUCKETS];
	size_t count = sizeof(entries) / sizeof(entries[0]);
	struct peers_entry *none;

	(void)state;
	fresh(1);
	peers.seed = UINT64_C(0x1234567890abcdef);
	for (size_t i = 0; i < count; i++) {
		struct peer_key key = {PEER_IPV6, i << 16};

		assert_true(peers_enter(&peers, &key, &entries[i]));
	}
	for (size_t i = 0; i < count; i++) {
		struct peer_key key = {PEER_IPV6, i << 16};

		assert_false(peers_enter(&peers, &key, &none));
	}
	for (size_t i = 0; i < count; i++)
		peers_leave(&peers, entries[i * 2654435761u % count]);
	assert_true(empty());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_counts_each),
	    cmocka_unit_test(test_kinds_are_apart),
	    cmocka_unit_test(test_nothing_to_count),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("peers", tests, NULL, NULL);
}
