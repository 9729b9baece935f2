/* archives: see archives.h. What is selected by is not verified yet: an item
 * that lies about its feed or time is refused by whoever verifies it. */
#include "verifier/cli/archives.h"

#include "verifier/cli/archive_fetch.h"
#include "verifier/moment.h"
#include "verifier/tree_head.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static int fail(
    char error[static ARCHIVES_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, ARCHIVES_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

/* ---- options ---- */

void archives_options_init(struct archives_options *out)
{
	memset(out, 0, sizeof(*out));
	out->wish.from_ms = INT64_MIN;
	out->wish.to_ms = INT64_MAX;
}

static int read_feed(struct archives_options *o, const char *text, char *error)
{
	struct oracle_feeds *feeds = &o->wish.feeds;

	if (!oracle_feeds_is_name(text))
		return fail(error,
		    "--feed %.120s: wanted a name as in BTC-USD; repeat --feed "
		    "for more than one",
		    text);
	if (oracle_feeds_has(feeds, text))
		return fail(error, "--feed %s is given twice", text);
	if (feeds->count == ORACLE_FEEDS_MAX)
		return fail(
		    error, "--feed: more than %d", (int)ORACLE_FEEDS_MAX);
	snprintf(feeds->names[feeds->count++], ORACLE_FEED_MAX, "%s", text);
	return 0;
}

static bool read_time(const char *text, int64_t *out)
{
	size_t len = strspn(text, "0123456789");

	if (moment_parse_rfc3339(out, text) == 0)
		return true;
	if (len < 1 || len > 15 || text[len] != '\0')
		return false;
	*out = strtoll(text, NULL, 10);
	return *out <= MOMENT_MAX_MS;
}

static int read_bound(
    const char *name, const char *text, bool *has, int64_t *out, char *error)
{
	if (*has)
		return fail(error, "%s is given twice", name);
	*has = true;
	if (read_time(text, out))
		return 0;
	return fail(error,
	    "%s %.120s: wanted a time as 2026-11-01T00:00:00Z, or Unix "
	    "milliseconds",
	    name, text);
}

int archives_option(struct archives_options *o, int option, const char *text,
    char error[static ARCHIVES_ERROR_MAX])
{
	if (option == 'f')
		return read_feed(o, text, error);
	if (option == 'F')
		return read_bound(
		    "--from", text, &o->has_from, &o->wish.from_ms, error);
	return read_bound("--to", text, &o->has_to, &o->wish.to_ms, error);
}

int archives_options_paths(struct archives_options *o, int argc, char **argv,
    char error[static ARCHIVES_ERROR_MAX])
{
	if (o->wish.from_ms >= o->wish.to_ms)
		return fail(error, "--to must be later than --from");
	if (argc < 1)
		return fail(error, "which ARCHIVE?");
	if (argc > ARCHIVES_MAX)
		return fail(error, "more than %d archives", ARCHIVES_MAX);
	for (int i = 0; i < argc; i++)
		o->paths[o->count++] = argv[i];
	return 0;
}

/* ---- open ---- */

int archives_open(struct archive_source **out, const char *path,
    const struct archives_wish *wish, char error[static ARCHIVES_ERROR_MAX])
{
	char why[ARCHIVE_SOURCE_ERROR_MAX] = "";
	int rc;

	if (archive_fetch_is_url(path))
		return archive_fetch_open(out, path, wish, error);
	rc = archive_source_open(out, path, why);
	return rc ? fail(error, "%.900s: %s", path, why) : 0;
}

/* ---- what was asked for ---- */

static bool in_time(const struct archives_wish *wish, int64_t published_ms)
{
	return published_ms >= wish->from_ms && published_ms < wish->to_ms;
}

static bool wants_item(const struct archives *a, struct archives_entry *e)
{
	const struct archives_wish *wish = &a->options->wish;

	if (item_decode(&e->item, e->entry.envelope.content,
		e->entry.envelope.content_len) != 0) {
		e->entry.kind = ARCHIVE_ENTRY_DAMAGED;
		e->entry.problem = "its content is none of an item";
		return true;
	}
	/* a row of SQLite has them from the document's row */
	if (!e->entry.envelope.public_key[0]) {
		e->entry.kind = ARCHIVE_ENTRY_DAMAGED;
		e->entry.problem = "its attestation is not in the archive";
	}
	return in_time(wish, e->item.published_ms) &&
	       (wish->feeds.count == 0 ||
		   oracle_feeds_has(&wish->feeds, e->item.feed));
}

/* Those in the time, of all feeds: another would count items that are not in
 * the selection, and whoever checks it would miss them. */
static bool wants_head(const struct archives *a, struct archives_entry *e)
{
	static struct hm_head head; /* large */

	if (a->options->wish.feeds.count > 0)
		return false;
	if (tree_head_decode(&head, e->entry.envelope.content,
		e->entry.envelope.content_len) != 0) {
		e->entry.kind = ARCHIVE_ENTRY_DAMAGED;
		e->entry.problem = "its content is none of a tree head";
		return true;
	}
	return in_time(&a->options->wish, head.published_ms);
}

static bool wants(const struct archives *a, struct archives_entry *e)
{
	switch (e->entry.kind) {
	case ARCHIVE_ENTRY_ITEM:
		return wants_item(a, e);
	case ARCHIVE_ENTRY_HEAD:
		return wants_head(a, e);
	case ARCHIVE_ENTRY_DOCUMENT:
	case ARCHIVE_ENTRY_DAMAGED:
		return true;
	case ARCHIVE_ENTRY_RAW:
	case ARCHIVE_ENTRY_NEWEST:
		break;
	}
	return false;
}

/* ---- one after the other ---- */

void archives_begin(
    struct archives *archives, const struct archives_options *options)
{
	memset(archives, 0, sizeof(*archives));
	archives->options = options;
}

int archives_next(struct archives *a, struct archives_entry *out,
    char error[static ARCHIVES_ERROR_MAX])
{
	for (;;) {
		if (a->source == NULL) {
			if (a->next == a->options->count)
				return 0;
			if (archives_open(&a->source,
				a->options->paths[a->next++], &a->options->wish,
				error) != 0)
				return -1;
		}
		while (archive_source_next(a->source, &out->entry))
			if (wants(a, out))
				return 1;
		archives_end(a);
	}
}

void archives_end(struct archives *archives)
{
	archive_source_close(archives->source);
	archives->source = NULL;
}
