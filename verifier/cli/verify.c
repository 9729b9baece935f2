/* verify: `hallmark verify`, every check on its own line and an exit code that
 * says which kind of check failed. */
#include "base/now.h"
#include "verifier/cli/check_view.h"
#include "verifier/cli/command.h"
#include "verifier/cli/fetched_view.h"
#include "verifier/cli/input.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/peers_view.h"
#include "verifier/cli/remedy.h"
#include "verifier/cli/verify_bundle.h"
#include "verifier/cli/verify_quote.h"
#include "verifier/cli/verify_said.h"
#include "verifier/moment.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: hallmark verify FILE (--policy POLICY | --root ROOT --pcr N:HEX "
    "...)\n"
    "           [--at now|document|published|TIME] [--nonce HEX]\n"
    "           [--json] [--explain]\n"
    "       hallmark verify QUOTE (--policy POLICY | --root ROOT --mrenclave HEX\n"
    "           [--collateral FILE ...]) [--held FILE] [--at TIME] ...\n"
    "       hallmark verify BUNDLE [--policy POLICY | --policy-sha256 HEX]\n"
    "\n"
    "FILE is an item (JSON), an attestation document (CBOR, base64, or the\n"
    "answer of GET /attestation), or a price inside an attestation (the answer\n"
    "of GET /price/FEED?nonce=HEX&attested=true, which no RSA key signs), or\n"
    "what hallmark fetch saved, or the answer of GET /peers; - is standard\n"
    "input.\n"
    "\n"
    "  --policy POLICY  what you accept, as JSON (hallmark policy check)\n"
    "  --root ROOT      aws-nitro-g1, intel-sgx, or a PEM file; may be repeated\n"
    "  --pcr N:HEX      the enclave must have it; repeated for one N: one of\n"
    "                   them; at least one of PCR 0, 1, 2\n"
    "  --mrenclave HEX, --mrtd HEX\n"
    "                   in place of --pcr, of a quote; repeated: one of them;\n"
    "                   with --root intel-sgx\n"
    "  --collateral FILE\n"
    "                   what Intel says of its platform; may be repeated\n"
    "  --at now         may it be used now? (default)\n"
    "  --at document    was the document good at its own time?\n"
    "  --at published   was the item right when it was published?\n"
    "  --at TIME        might it have been used at 2026-11-01T00:00:00Z?\n"
    "  --nonce HEX      the document must answer exactly this nonce\n"
    "  --held FILE      the quote must have been made for exactly these bytes\n"
    "  --json           the verdict, each check and what was read, as JSON\n"
    "  --explain        also what was wanted and found where a check passed,\n"
    "                   and what the verdict means\n"
    "\n"
    "QUOTE is one of SGX or TDX (version 3, 4 or 5), bare, in an Open Enclave\n"
    "report or evidence, or as \"QuoteHex\" in JSON: its signatures, Intel's word\n"
    "on its platform (collateral_files of the policy), its measurements, and\n"
    "what it was made for: --held, or the claims or data that came with it.\n"
    "\n"
    "BUNDLE (hallmark bundle makes it) is judged as a whole, each item as of its\n"
    "own time. Without --policy, by the policy in it: that proves only that the\n"
    "data agree with it, unless --policy-sha256 says which one it must be.\n"
    "\n"
    "Exit: 0 valid, 1 usage, 2 malformed, 3 signature, 4 chain, 5 policy,\n"
    "6 time, 7 debug enclave, 8 sequence.\n"
    "\n"
    "Examples:\n"
    "  hallmark verify item.json --policy policy.json\n"
    "  hallmark verify attestation.cbor --root aws-nitro-g1 --pcr 0:$PCR0 \\\n"
    "      --at document\n"
    "  hallmark verify quote.bin --policy sgx.json --held key.der\n";

#define UNSIGNED                                                         \
	"the RSA signature was not looked at: the attestation document " \
	"itself holds this content"

