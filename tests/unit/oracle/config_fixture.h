/*
 * config_fixture: configurations for the tests of their parts, each loaded as a
 * file of a folder of its own. The test includes cmocka first.
 */
#ifndef HALLMARK_TESTS_ORACLE_CONFIG_FIXTURE_H
#define HALLMARK_TESTS_ORACLE_CONFIG_FIXTURE_H

#include "base/file.h"
#include "oracle/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_FEEDS                                                       \
	"\"feeds\":[{\"feed\":\"BTC-USD\",\"decimals\":8,\"interval_ms\":" \
	"1000,\"max_age_ms\":5000,\"min_sources\":1,\"sources\":[{"        \
	"\"exchange\":\"kraken\",\"symbol\":\"XBTUSD\"}]}]"

static struct config config;
static char error[CONFIG_ERROR_MAX];
/* Where the last file was: what its relative paths begin with. */
static char config_dir[64];

/* 0; or -1, and `error` says why. */
static inline int config_text(const char *text)
{
	char path[80];
	int status;

	strcpy(config_dir, "/tmp/hallmark-config-XXXXXX");
	assert_non_null(mkdtemp(config_dir));
	snprintf(path, sizeof(path), "%s/oracle.json", config_dir);
	assert_int_equal(file_write(path, text, strlen(text), 0600), 0);
	error[0] = '\0';
	status = config_load(&config, path, error);
	unlink(path);
	rmdir(config_dir);
	assert_int_equal(error[0] == '\0', status == 0);
	return status;
}

/* The least that is a configuration, and these members: ",\"key\":{...}". */
static inline int config_with(const char *members)
{
	static const char least[] =
	    "{\"listen\":\"tcp://127.0.0.1:0\",\"attester\":\"simulated\","
	    "\"simulated_dir\":\"simulated\",\"ca_bundle\":\"ca.pem\"," CONFIG_FEEDS;
	char *text;
	int status;

	assert_true(asprintf(&text, "%s%s}", least, members) > 0);
	status = config_text(text);
	free(text);
	return status;
}

/* It is refused with these words among others, and nothing is left of it. */
static inline void config_refused(const char *members, const char *why)
{
	if (config_with(members) == 0)
		fail_msg("accepted: %s", members);
	if (!strstr(error, why))
		fail_msg("\"%s\" does not say \"%s\"", error, why);
	assert_int_equal(config.feeds.count, 0);
}

#endif
