#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/bridge_config.h"

static struct bridge_config config; /* too large for a stack */

static int parse(const char *text, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	return bridge_config_parse(
	    &config, text, strlen(text), "/etc/hallmark", error);
}

static void test_full(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(
	    parse("{ \"outbound\": [ {\"listen\": \"vsock://any:8443\","
		  "  \"allowlist\": \"allowlist.txt\"},"
		  " {\"listen\": \"unix:///run/b.sock\","
		  "  \"allowlist\": \"/srv/list\"} ],"
		  " \"inbound\": [ {\"listen\": \"tcp://0.0.0.0:8080\","
		  "  \"connect\": \"vsock://16:8080\","
		  "  \"proxy_protocol\": true} ],"
		  " \"metrics\": \"tcp://127.0.0.1:9\","
		  " \"connections_max\": 7, \"connect_timeout_ms\": 1,"
		  " \"request_timeout_ms\": 2, \"idle_timeout_ms\": 3,"
		  " \"connections_per_peer_max\": 4,"
		  " \"total_timeout_ms\": 5, \"drain_timeout_ms\": 0,"
		  " \"insecure_no_sandbox\": true }",
		error),
	    0);
	assert_int_equal(config.outbound_count, 2);
	assert_int_equal(config.outbound[0].listen.kind, ENDPOINT_VSOCK);
	assert_int_equal(config.outbound[0].listen.port, 8443);
	assert_string_equal(
	    config.outbound[0].allowlist, "/etc/hallmark/allowlist.txt");
	assert_string_equal(config.outbound[1].allowlist, "/srv/list");
	assert_int_equal(config.inbound_count, 1);
	assert_int_equal(config.inbound[0].connect.cid, 16);
	assert_int_equal(config.limits.connections_max, 7);
	assert_int_equal(config.limits.connect_timeout_ms, 1);
	assert_int_equal(config.limits.request_timeout_ms, 2);
	assert_int_equal(config.limits.idle_timeout_ms, 3);
	assert_int_equal(config.limits.connections_per_peer_max, 4);
	assert_int_equal(config.limits.total_timeout_ms, 5);
	assert_int_equal(config.limits.drain_timeout_ms, 0);
	assert_true(config.inbound[0].proxy_protocol);
	assert_true(config.has_metrics);
	assert_int_equal(config.metrics.port, 9);
	assert_true(config.insecure_no_sandbox);
}

/* Enclaves' configurations and logs; `listen` of one kind is another's, too. */
static void test_configuration_and_logs(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(
	    parse("{\"configuration\": [ {\"listen\": \"vsock://any:9001\","
		  "  \"file\": \"oracle.json\"},"
		  " {\"listen\": \"vsock://any:9011\","
		  "  \"file\": \"/srv/other.json\"} ],"
		  " \"logs\": [ {\"listen\": \"vsock://any:9002\"} ]}",
		error),
	    0);
	assert_int_equal(config.configuration_count, 2);
	assert_int_equal(config.configuration[0].listen.port, 9001);
	assert_string_equal(
	    config.configuration[0].file, "/etc/hallmark/oracle.json");
	assert_string_equal(config.configuration[1].file, "/srv/other.json");
	assert_int_equal(config.logs_count, 1);
	assert_int_equal(config.logs[0].listen.port, 9002);
}

/* All kinds in one order, each with its own place for a descriptor. */
static void test_listeners(void **state)
{
	static const unsigned ports[] = {1, 2, 3, 4};
	char error[BRIDGE_CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(
	    parse("{\"logs\": [ {\"listen\": \"vsock://any:4\"} ],"
		  "\"configuration\": [ {\"listen\": \"vsock://any:3\","
		  "  \"file\": \"c\"} ],"
		  "\"inbound\": [ {\"listen\": \"vsock://any:2\","
		  "  \"connect\": \"vsock://16:2\"} ],"
		  "\"outbound\": [ {\"listen\": \"vsock://any:1\","
		  "  \"allowlist\": \"a\"} ]}",
		error),
	    0);
	for (size_t n = 0; n < 4; n++) {
		assert_int_equal(
		    bridge_config_listener(&config, n)->port, ports[n]);
		*bridge_config_inherited(&config, n) = (int)n + 10;
	}
	assert_null(bridge_config_listener(&config, 4));
	assert_null(bridge_config_inherited(&config, 4));
	assert_int_equal(config.outbound[0].inherited, 10);
	assert_int_equal(config.inbound[0].inherited, 11);
	assert_int_equal(config.configuration[0].inherited, 12);
	assert_int_equal(config.logs[0].inherited, 13);
}

#define IN                                                    \
	"\"inbound\": [ {\"listen\": \"tcp://127.0.0.1:1\", " \
	"\"connect\": \"unix:///run/a\"} ]"

static void test_defaults(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(parse("{" IN "}", error), 0);
	assert_int_equal(config.outbound_count, 0);
	assert_int_equal(config.limits.connections_max, 1024);
	assert_int_equal(config.limits.connect_timeout_ms, 5000);
	assert_int_equal(config.limits.request_timeout_ms, 5000);
	assert_int_equal(config.limits.idle_timeout_ms, 120000);
	assert_int_equal(config.limits.connections_per_peer_max, 0);
	assert_int_equal(config.limits.total_timeout_ms, 0);
	assert_int_equal(config.limits.drain_timeout_ms, 5000);
	assert_false(config.inbound[0].proxy_protocol);
	assert_false(config.has_metrics);
	assert_false(config.insecure_no_sandbox);
}

static void refused(const char *text, const char *expected)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];

	if (parse(text, error) == 0)
		fail_msg("accepted: %s", text);
	if (strstr(error, expected) == NULL)
		fail_msg("%s: '%s' without '%s'", text, error, expected);
	assert_int_equal(config.inbound_count + config.outbound_count, 0);
}

