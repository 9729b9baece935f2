/* verifierd_config, oracle_address, oracle_feeds: what is read and what is
 * refused. */
#include "verifier/daemon/verifierd_config.h"

#include "base/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct verifierd_config config;
static char error[VERIFIERD_CONFIG_ERROR_MAX];

static int load(const char *json)
{
	char path[] = "/tmp/config-XXXXXX";
	int fd = mkstemp(path);
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, strlen(json)), strlen(json));
	close(fd);
	error[0] = '\0';
	rc = verifierd_config_load(&config, path, error);
	unlink(path);
	return rc;
}

#define HEAD                                                       \
	"{\"listen\":\"tcp://127.0.0.1:0\",\"policy\":\"p.json\"," \
	"\"archive\":\"a.db\","

static void test_good(void **state)
{
	char plan[4096] = "";
	FILE *out;

	(void)state;
	assert_int_equal(load(HEAD "\"oracles\":[\"http://127.0.0.1:8080\","
				   "\"unix:///run/o.sock\"],"
				   "\"feeds\":[\"BTC-USD\",\"ETH-USD\"]}"),
	    0);
	assert_string_equal(config.policy, "/tmp/p.json");
	assert_string_equal(config.archive, "/tmp/a.db");
	assert_int_equal(config.oracle_count, 2);
	assert_string_equal(config.oracles[1].socket, "/run/o.sock");
	assert_true(config.limited);
	assert_string_equal(config.feeds.names[1], "ETH-USD");
	out = fmemopen(plan, sizeof(plan), "w");
	verifierd_config_print(&config, out);
	fclose(out);
	assert_non_null(strstr(plan, "unix:///run/o.sock"));
	assert_non_null(strstr(plan, "ETH-USD"));
	assert_int_equal(load(HEAD "\"oracles\":[\"https://o.example\"]}"), 0);
	assert_false(config.limited);
	assert_int_equal(config.requests_per_s, 100);
	assert_int_equal(config.requests_burst, 500);
	assert_int_equal(load(HEAD "\"oracles\":[\"https://o.example\"],"
				   "\"requests_per_s\":7,"
				   "\"requests_burst\":0}"),
	    0);
	assert_int_equal(config.requests_per_s, 7);
	assert_int_equal(config.requests_burst, 0);
	assert_false(config.archive_rotate);
	assert_int_equal(load(HEAD "\"oracles\":[\"https://o.example\"],"
				   "\"archive_rotate\":true}"),
	    0);
	assert_true(config.archive_rotate);
	assert_int_equal(config.archive_keep_days, 0);
	assert_int_equal(load(HEAD "\"oracles\":[\"https://o.example\"],"
				   "\"archive_rotate\":true,"
				   "\"archive_keep_days\":36500}"),
	    0);
	assert_int_equal(config.archive_keep_days, 36500);
	assert_false(config.archive_keep_raw);
	assert_int_equal(load(HEAD "\"oracles\":[\"https://o.example\"],"
				   "\"archive_keep_raw\":true}"),
	    0);
	assert_true(config.archive_keep_raw);
}

