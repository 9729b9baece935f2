/*
 * fetched: one value, one text, both ways; and which host and path there can
 * be. The fixed text below is the format; a change here is a change of what has
 * been signed.
 */
#include "tests/unit/verifier/fetched_fixture.h"

#include "verifier/base64.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OTHER_MAX (2 * FETCHED_CONTENT_MAX)

static const char fixed_text[] =
    "{\"format\":\"hallmark-fetch/1\","
    "\"boot_id\":\"b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0\","
    "\"hostname\":\"api.binance.com\",\"port\":443,"
    "\"path\":\"/api/v3/ticker/price?symbol=BTCUSDT\",\"status\":200,"
    "\"body\":\"{\\\"symbol\\\":\\\"BTCUSDT\\\",\\\"price\\\":\\\"84036.00"
    "\\\"}\",\"body_sha256\":"
    "\"1e95f4ef43ed202fbbb076858ade260025d721b1996f701a972b5df0c70df849\","
    "\"tls_spki_sha256\":"
    "\"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e\","
    "\"date_ms\":1795251601300,\"fetched_ms\":1795251602000,"
    "\"config_sha256\":"
    "\"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0\"}";

static struct hm_fetched fetched, again;
static const struct hm_fetched zero;
static char *text, other[OTHER_MAX];
static size_t len;

static int setup(void **state)
{
	(void)state;
	fetched_make(&fetched);
	text = fetched_encode(&fetched, &len);
	assert_non_null(text);
	assert_int_equal(strlen(text), len);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hm_fetched_fini(&fetched);
	hm_fetched_fini(&again);
	free(text);
	return 0;
}

static bool reads(const char *content, size_t content_len)
{
	/* its own memory, so that a byte behind the end is noticed */
	char *copy = malloc(content_len > 0 ? content_len : 1);
	int status;

	memcpy(copy, content, content_len);
	hm_fetched_fini(&again);
	memset(&again, 0xaa, sizeof(again));
	status = fetched_decode(&again, copy, content_len);
	free(copy);
	if (status != 0)
		assert_memory_equal(&again, &zero, sizeof(zero));
	return status == 0;
}

/* The text with the first `from` replaced. */
static bool reads_with(const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	snprintf(other, sizeof(other), "%.*s%s%s", (int)(at - text), text, to,
	    at + strlen(from));
	return reads(other, strlen(other));
}

/* `fetched` as it is now. */
static bool writes(void)
{
	free(text);
	text = fetched_encode(&fetched, &len);
	if (text == NULL)
		assert_int_equal(len, 0);
	return text != NULL;
}

/* ---- both ways ---- */

static void test_fixed_text(void **state)
{
	(void)state;
	assert_string_equal(text, fixed_text);
}

static void test_both_ways(void **state)
{
	uint8_t sha256[32];

	(void)state;
	assert_true(reads(text, len));
	assert_memory_equal(again.boot_id, fetched.boot_id, 16);
	assert_string_equal(again.hostname, fetched.hostname);
	assert_int_equal(again.port, 443);
	assert_string_equal(again.path, FETCHED_PATH);
	assert_int_equal(again.status, 200);
	assert_int_equal(again.body_len, strlen(FETCHED_BODY));
	assert_string_equal((const char *)again.body, FETCHED_BODY);
	EVP_Digest(
	    again.body, again.body_len, sha256, NULL, EVP_sha256(), NULL);
	assert_memory_equal(again.body_sha256, sha256, 32);
	assert_memory_equal(again.tls_spki_sha256, fetched.tls_spki_sha256, 32);
	assert_memory_equal(again.config_sha256, fetched.config_sha256, 32);
	assert_true(again.date_ms == fetched.date_ms);
	assert_true(again.fetched_ms == fetched.fetched_ms);
	assert_memory_equal(again.content_sha256, zero.content_sha256, 32);
}

