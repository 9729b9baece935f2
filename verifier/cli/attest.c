/* attest: `hallmark attest`, who is at the other end of this connection? */
#include "verifier/cli/attest.h"

#include "verifier/cli/check_view.h"
#include "verifier/cli/command.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/remedy.h"
#include "verifier/daemon/channel.h"
#include "verifier/moment.h"

#include "feeds/hex.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: hallmark attest URL (--policy POLICY | --root ROOT --pcr N:HEX "
    "...)\n"
    "           [--nonce HEX] [--json] [--explain]\n"
    "\n"
    "Asks an oracle for an attestation document with a nonce that nobody had\n"
    "before, and says what is proven of who answers. Of\n"
    "https+attested://HOST:PORT the TLS must end in the enclave itself: the\n"
    "document names the key, and the other end of this very connection has to\n"
    "hold it. Whoever is in between (the parent instance, a proxy, who owns the\n"
    "name) holds another. Of http://, https:// and unix:// only the document is\n"
    "judged: who carried it here, nobody knows.\n"
    "\n"
    "  --policy POLICY  what you accept, as JSON (hallmark policy check)\n"
    "  --root, --pcr    instead of it, see hallmark verify --help\n"
    "  --nonce HEX      this one instead of a fresh one of 32 bytes: at most\n"
    "                   512 bytes, and only as fresh as you know it to be\n"
    "  --json           the verdict, each check and what was learnt, as JSON\n"
    "  --explain        also what was wanted and found where a check passed\n"
    "\n"
    "hallmark watch and hallmark-verifierd do the same by themselves, with\n"
    "https+attested:// as the oracle's address. Other programs may take the\n"
    "pin that is printed, as curl -k --pinnedpubkey PIN does, until\n"
    "the oracle starts again with another key.\n"
    "\n"
    "Exit: 0 attested; else the class of the verdict, as of hallmark verify:\n"
    "2 malformed, 3 signature (another key on the connection), 4 chain,\n"
    "5 policy (another nonce), 6 time, 7 debug enclave; 1 usage, or no answer.\n"
    "\n"
    "Examples:\n"
    "  hallmark attest https+attested://oracle.example:8443 --policy "
    "policy.json\n"
    "  pin=$(hallmark attest https+attested://oracle.example:8443 \\\n"
    "      --policy policy.json --json | jq -r .pin)\n";

/* ---- what was learnt ---- */

static void print_hex(const char *name, const uint8_t *bytes, size_t len)
{
	char hex[2 * HM_SHA256_LEN + 1];

	hex_encode(bytes, len, hex);
	printf("%-16s %s\n", name, hex);
}

static void print_facts(
    const struct oracle_address *address, const struct channel_facts *facts)
{
	const struct hm_document *d = &facts->document;
	char when[MOMENT_TEXT_MAX];

	moment_format(d->timestamp_ms, when);
	print_hex("boot_id", facts->attested.boot_id, 16);
	print_hex("config_sha256", facts->attested.config_sha256, 32);
	if (facts->attested.key_epoch > 0)
		printf("%-16s %llu\n", "key_epoch",
		    (unsigned long long)facts->attested.key_epoch);
	if (facts->attested.has_tls)
		print_hex(
		    "tls_spki_sha256", facts->attested.tls_spki_sha256, 32);
	if (facts->attested.has_seal)
		print_hex(
		    "seal_spki_sha256", facts->attested.seal_spki_sha256, 32);
	if (facts->bound)
		printf("%-16s %s\n", "pin", address->pin);
	printf("ATTESTED %s, release ", d->module_id);
	command_put_plain(stdout, d->release);
	printf(", at %s%s\n%s\n", when, check_view_caveat(d),
	    facts->bound ? "this connection ends in that enclave"
			 : "the document is good; nothing says that this "
			   "connection ends in that enclave");
}

