/* config: what is read, and that each wrong file is refused by name. */
#include "oracle/config.h"

#include "base/rate_limit.h"
#include "oracle/plan.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/oracle/config_fixture.h"

#define NSM "\"listen\":\"vsock://any:8080\",\"attester\":\"nsm\","
#define CA  "\"ca_bundle\":\"ca.pem\","
#define PEM CERTIFICATES_BEGIN "\\n"

static void refused(const char *text, const char *why)
{
	assert_int_equal(config_text(text), -1);
	if (!strstr(error, why))
		fail_msg("\"%s\" does not say \"%s\"", error, why);
	assert_int_equal(config.feeds.count, 0);
}

static void the_design_example_is_read(void **state)
{
	static const char text[] =
	    "{" NSM "\"proxy\":\"vsock://3:8443\"," CA CONFIG_FEEDS "}";
	uint8_t wanted[SHA256_DIGEST_LENGTH];
	char ca[80];

	(void)state;
	assert_int_equal(config_text(text), 0);
	assert_int_equal(config.attester, CONFIG_NSM);
	assert_string_equal(config.nsm_device, "/dev/nsm");
	assert_int_equal(config.listen.kind, ENDPOINT_VSOCK);
	assert_true(config.has_proxy);
	assert_int_equal(config.proxy.cid, 3);
	assert_int_equal(config.feeds.count, 1);
	assert_false(config.insecure_allow_debug);
	assert_false(config.insecure_emulator);
	snprintf(ca, sizeof(ca), "%s/ca.pem", config_dir);
	assert_string_equal(config.ca_bundle, ca);
	SHA256((const uint8_t *)text, strlen(text), wanted);
	assert_memory_equal(config.sha256, wanted, sizeof(wanted));
}

static void a_proxy_is_optional(void **state)
{
	(void)state;
	assert_int_equal(config_text("{" NSM CA CONFIG_FEEDS "}"), 0);
	assert_false(config.has_proxy);
	assert_false(config.listen_proxy_protocol);
}

static void a_proxy_header_may_be_expected(void **state)
{
	(void)state;
	assert_int_equal(
	    config_text(
		"{" NSM "\"listen_proxy_protocol\":true," CA CONFIG_FEEDS "}"),
	    0);
	assert_true(config.listen_proxy_protocol);
	refused(
	    "{" NSM "\"listen_proxy_protocol\":1," CA CONFIG_FEEDS "}", "true");
}

static void tls_may_be_attested(void **state)
{
	(void)state;
	assert_int_equal(config_text("{" NSM CA CONFIG_FEEDS "}"), 0);
	assert_false(config.attested_tls);
	assert_int_equal(
	    config_text("{" NSM "\"tls\":\"attested\"," CA CONFIG_FEEDS "}"),
	    0);
	assert_true(config.attested_tls);
	refused("{" NSM "\"tls\":\"on\"," CA CONFIG_FEEDS "}", "attested");
	refused("{" NSM "\"tls\":true," CA CONFIG_FEEDS "}", "string");
}

static void heads_have_an_interval(void **state)
{
	(void)state;
	assert_int_equal(config_text("{" NSM CA CONFIG_FEEDS "}"), 0);
	assert_int_equal(config.tree_head_interval_ms, CONFIG_HEAD_INTERVAL_MS);
	assert_int_equal(
	    config_text(
		"{" NSM "\"tree_head_interval_ms\":200," CA CONFIG_FEEDS "}"),
	    0);
	assert_int_equal(config.tree_head_interval_ms, 200);
	assert_int_equal(config.keep_raw_s, 0);
	assert_int_equal(
	    config_text("{" NSM "\"keep_raw_s\":3600," CA CONFIG_FEEDS "}"), 0);
	assert_int_equal(config.keep_raw_s, 3600);
	refused(
	    "{" NSM "\"keep_raw_s\":-1," CA CONFIG_FEEDS "}", "keep_raw_s: 0");
	refused("{" NSM "\"keep_raw_s\":3601," CA CONFIG_FEEDS "}",
	    "keep_raw_s: 0");
	refused("{" NSM "\"tree_head_interval_ms\":199," CA CONFIG_FEEDS "}",
	    "200 to 600000");
	refused("{" NSM "\"tree_head_interval_ms\":600001," CA CONFIG_FEEDS "}",
	    "200 to 600000");
}