static void test_refused(void **state)
{
	static const char *const bad[][2] = {
	    {"", "line"},
	    {"{}", "listen"},
	    {"[]", ""},
	    {HEAD "\"oracles\":[]}", "oracles"},
	    {HEAD "\"oracles\":[\"http://a\"],\"archive_rotate\":1}",
		"true or false"},
	    {HEAD "\"oracles\":[\"http://a\"],\"archive_keep_days\":5}",
		"archive_rotate"},
	    {HEAD "\"oracles\":[\"http://a\"],\"archive_rotate\":true,"
		  "\"archive_keep_days\":0}",
		"1 to 36500"},
	    {HEAD "\"oracles\":[\"http://a\"],\"archive_rotate\":true,"
		  "\"archive_keep_days\":36501}",
		"1 to 36500"},
	    {HEAD "\"oracles\":\"http://a\"}", "oracles"},
	    {HEAD "\"oracles\":[7]}", "oracles[0]"},
	    {HEAD "\"oracles\":[\"ftp://a\"]}", "ftp://a"},
	    {HEAD "\"oracles\":[\"http://a\",\"http://a\"]}", "twice"},
	    {HEAD "\"oracles\":[\"http://a\"],\"more\":1}", "more"},
	    {HEAD "\"oracles\":[\"http://a\"],\"policy\":\"q\"}", "uplicate"},
	    {HEAD "\"oracles\":[\"http://a\"],\"feeds\":[]}", "feeds"},
	    {HEAD "\"oracles\":[\"http://a\"],\"requests_per_s\":-1}",
		"requests_per_s"},
	    {HEAD "\"oracles\":[\"http://a\"],\"requests_burst\":1000001}",
		"requests_burst"},
	    {HEAD "\"oracles\":[\"http://a\"],\"requests_burst\":0.5}",
		"integer"},
	    {HEAD "\"oracles\":[\"http://a\"],\"feeds\":[\"btc\"]}", "btc"},
	    {HEAD "\"oracles\":[\"http://a\"],\"feeds\":[\"A-B\",\"A-B\"]}",
		"twice"},
	    {"{\"listen\":\"8080\",\"policy\":\"p\",\"archive\":\"a\","
	     "\"oracles\":[\"http://a\"]}",
		"listen"},
	    {"{\"listen\":\"tcp://127.0.0.1:1\",\"policy\":\"\","
	     "\"archive\":\"a\",\"oracles\":[\"http://a\"]}",
		"policy"},
	    {HEAD "\"oracles\":[\"http://a\"]} trailing", "line"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (load(bad[i][0]) != -1 || !strstr(error, bad[i][1]))
			fail_msg("%s: \"%s\"", bad[i][0], error);
		assert_int_equal(config.oracle_count, 0);
	}
	assert_int_equal(
	    verifierd_config_load(&config, "/nonexistent", error), -1);
	assert_non_null(strstr(error, "No such file"));
}

static void test_addresses(void **state)
{
	static const char *const good[] = {
	    "http://127.0.0.1:8080",
	    "http://[::1]:8080/",
	    "https://oracle.example",
	    "https+attested://oracle.example:8443",
	    "https+attested://[::1]:8443/",
	    "unix:///run/hallmark/oracle.sock",
	};
	static const char *const bad[] = {
	    "",
	    "http://",
	    "http:///",
	    "https+attested://",
	    "https+attested://user@a",
	    "https+attested://a/path",
	    "https+attested:a",
	    "http+attested://a",
	    "ftp://a",
	    "file:///etc/passwd",
	    "tcp://127.0.0.1:1",
	    "vsock://3:1",
	    "http://user@a",
	    "http://user:pw@a",
	    "http://a/path",
	    "http://a?query",
	    "http://a#part",
	    "http://a:99999",
	    "http://a b",
	    "http://a\r\nX: y",
	    "unix://relative",
	    "HTTP://a",
	};
	struct oracle_address address;
	char longest[ENDPOINT_TEXT_MAX + 10] = "http://";

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(oracle_address_parse(&address, good[i]), 0);
		assert_string_equal(address.text, good[i]);
		assert_true(address.base[strlen(address.base) - 1] != '/');
		assert_int_equal(
		    address.attested, strstr(good[i], "attested") != NULL);
		assert_string_equal(address.pin, "");
	}
	assert_int_equal(oracle_address_parse(&address, good[3]), 0);
	assert_string_equal(address.base, "https://oracle.example:8443");
	oracle_address_pin(&address, (const uint8_t[32]){0});
	assert_string_equal(address.pin,
	    "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (oracle_address_parse(&address, bad[i]) != -1)
			fail_msg("accepted: %s", bad[i]);
		assert_string_equal(address.base, "");
	}
	memset(longest + 7, 'a', sizeof(longest) - 8);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(oracle_address_parse(&address, longest), -1);
}

