/* config: "fetch", what is read, that each wrong one is refused, and what an
 * allow-list allows. */
#include "verifier/fetched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/oracle/config_fixture.h"

/* One entry with this member in place of a good one. */
static const char *one(const char *member)
{
	static char text[1024];
	static const char *const good[][2] = {
	    {"\"hostname\"", "\"hostname\":\"api.kraken.com\""},
	    {"\"port\"", "\"port\":443"},
	    {"\"path_prefix\"", "\"path_prefix\":\"/0/public\""}};
	size_t len = (size_t)snprintf(
	    text, sizeof(text), ",\"fetch\":{\"allow\":[{%s", member);

	for (size_t i = 0; i < 3; i++)
		if (strncmp(member, good[i][0], strlen(good[i][0])) != 0)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s%s", len > 20 ? "," : "", good[i][1]);
	snprintf(text + len, sizeof(text) - len, "}]}");
	return text;
}

static void off_by_default(void **state)
{
	(void)state;
	assert_int_equal(config_with(""), 0);
	assert_int_equal(config.fetch.allow_count, 0);
	assert_false(config_fetch_allows(
	    &config.fetch, "api.kraken.com", 443, "/0/public"));
}

static void all_is_read(void **state)
{
	const struct config_fetch *f = &config.fetch;

	(void)state;
	assert_int_equal(
	    config_with(
		",\"fetch\":{\"allow\":[{\"hostname\":\"api.kraken.com\","
		"\"port\":443,\"path_prefix\":\"/0/public\"},"
		"{\"hostname\":\"a.example\",\"port\":8443,"
		"\"path_prefix\":\"/\"}],\"per_minute\":7,"
		"\"max_bytes\":524288}"),
	    0);
	assert_int_equal(f->allow_count, 2);
	assert_string_equal(f->allow[0].hostname, "api.kraken.com");
	assert_int_equal(f->allow[0].port, 443);
	assert_string_equal(f->allow[0].path_prefix, "/0/public");
	assert_string_equal(f->allow[1].hostname, "a.example");
	assert_int_equal(f->allow[1].port, 8443);
	assert_int_equal(f->per_minute, 7);
	assert_int_equal(f->max_bytes, 524288);
	assert_int_equal(config_with(one("\"port\":65535")), 0);
	assert_int_equal(f->per_minute, CONFIG_FETCH_PER_MINUTE);
	assert_int_equal(f->max_bytes, CONFIG_FETCH_BYTES);
}

static void wrong_entries(void **state)
{
	static const char *const hosts[] = {"API.kraken.com", "127.0.0.1",
	    "[::1]", "a.b.", "", "*.kraken.com", "a/b", "a:443", "a b"};
	static const char *const prefixes[] = {"", "0/public", "/0/../x",
	    "/0/%2e", "/0?a", "/0#a", "/0//a", "/0/..", "/0;a", "/a b", "/0/'a",
	    "/0/.a", "/a..b"};
	char member[400];

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snprintf(
		    member, sizeof(member), "\"hostname\":\"%s\"", hosts[i]);
		config_refused(one(member), "fetch: allow[0]: hostname");
	}
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		snprintf(member, sizeof(member), "\"path_prefix\":\"%s\"",
		    prefixes[i]);
		config_refused(one(member), "fetch: allow[0]: path_prefix");
	}
	config_refused(one("\"port\":0"), "port");
	config_refused(one("\"port\":65536"), "port");
	config_refused(one("\"port\":-1"), "port");
	config_refused(one("\"port\":\"443\""), "allow[0]");
	config_refused(one("\"headers\":{}"), "allow[0]");
	config_refused(
	    ",\"fetch\":{\"allow\":[{\"hostname\":\"a\",\"port\":1}]}",
	    "allow[0]");
	config_refused(",\"fetch\":{\"allow\":[1]}", "allow[0]");
}

static void longest_prefix(void **state)
{
	char member[600], letters[CONFIG_FETCH_PREFIX_MAX];

	(void)state;
	memset(letters, 'a', sizeof(letters));
	snprintf(member, sizeof(member), "\"path_prefix\":\"/%.*s\"",
	    CONFIG_FETCH_PREFIX_MAX - 2, letters);
	assert_int_equal(config_with(one(member)), 0);
	assert_int_equal(strlen(config.fetch.allow[0].path_prefix),
	    CONFIG_FETCH_PREFIX_MAX - 1);
	snprintf(member, sizeof(member), "\"path_prefix\":\"/%.*s\"",
	    CONFIG_FETCH_PREFIX_MAX - 1, letters);
	config_refused(one(member), "path_prefix");
}

#define ENTRY "{\"hostname\":\"a\",\"port\":1,\"path_prefix\":\"/\"}"

