/* fetch: `hallmark fetch`, the answer of somebody else's server, and the proof
 * that an enclave fetched it. */
#include "verifier/cli/fetch.h"

#include "base/file.h"
#include "base/now.h"
#include "verifier/cli/check_view.h"
#include "verifier/cli/command.h"
#include "verifier/cli/fetch_post.h"
#include "verifier/cli/fetched_view.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/remedy.h"
#include "verifier/cli/rule.h"
#include "verifier/daemon/channel.h"
#include "verifier/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHER_STATUS 9 /* a good answer that does not say 2xx */

static const char help[] =
    "usage: hallmark fetch URL HOST[:PORT]/PATH\n"
    "           (--policy POLICY | --root ROOT --pcr N:HEX ...)\n"
    "           [--max-age SECONDS] [--save FILE] [--json]\n"
    "\n"
    "Has the oracle at URL make one GET over TLS that ends in its enclave, and\n"
    "prints the body once the signed answer is verified: by the policy, to this\n"
    "very request, and new. Nothing is printed of one that is not. What an\n"
    "oracle fetches stands in its measured configuration (\"fetch\"). Redirects\n"
    "are not followed: their status is the answer. With https+attested:// the\n"
    "oracle is attested before it is asked.\n"
    "\n"
    "  --policy POLICY  what you accept, as JSON (hallmark policy check)\n"
    "  --root, --pcr    instead of it, see hallmark verify --help\n"
    "  --max-age SECONDS  how old the answer may be; 30, or the policy's\n"
    "                   max_age_s where that is less\n"
    "  --save FILE      keeps the signed answer, for hallmark verify FILE\n"
    "  --json           the verdict, each check and what was fetched, as JSON\n"
    "\n"
    "Exit: 0 a verified answer with a status of 2xx, 9 with another one; else\n"
    "the class of the verdict, as of hallmark verify; 1 usage, or no answer.\n"
    "\n"
    "Example:\n"
    "  hallmark fetch http://127.0.0.1:8080 \\\n"
    "      'api.binance.com/api/v3/ticker/price?symbol=BTCUSDT' \\\n"
    "      --policy policy.json | jq -r .price\n";

/* ---- the verdict ---- */

static int code_of(enum hm_verdict verdict, const struct hm_fetched *fetched)
{
	if (verdict != HM_VALID)
		return hm_verdict_class(verdict);
	return fetched->status / 100 == 2 ? COMMAND_OK : OTHER_STATUS;
}

static int tell_json(
    enum hm_verdict verdict, const struct hm_fetched *fetched, json_t *checks)
{
	const struct remedy *remedy = remedy_of(verdict);
	int code = code_of(verdict, fetched);
	json_t *root = json_pack("{s:s, s:i, s:s, s:s, s:o, s:o}", "verdict",
	    hm_verdict_name(verdict), "exit", code, "meaning", remedy->meaning,
	    "remedy", remedy->remedy, "checks", json_incref(checks), "fetched",
	    verdict == HM_VALID ? fetched_view_json(fetched) : json_null());

	return json_of_print(root) ? COMMAND_USAGE : code;
}

/* The check that failed, the last one. */
static void tell_check(const json_t *checks)
{
	const json_t *last = json_array_get(
	    checks, json_array_size(checks) - 1);
	const char *check = json_string_value(json_object_get(last, "check"));
	const char *wanted = json_string_value(json_object_get(last, "wanted"));
	const char *found = json_string_value(json_object_get(last, "found"));

	if (!check)
		return;
	if (!wanted)
		wanted = rule_of(check);
	fprintf(stderr, "FAIL  %s: wanted ", check);
	command_put_plain(stderr, wanted ? wanted : check);
	fputs(", found ", stderr);
	command_put_plain(stderr, found ? found : "something else");
	putc('\n', stderr);
}

/* The body is for the next program, all else for people. */
static int tell(enum hm_verdict verdict, const struct hm_fetched *fetched,
    const json_t *checks)
{
	const struct remedy *remedy = remedy_of(verdict);

	if (verdict != HM_VALID) {
		tell_check(checks);
		fprintf(stderr, "REFUSED %s (exit %d): %s %s\n",
		    hm_verdict_name(verdict), hm_verdict_class(verdict),
		    remedy->meaning, remedy->remedy);
		return hm_verdict_class(verdict);
	}
	fetched_view_line(stderr, fetched);
	if (fwrite(fetched->body, 1, fetched->body_len, stdout) !=
		fetched->body_len ||
	    fflush(stdout))
		return COMMAND_USAGE;
	return code_of(verdict, fetched);
}

