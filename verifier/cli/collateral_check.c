/* collateral_check: `hallmark collateral check`, what Intel says of platforms,
 * as files: whether it is signed, and until when it is good. */
#include "base/file.h"
#include "base/now.h"
#include "verifier/cli/command.h"
#include "verifier/cli/options.h"
#include "verifier/daemon/policy_file.h"
#include "verifier/moment.h"
#include "verifier/policy.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: hallmark collateral check FILE... [--policy POLICY] [--at TIME]\n"
    "\n"
    "Reads what Intel publishes about SGX and TDX platforms (TCB info, the\n"
    "identities of quoting enclaves, revocation lists, the certificates of\n"
    "their signer) and says of each part whether it is signed and from when\n"
    "until when it is good. Nothing is fetched. Files are as Intel's service\n"
    "answers, or all parts in one JSON; what a policy names under\n"
    "collateral_files is read in the same way.\n"
    "\n"
    "  --policy POLICY  its roots of quotes, instead of Intel's\n"
    "  --at TIME        as of then (RFC 3339 in UTC); default: now\n"
    "\n"
    "Exit: 0 all good, 2 a file that is none, 4 not signed, 5 a part is\n"
    "missing that another one needs, 6 not good at that time.\n"
    "\n"
    "Example:\n"
    "  pcs=https://api.trustedservices.intel.com/sgx/certification/v4\n"
    "  curl -sD head \"$pcs/tcb?fmspc=00606a000000\" > tcb.json\n"
    "  sed -n 's/^TCB-Info-Issuer-Chain: //Ip' head > signer.pem\n"
    "  hallmark collateral check tcb.json signer.pem\n";

struct request {
	struct hm_policy *policy; /* owned; NULL: Intel's root */
	int64_t at_ms;
	struct sgx_collateral *parts; /* owned */
};

/* Of quotes; a policy that has none of its own asks for Intel's. */
static const struct sgx_root *roots_of(const struct request *r, size_t *count)
{
	*count = 1;
	if (r->policy == NULL || r->policy->quotes.root_count == 0)
		return &sgx_intel_root;
	*count = r->policy->quotes.root_count;
	return r->policy->quotes.roots;
}

static int take_option(void *data, int option, const char *text, char *error)
{
	struct request *r = data;

	if (option == 'p') {
		hm_policy_free(r->policy);
		return policy_file_load(&r->policy, text, error);
	}
	if (moment_parse_rfc3339(&r->at_ms, text) == 0)
		return 0;
	snprintf(error, POLICY_FILE_ERROR_MAX,
	    "--at %.40s: not a time like 2026-11-01T00:00:00Z", text);
	return -1;
}

static void print_refused(const char *path, const char *why)
{
	fputs("REFUSED  ", stdout);
	command_put_plain(stdout, path);
	fputs(": ", stdout);
	command_put_plain(stdout, why);
	putchar('\n');
}

static int add_file(struct request *r, const char *path)
{
	char error[HM_TEXT_MAX];
	uint8_t *bytes;
	size_t len;
	int rc = file_read(path, SGX_COLLATERAL_FILE_MAX, &bytes, &len);

	if (rc != 0) {
		print_refused(path, strerror(-rc));
		return COMMAND_USAGE;
	}
	rc = sgx_collateral_add(r->parts, bytes, len, error);
	free(bytes);
	if (rc == 0)
		return COMMAND_OK;
	print_refused(path, error);
	return COMMAND_MALFORMED;
}

/* A PCK CA's certificate is in each quote: without it here its list is neither
 * good nor bad. */
static bool is_open(const struct sgx_part *part)
{
	return part->kind == SGX_PART_CRL &&
	       part->verdict == HM_COLLATERAL_MISSING;
}

static void print_part(const struct sgx_part *part)
{
	char from[MOMENT_TEXT_MAX], until[MOMENT_TEXT_MAX];

	moment_format(part->not_before_ms, from);
	moment_format(part->not_after_ms, until);
	if (part->verdict == HM_VALID)
		fputs("valid    ", stdout);
	else
		fputs(is_open(part) ? "unproven " : "REFUSED  ", stdout);
	command_put_plain(stdout, part->what);
	printf(", from %.10s until %s", from, until);
	if (is_open(part))
		fputs(": its CA's certificate is in the quotes", stdout);
	else if (part->verdict != HM_VALID)
		printf(": %s", hm_verdict_name(part->verdict));
	putchar('\n');
}

static void print_lacks(const size_t counts[SGX_PART_CA + 1])
{
	if (counts[SGX_PART_TCB_INFO] == 0)
		puts("  note   no TCB info: how well a platform is patched "
		     "will be unknown");
	if (counts[SGX_PART_QE_IDENTITY] == 0)
		puts("  note   no identity of a quoting enclave");
	if (counts[SGX_PART_CRL] < 2)
		puts("  note   not both revocation lists, the root's and a "
		     "PCK CA's");
	if (counts[SGX_PART_SIGNER] == 0)
		puts("  note   no certificate of the signer: it comes in the "
		     "headers of Intel's answers");
}

/* The gravest of the findings, or `code` if that is one. */
static int print_parts(const struct request *r, int code)
{
	size_t counts[SGX_PART_CA + 1] = {0}, root_count;
	const struct sgx_root *roots = roots_of(r, &root_count);

	for (size_t i = 0; i < sgx_collateral_count(r->parts); i++) {
		struct sgx_part part;

		sgx_collateral_part(
		    r->parts, i, roots, root_count, r->at_ms, &part);
		print_part(&part);
		counts[part.kind]++;
		if (code == COMMAND_OK && !is_open(&part))
			code = hm_verdict_class(part.verdict);
	}
	print_lacks(counts);
	return code;
}

static int check_files(struct request *r, char **files)
{
	int code = COMMAND_OK;

	for (; *files != NULL; files++) {
		int found = add_file(r, *files);

		if (code == COMMAND_OK)
			code = found;
	}
	code = print_parts(r, code);
	return fflush(stdout) || ferror(stdout) ? COMMAND_USAGE : code;
}

static int run(int argc, char **argv)
{
	static const struct option known[] = {
	    {"policy", required_argument, NULL, 'p'},
	    {"at", required_argument, NULL, 'a'},
	    {NULL, 0, NULL, 0},
	};
	struct request r = {.at_ms = now_unix_ms()};
	char error[POLICY_FILE_ERROR_MAX];
	int code;

	if (options_each(argc, argv, known, take_option, &r, error,
		sizeof(error)) != 0) {
		code = command_usage_error(
		    &command_collateral_check, "%s", error);
		goto out;
	}
	if (optind == argc) {
		code = command_usage_error(
		    &command_collateral_check, "which FILE?");
		goto out;
	}
	r.parts = sgx_collateral_new();
	if (r.parts == NULL)
		code = hm_verdict_class(HM_NO_MEMORY);
	else
		code = check_files(&r, argv + optind);
out:
	sgx_collateral_free(r.parts);
	hm_policy_free(r.policy);
	return code;
}

const struct command command_collateral_check = {
    .name = "collateral check",
    .summary = "is this what Intel says of SGX and TDX, and until when?",
    .help = help,
    .run = run,
};
