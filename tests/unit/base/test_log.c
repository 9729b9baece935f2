/* log: what comes out of standard error, taken from a pipe. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int pipe_fds[2], saved_stderr;
static char text[65536];

static void capture_begin(void)
{
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(saved_stderr >= 0);
	assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
}

/* What was written since capture_begin(), NUL-terminated. */
static const char *capture_end(void)
{
	size_t len = 0;
	ssize_t n;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(pipe_fds[1]);
	while ((n = read(pipe_fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(pipe_fds[0]);
	text[len] = '\0';
	return text;
}

/* The line without its 24 bytes of time, which are checked for their form. */
static const char *after_time(const char *line)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";

	for (size_t i = 0; form[i]; i++) {
		if (form[i] == 'd')
			assert_in_range(line[i], '0', '9');
		else
			assert_int_equal(line[i], form[i]);
	}
	return line + strlen(form);
}

static const char *line_of(const char *value)
{
	capture_begin();
	log_warn("poller", "source_failed", LOG_S("v", value));
	return after_time(capture_end());
}

static void test_line_has_all_its_parts(void **state)
{
	(void)state;
	capture_begin();
	log_error("poller", "source_failed", LOG_S("exchange", "kraken"),
	    LOG_D("status", -429), LOG_S("why", NULL));
	assert_string_equal(after_time(capture_end()),
	    "error poller source_failed exchange=kraken status=-429 why=-\n");
}

static void test_line_without_fields(void **state)
{
	(void)state;
	capture_begin();
	log_info("main", "started");
	assert_string_equal(after_time(capture_end()), "info  main started\n");
}

static void test_numbers_keep_64_bits(void **state)
{
	(void)state;
	capture_begin();
	log_info("m", "e", LOG_D("a", INT64_MAX), LOG_D("b", INT64_MIN));
	assert_string_equal(after_time(capture_end()),
	    "info  m e a=9223372036854775807 b=-9223372036854775808\n");
}

static void test_levels_below_the_least_are_silent(void **state)
{
	(void)state;
	capture_begin();
	log_debug("m", "hidden");
	log_set_level(LOG_WARN);
	log_info("m", "hidden");
	log_warn("m", "shown");
	log_set_level(LOG_DEBUG);
	log_debug("m", "shown");
	log_set_level(LOG_INFO);
	assert_null(strstr(capture_end(), "hidden"));
	assert_non_null(strstr(text, "warn  m shown\n"));
	assert_non_null(strstr(text, "debug m shown\n"));
}

static void test_values_cannot_forge(void **state)
{
	static const struct {
		const char *value, *text;
	} cases[] = {
	    {"plain/1.2:3=x", "v=plain/1.2:3=x\n"},
	    {"", "v=\"\"\n"},
	    {"two words", "v=\"two words\"\n"},
	    {"x\n2026-01-01T00:00:00.000Z error",
		"v=\"x\\n2026-01-01T00:00:00.000Z error\"\n"},
	    {"a\" level=error b=\"", "v=\"a\\\" level=error b=\\\"\"\n"},
	    {"back\\slash", "v=\"back\\\\slash\"\n"},
	    {"\r\t", "v=\"\\r\\t\"\n"},
	    {"\x1b[2J\x07", "v=\"\\x1b[2J\\x07\"\n"},
	    {"\x7f", "v=\"\\x7f\"\n"},
	    {"\x9b[2J", "v=\"\\x9b[2J\"\n"},
	    {"\xc3\xa4\xff", "v=\"\\xc3\\xa4\\xff\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *line = line_of(cases[i].value);

		assert_string_equal(
		    line + strlen("warn  poller source_failed "),
		    cases[i].text);
	}
}

static void test_long_value_is_cut(void **state)
{
	char value[2 * LOG_VALUE_MAX + 1];
	const char *v;

	(void)state;
	memset(value, 'x', sizeof(value));
	value[LOG_VALUE_MAX] = '\0';
	v = strchr(line_of(value), '=') + 1;
	assert_int_equal(strlen(v), LOG_VALUE_MAX + 1);

	value[LOG_VALUE_MAX] = 'x';
	value[LOG_VALUE_MAX + 1] = '\0';
	v = strchr(line_of(value), '=') + 1;
	assert_int_equal(strlen(v), LOG_VALUE_MAX + strlen("\"...\"\n"));
	assert_string_equal(v + LOG_VALUE_MAX + 1, "...\"\n");

	memset(value, '\x01', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	v = strchr(line_of(value), '=') + 1;
	assert_int_equal(strlen(v), 4 * LOG_VALUE_MAX + strlen("\"...\"\n"));
}

static void test_full_line_drops_fields_and_says_so(void **state)
{
	char value[LOG_VALUE_MAX + 1];
	const char *line;

	(void)state;
	memset(value, '\x01', sizeof(value) - 1);
	value[LOG_VALUE_MAX] = '\0';
	capture_begin();
	log_warn("m", "e", LOG_S("a", value), LOG_S("b", value),
	    LOG_S("c", "small"));
	line = capture_end();
	assert_true(strlen(line) <= LOG_LINE_MAX);
	assert_non_null(strstr(line, " a=\""));
	assert_null(strstr(line, " b="));
	assert_null(strstr(line, " c="));
	assert_string_equal(line + strlen(line) - 6, "\" ...\n");
}

static void test_every_fill_of_a_line_fits(void **state)
{
	char value[LOG_VALUE_MAX + 1];
	struct log_field fields[10] = {{0}};

	(void)state;
	for (size_t len = 0; len <= LOG_VALUE_MAX; len++) {
		memset(value, 'x', len);
		value[len] = '\0';
		for (int i = 0; i < 9; i++)
			fields[i] = LOG_S("k", value);
		capture_begin();
		log_write(LOG_WARN, "m", "e", fields);
		assert_in_range(strlen(capture_end()), 1, LOG_LINE_MAX);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	}
}

static void test_full_pipe_neither_blocks_nor_fails(void **state)
{
	char value[LOG_VALUE_MAX];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	capture_begin();
	errno = ENOTTY;
	for (int i = 0; i < 1000; i++)
		log_warn("m", "e", LOG_S("v", value));
	assert_int_equal(errno, ENOTTY);
	assert_true(strlen(capture_end()) > 30000);
}

static void test_closed_reader_does_not_stop_us(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	capture_begin();
	close(pipe_fds[0]);
	pipe_fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	log_warn("m", "e");
	assert_string_equal(capture_end(), "");
}

static void test_die_logs_and_exits_with_1(void **state)
{
	pid_t child;
	int status;

	(void)state;
	capture_begin();
	child = fork();
	if (child == 0)
		log_die("main", "no %s at %d", "memory", 7);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_string_equal(after_time(capture_end()),
	    "error main die why=\"no memory at 7\"\n");
}

static const char *passed_on(const char *bytes, size_t len, bool cut)
{
	size_t written;

	capture_begin();
	written = log_passed_on("enclave", "vsock:16:1025", bytes, len, cut);
	assert_int_equal(written, strlen(capture_end()));
	return after_time(text);
}

/* Quotes and backslashes are as the other program wrote them. */
static void test_passed_on_as_it_is(void **state)
{
	static const char line[] = "warn  poller x error=\"a \\\"b\\\"\"";
	char wanted[128];

	(void)state;
	snprintf(
	    wanted, sizeof(wanted), "info  enclave vsock:16:1025 | %s\n", line);
	assert_string_equal(passed_on(line, strlen(line), false), wanted);
	assert_string_equal(
	    passed_on("", 0, false), "info  enclave vsock:16:1025 | \n");
	assert_string_equal(passed_on("half", 4, true),
	    "info  enclave vsock:16:1025 | half ...\n");
}

/* No line, no field and no movement of the cursor of its own. */
static void test_passed_on_is_escaped(void **state)
{
	static const char hostile[] = "a\nb\rc\td\0e\x1b[2J\x7f\x80\xff";

	(void)state;
	assert_string_equal(passed_on(hostile, sizeof(hostile) - 1, false),
	    "info  enclave vsock:16:1025 | a\\nb\\rc\\td\\x00e\\x1b[2J"
	    "\\x7f\\x80\\xff\n");
}

static void test_passed_on_has_a_ceiling(void **state)
{
	static char bytes[LOG_LINE_MAX];
	size_t len;

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	len = strlen(passed_on(bytes, sizeof(bytes), false)) + 25;
	assert_in_range(len, LOG_LINE_MAX - 4, LOG_LINE_MAX);
	assert_string_equal(text + len - 5, " ...\n");
	memset(bytes, 'x', sizeof(bytes));
	len = strlen(passed_on(bytes, sizeof(bytes), true)) + 25;
	assert_int_equal(len, LOG_LINE_MAX);
	log_set_level(LOG_WARN);
	assert_int_equal(log_passed_on("enclave", "x", "y", 1, false), 0);
	log_set_level(LOG_INFO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line_has_all_its_parts),
	    cmocka_unit_test(test_line_without_fields),
	    cmocka_unit_test(test_numbers_keep_64_bits),
	    cmocka_unit_test(test_levels_below_the_least_are_silent),
	    cmocka_unit_test(test_values_cannot_forge),
	    cmocka_unit_test(test_long_value_is_cut),
	    cmocka_unit_test(test_passed_on_as_it_is),
	    cmocka_unit_test(test_passed_on_is_escaped),
	    cmocka_unit_test(test_passed_on_has_a_ceiling),
	    cmocka_unit_test(test_full_line_drops_fields_and_says_so),
	    cmocka_unit_test(test_every_fill_of_a_line_fits),
	    cmocka_unit_test(test_full_pipe_neither_blocks_nor_fails),
	    cmocka_unit_test(test_closed_reader_does_not_stop_us),
	    cmocka_unit_test(test_die_logs_and_exits_with_1),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
