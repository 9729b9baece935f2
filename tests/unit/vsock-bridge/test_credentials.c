/* credentials: the whole program between an enclave and a metadata service that
 * the test plays: the three steps, many who ask at once, and whatever the
 * service may say or not. */
#include "tests/unit/vsock-bridge/child.h"

#include "vsock-bridge/credentials.h"

#define ROLES "/latest/meta-data/iam/security-credentials/"
#define OK    "HTTP/1.1 200 OK\r\n\r\n"

static struct child child;
static int service;

static void start(void)
{
	char config[512];
	uint16_t port;

	service = harness_tcp_listen(16, &port);
	child_init(&child);
	snprintf(config, sizeof(config),
	    "{\"credentials\": {\"listen\": \"unix://%s\", \"imds\": "
	    "\"tcp://127.0.0.1:%u\"}}",
	    child.socket_path, port);
	child_start(&child, config, 1);
}

static void stop(void)
{
	close(service);
	child_stop(&child);
}

/* One step: the request begins like this, and gets this answer. */
static void step(const char *request, const char *with, const char *answer)
{
	char got[IMDS_REQUEST_MAX] = "";
	size_t len = 0;
	int fd = client_accept(service);

	while (strstr(got, "\r\n\r\n") == NULL) {
		ssize_t n = recv(fd, got + len, sizeof(got) - 1 - len, 0);

		assert_true(n > 0);
		len += (size_t)n;
		got[len] = '\0';
	}
	assert_ptr_equal(strstr(got, request), got);
	assert_non_null(strstr(got, with));
	client_say(fd, answer);
	close(fd);
}

static void token_step(void)
{
	step("PUT /latest/api/token HTTP/1.1\r\nHost: 127.0.0.1\r\n",
	    "\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ntoken=");
}

static void role_step(void)
{
	step("GET " ROLES " HTTP/1.1\r\n",
	    "\r\nX-aws-ec2-metadata-token: token=\r\n", OK "a-role");
}

static void expect(int fd, const char *wanted)
{
	uint8_t head[4];

	assert_int_equal(recv(fd, head, 4, MSG_WAITALL), 4);
	assert_int_equal(head[2] << 8 | head[3], strlen(wanted));
	client_expect(fd, wanted);
	client_expect_end(fd);
	close(fd);
}

static void test_three_steps(void **state)
{
	int fd;
	(void)state;

	start();
	fd = client_unix(child.socket_path);
	token_step();
	role_step();
	step("GET " ROLES "a-role HTTP/1.1\r\n",
	    "\r\nX-aws-ec2-metadata-token: token=\r\n",
	    OK "{\"Code\":\"Success\"}");
	expect(fd, "{\"Code\":\"Success\"}");
	child_logged(&child, "");
	assert_null(strstr(child.log, "token="));
	stop();
}

/* All who wait get the one answer; one that has left is not missed. */
static void test_many(void **state)
{
	int fds[4];
	(void)state;

	start();
	for (size_t i = 0; i < 4; i++)
		fds[i] = client_unix(child.socket_path);
	close(fds[2]);
	token_step();
	role_step();
	step("GET " ROLES "a-role ", "", OK "{}");
	for (size_t i = 0; i < 4; i++)
		if (i != 2)
			expect(fds[i], "{}");
	stop();
}

static void test_refused_steps(void **state)
{
	static const struct {
		const char *answer, *why;
	} wrong[] = {
	    {"HTTP/1.1 401 Unauthorized\r\n\r\n", "protocol error"},
	    {"HTTP/1.1 404 Not Found\r\n\r\na-role", "protocol error"},
	    {"HTTP/1.1 200 OK\r\n", "protocol error"},
	    {"", "protocol error"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\na-role",
		"protocol error"},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na-role",
		"protocol error"},
	    {OK, "not the name of one role"},
	    {OK "a-role\nb-role", "not the name of one role"},
	    {OK "../../x", "not the name of one role"},
	    {OK "a role", "not the name of one role"},
	};
	char wanted[200];
	(void)state;

	start();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int fd = client_unix(child.socket_path);

		token_step();
		step("GET " ROLES " ", "", wrong[i].answer);
		snprintf(wanted, sizeof(wanted),
		    "{\"Code\":\"Unavailable\",\"Message\":\"role: %s\"}",
		    wrong[i].why);
		expect(fd, wanted);
	}
	stop();
}

static void test_bad_token(void **state)
{
	int fd;
	(void)state;

	start();
	fd = client_unix(child.socket_path);
	step("PUT ", "", OK "a\r\nX: y");
	expect(fd, "{\"Code\":\"Unavailable\",\"Message\":\"token: not a "
		   "token\"}");
	stop();
}

static void test_too_much(void **state)
{
	static char much[IMDS_ANSWER_MAX + 2];
	int fd, asked;
	(void)state;

	start();
	fd = client_unix(child.socket_path);
	memset(much, 'a', sizeof(much) - 1);
	memcpy(much, OK, sizeof(OK) - 1);
	asked = client_accept(service);
	client_say(asked, much);
	expect(fd, "{\"Code\":\"Unavailable\",\"Message\":\"token: message "
		   "too long\"}");
	close(asked);
	stop();
}

/* Nobody there: told at once, and again for the next who asks. */
static void test_no_service(void **state)
{
	(void)state;
	start();
	close(service);
	for (int i = 0; i < 2; i++)
		expect(client_unix(child.socket_path),
		    "{\"Code\":\"Unavailable\",\"Message\":\"token: "
		    "connection refused\"}");
	service = -1;
	stop();
}

/* A service that says nothing: by IMDS_TIMEOUT_MS; and the program is told to
 * stop meanwhile. */
static void test_silence(void **state)
{
	int fd, asked;
	(void)state;

	start();
	fd = client_unix(child.socket_path);
	asked = client_accept(service);
	expect(fd, "{\"Code\":\"Unavailable\",\"Message\":\"token: connection "
		   "timed out\"}");
	close(asked);
	fd = client_unix(child.socket_path);
	asked = client_accept(service);
	kill(child.pid, SIGTERM);
	kill(child.pid, SIGTERM);
	assert_int_equal(child_wait(&child), 0);
	close(fd);
	close(asked);
	close(service);
	child_fini(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_three_steps),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_refused_steps),
	    cmocka_unit_test(test_bad_token),
	    cmocka_unit_test(test_too_much),
	    cmocka_unit_test(test_no_service),
	    cmocka_unit_test(test_silence),
	};
	return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
