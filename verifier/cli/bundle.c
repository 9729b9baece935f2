/* bundle: `hallmark bundle`, what somebody needs to check a piece of history
 * alone, in one file. What does not verify under the policy is left out, and
 * said. */
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/cli/archives.h"
#include "verifier/cli/bundle_policy.h"
#include "verifier/cli/bundle_write.h"
#include "verifier/cli/command.h"
#include "verifier/cli/complaints.h"
#include "verifier/cli/documents.h"
#include "verifier/cli/options.h"
#include "verifier/envelope.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: hallmark bundle ARCHIVE... --policy POLICY -o FILE\n"
    "           [--feed FEED ...] [--from TIME] [--to TIME]\n"
    "\n"
    "Writes one file with the items, the attestation documents that they need,\n"
    "the signed tree heads, the policy, its root certificates and collateral:\n"
    "hallmark verify FILE checks all of it, with no network, in ten years. Each\n"
    "item is verified as of its own time (replay) before it goes in; one that is\n"
    "refused is named on standard error and left out.\n"
    "\n"
    "ARCHIVE is a SQLite file of hallmark-verifierd (main or of a day), NDJSON,\n"
    "another bundle, or the URL of a verifier; - is standard input.\n"
    "\n"
    "  --policy POLICY  goes into the bundle, with the files that it names\n"
    "  -o, --output FILE    where to; it is there when it is whole\n"
    "  --feed FEED      only this one, as BTC-USD; may be repeated; then without\n"
    "                   tree heads, which count the items of all feeds\n"
    "  --from TIME      published then or later, as 2026-11-01T00:00:00Z or in\n"
    "                   Unix milliseconds\n"
    "  --to TIME        published before that\n"
    "\n"
    "Prints the policy's SHA-256: tell it to whoever gets the bundle by another\n"
    "way, for hallmark verify FILE --policy-sha256. A policy that came with the\n"
    "data proves only that they agree with it.\n"
    "\n"
    "Exit: 0; 1 usage, a file that cannot be read or written, or no item; else\n"
    "the class of the first refusal, as of hallmark verify (2 damaged ...).\n"
    "\n"
    "Example:\n"
    "  hallmark bundle archive.db --policy policy.json --feed BTC-USD \\\n"
    "      --from 2026-11-01T12:00:00Z --to 2026-11-01T13:00:00Z -o noon.json\n";

struct bundle {
	struct archives_options archives;
	const char *policy_path, *path;
	struct archive_bundle_about about;
	struct hm_policy *policy;
	struct hm_cache *cache;
	struct documents documents;
	struct complaints complaints;
	struct bundle_write out;
};

/* ---- arguments ---- */

static int read_once(
    const char **out, const char *name, const char *text, char *error)
{
	if (*out) {
		snprintf(error, ARCHIVES_ERROR_MAX, "%s is given twice", name);
		return -1;
	}
	*out = text;
	return 0;
}

static int read_option(void *data, int option, const char *text, char *error)
{
	struct bundle *b = data;

	if (option == 'p')
		return read_once(&b->policy_path, "--policy", text, error);
	if (option == 'o')
		return read_once(&b->path, "--output", text, error);
	return archives_option(&b->archives, option, text, error);
}

/* options_each() knows long ones only. */
static void spell_out(int argc, char **argv)
{
	static char output[] = "--output";

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-o") == 0)
			argv[i] = output;
}

static int parse(struct bundle *b, int argc, char **argv,
    char error[static ARCHIVES_ERROR_MAX])
{
	static const struct option known[] = {
	    {"policy", required_argument, NULL, 'p'},
	    {"output", required_argument, NULL, 'o'},
	    ARCHIVES_OPTIONS,
	    {NULL, 0, NULL, 0},
	};

	archives_options_init(&b->archives);
	spell_out(argc, argv);
	if (options_each(
		argc, argv, known, read_option, b, error, ARCHIVES_ERROR_MAX))
		return -1;
	if (!b->policy_path || !b->path) {
		snprintf(error, ARCHIVES_ERROR_MAX, "%s",
		    b->path ? "which --policy? It goes into the bundle"
			    : "where to? -o FILE");
		return -1;
	}
	return archives_options_paths(
	    &b->archives, argc - optind, argv + optind, error);
}