static int parse(struct oracle_feeds *feeds, const char *json)
{
	return oracle_feeds_parse(feeds, json, strlen(json));
}

static void test_feeds(void **state)
{
	static const char *const bad[] = {
	    "",
	    "{}",
	    "{\"feeds\":7}",
	    "{\"feeds\":[7]}",
	    "{\"feeds\":[{}]}",
	    "{\"feeds\":[{\"feed\":7}]}",
	    "{\"feeds\":[{\"feed\":\"btc-usd\"}]}",
	    "{\"feeds\":[{\"feed\":\"BTC\"}]}",
	    "{\"feeds\":[{\"feed\":\"-USD\"}]}",
	    "{\"feeds\":[{\"feed\":\"BTC-\"}]}",
	    "{\"feeds\":[{\"feed\":\"BTC-USD-X\"}]}",
	    "{\"feeds\":[{\"feed\":\"A-B&feeds=C\"}]}",
	    "{\"feeds\":[{\"feed\":\"A-B\"},{\"feed\":\"A-B\"}]}",
	    "{\"feeds\":[{\"feed\":\"A-BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\"}]}",
	};
	struct oracle_feeds feeds;
	char many[16384] = "{\"feeds\":[", *end = many + strlen(many);

	(void)state;
	assert_int_equal(parse(&feeds, "{\"platform\":\"x\",\"feeds\":["
				       "{\"feed\":\"BTC-USD\",\"decimals\":8},"
				       "{\"feed\":\"1INCH-USD\"}]}"),
	    0);
	assert_int_equal(feeds.count, 2);
	assert_true(oracle_feeds_has(&feeds, "1INCH-USD"));
	assert_false(oracle_feeds_has(&feeds, "BTC"));
	assert_int_equal(parse(&feeds, "{\"feeds\":[]}"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(&feeds, bad[i]) != -1)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(feeds.count, 0);
	}
	for (int i = 0; i < ORACLE_FEEDS_MAX; i++)
		end += snprintf(
		    end, 32, "%s{\"feed\":\"A-%d\"}", i ? "," : "", i);
	snprintf(end, 3, "]}");
	assert_int_equal(parse(&feeds, many), 0);
	assert_int_equal(feeds.count, 256); /* all that an oracle can have */
	snprintf(end, 32, ",{\"feed\":\"B-USD\"}]}");
	assert_int_equal(parse(&feeds, many), -1);
}

/* Names of the greatest length; more than a stream can name are not named. */
static void test_stream(void **state)
{
	char target[ORACLE_TARGET_MAX];
	struct oracle_feeds feeds = {.count = 0};

	(void)state;
	oracle_feeds_stream(target, &feeds);
	assert_string_equal(target, "/stream?attestation=ref");
	for (size_t i = 0; i < SSE_TOPICS_MAX; i++)
		snprintf(feeds.names[feeds.count++], ORACLE_FEED_MAX,
		    "FEED%02zu-AAAAAAAAAAAAAAAAAAAAAAAA", i);
	oracle_feeds_stream(target, &feeds);
	assert_non_null(strstr(target, "ref&feeds=FEED00-AAAAAAAAAAAAAAAAAAAAAA"
				       "AA,FEED01-"));
	assert_string_equal(
	    strrchr(target, ','), ",FEED63-AAAAAAAAAAAAAAAAAAAAAAAA");
	snprintf(feeds.names[feeds.count++], ORACLE_FEED_MAX, "X-Y");
	oracle_feeds_stream(target, &feeds);
	assert_string_equal(target, "/stream?attestation=ref");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_feeds),
	    cmocka_unit_test(test_stream),
	};

	return cmocka_run_group_tests_name(
	    "verifierd_config", tests, NULL, NULL);
}
