/* hallmark-verifierd: prices of oracles, verified, archived, served again. */
#include "base/descriptors.h"
#include "base/log.h"
#include "verifier/daemon/policy_file.h"
#include "verifier/daemon/verifierd.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char usage[] = "usage: hallmark-verifierd [--verbose] CONFIG\n"
			    "       hallmark-verifierd --check CONFIG\n"
			    "       hallmark-verifierd --help | --version\n";

static const char help[] =
    "\n"
    "Subscribes to price oracles, verifies each item against a policy,\n"
    "archives what is valid in SQLite, and serves it again. What it serves\n"
    "carries the oracle's own signature and attestation: nobody has to\n"
    "trust this daemon.\n"
    "\n"
    "CONFIG is a JSON file; paths in it are relative to it:\n"
    "  { \"listen\":  \"tcp://127.0.0.1:8090\",\n"
    "    \"policy\":  \"policy.json\",\n"
    "    \"archive\": \"archive.db\",\n"
    "    \"oracles\": [\"http://127.0.0.1:8080\",\n"
    "                \"unix:///run/hallmark/oracle.sock\"],\n"
    "    \"feeds\":   [\"BTC-USD\"] }      feeds: optional, all if absent\n"
    "\n"
    "  --check    reads CONFIG and its policy, prints the plan, exits\n"
    "  --verbose  logs each accepted item\n"
    "\n"
    "Example:\n"
    "  hallmark-verifierd --check verifierd.json\n"
    "  hallmark-verifierd verifierd.json &\n"
    "  curl http://127.0.0.1:8090/price/BTC-USD\n"
    "  curl http://127.0.0.1:8090/readyz\n";

struct signals {
	uv_signal_t term, interrupt;
	struct verifierd *daemon;
};

static void on_signal(uv_signal_t *handle, int number)
{
	struct signals *signals = handle->data;

	log_info("main", "stopping", LOG_D("signal", number));
	uv_close((uv_handle_t *)&signals->term, NULL);
	uv_close((uv_handle_t *)&signals->interrupt, NULL);
	verifierd_stop(signals->daemon);
}

static void watch_signals(struct signals *signals, uv_loop_t *loop)
{
	uv_signal_init(loop, &signals->term);
	uv_signal_init(loop, &signals->interrupt);
	signals->term.data = signals->interrupt.data = signals;
	uv_signal_start(&signals->term, on_signal, SIGTERM);
	uv_signal_start(&signals->interrupt, on_signal, SIGINT);
}

static int check(struct verifierd_config *config)
{
	char error[POLICY_FILE_ERROR_MAX];
	struct hm_policy *policy;

	if (policy_file_load(&policy, config->policy, error)) {
		fprintf(stderr, "hallmark-verifierd: policy: %s\n", error);
		return 1;
	}
	hm_policy_free(policy);
	verifierd_config_print(config, stdout);
	return 0;
}

static int serve(struct verifierd_config *config)
{
	static struct verifierd daemon;
	char error[VERIFIERD_ERROR_MAX], where[ENDPOINT_TEXT_MAX];
	struct signals signals = {.daemon = &daemon};
	struct endpoint ep = config->listen;
	uv_loop_t loop;
	int rc, left_open;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit (LimitFSIZE=) is a full disk */
	descriptors_want(HTTP_CONNECTIONS_MAX);
	if (uv_loop_init(&loop))
		log_die("main", "cannot make a loop");
	rc = verifierd_start(&daemon, &loop, config, error);
	if (rc) {
		log_error("main", "cannot_start", LOG_S("why", error));
	} else {
		watch_signals(&signals, &loop);
		if (ep.kind == ENDPOINT_TCP)
			ep.port = http_server_port(daemon.server);
		endpoint_format(&ep, where);
		log_info("main", "started", LOG_S("listen", where),
		    LOG_S("policy", config->policy),
		    LOG_S("archive", config->archive),
		    LOG_D("oracles", config->oracle_count));
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	left_open = uv_loop_close(&loop);
	assert(left_open == 0);
	if (!rc)
		log_info("main", "stopped");
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	static struct verifierd_config config;
	char error[VERIFIERD_CONFIG_ERROR_MAX];
	const char *option = argc > 1 && argv[1][0] == '-' ? argv[1] : "";
	int wants_config = argc == (option[0] ? 3 : 2);

	if (strcmp(option, "--help") == 0 && argc == 2)
		return printf("%s%s", usage, help) < 0;
	if (strcmp(option, "--version") == 0 && argc == 2)
		return puts("hallmark-verifierd " HALLMARK_VERSION) < 0;
	if (!wants_config || (option[0] && strcmp(option, "--check") != 0 &&
				 strcmp(option, "--verbose") != 0)) {
		fputs(usage, stderr);
		return 1;
	}
	if (verifierd_config_load(&config, argv[argc - 1], error)) {
		fprintf(stderr, "hallmark-verifierd: %s\n", error);
		return 1;
	}
	if (strcmp(option, "--check") == 0)
		return check(&config);
	if (option[0])
		log_set_level(LOG_DEBUG);
	return serve(&config);
}