/* ---- entries ---- */

static int fail(const char *what, int error)
{
	return command_usage_error(
	    &command_bundle, "%.900s: %s", what, strerror(-error));
}

/* Takes the text. */
static int add_text(struct bundle *b, int list, char *text)
{
	int rc = text ? bundle_write_add(&b->out, list, text) : -1;

	free(text);
	return rc;
}

/* If it is new in the bundle. */
static int add_document(struct bundle *b, const struct hm_envelope *e,
    const uint8_t *document, size_t len)
{
	int used = documents_use(&b->documents, e->attestation_sha256);

	if (used != 1)
		return used;
	return add_text(
	    b, BUNDLE_ATTESTATIONS, documents_format(e, document, len));
}

/* The documents, and the envelope. */
static int add(struct bundle *b, int list, const struct hm_envelope *e,
    const uint8_t *document, size_t len)
{
	int rc = add_document(b, e, document, len);

	for (size_t i = 0; i < e->cosignature_count && rc == 0; i++) {
		const struct hm_envelope *c = &e->cosignatures[i];

		rc = add_document(b, c, c->document, c->document_len);
	}
	return rc == 0 ? add_text(b, list, envelope_format(e, false)) : -1;
}

static void describe(
    const struct archives_entry *e, char out[static HM_TEXT_MAX])
{
	char boot[2 * sizeof(e->item.boot_id) + 1];

	if (e->entry.kind != ARCHIVE_ENTRY_ITEM) {
		snprintf(out, HM_TEXT_MAX, "a tree head");
		return;
	}
	hex_encode(e->item.boot_id, sizeof(e->item.boot_id), boot);
	snprintf(out, HM_TEXT_MAX, "%s %llu of boot %s", e->item.feed,
	    (unsigned long long)e->item.sequence, boot);
}

/* Only those co-signatures go in that hold. */
static void drop_others(
    struct documents_cosigned *e, const bool holds[HM_COSIGNATURES_MAX])
{
	size_t kept = 0;

	for (size_t i = 0; i < e->envelope.cosignature_count; i++)
		if (holds[i])
			e->list[kept++] = e->list[i];
	e->envelope.cosignature_count = kept;
}

static enum hm_verdict judge(struct bundle *b, bool is_item,
    struct documents_cosigned *e, const uint8_t *document, size_t len)
{
	static struct hm_item item; /* large */
	static struct hm_head head;
	enum hm_verdict verdict;

	if (!is_item)
		return hm_head_verify_replay(b->policy, b->cache, &e->envelope,
		    document, len, &head, NULL);
	verdict = hm_item_verify_replay(
	    b->policy, b->cache, &e->envelope, document, len, &item, NULL);
	if (verdict == HM_VALID)
		drop_others(e, item.cosigned);
	return verdict;
}

static int take(struct bundle *b, const struct archives_entry *e)
{
	size_t len;
	const uint8_t *document = documents_find(
	    &b->documents, e->entry.envelope.attestation_sha256, &len);
	bool is_item = e->entry.kind == ARCHIVE_ENTRY_ITEM;
	enum hm_verdict verdict = HM_ATTESTATION_MISSING;
	struct documents_cosigned cosigned;
	char what[HM_TEXT_MAX];

	documents_lend(&b->documents, &e->entry.envelope, &cosigned);
	if (document)
		verdict = judge(b, is_item, &cosigned, document, len);
	if (verdict == HM_VALID)
		return add(b, is_item ? BUNDLE_ITEMS : BUNDLE_HEADS,
		    &cosigned.envelope, document, len);
	describe(e, what);
	complaints_refused(&b->complaints, &e->entry, what, verdict);
	return 0;
}

