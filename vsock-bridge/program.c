/* program: see program.h. */
#include "vsock-bridge/program.h"

#include "base/descriptors.h"
#include "base/log.h"
#include "vsock-bridge/activation.h"
#include "vsock-bridge/bridge.h"
#include "vsock-bridge/notify.h"
#include "vsock-bridge/sandbox.h"

#include <assert.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many names can be looked up at once: a lookup that hangs holds one of
 * libuv's threads, four by default, and the others wait behind it. */
#define LOOKUP_THREADS "16"
/* A lookup that hangs cannot be stopped: do not wait longer for its thread. */
#define LAST_RESORT_MS 1000
/* The service manager is to wait for that, and for readers of the metrics. */
#define STOPPING_MARGIN_MS 5000
/* Allocated by pages of its own: what a relay keeps, not what a session is. */
#define LARGE_BYTES 32768
/* Beside two for each connection: listeners, the loop, answers under way,
 * relays' pipes, readers of the metrics. The listeners leave a reserve free
 * (base/descriptors.h), so it is not of these. */
#define DESCRIPTORS_BESIDE 256

static const char help[] =
    "vsock-bridge CONFIG          run it\n"
    "vsock-bridge --check CONFIG  print what it would do, and exit\n"
    "vsock-bridge --help | --version\n"
    "\n"
    "The way in and out of a Nitro enclave, run on its parent instance.\n"
    "Outbound: an HTTP CONNECT proxy for the enclave (vsock to TCP) that lets\n"
    "it reach only what an allow-list names. Inbound: relays TCP clients to\n"
    "the enclave. It moves bytes and cannot read them: TLS ends inside.\n"
    "It can also hand an enclave its configuration, which the enclave then\n"
    "measures, write an enclave's log to its own, keep its sealed key, and\n"
    "hand it the credentials of the instance's role.\n"
    "\n"
    "Example configuration (the numbers are the defaults and may be left out):\n"
    "\n"
    "  { \"outbound\": [ {\"listen\": \"vsock://any:8443\",\n"
    "                   \"allowlist\": \"allowlist.txt\"} ],\n"
    "    \"inbound\":  [ {\"listen\": \"tcp://0.0.0.0:8080\",\n"
    "                   \"connect\": \"vsock://16:8080\",\n"
    "                   \"proxy_protocol\": false} ],\n"
    "    \"configuration\": [ {\"listen\": \"vsock://any:9001\",\n"
    "                        \"file\": \"oracle.json\"} ],\n"
    "    \"logs\": [ {\"listen\": \"vsock://any:9002\"} ],\n"
    "    \"keeper\": {\"listen\": \"vsock://any:9003\",\n"
    "               \"directory\": \"/var/lib/vsock-bridge/keys\"},\n"
    "    \"credentials\": {\"listen\": \"vsock://any:9004\",\n"
    "                    \"imds\": \"tcp://169.254.169.254:80\"},\n"
    "    \"metrics\": \"unix:///run/vsock-bridge/metrics.sock\",\n"
    "    \"connections_max\": 1024, \"connections_per_peer_max\": 0,\n"
    "    \"connect_timeout_ms\": 5000, \"request_timeout_ms\": 5000,\n"
    "    \"idle_timeout_ms\": 120000, \"total_timeout_ms\": 0,\n"
    "    \"drain_timeout_ms\": 5000 }\n"
    "\n"
    "0: no limit. Without \"metrics\" (GET /metrics) there are none.\n"
    "Addresses: vsock://CID:PORT, vsock://any:PORT (to listen),\n"
    "tcp://HOST:PORT, unix:///PATH, hybrid:///PATH:PORT (a guest's vsock as\n"
    "Firecracker offers it). Paths are relative to CONFIG.\n"
    "\n"
    "Example allow-list (what is not on it gets 403):\n"
    "\n"
    "  # the exchanges\n"
    "  api.exchange.coinbase.com:443\n"
    "  *.binance.vision:443                        # not binance.vision\n"
    "  api.kraken.com:443    tcp://127.0.0.1:9443  # connect there instead\n"
    "  ssh.corp.example:22   any-protocol          # need not begin with TLS\n"
    "  db.corp.example:443   allow-private         # may be in our network\n"
    "\n"
    "A star is one label or more; an exact rule wins, then the longer suffix.\n"
    "The first bytes must be a TLS ClientHello that names the very host that\n"
    "was asked for. Names are looked up for each connection and all addresses\n"
    "tried; private, loopback and link-local ones are left out.\n"
    "\n"
    "Once it listens it gives up all privileges and keeps to the system calls\n"
    "and files that it needs; \"insecure_no_sandbox\": true does without.\n"
    "\n"
    "Signals:\n"
    "  HUP        read allow-lists and configurations again; a bad one\n"
    "             leaves the old one\n"
    "  TERM, INT  accept no more, finish (drain_timeout_ms), exit 0;\n"
    "             again: now\n"
    "\n"
    "Exit status: 0 stopped, 1 could not run, 2 wrong usage.\n";

struct program {
	uv_loop_t loop;
	struct bridge *bridge; /* NULL once it has stopped */
	struct bridge_config config;
	uv_signal_t hangup, terminate, interrupt;
	uv_timer_t last_resort;
};

static void on_hangup(uv_signal_t *handle, int number)
{
	struct program *program = handle->data;

	(void)number;
	if (program->bridge == NULL)
		return;
	notify_reloading();
	notify_ready(bridge_reload(program->bridge)
			 ? "Serving"
			 : "Serving; a file is invalid, the old one counts");
}

