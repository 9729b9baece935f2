/* parse_command: one answer in, one line out, and what is wrongly called. */
#include "oracle/parse_command.h"

#include "feeds/exchanges/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 8

static char output[4096], complaint[4096];

static void slurp(FILE *file, char *out, size_t size)
{
	size_t len;

	rewind(file);
	len = fread(out, 1, size - 1, file);
	out[len] = '\0';
	fclose(file);
}

/* Runs with these words and this body on standard input; returns the exit
 * status and fills output and complaint. */
static int run(const char *words, const char *body, size_t len)
{
	FILE *files[3] = {tmpfile(), tmpfile(), tmpfile()};
	char copy[512], *argv[WORDS_MAX + 1] = {NULL}, *save = NULL;
	int saved[3], argc = 0, result;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &save);
	     word != NULL && argc < WORDS_MAX;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	assert_int_equal(fwrite(body, 1, len, files[0]), len);
	rewind(files[0]);
	fflush(stdout);
	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = dup(fd);
		assert_true(dup2(fileno(files[fd]), fd) == fd);
	}
	result = parse_command(argc, argv);
	fflush(stdout);
	for (int fd = 0; fd < 3; fd++) {
		dup2(saved[fd], fd);
		close(saved[fd]);
	}
	fclose(files[0]);
	slurp(files[1], output, sizeof(output));
	slurp(files[2], complaint, sizeof(complaint));
	return result;
}

static void prints(
    const char *words, const char *body, int status, const char *line)
{
	assert_int_equal(run(words, body, strlen(body)), status);
	assert_string_equal(output, line);
	assert_string_equal(complaint, "");
}

static const char ticker[] =
    "{\"symbol\":\"BTCUSDT\",\"lastPrice\":\"6705.82000000\","
    "\"bidPrice\":\"6705.88000000\",\"askPrice\":\"6706.21000000\","
    "\"closeTime\":1586991278494}";

static void prices(void **state)
{
	(void)state;
	prints("binance BTCUSDT", ticker, 0,
	    "{\"last\":\"6705.82000000\",\"bid\":\"6705.88000000\","
	    "\"ask\":\"6706.21000000\",\"exchange_ms\":1586991278494}\n");
	prints("binance BTCUSDT", "{\"symbol\":\"BTCUSDT\",\"price\":1.50}", 0,
	    "{\"last\":\"1.50\",\"bid\":null,\"ask\":null,"
	    "\"exchange_ms\":null}\n");
	prints("binance A", "{\"symbol\":\"A\",\"bidPrice\":\"6e-8\"}", 0,
	    "{\"last\":null,\"bid\":\"0.00000006\",\"ask\":null,"
	    "\"exchange_ms\":null}\n");
}

static void errors(void **state)
{
	(void)state;
	prints(
	    "binance ETHUSDT", ticker, 3, "{\"error\":\"unknown_symbol\"}\n");
	prints("binance BTCUSDT", "", 3, "{\"error\":\"bad_body\"}\n");
	prints("binance BTCUSDT --status 429", ticker, 3,
	    "{\"error\":\"rate_limited\"}\n");
	prints("--status 500 binance BTCUSDT", ticker, 3,
	    "{\"error\":\"server_error\"}\n");
	prints("kraken --status 200 XBTUSD",
	    "{\"error\":[\"EGeneral:Too many requests\"]}", 3,
	    "{\"error\":\"rate_limited\"}\n");
	prints("bitstamp AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "[]", 3, "{\"error\":\"unknown_symbol\"}\n");
}

static void too_large(void **state)
{
	size_t len = EXCHANGE_BODY_MAX + 1;
	char *body = malloc(len);

	(void)state;
	assert_non_null(body);
	memset(body, ' ', len);
	memcpy(body, ticker, strlen(ticker));
	assert_int_equal(run("binance BTCUSDT", body, len), 3);
	assert_string_equal(output, "{\"error\":\"too_large\"}\n");
	assert_int_equal(run("binance BTCUSDT", body, len - 1), 0);
	free(body);
}

static void wrong_calls(void **state)
{
	static const char *const calls[][2] = {
	    {"", "an exchange and a symbol are needed"},
	    {"binance", "an exchange and a symbol are needed"},
	    {"mtgox BTCUSD", "unknown exchange: mtgox"},
	    {"binance A B", "unexpected argument: B"},
	    {"binance A --verbose", "unexpected argument: --verbose"},
	    {"binance A --status", "--status takes 200 to 599"},
	    {"binance A --status x", "--status takes 200 to 599"},
	    {"binance A --status 199", "--status takes 200 to 599"},
	    {"binance A --status 600", "--status takes 200 to 599"},
	    {"binance A --status 0200", "--status takes 200 to 599"},
	    {"binance A --status -20", "--status takes 200 to 599"},
	    {"binance A --status 200 --status 200", "--status twice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		assert_int_equal(run(calls[i][0], ticker, strlen(ticker)), 1);
		assert_string_equal(output, "");
		assert_non_null(strstr(complaint, calls[i][1]));
		assert_non_null(strstr(complaint, "usage: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prices),
	    cmocka_unit_test(errors),
	    cmocka_unit_test(too_large),
	    cmocka_unit_test(wrong_calls),
	};

	return cmocka_run_group_tests_name("parse_command", tests, NULL, NULL);
}