static void test_refuses_json(void **state)
{
	(void)state;
	refused("", "line");
	refused("[]", "object");
	refused("{" IN "} x", "end of file");
	refused("{" IN "," IN "}", "duplicate");
	refused("{" IN ", \"metric\": 1}", "unpacked: metric");
	refused("{" IN ", \"metrics\": 1}", "Expected string");
	refused("{" IN ", \"insecure_no_sandbox\": 1}", "true or false");
	refused("{}", "neither");
	refused("{\"outbound\": [], \"inbound\": []}", "neither");
	refused("{\"outbound\": {}}", "not an array");
	refused("{\"inbound\": [1]}", "inbound[0]");
	refused(
	    "{\"inbound\": [{\"listen\": \"tcp://127.0.0.1:1\"}]}", "connect");
	refused("{\"outbound\": [{\"listen\": \"tcp://127.0.0.1:1\", "
		"\"allowlist\": \"a\", \"allow\": 1}]}",
	    "unpacked: allow");
	refused("{\"configuration\": [{\"listen\": \"tcp://127.0.0.1:1\"}]}",
	    "configuration[0]: ");
	refused("{\"configuration\": [{\"listen\": \"tcp://127.0.0.1:1\", "
		"\"file\": \"\"}]}",
	    "the path of a configuration is empty");
	refused("{\"logs\": [{\"listen\": \"tcp://127.0.0.1:1\", "
		"\"file\": \"a\"}]}",
	    "unpacked: file");
	refused("{\"logs\": [{}]}", "logs[0]: ");
	refused("{\"logs\": {}}", "not an array");
}

static void test_refuses_numbers(void **state)
{
	(void)state;
	refused("{" IN ", \"connections_max\": 0}", "connections_max");
	refused("{" IN ", \"connections_max\": 65537}", "connections_max");
	refused("{" IN ", \"connections_max\": 1.5}", "integer");
	refused("{" IN ", \"connections_max\": \"9\"}", "integer");
	refused("{" IN ", \"connect_timeout_ms\": -1}", "connect_timeout_ms");
	refused("{" IN ", \"request_timeout_ms\": 0}", "request_timeout_ms");
	refused("{" IN ", \"idle_timeout_ms\": 86400001}", "idle_timeout_ms");
	refused("{" IN ", \"total_timeout_ms\": -1}", "total_timeout_ms");
	refused("{" IN ", \"drain_timeout_ms\": true}", "drain_timeout_ms");
	refused("{" IN ", \"connections_per_peer_max\": 65537}",
	    "connections_per_peer_max");
}

static void rule_refused(
    const char *listen, const char *connect, const char *expected)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"inbound\": [{\"listen\": \"%s\", \"connect\": \"%s\"}]}",
	    listen, connect);
	refused(text, expected);
}

static void test_refuses_endpoints(void **state)
{
	(void)state;
	rule_refused("127.0.0.1:1", "tcp://127.0.0.1:2", "inbound[0].listen");
	rule_refused("tcp://localhost:1", "tcp://127.0.0.1:2", "a name");
	rule_refused("tcp://127.0.0.1:1", "http://a:2", "inbound[0].connect");
	rule_refused("tcp://127.0.0.1:1", "tcp://127.0.0.1:0", "port 0");
	rule_refused("tcp://127.0.0.1:1", "vsock://any:2", "any");
	refused("{" IN ", \"metrics\": \"127.0.0.1:9\"}", "metrics: not ");
	refused("{" IN ", \"metrics\": \"tcp://a:9\"}", "metrics: a name");
	refused("{\"outbound\": [{\"listen\": \"tcp://127.0.0.1:1\", "
		"\"allowlist\": \"\"}]}",
	    "empty");
}

