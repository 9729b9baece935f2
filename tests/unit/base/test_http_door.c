/* http_door: who is handed on, with what, and who is closed. */
#include "client.h"

#include "base/http_door.h"

static struct http_clients clients;
static struct http_door door;
static bool door_closed;
static int handed[8], handed_count;
static char seen[PLAIN_GET_BYTES_MAX + 2];

static void on_handed(const struct http_arrival *arrival, const char *bytes,
    size_t len, void *data)
{
	assert_ptr_equal(data, &loop);
	memcpy(seen, bytes, len);
	seen[len] = '\0';
	handed[handed_count++] = arrival->fd;
	http_clients_leave(&clients, arrival->client);
}

static void on_door_closed(void *data)
{
	assert_ptr_equal(data, &loop);
	door_closed = true;
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	http_clients_init(&clients, 100, 0);
	http_door_init(&door, &loop, &clients, on_handed, &loop);
	handed_count = 0;
	door_closed = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (!door.closed)
		http_door_stop(&door, on_door_closed);
	pump_until(door_closed);
	assert_int_equal(clients.total, 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	for (int i = 0; i < handed_count; i++)
		close(handed[i]);
	return 0;
}

/* Their end; ours stands at the door once it is put there. */
static int make_pair(struct http_arrival *ours)
{
	int fds[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	memset(ours, 0, sizeof(*ours));
	ours->fd = fds[0];
	ours->from.sa.sa_family = AF_UNIX;
	ours->from_len = sizeof(sa_family_t);
	ours->client = http_clients_enter(
	    &clients, &ours->from.sa, ours->from_len);
	return fds[1];
}

static void ends(int fd)
{
	char byte;

	pump_until(recv(fd, &byte, 1, MSG_PEEK) == 0);
	close(fd);
}

static void test_bytes_are_there(void **state)
{
	struct http_arrival arrival;
	int theirs = make_pair(&arrival);
	char again[16];

	(void)state;
	assert_int_equal(send(theirs, "GET", 3, 0), 3);
	http_door_add(&door, &arrival);
	assert_int_equal(handed_count, 1);
	assert_string_equal(seen, "GET");
	/* and they are still there */
	assert_int_equal(recv(handed[0], again, sizeof(again), 0), 3);
	close(theirs);
}

static void test_bytes_come_later(void **state)
{
	struct http_arrival arrival;
	int theirs = make_pair(&arrival);

	(void)state;
	http_door_add(&door, &arrival);
	pump_ms(20);
	assert_int_equal(handed_count, 0);
	assert_in_range(count_turns(), 1, 20);
	assert_int_equal(send(theirs, "G", 1, 0), 1);
	pump_until(handed_count == 1);
	assert_string_equal(seen, "G");
	assert_true(TAILQ_EMPTY(&door.waiting));
	close(theirs);
}

static void test_more_than_is_looked_at(void **state)
{
	static char bytes[3 * PLAIN_GET_BYTES_MAX];
	struct http_arrival arrival;
	int theirs = make_pair(&arrival);

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(send(theirs, bytes, sizeof(bytes), 0), sizeof(bytes));
	http_door_add(&door, &arrival);
	assert_int_equal(strlen(seen), PLAIN_GET_BYTES_MAX + 1);
	close(theirs);
}

static void test_leaves_without_a_word(void **state)
{
	struct http_arrival arrival;
	int theirs = make_pair(&arrival);

	(void)state;
	http_door_add(&door, &arrival);
	close(theirs);
	pump_until(TAILQ_EMPTY(&door.waiting));
	theirs = make_pair(&arrival); /* and one that has left before */
	close(theirs);
	http_door_add(&door, &arrival);
	assert_true(TAILQ_EMPTY(&door.waiting));
	assert_int_equal(handed_count, 0);
	assert_int_equal(clients.total, 0);
}

static void test_says_nothing(void **state)
{
	struct http_arrival arrival;
	int first = make_pair(&arrival), second;

	(void)state;
	http_door_add(&door, &arrival);
	second = make_pair(&arrival);
	http_door_add(&door, &arrival);
	assert_in_range(
	    uv_timer_get_due_in(&door.timer), 1, HTTP_DOOR_TIMEOUT_MS);
	uv_timer_stop(&door.timer);
	door.timer.timer_cb(&door.timer); /* too early: arms it again */
	assert_true(uv_is_active((uv_handle_t *)&door.timer));
	loop.time += HTTP_DOOR_TIMEOUT_MS;
	door.timer.timer_cb(&door.timer);
	assert_true(TAILQ_EMPTY(&door.waiting));
	ends(first);
	ends(second);
}

static void test_stop(void **state)
{
	struct http_arrival arrival;
	int theirs = make_pair(&arrival);

	(void)state;
	http_door_add(&door, &arrival);
	http_door_stop(&door, on_door_closed);
	assert_false(door_closed);
	ends(theirs);
}

#define door_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    door_test(test_bytes_are_there),
	    door_test(test_bytes_come_later),
	    door_test(test_more_than_is_looked_at),
	    door_test(test_leaves_without_a_word),
	    door_test(test_says_nothing),
	    door_test(test_stop),
	};

	return cmocka_run_group_tests_name("http_door", tests, NULL, NULL);
}
