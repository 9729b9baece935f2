/* log_verify: `hallmark log verify`: proofs of the log, from files or from a
 * verifier, judged by what is accepted here and by nobody's word. */
#include "base/file.h"
#include "feeds/hex.h"
#include "verifier/cli/command.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/log_fetch.h"
#include "verifier/cli/log_verify_options.h"
#include "verifier/cli/log_verify_proof.h"
#include "verifier/daemon/oracle_feeds.h"
#include "verifier/moment.h"
#include "verifier/tree_head.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: hallmark log verify FILE TRUST [--item ITEM] [--head KEPT] "
    "[--json]\n"
    "       hallmark log verify --url URL TRUST [--item ITEM] [--head KEPT]\n"
    "       hallmark log verify --misbehaviour FILE TRUST\n"
    "\n"
    "FILE is a proof as GET /log/inclusion or /log/consistency of a verifier\n"
    "answers it, a signed head of the log (GET /log/head), or a proof of\n"
    "misbehaviour. TRUST is --policy POLICY, or --root ROOT --pcr N:HEX ...,\n"
    "as for hallmark verify. Heads and items are judged as of when they were\n"
    "published.\n"
    "\n"
    "  --item ITEM   the item that the log must contain\n"
    "  --head KEPT   a head that you kept: the log must agree with it\n"
    "  --url URL     ask this verifier: for the proof that ITEM is in the log,\n"
    "                or that the log has only grown since KEPT, or, without\n"
    "                both, for its newest head\n"
    "  --misbehaviour FILE  two things that one enclave signed and that "
    "cannot\n"
    "                both be true\n"
    "  --json        the verdict and each check as JSON\n"
    "\n"
    "Exit: 0 proven, 1 usage, 2 malformed, 3 signature, 4 chain, 5 policy,\n"
    "6 time, 7 debug enclave, 8 it does not hold (log_proof, log_fork).\n"
    "\n"
    "Example:\n"
    "  hallmark log verify --url http://127.0.0.1:8090 --policy policy.json \\\n"
    "      --item item.json\n";

#define FILE_MAX LOG_MISBEHAVIOUR_BYTES_MAX

struct texts { /* owned */
	char *proof, *item, *head;
	size_t proof_len, item_len, head_len;
};

/* ---- what is read ---- */

static int read_text(char **out, size_t *len, const char *path, char *error)
{
	uint8_t *bytes;
	int rc;

	if (!path)
		return 0;
	rc = file_read(path, FILE_MAX, &bytes, len);
	*out = (char *)bytes;
	if (rc)
		snprintf(error, LOG_FETCH_ERROR_MAX, "%.300s: %s", path,
		    strerror(-rc));
	return rc;
}

/* What the item or the kept head says of itself says what to ask for; it is
 * verified with the answer. */
static int target_of_item(const struct texts *t, char *target, char *error)
{
	struct hm_envelope e;
	json_t *root = NULL;
	const char *feed = NULL, *boot = NULL;
	json_int_t sequence = -1;
	int rc = -1;

	if (hm_envelope_parse(&e, t->item, t->item_len) == HM_VALID)
		root = json_loadb(e.content, e.content_len, 0, NULL);
	if (json_unpack(root, "{s:s, s:s, s:I}", "feed", &feed, "boot_id",
		&boot, "sequence", &sequence) == 0 &&
	    oracle_feeds_is_name(feed) && strlen(boot) == 32 && sequence >= 0 &&
	    strspn(boot, "0123456789abcdef") == 32) {
		snprintf(target, ORACLE_TARGET_MAX,
		    "/log/inclusion?feed=%s&boot_id=%s&sequence=%" PRId64, feed,
		    boot, (int64_t)sequence);
		rc = 0;
	} else {
		snprintf(error, LOG_FETCH_ERROR_MAX, "--item: not an item");
	}
	json_decref(root);
	hm_envelope_fini(&e);
	return rc;
}

