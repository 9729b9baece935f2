/* check_view: see check_view.h. */
#include "verifier/cli/check_view.h"

#include "verifier/cli/command.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/rule.h"

#include <stdio.h>
#include <string.h>

#define CHECK_COLUMN 20 /* where a check's text begins */

static void print_pair(const char *wanted, const char *found)
{
	fputs("wanted ", stdout);
	command_put_plain(stdout, wanted);
	fputs(", found ", stdout);
	command_put_plain(stdout, found);
}

/* Where the library names no particulars: the rule in general. */
static const char *wanted_in_words(const char *check, const char *wanted)
{
	const char *rule = rule_of(check);

	if (wanted)
		return wanted;
	return rule ? rule : check;
}

static const char *found_in_words(bool passed, const char *found)
{
	if (found)
		return found;
	return passed ? "that" : "something else";
}

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	const struct check_view *view = data;
	int pad = CHECK_COLUMN - (int)strlen(check);

	if (view->checks) {
		json_array_append_new(view->checks,
		    json_pack("{s:s, s:b, s:o, s:o}", "check", check, "passed",
			passed, "wanted", json_of_text(wanted), "found",
			json_of_text(found)));
		return;
	}
	printf("%-5s %s", passed ? "ok" : "FAIL", check);
	if (wanted || found || !passed || view->explain)
		printf("%*s", pad > 0 ? pad : 1, "");
	if (!passed || view->explain)
		print_pair(wanted_in_words(check, wanted),
		    found_in_words(passed, found));
	else if (found || wanted)
		command_put_plain(stdout, found ? found : wanted);
	putchar('\n');
}

struct hm_report check_view_report(struct check_view *view)
{
	return (struct hm_report){.cb = on_check, .data = view};
}

/* Valid by a policy that takes what vouches for nothing. */
const char *check_view_caveat(const struct hm_document *document)
{
	if (strcmp(document->platform, "simulated") == 0)
		return " (SIMULATED: no enclave is behind it)";
	return document->debug ? " (DEBUG ENCLAVE: its host can change it)"
			       : "";
}
