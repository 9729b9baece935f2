/* board_wait: who waits for a newer text gets it, and nobody waits for ever. */
#include "board_fixture.h"

#define BOOT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BOOT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void post_number(const char *boot_id, uint64_t sequence)
{
	post_item("BTC-USD", now_unix_ms(), 5000, NULL, boot_id, sequence);
}

static int ask(const char *target)
{
	char request[512];
	int fd = client_connect();

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
	    target);
	client_send(fd, request);
	return fd;
}

static void nothing_comes(int fd)
{
	struct response response = {.text = NULL};

	pump_ms(60);
	client_read_some(fd, &response);
	assert_int_equal(response.len, 0);
	assert_false(response.closed);
	response_fini(&response);
}

static void comes(int fd, int status, const char *needle)
{
	struct response response = {.text = NULL};

	client_read_until(fd, &response, response_complete(&response));
	if (response_status(&response) != status ||
	    !strstr(response.text, needle))
		fail_msg("wanted %d with %s, found %s", status, needle,
		    response.text);
	response_fini(&response);
	close(fd);
}

static void a_newer_one_is_there_already(void **state)
{
	(void)state;
	post_number(BOOT_A, 7);
	asked("/price/BTC-USD?after_sequence=6", 200, "{\"form\":\"full\"}");
	asked("/price/BTC-USD?after_sequence=6", 200, "no-store");
	asked("/price/BTC-USD?after_sequence=6&boot_id=" BOOT_A, 200, "full");
}

static void the_next_one_answers(void **state)
{
	int fd, other;

	(void)state;
	post_number(BOOT_A, 7);
	fd = ask("/price/BTC-USD?after_sequence=7&attestation=ref");
	other = ask("/price/BTC-USD?after_sequence=8&boot_id=" BOOT_A);
	nothing_comes(fd);
	post_item("ETH-USD", now_unix_ms(), 5000, NULL, BOOT_A, 9);
	post_number(BOOT_A, 7); /* no newer than what it has */
	nothing_comes(fd);
	post_number(BOOT_A, 8);
	comes(fd, 200, "{\"form\":\"ref\"}");
	nothing_comes(other);
	post_number(BOOT_A, 9);
	comes(other, 200, "{\"form\":\"full\"}");
}

static void the_next_one_may_have_no_price(void **state)
{
	int fd;

	(void)state;
	post_number(BOOT_A, 7);
	fd = ask("/price/BTC-USD?after_sequence=7");
	nothing_comes(fd);
	post_item("BTC-USD", now_unix_ms(), 5000, "price_jump", BOOT_A, 8);
	comes(fd, 503, "\"item\":{\"form\":\"full\"}");
}

static void the_first_one_may_be_awaited(void **state)
{
	int fd = ask("/price/BTC-USD?after_sequence=0");

	(void)state;
	nothing_comes(fd);
	post_number(BOOT_A, 1);
	comes(fd, 200, "full");
}

/* An oracle that was started again counts from zero. */
static void another_boot_is_newer(void **state)
{
	int fd, named;

	(void)state;
	post_number(BOOT_A, 7);
	fd = ask("/price/BTC-USD?after_sequence=7");
	named = ask("/price/BTC-USD?after_sequence=7&boot_id=" BOOT_A);
	nothing_comes(fd);
	post_number(BOOT_B, 0);
	comes(fd, 200, "full");
	comes(named, 200, "full");
	fd = ask("/price/BTC-USD?after_sequence=0");
	nothing_comes(fd);
	post_number(BOOT_A, 0); /* the same number, and yet another item */
	comes(fd, 200, "full");
	post_number(BOOT_B, 0);
	asked("/price/BTC-USD?after_sequence=7", 200, "full");
	asked("/price/BTC-USD?after_sequence=0&boot_id=" BOOT_A, 200, "full");
	asked("/price/BTC-USD?after_sequence=0&wait_ms=1", 204, "");
}

