/* bridge_plan: bridge_config_print, apart from the reading. */
#include "vsock-bridge/allowlist.h"
#include "vsock-bridge/bridge_config.h"
#include "vsock-bridge/handout.h"
#include "vsock-bridge/journal.h"

static void print_rules(const struct allowlist *list, FILE *out)
{
	char text[ALLOWLIST_RULE_TEXT_MAX];

	for (size_t i = 0; i < list->count; i++) {
		allowlist_format(&list->rules[i], text);
		fprintf(out, "    allow %s\n", text);
	}
	if (list->count == 0)
		fprintf(out, "    allow nothing\n");
}

static int print_outbound(const struct bridge_outbound *rule, FILE *out,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char listen[ENDPOINT_TEXT_MAX], why[ALLOWLIST_ERROR_MAX];
	struct allowlist *list = NULL;

	endpoint_format(&rule->listen, listen);
	if (allowlist_load(&list, rule->allowlist, why) != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%.200s: %s",
		    rule->allowlist, why);
		return -1;
	}
	fprintf(out, "outbound %s, CONNECT by %s\n", listen, rule->allowlist);
	print_rules(list, out);
	allowlist_free(list);
	return 0;
}

static int print_configuration(const struct bridge_configuration *rule,
    FILE *out, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char listen[ENDPOINT_TEXT_MAX];
	size_t len;

	endpoint_format(&rule->listen, listen);
	if (handout_check(rule->file, &len, error) != 0)
		return -1;
	fprintf(out, "configuration %s, hands out %s, %zu bytes\n", listen,
	    rule->file, len);
	return 0;
}

static void print_logs(const struct bridge_logs *rule, FILE *out)
{
	char listen[ENDPOINT_TEXT_MAX];

	endpoint_format(&rule->listen, listen);
	fprintf(out, "logs %s, at most %d bytes a second after %d\n", listen,
	    JOURNAL_PER_S, JOURNAL_BURST);
}

static void print_key_rules(const struct bridge_config *config, FILE *out)
{
	char listen[ENDPOINT_TEXT_MAX], imds[ENDPOINT_TEXT_MAX];

	if (config->keeper_count > 0) {
		endpoint_format(&config->keeper.listen, listen);
		fprintf(out, "keeper %s, in %s\n", listen,
		    config->keeper.directory);
	}
	if (config->credentials_count > 0) {
		endpoint_format(&config->credentials.listen, listen);
		endpoint_format(&config->credentials.imds, imds);
		fprintf(out, "credentials %s, of the role that %s has\n",
		    listen, imds);
	}
}

static void print_limits(const struct bridge_limits *limits, FILE *out)
{
#define X(name, otherwise, min, max) \
	fprintf(out, "%s %llu\n", #name, (unsigned long long)limits->name);
	BRIDGE_CONFIG_NUMBERS(X)
#undef X
}

int bridge_config_print(const struct bridge_config *config, FILE *out,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char listen[ENDPOINT_TEXT_MAX], connect[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < config->outbound_count; i++)
		if (print_outbound(&config->outbound[i], out, error) != 0)
			return -1;
	for (size_t i = 0; i < config->inbound_count; i++) {
		endpoint_format(&config->inbound[i].listen, listen);
		endpoint_format(&config->inbound[i].connect, connect);
		fprintf(out, "inbound %s to %s%s\n", listen, connect,
		    config->inbound[i].proxy_protocol ? ", with a PROXY header"
						      : "");
	}
	for (size_t i = 0; i < config->configuration_count; i++)
		if (print_configuration(
			&config->configuration[i], out, error) != 0)
			return -1;
	for (size_t i = 0; i < config->logs_count; i++)
		print_logs(&config->logs[i], out);
	print_key_rules(config, out);
	if (config->has_metrics) {
		endpoint_format(&config->metrics, listen);
		fprintf(out, "metrics %s\n", listen);
	}
	print_limits(&config->limits, out);
	fprintf(out, "sandbox %s\n",
	    config->insecure_no_sandbox ? "off (insecure)" : "on");
	return 0;
}
