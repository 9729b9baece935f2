/* sight: every connection is counted once, and shown as it was counted. */
#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/relay.h"
#include "vsock-bridge/sight.h"

static struct sight sight;

static struct sight_rule *fresh(enum sight_direction direction)
{
	memset(&sight, 0, sizeof(sight));
	return sight_add(&sight, direction, "unix:///run/b.sock");
}

static char *rendered(void)
{
	struct metrics_text metrics;
	size_t len;

	metrics_text_init(&metrics);
	sight_render(&sight, &metrics);
	return metrics_text_finish(&metrics, &len);
}

static void shows(const char *line)
{
	char *text = rendered(), wanted[256];

	snprintf(wanted, sizeof(wanted),
	    "\n"
	    "vsock_bridge_%s\n",
	    line);
	if (strstr(text, wanted) == NULL)
		fail_msg("no %s in\n%s", line, text);
	free(text);
}

#define OUT        "direction=\"outbound\",listen=\"unix:///run/b.sock\""
#define IN         "direction=\"inbound\",listen=\"unix:///run/b.sock\""
#define KIND(kind) "direction=\"" kind "\",listen=\"unix:///run/b.sock\""

static void test_connections(void **state)
{
	struct sight_rule *rule = fresh(SIGHT_OUTBOUND);

	(void)state;
	for (int i = 0; i < 5; i++)
		sight_opened(rule);
	sight_refused(rule, SIGHT_NOT_ALLOWED);
	sight_closed(rule, SIGHT_COMPLETED, 10, 2000);
	sight_closed(rule, SIGHT_BROKEN, 1, 0);
	assert_int_equal(sight_open(rule), 2);
	shows("connections_opened_total{" OUT "} 5");
	shows("connections_open{" OUT "} 2");
	shows("connections_refused_total{" OUT ",reason=\"not_allowed\"} 1");
	shows("connections_refused_total{" OUT ",reason=\"not_tls\"} 0");
	shows("connections_closed_total{" OUT ",outcome=\"completed\"} 1");
	shows("connections_closed_total{" OUT ",outcome=\"broken\"} 1");
	shows("bytes_total{" OUT ",from=\"client\"} 11");
	shows("bytes_total{" OUT ",from=\"upstream\"} 2000");
}

/* Every reason and outcome has a sample of its own. */
static void test_every_reason(void **state)
{
	struct sight_rule *rule = fresh(SIGHT_INBOUND);
	unsigned count = 0;
	char *text;

	(void)state;
	for (unsigned r = 0; r < SIGHT_REASON_COUNT; r++) {
		sight_opened(rule);
		sight_refused(rule, (enum sight_reason)r);
	}
	for (unsigned o = 0; o < SIGHT_OUTCOME_COUNT; o++) {
		sight_opened(rule);
		sight_closed(rule, (enum sight_outcome)o, 0, 0);
	}
	assert_int_equal(sight_open(rule), 0);
	text = rendered();
	for (char *at = text; (at = strstr(at, "\"} 1\n")) != NULL; at++)
		count++;
	free(text);
	assert_int_equal(count, SIGHT_REASON_COUNT + SIGHT_OUTCOME_COUNT);
}

static void test_outcomes_of_relays(void **state)
{
	(void)state;
	assert_int_equal(sight_outcome_of(0), SIGHT_COMPLETED);
	assert_int_equal(sight_outcome_of(UV_ETIMEDOUT), SIGHT_IDLE);
	assert_int_equal(sight_outcome_of(UV_ECANCELED), SIGHT_STOPPED);
	assert_int_equal(sight_outcome_of(RELAY_OVERTIME), SIGHT_OVERTIME);
	assert_int_equal(sight_outcome_of(UV_ECONNRESET), SIGHT_BROKEN);
}

