/* plan_fetch: what --check says of "fetch". */
#include "oracle/plan_fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config config;
static char text[4096];

static void allow(const char *hostname, const char *prefix)
{
	struct config_fetch_allow *entry =
	    &config.fetch.allow[config.fetch.allow_count++];

	snprintf(entry->hostname, sizeof(entry->hostname), "%s", hostname);
	snprintf(entry->path_prefix, sizeof(entry->path_prefix), "%s", prefix);
	entry->port = 443;
}

static const char *print(void)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	text[0] = '\0';
	plan_fetch_print(&config, out);
	fclose(out);
	return text;
}

static int up(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	config.fetch.per_minute = 30;
	config.fetch.max_bytes = 1000;
	return 0;
}

static void off(void **state)
{
	(void)state;
	assert_string_equal(print(), "");
}

static void each_entry(void **state)
{
	(void)state;
	allow("a.example", "/x");
	allow("a.example", "/y");
	print();
	assert_non_null(strstr(
	    text, "30 a minute to one host, answers of at most 1000 bytes"));
	assert_non_null(
	    strstr(text, "fetch         https://a.example:443/x\n"));
	assert_non_null(
	    strstr(text, "fetch         https://a.example:443/y\n"));
	assert_null(strstr(text, "warning"));
}

/* Feeds have half of the limit at the most; those who fetch another half. */
static void a_limit_that_may_be_passed(void **state)
{
	const struct exchange *kraken = exchange_find("kraken");
	unsigned feeds = 60000 / kraken->spacing_ms;
	const char *first;

	(void)state;
	allow(kraken->host, "/0/public/Ticker");
	allow(kraken->host, "/0/public/Time");
	config.fetch.per_minute = kraken->limit_per_min;
	assert_null(strstr(print(), "warning")); /* no feed uses it */
	config.fetch.per_minute++;
	first = strstr(print(), "warning: fetch: kraken has a limit of");
	assert_non_null(first);
	assert_null(strstr(first + 1, "warning")); /* once for a host */
	config.feeds.count = 1;
	config.feeds.feeds[0].source_count = 1;
	config.feeds.feeds[0].sources[0].exchange = kraken;
	config.fetch.per_minute = kraken->limit_per_min - feeds;
	assert_null(strstr(print(), "warning"));
	config.fetch.per_minute++;
	assert_non_null(strstr(print(), "warning: fetch: kraken"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(off, up),
	    cmocka_unit_test_setup(each_entry, up),
	    cmocka_unit_test_setup(a_limit_that_may_be_passed, up),
	};

	return cmocka_run_group_tests_name("plan_fetch", tests, NULL, NULL);
}
