/* heartbeat, handover and configuration: what a parent may do wrong, and that
 * it is asked again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/init/configuration.h"
#include "oracle/init/heartbeat.h"
#include "tests/unit/init/init_fixture.h"

#include <openssl/sha.h>

#define CONFIG "{\"listen\":\"vsock://any:8080\"}"

static void nap(long ms)
{
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&wait, NULL);
}

/* ---- heartbeat ---- */

static int beat(uint64_t timeout_ms)
{
	struct endpoint to = parent_port(HEARTBEAT_PORT);

	return heartbeat_send(&loop, &to, timeout_ms);
}

static void answer_with(int listener, uint8_t byte)
{
	int fd = parent_accept(listener);
	uint8_t got = 0;

	if (read(fd, &got, 1) != 1 || got != 0xB7)
		_exit(5);
	parent_say(fd, &byte, 1);
	close(fd);
}

static void answer_right(int listener)
{
	answer_with(listener, 0xB7);
}

static void answer_wrong(int listener)
{
	answer_with(listener, 0xB8);
}

static void hang_up(int listener)
{
	close(parent_accept(listener));
}

static void say_nothing(int listener)
{
	char byte;

	if (read(parent_accept(listener), &byte, 1) != 1)
		_exit(5);
	nap(INIT_DEADLINE_MS);
}

static void heartbeats(void **state)
{
	int listener = parent_listen(HEARTBEAT_PORT);
	pid_t pid;

	(void)state;
	pid = play(answer_right, listener);
	assert_int_equal(beat(INIT_DEADLINE_MS), 0);
	played(pid);
	pid = play(answer_wrong, listener);
	assert_int_equal(beat(INIT_DEADLINE_MS), UV_EPROTO);
	played(pid);
	pid = play(hang_up, listener);
	assert_true(beat(INIT_DEADLINE_MS) < 0); /* an end, or a reset */
	played(pid);
	pid = play(say_nothing, listener);
	assert_int_equal(beat(100), UV_ETIMEDOUT);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(listener);
}

static void nobody_listens_for_it(void **state)
{
	(void)state;
	assert_int_equal(beat(INIT_DEADLINE_MS), UV_ENOENT);
}

/* ---- handover ---- */

static struct handover_options options(unsigned tries_max)
{
	return (struct handover_options){.loop = &loop,
	    .from = parent_port(HANDOVER_PORT),
	    .try_ms = INIT_DEADLINE_MS,
	    .retry_ms = 10,
	    .say_ms = INIT_DEADLINE_MS,
	    .tries_max = tries_max};
}

/* One answer: these bytes, and an end. */
static void give(int listener, const char *bytes, size_t len)
{
	int fd = parent_accept(listener);

	parent_say(fd, bytes, len);
	close(fd);
}

static void give_right(int listener)
{
	give(listener, "\0\0\0\5hello", 9);
}

static void taken(struct handover_options with, const char *wanted)
{
	uint8_t *bytes;
	size_t len;

	assert_int_equal(handover_take(&with, &bytes, &len), 0);
	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(bytes, wanted, len);
	free(bytes);
}

static void refused(struct handover_options with, int err)
{
	uint8_t *bytes = (uint8_t *)1;
	size_t len = 9;

	assert_int_equal(handover_take(&with, &bytes, &len), err);
	assert_null(bytes);
	assert_int_equal(len, 0);
}

static void give_byte_by_byte(int listener)
{
	static const char bytes[] = "\0\0\0\5hello";
	int fd = parent_accept(listener);

	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		parent_say(fd, bytes + i, 1);
		nap(5);
	}
	nap(INIT_DEADLINE_MS); /* it has all it needs: no end is waited for */
}

static void it_is_taken(void **state)
{
	int listener = parent_listen(HANDOVER_PORT);
	pid_t pid;

	(void)state;
	pid = play(give_right, listener);
	taken(options(1), "hello");
	played(pid);
	pid = play(give_byte_by_byte, listener);
	taken(options(1), "hello");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(listener);
}

static void give_zero(int listener)
{
	give(listener, "\0\0\0\0", 4);
}

static void give_too_much(int listener)
{
	give(listener, "\0\x10\0\1x", 5);
}

static void give_half(int listener)
{
	give(listener, "\0\0\0\5he", 6);
}

static void give_half_a_length(int listener)
{
	give(listener, "\0\0", 2);
}

static void it_is_refused(void **state)
{
	static const struct {
		void (*part)(int listener);
		int err;
	} wrong[] = {
	    {give_zero, UV_EMSGSIZE},
	    {give_too_much, UV_EMSGSIZE},
	    {give_half, UV_EOF},
	    {give_half_a_length, UV_EOF},
	};
	int listener = parent_listen(HANDOVER_PORT);

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		pid_t pid = play(wrong[i].part, listener);

		refused(options(1), wrong[i].err);
		played(pid);
	}
	close(listener);
}

static void drip(int listener)
{
	int fd = parent_accept(listener);

	parent_say(fd, "\0\0\1\0", 4);
	for (unsigned i = 0; i < 1000; i++) {
		if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
			return;
		nap(20);
	}
}

/* Bytes that keep coming do not make the time longer. */
static void a_parent_that_drips(void **state)
{
	struct handover_options with = options(1);
	int listener = parent_listen(HANDOVER_PORT);
	pid_t pid = play(drip, listener);

	(void)state;
	with.try_ms = 200;
	refused(with, UV_ETIMEDOUT);
	played(pid);
	close(listener);
}

/* Three that go wrong, and one that does not. */
static void wrong_and_then_right(int listener)
{
	give_half(listener);
	give_zero(listener);
	close(parent_accept(listener));
	give_right(listener);
}