static void test_one_listener_each(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];

	(void)state;
	refused("{" IN ", \"outbound\": [{\"listen\": \"tcp://127.0.0.1:1\", "
		"\"allowlist\": \"a\"}]}",
	    "listened at twice: tcp://127.0.0.1:1");
	refused("{" IN ", \"metrics\": \"tcp://127.0.0.1:1\"}",
	    "listened at twice: tcp://127.0.0.1:1");
	refused("{" IN ", \"logs\": [{\"listen\": \"tcp://127.0.0.1:1\"}]}",
	    "listened at twice: tcp://127.0.0.1:1");
	/* Port 0 is a free port: another one each time. */
	assert_int_equal(parse("{\"inbound\": ["
			       "{\"listen\": \"tcp://127.0.0.1:0\", "
			       "\"connect\": \"unix:///a\"},"
			       "{\"listen\": \"tcp://127.0.0.1:0\", "
			       "\"connect\": \"unix:///b\"}]}",
			     error),
	    0);
}

static void test_rule_ceiling(void **state)
{
	char text[4096] = "{\"inbound\": [", error[BRIDGE_CONFIG_ERROR_MAX];
	size_t len = strlen(text);

	(void)state;
	for (int i = 0; i <= BRIDGE_CONFIG_RULES_MAX; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s{\"listen\": \"unix:///a%d\", "
		    "\"connect\": \"unix:///b\"}",
		    i > 0 ? "," : "", i);
		if (i != BRIDGE_CONFIG_RULES_MAX - 1)
			continue;
		memcpy(text + len, "]}", 3);
		assert_int_equal(parse(text, error), 0);
	}
	memcpy(text + len, "]}", 3);
	refused(text, "more than 16 rules");
}

static void test_path_ceiling(void **state)
{
	static char text[PATH_MAX + 256], name[PATH_MAX];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	snprintf(text, sizeof(text),
	    "{\"outbound\": [{\"listen\": \"unix:///a\", "
	    "\"allowlist\": \"%s\"}]}",
	    name);
	refused(text, "too long");
}

static void test_load_says_what_is_wrong_with_the_file(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(
	    bridge_config_load(&config, "/nonexistent", error), -1);
	assert_string_equal(error, strerror(ENOENT));
}

/* The configuration that is shipped, and its allow-list. */
static void test_example(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX], *text = NULL;
	size_t len = 0;
	FILE *out;

	(void)state;
	if (access("deploy/bridge.json", R_OK) != 0 && getenv("CI") == NULL)
		skip();
	if (bridge_config_load(&config, "deploy/bridge.json", error) != 0)
		fail_msg("%s", error);
	/* The operator's own is not there. */
	assert_string_equal(config.configuration[0].file, "deploy/oracle.json");
	snprintf(config.configuration[0].file,
	    sizeof(config.configuration[0].file), "deploy/live.json");
	out = open_memstream(&text, &len);
	assert_non_null(out);
	if (bridge_config_print(&config, out, error) != 0)
		fail_msg("%s", error);
	fclose(out);
	assert_non_null(strstr(text, "outbound vsock://any:8443"));
	assert_non_null(strstr(text, "    allow api.kraken.com:443\n"));
	assert_non_null(strstr(text, "configuration vsock://any:9001"));
	assert_non_null(strstr(text, "logs vsock://any:9002"));
	assert_non_null(strstr(text, "connections_max 1024\n"));
	assert_non_null(strstr(text, "drain_timeout_ms 5000\n"));
	assert_non_null(strstr(text, "sandbox on\n"));
	free(text);
}

/* Whoever reads the plan sees what is not as usual. */
static void test_print_says_what_is_unusual(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX], *text = NULL;
	char path[] = "/tmp/hallmark-bridge-config-XXXXXX", wanted[128];
	int fd = mkstemp(path);
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	assert_int_equal(write(fd, "{}", 2), 2);
	close(fd);
	assert_int_equal(
	    parse("{\"inbound\": [{\"listen\": \"unix:///a\", \"connect\":"
		  " \"unix:///b\", \"proxy_protocol\": true}],"
		  " \"configuration\": [{\"listen\": \"unix:///c\","
		  "  \"file\": \"/nonexistent\"}],"
		  " \"logs\": [{\"listen\": \"unix:///l\"}],"
		  " \"metrics\": \"unix:///m\", \"insecure_no_sandbox\": true,"
		  " \"connections_per_peer_max\": 9}",
		error),
	    0);
	snprintf(config.configuration[0].file,
	    sizeof(config.configuration[0].file), "%s", path);
	assert_int_equal(bridge_config_print(&config, out, error), 0);
	fclose(out);
	unlink(path);
	assert_non_null(strstr(
	    text, "inbound unix:///a to unix:///b, with a PROXY header\n"));
	snprintf(wanted, sizeof(wanted),
	    "configuration unix:///c, hands out %s, 2 bytes\n", path);
	assert_non_null(strstr(text, wanted));
	assert_non_null(strstr(text, "logs unix:///l, at most 16384 bytes"));
	assert_non_null(strstr(text, "metrics unix:///m\n"));
	assert_non_null(strstr(text, "connections_per_peer_max 9\n"));
	assert_non_null(strstr(text, "sandbox off (insecure)\n"));
	free(text);
}

