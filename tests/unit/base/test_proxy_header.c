/* proxy_header: to the byte, and strict. */
#include "base/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#define SIGNATURE  "\r\n\r\n\0\r\nQUIT\n"
#define TCP4_BLOCK "\300\0\2\7\306\63\144\1\x9d\x78\x1f\x90"

static union proxy_address v4(const char *host, uint16_t port)
{
	union proxy_address out;

	memset(&out, 0, sizeof(out));
	out.in.sin_family = AF_INET;
	out.in.sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, host, &out.in.sin_addr), 1);
	return out;
}

static union proxy_address v6(const char *host, uint16_t port)
{
	union proxy_address out;

	memset(&out, 0, sizeof(out));
	out.in6.sin6_family = AF_INET6;
	out.in6.sin6_port = htons(port);
	assert_int_equal(inet_pton(AF_INET6, host, &out.in6.sin6_addr), 1);
	return out;
}

static void encodes(
    const struct proxy_header *header, const char *wanted, size_t len)
{
	uint8_t out[PROXY_HEADER_ENCODED_MAX];

	assert_int_equal(proxy_header_encode(out, header), len);
	assert_memory_equal(out, wanted, len);
}

#define BYTES(text) text, sizeof(text) - 1

static void test_encodes_tcp4(void **state)
{
	struct proxy_header header = {.source = v4("192.0.2.7", 40312),
	    .destination = v4("198.51.100.1", 8080)};

	(void)state;
	encodes(&header, BYTES(SIGNATURE "\x21\x11\0\x0c" TCP4_BLOCK));
}

static void test_encodes_tcp6(void **state)
{
	struct proxy_header header = {.source = v6("2001:db8::7", 1),
	    .destination = v6("2001:db8::1", 65535)};

	(void)state;
	encodes(
	    &header, BYTES(SIGNATURE "\x21\x21\0\x24"
				     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7"
				     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
				     "\0\1\xff\xff"));
}

/* A listener at [::] sees IPv4 clients so; the other end wants the client. */
static void test_mapped_is_ipv4(void **state)
{
	struct proxy_header header = {.source = v6("::ffff:192.0.2.7", 40312),
	    .destination = v6("::ffff:198.51.100.1", 8080)};

	(void)state;
	encodes(&header, BYTES(SIGNATURE "\x21\x11\0\x0c" TCP4_BLOCK));
	/* Only one of them: both stay what they are. */
	header.destination = v6("2001:db8::1", 8080);
	encodes(
	    &header, BYTES(SIGNATURE "\x21\x21\0\x24"
				     "\0\0\0\0\0\0\0\0\0\0\xff\xff\300\0\2\7"
				     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
				     "\x9d\x78\x1f\x90"));
}

static void test_encodes_unix(void **state)
{
	struct proxy_header header;
	char wanted[PROXY_HEADER_ENCODED_MAX] = SIGNATURE "\x21\x31\0\xd8";

	(void)state;
	memset(&header, 0, sizeof(header));
	header.source.un.sun_family = header.destination.un.sun_family =
	    AF_UNIX;
	strcpy(header.destination.un.sun_path, "/run/s");
	strcpy(wanted + 16 + 108, "/run/s");
	encodes(&header, wanted, sizeof(wanted));
}

static void test_encodes_nothing_to_tell(void **state)
{
	struct proxy_header header;

	(void)state;
	memset(&header, 0, sizeof(header));
	encodes(&header, BYTES(SIGNATURE "\x21\0\0\0"));
	header.source = v4("192.0.2.7", 1);
	header.destination = v6("::1", 1);
	encodes(&header, BYTES(SIGNATURE "\x21\0\0\0"));
	header.source.sa.sa_family = header.destination.sa.sa_family = AF_VSOCK;
	encodes(&header, BYTES(SIGNATURE "\x21\0\0\0"));
	header.source = header.destination = v4("192.0.2.7", 1);
	header.local = true;
	encodes(&header, BYTES(SIGNATURE "\x20\0\0\0"));
}

static void test_tells_both_ends_of_a_socket(void **state)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct proxy_header header;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&in, &len);
	assert_int_equal(connect(client, (struct sockaddr *)&in, len), 0);
	fd = accept(listener, NULL, NULL);
	proxy_header_of(&header, fd);
	assert_int_equal(header.destination.in.sin_port, in.sin_port);
	assert_int_equal(header.source.in.sin_family, AF_INET);
	assert_int_equal(header.source.in.sin_addr.s_addr, in.sin_addr.s_addr);
	getsockname(client, (struct sockaddr *)&in, &len);
	assert_int_equal(header.source.in.sin_port, in.sin_port);
	close(fd);
	close(client);
	close(listener);
	proxy_header_of(&header, -1);
	encodes(&header, BYTES(SIGNATURE "\x21\0\0\0"));
}

static enum proxy_header_state parse(
    struct proxy_header *out, const char *bytes, size_t len)
{
	size_t need;
	const char *why;