static json_t *json_of_facts(
    const struct oracle_address *address, const struct channel_facts *facts)
{
	const struct attested_data *a = &facts->attested;

	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "bound", facts->bound, "pin",
	    facts->bound ? json_string(address->pin) : json_null(), "boot_id",
	    hex_json(a->boot_id, 16), "config_sha256",
	    hex_json(a->config_sha256, 32), "key_epoch",
	    a->key_epoch > 0 ? json_integer((json_int_t)a->key_epoch)
			     : json_null(),
	    "tls_spki_sha256",
	    a->has_tls ? hex_json(a->tls_spki_sha256, 32) : json_null(),
	    "seal_spki_sha256",
	    a->has_seal ? hex_json(a->seal_spki_sha256, 32) : json_null(),
	    "seal_public_key",
	    facts->seal_public_key[0] ? json_string(facts->seal_public_key)
				      : json_null(),
	    "document", json_of_document(&facts->document));
}

/* ---- the verdict ---- */

/* It did not come to one. */
static int tell_failure(const struct attest_options *options,
    const struct channel_failure *why, json_t *checks)
{
	json_decref(checks);
	fprintf(stderr, "hallmark attest: %s: ", options->address.text);
	command_put_plain(stderr, why->text);
	putc('\n', stderr);
	return COMMAND_USAGE;
}

static int tell_json(const struct attest_options *options,
    enum hm_verdict verdict, const struct channel_facts *facts, json_t *checks)
{
	const struct remedy *remedy = remedy_of(verdict);
	json_t *root = json_pack("{s:s, s:i, s:s, s:s, s:s, s:o}", "url",
	    options->address.text, "exit", hm_verdict_class(verdict), "verdict",
	    hm_verdict_name(verdict), "meaning", remedy->meaning, "remedy",
	    remedy->remedy, "checks", checks);

	if (verdict == HM_VALID)
		json_object_update_new(
		    root, json_of_facts(&options->address, facts));
	return json_of_print(root) ? COMMAND_USAGE : hm_verdict_class(verdict);
}

static int tell(const struct attest_options *options, enum hm_verdict verdict,
    const struct channel_facts *facts)
{
	const struct remedy *remedy = remedy_of(verdict);

	if (verdict == HM_VALID)
		print_facts(&options->address, facts);
	else
		printf("REFUSED %s (exit %d): %s %s\n",
		    hm_verdict_name(verdict), hm_verdict_class(verdict),
		    remedy->meaning, remedy->remedy);
	return fflush(stdout) ? COMMAND_USAGE : hm_verdict_class(verdict);
}

static int attest(
    struct attest_options *options, const struct hm_policy *policy)
{
	static struct channel_facts facts; /* large */
	const struct verify_options *o = &options->verify;
	struct check_view view = {
	    .checks = o->json ? json_array() : NULL, .explain = o->explain};
	const struct hm_report report = check_view_report(&view);
	struct channel_failure why;
	int rc = channel_attest(&facts, &options->address, policy, NULL,
	    o->has_nonce ? o->nonce : NULL, o->nonce_len, &report, &why);

	if (rc && why.verdict == HM_VALID)
		return tell_failure(options, &why, view.checks);
	if (o->json)
		return tell_json(options, why.verdict, &facts, view.checks);
	return tell(options, why.verdict, &facts);
}

static int run(int argc, char **argv)
{
	static struct attest_options options; /* large */
	char error[POLICY_FILE_ERROR_MAX];
	struct hm_policy *policy = NULL;
	int code;

	if (attest_options_parse(&options, argc, argv, error) ||
	    verify_options_policy(&policy, &options.verify, error))
		return command_usage_error(&command_attest, "%s", error);
	code = attest(&options, policy);
	hm_policy_free(policy);
	return code;
}

const struct command command_attest = {
    .name = "attest",
    .summary = "who is at the other end? Attests an oracle's channel",
    .help = help,
    .run = run,
};
