/* http_proxied: a server that expects a PROXY header. */
#include "client.h"

#include "base/http_proxied.h"
#include "base/log.h"
#include "base/proxy_header.h"

#include <sys/resource.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

static void answer(struct http_request *req, void *data)
{
	(void)data;
	http_reply_json(req, "{}");
}

static const struct http_route routes[] = {
    {"GET", "/", NULL, answer}, {NULL, NULL, NULL, NULL}};

static void start(void)
{
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(endpoint_parse(&server_ep, "tcp://127.0.0.1:0"), 0);
	server_done = false;
	assert_int_equal(
	    http_server_start_with(&server, &loop, &server_ep, routes, NULL,
		&(struct http_server_options){.proxy_protocol = true}),
	    0);
	server_ep.port = http_server_port(server);
}

/* A header for a client at 192.0.2.LAST. */
static size_t header_of(uint8_t out[static PROXY_HEADER_ENCODED_MAX], int last)
{
	struct proxy_header header;
	char host[32];

	memset(&header, 0, sizeof(header));
	header.source.in.sin_family = AF_INET;
	header.source.in.sin_port = htons(4711);
	snprintf(host, sizeof(host), "192.0.2.%d", last);
	inet_pton(AF_INET, host, &header.source.in.sin_addr);
	header.destination = header.source;
	return proxy_header_encode(out, &header);
}

static int connect_as(int last)
{
	uint8_t header[PROXY_HEADER_ENCODED_MAX];
	size_t len = header_of(header, last);
	int fd = client_connect();

	assert_true(client_send_bytes(fd, (char *)header, len));
	return fd;
}

static void answered(int fd)
{
	struct response response = {.text = NULL};

	client_send(fd, REQUEST);
	client_read_until(fd, &response, response_complete(&response));
	assert_int_equal(response_status(&response), 200);
	response_fini(&response);
}

static void closed_without_answer(int fd)
{
	struct response response = {.text = NULL};

	client_read_until(fd, &response, response.closed);
	assert_int_equal(response.len, 0);
	response_fini(&response);
	close(fd);
}

static void test_request_behind_header(void **state)
{
	int fd;

	(void)state;
	start();
	fd = connect_as(1);
	answered(fd);
	answered(fd); /* the second request has no header */
	close(fd);
	server_end();
}

static void test_all_at_once(void **state)
{
	uint8_t bytes[PROXY_HEADER_ENCODED_MAX + sizeof(REQUEST)];
	struct response response = {.text = NULL};
	size_t len = header_of(bytes, 1);
	int fd;

	(void)state;
	start();
	memcpy(bytes + len, REQUEST, sizeof(REQUEST) - 1);
	len += sizeof(REQUEST) - 1;
	fd = client_connect();
	assert_true(client_send_bytes(fd, (char *)bytes, len));
	client_read_until(fd, &response, response_complete(&response));
	assert_int_equal(response_status(&response), 200);
	response_fini(&response);
	close(fd);
	server_end();
}

static void test_byte_by_byte(void **state)
{
	uint8_t bytes[PROXY_HEADER_ENCODED_MAX];
	size_t len = header_of(bytes, 1);
	int fd;

	(void)state;
	start();
	fd = client_connect();
	for (size_t i = 0; i < len; i++) {
		assert_true(client_send_bytes(fd, (char *)bytes + i, 1));
		pump_ms(1);
	}
	answered(fd);
	close(fd);
	server_end();
}

/* Half a header costs the loop nothing while the rest is not there. */
static void test_half_a_header_waits(void **state)
{
	uint8_t bytes[PROXY_HEADER_ENCODED_MAX];
	size_t len = header_of(bytes, 1);
	int fd;

	(void)state;
	start();
	fd = client_connect();
	assert_true(client_send_bytes(fd, (char *)bytes, len - 1));
	pump_ms(20);
	assert_true(count_turns() < 50);
	server_stop_wait();
	closed_without_answer(fd);
	loop_end();
}

