/* hallmark(1) tells of each verdict and check in the very words of the program:
 * its two lists are compared with the tables, blanks and escapes aside. */
#include "verifier/cli/remedy.c"
#include "verifier/cli/rule.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE     "deploy/man/hallmark.1" /* from the project's folder */
#define PAGE_MAX 65536

static char page[PAGE_MAX];
static char wanted[PAGE_MAX];

static int setup(void **state)
{
	FILE *file = fopen(PAGE, "r");
	size_t len;

	(void)state;
	if (!file) {
		print_error("%s: run it from the project's folder\n", PAGE);
		return -1;
	}
	len = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	page[len] = '\0';
	return len > 0 && len < sizeof(page) - 1 ? 0 : -1;
}

static void add(const char *text)
{
	size_t len = strlen(wanted);

	snprintf(wanted + len, sizeof(wanted) - len, "%s\n", text);
}

/* What stands between two comments of the page, each once. */
static void between(char out[PAGE_MAX], const char *from, const char *until)
{
	const char *start = strstr(page, from), *end = strstr(page, until);

	assert_non_null(start);
	assert_non_null(end);
	start += strlen(from);
	assert_null(strstr(start, from));
	assert_true(start < end);
	memcpy(out, start, (size_t)(end - start));
	out[end - start] = '\0';
}

/* A line break is a blank, several are one, and \- is a -. */
static void flatten(char *text)
{
	char *out = text;
	bool blank = true;

	for (; *text; text++) {
		if (*text == '\\')
			continue;
		if (*text != ' ' && *text != '\n') {
			*out++ = *text;
			blank = false;
		} else if (!blank) {
			*out++ = ' ';
			blank = true;
		}
	}
	*out = '\0';
}

static void compare(const char *from, const char *until)
{
	static char found[PAGE_MAX];

	between(found, from, until);
	flatten(found);
	flatten(wanted);
	for (size_t i = 0;; i++) {
		if (found[i] != wanted[i])
			fail_msg(
			    "the page says \"%.80s\", the program \"%.80s\"",
			    found + i, wanted + i);
		if (!found[i])
			return;
	}
}

static void test_verdicts(void **state)
{
	char head[80];

	(void)state;
	wanted[0] = '\0';
	for (int v = 0; v < HM_VERDICT_COUNT; v++) {
		enum hm_verdict verdict = (enum hm_verdict)v;

		snprintf(head, sizeof(head), ".It Sy %s Pq %d",
		    hm_verdict_name(verdict), hm_verdict_class(verdict));
		add(head);
		add(remedy_of(verdict)->meaning);
		add(remedy_of(verdict)->remedy);
	}
	compare(".\\\" verdicts\n", ".\\\" end of verdicts\n");
}

static void test_checks(void **state)
{
	char head[80];

	(void)state;
	wanted[0] = '\0';
	for (const struct rule *rule = rules; rule->check; rule++) {
		snprintf(head, sizeof(head), ".It Sy %s", rule->check);
		add(head);
		add(rule->wants);
	}
	compare(".\\\" rules\n", ".\\\" end of rules\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_verdicts),
	    cmocka_unit_test(test_checks),
	};

	return cmocka_run_group_tests_name("man page", tests, setup, NULL);
}
