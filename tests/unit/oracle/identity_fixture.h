/*
 * identity_fixture: a configuration of two feeds and a simulated identity in a
 * directory of its own, on a loop. Included by the tests of identity and of
 * what stands on it, after cmocka.h.
 */
#ifndef HALLMARK_TESTS_IDENTITY_FIXTURE_H
#define HALLMARK_TESTS_IDENTITY_FIXTURE_H

#include "base/file.h"
#include "base/log.h"
#include "oracle/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char config_text[] =
    "{\"listen\":\"tcp://127.0.0.1:0\",\"attester\":\"simulated\","
    "\"simulated_dir\":\"simulated\",\"ca_bundle\":\"ca.pem\",\"feeds\":["
    "{\"feed\":\"USDT-USD\",\"decimals\":6,\"interval_ms\":250,"
    "\"max_age_ms\":5000,\"min_sources\":1,\"sources\":["
    "{\"exchange\":\"kraken\",\"symbol\":\"USDTUSD\"}]},"
    "{\"feed\":\"BTC-USD\",\"decimals\":2,\"interval_ms\":250,"
    "\"max_age_ms\":5000,\"min_sources\":2,\"sources\":["
    "{\"exchange\":\"binance\",\"symbol\":\"BTCUSDT\",\"quote_feed\":"
    "\"USDT-USD\"},"
    "{\"exchange\":\"coinbase_exchange\",\"symbol\":\"BTC-USD\"}]}]}";

static char fixture_dir[64];
static struct config config;
static struct identity identity;
static uv_loop_t fixture_loop;
static unsigned documents_seen;

static void on_document(const struct attestation_document *document, void *data)
{
	(void)data;
	assert_true(document->len > 0);
	documents_seen++;
}

static inline void fixture_load_config(const char *text)
{
	char path[128], error[CONFIG_ERROR_MAX];

	snprintf(path, sizeof(path), "%s/config.json", fixture_dir);
	assert_int_equal(file_write(path, text, strlen(text), 0600), 0);
	assert_int_equal(config_load(&config, path, error), 0);
}

static inline int fixture_up(void **state)
{
	(void)state;
	snprintf(fixture_dir, sizeof(fixture_dir), "/tmp/test_identity.XXXXXX");
	assert_non_null(mkdtemp(fixture_dir));
	log_set_level(LOG_ERROR);
	assert_int_equal(uv_loop_init(&fixture_loop), 0);
	fixture_load_config(config_text);
	documents_seen = 0;
	identity_load(&identity, &config);
	identity_attest(&identity, &fixture_loop, on_document, NULL);
	return 0;
}

static inline void fixture_unlink(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", fixture_dir, name);
	if (unlink(path) != 0)
		rmdir(path);
}

/* The loop must be left with nothing in it. */
static inline int fixture_down(void **state)
{
	static const char *const names[] = {"simulated/simulated-root.pem",
	    "simulated/simulated-root-key.pem", "simulated/lock",
	    "simulated/.lock", "simulated", "config.json"};

	(void)state;
	attestation_stop(identity.attestation, NULL, NULL);
	uv_run(&fixture_loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture_loop), 0);
	identity_free(&identity);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		fixture_unlink(names[i]);
	assert_int_equal(rmdir(fixture_dir), 0);
	return 0;
}

#endif
