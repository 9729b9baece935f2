/* config_peers: what "peers" and "quorum" say, and what they may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/oracle/config_fixture.h"

#define REST                                                           \
	"\"listen\":\"tcp://127.0.0.1:0\",\"attester\":\"simulated\"," \
	"\"simulated_dir\":\"s\",\"ca_bundle\":\"ca.pem\"," CONFIG_FEEDS
#define WITH(more)  "{" REST "," more "}"
#define LISTEN      "\"listen\":\"unix://./p.sock\""
#define CONNECT     "\"connect\":[\"tcp://h:1\"]"
#define PEERS(more) WITH("\"peers\":{" LISTEN "," CONNECT more "}")

static void test_absent(void **state)
{
	(void)state;
	assert_int_equal(config_text("{" REST "}"), 0);
	assert_int_equal(config.peers.connect_count, 0);
	assert_int_equal(config.quorum, 0);
}

static void test_defaults(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(config_text(PEERS("")), 0);
	snprintf(path, sizeof(path), "%s/p.sock", config_dir);
	assert_int_equal(config.peers.listen.kind, ENDPOINT_UNIX);
	assert_string_equal(config.peers.listen.path, path);
	assert_int_equal(config.peers.connect_count, 1);
	assert_string_equal(config.peers.connect[0].host, "h");
	assert_int_equal(config.peers.max_disagreement_bps, 50);
	assert_int_equal(config.peers.wait_ms, 250);
	assert_int_equal(config.quorum, 0);
}

static void test_all(void **state)
{
	(void)state;
	assert_int_equal(
	    config_text(
		WITH("\"quorum\":2,\"peers\":{\"listen\":\"vsock://any:9000\","
		     "\"connect\":[\"vsock://3:1\",\"unix:///x\"],"
		     "\"max_disagreement_bps\":7,\"wait_ms\":100}")),
	    0);
	assert_int_equal(config.peers.connect_count, 2);
	assert_int_equal(config.peers.max_disagreement_bps, 7);
	assert_int_equal(config.peers.wait_ms, 100);
	assert_int_equal(config.quorum, 2);
}

/* With a socket each beside their files, oracles of one machine are peers. */
static void test_relative(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(
	    config_text(
		WITH("\"proxy\":\"unix://./out.sock\",\"peers\":{" LISTEN
		     ",\"connect\":[\"unix://./b.sock\",\"tcp://h:1\"]}")),
	    0);
	snprintf(path, sizeof(path), "%s/out.sock", config_dir);
	assert_string_equal(config.proxy.path, path);
	snprintf(path, sizeof(path), "%s/b.sock", config_dir);
	assert_string_equal(config.peers.connect[0].path, path);
}

#define DIALS(to) WITH("\"peers\":{" LISTEN ",\"connect\":[\"" to "\"]}")
#define PROXIED(to)                          \
	WITH("\"proxy\":\"vsock://3:8443\"," \
	     "\"peers\":{" LISTEN ",\"connect\":[\"" to "\"]}")

/* What could never be dialed, and why. */
static void test_unreachable(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	    {DIALS("tcp://h:0"), "neither port 0"},
	    {DIALS("vsock://any:9000"), "nor \"any\""},
	    {PROXIED("tcp://10.0.0.1:9000"), "a name is needed"},
	    {PROXIED("tcp://[2001:db8::1]:9000"), "a name is needed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(config_text(bad[i].text), -1);
		assert_non_null(strstr(error, bad[i].why));
		assert_non_null(strstr(error, "peers.connect: \""));
	}
	assert_int_equal(config_text(DIALS("tcp://10.0.0.1:9000")), 0);
	assert_int_equal(config_text(PROXIED("tcp://b.example:9000")), 0);
	assert_int_equal(config_text(PROXIED("vsock://3:9000")), 0);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
	    WITH("\"quorum\":1"),
	    WITH("\"peers\":[]"),
	    WITH("\"peers\":{}"),
	    WITH("\"peers\":{" LISTEN "}"),
	    WITH("\"peers\":{" CONNECT "}"),
	    WITH("\"peers\":{" LISTEN ",\"connect\":[]}"),
	    WITH("\"peers\":{" LISTEN ",\"connect\":\"tcp://h:1\"}"),
	    WITH("\"peers\":{" LISTEN ",\"connect\":[1]}"),
	    WITH("\"peers\":{" LISTEN ",\"connect\":[\"h:1\"]}"),
	    WITH("\"peers\":{\"listen\":\"unix://./\"," CONNECT "}"),
	    WITH("\"peers\":{\"listen\":\"x\"," CONNECT "}"),
	    WITH("\"peers\":{" LISTEN ",\"connect\":["
		 "\"tcp://h:1\",\"tcp://h:1\",\"tcp://h:1\",\"tcp://h:1\","
		 "\"tcp://h:1\",\"tcp://h:1\",\"tcp://h:1\",\"tcp://h:1\","
		 "\"tcp://h:1\"]}"),
	    PEERS(",\"more\":1"),
	    PEERS(",\"wait_ms\":0"),
	    PEERS(",\"wait_ms\":5001"),
	    PEERS(",\"wait_ms\":1.5"),
	    PEERS(",\"max_disagreement_bps\":0"),
	    PEERS(",\"max_disagreement_bps\":10001"),
	    WITH("\"quorum\":-1,\"peers\":{" LISTEN "," CONNECT "}"),
	    WITH("\"quorum\":5,\"peers\":{" LISTEN "," CONNECT "}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error[0] = '\0';
		if (config_text(bad[i]) == 0 || error[0] == '\0')
			fail_msg("%s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_relative),
	    cmocka_unit_test(test_unreachable),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("config_peers", tests, NULL, NULL);
}
