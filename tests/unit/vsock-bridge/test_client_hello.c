#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/client_hello.h"

#include <openssl/ssl.h>

#define RECORD_HEAD CLIENT_HELLO_RECORD_HEAD

/* ---- real ones: OpenSSL's own ---- */

/* What OpenSSL's client sends first. Host NULL: without a name. */
static size_t real_hello(uint8_t *out, size_t cap, const char *host)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem()), *sent = BIO_new(BIO_s_mem());
	int len;

	assert_non_null(ssl);
	SSL_set_bio(ssl, in, sent);
	if (host != NULL)
		assert_int_equal(SSL_set_tlsext_host_name(ssl, host), 1);
	assert_int_equal(SSL_connect(ssl), -1);
	len = BIO_read(sent, out, (int)cap);
	assert_true(len > 100);
	SSL_free(ssl);
	SSL_CTX_free(context);
	return (size_t)len;
}

static void test_openssl(void **state)
{
	struct client_hello hello;
	uint8_t bytes[4096];
	size_t len = real_hello(bytes, sizeof(bytes), "Api.Kraken.COM");

	(void)state;
	assert_int_equal(
	    client_hello_parse(&hello, bytes, len), CLIENT_HELLO_READY);
	assert_string_equal(hello.host, "api.kraken.com");
	assert_int_equal(hello.wire_len, len);
	assert_null(hello.reason);
	len = real_hello(bytes, sizeof(bytes), NULL);
	assert_int_equal(
	    client_hello_parse(&hello, bytes, len), CLIENT_HELLO_REFUSED);
	assert_string_equal(hello.error, CLIENT_HELLO_NO_NAME);
	assert_string_equal(hello.host, "");
	assert_int_equal(hello.wire_len, 0);
}

/* However it arrives: MORE until the last byte, and then as before. */
static void test_in_single_bytes(void **state)
{
	struct client_hello hello;
	uint8_t bytes[4096];
	size_t len = real_hello(bytes, sizeof(bytes) - 9, "a.example");

	(void)state;
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(
		    client_hello_parse(&hello, bytes, i), CLIENT_HELLO_MORE);
		assert_null(hello.reason);
	}
	memset(bytes + len, 'x', 9); /* what follows is not looked at */
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(client_hello_parse(&hello, bytes, len + i),
		    CLIENT_HELLO_READY);
		assert_string_equal(hello.host, "a.example");
		assert_int_equal(hello.wire_len, len);
	}
}

/* ---- in many records ---- */

/* Puts `message` into records of `size` bytes each. */
static size_t split(
    uint8_t *out, const uint8_t *message, size_t len, size_t size)
{
	size_t used = 0;

	for (size_t at = 0; at < len; at += size) {
		size_t part = len - at < size ? len - at : size;
		const uint8_t head[RECORD_HEAD] = {
		    22, 3, 1, (uint8_t)(part >> 8), (uint8_t)part};

		memcpy(out + used, head, RECORD_HEAD);
		memcpy(out + used + RECORD_HEAD, message + at, part);
		used += RECORD_HEAD + part;
	}
	return used;
}

static void test_in_records(void **state)
{
	static uint8_t bytes[4096], wire[6 * 4096];
	size_t len = real_hello(bytes, sizeof(bytes), "a.example");
	struct client_hello hello;

	(void)state;
	len -= RECORD_HEAD;
	for (size_t size = 1; size <= len; size++) {
		size_t count = (len + size - 1) / size;
		size_t used = split(wire, bytes + RECORD_HEAD, len, size);
		enum client_hello_state got = client_hello_parse(
		    &hello, wire, used);

		if (count > CLIENT_HELLO_RECORDS_MAX) {
			assert_int_equal(got, CLIENT_HELLO_REFUSED);
			continue;
		}
		assert_int_equal(got, CLIENT_HELLO_READY);
		assert_string_equal(hello.host, "a.example");
		assert_int_equal(hello.wire_len, used);
		assert_int_equal(client_hello_parse(&hello, wire, used - 1),
		    CLIENT_HELLO_MORE);
	}
}

/* ---- ceilings ---- */

