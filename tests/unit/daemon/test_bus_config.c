/* bus_config: what "nats" may say, and each way of saying it wrong. */
#include "verifier/daemon/bus_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct bus_config config;
static char error[BUS_ERROR_MAX];

static int read_text(const char *text)
{
	json_t *object = json_loads(text, 0, NULL);
	int rc;

	assert_non_null(object);
	error[0] = '\0';
	rc = bus_config_read(&config, "/etc/hallmark/v.json", object, error);
	json_decref(object);
	return rc;
}

/* Members that are added to the least that is needed. */
static void good(const char *more)
{
	char text[2048];

	snprintf(text, sizeof(text),
	    "{\"url\":\"nats://a:4222\",\"publish\":true%s}", more);
	if (read_text(text))
		fail_msg("%s: %s", more, error);
}

static void bad(const char *text, const char *why)
{
	static const struct bus_config none;

	if (read_text(text) == 0)
		fail_msg("taken: %s", text);
	if (!strstr(error, why))
		fail_msg("%s: no %s in %s", text, why, error);
	assert_memory_equal(&config, &none, sizeof(config));
}

static void wrong(const char *more, const char *why)
{
	char text[2048];

	snprintf(text, sizeof(text),
	    "{\"url\":\"tls://a:4222\",\"publish\":true%s}", more);
	bad(text, why);
}

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(bus_config_read(&config, "v.json", NULL, error), 0);
	assert_false(config.publish || config.subscribe);
}

static void test_defaults(void **state)
{
	(void)state;
	good("");
	assert_true(config.publish);
	assert_false(config.subscribe || config.tls);
	assert_string_equal(config.stream, "HALLMARK");
	assert_string_equal(config.subject, "hallmark");
	assert_string_equal(config.name, "nats://a:4222/HALLMARK");
	assert_int_equal(config.replicas, 1);
	assert_int_equal(config.max_age_s, 86400);
	assert_int_equal(config.from, BUS_FROM_LAST);
}

static void test_all(void **state)
{
	(void)state;
	assert_int_equal(
	    read_text("{\"url\":[\"tls://n1.example:4222\",\"tls://[::1]:5\"],"
		      "\"publish\":true,\"subscribe\":true,"
		      "\"consumer\":\"edge-1\",\"stream\":\"S_1\","
		      "\"subject\":\"prices.hallmark\",\"from\":\"all\","
		      "\"replicas\":3,\"max_age_s\":60,\"max_bytes\":1000,"
		      "\"user\":\"u\",\"password_file\":\"p\","
		      "\"credentials\":\"/c\",\"tls_ca\":\"ca\","
		      "\"tls_cert\":\"cert\",\"tls_key\":\"key\"}"),
	    0);
	assert_int_equal(config.url_count, 2);
	assert_string_equal(config.urls[1], "tls://[::1]:5");
	assert_true(config.tls && config.subscribe);
	assert_string_equal(config.consumer, "edge-1");
	assert_int_equal(config.from, BUS_FROM_ALL);
	assert_int_equal(config.max_bytes, 1000);
	/* Beside the configuration. */
	assert_string_equal(config.password_file, "/etc/hallmark/p");
	assert_string_equal(config.credentials, "/c");
	assert_string_equal(config.tls_ca, "/etc/hallmark/ca");
}

static void test_urls(void **state)
{
	(void)state;
	bad("{\"publish\":true}", "url");
	bad("{\"url\":3,\"publish\":true}", "url");
	bad("{\"url\":[],\"publish\":true}", "url: none");
	bad("{\"url\":\"http://a\",\"publish\":true}", "nats://");
	bad("{\"url\":\"nats://\",\"publish\":true}", "nats://");
	bad("{\"url\":\"nats://u:p@a:1\",\"publish\":true}", "password_file");
	bad("{\"url\":[\"nats://a\",\"tls://b\"],\"publish\":true}", "none");
	bad("{\"url\":[\"nats://a\",7],\"publish\":true}", "nats://");
	bad("{\"url\":[\"nats://1\",\"nats://2\",\"nats://3\",\"nats://4\","
	    "\"nats://5\",\"nats://6\",\"nats://7\",\"nats://8\","
	    "\"nats://9\"],\"publish\":true}",
	    "at most 8");
}

static void test_words(void **state)
{
	(void)state;
	bad("{\"url\":\"nats://a\"}", "publish or subscribe");
	bad("{\"url\":\"nats://a\",\"subscribe\":true}", "consumer");
	wrong(",\"more\":1", "more");
	wrong(",\"stream\":\"a.b\"", "stream");
	wrong(",\"stream\":\"\"", "stream");
	wrong(",\"subject\":\"a.>\"", "subject");
	wrong(",\"subject\":\"a..b\"", "subject");
	wrong(",\"subject\":\".a\"", "subject");
	wrong(",\"subject\":\"a.\"", "subject");
	wrong(",\"subject\":\"a b\"", "subject");
	wrong(",\"consumer\":\"a.b\"", "consumer");
	wrong(",\"consumer\":\"0123456789012345678901234567890123456789012345"
	      "678901234567890123456789\"",
	    "consumer");
	wrong(",\"from\":\"first\"", "from");
	wrong(",\"replicas\":0", "replicas");
	wrong(",\"replicas\":6", "replicas");
	wrong(",\"max_age_s\":-1", "max_age_s");
	wrong(",\"max_bytes\":-1", "max_bytes");
}

static void test_secrets(void **state)
{
	(void)state;
	wrong(",\"user\":\"u\"", "both or none");
	wrong(",\"password_file\":\"p\"", "both or none");
	wrong(",\"user\":\"u u\",\"password_file\":\"p\"", "user");
	wrong(",\"tls_cert\":\"c\"", "both or none");
	bad("{\"url\":\"nats://a\",\"publish\":true,\"tls_ca\":\"ca\"}",
	    "nats://");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests_name("bus_config", tests, NULL, NULL);
}
