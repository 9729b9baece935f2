/*
 * replay: `hallmark replay`, an archive judged as a whole: every signature,
 * attestation and price in it, and that nothing is missing in between.
 */
#include "verifier/archive/replay.h"

#include "base/now.h"
#include "verifier/archive/archive_bundle.h"
#include "verifier/cli/archives.h"
#include "verifier/cli/command.h"
#include "verifier/cli/replay_options.h"
#include "verifier/cli/replay_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: hallmark replay ARCHIVE... (--policy POLICY | --root ROOT\n"
    "           --pcr N:HEX ...) [--config CONFIG] [--at published|now]\n"
    "           [--jobs N] [--no-prices] [--json]\n"
    "\n"
    "Judges archives, years later, without trust in whoever kept them. Of each\n"
    "item: signature, attestation and policy at its own time, and its price,\n"
    "made again from its own sources and compared byte for byte. Of all: the\n"
    "hash chain and the numbers of each feed and boot.\n"
    "\n"
    "ARCHIVE is a SQLite file of hallmark-verifierd (main or daily), NDJSON (-\n"
    "is standard input), a bundle, or a verifier's URL. Several are one archive:\n"
    "what one lacks another may have, and what two have must be the same.\n"
    "\n"
    "  --policy POLICY  what you accept; a bundle alone has its own, which\n"
    "                   came with the data and proves only that they agree\n"
    "  --config CONFIG  the oracle's configuration: with it all rules are\n"
    "                   applied again to the items that name it, without it\n"
    "                   the states that an item gives its sources are taken\n"
    "  --at published   was each right when it was published? (default)\n"
    "  --at now         might it still be used now?\n"
    "  --jobs N         threads; default: one a core\n"
    "  --no-prices      only signatures and order\n"
    "  --json           one object: counts, every feed and boot, findings\n"
    "\n"
    "Exit: 0 nothing found, else the gravest finding: 3 signature, 4 chain,\n"
    "2 malformed or a price that its sources do not give, 7 debug enclave,\n"
    "5 policy, 6 time, 8 something missing, twice or forked; 1 usage.\n"
    "\n"
    "Examples:\n"
    "  hallmark replay archive.db --policy policy.json --config oracle.json\n"
    "  hallmark replay archive-2026-11-*.db archive.db --policy policy.json\n";

static struct archives_options everything; /* no selection */

struct run {
	struct replay_command command;
	struct replay_view view;
	struct feed_set feeds;
	uint8_t config_sha256[HM_SHA256_LEN];
	struct hm_policy *policies[REPLAY_JOBS_MAX];
	struct archive_source *first; /* opened for its policy */
	unsigned jobs;
	uint64_t items; /* so far */
};

static void on_finding(const struct replay_finding *finding, void *data)
{
	struct run *run = data;

	replay_view_finding(&run->view, finding);
}

static void on_line(const struct replay_line *line, void *data)
{
	struct run *run = data;

	replay_view_line(&run->view, line);
}

static void on_progress(const struct replay_progress *progress, void *data)
{
	struct run *run = data;

	run->items = progress->items;
	replay_view_progress(&run->view, progress, now_monotonic_ms());
}

/* ---- what to go by ---- */

static unsigned count_cores(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		return 1;
	return cores > REPLAY_JOBS_MAX ? REPLAY_JOBS_MAX : (unsigned)cores;
}

/* One for each thread. */
static int load_policy(
    struct run *run, unsigned job, char error[static POLICY_FILE_ERROR_MAX])
{
	const struct archive_bundle_about *about =
	    run->first ? archive_source_bundle(run->first) : NULL;

	if (run->command.has_trust)
		return verify_options_policy(
		    &run->policies[job], &run->command.trust, error);
	if (about)
		return archive_bundle_policy(&run->policies[job], about, error);
	return verify_options_check_trust(&run->command.trust, error);
}

