/*
 * sight: see sight.h. The samples of a family stand together, so each family
 * has a function that says all that it has about one rule.
 */
#include "vsock-bridge/sight.h"

#include "vsock-bridge/relay.h"

#include <assert.h>
#include <stdio.h>

#define PREFIX "vsock_bridge_"

static const char *const directions[SIGHT_DIRECTION_COUNT] = {
    "outbound", "inbound", "configuration", "logs", "keeper", "credentials"};

static const char *const reasons[] = {
#define X(name, text) text,
    SIGHT_REASON_TABLE(X)
#undef X
};

static const char *const outcomes[] = {
#define X(name, text) text,
    SIGHT_OUTCOME_TABLE(X)
#undef X
};

struct sight_rule *sight_add(
    struct sight *sight, enum sight_direction direction, const char *listen)
{
	struct sight_rule *rule;

	assert(sight->count < SIGHT_RULES_MAX);
	rule = &sight->rules[sight->count++];
	rule->direction = direction;
	snprintf(rule->listen, sizeof(rule->listen), "%s", listen);
	return rule;
}

void sight_opened(struct sight_rule *rule)
{
	rule->opened++;
}

void sight_refused(struct sight_rule *rule, enum sight_reason reason)
{
	assert(reason < SIGHT_REASON_COUNT);
	rule->refused[reason]++;
}

void sight_closed(struct sight_rule *rule, enum sight_outcome outcome,
    uint64_t bytes_from_client, uint64_t bytes_to_client)
{
	assert(outcome < SIGHT_OUTCOME_COUNT);
	rule->closed[outcome]++;
	rule->bytes_from_client += bytes_from_client;
	rule->bytes_to_client += bytes_to_client;
}

enum sight_outcome sight_outcome_of(int relay_result)
{
	switch (relay_result) {
	case 0:
		return SIGHT_COMPLETED;
	case UV_ETIMEDOUT:
		return SIGHT_IDLE;
	case RELAY_OVERTIME:
		return SIGHT_OVERTIME;
	case UV_ECANCELED:
		return SIGHT_STOPPED;
	default:
		return SIGHT_BROKEN;
	}
}

void sight_dns_ms(struct sight_rule *rule, uint64_t ms)
{
	metrics_histogram_add(&rule->dns, ms);
}

void sight_connect_ms(struct sight_rule *rule, uint64_t ms)
{
	metrics_histogram_add(&rule->connect, ms);
}

void sight_reloaded(struct sight_rule *rule, bool good)
{
	if (good)
		rule->reloads++;
	else
		rule->bad_reloads++;
}

uint64_t sight_open(const struct sight_rule *rule)
{
	uint64_t over = 0;

	for (size_t i = 0; i < SIGHT_REASON_COUNT; i++)
		over += rule->refused[i];
	for (size_t i = 0; i < SIGHT_OUTCOME_COUNT; i++)
		over += rule->closed[i];
	assert(over <= rule->opened);
	return rule->opened - over;
}

/* ---- rendering ---- */

/* The third label of a sample, if it has one. */
static void put(struct metrics_text *metrics, const struct sight_rule *rule,
    const char *name, const char *value, uint64_t number)
{
	const struct metrics_label labels[] = {
	    {"direction", directions[rule->direction]},
	    {"listen", rule->listen}, {name, value}, {NULL, NULL}};

	metrics_text_sample(metrics, labels, (int64_t)number);
}

static void put_opened(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	put(metrics, rule, NULL, NULL, rule->opened);
}

static void put_open(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	put(metrics, rule, NULL, NULL, sight_open(rule));
}

static void put_closed(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	for (size_t i = 0; i < SIGHT_OUTCOME_COUNT; i++)
		put(metrics, rule, "outcome", outcomes[i], rule->closed[i]);
}

static void put_refused(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	for (size_t i = 0; i < SIGHT_REASON_COUNT; i++)
		put(metrics, rule, "reason", reasons[i], rule->refused[i]);
}