static void clients_may_be_limited(void **state)
{
	(void)state;
	assert_int_equal(config_text("{" NSM CA CONFIG_FEEDS "}"), 0);
	assert_int_equal(config.requests_per_s, RATE_LIMIT_PER_S);
	assert_int_equal(config.requests_burst, RATE_LIMIT_BURST);
	assert_int_equal(
	    config_text("{" NSM "\"requests_per_s\":0,"
			"\"requests_burst\":7," CA CONFIG_FEEDS "}"),
	    0);
	assert_int_equal(config.requests_per_s, 0);
	assert_int_equal(config.requests_burst, 7);
	refused("{" NSM "\"requests_per_s\":-1," CA CONFIG_FEEDS "}", "0 to");
	refused("{" NSM "\"requests_burst\":-1," CA CONFIG_FEEDS "}", "0 to");
	refused(
	    "{" NSM "\"requests_burst\":1000001," CA CONFIG_FEEDS "}", "0 to");
	refused(
	    "{" NSM "\"requests_per_s\":1.5," CA CONFIG_FEEDS "}", "integer");
}

/* --check says it in capitals, and nothing else is refused beside it. */
static void what_is_insecure_is_shown(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out;

	(void)state;
	refused("{" NSM "\"insecure_emulator\":1," CA CONFIG_FEEDS "}", "true");
	assert_int_equal(
	    config_text("{" NSM "\"insecure_emulator\":true,"
			"\"insecure_allow_debug\":true," CA CONFIG_FEEDS "}"),
	    0);
	assert_true(config.insecure_emulator);
	assert_true(config.insecure_allow_debug);
	out = open_memstream(&text, &len);
	plan_print(&config, out);
	fclose(out);
	assert_non_null(strstr(text, "INSECURE      publishes from a debug"));
	assert_non_null(strstr(text, "INSECURE      starts in an emulated"));
	free(text);
}

static void simulated_needs_a_directory(void **state)
{
	(void)state;
	refused("{\"listen\":\"tcp://127.0.0.1:0\",\"attester\":"
		"\"simulated\"," CA CONFIG_FEEDS "}",
	    "simulated_dir");
	refused("{" NSM "\"simulated_dir\":\"x\"," CA CONFIG_FEEDS "}",
	    "simulated_dir");
	assert_int_equal(
	    config_text(
		"{\"listen\":\"tcp://127.0.0.1:0\",\"attester\":"
		"\"simulated\",\"simulated_dir\":\"/s\"," CA CONFIG_FEEDS "}"),
	    0);
	assert_string_equal(config.simulated_dir, "/s");
}

static void another_root_is_for_an_nsm_only(void **state)
{
	char *text = NULL, root[80];
	size_t len;
	FILE *out;

	(void)state;
	assert_int_equal(config_text("{" NSM CA CONFIG_FEEDS "}"), 0);
	assert_string_equal(config.nsm_root, "");
	assert_int_equal(
	    config_text(
		"{" NSM "\"nsm_root\":\"root.pem\"," CA CONFIG_FEEDS "}"),
	    0);
	snprintf(root, sizeof(root), "%s/root.pem", config_dir);
	assert_string_equal(config.nsm_root, root);
	out = open_memstream(&text, &len);
	plan_print(&config, out);
	fclose(out);
	assert_non_null(strstr(text, root));
	free(text);
	refused("{" NSM "\"nsm_root\":\"\"," CA CONFIG_FEEDS "}", "nsm_root");
	refused("{\"listen\":\"tcp://127.0.0.1:0\",\"attester\":"
		"\"simulated\",\"simulated_dir\":\"/s\","
		"\"nsm_root\":\"root.pem\"," CA CONFIG_FEEDS "}",
	    "nsm_root");
}

/* So that an image without files of ours can be given roots. */
static void certificates_may_stand_in_it(void **state)
{
	static const char good[] = "{" NSM "\"nsm_root\":\"" PEM
				   "root\",\"ca_bundle\":\"" PEM
				   "ca\"," CONFIG_FEEDS "}";
	static char text[2 * CERTIFICATES_MAX];
	char *shown = NULL;
	size_t len;
	FILE *out;

	(void)state;
	assert_int_equal(config_text(good), 0);
	assert_string_equal(config.ca_bundle, CERTIFICATES_BEGIN "\nca");
	assert_string_equal(config.nsm_root, CERTIFICATES_BEGIN "\nroot");
	out = open_memstream(&shown, &len);
	plan_print(&config, out);
	fclose(out);
	assert_non_null(strstr(shown, "ca_bundle     (in the configuration)"));
	assert_null(strstr(shown, "BEGIN"));
	free(shown);
	snprintf(text, sizeof(text),
	    "{" NSM "\"ca_bundle\":\"" PEM "%0*d\"," CONFIG_FEEDS "}",
	    CERTIFICATES_MAX - (int)sizeof(CERTIFICATES_BEGIN) - 1, 0);
	assert_int_equal(config_text(text), 0);
	assert_int_equal(strlen(config.ca_bundle), CERTIFICATES_MAX - 1);
	snprintf(text, sizeof(text),
	    "{" NSM "\"ca_bundle\":\"" PEM "%0*d\"," CONFIG_FEEDS "}",
	    CERTIFICATES_MAX - (int)sizeof(CERTIFICATES_BEGIN), 0);
	refused(text, "ca_bundle: more than 16383 bytes");
	/* a path after all, and as long as one may be */
	snprintf(text, sizeof(text),
	    "{" NSM "\"ca_bundle\":\"x" PEM "%0*d\"," CONFIG_FEEDS "}",
	    CONFIG_PATH_MAX, 0);
	refused(text, "ca_bundle: the path");
}

