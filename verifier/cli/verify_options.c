/* verify_options: reads the arguments of `hallmark verify`. */
#include "verifier/cli/verify_options.h"

#include "verifier/cli/input.h"
#include "verifier/cli/options.h"

#include "feeds/hex.h"
#include "verifier/moment.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct verify_options *out;
	char *error; /* POLICY_FILE_ERROR_MAX */
	bool at_given;
};

int verify_options_fail(
    char error[static POLICY_FILE_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, POLICY_FILE_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

/* N:HEX */
static int read_pcr(struct reader *r, const char *text)
{
	struct verify_options *o = r->out;
	struct verify_pcr *pcr = &o->pcrs[o->pcr_count];
	size_t digits = strspn(text, "0123456789");
	const char *hex = text + digits + 1;

	if (o->pcr_count == VERIFY_PCRS_MAX)
		return verify_options_fail(
		    r->error, "--pcr: more than %d", VERIFY_PCRS_MAX);
	if (digits < 1 || digits > 2 || text[digits] != ':' ||
	    (digits == 2 && text[0] == '0'))
		return verify_options_fail(r->error,
		    "--pcr %.120s: wanted N:HEX, as in 0:1a2b...", text);
	pcr->index = (unsigned)strtoul(text, NULL, 10);
	if (pcr->index >= HM_PCR_COUNT)
		return verify_options_fail(r->error,
		    "--pcr %.120s: there are PCRs 0 to %d", text,
		    HM_PCR_COUNT - 1);
	if (hex_decode(pcr->value, HM_PCR_LEN, hex, strlen(hex)))
		return verify_options_fail(r->error,
		    "--pcr %.120s: wanted %d hex digits (SHA-384)", text,
		    2 * HM_PCR_LEN);
	o->pcr_count++;
	return 0;
}

static int read_root(struct reader *r, const char *text)
{
	struct verify_options *o = r->out;

	if (o->root_count == VERIFY_ROOTS_MAX)
		return verify_options_fail(
		    r->error, "--root: more than %d", VERIFY_ROOTS_MAX);
	o->roots[o->root_count++] = text;
	return 0;
}

static int read_at(struct reader *r, const char *text)
{
	struct verify_options *o = r->out;

	if (r->at_given)
		return verify_options_fail(r->error, "--at is given twice");
	r->at_given = true;
	if (strcmp(text, "now") == 0)
		o->at = VERIFY_NOW;
	else if (strcmp(text, "document") == 0)
		o->at = VERIFY_DOCUMENT;
	else if (strcmp(text, "published") == 0)
		o->at = VERIFY_PUBLISHED;
	else if (moment_parse_rfc3339(&o->at_ms, text) == 0)
		o->at = VERIFY_MOMENT;
	else
		return verify_options_fail(r->error,
		    "--at %.120s: wanted now, document, published, or a time "
		    "as 2026-11-01T00:00:00Z",
		    text);
	return 0;
}

static int read_nonce(struct reader *r, const char *text)
{
	struct verify_options *o = r->out;
	size_t len = strlen(text) / 2;

	if (o->has_nonce)
		return verify_options_fail(r->error, "--nonce is given twice");
	if (len < 1 || len > HM_NONCE_MAX ||
	    hex_decode(o->nonce, len, text, strlen(text)))
		return verify_options_fail(r->error,
		    "--nonce %.120s: wanted 1 to %d bytes in hex", text,
		    HM_NONCE_MAX);
	o->has_nonce = true;
	o->nonce_len = len;
	return 0;
}

static int read_pin(struct reader *r, const char *text)
{
	struct verify_options *o = r->out;

	if (o->has_pin)
		return verify_options_fail(
		    r->error, "--policy-sha256 is given twice");
	o->has_pin = true;
	if (hex_decode(o->pin, sizeof(o->pin), text, strlen(text)))
		return verify_options_fail(r->error,
		    "--policy-sha256 %.120s: wanted 64 hex digits, as "
		    "hallmark bundle prints them",
		    text);
	return 0;
}

static int read_policy(struct reader *r, const char *text)
{
	if (r->out->policy)
		return verify_options_fail(r->error, "--policy is given twice");
	r->out->policy = text;
	return 0;
}

static int read_option(struct reader *r, int option, const char *text)
{
	switch (option) {
	case 'p':
		return read_policy(r, text);
	case 'r':
		return read_root(r, text);
	case 'n':
		return read_pcr(r, text);
	case 'm':
	case 't':
	case 'k':
		return verify_measures_read(
		    &r->out->measures, option, text, r->error);
	case 'a':
		return read_at(r, text);
	case 'c':
		return read_nonce(r, text);
	case 's':
		return read_pin(r, text);
	case 'h':
		if (r->out->held)
			return verify_options_fail(
			    r->error, "--held is given twice");
		r->out->held = text;
		return 0;
	case 'j':
		r->out->json = true;
		return 0;
	case 'e':
		r->out->explain = true;
		return 0;
	default:
		return -1;
	}
}

int verify_options_trust(struct verify_options *out, int option,
    const char *text, char error[static POLICY_FILE_ERROR_MAX])
{
	struct reader r = {.out = out, .error = error};

	assert(option == 'p' || option == 'r' || option == 'n');
	return read_option(&r, option, text);
}

int verify_options_nonce(struct verify_options *out, const char *text,
    char error[static POLICY_FILE_ERROR_MAX])
{
	struct reader r = {.out = out, .error = error};

	return read_nonce(&r, text);
}

int verify_options_check_trust(
    const struct verify_options *o, char error[static POLICY_FILE_ERROR_MAX])
{
	const struct verify_measures *m = &o->measures;
	bool measures = verify_measures_given(m), image = false;
	bool enclave = m->mrenclave_count > 0, domain = m->mrtd_count > 0;
	bool pins = o->pcr_count > 0 || measures;

	for (size_t i = 0; i < o->pcr_count; i++)
		image |= o->pcrs[i].index <= 2;
	if (o->policy && (o->root_count || pins))
		return verify_options_fail(
		    error, "either --policy, or --root and --pcr");
	if (!o->policy && !o->root_count && !pins)
		return verify_options_fail(error,
		    "what would you accept? Give --policy FILE, or --root and "
		    "--pcr: without them any enclave of anybody would do");
	if (!o->policy && !o->root_count)
		return verify_options_fail(error,
		    "--pcr needs a --root, as in --root "
		    "aws-nitro-g1; --mrenclave and --mrtd too, as in --root "
		    "intel-sgx");
	if (measures && (o->pcr_count > 0 || (enclave && domain)))
		return verify_options_fail(error,
		    "--pcr, --mrenclave or --mrtd: a release is of one "
		    "platform");
	if (enclave || domain)
		return 0;
	if (!o->policy && !image)
		return verify_options_fail(error,
		    "--root needs at least one of --pcr 0:HEX, "
		    "--pcr 1:HEX, --pcr 2:HEX, or, for quotes, --mrenclave "
		    "HEX or --mrtd HEX: a root alone vouches for any code");
	return 0;
}

/* A bundle's own policy will do, since it is said what that proves. */
static int check_bundle(const struct reader *r)
{
	const struct verify_options *o = r->out;
	bool own = !o->policy && !o->root_count && !o->pcr_count &&
		   !verify_measures_given(&o->measures);

	if (o->has_nonce || o->held)
		return verify_options_fail(
		    r->error, "--nonce and --held are for a bare document");
	if (o->explain)
		return verify_options_fail(r->error,
		    "--explain is for one item or document; a "
		    "bundle's findings say what was found");
	if (r->at_given && o->at != VERIFY_PUBLISHED)
		return verify_options_fail(r->error,
		    "--at: the items of a bundle are judged as of "
		    "when they were published");
	if (o->has_pin && !own)
		return verify_options_fail(r->error,
		    "--policy-sha256 is about the bundle's own "
		    "policy; with --policy or --root it is yours "
		    "that counts");
	return own ? 0 : verify_options_check_trust(o, r->error);
}

static int take_option(void *data, int option, const char *text, char *error)
{
	(void)error; /* the reader has it */
	return read_option(data, option, text);
}

int verify_options_parse(struct verify_options *out, int argc, char **argv,
    char error[static POLICY_FILE_ERROR_MAX])
{
	static const struct option known[] = {
	    VERIFY_OPTIONS_TRUST,
	    {"mrenclave", required_argument, NULL, 'm'},
	    {"mrtd", required_argument, NULL, 't'},
	    {"collateral", required_argument, NULL, 'k'},
	    {"at", required_argument, NULL, 'a'},
	    {"nonce", required_argument, NULL, 'c'},
	    {"policy-sha256", required_argument, NULL, 's'},
	    {"held", required_argument, NULL, 'h'},
	    {"json", no_argument, NULL, 'j'},
	    {"explain", no_argument, NULL, 'e'},
	    {NULL, 0, NULL, 0},
	};
	struct reader r = {.out = out, .error = error};

	memset(out, 0, sizeof(*out));
	if (options_each(argc, argv, known, take_option, &r, error,
		POLICY_FILE_ERROR_MAX))
		return -1;
	if (argc - optind > 1)
		return verify_options_fail(r.error, "more than one FILE");
	if (optind < argc)
		out->file = argv[optind];
	if (!out->file)
		return verify_options_fail(r.error, "which FILE?");
	out->is_bundle = input_is_bundle(out->file);
	if (out->is_bundle)
		return check_bundle(&r);
	if (out->has_pin)
		return verify_options_fail(r.error,
		    "--policy-sha256 is for a bundle, which %.120s "
		    "is not",
		    out->file);
	return verify_options_check_trust(out, error);
}

static int add_pins(struct hm_policy *policy, const struct verify_options *o,
    char error[static POLICY_FILE_ERROR_MAX])
{
	int release = hm_policy_add_release(
	    policy, "command line", INT64_MIN, INT64_MAX);

	if (release < 0)
		return verify_options_fail(error, "no release can be made");
	for (size_t i = 0; i < o->pcr_count; i++)
		if (hm_policy_add_pcr(
			policy, release, o->pcrs[i].index, o->pcrs[i].value))
			return verify_options_fail(
			    error, "the PCRs cannot be used");
	return verify_measures_add(policy, release, &o->measures, error);
}

int verify_options_oracle(struct oracle_address *out, const char *text,
    char error[static POLICY_FILE_ERROR_MAX])
{
	if (oracle_address_parse(out, text) == 0)
		return 0;
	return verify_options_fail(error,
	    "%.120s: wanted the address of an oracle without a path, as in "
	    "https+attested://oracle.example:8443, http://127.0.0.1:8080 or "
	    "unix:///run/oracle.sock",
	    text);
}

int verify_options_policy(struct hm_policy **out,
    const struct verify_options *options,
    char error[static POLICY_FILE_ERROR_MAX])
{
	const struct reader r = {.error = error};
	char why[HM_TEXT_MAX] = "";
	struct hm_policy *policy;
	int rc = 0;

	*out = NULL;
	if (options->policy)
		return policy_file_load(out, options->policy, error);
	policy = hm_policy_new();
	if (!policy)
		return verify_options_fail(r.error, "out of memory");
	for (size_t i = 0; i < options->root_count && !rc; i++)
		rc = policy_file_add_root(policy, options->roots[i], error);
	if (!rc)
		rc = add_pins(policy, options, error);
	if (!rc && hm_policy_check(policy, why))
		rc = verify_options_fail(r.error, "%s", why);
	if (!rc) {
		*out = policy;
		policy = NULL;
	}
	hm_policy_free(policy);
	return rc;
}