static void wrong_wholes(void **state)
{
	char text[8192] = ",\"fetch\":{\"allow\":[";

	(void)state;
	config_refused(",\"fetch\":1", "fetch");
	config_refused(",\"fetch\":{}", "fetch");
	config_refused(",\"fetch\":{\"allow\":[]}", "allow is an array of 1");
	config_refused(",\"fetch\":{\"allow\":{}}", "allow is an array of 1");
	config_refused(",\"fetch\":{\"allow\":[" ENTRY "," ENTRY "]}", "twice");
	config_refused(",\"fetch\":{\"allow\":[" ENTRY "],\"x\":1}", "fetch");
	config_refused(",\"fetch\":{\"allow\":[" ENTRY "],\"per_minute\":0}",
	    "per_minute: 1 to 600");
	config_refused(",\"fetch\":{\"allow\":[" ENTRY "],\"per_minute\":601}",
	    "per_minute: 1 to 600");
	config_refused(",\"fetch\":{\"allow\":[" ENTRY "],\"max_bytes\":0}",
	    "max_bytes: 1 to 524288");
	config_refused(",\"fetch\":{\"allow\":[" ENTRY
		       "],\"max_bytes\":524289}",
	    "max_bytes: 1 to 524288");
	for (int i = 0; i <= CONFIG_FETCH_ALLOW_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s{\"hostname\":\"a\",\"port\":%d,"
		    "\"path_prefix\":\"/\"}",
		    i > 0 ? "," : "", i + 1);
	strcat(text, "]}");
	config_refused(text, "allow is an array of 1 to 32");
}

/* ---- what is allowed ---- */

static bool allows(const char *prefix, const char *target)
{
	char member[300];

	snprintf(member, sizeof(member), "\"path_prefix\":\"%s\"", prefix);
	assert_int_equal(config_with(one(member)), 0);
	assert_true(fetched_is_path(target));
	return config_fetch_allows(
	    &config.fetch, "api.kraken.com", 443, target);
}

static void prefixes_end_where_segments_do(void **state)
{
	(void)state;
	assert_true(allows("/a/b", "/a/b"));
	assert_true(allows("/a/b", "/a/b/"));
	assert_true(allows("/a/b", "/a/b/c?d=e"));
	assert_true(allows("/a/b", "/a/b?"));
	assert_true(allows("/a/b", "/a/b?x=/c"));
	assert_false(allows("/a/b", "/a/bc"));
	assert_false(allows("/a/b", "/a/b.json"));
	assert_false(allows("/a/b", "/a/b,c"));
	assert_false(allows("/a/b", "/a"));
	assert_false(allows("/a/b", "/a/"));
	assert_false(allows("/a/b", "/a/B"));
	assert_false(allows("/a/b", "/c?/a/b"));
	assert_false(allows("/a/b", "/c/a/b"));
	assert_true(allows("/a/b/", "/a/b/"));
	assert_true(allows("/a/b/", "/a/b/c"));
	assert_true(allows("/a/b/", "/a/b/?c"));
	assert_false(allows("/a/b/", "/a/b"));
	assert_false(allows("/a/b/", "/a/b?c"));
	assert_true(allows("/", "/"));
	assert_true(allows("/", "/anything/at?all"));
}

/* Nothing that a firewall would ban our address for. */
static void wild_targets(void **state)
{
	static const char *const wild[] = {"/a/b?c='d", "/a/b?c=(d)",
	    "/a/b?c=%27", "/a/b?c=%3Cd", "/a/b?c=..", "/a/b?c=d/../e",
	    "/a/b?c=d;e", "/a/b?c=d+e", "/a/b?c=%20", "/a/b?c=$d", "/a/b?c=d*",
	    "/a/b?c=%2F", "/a/b?c=%00", "/a/b/'", "/a/b/.env", "/a/b/c..d",
	    "/a/b?c=/.git", "/a/b?c=%22%27", "/a/b?c=@d", "/a/b?c=%25"};

	(void)state;
	assert_true(allows("/a/b", "/a/b?c=%5B%22D%22%2c%22E%22%5d"));
	assert_true(allows("/a/b", "/a/b?c=d&e=f-g_h~i.j,k:l&m=n/o?p=%3a"));
	assert_true(allows("/a/b", "/a/b/BTC-USD/c.json"));
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++)
		if (allows("/a/b", wild[i]))
			fail_msg("%s was allowed", wild[i]);
}

static void host_and_port_too(void **state)
{
	const struct config_fetch *f = &config.fetch;

	(void)state;
	assert_int_equal(config_with(one("\"port\":443")), 0);
	assert_true(config_fetch_allows(f, "api.kraken.com", 443, "/0/public"));
	assert_false(config_fetch_allows(f, "api.kraken.com", 80, "/0/public"));
	assert_false(
	    config_fetch_allows(f, "api.kraken.com", 443 + 65536, "/0/public"));
	assert_false(config_fetch_allows(f, "kraken.com", 443, "/0/public"));
	assert_false(
	    config_fetch_allows(f, "x.api.kraken.com", 443, "/0/public"));
	assert_false(
	    config_fetch_allows(f, "api.kraken.com.evil", 443, "/0/public"));
	assert_false(config_fetch_allows(f, "", 443, "/0/public"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(off_by_default),
	    cmocka_unit_test(all_is_read),
	    cmocka_unit_test(wrong_entries),
	    cmocka_unit_test(longest_prefix),
	    cmocka_unit_test(wrong_wholes),
	    cmocka_unit_test(prefixes_end_where_segments_do),
	    cmocka_unit_test(wild_targets),
	    cmocka_unit_test(host_and_port_too),
	};

	return cmocka_run_group_tests_name("config_fetch", tests, NULL, NULL);
}
