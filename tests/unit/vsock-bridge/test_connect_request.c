#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/connect_request.h"

static enum connect_request_state parse(
    struct connect_request *out, const char *text)
{
	return connect_request_parse(out, (const uint8_t *)text, strlen(text));
}

static void test_ready(void **state)
{
	const char *text = "CONNECT Api.Example:443 HTTP/1.1\r\n"
			   "Host: api.example:443\r\n"
			   "User-Agent: x\r\n"
			   "Proxy-Connection:\tKeep-Alive \r\n"
			   "content-LENGTH: 0\r\n"
			   "\r\n";
	struct connect_request request;

	(void)state;
	assert_int_equal(parse(&request, text), CONNECT_REQUEST_READY);
	assert_string_equal(request.target.host, "api.example");
	assert_int_equal(request.target.port, 443);
	assert_int_equal(request.head_len, strlen(text));
	assert_null(request.reason);
}

static void test_stream_follows_the_head(void **state)
{
	const char *head = "CONNECT a:1 HTTP/1.1\r\n\r\n";
	struct connect_request request;
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "%s\x16\x03\x01\r\n\r\n", head);
	assert_int_equal(parse(&request, text), CONNECT_REQUEST_READY);
	assert_int_equal(request.head_len, strlen(head));
}

static void test_every_beginning_is_waited_for(void **state)
{
	const char *text = "CONNECT a.example:443 HTTP/1.1\r\n"
			   "Host: a.example:443\r\n\r\n";
	struct connect_request request;

	(void)state;
	for (size_t len = 0; len < strlen(text); len++)
		assert_int_equal(
		    connect_request_parse(&request, (const uint8_t *)text, len),
		    CONNECT_REQUEST_MORE);
}

static void refused(const char *text, const char *expected)
{
	struct connect_request request;

	if (parse(&request, text) != CONNECT_REQUEST_REFUSED)
		fail_msg("not refused: %s", text);
	assert_int_equal(request.head_len, 0);
	if (strstr(request.reason, expected) == NULL)
		fail_msg(
		    "%s: '%s' without '%s'", text, request.reason, expected);
}

static void test_refuses_request_lines(void **state)
{
	(void)state;
	refused("\r\n", "request line");
	refused("SSH-2.0-OpenSSH_9.2\r\n", "request line");
	refused("CONNECT  a:1 HTTP/1.1\r\n", "request line");
	refused("CONNECT a:1\r\n", "request line");
	refused("CONNECT a:1 \r\n", "request line");
	refused(" CONNECT a:1 HTTP/1.1\r\n", "request line");
	refused("CONNECT a:1 x HTTP/1.1\r\n", "request line");
	refused("CONNECT a:1 HTTP/1.2\r\n", "version");
	refused("CONNECT a:1 HTTP/0.9\r\n", "version");
	refused("CONNECT a:1 HTTP/1.1 \r\n", "version");
	refused("CONNECT a:1 HTTP/2\r\n", "version");
	refused("CONNECT a HTTP/1.1\r\n", "port");
	refused("CONNECT a.:1 HTTP/1.1\r\n", "dot");
	refused("CONNECT http://a:1 HTTP/1.1\r\n", "character");
	refused("CONNECT u@a:1 HTTP/1.1\r\n", "character");
}

static void test_other_methods_are_told_apart(void **state)
{
	static const char *const lines[] = {"GET / HTTP/1.1\r\n",
	    "connect a:1 HTTP/1.1\r\n", "POST http://a/ HTTP/1.0\r\n",
	    "PRI * HTTP/2.0\r\n"};
	struct connect_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(
		    parse(&request, lines[i]), CONNECT_REQUEST_REFUSED);
		assert_true(request.bad_method);
	}
	assert_int_equal(
	    parse(&request, "CONNECT a HTTP/1.1\r\n"), CONNECT_REQUEST_REFUSED);
	assert_false(request.bad_method);
}

#define LINE "CONNECT a:1 HTTP/1.1\r\n"