/* As text if it can be, as base64 if not; never the other way round. */
static void check_body(const void *bytes, size_t body_len, bool is_text)
{
	fetched_body(&fetched, bytes, body_len);
	assert_true(writes());
	assert_int_equal(strstr(text, "\"body\":\"") != NULL, is_text);
	assert_int_equal(strstr(text, "\"body_b64\":\"") != NULL, !is_text);
	assert_true(reads(text, len));
	assert_int_equal(again.body_len, body_len);
	assert_memory_equal(again.body, bytes, body_len);
	assert_int_equal(again.body[body_len], '\0');
}

static void test_bodies(void **state)
{
	(void)state;
	check_body("", 0, true);
	check_body("{}\r\n\t", 5, true);
	check_body("\xe2\x82\xac", 3, true);
	check_body("\x7f", 1, true);
	check_body("\\\"/<>", 5, true);
	check_body("\0", 1, false);
	check_body("a\0b", 3, false);
	check_body("\x1b[2J", 4, false);
	check_body("\x1f\x8b\x08", 3, false);
	check_body("\xe2\x82", 2, false);
	check_body("\xff", 1, false);
	check_body("\xed\xa0\x80", 3, false); /* a surrogate */
	fetched.body_len = 0;
	free(fetched.body);
	fetched.body = NULL; /* as of an answer without a body */
	assert_true(writes());
	assert_true(reads(text, len));
}

static void test_wrong_coding(void **state)
{
	char *base64 = base64_encode((const uint8_t *)"{}", 2);
	char body[64];

	(void)state;
	fetched_body(&fetched, "{}", 2);
	assert_true(writes());
	snprintf(body, sizeof(body), "\"body_b64\":\"%s\"", base64);
	assert_false(reads_with("\"body\":\"{}\"", body));
	free(base64);
	fetched_body(&fetched, "\xff\x01", 2);
	assert_true(writes());
	assert_true(reads_with("/wE=", "/wE="));
	assert_false(reads_with("/wE=", "/wF="));
	assert_false(reads_with("/wE=", "/wE"));
	assert_false(reads_with("/wE=", "/w E="));
	assert_false(reads_with("/wE=", ""));
	assert_false(reads_with("\"body_b64\":\"/wE=\"", "\"body_b64\":1"));
	assert_false(reads_with(
	    "\"body_b64\":\"/wE=\"", "\"body_b64\":\"/wE=\",\"body\":\"\""));
}

static void test_largest(void **state)
{
	size_t max = HM_FETCHED_BODY_MAX;
	uint8_t *quotes = malloc(max + 1);

	(void)state;
	memset(quotes, '"', max + 1);
	check_body(quotes, max, true);
	assert_true(len <= FETCHED_CONTENT_MAX);
	fetched_body(&fetched, quotes, max + 1);
	assert_false(writes());
	memset(quotes, 1, max + 1);
	check_body(quotes, max, false);
	free(quotes);
}

static void test_no_date(void **state)
{
	(void)state;
	fetched.date_ms = -1;
	assert_true(writes());
	assert_non_null(strstr(text, "\"date_ms\":null,"));
	assert_true(reads(text, len));
	assert_int_equal(again.date_ms, -1);
	assert_false(reads_with("\"date_ms\":null", "\"date_ms\":-1"));
	assert_false(reads_with("\"date_ms\":null", "\"date_ms\":-2"));
	assert_false(reads_with("\"date_ms\":null", "\"date_ms\":\"1\""));
	assert_false(reads_with("\"date_ms\":null", "\"date_ms\":false"));
	assert_false(reads_with("\"date_ms\":null,", ""));
}

/* ---- what makes no sense ---- */