static void it_is_asked_again(void **state)
{
	int listener = parent_listen(HANDOVER_PORT);
	pid_t pid = play(wrong_and_then_right, listener);

	(void)state;
	taken(options(0), "hello");
	played(pid);
	close(listener);
}

static void half_half_zero(int listener)
{
	give_half(listener);
	give_half(listener);
	give_zero(listener);
}

/* What is said of it: at the first time, when it is for another reason, and
 * then when it is time again. */
static unsigned times_said(struct handover_options with, int err)
{
	int before = dup(STDERR_FILENO);
	char path[128], *text;
	unsigned count = 0;
	FILE *file;

	path_of(path, "stderr");
	file = fopen(path, "w");
	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	refused(with, err);
	dup2(before, STDERR_FILENO);
	close(before);
	fclose(file);
	text = get_file("stderr");
	for (char *at = text; (at = strstr(at, "no_configuration")); at++)
		count++;
	assert_non_null(strstr(text, "p_9001"));
	free(text);
	return count;
}

static void it_says_so_now_and_then(void **state)
{
	struct handover_options with = options(20);
	int listener;
	pid_t pid;

	(void)state;
	assert_int_equal(times_said(with, UV_ENOENT), 1);
	with.say_ms = 0;
	with.tries_max = 4;
	assert_int_equal(times_said(with, UV_ENOENT), 4);
	listener = parent_listen(HANDOVER_PORT);
	pid = play(half_half_zero, listener);
	assert_int_equal(times_said(options(3), UV_EMSGSIZE), 2);
	played(pid);
	close(listener);
}

/* ---- configuration ---- */

static void load(int result, const char *said)
{
	struct handover_options with = options(1);
	char path[128], error[CONFIGURATION_ERROR_MAX] = "";
	struct configuration config;
	uint8_t wanted[48], zero[48] = {0};

	path_of(path, "oracle.json");
	assert_int_equal(
	    configuration_load(&config, path, &with, error), result);
	if (strstr(error, said) == NULL)
		fail_msg("'%s' without '%s'", error, said);
	SHA384((const uint8_t *)CONFIG, strlen(CONFIG), wanted);
	assert_memory_equal(
	    config.sha384, result == 0 ? wanted : zero, sizeof(wanted));
}

static void give_config(int listener)
{
	char head[4] = {0, 0, 0, sizeof(CONFIG) - 1};
	int fd = parent_accept(listener);

	parent_say(fd, head, 4);
	parent_say(fd, CONFIG, sizeof(CONFIG) - 1);
	close(fd);
}

static void give_no_json(int listener)
{
	give(listener, "\0\0\0\1{", 5);
}

static void configurations(void **state)
{
	int listener = parent_listen(HANDOVER_PORT);
	pid_t pid = play(give_config, listener);
	char *text;

	(void)state;
	load(0, "");
	played(pid);
	text = get_file("oracle.json");
	assert_string_equal(text, CONFIG);
	free(text);
	close(listener);
	load(0, ""); /* from the file now */
	put_file("oracle.json", "{\"a\":1,\"a\":2}");
	load(-1, "duplicate");
	put_file("oracle.json", "");
	load(-1, "configuration: ");
}

static void configurations_that_are_none(void **state)
{
	int listener = parent_listen(HANDOVER_PORT);
	pid_t pid = play(give_no_json, listener);

	(void)state;
	load(-1, "configuration: ");
	played(pid);
	close(listener);
}

/* Nobody hands one over; it cannot be put there; it cannot be read. */
static void files_that_fail(void **state)
{
	struct handover_options with = options(1);
	int listener = parent_listen(HANDOVER_PORT);
	char error[CONFIGURATION_ERROR_MAX];
	struct configuration config;
	pid_t pid = play(give_config, listener);

	(void)state;
	assert_int_equal(configuration_load(
			     &config, "/nonexistent/oracle.json", &with, error),
	    -1);
	assert_string_equal(
	    error, "/nonexistent/oracle.json: No such file or directory");
	played(pid);
	close(listener);
	load(-1, "configuration: connection refused");
	assert_int_equal(configuration_load(&config, dir, &with, error), -1);
	assert_non_null(strstr(error, "Is a directory"));
	assert_int_equal(config.len, 0);
}

static void one_key_of_it(void **state)
{
	static const struct {
		const char *text;
		bool emulator;
	} each[] = {
	    {"{\"insecure_emulator\": true}", true},
	    {"{\"insecure_emulator\": false}", false},
	    {"{\"insecure_emulator\": 1}", false},
	    {"{\"insecure_emulator\": \"true\"}", false},
	    {"{\"feeds\": {\"insecure_emulator\": true}}", false},
	    {"{}", false},
	};
	struct handover_options with = options(1);
	char path[128], error[CONFIGURATION_ERROR_MAX];
	struct configuration config;

	(void)state;
	path_of(path, "oracle.json");
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		put_file("oracle.json", each[i].text);
		assert_int_equal(
		    configuration_load(&config, path, &with, error), 0);
		assert_int_equal(config.insecure_emulator, each[i].emulator);
		assert_true(config.from_image);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, init_up, init_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(heartbeats),
	    TEST(nobody_listens_for_it),
	    TEST(it_is_taken),
	    TEST(it_is_refused),
	    TEST(a_parent_that_drips),
	    TEST(it_is_asked_again),
	    TEST(it_says_so_now_and_then),
	    TEST(configurations),
	    TEST(configurations_that_are_none),
	    TEST(files_that_fail),
	    TEST(one_key_of_it),
	};

	return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