struct judgement {
	const struct verify_options *options;
	enum hm_verdict verdict;
	bool is_item; /* or one inside an attestation: */
	bool is_attested;
	bool is_fetched;
	struct hm_item item;
	struct hm_document document;
	struct hm_fetched fetched;
	json_t *status; /* owned: what an oracle says of its peers; or NULL */
	struct hm_peers peers;
	const struct quote_input *quote; /* NULL: the document is none */
	struct check_view view;          /* with --json its checks are kept */
};

/* ---- judging ---- */

static int64_t moment(const struct verify_options *options)
{
	return options->at == VERIFY_MOMENT ? options->at_ms : now_unix_ms();
}

/* In an envelope, as an item is. */
static void judge_peers(struct judgement *j, const struct hm_policy *policy,
    const struct hm_envelope *envelope)
{
	const struct hm_report report = check_view_report(&j->view);
	const struct verify_options *o = j->options;

	if (o->at == VERIFY_DOCUMENT || o->at == VERIFY_PUBLISHED)
		j->verdict = hm_peers_verify_replay(
		    policy, NULL, envelope, &j->peers, &report);
	else
		j->verdict = hm_peers_verify_live(
		    policy, NULL, envelope, moment(o), &j->peers, &report);
	if (j->verdict == HM_VALID)
		j->status = json_loadb(
		    envelope->content, envelope->content_len, 0, NULL);
	if (j->verdict == HM_VALID && !j->status)
		j->verdict = HM_NO_MEMORY;
}

static void judge_item(struct judgement *j, const struct hm_policy *policy,
    const struct input *input)
{
	const struct hm_report report = check_view_report(&j->view);
	const struct verify_options *o = j->options;
	struct hm_envelope envelope;

	j->verdict = hm_envelope_parse(
	    &envelope, (const char *)input->bytes, input->len);
	if (j->verdict != HM_VALID) { /* a good one is reported below */
		report.cb(report.data, "envelope", false, NULL, NULL);
		return;
	}
	if (hm_envelope_is_peers(&envelope))
		judge_peers(j, policy, &envelope);
	else if (o->at == VERIFY_DOCUMENT || o->at == VERIFY_PUBLISHED)
		j->verdict = hm_item_verify_replay(
		    policy, NULL, &envelope, NULL, 0, &j->item, &report);
	else
		j->verdict = hm_item_verify_live(policy, NULL, &envelope, NULL,
		    0, moment(o), &j->item, &report);
	hm_envelope_fini(&envelope);
}

/* A result inside an attestation; the signature is none of its parts. */
static void judge_attested(struct judgement *j, const struct hm_policy *policy,
    const struct input *input)
{
	const struct hm_report report = check_view_report(&j->view);
	const struct hm_attested *a = &input->attested;
	const struct verify_options *o = j->options;

	j->verdict = hm_item_verify_attested(policy, NULL, a,
	    o->has_nonce ? o->nonce : a->nonce,
	    o->has_nonce ? o->nonce_len : a->nonce_len, moment(o), &j->item,
	    &report);
}

/* Whose request it answers, only who made it can tell. */
static void judge_fetched(struct judgement *j, const struct hm_policy *policy,
    const struct input *input)
{
	const struct hm_report report = check_view_report(&j->view);
	const struct verify_options *o = j->options;

	if (o->at == VERIFY_DOCUMENT || o->at == VERIFY_PUBLISHED)
		j->verdict = hm_fetch_verify_replay(
		    policy, NULL, &input->fetched, NULL, &j->fetched, &report);
	else
		j->verdict = hm_fetch_verify_live(policy, NULL, &input->fetched,
		    NULL, moment(o), &j->fetched, &report);
}

