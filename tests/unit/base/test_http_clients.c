/* http_clients: ceilings of one and of all, and that nothing is left. */
#include "base/http_clients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static struct http_clients clients;

static struct http_client *enter(const char *host, int port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};

	in.sin_port = in6.sin6_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &in.sin_addr) == 1)
		return http_clients_enter(
		    &clients, (struct sockaddr *)&in, sizeof(in));
	assert_int_equal(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
	return http_clients_enter(
	    &clients, (struct sockaddr *)&in6, sizeof(in6));
}

static void nothing_is_left(void)
{
	assert_int_equal(clients.total, 0);
	for (size_t i = 0; i < HTTP_CLIENTS_BUCKETS; i++)
		assert_true(LIST_EMPTY(&clients.buckets[i]));
}

static void test_one_client(void **state)
{
	struct http_client *a, *b, *c;

	(void)state;
	http_clients_init(&clients, 100, 2);
	a = enter("192.0.2.1", 1);
	b = enter("192.0.2.1", 2);
	assert_non_null(a);
	assert_ptr_equal(a, b);
	assert_null(enter("192.0.2.1", 3));
	c = enter("192.0.2.2", 1);
	assert_non_null(c);
	http_clients_leave(&clients, a);
	assert_non_null(a = enter("192.0.2.1", 4));
	http_clients_leave(&clients, a);
	http_clients_leave(&clients, b);
	http_clients_leave(&clients, c);
	nothing_is_left();
}

static void test_families_are_apart(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct http_client *v4, *v6, *local[5];

	(void)state;
	http_clients_init(&clients, 100, 1);
	v4 = enter("32.1.13.184", 1);
	v6 = enter("2001:db8::", 1); /* begins with the same bytes */
	assert_non_null(v4);
	assert_non_null(v6);
	assert_ptr_not_equal(v4, v6);
	assert_null(enter("2001:db8::", 2));
	/* Nobody tells these apart: they have no limit but that of all. */
	for (int i = 0; i < 5; i++) {
		local[i] = http_clients_enter(
		    &clients, (struct sockaddr *)&un, sizeof(un));
		assert_non_null(local[i]);
	}
	for (int i = 0; i < 5; i++)
		http_clients_leave(&clients, local[i]);
	http_clients_leave(&clients, v4);
	http_clients_leave(&clients, v6);
	nothing_is_left();
}

static void test_all_together(void **state)
{
	struct http_client *some[10], *more;
	struct sockaddr_in in = {.sin_family = AF_INET};
	char host[32];

	(void)state;
	http_clients_init(&clients, 10, 0);
	for (int i = 0; i < 10; i++) {
		snprintf(host, sizeof(host), "10.0.0.%d", i / 2);
		some[i] = enter(host, i);
		assert_non_null(some[i]);
	}
	assert_null(enter("10.0.0.9", 1));
	assert_int_equal(clients.total, 10);
	/* One that is in already is counted, whatever the ceilings. */
	more = http_clients_count(&clients, (struct sockaddr *)&in, sizeof(in));
	assert_int_equal(clients.total, 11);
	http_clients_leave(&clients, more);
	for (int i = 0; i < 10; i++)
		http_clients_leave(&clients, some[i]);
	nothing_is_left();
}

/* A household has a /64; what is written in two ways is one. */
static void test_same_client(void **state)
{
	static const char *const pairs[][2] = {
	    {"2001:db8::1", "2001:db8::ffff:1"},
	    {"192.0.2.1", "::ffff:192.0.2.1"},
	};
	struct http_client *one;

	(void)state;
	http_clients_init(&clients, 100, 1);
	for (size_t i = 0; i < 2; i++) {
		one = enter(pairs[i][0], 1);
		assert_null(enter(pairs[i][1], 2));
		http_clients_leave(&clients, one);
	}
	one = enter("2001:db8:0:1::1", 1);
	http_clients_leave(&clients, enter("2001:db8:0:2::1", 1));
	http_clients_leave(&clients, one);
	nothing_is_left();
}

/* Who comes from this machine may be many. */
static void test_own_machine(void **state)
{
	static const char *const hosts[] = {
	    "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "127.0.0.1"};
	struct http_client *all[5];

	(void)state;
	http_clients_init(&clients, 100, 1);
	for (size_t i = 0; i < 5; i++)
		assert_non_null(all[i] = enter(hosts[i], 1));
	for (size_t i = 0; i < 5; i++)
		http_clients_leave(&clients, all[i]);
	nothing_is_left();
}

/* An address that is cut short is no address. */
static void test_short_address(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct http_client *client;

	(void)state;
	http_clients_init(&clients, 10, 1);
	client = http_clients_enter(&clients, (struct sockaddr *)&in, 2);
	assert_int_equal(client->family, 0);
	http_clients_leave(&clients, client);
	nothing_is_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_client),
	    cmocka_unit_test(test_families_are_apart),
	    cmocka_unit_test(test_all_together),
	    cmocka_unit_test(test_same_client),
	    cmocka_unit_test(test_own_machine),
	    cmocka_unit_test(test_short_address),
	};

	return cmocka_run_group_tests_name("http_clients", tests, NULL, NULL);
}
