#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/allowlist.h"

static struct allowlist *parsed(const char *text)
{
	char error[ALLOWLIST_ERROR_MAX];
	struct allowlist *list = NULL;

	if (allowlist_parse(&list, text, strlen(text), error) != 0)
		fail_msg("%s: %s", text, error);
	assert_string_equal(error, "");
	return list;
}

static void refused(const char *text, const char *expected)
{
	char error[ALLOWLIST_ERROR_MAX];
	struct allowlist *list = (struct allowlist *)error;

	if (allowlist_parse(&list, text, strlen(text), error) == 0)
		fail_msg("accepted: %s", text);
	assert_null(list);
	if (strstr(error, expected) == NULL)
		fail_msg("%s: '%s' without '%s'", text, error, expected);
}

static const struct allowlist_rule *find(
    const struct allowlist *list, const char *text)
{
	struct authority target;
	const char *why;

	assert_int_equal(authority_parse(&target, text, strlen(text), &why), 0);
	return allowlist_find(list, &target);
}

static void test_finds_exactly_what_is_listed(void **state)
{
	struct allowlist *list = parsed("# the exchanges\n"
					"\n"
					"api.a.example:443\n"
					"  API.B.Example:8443\t# upper case\n"
					"localhost:1");

	(void)state;
	assert_int_equal(list->count, 3);
	assert_non_null(find(list, "api.a.example:443"));
	assert_non_null(find(list, "Api.A.example:443"));
	assert_non_null(find(list, "api.b.example:8443"));
	assert_non_null(find(list, "localhost:1"));
	assert_int_equal(find(list, "localhost:1")->line, 5);
	assert_false(find(list, "localhost:1")->pinned);
	assert_null(find(list, "api.a.example:444"));
	assert_null(find(list, "api.a.example:80"));
	assert_null(find(list, "a.example:443"));
	assert_null(find(list, "x.api.a.example:443"));
	assert_null(find(list, "api.a.example.com:443"));
	assert_null(find(list, "127.0.0.1:1"));
	allowlist_free(list);
}

static void test_pins(void **state)
{
	struct allowlist *list = parsed("a.example:443 tcp://127.0.0.1:9443\n"
					"b.example:443 unix:///run/b.sock # b\n"
					"c.example:443 tcp://[::1]:1\n");
	const struct allowlist_rule *rule = find(list, "a.example:443");

	(void)state;
	assert_true(rule->pinned);
	assert_int_equal(rule->connect_to.kind, ENDPOINT_TCP);
	assert_string_equal(rule->connect_to.host, "127.0.0.1");
	assert_int_equal(rule->connect_to.port, 9443);
	rule = find(list, "b.example:443");
	assert_int_equal(rule->connect_to.kind, ENDPOINT_UNIX);
	assert_string_equal(rule->connect_to.path, "/run/b.sock");
	allowlist_free(list);
}

static void test_star(void **state)
{
	struct allowlist *list = parsed("*.A.example:443\n"
					"*.b.a.example:443 any-protocol\n"
					"x.b.a.example:443 unix:///x\n"
					"a.example:80\n");

	(void)state;
	/* One label or more, never none, and whole labels. */
	assert_int_equal(find(list, "x.a.example:443")->line, 1);
	assert_int_equal(find(list, "x.y.z.a.example:443")->line, 1);
	assert_null(find(list, "a.example:443"));
	assert_null(find(list, "xa.example:443"));
	assert_null(find(list, "x.a.example:80"));
	assert_null(find(list, "x.a.example.com:443"));
	assert_null(find(list, "example:443"));
	/* The longest suffix, and above all what is exact. */
	assert_int_equal(find(list, "b.a.example:443")->line, 1);
	assert_int_equal(find(list, "y.b.a.example:443")->line, 2);
	assert_int_equal(find(list, "z.x.b.a.example:443")->line, 2);
	assert_int_equal(find(list, "x.b.a.example:443")->line, 3);
	assert_int_equal(find(list, "a.example:80")->line, 4);
	allowlist_free(list);
	/* Both the suffix and what is below it. */
	list = parsed("a.example:443\n*.a.example:443\n");
	assert_int_equal(find(list, "a.example:443")->line, 1);
	assert_int_equal(find(list, "b.a.example:443")->line, 2);
	allowlist_free(list);
}

static void test_words(void **state)
{
	struct allowlist *list = parsed(
	    "a.example:1\n"
	    "b.example:1 any-protocol\n"
	    "c.example:1 allow-private any-protocol # both\n"
	    "*.d.example:1\tany-protocol tcp://[::1]:2\n");
	static const struct {
		const char *target, *text;
	} rules[] = {
	    {"a.example:1", "a.example:1"},
	    {"b.example:1", "b.example:1 any-protocol"},
	    {"c.example:1", "c.example:1 any-protocol allow-private"},
	    {"x.d.example:1", "*.d.example:1 tcp://[::1]:2 any-protocol"},
	};
	char text[ALLOWLIST_RULE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct allowlist_rule *rule = find(list, rules[i].target);

		allowlist_format(rule, text);
		assert_string_equal(text, rules[i].text);
		assert_int_equal(rule->any_protocol, i > 0);
		assert_int_equal(rule->allow_private, i == 2);
		assert_int_equal(rule->pinned, i == 3);
		assert_int_equal(rule->star, i == 3);
	}
	allowlist_free(list);
}