static void test_print_fails_without_configuration(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX], *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	assert_int_equal(
	    parse("{\"configuration\": [{\"listen\": \"unix:///c\","
		  "  \"file\": \"/nonexistent\"}]}",
		error),
	    0);
	assert_int_equal(bridge_config_print(&config, out, error), -1);
	assert_non_null(strstr(error, "/nonexistent: No such file"));
	fclose(out);
	free(text);
}

static void test_print_fails_without_allowlist(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX], *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	assert_int_equal(parse("{\"outbound\": [{\"listen\": \"unix:///a\", "
			       "\"allowlist\": \"/nonexistent\"}]}",
			     error),
	    0);
	assert_int_equal(bridge_config_print(&config, out, error), -1);
	assert_non_null(strstr(error, "/nonexistent: "));
	fclose(out);
	free(text);
}

/* What an enclave's kept key needs: one of each. */
static void test_key_rules(void **state)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];

	(void)state;
	assert_int_equal(parse("{\"keeper\": {\"listen\": \"vsock://any:3\","
			       " \"directory\": \"keys\"},"
			       " \"credentials\": {\"listen\":"
			       " \"vsock://any:4\"}}",
			     error),
	    0);
	assert_string_equal(config.keeper.directory, "/etc/hallmark/keys");
	assert_string_equal(config.credentials.imds.host, "169.254.169.254");
	assert_int_equal(config.credentials.imds.port, 80);
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(
		    bridge_config_listener(&config, n)->port, 3 + n);
		*bridge_config_inherited(&config, n) = 7 + (int)n;
	}
	assert_null(bridge_config_listener(&config, 2));
	assert_null(bridge_config_inherited(&config, 2));
	assert_int_equal(config.keeper.inherited, 7);
	assert_int_equal(config.credentials.inherited, 8);
}

static void test_bad_key_rules(void **state)
{
	(void)state;
	refused("{\"keeper\": []}", "keeper: ");
	refused("{\"keeper\": {\"listen\": \"unix:///k\"}}", "keeper: ");
	refused("{\"keeper\": {\"listen\": \"unix:///k\", \"directory\": "
		"\"\"}}",
	    "keeper.directory is empty");
	refused("{\"keeper\": {\"listen\": \"k\", \"directory\": \"d\"}}",
	    "keeper.listen: not ");
	refused("{\"keeper\": {\"listen\": \"unix:///k\", \"directory\": "
		"\"d\", \"more\": 1}}",
	    "keeper: ");
	refused("{\"credentials\": {}}", "credentials: ");
	refused("{\"credentials\": {\"listen\": \"unix:///c\", \"imds\": "
		"\"unix:///i\"}}",
	    "credentials.imds: not tcp");
	refused("{\"credentials\": {\"listen\": \"unix:///c\", \"imds\": "
		"\"tcp://127.0.0.1:0\"}}",
	    "credentials.imds: not tcp");
	refused("{\"keeper\": {\"listen\": \"unix:///k\", \"directory\": "
		"\"d\"}, \"credentials\": {\"listen\": \"unix:///k\"}}",
	    "listened at twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_key_rules),
	    cmocka_unit_test(test_bad_key_rules),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_configuration_and_logs),
	    cmocka_unit_test(test_listeners),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_refuses_json),
	    cmocka_unit_test(test_refuses_numbers),
	    cmocka_unit_test(test_refuses_endpoints),
	    cmocka_unit_test(test_one_listener_each),
	    cmocka_unit_test(test_rule_ceiling),
	    cmocka_unit_test(test_path_ceiling),
	    cmocka_unit_test(test_load_says_what_is_wrong_with_the_file),
	    cmocka_unit_test(test_example),
	    cmocka_unit_test(test_print_says_what_is_unusual),
	    cmocka_unit_test(test_print_fails_without_configuration),
	    cmocka_unit_test(test_print_fails_without_allowlist),
	};

	return cmocka_run_group_tests_name("bridge_config", tests, NULL, NULL);
}