static void test_numbers(void **state)
{
	(void)state;
	assert_true(reads_with("\"port\":443", "\"port\":1"));
	assert_true(reads_with("\"port\":443", "\"port\":65535"));
	assert_false(reads_with("\"port\":443", "\"port\":0"));
	assert_false(reads_with("\"port\":443", "\"port\":65536"));
	assert_false(reads_with("\"port\":443", "\"port\":-1"));
	assert_false(reads_with("\"port\":443", "\"port\":4294967739"));
	assert_false(reads_with("\"port\":443", "\"port\":443.0"));
	assert_false(reads_with("\"port\":443", "\"port\":\"443\""));
	assert_true(reads_with("\"status\":200", "\"status\":599"));
	assert_false(reads_with("\"status\":200", "\"status\":199"));
	assert_false(reads_with("\"status\":200", "\"status\":600"));
	assert_false(reads_with("\"status\":200", "\"status\":4294967496"));
	assert_true(reads_with("1795251602000", "0"));
	assert_true(reads_with("1795251602000", "9007199254740991"));
	assert_false(reads_with("1795251602000", "9007199254740992"));
	assert_false(reads_with("1795251602000", "-1"));
	assert_true(reads_with("1795251601300", "0"));
	assert_true(reads_with("1795251601300", "9007199254740991"));
	assert_false(reads_with("1795251601300", "9007199254740992"));
	assert_false(reads_with("1795251601300", "-2"));
	assert_false(reads_with("1795251601300", "-9007199254740992"));
}

/* Not what the body has. */
static void test_other_hash(void **state)
{
	const char *hash = strstr(text, "\"body_sha256\":\"");
	char *at;

	(void)state;
	assert_non_null(hash);
	at = text + (hash - text) + strlen("\"body_sha256\":\"");
	*at = *at == '0' ? '1' : '0';
	assert_false(reads(text, len));
}

static void test_other_forms(void **state)
{
	(void)state;
	assert_false(reads("", 0));
	assert_false(reads("{}", 2));
	assert_false(reads("[]", 2));
	assert_false(reads(text, len - 1));
	assert_false(reads(text, len + 1)); /* its NUL */
	assert_false(reads_with("{\"format\"", " {\"format\""));
	assert_false(reads_with("\"port\":443", "\"port\": 443"));
	assert_false(reads_with("\"port\":443", "\"port\":0443"));
	assert_false(reads_with("\"port\":443", "\"port\":443,\"port\":443"));
	assert_false(reads_with("\"port\":443,", "\"port\":443,\"more\":1,"));
	assert_false(reads_with("\"port\":443,", ""));
	assert_false(reads_with("c0c0", "C0C0"));
	assert_false(reads_with("c0c0", "c0c"));
	assert_false(reads_with("c0c0", "g0c0"));
	assert_false(reads_with("5e5e", "5E5e"));
	assert_false(reads_with("b0b0", "b0B0"));
	assert_false(reads_with("api.b", "\\u0061pi.b"));
	assert_false(reads_with("/api/v3", "\\/api/v3"));
	assert_false(reads_with("hallmark-fetch/1", "hallmark-fetch/2"));
	assert_false(reads_with("hallmark-fetch/1", "hallmark/1"));
	assert_false(reads_with("api.binance.com", "API.binance.com"));
	assert_false(reads_with("api.binance.com", "127.0.0.1"));
	assert_false(reads_with("/api/v3/", "/api/../"));
	assert_false(reads_with("/api/v3/", "api/v3/"));
	assert_false(reads_with("\"body\":", "\"body\":\"\",\"body\":"));
	assert_false(reads_with("\"body\":\"{", "\"body\":null,\"x\":\"{"));
	assert_false(reads_with("\"body\":\"{", "\"x\":\"{"));
	memset(other, ' ', sizeof(other));
	memcpy(other, text, len);
	assert_false(reads(other, len + 1));
	assert_false(reads(other, FETCHED_CONTENT_MAX));
	assert_false(reads(other, FETCHED_CONTENT_MAX + 1));
	memset(other, '[', sizeof(other));
	assert_false(reads(other, FETCHED_CONTENT_MAX));
}

/* No other text than this one says what it says. */
static void test_every_bit(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		text[bit / 8] ^= (char)(1 << bit % 8);
		if (reads(text, len)) { /* another value then */
			bool same = memcmp(&again, &fetched,
					offsetof(struct hm_fetched, body)) ==
					0 &&
				    again.date_ms == fetched.date_ms &&
				    again.fetched_ms == fetched.fetched_ms &&
				    memcmp(again.tls_spki_sha256,
					fetched.tls_spki_sha256, 32) == 0 &&
				    memcmp(again.config_sha256,
					fetched.config_sha256, 32) == 0;

			assert_false(same);
		}
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
}

