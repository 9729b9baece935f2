/* policy_check: `hallmark policy check`, what a policy would accept. */
#include "feeds/hex.h"
#include "verifier/cli/bundle_policy.h"
#include "verifier/cli/command.h"
#include "verifier/moment.h"
#include "verifier/policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CONFIG_PCR 16                  /* the oracle's configuration */
#define IMAGE_PCRS (1u << 0 | 1u << 2) /* the image, the application */

static const char help[] =
    "usage: hallmark policy check FILE\n"
    "\n"
    "Reads a policy and the root certificates it names, and says whether it\n"
    "can be used (known keys only, a root, a release, and at least one of\n"
    "PCR0, PCR1, PCR2 in each) and what it would accept. The SHA-256 is for\n"
    "hallmark verify BUNDLE --policy-sha256.\n"
    "\n"
    "Exit: 0 usable, 5 not.\n"
    "\n"
    "Example:\n"
    "  hallmark policy check deploy/policy.example.json\n";

static void print_moment(const char *before, int64_t ms)
{
	char text[MOMENT_TEXT_MAX];

	if (ms == INT64_MIN || ms == INT64_MAX)
		return;
	moment_format(ms, text);
	printf("%s%s", before, text);
}

/* Of SGX or TDX. */
static void print_measures(const struct policy_release *release)
{
	const struct policy_measures *m = &release->measures;
	bool td = m->kinds >> POLICY_MRTD != 0;

	fputs("release  ", stdout);
	command_put_plain(stdout, release->name);
	putchar(':');
	for (unsigned i = 0; i < POLICY_MEASURE_KINDS; i++)
		if (m->kinds >> i & 1)
			printf(" %s", policy_measure_name(i));
	if (m->kinds >> POLICY_MRSIGNER & 1)
		printf(", product %u, version %u or newer", m->product_id,
		    m->min_svn);
	print_moment(", from ", release->not_before_ms);
	print_moment(", until ", release->not_after_ms);
	putchar('\n');
	if (td && m->kinds >> POLICY_RTMR0 == 0)
		puts("  note   NO RTMR IS PINNED: any kernel on this firmware "
		     "will do");
	if (m->kinds >> POLICY_MRSIGNER & 1)
		puts("  note   any code of that product that its signer signs "
		     "will do, with any configuration");
}

static void print_release(const struct policy_release *release)
{
	if (release->measures.kinds != 0) {
		print_measures(release);
		return;
	}
	fputs("release  ", stdout);
	command_put_plain(stdout, release->name);
	fputs(": PCR", stdout);
	for (unsigned i = 0; i < HM_PCR_COUNT; i++)
		if (release->pin_mask >> i & 1)
			printf(" %u", i);
	print_moment(", from ", release->not_before_ms);
	print_moment(", until ", release->not_after_ms);
	putchar('\n');
	if (!(release->pin_mask & IMAGE_PCRS))
		puts(
		    "  note   NEITHER PCR0 NOR PCR2 IS PINNED: any application "
		    "on this kernel will do");
	if (!(release->pin_mask >> CONFIG_PCR & 1))
		puts("  note   PCR16 is not pinned: any configuration will do");
}

static void print_bytes(const char *name, const struct hm_bytes *bytes)
{
	if (!bytes->present)
		return;
	printf("%s  exactly ", name);
	for (size_t i = 0; i < bytes->len; i++)
		printf("%02x", bytes->bytes[i]);
	putchar('\n');
}