static void test_refuses_fields(void **state)
{
	(void)state;
	refused(LINE "Host: a:1\r\nHOST: a:1\r\n", "second Host");
	refused(LINE "Host : a:1\r\n", "malformed");
	refused(LINE ": a\r\n", "malformed");
	refused(LINE "Host\r\n", "malformed");
	refused(LINE "A: b\r\n folded\r\n", "malformed");
	refused(LINE "Transfer-Encoding: chunked\r\n", "no content");
	refused(LINE "Content-Length: 5\r\n", "no content");
	refused(LINE "Content-Length: 0, 0\r\n", "no content");
	refused(
	    LINE "Content-Length: 0\r\nContent-Length: 0\r\n", "no content");
	refused(LINE "A: b\n", "bare LF");
	refused(LINE "A: b\rc", "bare CR");
	refused(LINE "A: \x01", "no request has");
	refused(LINE "A: \x7f", "no request has");
}

/* Refused before a line is complete: the client need not wait. */
static void test_refuses_at_the_first_wrong_byte(void **state)
{
	struct connect_request request;

	(void)state;
	refused("\x16", "not HTTP"); /* a TLS record */
	refused("CONNECT a\t", "not HTTP");
	refused("CONNECT \xc3", "not HTTP");
	refused("\n", "bare LF");
	refused("\r\r", "bare CR");
	assert_int_equal(
	    connect_request_parse(&request, (const uint8_t *)"C\0", 2),
	    CONNECT_REQUEST_REFUSED);
}

/* A head of exactly `len` bytes. */
static void make_head(char *out, size_t len)
{
	size_t start = strlen(LINE "A: ");

	memcpy(out, LINE "A: ", start);
	memset(out + start, 'x', len - start - 4);
	memcpy(out + len - 4, "\r\n\r\n", 5);
}

static void test_length_ceiling(void **state)
{
	char text[CONNECT_REQUEST_BYTES_MAX + 64];
	struct connect_request request;

	(void)state;
	make_head(text, CONNECT_REQUEST_BYTES_MAX);
	assert_int_equal(parse(&request, text), CONNECT_REQUEST_READY);
	assert_int_equal(request.head_len, CONNECT_REQUEST_BYTES_MAX);
	memcpy(text + CONNECT_REQUEST_BYTES_MAX, "stream", 7);
	assert_int_equal(parse(&request, text), CONNECT_REQUEST_READY);
	assert_int_equal(request.head_len, CONNECT_REQUEST_BYTES_MAX);
	make_head(text, CONNECT_REQUEST_BYTES_MAX + 1);
	refused(text, "longer than 4096");
	memset(text, 'A', CONNECT_REQUEST_BYTES_MAX);
	text[CONNECT_REQUEST_BYTES_MAX] = '\0';
	refused(text, "longer than 4096");
	text[CONNECT_REQUEST_BYTES_MAX - 1] = '\0';
	assert_int_equal(parse(&request, text), CONNECT_REQUEST_MORE);
}

static void test_field_ceiling(void **state)
{
	char text[CONNECT_REQUEST_BYTES_MAX] = LINE;
	struct connect_request request;
	size_t len = strlen(text);

	(void)state;
	for (int i = 0; i < CONNECT_REQUEST_FIELDS_MAX; i++, len += 6)
		memcpy(text + len, "A: b\r\n", 7);
	assert_int_equal(parse(&request, text), CONNECT_REQUEST_MORE);
	memcpy(text + len, "A: b\r\n", 7);
	refused(text, "too many");
}

/* ok_*, bad_* and more_*: what becomes of it. */
static void judge(const char *name, const uint8_t *bytes, size_t len)
{
	static const char *const prefixes[] = {[CONNECT_REQUEST_MORE] = "more_",
	    [CONNECT_REQUEST_READY] = "ok_",
	    [CONNECT_REQUEST_REFUSED] = "bad_"};
	struct connect_request request;
	enum connect_request_state is = connect_request_parse(
	    &request, bytes, len);

	if (strncmp(name, prefixes[is], strlen(prefixes[is])) != 0)
		fail_msg("%s: is %s", name, prefixes[is]);
}

static void test_corpus(void **state)
{
	(void)state;
	harness_corpus("connect_request", judge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ready),
	    cmocka_unit_test(test_stream_follows_the_head),
	    cmocka_unit_test(test_every_beginning_is_waited_for),
	    cmocka_unit_test(test_refuses_request_lines),
	    cmocka_unit_test(test_other_methods_are_told_apart),
	    cmocka_unit_test(test_refuses_fields),
	    cmocka_unit_test(test_refuses_at_the_first_wrong_byte),
	    cmocka_unit_test(test_length_ceiling),
	    cmocka_unit_test(test_field_ceiling),
	    cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests_name(
	    "connect_request", tests, NULL, NULL);
}