/* A hello of exactly `len` bytes: a name, and padding (RFC 7685). */
static void make_padded(uint8_t *message, size_t len)
{
	static const uint8_t name[] = {0, 0, 0, 14, 0, 12, 0, 0, 9, 'a', '.',
	    'e', 'x', 'a', 'm', 'p', 'l', 'e'};
	size_t body = len - 4, extensions = body - 43;
	size_t padding = extensions - sizeof(name) - 4;
	uint8_t *at = message;

	memset(message, 0, len);
	*at++ = 1;
	*at++ = (uint8_t)(body >> 16);
	*at++ = (uint8_t)(body >> 8);
	*at++ = (uint8_t)body;
	*at++ = 3;
	*at = 3;
	at += 33 + 1 + 1; /* random, no session */
	*at++ = 2;
	*at++ = 0x13;
	*at++ = 0x01;
	*at++ = 1;
	*at++ = 0;
	*at++ = (uint8_t)(extensions >> 8);
	*at++ = (uint8_t)extensions;
	memcpy(at, name, sizeof(name));
	at += sizeof(name);
	*at++ = 0;
	*at++ = 21;
	*at++ = (uint8_t)(padding >> 8);
	*at = (uint8_t)padding;
}

static void test_longest(void **state)
{
	static uint8_t message[CLIENT_HELLO_BYTES_MAX + 1];
	static uint8_t wire[CLIENT_HELLO_WIRE_MAX + 10];
	const size_t size = CLIENT_HELLO_BYTES_MAX / CLIENT_HELLO_RECORDS_MAX;
	struct client_hello hello;
	size_t used;

	(void)state;
	make_padded(message, CLIENT_HELLO_BYTES_MAX);
	used = split(wire, message, CLIENT_HELLO_BYTES_MAX, size);
	assert_int_equal(used, CLIENT_HELLO_WIRE_MAX);
	assert_int_equal(
	    client_hello_parse(&hello, wire, used), CLIENT_HELLO_READY);
	assert_int_equal(
	    client_hello_parse(&hello, wire, used - 1), CLIENT_HELLO_MORE);
	used = split(
	    wire, message, CLIENT_HELLO_BYTES_MAX, CLIENT_HELLO_BYTES_MAX);
	assert_int_equal(
	    client_hello_parse(&hello, wire, used), CLIENT_HELLO_READY);
	/* One byte more, and its head alone is enough. */
	make_padded(message, CLIENT_HELLO_BYTES_MAX + 1);
	split(wire, message, CLIENT_HELLO_BYTES_MAX, size);
	assert_int_equal(client_hello_parse(&hello, wire, RECORD_HEAD + 4),
	    CLIENT_HELLO_REFUSED);
	assert_string_equal(
	    hello.reason, "the ClientHello is longer than 16 KiB");
}

/* ---- hostile ---- */

/* Each end of a hello cut off, with all lengths around it made to agree: never
 * read behind the end (the sanitizers watch), never ready. */
static void test_cut(void **state)
{
	uint8_t bytes[4096];
	size_t len = real_hello(bytes, sizeof(bytes), "a.example");
	struct client_hello hello;

	(void)state;
	for (size_t body = 0; body < len - RECORD_HEAD - 4; body++) {
		uint8_t *exact = malloc(RECORD_HEAD + 4 + body);

		assert_non_null(exact);
		memcpy(exact, bytes, RECORD_HEAD + 4 + body);
		exact[3] = (uint8_t)((body + 4) >> 8);
		exact[4] = (uint8_t)(body + 4);
		exact[7] = (uint8_t)(body >> 8);
		exact[8] = (uint8_t)body;
		assert_int_equal(
		    client_hello_parse(&hello, exact, RECORD_HEAD + 4 + body),
		    CLIENT_HELLO_REFUSED);
		free(exact);
	}
}

static void refused(const char *bytes, size_t len, const char *error)
{
	struct client_hello hello;

	assert_int_equal(
	    client_hello_parse(&hello, (const uint8_t *)bytes, len),
	    CLIENT_HELLO_REFUSED);
	assert_string_equal(hello.error, error);
	assert_true(strlen(hello.reason) > 0);
}