/* ---- what can be asked for ---- */

static const char *repeat(const char *part, size_t count, const char *end)
{
	static char out[4096];

	out[0] = '\0';
	for (size_t i = 0; i < count; i++)
		strcat(out, part);
	return strcat(out, end);
}

static void test_hostnames(void **state)
{
	static const char *const good[] = {"api.binance.com", "localhost", "a",
	    "3.example", "x--y.z9", "1e100.net", "4.4.4.4a"};
	static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "-a.b",
	    "a-.b", "a.-b", "a.b-", "A.b", "a_b.c", "a b", "a/b", "a:443",
	    "user@a", "127.0.0.1", "1.2.3", "2130706433", "[::1]", "::1",
	    "a.b\n", "a.b\r\nHost: c", "a%2eb", "\xc3\xa4.de", "a.b#", "a.b?"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!fetched_is_hostname(good[i]))
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fetched_is_hostname(bad[i]))
			fail_msg("%s was taken", bad[i]);
	assert_true(fetched_is_hostname(repeat("a", 63, ".b")));
	assert_false(fetched_is_hostname(repeat("a", 64, ".b")));
	assert_true(fetched_is_hostname(repeat("a.", 126, "b"))); /* 253 */
	assert_false(fetched_is_hostname(repeat("a.", 126, "bc")));
}

static void test_paths(void **state)
{
	static const char *const good[] = {"/", "/a", "/a/", "/a/b?", "/?",
	    "/a?b=c&d=%22e%22/f?g;h", "/a?b=../../c", "/a?%2e%2E%2f", "/.a/..b",
	    "/a./b..", "/~a/$b/(c)*/+,=:@!'", "/a-b_c.d", "/a?b=%5B%22C%22%5D"};
	static const char *const bad[] = {"", "a", "?a", "//", "//a", "/a//b",
	    "/.", "/..", "/./a", "/../a", "/a/..", "/a/.", "/a/../b", "/a/./b",
	    "/...", "/a/..?b", "/a/.?b", "/%2e%2e/a", "/a%2fb", "/%61", "/a%",
	    "/a;b", "/..;/a", "/a;/../b", "/a\\b", "/a/..\\b", "/a b", "/a#b",
	    "/a?b#c", "/a?b c", "/a?b%", "/a?b%2", "/a?b%2g", "/a?b%%", "/a\tb",
	    "/a?b\nc", "/a?b\r\nX: y", "/a\x7f", "/\xc3\xa4", "/a?\xc3\xa4",
	    "/a?[b]", "/a?\"b\"", "/a?b|c", "/a?b<c>", "/a?^", "/a?`", "/a?{b}",
	    "/a?b\\c", "/\"", "/[", "/<", "*", "http://a/b"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!fetched_is_path(good[i]))
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fetched_is_path(bad[i]))
			fail_msg("%s was taken", bad[i]);
	assert_true(fetched_is_path(repeat("/a", 511, "b"))); /* 1023 */
	assert_false(fetched_is_path(repeat("/a", 511, "bc")));
}

/* Neither is written nor read beyond what its place holds. */
static void test_too_long(void **state)
{
	char from[1200], to[1300];

	(void)state;
	snprintf(from, sizeof(from), "%s", FETCHED_PATH);
	snprintf(to, sizeof(to), "%s", repeat("/a", 511, "b"));
	assert_true(reads_with(from, to));
	strcat(to, "c");
	assert_false(reads_with(from, to));
	assert_true(reads_with("api.binance.com", repeat("a.", 126, "b")));
	assert_false(reads_with("api.binance.com", repeat("a.", 126, "bc")));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_fixed_text),
	    TEST(test_both_ways),
	    TEST(test_bodies),
	    TEST(test_wrong_coding),
	    TEST(test_largest),
	    TEST(test_no_date),
	    TEST(test_numbers),
	    TEST(test_other_hash),
	    TEST(test_other_forms),
	    TEST(test_every_bit),
	    TEST(test_hostnames),
	    TEST(test_paths),
	    TEST(test_too_long),
	};

	return cmocka_run_group_tests_name("fetched", tests, NULL, NULL);
}