static void judge_document(struct judgement *j, const struct hm_policy *policy,
    const struct input *input)
{
	const struct hm_report report = check_view_report(&j->view);
	const struct verify_options *o = j->options;
	const uint8_t *nonce = o->has_nonce ? o->nonce : NULL;
	const uint8_t *plain = input->said.batched ? NULL : nonce;
	size_t plain_len = plain ? o->nonce_len : 0;

	if (o->at == VERIFY_DOCUMENT)
		j->verdict = hm_document_verify_replay(policy, NULL,
		    input->bytes, input->len, plain, plain_len, &j->document,
		    &report);
	else
		j->verdict = hm_document_verify_live(policy, NULL, input->bytes,
		    input->len, moment(o), plain, plain_len, &j->document,
		    &report);
	if (j->verdict == HM_VALID && input->said.sha256)
		j->verdict = verify_said(
		    &j->document, &input->said, nonce, o->nonce_len, &report);
}

/* ---- the last line ---- */

/* The question behind the nonce is whose it was. */
static const char *whose_nonce(const struct judgement *j)
{
	return j->options->has_nonce
		   ? ""
		   : "; its nonce is the file's own, --nonce would compare it "
		     "with yours";
}

static void print_valid(const struct judgement *j)
{
	const struct hm_item *i = &j->item;
	char when[MOMENT_TEXT_MAX];

	if (j->is_fetched) {
		fetched_view_line(stdout, &j->fetched);
		return;
	}
	if (j->status) {
		peers_view_lines(stdout, &j->peers, j->status);
		return;
	}
	if (j->quote) {
		verify_quote_print(&j->document, j->quote);
		return;
	}
	if (!j->is_item) {
		moment_format(j->document.timestamp_ms, when);
		printf("VALID %s attested at %s%s\n", j->document.module_id,
		    when, check_view_caveat(&j->document));
		return;
	}
	moment_format(i->published_ms, when);
	printf("VALID %s %s%s%s from %u of %u sources, published at %s, "
	       "sequence %llu%s\n",
	    i->feed, i->ok ? i->price : "unavailable", i->ok ? " +- " : ": ",
	    i->ok ? i->confidence : i->reason, i->sources_used,
	    i->sources_total, when, (unsigned long long)i->sequence,
	    check_view_caveat(&i->document));
	if (j->is_attested)
		printf("%s%s\n", UNSIGNED, whose_nonce(j));
}

static int print_verdict(const struct judgement *j)
{
	const struct remedy *remedy = remedy_of(j->verdict);
	int code = hm_verdict_class(j->verdict);

	if (j->verdict == HM_VALID)
		print_valid(j);
	else
		printf("REFUSED %s (exit %d): %s%s%s\n",
		    hm_verdict_name(j->verdict), code,
		    j->options->explain ? remedy->meaning : "",
		    j->options->explain ? " " : "", remedy->remedy);
	return fflush(stdout) ? COMMAND_USAGE : code;
}

static json_t *subject(const struct judgement *j)
{
	if (j->verdict != HM_VALID)
		return json_null();
	if (j->is_fetched)
		return fetched_view_json(&j->fetched);
	if (j->status)
		return peers_view_json(&j->peers, j->status);
	return j->is_item ? json_of_item(&j->item)
			  : json_of_document(&j->document);
}

static int print_json(struct judgement *j)
{
	const struct remedy *remedy = remedy_of(j->verdict);
	int code = hm_verdict_class(j->verdict);
	json_t *root = json_pack("{s:s, s:i, s:s, s:s, s:o, s:o}", "verdict",
	    hm_verdict_name(j->verdict), "exit", code, "meaning",
	    remedy->meaning, "remedy", remedy->remedy, "checks", j->view.checks,
	    j->is_fetched ? "fetched"
	    : j->status   ? "peers"
	    : j->is_item  ? "item"
			  : "document",
	    subject(j));

	if (j->is_attested)
		json_object_set_new(
		    root, "item_signature", json_string(UNSIGNED));
	return json_of_print(root) ? COMMAND_USAGE : code;
}