static void print_limits(const struct hm_policy *policy)
{
	printf("times    at most %" PRId64 " s old, %" PRId64 " s ahead\n",
	    policy->max_age_ms / 1000, policy->max_future_ms / 1000);
	if (policy->max_enclave_age_ms >= 0)
		printf("enclave  started at most %" PRId64 " s ago\n",
		    policy->max_enclave_age_ms / 1000);
	if (policy->booted_after_ms != INT64_MIN) {
		print_moment(
		    "enclave  started at or after ", policy->booted_after_ms);
		putchar('\n');
	}
	print_bytes("nonce  ", &policy->nonce);
	print_bytes("user_data", &policy->user_data);
	if (policy->min_key_epoch > 0)
		printf("key      %" PRIu64 " or a later one (key_epoch)\n",
		    policy->min_key_epoch);
	if (policy->quorum > 0)
		printf("quorum   %u other enclaves must co-sign each item\n",
		    policy->quorum);
	if (policy->revoked_count)
		printf("revoked  %zu certificates\n", policy->revoked_count);
	if (policy->allow_debug)
		puts(
		    "  note   DEBUG ENCLAVES ARE ACCEPTED: their host can read "
		    "and change their memory");
}

/* Nothing where no quote is accepted. */
static void print_quotes(const struct policy_quotes *q)
{
	size_t parts = q->collateral ? sgx_collateral_count(q->collateral) : 0;

	for (size_t i = 0; i < q->root_count; i++) {
		fputs("root     ", stdout);
		command_put_plain(stdout, q->roots[i].name);
		puts(", for platforms sgx-dcap and tdx");
		if (memcmp(q->roots[i].point, sgx_intel_root.point,
			SGX_POINT_LEN) != 0)
			puts("  note   NOT INTEL'S: who has its key can attest "
			     "any code");
	}
	if (q->root_count == 0)
		return;
	fputs("TCB     ", stdout);
	for (unsigned i = 0; i < SGX_STATUS_COUNT; i++)
		if (policy_quote_statuses(q) >> i & 1)
			printf(" %s", sgx_status_name(i));
	printf("\nIntel's  %zu parts of collateral (hallmark collateral check)"
	       "\n",
	    parts);
	if (q->insecure_without_collateral)
		puts(
		    "  note   NO COLLATERAL IS DEMANDED: revoked and unpatched "
		    "platforms pass where a part is missing");
}

static void print_root(const struct policy_root *root)
{
	fputs("root     ", stdout);
	command_put_plain(stdout, root->name);
	printf(", for platform %s\n", root->platform);
	if (strcmp(root->platform, "simulated") == 0)
		puts("  note   NO ENCLAVE IS BEHIND THIS ROOT: who has its key "
		     "file can attest any code, of each release below");
}

static void print_policy(const struct hm_policy *policy)
{
	for (size_t i = 0; i < policy->root_count; i++)
		print_root(&policy->roots[i]);
	print_quotes(&policy->quotes);
	for (size_t i = 0; i < policy->release_count; i++)
		print_release(&policy->releases[i]);
	print_limits(policy);
}

/* What hallmark verify --policy-sha256 wants of a bundle that has it. */
static void print_hash(const char *path)
{
	char error[POLICY_FILE_ERROR_MAX], hex[2 * HM_SHA256_LEN + 1];
	struct archive_bundle_about about;

	if (bundle_policy_load(&about, path, error) != 0)
		return; /* standard input, which is read by now */
	hex_encode(about.sha256, HM_SHA256_LEN, hex);
	archive_bundle_about_fini(&about);
	printf("SHA-256  %s, with its roots\n", hex);
}

static int run(int argc, char **argv)
{
	const char *file = command_only_file(&command_policy_check, argc, argv);
	char error[POLICY_FILE_ERROR_MAX];
	struct hm_policy *policy;

	if (!file)
		return COMMAND_USAGE;
	if (policy_file_load(&policy, file, error)) {
		fputs("REFUSED ", stderr);
		command_put_plain(stderr, error);
		fputc('\n', stderr);
		return COMMAND_POLICY;
	}
	print_policy(policy);
	hm_policy_free(policy);
	print_hash(file);
	printf("ok       %s\n", file);
	return fflush(stdout) || ferror(stdout) ? COMMAND_USAGE : COMMAND_OK;
}

const struct command command_policy_check = {
    .name = "policy check",
    .summary = "can this policy be used?",
    .help = help,
    .run = run,
};
