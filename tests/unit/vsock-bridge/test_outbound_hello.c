/* What a client says after its CONNECT was granted. */
#include "tests/unit/vsock-bridge/outbound_child.h"

#include "vsock-bridge/gate.h"

#include <openssl/ssl.h>

struct hello {
	uint8_t bytes[4096];
	size_t len;
};

/* OpenSSL's own. Host NULL: without a name. */
static struct hello hello_for(const char *host)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem()), *sent = BIO_new(BIO_s_mem());
	struct hello hello;
	int len;

	assert_non_null(ssl);
	SSL_set_bio(ssl, in, sent);
	if (host != NULL)
		assert_int_equal(SSL_set_tlsext_host_name(ssl, host), 1);
	assert_int_equal(SSL_connect(ssl), -1);
	len = BIO_read(sent, hello.bytes, sizeof(hello.bytes));
	assert_true(len > 100);
	hello.len = (size_t)len;
	SSL_free(ssl);
	SSL_CTX_free(context);
	return hello;
}

static void send_bytes(int fd, const uint8_t *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void expect_bytes(int fd, const uint8_t *bytes, size_t len)
{
	uint8_t got[4096];
	size_t have = 0;

	assert_true(len <= sizeof(got));
	while (have < len) {
		ssize_t n = recv(fd, got + have, len - have, 0);

		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_memory_equal(got, bytes, len);
}

/* The answer is 200, and the upstream is connected and hears nothing yet. */
static int granted_tls(const char *request, int *far)
{
	int fd = client();

	client_say(fd, request);
	client_expect(fd, GRANTED);
	*far = client_accept(upstream);
	return fd;
}

/* After the 200 nothing but an alert (0: none) and an end; upstream nothing
 * but an end; and one log line. */
static void shut_out(int fd, int far, uint8_t alert, const char *log)
{
	const uint8_t expected[] = {21, 3, 3, 0, 2, 2, alert};
	char byte;

	if (alert != 0)
		expect_bytes(fd, expected, sizeof(expected));
	client_expect_end(fd);
	assert_int_equal(recv(far, &byte, 1, 0), 0);
	close(fd);
	close(far);
	child_wait_logged(&child, log, 1);
}

static void test_right_name(void **state)
{
	struct hello hello = hello_for("TLS.example");
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted_tls(TLS, &far);
	send_bytes(fd, hello.bytes, hello.len);
	expect_bytes(far, hello.bytes, hello.len);
	client_say(far, "server hello");
	client_expect(fd, "server hello");
	client_say(fd, "and so on");
	client_expect(far, "and so on");
	shutdown(fd, SHUT_WR);
	client_expect_end(far);
	close(far);
	client_expect_end(fd);
	close(fd);
	assert_int_equal(child_logged(&child, " warn "), 0);
	stop();
}

/* For a rule with a star: the name that was asked for, not any below it. */
static void test_star(void **state)
{
	struct hello right = hello_for("a.b.tls.example");
	struct hello sister = hello_for("c.tls.example");
	const char *request = "CONNECT A.b.TLS.example:443 HTTP/1.1\r\n\r\n";
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted_tls(request, &far);
	send_bytes(fd, right.bytes, right.len);
	expect_bytes(far, right.bytes, right.len);
	close(fd);
	close(far);
	fd = granted_tls(request, &far);
	send_bytes(fd, sister.bytes, sister.len);
	shut_out(fd, far, 112, "names another server: c.tls.example");
	child_wait_logged(&child, " refused ", 1);
	stop();
}

/* Byte by byte, and with the beginning of what follows. */
static void test_in_pieces(void **state)
{
	struct hello hello = hello_for("tls.example");
	int far, fd;
	char byte;

	(void)state;
	start_with("", "");
	fd = granted_tls(TLS, &far);
	for (size_t i = 0; i + 1 < hello.len; i++) {
		send_bytes(fd, hello.bytes + i, 1);
		if (i < 8)
			harness_sleep_ms(2);
	}
	harness_sleep_ms(20);
	/* Not a byte goes out before all was judged. */
	assert_int_equal(recv(far, &byte, 1, MSG_DONTWAIT), -1);
	hello.bytes[hello.len] = 'x';
	send_bytes(fd, hello.bytes + hello.len - 1, 2);
	expect_bytes(far, hello.bytes, hello.len + 1);
	close(fd);
	close(far);
	stop();
}

/* A client that does not wait for its 200. */
static void test_with_the_request(void **state)
{
	struct hello hello = hello_for("tls.example");
	struct hello wrong = hello_for("evil.example");
	uint8_t all[8192];
	int far, fd = -1;

	(void)state;
	start_with("", "");
	memcpy(all, TLS, strlen(TLS));
	memcpy(all + strlen(TLS), hello.bytes, hello.len);
	fd = client();
	send_bytes(fd, all, strlen(TLS) + hello.len);
	client_expect(fd, GRANTED);
	far = client_accept(upstream);
	expect_bytes(far, hello.bytes, hello.len);
	close(fd);
	close(far);
	memcpy(all + strlen(TLS), wrong.bytes, wrong.len);
	fd = client();
	send_bytes(fd, all, strlen(TLS) + wrong.len);
	client_expect(fd, GRANTED);
	far = client_accept(upstream);
	shut_out(fd, far, 112, "names another server: evil.example");
	stop();
}

static void test_refused(void **state)
{
	struct hello wrong = hello_for("evil.example");
	struct hello nameless = hello_for(NULL);
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted_tls(TLS, &far);
	send_bytes(fd, wrong.bytes, wrong.len);
	shut_out(fd, far, 112, "reason=wrong_server_name");
	fd = granted_tls(TLS, &far);
	send_bytes(fd, nameless.bytes, nameless.len);
	shut_out(fd, far, 109, "reason=no_server_name");
	fd = granted_tls(TLS, &far);
	client_say(fd, "GET / HTTP/1.1\r\nHost: tls.example\r\n\r\n");
	shut_out(fd, far, 0, "reason=not_tls");
	child_wait_logged(&child, "target=tls.example:443 reason=not_tls", 1);
	fd = granted_tls(TLS, &far);
	send_bytes(fd, (const uint8_t *)"\x16\x03\x01\x00\x00", 5);
	shut_out(fd, far, 50, "reason=malformed_client_hello");
	/* One line each, and no other. */
	child_wait_logged(&child, " refused ", 4);
	assert_int_equal(child_logged(&child, " warn "), 4);
	still_serves();
	stop();
}

static void test_ssh(void **state)
{
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted_tls(TLS, &far);
	client_say(fd, "SSH-2.0-OpenSSH_9.2p1\r\n");
	shut_out(fd, far, 0, "reason=not_tls");
	/* With any-protocol it is let through. */
	fd = granted_tls(GOOD, &far);
	client_say(fd, "SSH-2.0-OpenSSH_9.2p1\r\n");
	client_expect(far, "SSH-2.0-OpenSSH_9.2p1\r\n");
	close(fd);
	close(far);
	child_wait_logged(&child, " refused ", 1);
	stop();
}

/* More than the sockets hold, of what is refused at its first byte: it can
 * send it all, and reads a clean end. */
static void test_refused_while_sending(void **state)
{
	static char noise[4u << 20];
	int far, fd;

	(void)state;
	start_with("", "");
	memset(noise, 'A', sizeof(noise) - 1);
	fd = client_tcp(tcp_port);
	client_say(fd, TLS);
	client_expect(fd, GRANTED);
	far = client_accept(upstream);
	client_say(fd, noise);
	shut_out(fd, far, 0, "reason=not_tls");
	stop();
}

static void test_leaves(void **state)
{
	struct hello hello = hello_for("tls.example");
	int far, fd;

	(void)state;
	start_with("", "");
	/* Before a byte: not worth a line. */
	fd = granted_tls(TLS, &far);
	close(fd);
	client_expect_end(far);
	close(far);
	/* In the middle. */
	fd = granted_tls(TLS, &far);
	send_bytes(fd, hello.bytes, 20);
	shutdown(fd, SHUT_WR);
	shut_out(fd, far, 0, "the stream ended before its ClientHello did");
	child_wait_logged(&child, " warn ", 1);
	stop();
}

static void test_late(void **state)
{
	struct hello hello = hello_for("tls.example");
	int far, fd;

	(void)state;
	start_with(", \"request_timeout_ms\": 1000", "");
	fd = granted_tls(TLS, &far);
	send_bytes(fd, hello.bytes, 20);
	shut_out(fd, far, 0, "reason=request_timeout");
	still_serves();
	stop();
}

/* A session that waits for its hello does not hold up the end. */
static void test_terminate(void **state)
{
	int far, fd;

	(void)state;
	start_with(", \"request_timeout_ms\": 60000", "");
	fd = granted_tls(TLS, &far);
	kill(child.pid, SIGTERM);
	child_wait_logged(&child, " stopping ", 1);
	kill(child.pid, SIGTERM); /* again: now */
	assert_int_equal(child_wait(&child), 0);
	client_expect_end(far);
	close(fd);
	close(far);
	close(upstream);
	child_fini(&child);
}

/* The rule that counts is the one at the time of the request. */
static void test_reload_while_waiting(void **state)
{
	struct hello hello = hello_for("tls.example");
	int far, fd;

	(void)state;
	start_with("", "");
	fd = granted_tls(TLS, &far);
	child_write_file(&child, "allow", "other.example:443\n");
	kill(child.pid, SIGHUP);
	child_wait_logged(&child, " allowlist_reloaded ", 2);
	send_bytes(fd, hello.bytes, hello.len);
	expect_bytes(far, hello.bytes, hello.len);
	close(fd);
	close(far);
	refused(TLS, "403");
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_right_name),
	    cmocka_unit_test(test_star),
	    cmocka_unit_test(test_in_pieces),
	    cmocka_unit_test(test_with_the_request),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_ssh),
	    cmocka_unit_test(test_refused_while_sending),
	    cmocka_unit_test(test_leaves),
	    cmocka_unit_test(test_late),
	    cmocka_unit_test(test_terminate),
	    cmocka_unit_test(test_reload_while_waiting),
	};

	return cmocka_run_group_tests_name("outbound_hello", tests, NULL, NULL);
}
