/* board_event: what belongs to no name reaches every stream, and is kept. */
#include "board_fixture.h"

static int subscribe(const char *query, struct response *response)
{
	int fd = client_connect();
	char ask[128];

	snprintf(ask, sizeof(ask), "GET /stream?%s HTTP/1.1\r\nHost: x\r\n\r\n",
	    query);
	client_send(fd, ask);
	client_read_until(fd, response, response_status(response) == 200);
	return fd;
}

static void has(const char *query, const char *needle, const char *absent)
{
	struct response response = {.text = NULL};
	int fd = subscribe(query, &response);

	board_event(board, "tree_head", "{\"n\":\"ref\"}", "{\"n\":\"full\"}");
	client_read_until(fd, &response, strstr(response.text, needle) != NULL);
	assert_non_null(strstr(response.text, "event: tree_head"));
	assert_null(strstr(response.text, absent));
	close(fd);
	response_fini(&response);
}

static void all_get_it_in_their_form(void **state)
{
	(void)state;
	has("feeds=BTC-USD", "{\"n\":\"ref\"}", "full");
	has("attestation=full", "{\"n\":\"full\"}", "\"ref\"");
}

static void it_is_there_for_those_who_come_back(void **state)
{
	struct response response = {.text = NULL};
	int fd;

	(void)state;
	post("BTC-USD", 5000, NULL);
	board_event(board, "tree_head", "{\"n\":\"missed\"}", "{}");
	fd = subscribe("since=e1-1", &response);
	client_read_until(
	    fd, &response, strstr(response.text, "missed") != NULL);
	assert_non_null(strstr(response.text, "id: e1-2"));
	close(fd);
	response_fini(&response);
}

#define BOARD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOARD_TEST(all_get_it_in_their_form),
	    BOARD_TEST(it_is_there_for_those_who_come_back),
	};

	return cmocka_run_group_tests_name("board_event", tests, NULL, NULL);
}
