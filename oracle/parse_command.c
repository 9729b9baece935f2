/* parse_command: see parse_command.h. */
#include "oracle/parse_command.h"

#include "base/file.h"
#include "feeds/exchanges/exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_OK    0
#define EXIT_USAGE 1
#define EXIT_ERROR 3 /* the answer holds no price */

static const char usage[] =
    "usage: hallmark-oracle --parse EXCHANGE SYMBOL [--status N] < body\n";

struct arguments {
	const struct exchange *exchange;
	const char *symbol;
	int status;
};

static int wrong(const char *what, const char *which)
{
	fprintf(stderr, "hallmark-oracle: %s%s\n%s", what, which, usage);
	return -1;
}

/* Three digits, 200 to 599. */
static int parse_status(int *out, const char *text)
{
	if (strlen(text) != 3 || strspn(text, "0123456789") != 3)
		return -1;
	*out = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
	return *out >= 200 && *out <= 599 ? 0 : -1;
}

static int parse_arguments(struct arguments *out, int argc, char **argv)
{
	const char *words[2] = {NULL, NULL};
	int count = 0;

	out->status = 0;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--status") == 0) {
			if (out->status != 0)
				return wrong("--status twice", "");
			if (i + 1 == argc ||
			    parse_status(&out->status, argv[++i]) != 0)
				return wrong("--status takes 200 to 599", "");
		} else if (argv[i][0] == '-' || count == 2) {
			return wrong("unexpected argument: ", argv[i]);
		} else {
			words[count++] = argv[i];
		}
	}
	if (count != 2 || words[1][0] == '\0')
		return wrong("an exchange and a symbol are needed", "");
	if (out->status == 0)
		out->status = 200;
	out->symbol = words[1];
	out->exchange = exchange_find(words[0]);
	return out->exchange != NULL ? 0
				     : wrong("unknown exchange: ", words[0]);
}

static int print_error(enum quote_error error)
{
	printf("{\"error\":\"%s\"}\n", quote_error_name(error));
	return EXIT_ERROR;
}

static void print_number(const char *key, bool has, struct decimal value)
{
	char text[DECIMAL_STRMAX];

	decimal_format(value, text);
	if (has)
		printf("\"%s\":\"%s\",", key, text);
	else
		printf("\"%s\":null,", key);
}

static int print_quote(const struct quote *quote)
{
	printf("{");
	print_number("last", quote->has_last, quote->last);
	print_number("bid", quote->has_bid, quote->bid);
	print_number("ask", quote->has_ask, quote->ask);
	if (quote->has_exchange_ms)
		printf("\"exchange_ms\":%" PRId64 "}\n", quote->exchange_ms);
	else
		printf("\"exchange_ms\":null}\n");
	return EXIT_OK;
}

int parse_command(int argc, char **argv)
{
	struct arguments arguments;
	enum quote_error error;
	struct quote quote;
	uint8_t *body;
	size_t len;
	int result;

	if (parse_arguments(&arguments, argc, argv) != 0)
		return EXIT_USAGE;
	result = file_read("-", EXCHANGE_BODY_MAX, &body, &len);
	if (result != 0 && result != -EFBIG) {
		fprintf(stderr, "hallmark-oracle: standard input: %s\n",
		    strerror(-result));
		return EXIT_USAGE;
	}
	error = result == -EFBIG ? QUOTE_TOO_LARGE
				 : exchange_parse(&quote, arguments.exchange,
				       arguments.symbol, arguments.status,
				       (const char *)body, len);
	free(body);
	result = error == QUOTE_OK ? print_quote(&quote) : print_error(error);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "hallmark-oracle: standard output: %s\n",
		    strerror(errno));
		return EXIT_USAGE;
	}
	return result;
}