	return proxy_header_parse(
	    out, (const uint8_t *)bytes, len, &need, &why);
}

static void test_parses_what_it_writes(void **state)
{
	struct proxy_header header = {.source = v6("2001:db8::7", 7),
	    .destination = v6("2001:db8::1", 8)};
	uint8_t bytes[PROXY_HEADER_ENCODED_MAX];
	size_t len = proxy_header_encode(bytes, &header);
	struct proxy_header got;

	(void)state;
	assert_int_equal(parse(&got, (char *)bytes, len), PROXY_HEADER_READY);
	assert_memory_equal(&got.source, &header.source, sizeof(got.source));
	assert_memory_equal(
	    &got.destination, &header.destination, sizeof(got.destination));
	assert_false(got.local);
}

static void test_parses_addresses(void **state)
{
	struct proxy_header got;
	char host[INET_ADDRSTRLEN];

	(void)state;
	assert_int_equal(
	    parse(&got, BYTES(SIGNATURE "\x21\x11\0\x0f" TCP4_BLOCK "\4\0\0")),
	    PROXY_HEADER_READY);
	inet_ntop(AF_INET, &got.source.in.sin_addr, host, sizeof(host));
	assert_string_equal(host, "192.0.2.7");
	assert_int_equal(ntohs(got.source.in.sin_port), 40312);
	inet_ntop(AF_INET, &got.destination.in.sin_addr, host, sizeof(host));
	assert_string_equal(host, "198.51.100.1");
	assert_int_equal(ntohs(got.destination.in.sin_port), 8080);
}

/* "discard the protocol block including the family" */
static void test_local_says_nothing(void **state)
{
	struct proxy_header got;

	(void)state;
	assert_int_equal(
	    parse(&got, BYTES(SIGNATURE "\x20\x11\0\x0c" TCP4_BLOCK)),
	    PROXY_HEADER_READY);
	assert_true(got.local);
	assert_int_equal(got.source.sa.sa_family, AF_UNSPEC);
}

static void test_need_ends_with_the_header(void **state)
{
	static const char bytes[] = SIGNATURE "\x21\x11\0\x0c" TCP4_BLOCK;
	struct proxy_header got;
	const char *why;
	size_t need;

	(void)state;
	for (size_t len = 0; len < 28; len++) {
		assert_int_equal(proxy_header_parse(&got,
				     (const uint8_t *)bytes, len, &need, &why),
		    PROXY_HEADER_MORE);
		assert_int_equal(need, len < 16 ? 16 : 28);
	}
	assert_int_equal(parse(&got, bytes, 28), PROXY_HEADER_READY);
	assert_int_equal(parse(&got, bytes, 29), PROXY_HEADER_REFUSED);
}

/* A client that speaks something else is refused at its first wrong byte. */
static void test_refused_early(void **state)
{
	struct proxy_header got;

	(void)state;
	assert_int_equal(parse(&got, "G", 1), PROXY_HEADER_REFUSED);
	assert_int_equal(parse(&got, "P", 1), PROXY_HEADER_REFUSED);
	assert_int_equal(
	    parse(&got, BYTES(SIGNATURE "\x11")), PROXY_HEADER_REFUSED);
	assert_int_equal(
	    parse(&got, BYTES(SIGNATURE "\x21\x12")), PROXY_HEADER_REFUSED);
}

/* The fuzzer's seeds are named after what becomes of them. */
static void test_corpus(void **state)
{
	static const char folder[] = "tests/fuzz/corpus/proxy_header";
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir = opendir(folder);

	(void)state;
	if (dir == NULL && getenv("CI") == NULL)
		skip();
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char path[512], bytes[1024];
		struct proxy_header got;
		enum proxy_header_state wanted = PROXY_HEADER_REFUSED;
		FILE *file;
		size_t len;

		if (entry->d_name[0] == '.')
			continue;
		if (strncmp(entry->d_name, "ok_", 3) == 0)
			wanted = PROXY_HEADER_READY;
		if (strncmp(entry->d_name, "more_", 5) == 0)
			wanted = PROXY_HEADER_MORE;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		file = fopen(path, "rb");
		assert_non_null(file);
		len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		if (parse(&got, bytes, len) != wanted)
			fail_msg("%s", entry->d_name);
		count++;
	}
	closedir(dir);
	assert_true(count > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_encodes_tcp4),
	    cmocka_unit_test(test_encodes_tcp6),
	    cmocka_unit_test(test_mapped_is_ipv4),
	    cmocka_unit_test(test_encodes_unix),
	    cmocka_unit_test(test_encodes_nothing_to_tell),
	    cmocka_unit_test(test_tells_both_ends_of_a_socket),
	    cmocka_unit_test(test_parses_what_it_writes),
	    cmocka_unit_test(test_parses_addresses),
	    cmocka_unit_test(test_local_says_nothing),
	    cmocka_unit_test(test_need_ends_with_the_header),
	    cmocka_unit_test(test_refused_early),
	    cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests_name("proxy_header", tests, NULL, NULL);
}