static int prepare(struct run *run, char error[static POLICY_FILE_ERROR_MAX])
{
	const char *config = run->command.config;

	run->jobs = run->command.jobs ? run->command.jobs : count_cores();
	archives_options_init(&everything);
	if (archives_open(
		&run->first, run->command.archives[0], &everything.wish, error))
		return -1;
	for (unsigned i = 0; i < run->jobs; i++)
		if (load_policy(run, i, error))
			return -1;
	if (config && replay_options_config(
			  &run->feeds, run->config_sha256, config, error))
		return -1;
	return 0;
}

static const char *name_policy(const struct run *run)
{
	if (!run->command.has_trust)
		return "the bundle's own: it came with the data, and proves "
		       "only that they agree";
	return run->command.trust.policy ? run->command.trust.policy
					 : "command line";
}

/* ---- reading ---- */

static int read_all(struct run *run, struct replay *replay,
    char error[static POLICY_FILE_ERROR_MAX])
{
	struct archive_source *source = run->first;

	run->first = NULL;
	for (size_t i = 0; i < run->command.archive_count; i++) {
		if (i > 0 && archives_open(&source, run->command.archives[i],
				 &everything.wish, error))
			return -1;
		replay_view_file(
		    &run->view, i + 1, now_monotonic_ms(), run->items);
		replay_read(replay, source);
		archive_source_close(source);
	}
	return 0;
}

static int finish(struct run *run, struct replay *replay, int64_t began_ms)
{
	struct replay_report report;
	struct replay_summary summary = {
	    .report = &report,
	    .policy = name_policy(run),
	    .with_config = run->command.config != NULL,
	    .with_prices = !run->command.no_prices,
	    .jobs = run->jobs,
	};

	replay_end(replay, &report);
	summary.took_ms = now_monotonic_ms() - began_ms;
	summary.code = hm_verdict_class(report.worst);
	return replay_view_end(&run->view, &summary) ? COMMAND_USAGE
						     : summary.code;
}

static int replay_all(struct run *run, char *error)
{
	const struct replay_options options = {
	    .policies = (const struct hm_policy *const *)run->policies,
	    .jobs = run->jobs,
	    .live = run->command.live,
	    .now_ms = now_unix_ms(),
	    .feeds = run->command.config ? &run->feeds : NULL,
	    .config_sha256 = {0},
	    .no_prices = run->command.no_prices,
	    .finding = on_finding,
	    .line = on_line,
	    .progress = on_progress,
	    .data = run,
	};
	struct replay_options with = options;
	int64_t began_ms = now_monotonic_ms();
	struct replay *replay;
	int code = COMMAND_USAGE;

	memcpy(with.config_sha256, run->config_sha256, HM_SHA256_LEN);
	replay = replay_new(&with);
	if (!replay)
		snprintf(
		    error, POLICY_FILE_ERROR_MAX, "no memory, or no threads");
	else if (read_all(run, replay, error) == 0)
		code = finish(run, replay, began_ms);
	replay_free(replay);
	return code;
}

static int main_replay(int argc, char **argv)
{
	static struct run run;
	char error[POLICY_FILE_ERROR_MAX] = "";
	FILE *bar = isatty(STDERR_FILENO) ? stderr : NULL;
	int code = COMMAND_USAGE;

	if (replay_options_parse(&run.command, argc, argv, error))
		return command_usage_error(&command_replay, "%s", error);
	replay_view_init(&run.view, stdout, bar, run.command.json,
	    run.command.archive_count);
	if (prepare(&run, error) == 0)
		code = replay_all(&run, error);
	if (error[0])
		command_usage_error(&command_replay, "%s", error);
	archive_source_close(run.first);
	for (unsigned i = 0; i < run.jobs; i++)
		hm_policy_free(run.policies[i]);
	replay_view_fini(&run.view);
	return code;
}

const struct command command_replay = {
    .name = "replay",
    .summary = "judge an archive as a whole, years later",
    .help = help,
    .run = main_replay,
};