static int read_kept(struct hm_head *kept, const struct texts *t, char *error)
{
	struct hm_envelope e;
	int rc = -1;

	if (hm_envelope_parse(&e, t->head, t->head_len) == HM_VALID)
		rc = tree_head_decode(kept, e.content, e.content_len);
	hm_envelope_fini(&e);
	if (rc)
		snprintf(error, LOG_FETCH_ERROR_MAX, "--head: not a head");
	return rc;
}

static int fetch(const struct log_verify_options *o, struct texts *t,
    const char *target, char *error)
{
	free(t->proof);
	t->proof = log_fetch(&o->url, target, &t->proof_len, error);
	return t->proof ? 0 : -1;
}

/* The newest head, and, if it is another than the kept one, the way to it. */
static int fetch_since_kept(
    const struct log_verify_options *o, struct texts *t, char *error)
{
	struct hm_head *kept = calloc(2, sizeof(*kept)), *newest = kept + 1;
	char target[ORACLE_TARGET_MAX], boot[33];
	struct hm_envelope e = {0};
	int rc = -1;

	if (!kept || read_kept(kept, t, error))
		goto out;
	hex_encode(kept->boot_id, sizeof(kept->boot_id), boot);
	snprintf(target, sizeof(target), "/log/head?boot_id=%s", boot);
	if (fetch(o, t, target, error))
		goto out;
	rc = 0; /* whatever it is, it is judged as it is */
	if (hm_envelope_parse(&e, t->proof, t->proof_len) != HM_VALID ||
	    tree_head_decode(newest, e.content, e.content_len) ||
	    newest->tree_size <= kept->tree_size)
		goto out;
	snprintf(target, sizeof(target),
	    "/log/consistency?boot_id=%s&from=%" PRIu64 "&to=%" PRIu64, boot,
	    kept->tree_size, newest->tree_size);
	rc = fetch(o, t, target, error);
out:
	hm_envelope_fini(&e);
	free(kept);
	return rc;
}

static int read_all(
    const struct log_verify_options *o, struct texts *t, char *error)
{
	char target[ORACLE_TARGET_MAX];

	if (read_text(&t->proof, &t->proof_len, o->file, error) ||
	    read_text(&t->item, &t->item_len, o->item, error) ||
	    read_text(&t->head, &t->head_len, o->head, error))
		return -1;
	if (!o->has_url)
		return 0;
	if (o->item)
		return target_of_item(t, target, error) ||
		       fetch(o, t, target, error);
	if (o->head)
		return fetch_since_kept(o, t, error);
	return fetch(o, t, "/log/head", error);
}

/* ---- what is said ---- */

static void on_check(void *data, const char *check, bool passed)
{
	json_t *checks = data;

	if (checks)
		json_array_append_new(checks,
		    json_pack("{s:s, s:b}", "check", check, "passed", passed));
	else
		printf("%-5s %s\n", passed ? "ok" : "FAIL", check);
}

/* 0: what was asked is so. */
static int exit_code(const struct log_verify_result *r)
{
	if (r->kind == LOG_VERIFY_MISBEHAVIOUR && r->verdict == HM_LOG_FORK)
		return COMMAND_OK;
	return hm_verdict_class(r->verdict);
}

