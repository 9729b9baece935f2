/*
 * verify_bundle: see verify_bundle.h.
 *
 * Whose policy it is decides what the verdict is worth: yours; the bundle's
 * own, which you know by its hash; or the bundle's own and nothing else, which
 * whoever altered the data could have altered with them.
 */
#include "verifier/cli/verify_bundle.h"

#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/archive/replay.h"
#include "verifier/cli/bundle_policy.h"
#include "verifier/cli/command.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/replay_view.h"
#include "verifier/policy.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOBS_MAX 16

#define OWN                                                                   \
	"the bundle's own, which came with the data: this proves only that "  \
	"they agree. Compare the hash with one that you have from elsewhere " \
	"(--policy-sha256), or give your own (--policy)"

enum whose {
	YOURS,
	PINNED,
	BUNDLES
};
static const char *const whose_names[] = {"yours", "pinned", "bundle"};
static const char *const whose_texts[] = {
    "yours", "the bundle's own, and the one that --policy-sha256 wants", OWN};

struct check {
	const struct verify_options *options;
	struct archive_source *source;
	enum whose whose;
	bool has_sha256; /* not of --root and --pcr */
	uint8_t sha256[HM_SHA256_LEN];
	struct hm_policy *policies[JOBS_MAX];
	unsigned jobs;
	struct replay_view view;
	struct replay_report report;
	char error[POLICY_FILE_ERROR_MAX];
};

/* ---- whose policy ---- */

static bool has_trust(const struct verify_options *o)
{
	return o->policy || o->root_count || o->pcr_count;
}

/* -1 and why: an exit code of policies. */
static int load_own(struct check *c)
{
	const struct archive_bundle_about *about = archive_source_bundle(
	    c->source);

	memcpy(c->sha256, about->sha256, HM_SHA256_LEN);
	c->has_sha256 = true;
	c->whose = c->options->has_pin ? PINNED : BUNDLES;
	if (c->options->has_pin &&
	    memcmp(c->options->pin, c->sha256, HM_SHA256_LEN) != 0) {
		char hex[2 * HM_SHA256_LEN + 1];

		hex_encode(c->sha256, HM_SHA256_LEN, hex);
		snprintf(c->error, sizeof(c->error),
		    "the bundle's policy is another than --policy-sha256 "
		    "wants: its SHA-256 is %s",
		    hex);
		return -1;
	}
	for (unsigned i = 0; i < c->jobs; i++)
		if (archive_bundle_policy(&c->policies[i], about, c->error))
			return -1;
	return 0;
}

static int load_yours(struct check *c)
{
	struct archive_bundle_about about = {0};

	c->whose = YOURS;
	if (c->options->policy) {
		if (bundle_policy_load(&about, c->options->policy, c->error))
			return -1;
		memcpy(c->sha256, about.sha256, HM_SHA256_LEN);
		c->has_sha256 = true;
		archive_bundle_about_fini(&about);
	}
	for (unsigned i = 0; i < c->jobs; i++)
		if (verify_options_policy(
			&c->policies[i], c->options, c->error))
			return -1;
	return 0;
}

static void hex_of_sha256(const struct check *c, char out[static 65])
{
	out[0] = '\0';
	if (c->has_sha256)
		hex_encode(c->sha256, HM_SHA256_LEN, out);
}

static void print_trust(const struct check *c)
{
	const struct hm_policy *p = c->policies[0];
	char hex[2 * HM_SHA256_LEN + 1];

	printf("policy      %s\n", whose_texts[c->whose]);
	hex_of_sha256(c, hex);
	if (hex[0])
		printf("  SHA-256   %s\n", hex);
	for (size_t i = 0; i < p->root_count; i++) {
		hex_encode(p->roots[i].sha256, HM_SHA256_LEN, hex);
		fputs("  root      ", stdout);
		command_put_plain(stdout, p->roots[i].name);
		printf(" (SHA-256 %s)%s\n", hex,
		    strcmp(p->roots[i].platform, "simulated") == 0
			? " SIMULATED: no enclave is behind it"
			: "");
	}
}

static json_t *json_of_trust(const struct check *c)
{
	const struct hm_policy *p = c->policies[0];
	char hex[2 * HM_SHA256_LEN + 1];
	json_t *roots = json_array();

	for (size_t i = 0; i < p->root_count; i++) {
		hex_encode(p->roots[i].sha256, HM_SHA256_LEN, hex);
		json_array_append_new(
		    roots, json_pack("{s:o, s:s, s:s}", "name",
			       json_of_text(p->roots[i].name), "platform",
			       p->roots[i].platform, "sha256", hex));
	}
	hex_of_sha256(c, hex);
	return json_pack("{s:s, s:b, s:o, s:o}", "whose", whose_names[c->whose],
	    "proves_only_consistency", c->whose == BUNDLES, "sha256",
	    json_of_text(hex[0] ? hex : NULL), "roots", roots);
}

/* ---- judging ---- */

static void on_finding(const struct replay_finding *finding, void *data)
{
	struct check *c = data;

	replay_view_finding(&c->view, finding);
}

static void on_line(const struct replay_line *line, void *data)
{
	struct check *c = data;

	replay_view_line(&c->view, line);
}

static int run_replay(struct check *c)
{
	const struct replay_options options = {
	    .policies = (const struct hm_policy *const *)c->policies,
	    .jobs = c->jobs,
	    .now_ms = now_unix_ms(),
	    .finding = on_finding,
	    .line = on_line,
	    .data = c,
	};
	struct replay *replay = replay_new(&options);

	if (replay == NULL) {
		snprintf(c->error, sizeof(c->error), "out of memory");
		return -1;
	}
	replay_read(replay, c->source);
	replay_end(replay, &c->report);
	replay_free(replay);
	return 0;
}

/* What hallmark replay shows, after by whose policy; an exit code. */
static int judge(struct check *c)
{
	int64_t began_ms = now_monotonic_ms();
	struct replay_summary summary = {
	    .report = &c->report,
	    .with_prices = true,
	    .jobs = c->jobs,
	};
	int code = COMMAND_USAGE;

	if (c->options->json)
		summary.trust = json_of_trust(c);
	else
		print_trust(c);
	replay_view_init(&c->view, stdout, NULL, c->options->json, 1);
	if (run_replay(c) == 0) {
		summary.took_ms = now_monotonic_ms() - began_ms;
		summary.code = hm_verdict_class(c->report.worst);
		code = replay_view_end(&c->view, &summary) ? COMMAND_USAGE
							   : summary.code;
	}
	replay_view_fini(&c->view);
	json_decref(summary.trust);
	return code;
}

static unsigned count_jobs(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > JOBS_MAX ? JOBS_MAX : (unsigned)cores;
}

int verify_bundle(const struct verify_options *options)
{
	static struct check c; /* large */
	int code;

	memset(&c, 0, sizeof(c));
	c.options = options;
	c.jobs = count_jobs();
	if (archive_source_open(&c.source, options->file, c.error))
		code = COMMAND_MALFORMED;
	else if (has_trust(options))
		code = load_yours(&c) ? COMMAND_USAGE : COMMAND_OK;
	else
		code = load_own(&c) ? COMMAND_POLICY : COMMAND_OK;
	if (code == COMMAND_OK)
		code = judge(&c);
	if (c.error[0]) {
		fputs("hallmark verify: ", stderr);
		command_put_plain(stderr, c.error);
		putc('\n', stderr);
	}
	archive_source_close(c.source);
	for (unsigned i = 0; i < c.jobs; i++)
		hm_policy_free(c.policies[i]);
	return code;
}