static void test_no_header(void **state)
{
	int fd;

	(void)state;
	start();
	fd = client_connect();
	client_send(fd, REQUEST);
	closed_without_answer(fd);
	fd = client_connect();
	client_send(fd, "PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n" REQUEST);
	closed_without_answer(fd);
	server_end();
}

static void test_ends_in_the_header(void **state)
{
	uint8_t bytes[PROXY_HEADER_ENCODED_MAX];
	int fd;

	(void)state;
	start();
	header_of(bytes, 1);
	for (size_t len = 0; len < 20; len += 5) {
		fd = client_connect();
		if (len > 0)
			client_send_bytes(fd, (char *)bytes, len);
		shutdown(fd, SHUT_WR);
		closed_without_answer(fd);
	}
	server_end();
}

static void test_takes_too_long(void **state)
{
	int fd;

	(void)state;
	start();
	fd = client_connect();
	client_send(fd, "\r");
	closed_without_answer(fd);
	server_end();
}

/* A health check of the bridge's own, and a client that it cannot name. */
static void test_without_address(void **state)
{
	static const char *const heads[] = {"\x20\0\0\0", "\x21\0\0\0"};
	uint8_t bytes[PROXY_HEADER_ENCODED_MAX];
	int fd;

	(void)state;
	start();
	header_of(bytes, 1);
	for (int i = 0; i < 2; i++) {
		memcpy(bytes + 12, heads[i], 4);
		fd = client_connect();
		assert_true(client_send_bytes(fd, (char *)bytes, 16));
		answered(fd);
		close(fd);
	}
	server_end();
}

static void allow_descriptors(rlim_t count)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < count)
		skip();
	limit.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* One client cannot have all connections: the address that counts is that of
 * the header. */
static void test_limit_of_one_client(void **state)
{
	static int fds[HTTP_CONNECTIONS_PER_CLIENT_MAX];
	int fd;

	(void)state;
	allow_descriptors(4 * HTTP_CONNECTIONS_PER_CLIENT_MAX);
	start();
	for (int i = 0; i < HTTP_CONNECTIONS_PER_CLIENT_MAX; i++) {
		fds[i] = connect_as(1);
		answered(fds[i]);
	}
	closed_without_answer(connect_as(1));
	fd = connect_as(2);
	answered(fd);
	close(fd);
	for (int i = 0; i < HTTP_CONNECTIONS_PER_CLIENT_MAX; i++)
		close(fds[i]);
	server_end();
}

/* However many say nothing, those that do are closed, not kept. */
static void test_ceiling_of_those_that_wait(void **state)
{
	static int fds[HTTP_PROXIED_MAX];
	int fd;

	(void)state;
	allow_descriptors(2 * HTTP_PROXIED_MAX + 64);
	start();
	for (int i = 0; i < HTTP_PROXIED_MAX; i++) {
		fds[i] = client_connect();
		if (i % 32 == 31)
			pump_ms(5);
	}
	pump_ms(20);
	fd = client_connect();
	closed_without_answer(fd);
	close(fds[0]);
	pump_ms(20);
	fd = connect_as(1);
	answered(fd);
	close(fd);
	for (int i = 1; i < HTTP_PROXIED_MAX; i++)
		close(fds[i]);
	server_end();
}

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_request_behind_header),
	    cmocka_unit_test(test_all_at_once),
	    cmocka_unit_test(test_byte_by_byte),
	    cmocka_unit_test(test_half_a_header_waits),
	    cmocka_unit_test(test_no_header),
	    cmocka_unit_test(test_ends_in_the_header),
	    cmocka_unit_test(test_takes_too_long),
	    cmocka_unit_test(test_without_address),
	    cmocka_unit_test(test_limit_of_one_client),
	    cmocka_unit_test(test_ceiling_of_those_that_wait),
	};

	return cmocka_run_group_tests_name("http_proxied", tests, setup, NULL);
}