static void print_good(const struct log_verify_result *r)
{
	char when[MOMENT_TEXT_MAX], boot[33];

	moment_format(r->head.published_ms, when);
	hex_encode(r->head.boot_id, sizeof(r->head.boot_id), boot);
	switch (r->kind) {
	case LOG_VERIFY_INCLUSION:
		if (r->item.published_ms)
			printf("VALID %s sequence %" PRIu64 " is ",
			    r->item.feed, r->item.sequence);
		else
			printf("VALID an item of this content_sha256 is ");
		printf("leaf %" PRIu64 " of %" PRIu64, r->leaf_index,
		    r->head.tree_size);
		break;
	case LOG_VERIFY_CONSISTENCY:
		printf("VALID the log has only grown, from %" PRIu64
		       " to %" PRIu64 " items",
		    r->first.tree_size, r->head.tree_size);
		break;
	case LOG_VERIFY_MISBEHAVIOUR:
		printf("PROVEN this enclave signed %s",
		    r->misbehaviour.items
			? "a head that does not count the items that it signed"
			: "two heads that contradict each other");
		break;
	case LOG_VERIFY_HEAD:
		printf("VALID head %" PRIu64 ", %" PRIu64 " items",
		    r->head.number, r->head.tree_size);
		break;
	}
	printf(", boot %s, head of %s%s\n", boot, when,
	    strcmp(r->head.document.platform, "simulated") == 0
		? " (SIMULATED: no enclave is behind it)"
		: "");
}

static int print(const struct log_verify_result *r)
{
	int code = exit_code(r);

	if (code == COMMAND_OK)
		print_good(r);
	else
		printf("REFUSED %s (exit %d): %s\n",
		    hm_verdict_name(r->verdict), code, r->why);
	return fflush(stdout) ? COMMAND_USAGE : code;
}

static int print_json(const struct log_verify_result *r, json_t *checks)
{
	static const char *const kinds[] = {
	    "head", "inclusion", "consistency", "misbehaviour"};
	char boot[33];
	int code = exit_code(r);
	bool known = r->head.tree_size > 0;

	hex_encode(r->head.boot_id, sizeof(r->head.boot_id), boot);
	return json_of_print(
		   json_pack("{s:s, s:s, s:i, s:s, s:o, s:o, s:o}", "kind",
		       kinds[r->kind], "verdict", hm_verdict_name(r->verdict),
		       "exit", code, "why", r->why, "checks", checks, "boot_id",
		       known ? json_string(boot) : json_null(), "tree_size",
		       known ? json_integer((json_int_t)r->head.tree_size)
			     : json_null()))
		   ? COMMAND_USAGE
		   : code;
}

static int judge(const struct log_verify_options *o,
    const struct hm_policy *policy, const struct texts *t)
{
	static struct log_verify_result result; /* large */
	json_t *checks = o->json ? json_array() : NULL;
	const struct log_verify_input input = {
	    .policy = policy,
	    .proof = {t->proof, t->proof_len},
	    .item = {t->item, t->item_len},
	    .head = {t->head, t->head_len},
	    .check = on_check,
	    .data = checks,
	};

	log_verify_proof(&result, &input);
	if (o->misbehaviour && result.kind != LOG_VERIFY_MISBEHAVIOUR) {
		result.verdict = HM_LOG_PROOF;
		snprintf(result.why, sizeof(result.why),
		    "this is not a proof of misbehaviour");
	} else if (o->item && result.kind != LOG_VERIFY_INCLUSION &&
		   result.verdict == HM_VALID) {
		result.verdict = HM_LOG_PROOF;
		snprintf(result.why, sizeof(result.why),
		    "this says nothing of an item");
	}
	return o->json ? print_json(&result, checks) : print(&result);
}

static int run(int argc, char **argv)
{
	char error[POLICY_FILE_ERROR_MAX];
	static struct log_verify_options options; /* large */
	struct hm_policy *policy = NULL;
	struct texts texts = {0};
	int code;

	if (log_verify_options_parse(&options, argc, argv, error) ||
	    verify_options_policy(&policy, &options.trust, error))
		return command_usage_error(&command_log_verify, "%s", error);
	if (read_all(&options, &texts, error))
		code = command_usage_error(&command_log_verify, "%s", error);
	else
		code = judge(&options, policy, &texts);
	free(texts.proof);
	free(texts.item);
	free(texts.head);
	hm_policy_free(policy);
	return code;
}

const struct command command_log_verify = {
    .name = "log verify",
    .summary = "is this item in the log, has the log only grown?",
    .help = help,
    .run = run,
};