static void test_empty_denies_all(void **state)
{
	struct allowlist *list = parsed("# nothing yet\n\n   \n");

	(void)state;
	assert_int_equal(list->count, 0);
	assert_null(find(list, "a.example:443"));
	allowlist_free(list);
	list = parsed("");
	assert_null(find(list, "a.example:443"));
	allowlist_free(list);
	allowlist_free(NULL);
}

static void test_refuses_and_says_where(void **state)
{
	(void)state;
	refused("a:1\nb\n", "line 2: the port is missing");
	refused("a.:443", "ends with a dot");
	refused("*.example:443", "line 1: a star needs two labels");
	refused("*.:443", "line 1");
	refused("*:443", "line 1");
	refused("*.*.a.example:443", "line 1");
	refused("a.*.example:443", "line 1");
	refused("*a.example:443", "line 1");
	refused("*.1.2:443", "an address, not a name");
	refused("*.a.example:1\n*.A.example:1\n", "line 2: a second rule");
	refused("a:443\n\n# x\nA:443\n", "line 4: a second rule");
	refused("b:1\na:1\nb:1 tcp://127.0.0.1:2\nc:1\n", "line 3: a second");
	refused("127.0.0.1:443", "an address, not a name");
	refused("[::1]:443", "an address, not a name");
	refused("0x7f.1:443", "an address, not a name");
	refused("a:1 vsock://3:1", "a word is neither");
	refused("a:1 tcp://127.0.0.1", "a word is neither");
	refused("a:1 tcp://127.0.0.1:0", "port to connect to is 0");
	refused("a:1 127.0.0.1:9443", "a word is neither");
	refused("a:1 unix://relative", "a word is neither");
	refused("a:1 Any-Protocol", "a word is neither");
	refused("a:1 any-protocols", "a word is neither");
	refused("a:1 any-protocol any-protocol", "the same word twice");
	refused("a:1 allow-private allow-private", "the same word twice");
	refused("a:1 unix:///a unix:///b", "a second place to connect to");
	refused("a:1 unix:///a allow-private", "no name is looked up");
	refused("any-protocol a:1", "the port is missing");
	refused("a:1 any-protocol any-protocol unix:///a x", "four words");
	refused("a:1\r\nb:1\r\n", "line 1: a control character");
	refused("a:1\n\x1b[2J#\n", "line 2: a control character");
	refused("\xef\xbb\xbf"
		"a:1\n",
	    "line 1");
}

static void test_refuses_nul(void **state)
{
	char error[ALLOWLIST_ERROR_MAX];
	struct allowlist *list;

	(void)state;
	assert_int_equal(allowlist_parse(&list, "a:1\n#\0\n", 7, error), -1);
	assert_null(list);
}

static void test_ceilings(void **state)
{
	size_t cap = ALLOWLIST_BYTES_MAX + 1, len = 0;
	char *text = malloc(cap), error[ALLOWLIST_ERROR_MAX];
	struct allowlist *list;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < ALLOWLIST_RULES_MAX; i++)
		len += (size_t)snprintf(text + len, cap - len, "h%d:1\n", i);
	assert_int_equal(allowlist_parse(&list, text, len, error), 0);
	assert_int_equal(list->count, ALLOWLIST_RULES_MAX);
	assert_non_null(find(list, "h0:1"));
	assert_non_null(find(list, "h1023:1"));
	allowlist_free(list);
	len += (size_t)snprintf(text + len, cap - len, "x:1\n");
	assert_int_equal(allowlist_parse(&list, text, len, error), -1);
	assert_non_null(strstr(error, "line 1025: too many rules"));
	memset(text, '\n', cap);
	assert_int_equal(allowlist_parse(&list, text, cap, error), -1);
	assert_non_null(strstr(error, "too long"));
	assert_int_equal(allowlist_parse(&list, text, cap - 1, error), 0);
	allowlist_free(list);
	free(text);
}

static void test_load_says_what_is_wrong_with_the_file(void **state)
{
	char error[ALLOWLIST_ERROR_MAX];
	struct allowlist *list;

	(void)state;
	assert_int_equal(allowlist_load(&list, "/nonexistent", error), -1);
	assert_null(list);
	assert_string_equal(error, strerror(ENOENT));
}

/* ok_* must be accepted, bad_* refused. */
static void judge(const char *name, const uint8_t *bytes, size_t len)
{
	char error[ALLOWLIST_ERROR_MAX];
	struct allowlist *list;
	int ret = allowlist_parse(&list, bytes, len, error);

	if ((ret == 0) != (strncmp(name, "ok_", 3) == 0))
		fail_msg("%s: %d %s", name, ret, error);
	allowlist_free(list);
}

static void test_corpus(void **state)
{
	(void)state;
	harness_corpus("allowlist", judge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_finds_exactly_what_is_listed),
	    cmocka_unit_test(test_pins),
	    cmocka_unit_test(test_star),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_empty_denies_all),
	    cmocka_unit_test(test_refuses_and_says_where),
	    cmocka_unit_test(test_refuses_nul),
	    cmocka_unit_test(test_ceilings),
	    cmocka_unit_test(test_load_says_what_is_wrong_with_the_file),
	    cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests_name("allowlist", tests, NULL, NULL);
}
