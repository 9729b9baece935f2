#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/gate.h"

/* A hello of the corpus, which names api.kraken.com. */
static size_t load(uint8_t *out, size_t cap, const char *name)
{
	char path[256];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/client_hello/%s", name);
	file = fopen(path, "rb");
	if (file == NULL && getenv("CI") == NULL)
		skip();
	assert_non_null(file);
	len = fread(out, 1, cap, file);
	fclose(file);
	return len;
}

static struct gate_verdict verdict;

static enum gate_state judge(const char *name, const char *host)
{
	static uint8_t bytes[4096];
	size_t len = load(bytes, sizeof(bytes), name);

	return gate_judge(&verdict, host, bytes, len);
}

static void test_open(void **state)
{
	(void)state;
	assert_int_equal(judge("ok_plain", "api.kraken.com"), GATE_OPEN);
	assert_int_equal(judge("ok_uppercase", "api.kraken.com"), GATE_OPEN);
	assert_int_equal(judge("ok_ech_outer", "public.example"), GATE_OPEN);
	assert_null(verdict.error);
	assert_int_equal(judge("more_half", "api.kraken.com"), GATE_MORE);
	assert_int_equal(judge("more_empty", "api.kraken.com"), GATE_MORE);
}

static void shut(const char *name, const char *host, const char *error,
    uint8_t alert, const char *detail)
{
	const uint8_t expected[] = {21, 3, 3, 0, 2, 2, alert};

	assert_int_equal(judge(name, host), GATE_SHUT);
	assert_string_equal(verdict.error, error);
	assert_non_null(strstr(verdict.detail, detail));
	if (alert == 0) {
		assert_int_equal(verdict.alert_len, 0);
		return;
	}
	assert_int_equal(verdict.alert_len, sizeof(expected));
	assert_memory_equal(verdict.alert, expected, sizeof(expected));
}

static void test_shut(void **state)
{
	(void)state;
	shut("ok_plain", "kraken.com", GATE_WRONG_NAME, 112,
	    "another server: api.kraken.com");
	shut("ok_plain", "api.kraken.co", GATE_WRONG_NAME, 112, "another");
	shut("ok_plain", "x.api.kraken.com", GATE_WRONG_NAME, 112, "another");
	shut("ok_ech_outer", "api.kraken.com", GATE_WRONG_NAME, 112,
	    "public.example");
	shut("bad_no_name", "api.kraken.com", CLIENT_HELLO_NO_NAME, 109,
	    "names no server");
	shut("bad_two_names", "api.kraken.com", CLIENT_HELLO_MALFORMED, 50,
	    "more than one");
	shut("bad_http", "api.kraken.com", CLIENT_HELLO_NOT_TLS, 0, "not TLS");
	shut("bad_ssh", "api.kraken.com", CLIENT_HELLO_NOT_TLS, 0, "not TLS");
	shut("bad_sslv2", "api.kraken.com", CLIENT_HELLO_NOT_TLS, 0, "SSLv2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open),
	    cmocka_unit_test(test_shut),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
