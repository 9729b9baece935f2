/* Limits of connections, of the whole program: in all, of one peer, and of
 * descriptors; and that it recovers. Inbound, over TCP and Unix sockets. */
#include "tests/unit/vsock-bridge/child.h"

#include <sys/resource.h>

struct bridge {
	struct child child;
	int upstream; /* listens */
	char path[128];
};

static void start(struct bridge *b, const char *limits)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char config[1024];

	child_init(&b->child);
	snprintf(b->path, sizeof(b->path), "%s/up", b->child.dir);
	b->upstream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/up", b->child.dir);
	assert_int_equal(
	    bind(b->upstream, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(b->upstream, 256), 0);
	snprintf(config, sizeof(config),
	    "{\"inbound\": [{\"listen\": \"unix://%s\","
	    " \"connect\": \"unix://%s\"}], %s}",
	    b->child.socket_path, b->path, limits);
	child_start(&b->child, config, 1);
}

static void stop(struct bridge *b)
{
	close(b->upstream);
	child_stop(&b->child);
}

/* A client that reaches the other side. */
static int served(struct bridge *b, int *far)
{
	int fd = client_unix(b->child.socket_path);

	*far = client_accept(b->upstream);
	client_say(fd, "ping");
	client_expect(*far, "ping");
	return fd;
}

static void refused(struct bridge *b)
{
	int fd = client_unix(b->child.socket_path);

	client_expect_end(fd);
	close(fd);
}

static void test_limit_of_one_peer(void **state)
{
	struct bridge b;
	int near[2], far[2];

	(void)state;
	start(&b, "\"connections_per_peer_max\": 2");
	for (int i = 0; i < 2; i++)
		near[i] = served(&b, &far[i]);
	for (int i = 0; i < 5; i++)
		refused(&b);
	assert_true(
	    child_logged(&b.child, "reason=connections_per_peer_max") >= 1);
	/* Not a line for each: they come as fast as a client likes. */
	assert_true(
	    child_logged(&b.child, "reason=connections_per_peer_max") < 5);
	close(near[0]);
	client_expect_end(far[0]);
	close(far[0]);
	near[0] = served(&b, &far[0]);
	for (int i = 0; i < 2; i++) {
		close(near[i]);
		close(far[i]);
	}
	stop(&b);
}

static void test_limit_of_all(void **state)
{
	struct bridge b;
	int near, far;

	(void)state;
	start(&b, "\"connections_max\": 1");
	near = served(&b, &far);
	refused(&b);
	child_wait_logged(&b.child, "reason=connections_max more=0", 1);
	close(near);
	client_expect_end(far);
	close(far);
	near = served(&b, &far);
	close(near);
	close(far);
	stop(&b);
}

#define CLIENTS 60

/* Whichever has its answer. */
static void finish_one(int near[CLIENTS])
{
	struct pollfd fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = (struct pollfd){.fd = near[i], .events = POLLIN};
	assert_true(poll(fds, CLIENTS, HARNESS_DEADLINE_MS) > 0);
	for (int i = 0; i < CLIENTS; i++) {
		if (!(fds[i].revents & POLLIN))
			continue;
		client_expect(near[i], "pong");
		close(near[i]);
		near[i] = -1;
		return;
	}
	fail();
}

/* Far more clients than descriptors: those that are accepted work, the others
 * wait, and all have been served in the end. */
static void test_descriptors_run_out_and_come_back(void **state)
{
	struct rlimit before, low;
	int near[CLIENTS], done = 0;
	struct bridge b;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = (struct rlimit){64, 64};
	/* The child's hard limit too: it would raise its own. */
	low.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	start(&b, "\"connections_max\": 100");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	low.rlim_max = 64;
	assert_int_equal(prlimit(b.child.pid, RLIMIT_NOFILE, &low, NULL), 0);
	for (int i = 0; i < CLIENTS; i++) {
		near[i] = client_unix(b.child.socket_path);
		client_say(near[i], "ping");
	}
	child_wait_logged(&b.child, " accept_paused ", 1);
	for (; done < CLIENTS; done++) {
		int far = client_accept(b.upstream);

		client_expect(far, "ping");
		client_say(far, "pong");
		close(far);
		finish_one(near);
	}
	assert_int_equal(child_logged(&b.child, " failed "), 0);
	assert_true(child_logged(&b.child, " accept_resumed ") >= 1);
	stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_limit_of_one_peer),
	    cmocka_unit_test(test_limit_of_all),
	    cmocka_unit_test(test_descriptors_run_out_and_come_back),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
