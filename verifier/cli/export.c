/* export: `hallmark export`, archives for other tools. */
#include "verifier/cli/archives.h"
#include "verifier/cli/command.h"
#include "verifier/cli/complaints.h"
#include "verifier/cli/documents.h"
#include "verifier/cli/export_csv.h"
#include "verifier/cli/options.h"
#include "verifier/envelope.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: hallmark export ARCHIVE... --format ndjson|csv\n"
    "           [--feed FEED ...] [--from TIME] [--to TIME]\n"
    "\n"
    "Writes what is in an archive for other tools. Verifies nothing: for that\n"
    "hallmark replay and hallmark bundle are there.\n"
    "\n"
    "ARCHIVE is a SQLite file of hallmark-verifierd (main or of a day), NDJSON,\n"
    "a bundle, or the URL of a verifier; - is standard input.\n"
    "\n"
    "  --format ndjson  a JSON object a line: items and signed tree heads in the\n"
    "                   reference form, and before the first that needs it an\n"
    "                   attestation document; loses nothing that is signed, and\n"
    "                   every command that takes an ARCHIVE takes it back\n"
    "  --format csv     a row an item (RFC 4180), with a header; a text that a\n"
    "                   spreadsheet would take for a formula gets an ' before it\n"
    "  --feed FEED      only this one, as BTC-USD; may be repeated; then without\n"
    "                   tree heads, which count the items of all feeds\n"
    "  --from TIME      published then or later, as 2026-11-01T00:00:00Z or in\n"
    "                   Unix milliseconds\n"
    "  --to TIME        published before that\n"
    "\n"
    "Exit: 0, 1 usage or a file that cannot be read, 2 something in it is\n"
    "damaged (each is named on standard error, the rest is written).\n"
    "\n"
    "Examples:\n"
    "  hallmark export archive.db --format csv --feed BTC-USD >btc.csv\n"
    "  hallmark export archive-2026-11-01.db --format ndjson | zstd >day.zst\n";

struct export_options {
	struct archives_options archives;
	bool csv, has_format;
};

static int read_format(struct export_options *x, const char *text, char *error)
{
	x->csv = strcmp(text, "csv") == 0;
	if (!x->has_format && (x->csv || strcmp(text, "ndjson") == 0)) {
		x->has_format = true;
		return 0;
	}
	snprintf(error, ARCHIVES_ERROR_MAX, "--format %.40s: %s", text,
	    x->has_format ? "is given twice" : "wanted ndjson or csv");
	return -1;
}

static int read_option(void *data, int option, const char *text, char *error)
{
	struct export_options *x = data;

	if (option == 'o')
		return read_format(x, text, error);
	return archives_option(&x->archives, option, text, error);
}

static int parse(struct export_options *out, int argc, char **argv,
    char error[static ARCHIVES_ERROR_MAX])
{
	static const struct option known[] = {
	    {"format", required_argument, NULL, 'o'},
	    ARCHIVES_OPTIONS,
	    {NULL, 0, NULL, 0},
	};

	memset(out, 0, sizeof(*out));
	archives_options_init(&out->archives);
	if (options_each(
		argc, argv, known, read_option, out, error, ARCHIVES_ERROR_MAX))
		return -1;
	if (!out->has_format) {
		snprintf(
		    error, ARCHIVES_ERROR_MAX, "which --format? ndjson or csv");
		return -1;
	}
	return archives_options_paths(
	    &out->archives, argc - optind, argv + optind, error);
}

/* ---- NDJSON ---- */

static int put_line(char *text)
{
	int rc = text == NULL || puts(text) < 0;

	free(text);
	return rc ? -1 : 0;
}

/* Once for all that name it. */
static int put_document(struct documents *documents,
    const struct hm_envelope *envelope, const uint8_t *bytes, size_t len)
{
	if (bytes == NULL ||
	    documents_use(documents, envelope->attestation_sha256) != 1)
		return 0;
	return put_line(documents_format(envelope, bytes, len));
}

static int put_envelope(
    struct documents *documents, const struct hm_envelope *envelope)
{
	struct documents_cosigned cosigned;
	size_t len;
	const uint8_t *bytes = documents_find(
	    documents, envelope->attestation_sha256, &len);

	documents_lend(documents, envelope, &cosigned);
	if (put_document(documents, envelope, bytes, len) != 0)
		return -1;
	for (size_t i = 0; i < cosigned.envelope.cosignature_count; i++) {
		const struct hm_envelope *c = &cosigned.list[i];

		if (put_document(documents, c, c->document, c->document_len) !=
		    0)
			return -1;
	}
	return put_line(envelope_format(&cosigned.envelope, false));
}

/* ---- all of it ---- */

static int put(const struct export_options *x, struct documents *documents,
    const struct archives_entry *e)
{
	if (!x->csv)
		return put_envelope(documents, &e->entry.envelope);
	if (e->entry.kind != ARCHIVE_ENTRY_ITEM)
		return 0;
	return export_csv_row(stdout, &e->item, &e->entry.envelope);
}

static int each(const struct export_options *x, struct archives *archives,
    struct documents *documents, struct complaints *complaints)
{
	static struct archives_entry e; /* large */
	char error[ARCHIVES_ERROR_MAX];
	int rc;

	while ((rc = archives_next(archives, &e, error)) > 0) {
		if (e.entry.kind == ARCHIVE_ENTRY_DOCUMENT)
			documents_keep(documents, &e.entry);
		else if (e.entry.kind == ARCHIVE_ENTRY_DAMAGED)
			complaints_damaged(complaints, &e.entry);
		else if (put(x, documents, &e) != 0)
			return command_usage_error(
			    &command_export, "the output cannot be written");
	}
	if (rc < 0)
		return command_usage_error(&command_export, "%s", error);
	return complaints_end(complaints);
}

static int run(int argc, char **argv)
{
	static struct export_options x; /* large */
	struct complaints complaints = {.command = &command_export};
	struct documents *documents = calloc(1, sizeof(*documents));
	char error[ARCHIVES_ERROR_MAX];
	static struct archives archives;
	int code;

	if (documents == NULL || parse(&x, argc, argv, error)) {
		code = command_usage_error(
		    &command_export, "%s", documents ? error : "out of memory");
		free(documents);
		return code;
	}
	archives_begin(&archives, &x.archives);
	if (x.csv && export_csv_header(stdout))
		code = COMMAND_USAGE;
	else
		code = each(&x, &archives, documents, &complaints);
	if (fflush(stdout) && code == COMMAND_OK)
		code = command_usage_error(
		    &command_export, "the output cannot be written");
	archives_end(&archives);
	documents_fini(documents);
	free(documents);
	return code;
}

const struct command command_export = {
    .name = "export",
    .summary = "what is in an archive, as NDJSON or CSV",
    .help = help,
    .run = run,
};
