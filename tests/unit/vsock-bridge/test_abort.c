/* What is aborted at the one moment that a process cannot be stopped at: when
 * it is connected already and has not been told. */
#include "tests/unit/vsock-bridge/harness.h"

#include "base/log.h"
#include "vsock-bridge/inbound.h"
#include "vsock-bridge/outbound.h"

#include <signal.h>
#include <sys/un.h>

struct fixture {
	uv_loop_t loop;
	struct service service;
	char dir[64], listen_path[96], upstream_path[96], list_path[96];
	int upstream, client;
	bool stopped, empty;
	uv_check_t check;
	int turns; /* left until all is aborted */
};

static struct fixture f;

static void on_empty(struct connections *all)
{
	(void)all;
	f.empty = true;
}

static void on_stopped(struct listener *listener)
{
	(void)listener;
	f.stopped = true;
}

static int unix_socket(
    const char *path, int (*act)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(act(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

static void init(void)
{
	memset(&f, 0, sizeof(f));
	snprintf(f.dir, sizeof(f.dir), "/tmp/hallmark-bridge-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.listen_path, sizeof(f.listen_path), "%s/listen", f.dir);
	snprintf(f.upstream_path, sizeof(f.upstream_path), "%s/up", f.dir);
	snprintf(f.list_path, sizeof(f.list_path), "%s/allow", f.dir);
	f.upstream = unix_socket(f.upstream_path, bind);
	assert_int_equal(listen(f.upstream, 4), 0);
	assert_int_equal(uv_loop_init(&f.loop), 0);
	f.service.loop = &f.loop;
	assert_int_equal(relay_hub_init(&f.service.relays, &f.loop), 0);
	f.service.limits = (struct bridge_limits){.connections_max = 4,
	    .connect_timeout_ms = HARNESS_DEADLINE_MS,
	    .request_timeout_ms = HARNESS_DEADLINE_MS,
	    .idle_timeout_ms = HARNESS_DEADLINE_MS};
	f.service.connections = (struct connections){
	    .max = 4, .on_empty = on_empty};
}

static void fini(void)
{
	harness_run_until(&f.loop, &f.stopped);
	relay_hub_close(&f.service.relays, NULL);
	harness_close_loop(&f.loop);
	close(f.upstream);
	close(f.client);
	unlink(f.listen_path);
	unlink(f.upstream_path);
	unlink(f.list_path);
	rmdir(f.dir);
}

/* Called in each turn of the loop after what is ready was handled and before
 * closed handles are called back: where an operation that is over has not said
 * so yet. A signal can come here too. */
static void on_check(uv_check_t *check)
{
	if (f.turns-- > 0)
		return;
	connections_abort_all(&f.service.connections);
	connections_abort_all(&f.service.connections);
	uv_close((uv_handle_t *)check, NULL);
}

/* Aborts in this turn, and sees that all ends at once. */
static void abort_after(int turns)
{
	f.turns = turns;
	uv_check_init(&f.loop, &f.check);
	uv_check_start(&f.check, on_check);
	for (int i = 0; i < turns + 10; i++)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	if (!connections_empty(&f.service.connections))
		fail_msg("one is left, aborted after %d turns", turns);
}

static void outbound_after(int turns, const char *words)
{
	struct bridge_outbound rule = {0};
	struct outbound outbound;
	char error[BRIDGE_CONFIG_ERROR_MAX], uri[ENDPOINT_TEXT_MAX];
	const char *head = "CONNECT a.example:443 HTTP/1.1\r\n\r\n";
	FILE *list;

	init();
	list = fopen(f.list_path, "w");
	assert_non_null(list);
	fprintf(list, "a.example:443 unix://%s %s\n", f.upstream_path, words);
	fclose(list);
	snprintf(uri, sizeof(uri), "unix://%s", f.listen_path);
	assert_int_equal(endpoint_parse(&rule.listen, uri), 0);
	snprintf(rule.allowlist, sizeof(rule.allowlist), "%s", f.list_path);
	if (outbound_start(&outbound, &f.service, &rule, error) != 0)
		fail_msg("%s", error);
	f.client = unix_socket(f.listen_path, connect);
	assert_int_equal(send(f.client, head, strlen(head), 0), strlen(head));
	abort_after(turns);
	outbound_stop(&outbound, on_stopped);
	fini();
	outbound_fini(&outbound);
}

static void inbound_after(int turns)
{
	struct bridge_inbound rule = {0};
	struct inbound inbound;
	char error[BRIDGE_CONFIG_ERROR_MAX], uri[ENDPOINT_TEXT_MAX];

	init();
	snprintf(uri, sizeof(uri), "unix://%s", f.listen_path);
	assert_int_equal(endpoint_parse(&rule.listen, uri), 0);
	snprintf(uri, sizeof(uri), "unix://%s", f.upstream_path);
	assert_int_equal(endpoint_parse(&rule.connect, uri), 0);
	if (inbound_start(&inbound, &f.service, &rule, error) != 0)
		fail_msg("%s", error);
	f.client = unix_socket(f.listen_path, connect);
	abort_after(turns);
	inbound_stop(&inbound, on_stopped);
	fini();
}

static void test_outbound_at_every_turn(void **state)
{
	unsigned before = harness_descriptors();

	(void)state;
	for (int turns = 0; turns < 10; turns++)
		outbound_after(turns, "any-protocol");
	assert_true(f.empty);
	for (int turns = 0; turns < 10; turns++) /* it waits in HELLO */
		outbound_after(turns, "");
	assert_true(f.empty);
	assert_int_equal(harness_descriptors(), before);
}

static void test_inbound_at_every_turn(void **state)
{
	unsigned before = harness_descriptors();

	(void)state;
	for (int turns = 0; turns < 10; turns++)
		inbound_after(turns);
	assert_true(f.empty);
	assert_int_equal(harness_descriptors(), before);
}

static int setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_ERROR);
	return harness_first_loop(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_outbound_at_every_turn),
	    cmocka_unit_test(test_inbound_at_every_turn),
	};

	return cmocka_run_group_tests_name("abort", tests, setup, NULL);
}