/* All that was asked for; an exit code. */
static int collect(struct bundle *b)
{
	static struct archives_entry e; /* large */
	static struct archives archives;
	char error[ARCHIVES_ERROR_MAX];
	int rc, code = COMMAND_OK;

	archives_begin(&archives, &b->archives);
	while (code == COMMAND_OK &&
	       (rc = archives_next(&archives, &e, error)) != 0) {
		if (rc < 0)
			code = command_usage_error(
			    &command_bundle, "%s", error);
		else if (e.entry.kind == ARCHIVE_ENTRY_DOCUMENT)
			documents_keep(&b->documents, &e.entry);
		else if (e.entry.kind == ARCHIVE_ENTRY_DAMAGED)
			complaints_damaged(&b->complaints, &e.entry);
		else if (take(b, &e) != 0)
			code = command_usage_error(&command_bundle,
			    "%.900s cannot be written, or there are too many "
			    "documents",
			    b->path);
	}
	archives_end(&archives);
	return code;
}

/* ---- the whole ---- */

static void print_summary(const struct bundle *b)
{
	char hex[2 * HM_SHA256_LEN + 1];

	hex_encode(b->about.sha256, HM_SHA256_LEN, hex);
	command_put_plain(stdout, b->path);
	printf(": %llu items, %llu attestation documents, %llu tree heads\n"
	       "policy SHA-256 %s\n",
	    (unsigned long long)b->out.counts[BUNDLE_ITEMS],
	    (unsigned long long)b->out.counts[BUNDLE_ATTESTATIONS],
	    (unsigned long long)b->out.counts[BUNDLE_HEADS], hex);
}

static int make(struct bundle *b)
{
	int rc = bundle_write_begin(&b->out, b->path, &b->about);
	int code;

	if (rc)
		return fail(b->path, rc);
	code = collect(b);
	if (code == COMMAND_OK && b->out.counts[BUNDLE_ITEMS] == 0) {
		(void)complaints_end(&b->complaints);
		code = command_usage_error(&command_bundle,
		    "there is no item for it in the archives: nothing is "
		    "written");
	}
	if (code != COMMAND_OK) {
		bundle_write_drop(&b->out);
		return code;
	}
	rc = bundle_write_end(&b->out);
	if (rc)
		return fail(b->path, rc);
	print_summary(b);
	return complaints_end(&b->complaints);
}

static int load(struct bundle *b, char error[static POLICY_FILE_ERROR_MAX])
{
	char why[ARCHIVE_SOURCE_ERROR_MAX];

	if (bundle_policy_load(&b->about, b->policy_path, error) != 0)
		return -1;
	b->about.created_ms = now_unix_ms();
	b->cache = hm_cache_new(ARCHIVE_SOURCE_DOCUMENTS);
	if (archive_bundle_policy(&b->policy, &b->about, why) == 0 && b->cache)
		return 0;
	snprintf(error, POLICY_FILE_ERROR_MAX, "out of memory");
	return -1;
}

static int run(int argc, char **argv)
{
	char error[POLICY_FILE_ERROR_MAX] = "out of memory";
	struct bundle *b = calloc(1, sizeof(*b));
	int code;

	if (b == NULL || parse(b, argc, argv, error) || load(b, error)) {
		code = command_usage_error(&command_bundle, "%s", error);
	} else {
		b->complaints.command = &command_bundle;
		code = make(b);
	}
	if (b) {
		archive_bundle_about_fini(&b->about);
		hm_policy_free(b->policy);
		hm_cache_free(b->cache);
		documents_fini(&b->documents);
	}
	free(b);
	return code;
}

const struct command command_bundle = {
    .name = "bundle",
    .summary = "a piece of an archive in one file that verifies alone",
    .help = help,
    .run = run,
};