static void unwatch(struct program *program)
{
	uv_close((uv_handle_t *)&program->hangup, NULL);
	uv_close((uv_handle_t *)&program->terminate, NULL);
	uv_close((uv_handle_t *)&program->interrupt, NULL);
}

static void on_last_resort(uv_timer_t *timer)
{
	(void)timer;
	/* UNTESTED: needs a resolver that hangs. exit() would join the threads;
	 * a lookup still has one. */
	_exit(0);
}

static void on_stopped(void *data)
{
	struct program *program = data;

	program->bridge = NULL;
	log_info("bridge", "stopped");
	unwatch(program);
	uv_timer_start(
	    &program->last_resort, on_last_resort, LAST_RESORT_MS, 0);
}

static void on_terminate(uv_signal_t *handle, int number)
{
	struct program *program = handle->data;
	uint64_t drain_ms = program->config.limits.drain_timeout_ms;

	log_info("bridge", "stopping", LOG_D("signal", number));
	if (program->bridge == NULL)
		return;
	notify_stopping(
	    "Waiting for connections to end", drain_ms + STOPPING_MARGIN_MS);
	bridge_stop(program->bridge, drain_ms, on_stopped, program);
}

static void watch(
    struct program *program, uv_signal_t *handle, uv_signal_cb cb, int number)
{
	int err = uv_signal_init(&program->loop, handle);

	if (err == 0)
		err = uv_signal_start(handle, cb, number);
	if (err != 0)
		log_die("bridge", "signal %d: %s", number, uv_strerror(err));
	handle->data = program;
}

static void start_loop(struct program *program)
{
	int err;

	setenv("UV_THREADPOOL_SIZE", LOOKUP_THREADS, 0);
	/* What waits for a slow reader goes back to the kernel when it is
	 * gone, instead of leaving holes in the heap. */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	signal(SIGPIPE, SIG_IGN);
	err = uv_loop_init(&program->loop);
	if (err != 0)
		log_die("bridge", "event loop: %s", uv_strerror(err));
}

/* Runs until nothing is left on the loop; the last resort is not counted. */
static void run_loop(struct program *program)
{
	int err;

	uv_timer_init(&program->loop, &program->last_resort);
	uv_unref((uv_handle_t *)&program->last_resort);
	uv_run(&program->loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&program->last_resort, NULL);
	uv_run(&program->loop, UV_RUN_DEFAULT);
	err = uv_loop_close(&program->loop);
	assert(err == 0); /* UV_EBUSY: a handle was left */
	(void)err;
}

static bool wants_sandbox(const struct bridge_config *config)
{
#ifdef HALLMARK_COVERAGE
	return false; /* the counts are written to files at the end */
#endif
	return !config->insecure_no_sandbox;
}

/* All that needs more than relaying does has been done. */
static int start(struct program *program, char error[BRIDGE_CONFIG_ERROR_MAX])
{
	struct bridge_config *config = &program->config;

	if (activation_take(config, error) < 0 ||
	    bridge_start(&program->bridge, &program->loop, config, error) != 0)
		return -1;
	if (!wants_sandbox(config))
		log_warn("sandbox", "off", LOG_S("why", "insecure_no_sandbox"));
	else if (sandbox_enter(config, error) != 0)
		log_die("sandbox",
		    "%s; \"insecure_no_sandbox\": true does without", error);
	notify_ready("Serving");
	return 0;
}

static int run(struct program *program)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];
	int status = 0;

	if (wants_sandbox(&program->config))
		sandbox_prepare();
	start_loop(program);
	descriptors_want(2 * (uint64_t)program->config.limits.connections_max +
			 DESCRIPTORS_BESIDE);
	watch(program, &program->hangup, on_hangup, SIGHUP);
	watch(program, &program->terminate, on_terminate, SIGTERM);
	watch(program, &program->interrupt, on_terminate, SIGINT);
	if (start(program, error) != 0) {
		log_error("bridge", "cannot_start", LOG_S("error", error));
		unwatch(program);
		status = 1;
	}
	run_loop(program);
	return status;
}

static int check(struct program *program)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];

	if (bridge_config_print(&program->config, stdout, error) != 0) {
		fprintf(stderr, "vsock-bridge: %s\n", error);
		return 1;
	}
	return 0;
}

static int load_and(int (*act)(struct program *program), const char *path)
{
	struct program *program = calloc(1, sizeof(*program));
	char error[BRIDGE_CONFIG_ERROR_MAX];
	int status = 1;

	if (program == NULL)
		log_die("bridge", "out of memory");
	if (bridge_config_load(&program->config, path, error) != 0)
		fprintf(stderr, "vsock-bridge: %s: %s\n", path, error);
	else
		status = act(program);
	free(program);
	return status;
}

static int usage(void)
{
	fputs("usage: vsock-bridge [--check] CONFIG, or --help, --version\n",
	    stderr);
	return 2;
}

int program_main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";

	if (argc == 2 && strcmp(first, "--help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(first, "--version") == 0) {
		puts("vsock-bridge " HALLMARK_VERSION);
		return 0;
	}
	if (argc == 3 && strcmp(first, "--check") == 0)
		return load_and(check, argv[2]);
	if (argc == 2 && first[0] != '-')
		return load_and(run, first);
	return usage();
}
