/* replay_options: each form of the arguments, each mistake and what is said
 * about it; and the oracle's configuration. */
#include "verifier/cli/replay_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct replay_command options;

#define COMMAND "replay"
#define OPTIONS_PARSE(argc, argv) \
	replay_options_parse(&options, argc, argv, error)
#include "tests/unit/cli/options_fixture.h"

static void good(void **state)
{
	(void)state;
	GOOD("a.db", "--policy", "p.json");
	assert_int_equal(options.archive_count, 1);
	assert_string_equal(options.archives[0], "a.db");
	assert_string_equal(options.trust.policy, "p.json");
	assert_true(options.has_trust);
	assert_int_equal(options.jobs, 0);
	assert_false(options.live || options.json || options.no_prices);
	GOOD("--json", "a.db", "--root", "aws-nitro-g1", "--pcr", "0:" P48,
	    "--config", "c.json", "--jobs", "64", "--at", "now", "b.db", "-");
	assert_int_equal(options.archive_count, 3);
	assert_string_equal(options.archives[2], "-");
	assert_string_equal(options.config, "c.json");
	assert_int_equal(options.jobs, 64);
	assert_true(options.live && options.json);
	GOOD("a.db", "--policy", "p", "--at", "published", "--no-prices");
	assert_true(options.no_prices);
	/* a bundle has a policy of its own: seen when it is opened */
	GOOD("bundle.json");
	assert_false(options.has_trust);
}

static void bad(void **state)
{
	(void)state;
	BAD("which ARCHIVE?", "--policy", "p");
	BAD("what would you accept?", "a.db", "b.db");
	BAD("either --policy", "a.db", "--policy", "p", "--root", "r");
	BAD("--policy is given twice", "a.db", "--policy", "p", "--policy",
	    "q");
	BAD("--config is given twice", "a.db", "--config", "p", "--config",
	    "q");
	BAD("wanted 1 to 64", "a.db", "--policy", "p", "--jobs", "0");
	BAD("wanted 1 to 64", "a.db", "--policy", "p", "--jobs", "65");
	BAD("wanted 1 to 64", "a.db", "--policy", "p", "--jobs", "-1");
	BAD("wanted 1 to 64", "a.db", "--policy", "p", "--jobs", "2x");
	BAD("wanted 1 to 64", "a.db", "--policy", "p", "--jobs", "");
	BAD("wanted published or now", "a.db", "--policy", "p", "--at",
	    "2026-11-01T00:00:00Z");
	BAD("--no-prices", "a.db", "--policy", "p", "--config", "c",
	    "--no-prices");
	BAD("--nonsense", "a.db", "--nonsense");
}

/* ---- the configuration ---- */

#define FEEDS                                                                \
	"{\"listen\":\"x\",\"feeds\":[{\"feed\":\"BTC-USD\",\"decimals\":2," \
	"\"interval_ms\":1000,\"max_age_ms\":5000,\"min_sources\":1,"        \
	"\"sources\":[{\"exchange\":\"kraken\",\"symbol\":\"XBTUSD\"}]}]}"

static int load(const char *text)
{
	static struct feed_set set;
	char path[] = "/tmp/config-XXXXXX";
	uint8_t sha256[HM_SHA256_LEN];
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	error[0] = '\0';
	rc = replay_options_config(&set, sha256, path, error);
	unlink(path);
	assert_true(rc == 0 ? set.count == 1 : error[0] != '\0');
	return rc;
}

static void configuration(void **state)
{
	static struct feed_set set;
	uint8_t sha256[HM_SHA256_LEN];

	(void)state;
	assert_int_equal(load(FEEDS), 0);
	assert_int_equal(load("{}"), -1);
	assert_int_equal(load("[]"), -1);
	assert_int_equal(load(""), -1);
	assert_int_equal(load(FEEDS "x"), -1);
	assert_int_equal(load("{\"feeds\":[],\"feeds\":[]}"), -1);
	assert_int_equal(
	    replay_options_config(&set, sha256, "/nowhere/config", error), -1);
	assert_non_null(strstr(error, "/nowhere/config: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good),
	    cmocka_unit_test(bad),
	    cmocka_unit_test(configuration),
	};

	return cmocka_run_group_tests_name("replay_options", tests, NULL, NULL);
}