/* ---- the way ---- */

static enum hm_verdict judge(const struct fetch_options *options,
    const struct hm_policy *policy, const char *json, size_t len,
    struct check_view *view, struct hm_fetched *out)
{
	const struct hm_report report = check_view_report(view);
	struct hm_envelope envelope;
	enum hm_verdict verdict = hm_fetch_parse(&envelope, json, len);

	if (verdict != HM_VALID) { /* a good one is reported below */
		report.cb(report.data, "envelope", false, NULL, NULL);
		return verdict;
	}
	verdict = hm_fetch_verify_live(policy, NULL, &envelope, &options->asked,
	    now_unix_ms(), out, &report);
	hm_envelope_fini(&envelope);
	return verdict;
}

/* What is kept is what was verified, and nothing else. */
static int save(const struct fetch_options *options, enum hm_verdict verdict,
    const char *json, size_t len)
{
	int rc;

	if (verdict != HM_VALID || !options->save)
		return 0;
	rc = file_write(options->save, json, len, 0644);
	if (rc)
		fprintf(stderr, "hallmark fetch: %s: %s\n", options->save,
		    strerror(-rc));
	return rc;
}

static int judge_and_tell(const struct fetch_options *options,
    const struct hm_policy *policy, const char *json, size_t len)
{
	struct check_view view = {.checks = json_array()};
	struct hm_fetched fetched = {.body = NULL};
	enum hm_verdict verdict = judge(
	    options, policy, json, len, &view, &fetched);
	int code = COMMAND_USAGE;

	if (save(options, verdict, json, len) == 0)
		code = options->verify.json
			   ? tell_json(verdict, &fetched, view.checks)
			   : tell(verdict, &fetched, view.checks);
	json_decref(view.checks);
	hm_fetched_fini(&fetched);
	return code;
}

/* An attested address is attested, and from then on pinned. */
static int attest(struct fetch_options *options, const struct hm_policy *policy)
{
	static struct channel_facts facts; /* large */
	struct channel_failure why;

	if (!options->address.attested ||
	    channel_attest(&facts, &options->address, policy, NULL, NULL, 0,
		NULL, &why) == 0)
		return 0;
	fprintf(stderr, "hallmark fetch: %s: ", options->address.text);
	command_put_plain(stderr, why.text);
	putc('\n', stderr);
	return why.verdict == HM_VALID ? COMMAND_USAGE
				       : hm_verdict_class(why.verdict);
}

static void set_age(
    const struct fetch_options *options, struct hm_policy *policy)
{
	int64_t age_s = options->max_age_s;

	if (age_s < 0)
		age_s = FETCH_MAX_AGE_S;
	if (options->max_age_s >= 0 || policy->max_age_ms > age_s * 1000)
		hm_policy_set_ages(policy, age_s, -1);
}

static int fetch(struct fetch_options *options, struct hm_policy *policy)
{
	char error[FETCH_POST_ERROR_MAX];
	int code = attest(options, policy);
	size_t len;
	char *json;

	if (code)
		return code;
	json = fetch_post(&options->address, &options->asked, &len, error);
	if (!json) {
		fputs("hallmark fetch: ", stderr);
		command_put_plain(stderr, error);
		putc('\n', stderr);
		return COMMAND_USAGE;
	}
	set_age(options, policy);
	code = judge_and_tell(options, policy, json, len);
	free(json);
	return code;
}

static int run(int argc, char **argv)
{
	static struct fetch_options options; /* large */
	char error[POLICY_FILE_ERROR_MAX];
	struct hm_policy *policy = NULL;
	int code;

	if (fetch_options_parse(&options, argc, argv, error) ||
	    verify_options_policy(&policy, &options.verify, error))
		return command_usage_error(&command_fetch, "%s", error);
	code = fetch(&options, policy);
	hm_policy_free(policy);
	return code;
}

const struct command command_fetch = {
    .name = "fetch",
    .summary = "what does a server say? Fetched by an enclave, verified here",
    .help = help,
    .run = run,
};
