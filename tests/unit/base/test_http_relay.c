/* http_relay: a client that asked for the same again and again, so that its
 * requests are read without a look before, and then for something else. */
#include "kept_fixture.h"

static void test_steady_then_another(void **state)
{
	(void)state;
	steady = true;
	check_others();
	steady = false;
}

static void test_steady_and_no_room(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	ask_steadily(fd, &r);
	server->relays.count += HTTP_RELAYS_MAX;
	ask_on(fd, KEPT, &r);
	assert_int_equal(askers(), 1);
	ask_on(fd, GET("/now"), &r);
	assert_string_equal(response_body(&r), "\"now\"");
	assert_int_equal(server->relays.count, HTTP_RELAYS_MAX);
	server->relays.count -= HTTP_RELAYS_MAX;
	response_fini(&r);
	close(fd);
}

/* What is out of date is looked at first. */
static void test_steady_and_refused(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	ask_steadily(fd, &r);
	version++;
	ask_on(fd, KEPT, &r);
	assert_string_equal(response_body(&r), "bbbbb");
	refuses = true;
	version++;
	ask_on(fd, KEPT, &r);
	assert_int_equal(response_status(&r), 503);
	assert_int_equal(server->relays.count, 0);
	response_fini(&r);
	close(fd);
}

/* In pieces, of which the first is shorter than the request before, and with
 * one behind it that is longer. */
static void test_steady_and_pieces(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	ask_steadily(fd, &r);
	client_send(fd, "GET /kept/A HT");
	pump_until(server->relays.count == 1);
	pump_ms(5);
	ask_on(fd, "TP/1.1\r\nHost: x\r\n\r\n" GET("/now") GET("/nowhere"), &r);
	client_read_until(
	    fd, &r, strstr(r.text, "\"now\"") && strstr(r.text, "NOT_FOUND"));
	assert_non_null(strstr(r.text, "aaaaa"));
	response_fini(&r);
	close(fd);
}

/* As much as sockets hold, and more, in both directions at once. */
static void test_relayed_slowly(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect(), small = 65536;
	size_t head;

	(void)state;
	ask_steadily(fd, &r);
	r.len = 0;
	body_len = BIG; /* of those that are not kept */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 40; i++)
		client_send(fd, WITH("X-Request-Id: mine\r\n"));
	pump_ms(50);
	assert_int_equal(server->relays.count, 1);
	client_read_until(fd, &r, response_complete(&r));
	head = (size_t)(response_body(&r) - r.text);
	client_read_until(fd, &r, r.len == 40 * (head + BIG));
	shutdown(fd, SHUT_WR);
	client_read_until(fd, &r, r.closed);
	assert_false(r.reset);
	assert_int_equal(r.len, 40 * (head + BIG));
	response_fini(&r);
	close(fd);
	pump_until(server->relays.count == 0);
}

static void test_relayed_and_left(void **state)
{
	struct response r = {.text = NULL};
	int fd = client_connect();

	(void)state;
	ask_steadily(fd, &r);
	body_len = BIG;
	for (int i = 0; i < 40; i++)
		client_send(fd, WITH("X-Request-Id: mine\r\n"));
	pump_ms(20);
	assert_int_equal(server->relays.count, 1);
	close(fd);
	pump_until(server->relays.count == 0);
	response_fini(&r);
}

static void test_stop_while_relayed(void **state)
{
	struct response r = {.text = NULL};
	int fd;

	(void)state;
	setup(NULL);
	fd = client_connect();
	ask_steadily(fd, &r);
	ask_on(fd, GET("/now"), &r);
	assert_int_equal(server->relays.count, 1);
	server_end();
	client_read_some(fd, &r);
	assert_true(r.closed);
	response_fini(&r);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    EACH(test_steady_then_another),
	    EACH(test_steady_and_no_room),
	    EACH(test_steady_and_refused),
	    EACH(test_steady_and_pieces),
	    EACH(test_relayed_slowly),
	    EACH(test_relayed_and_left),
	    cmocka_unit_test_setup_teardown(
		test_steady_then_another, setup_unix, teardown),
	    cmocka_unit_test(test_stop_while_relayed),
	};

	return cmocka_run_group_tests_name("http_relay", tests, NULL, NULL);
}
