/* The allow-list that deploy/ gives to operators: the host of each exchange
 * that there is an adapter for, for TLS, and nothing else. So a new adapter
 * cannot be forgotten there, nor an old host left behind. */
#include "tests/unit/vsock-bridge/harness.h"

#include "feeds/exchanges/exchange.h"
#include "vsock-bridge/allowlist.h"

#define SHIPPED "deploy/allowlist.txt"

static struct allowlist *shipped(void)
{
	char error[ALLOWLIST_ERROR_MAX];
	struct allowlist *list = NULL;

	if (allowlist_load(&list, SHIPPED, error) != 0)
		fail_msg("%s (run from the repository's root)", error);
	return list;
}

static void name_target(char out[static 300], const char *host)
{
	snprintf(out, 300, "%s:443", host);
}

static const struct allowlist_rule *rule_for(
    const struct allowlist *list, const char *host)
{
	struct authority target;
	const char *why;
	char text[300];

	name_target(text, host);
	assert_int_equal(authority_parse(&target, text, strlen(text), &why), 0);
	return allowlist_find(list, &target);
}

static void every_exchange_is_allowed(void **state)
{
	struct allowlist *list = shipped();
	const struct allowlist_rule *rule;

	(void)state;
	for (size_t i = 0; exchange_table[i]; i++) {
		const struct exchange *exchange = exchange_table[i];

		rule = rule_for(list, exchange->host);
		if (!rule)
			fail_msg(SHIPPED " has no %s:443, which %s needs",
			    exchange->host, exchange->name);
		assert_false(rule->star || rule->any_protocol);
		assert_false(rule->allow_private || rule->pinned);
	}
	allowlist_free(list);
}

static bool is_asked(const struct allowlist_rule *rule)
{
	char text[ALLOWLIST_RULE_TEXT_MAX], wanted[300];

	allowlist_format(rule, text);
	for (size_t i = 0; exchange_table[i]; i++) {
		name_target(wanted, exchange_table[i]->host);
		if (strcmp(text, wanted) == 0)
			return true;
	}
	return false;
}

static void nobody_else_is(void **state)
{
	struct allowlist *list = shipped();

	(void)state;
	for (size_t i = 0; i < list->count; i++)
		if (!is_asked(&list->rules[i]))
			fail_msg(SHIPPED ":%u: no exchange is asked there",
			    list->rules[i].line);
	assert_null(rule_for(list, "exchange.example"));
	allowlist_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_exchange_is_allowed),
	    cmocka_unit_test(nobody_else_is),
	};

	return cmocka_run_group_tests_name(
	    "allowlist_shipped", tests, NULL, NULL);
}
