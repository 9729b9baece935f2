/* notify: the datagrams of sd_notify(3). */
#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/notify.h"

#include <sys/un.h>

static char dir[] = "/tmp/hallmark-notify-XXXXXX", path[64];
static int manager;

/* As a service manager; '@' first: in the abstract namespace. */
static void listen_at(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval timeout = {HARNESS_DEADLINE_MS / 1000, 0};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    strlen(name) + (name[0] == '/'));

	memcpy(un.sun_path, name, strlen(name));
	if (name[0] == '@')
		un.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&un, len), 0);
	setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setenv("NOTIFY_SOCKET", name, 1);
}

static void hears(const char *wanted)
{
	char got[1024];
	ssize_t len = recv(manager, got, sizeof(got) - 1, 0);

	assert_true(len >= 0);
	got[len] = '\0';
	if (strstr(got, wanted) == NULL)
		fail_msg("'%s' without '%s'", got, wanted);
}

static void test_states(void **state)
{
	(void)state;
	listen_at(path);
	notify_ready("Serving");
	hears("READY=1\nSTATUS=Serving");
	notify_reloading();
	hears("RELOADING=1\nMONOTONIC_USEC=");
	notify_stopping("Waiting", 7000);
	hears("STOPPING=1\nEXTEND_TIMEOUT_USEC=7000000\nSTATUS=Waiting");
	close(manager);
	unlink(path);
}

/* The manager ignores a reload from before its signal. */
static void test_reload_has_the_time(void **state)
{
	int64_t before = harness_now_ms();
	long long usec = 0;
	char got[256];
	ssize_t len;

	(void)state;
	listen_at(path);
	notify_reloading();
	len = recv(manager, got, sizeof(got) - 1, 0);
	assert_true(len > 0);
	got[len] = '\0';
	assert_int_equal(
	    sscanf(got, "RELOADING=1\nMONOTONIC_USEC=%lld", &usec), 1);
	assert_true(usec / 1000 >= before);
	assert_true(usec / 1000 <= harness_now_ms());
	close(manager);
	unlink(path);
}

static void test_abstract(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@hallmark-notify-%d", (int)getpid());
	listen_at(name);
	assert_true(notify_send("READY=1"));
	hears("READY=1");
	close(manager);
}

static void test_nobody_listens(void **state)
{
	static const char *const names[] = {
	    "", "/", "relative", "vsock:2:1", "/nonexistent/notify"};
	char name[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		assert_false(notify_send("READY=1"));
	}
	memset(name, 'a', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	assert_false(notify_send("READY=1"));
	unsetenv("NOTIFY_SOCKET");
	assert_false(notify_send("READY=1"));
	notify_ready("nobody hears it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_states),
	    cmocka_unit_test(test_reload_has_the_time),
	    cmocka_unit_test(test_abstract),
	    cmocka_unit_test(test_nobody_listens),
	};
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/notify", dir);
	failed = cmocka_run_group_tests_name("notify", tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return failed;
}