static void a_wait_ends(void **state)
{
	(void)state;
	post_number(BOOT_A, 7);
	asked("/price/BTC-USD?after_sequence=7&wait_ms=0", 204, "");
	asked("/price/BTC-USD?after_sequence=7&wait_ms=30", 204, "");
	asked("/price/BTC-USD?after_sequence=7&wait_ms=1&max_age_ms=86400000",
	    204, "");
	post_item("BTC-USD", now_unix_ms() - 9000, 5000, NULL, BOOT_A, 8);
	asked("/price/BTC-USD?after_sequence=8&wait_ms=1", 503, "PRICE_STALE");
	asked("/price/ETH-USD?after_sequence=8&wait_ms=1", 503,
	    "FEED_UNAVAILABLE");
}

static void who_has_left_is_forgotten(void **state)
{
	int fds[3];

	(void)state;
	post_number(BOOT_A, 7);
	for (int i = 0; i < 3; i++)
		fds[i] = ask("/price/BTC-USD?after_sequence=7");
	pump_until(board_waiting(board) == 3);
	close(fds[1]);
	pump_until(board_waiting(board) == 2);
	post_number(BOOT_A, 8);
	comes(fds[0], 200, "full");
	comes(fds[2], 200, "full");
	assert_int_equal(board_waiting(board), 0);
}

static void so_many_may_wait(void **state)
{
	static int fds[BOARD_WAITING_MAX];

	(void)state;
	post_number(BOOT_A, 7);
	for (size_t i = 0; i < BOARD_WAITING_MAX; i++) {
		fds[i] = ask("/price/BTC-USD?after_sequence=7");
		pump_until(board_waiting(board) == i + 1);
	}
	asked("/price/BTC-USD?after_sequence=7", 503, "\"BUSY\"");
	asked("/price/BTC-USD", 200, "full");
	for (size_t i = 0; i < BOARD_WAITING_MAX; i++)
		close(fds[i]);
	pump_until(board_waiting(board) == 0);
}

static void a_board_that_closes_says_so(void **state)
{
	int fd;

	(void)state;
	post_number(BOOT_A, 7);
	fd = ask("/price/BTC-USD?after_sequence=7");
	nothing_comes(fd);
	board_close(board, "test");
	comes(fd, 503, "\"SERVER_STOPPING\"");
}

static void parameters_are_read_strictly(void **state)
{
	static const struct {
		const char *query, *parameter;
	} bad[] = {{"after_sequence=", "after_sequence"},
	    {"after_sequence=-1", "after_sequence"},
	    {"after_sequence=9223372036854775808", "after_sequence"},
	    {"after_sequence=1&wait_ms=55001", "wait_ms"},
	    {"after_sequence=1&wait_ms=x", "wait_ms"}, {"wait_ms=1", "wait_ms"},
	    {"boot_id=" BOOT_A, "boot_id"},
	    {"after_sequence=1&boot_id=A", "boot_id"},
	    {"after_sequence=1&boot_id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"boot_id"}};
	char target[256], needle[64];

	(void)state;
	post_number(BOOT_A, 7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(
		    target, sizeof(target), "/price/BTC-USD?%s", bad[i].query);
		snprintf(needle, sizeof(needle), "\"parameter\":\"%s\"",
		    bad[i].parameter);
		asked(target, 400, needle);
	}
}

#define WAIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WAIT_TEST(a_newer_one_is_there_already),
	    WAIT_TEST(the_next_one_answers),
	    WAIT_TEST(the_next_one_may_have_no_price),
	    WAIT_TEST(the_first_one_may_be_awaited),
	    WAIT_TEST(another_boot_is_newer),
	    WAIT_TEST(a_wait_ends),
	    WAIT_TEST(who_has_left_is_forgotten),
	    WAIT_TEST(so_many_may_wait),
	    WAIT_TEST(a_board_that_closes_says_so),
	    WAIT_TEST(parameters_are_read_strictly),
	};

	return cmocka_run_group_tests_name("board_wait", tests, NULL, NULL);
}