static void wrong_files_are_refused_by_name(void **state)
{
	(void)state;
	refused("", "line 1");
	refused("[]", "configuration");
	refused("{" NSM CA CONFIG_FEEDS "} x", "line 1");
	refused("{" NSM CA CONFIG_FEEDS ",\"colour\":1}", "colour");
	refused("{" NSM NSM CA CONFIG_FEEDS "}", "duplicate");
	refused("{" NSM CONFIG_FEEDS "}", "ca_bundle");
	refused("{" NSM CA "\"feeds\":{}}", "feeds");
	refused("{\"listen\":\"http://x\",\"attester\":\"nsm\"," CA CONFIG_FEEDS
		"}",
	    "listen");
	refused("{\"listen\":\"tcp://127.0.0.1:1\",\"attester\":\"tpm\"," CA
		    CONFIG_FEEDS "}",
	    "attester");
	refused("{" NSM "\"proxy\":\"3:8443\"," CA CONFIG_FEEDS "}", "proxy");
	refused("{" NSM "\"ca_bundle\":\"\"," CONFIG_FEEDS "}", "ca_bundle");
}

static void a_missing_file_says_so(void **state)
{
	(void)state;
	assert_int_equal(config_load(&config, "/nonexistent/x", error), -1);
	assert_non_null(strstr(error, "No such file"));
}

static void put_large_feed(FILE *out, int i)
{
	fprintf(out,
	    "%s{\"feed\":\"ABCDE%03d-USDT\",\"decimals\":8,"
	    "\"interval_ms\":1000,\"max_age_ms\":5000,"
	    "\"exchange_max_age_ms\":60000,\"frozen_after_ms\":300000,"
	    "\"min_sources\":3,\"min_share_percent\":50,"
	    "\"max_deviation_bps\":200,\"outlier_mads\":5,"
	    "\"outlier_floor_bps\":50,\"max_jump_bps\":1000,"
	    "\"jump_share_percent\":60,\"sources\":[",
	    i > 0 ? "," : "", i);
	for (int s = 0; s < 15; s++)
		fprintf(out,
		    "%s{\"exchange\": \"coinbase_exchange\", \"symbol\": "
		    "\"ABCDE%03d-USDT%02d\", \"role\": \"vote\"}",
		    s > 0 ? "," : "", i, s);
	fputs("]}", out);
}

/* As many feeds as there may be, of 15 sources, every key in its place. */
static void the_largest(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	fputs("{" NSM CA "\"feeds\":[", out);
	for (int i = 0; i < FEEDS_MAX; i++)
		put_large_feed(out, i);
	fputs("]}", out);
	fclose(out);
	assert_true(len > 262144); /* what was once the limit */
	if (config_text(text) != 0)
		fail_msg("%s", error);
	assert_int_equal(config.feeds.count, FEEDS_MAX);
	free(text);
}

static void a_file_that_is_too_large(void **state)
{
	char *text = calloc(1, CONFIG_BYTES_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', CONFIG_BYTES_MAX + 1);
	refused(text, "too large: more than 1048576 bytes");
	free(text);
}

static void the_plan_names_each_request(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(config_text("{" NSM CA CONFIG_FEEDS "}"), 0);
	plan_print(&config, out);
	fclose(out);
	assert_non_null(
	    strstr(text, "https://api.kraken.com/0/public/Ticker?pair=XBTUSD"));
	assert_non_null(strstr(text, "exchanges are dialled directly"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_design_example_is_read),
	    cmocka_unit_test(a_proxy_is_optional),
	    cmocka_unit_test(a_proxy_header_may_be_expected),
	    cmocka_unit_test(tls_may_be_attested),
	    cmocka_unit_test(heads_have_an_interval),
	    cmocka_unit_test(clients_may_be_limited),
	    cmocka_unit_test(what_is_insecure_is_shown),
	    cmocka_unit_test(simulated_needs_a_directory),
	    cmocka_unit_test(another_root_is_for_an_nsm_only),
	    cmocka_unit_test(certificates_may_stand_in_it),
	    cmocka_unit_test(wrong_files_are_refused_by_name),
	    cmocka_unit_test(a_missing_file_says_so),
	    cmocka_unit_test(the_largest),
	    cmocka_unit_test(a_file_that_is_too_large),
	    cmocka_unit_test(the_plan_names_each_request),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