static void test_latencies(void **state)
{
	struct sight_rule *rule = fresh(SIGHT_OUTBOUND);

	(void)state;
	sight_dns_ms(rule, 7);
	sight_connect_ms(rule, 0);
	sight_connect_ms(rule, 60000);
	shows("dns_seconds_bucket{" OUT ",le=\"0.005\"} 0");
	shows("dns_seconds_bucket{" OUT ",le=\"0.010\"} 1");
	shows("dns_seconds_sum{" OUT "} 0.007");
	shows("connect_seconds_bucket{" OUT ",le=\"10.000\"} 1");
	shows("connect_seconds_count{" OUT "} 2");
}

/* What a rule never does is not shown. */
static void test_inbound_has_no_lookups(void **state)
{
	char *text;

	(void)state;
	fresh(SIGHT_INBOUND);
	shows("connect_seconds_count{" IN "} 0");
	text = rendered();
	assert_null(strstr(text, "dns_seconds_count"));
	assert_null(strstr(text, "allowlist_reloads_total{"));
	free(text);
}

/* Configurations and logs have what they do, and no more. */
static void test_enclaves(void **state)
{
	struct sight_rule *rule = fresh(SIGHT_CONFIGURATION);
	char *text;

	(void)state;
	sight_opened(rule);
	sight_closed(rule, SIGHT_COMPLETED, 0, 104);
	sight_reloaded(rule, true);
	sight_reloaded(rule, false);
	shows("bytes_total{" KIND("configuration") ",from=\"upstream\"} 104");
	shows("configuration_reloads_total{" KIND(
	    "configuration") ",result=\"taken\"} 1");
	shows("configuration_reloads_total{" KIND(
	    "configuration") ",result=\"invalid\"} 1");
	text = rendered();
	assert_null(strstr(text, "log_lines_total{"));
	assert_null(strstr(text, "connect_seconds_count{"));
	free(text);
	rule = fresh(SIGHT_LOGS);
	rule->lines = 7;
	rule->cut_lines = 2;
	rule->paces = 3;
	shows("log_lines_total{" KIND("logs") ",form=\"whole\"} 7");
	shows("log_lines_total{" KIND("logs") ",form=\"cut\"} 2");
	shows("log_paces_total{" KIND("logs") "} 3");
	text = rendered();
	assert_null(strstr(text, "reloads_total{"));
	free(text);
}

static void test_pauses_and_reloads(void **state)
{
	struct sight_rule *rule = fresh(SIGHT_OUTBOUND);

	(void)state;
	rule->accept_pauses++;
	sight_reloaded(rule, true);
	sight_reloaded(rule, true);
	sight_reloaded(rule, false);
	shows("accept_pauses_total{" OUT "} 1");
	shows("allowlist_reloads_total{" OUT ",result=\"taken\"} 2");
	shows("allowlist_reloads_total{" OUT ",result=\"invalid\"} 1");
}

static void test_all_rules(void **state)
{
	(void)state;
	memset(&sight, 0, sizeof(sight));
	for (int i = 0; i < SIGHT_RULES_MAX; i++) {
		char listen[ENDPOINT_TEXT_MAX];

		snprintf(listen, sizeof(listen), "vsock://any:%d", i);
		sight_opened(sight_add(
		    &sight, i % 2 ? SIGHT_INBOUND : SIGHT_OUTBOUND, listen));
	}
	shows("connections_open{direction=\"outbound\","
	      "listen=\"vsock://any:0\"} 1");
	shows("connections_open{direction=\"inbound\","
	      "listen=\"vsock://any:31\"} 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_connections),
	    cmocka_unit_test(test_every_reason),
	    cmocka_unit_test(test_outcomes_of_relays),
	    cmocka_unit_test(test_latencies),
	    cmocka_unit_test(test_inbound_has_no_lookups),
	    cmocka_unit_test(test_enclaves),
	    cmocka_unit_test(test_pauses_and_reloads),
	    cmocka_unit_test(test_all_rules),
	};

	return cmocka_run_group_tests_name("sight", tests, NULL, NULL);
}