static void put_bytes(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	put(metrics, rule, "from", "client", rule->bytes_from_client);
	put(metrics, rule, "from", "upstream", rule->bytes_to_client);
}

static void put_histogram(struct metrics_text *metrics,
    const struct sight_rule *rule, const struct metrics_histogram *histogram)
{
	const struct metrics_label labels[] = {
	    {"direction", directions[rule->direction]},
	    {"listen", rule->listen}, {NULL, NULL}};

	metrics_text_histogram(metrics, labels, histogram);
}

/* Inbound rules look nothing up. */
static void put_dns(struct metrics_text *metrics, const struct sight_rule *rule)
{
	if (rule->direction == SIGHT_OUTBOUND)
		put_histogram(metrics, rule, &rule->dns);
}

static void put_connect(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	if (rule->direction == SIGHT_OUTBOUND ||
	    rule->direction == SIGHT_INBOUND)
		put_histogram(metrics, rule, &rule->connect);
}

static void put_pauses(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	put(metrics, rule, NULL, NULL, rule->accept_pauses);
}

static void put_reloads(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	if (rule->direction != SIGHT_OUTBOUND)
		return;
	put(metrics, rule, "result", "taken", rule->reloads);
	put(metrics, rule, "result", "invalid", rule->bad_reloads);
}

static void put_configuration_reloads(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	if (rule->direction != SIGHT_CONFIGURATION)
		return;
	put(metrics, rule, "result", "taken", rule->reloads);
	put(metrics, rule, "result", "invalid", rule->bad_reloads);
}

static void put_lines(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	if (rule->direction != SIGHT_LOGS)
		return;
	put(metrics, rule, "form", "whole", rule->lines);
	put(metrics, rule, "form", "cut", rule->cut_lines);
}

static void put_paces(
    struct metrics_text *metrics, const struct sight_rule *rule)
{
	if (rule->direction == SIGHT_LOGS)
		put(metrics, rule, NULL, NULL, rule->paces);
}

static const struct family {
	const char *name, *type, *help;
	void (*put)(
	    struct metrics_text *metrics, const struct sight_rule *rule);
} families[] = {
    {PREFIX "connections_opened_total", "counter", "Connections accepted.",
	put_opened},
    {PREFIX "connections_open", "gauge", "Connections that are open now.",
	put_open},
    {PREFIX "connections_closed_total", "counter",
	"Connections that ended and were not refused, by how.", put_closed},
    {PREFIX "connections_refused_total", "counter",
	"Connections that got nothing, by why.", put_refused},
    {PREFIX "bytes_total", "counter",
	"Bytes of connections that have ended, by who sent them.", put_bytes},
    {PREFIX "dns_seconds", "histogram",
	"How long lookups took, failed ones too.", put_dns},
    {PREFIX "connect_seconds", "histogram",
	"How long connecting took, failed attempts too.", put_connect},
    {PREFIX "accept_pauses_total", "counter",
	"Times that accepting paused: no descriptors or memory.", put_pauses},
    {PREFIX "allowlist_reloads_total", "counter",
	"Times that the allow-list was read again; invalid: the old one kept.",
	put_reloads},
    {PREFIX "configuration_reloads_total", "counter",
	"Times that an enclave's configuration was read again.",
	put_configuration_reloads},
    {PREFIX "log_lines_total", "counter",
	"Lines of enclaves' logs; cut: too long, or without an end.",
	put_lines},
    {PREFIX "log_paces_total", "counter",
	"Times that an enclave's log was let wait: more than is written.",
	put_paces},
};

void sight_render(const struct sight *sight, struct metrics_text *metrics)
{
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		metrics_text_family(metrics, families[f].name, families[f].type,
		    families[f].help);
		for (size_t i = 0; i < sight->count; i++)
			families[f].put(metrics, &sight->rules[i]);
	}
}