static void judge_quote(struct judgement *j, const struct hm_policy *policy,
    const struct input *input)
{
	const struct hm_report report = check_view_report(&j->view);

	j->verdict = verify_quote(
	    policy, input, j->quote, moment(j->options), &j->document, &report);
}

/* quote: NULL, or what is in the input. */
static int judge(const struct verify_options *options,
    const struct hm_policy *policy, const struct input *input,
    const struct quote_input *quote)
{
	static struct judgement j; /* large */
	int code;

	j = (struct judgement){.options = options, .quote = quote};
	j.is_attested = input->kind == INPUT_ATTESTED;
	j.is_fetched = input->kind == INPUT_FETCHED;
	j.is_item = input->kind == INPUT_ITEM || j.is_attested;
	j.view.checks = options->json ? json_array() : NULL;
	j.view.explain = options->explain;
	if (j.is_attested)
		judge_attested(&j, policy, input);
	else if (j.is_fetched)
		judge_fetched(&j, policy, input);
	else if (j.is_item)
		judge_item(&j, policy, input);
	else if (quote)
		judge_quote(&j, policy, input);
	else
		judge_document(&j, policy, input);
	code = options->json ? print_json(&j) : print_verdict(&j);
	hm_fetched_fini(&j.fetched);
	json_decref(j.status);
	return code;
}

static int run_quote(const struct verify_options *options,
    const struct hm_policy *policy, const struct input *input)
{
	struct quote_input quote;
	char why[INPUT_ERROR_MAX];
	int code;

	if (options->has_nonce)
		return command_usage_error(&command_verify,
		    "--nonce: a quote holds none; --held is what it was made "
		    "for");
	if (options->at == VERIFY_DOCUMENT || options->at == VERIFY_PUBLISHED)
		return command_usage_error(&command_verify,
		    "a quote carries no time of its own: --at now, or --at "
		    "TIME");
	if (quote_input_open(&quote, input, options->held, why))
		code = command_usage_error(&command_verify, "%s", why);
	else
		code = judge(options, policy, input, &quote);
	quote_input_close(&quote);
	return code;
}

static int run(int argc, char **argv)
{
	char error[POLICY_FILE_ERROR_MAX], why[INPUT_ERROR_MAX];
	static struct verify_options options; /* large */
	struct hm_policy *policy = NULL;
	struct input input = {0};
	int code;

	if (verify_options_parse(&options, argc, argv, error))
		return command_usage_error(&command_verify, "%s", error);
	if (options.is_bundle)
		return verify_bundle(&options);
	if (verify_options_policy(&policy, &options, error))
		return command_usage_error(&command_verify, "%s", error);
	if (input_read(&input, options.file, why))
		code = command_usage_error(&command_verify, "%s", why);
	else if (quote_input_is(&input))
		code = run_quote(&options, policy, &input);
	else if (options.held)
		code = command_usage_error(&command_verify,
		    "--held is for a quote of SGX or TDX, which this is not");
	else if ((input.kind == INPUT_ITEM || input.kind == INPUT_FETCHED) &&
		 options.has_nonce)
		code = command_usage_error(&command_verify,
		    "--nonce is for a bare document; items carry none");
	else if (input.kind == INPUT_ATTESTED &&
		 (options.at == VERIFY_DOCUMENT ||
		     options.at == VERIFY_PUBLISHED))
		code = command_usage_error(&command_verify,
		    "a price inside an attestation answers one nonce at one "
		    "time: --at now, or --at TIME");
	else if (input.kind == INPUT_DOCUMENT && options.at == VERIFY_PUBLISHED)
		code = command_usage_error(&command_verify,
		    "--at published is for items; for a bare document use "
		    "--at document");
	else
		code = judge(&options, policy, &input, NULL);
	input_fini(&input);
	hm_policy_free(policy);
	return code;
}

const struct command command_verify = {
    .name = "verify",
    .summary = "is this item or attestation document good?",
    .help = help,
    .run = run,
};