/* At the first byte that says so. */
static void test_early(void **state)
{
	(void)state;
	refused("G", 1, CLIENT_HELLO_NOT_TLS);
	refused("S", 1, CLIENT_HELLO_NOT_TLS);
	refused("\x80", 1, CLIENT_HELLO_NOT_TLS);
	refused("\x17", 1, CLIENT_HELLO_NOT_TLS);
	refused("\x16\x02", 2, CLIENT_HELLO_NOT_TLS);
	refused("\x16\x03\x01\x00\x00", 5, CLIENT_HELLO_MALFORMED);
	refused("\x16\x03\x01\x40\x01", 5, CLIENT_HELLO_MALFORMED);
	refused("\x16\x03\x01\x00\x10\x02", 6, CLIENT_HELLO_MALFORMED);
	/* Its length, and a record that is longer. */
	refused(
	    "\x16\x03\x01\x00\x10\x01\x00\x00\x0b", 9, CLIENT_HELLO_MALFORMED);
	refused("\x16\x03\x01\x00\x01\x01\x15", 7, CLIENT_HELLO_MALFORMED);
}

/* ok_* is ready, more_* wants more, bad_* is refused: and what is ready names
 * what these files name. */
static void judge(const char *name, const uint8_t *bytes, size_t len)
{
	struct client_hello hello;
	enum client_hello_state got = client_hello_parse(&hello, bytes, len);
	const char *host = strcmp(name, "ok_ech_outer") == 0 ? "public.example"
							     : "api.kraken.com";
	enum client_hello_state expected = CLIENT_HELLO_REFUSED;

	if (strncmp(name, "ok_", 3) == 0)
		expected = CLIENT_HELLO_READY;
	else if (strncmp(name, "more_", 5) == 0)
		expected = CLIENT_HELLO_MORE;
	if (got != expected)
		fail_msg("%s: %d %s", name, got, hello.reason);
	if (got == CLIENT_HELLO_READY)
		assert_string_equal(hello.host, host);
}

static void test_corpus(void **state)
{
	(void)state;
	harness_corpus("client_hello", judge);
}

/* Why each is refused, so that none is refused for another's reason. */
static void test_reasons(void **state)
{
	static const char *const reasons[][2] = {
	    {"bad_two_names", "more than one server name"},
	    {"bad_two_extensions", "a second server_name extension"},
	    {"bad_other_name_type", "a malformed server_name extension"},
	    {"bad_bytes_behind_list", "a malformed server_name extension"},
	    {"bad_address", "the host is an address, not a name"},
	    {"bad_octal_address", "the host is an address, not a name"},
	    {"bad_trailing_dot", "the host name ends with a dot"},
	    {"bad_nul", "the host name holds a NUL"},
	    {"bad_sslv2", "not TLS, unless it is SSLv2"},
	    {"bad_server_hello", "the first message is not a ClientHello"},
	    {"bad_two_messages", "a record holds more than the ClientHello"},
	    {"bad_interleaved",
		"another record in the middle of a ClientHello"},
	    {"bad_long_hello", "the ClientHello is longer than 16 KiB"},
	    {"bad_too_many_records", "a ClientHello in too many records"},
	    {"bad_bytes_behind_extensions",
		"the ClientHello's extensions do not end it"},
	    {"bad_no_name", "the ClientHello names no server"},
	    {"bad_no_extensions", "the ClientHello names no server"},
	    {"bad_hello_version", "a version that TLS does not have"},
	    {"bad_cut_extension", "a malformed extension"},
	    {"bad_odd_suites", "a malformed ClientHello"},
	    {"bad_long_session", "a malformed ClientHello"},
	};
	struct client_hello hello;
	static uint8_t bytes[4096];
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		FILE *file;
		size_t len;

		snprintf(path, sizeof(path),
		    "tests/fuzz/corpus/client_hello/%s", reasons[i][0]);
		file = fopen(path, "rb");
		if (file == NULL && getenv("CI") == NULL)
			skip();
		assert_non_null(file);
		len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		assert_int_equal(client_hello_parse(&hello, bytes, len),
		    CLIENT_HELLO_REFUSED);
		assert_string_equal(hello.reason, reasons[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_openssl),
	    cmocka_unit_test(test_in_single_bytes),
	    cmocka_unit_test(test_in_records),
	    cmocka_unit_test(test_longest),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_early),
	    cmocka_unit_test(test_corpus),
	    cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests_name("client_hello", tests, NULL, NULL);
}
