/*
 * archive_fetch: see archive_fetch.h.
 *
 *   GET /feeds, unless --feed says which
 *   for each: GET /history?feed=...&attestation=ref as NDJSON, and whatever
 *     Link: <...>; rel="next" says, until there is none
 *   for each document that was not there yet: GET /attestations/{sha256};
 *     where that is gone, one item in the full form
 *   for each boot: GET /log/heads, up to the head that was the newest before
 */
#include "verifier/cli/archive_fetch.h"

#include "feeds/hex.h"
#include "verifier/archive/archive_input.h"
#include "verifier/archive/archive_line.h"
#include "verifier/archive/archive_seen.h"
#include "verifier/cli/archive_request.h"
#include "verifier/cli/documents.h"
#include "verifier/tree_head.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FEEDS_BYTES_MAX (1u << 20)
#define BOOT_MAX        33 /* digits and a NUL */

struct fetch {
	struct archive_request request;
	const struct archives_wish *wish;
	FILE *out;
	struct archive_seen seen; /* documents that were written */
	struct item item;         /* of the line in hand; large */
	char (*boots)[BOOT_MAX];  /* owned: of the items that were written */
	size_t boot_count;
	int64_t heads_until_ms; /* of the newest head when we began; -1: none */
};

/* ---- documents ---- */

static int write_document(
    struct fetch *f, const struct hm_envelope *e, const void *bytes, size_t len)
{
	char *text = documents_format(e, bytes, len);
	struct archive_place place = {.len = 1};
	int rc = text ? fprintf(f->out, "%s\n", text) : -1;

	free(text);
	memcpy(place.sha256, e->attestation_sha256, HM_SHA256_LEN);
	if (rc < 0 || archive_seen_add(&f->seen, &place) != 0)
		return archive_request_fail(
		    &f->request, "its documents cannot be kept");
	return 0;
}

/* The document out of the item in hand itself: one in the full form. */
static int fetch_full(struct fetch *f, const struct hm_envelope *e)
{
	struct archive_line full;
	char target[256];
	const char *end;
	int rc = 0; /* an item that stays without one is judged so */

	snprintf(target, sizeof(target),
	    "/history?feed=%s&from=%lld&to=%lld&limit=1&attestation=full",
	    f->item.feed, (long long)f->item.published_ms,
	    (long long)f->item.published_ms + 1);
	if (archive_request_get(&f->request, target, "application/x-ndjson",
		ARCHIVE_FETCH_PAGE_MAX))
		return -1;
	end = memchr(f->request.body.bytes, '\n', f->request.body.len);
	archive_line_parse(&full, f->request.body.bytes,
	    end ? (size_t)(end - f->request.body.bytes) : f->request.body.len);
	for (size_t i = 0; i < full.document_count; i++) {
		const struct archive_line_document *d = &full.documents[i];

		if (d->bytes == NULL || memcmp(d->sha256, e->attestation_sha256,
					    HM_SHA256_LEN) != 0)
			continue;
		rc = write_document(f, e, d->bytes, d->len);
		break;
	}
	archive_line_fini(&full);
	return rc;
}

static int fetch_document(
    struct fetch *f, const struct hm_envelope *e, bool is_item)
{
	char target[128], hex[2 * HM_SHA256_LEN + 1];

	if (archive_seen_find(&f->seen, e->attestation_sha256) != NULL)
		return 0;
	hex_encode(e->attestation_sha256, HM_SHA256_LEN, hex);
	snprintf(target, sizeof(target), "/attestations/%s", hex);
	if (archive_request_get(
		&f->request, target, "application/cbor", HM_DOCUMENT_MAX) == 0)
		return write_document(
		    f, e, f->request.body.bytes, f->request.body.len);
	if (f->request.status != 404)
		return -1;
	return is_item ? fetch_full(f, e) : 0;
}

/* Its own, and those of its co-signatures. */
static int fetch_documents(struct fetch *f, const struct archive_line *item)
{
	const struct hm_envelope *e = &item->envelope;

	for (size_t i = 0; i < e->cosignature_count; i++)
		if (fetch_document(f, &e->cosignatures[i], true) != 0)
			return -1;
	return fetch_document(f, e, true);
}

/* ---- pages ---- */

static int add_boot(struct fetch *f)
{
	char boot[BOOT_MAX];
	char(*more)[BOOT_MAX];

	hex_encode(f->item.boot_id, sizeof(f->item.boot_id), boot);
	/* the newest first: it is nearly always that one */
	for (size_t i = f->boot_count; i > 0; i--)
		if (strcmp(f->boots[i - 1], boot) == 0)
			return 0;
	if (f->boot_count == ARCHIVE_FETCH_BOOTS_MAX)
		return archive_request_fail(
		    &f->request, "more than %d boots", ARCHIVE_FETCH_BOOTS_MAX);
	more = realloc(f->boots, (f->boot_count + 1) * sizeof(*more));
	if (more == NULL)
		return archive_request_fail(&f->request, "out of memory");
	f->boots = more;
	memcpy(f->boots[f->boot_count++], boot, sizeof(boot));
	return 0;
}

/* The item's or head's document, if it is new, and itself. What is neither is
 * written too: whoever reads it says so. */
static int write_line(struct fetch *f, const char *text, size_t len)
{
	struct archive_line line;
	int rc = 0;

	archive_line_parse(&line, text, len);
	if (line.kind == ARCHIVE_ENTRY_HEAD)
		rc = fetch_document(f, &line.envelope, false);
	else if (line.kind == ARCHIVE_ENTRY_ITEM &&
		 item_decode(&f->item, line.envelope.content,
		     line.envelope.content_len) == 0)
		rc = fetch_documents(f, &line) || add_boot(f) ? -1 : 0;
	archive_line_fini(&line);
	if (rc == 0 &&
	    (fwrite(text, 1, len, f->out) != len || putc('\n', f->out) < 0))
		rc = archive_request_fail(&f->request,
		    "its history cannot be kept: the disk is full");
	return rc;
}

/* Takes the page out of f->answer, which is needed for documents. */
static int write_page(struct fetch *f)
{
	char *page = f->request.body.bytes, *at = page;
	size_t len = f->request.body.len;
	int rc = 0;

	f->request.body.bytes = NULL;
	while (len > 0 && rc == 0) {
		const char *end = memchr(at, '\n', len);
		size_t line = end ? (size_t)(end - at) : len;
		size_t step = end ? line + 1 : line;

		rc = write_line(f, at, line);
		at += step;
		len -= step;
	}
	free(page);
	return rc;
}

static int fetch_feed(struct fetch *f, const char *feed)
{
	const struct archives_wish *w = f->wish;
	char target[ORACLE_TARGET_MAX];
	int len;

	len = snprintf(target, sizeof(target),
	    "/history?feed=%s&limit=%d&order=asc&attestation=ref", feed,
	    ARCHIVE_FETCH_PAGE_ITEMS);
	if (w->from_ms > 0)
		len += snprintf(target + len, sizeof(target) - (size_t)len,
		    "&from=%lld", (long long)w->from_ms);
	if (w->to_ms < INT64_MAX)
		snprintf(target + len, sizeof(target) - (size_t)len, "&to=%lld",
		    (long long)w->to_ms);
	for (int page = 0; page < ARCHIVE_FETCH_PAGES_MAX; page++) {
		char next[ORACLE_TARGET_MAX];

		if (archive_request_get(&f->request, target,
			"application/x-ndjson", ARCHIVE_FETCH_PAGE_MAX))
			return -1;
		memcpy(next, f->request.next, sizeof(next));
		if (write_page(f))
			return -1;
		if (!next[0])
			return 0;
		if (strncmp(next, "/history?", 9) != 0 ||
		    strcmp(next, target) == 0)
			return archive_request_fail(
			    &f->request, "its next page is %.100s", next);
		memcpy(target, next, sizeof(target));
	}
	return archive_request_fail(&f->request, "its history has no end");
}

/* ---- heads ---- */

/* When the newest head there is was published. A later one would count items
 * that were published after they were asked for. */
static int look_at_head(struct fetch *f)
{
	static struct hm_head head; /* large */
	struct archive_line line;

	f->heads_until_ms = -1;
	if (f->wish->feeds.count > 0)
		return 0; /* they count the items of all feeds */
	if (archive_request_get(&f->request, "/log/head", "application/json",
		HM_ENVELOPE_MAX) != 0)
		return f->request.status == 404 ? 0 : -1;
	archive_line_parse(&line, f->request.body.bytes, f->request.body.len);
	if (line.kind == ARCHIVE_ENTRY_HEAD &&
	    tree_head_decode(
		&head, line.envelope.content, line.envelope.content_len) == 0)
		f->heads_until_ms = head.published_ms;
	archive_line_fini(&line);
	return 0;
}

static int write_head(struct fetch *f, const json_t *envelope)
{
	static struct hm_head head; /* large */
	const json_t *content = json_object_get(envelope, "content");
	char *text = json_dumps(envelope, JSON_COMPACT);
	int rc = -1;

	if (text == NULL || tree_head_decode(&head, json_string_value(content),
				json_string_length(content)) != 0)
		archive_request_fail(&f->request, "/log/heads has none");
	else if (head.published_ms > f->heads_until_ms)
		rc = 0;
	else
		rc = write_line(f, text, strlen(text));
	free(text);
	return rc;
}

/* {"boot_id","heads":[],"next_after"}. 1: there are more, behind *after. */
static int write_heads(struct fetch *f, int64_t *after)
{
	json_t *root = json_loadb(f->request.body.bytes, f->request.body.len,
	    JSON_REJECT_DUPLICATES, NULL);
	const json_t *next = json_object_get(root, "next_after"), *envelope;
	int rc = json_is_integer(next) && json_integer_value(next) > *after;
	size_t i;

	if (!json_is_array(json_object_get(root, "heads")))
		rc = archive_request_fail(&f->request, "/log/heads has none");
	json_array_foreach(json_object_get(root, "heads"), i, envelope)
	{
		if (rc >= 0 && write_head(f, envelope) != 0)
			rc = -1;
	}
	if (rc > 0)
		*after = json_integer_value(next);
	json_decref(root);
	return rc;
}

static int fetch_heads(struct fetch *f, const char *boot)
{
	char target[160];
	int64_t after = 0;
	int rc;

	do {
		snprintf(target, sizeof(target),
		    "/log/heads?boot_id=%s&after=%lld", boot, (long long)after);
		if (archive_request_get(&f->request, target, "application/json",
			ARCHIVE_FETCH_PAGE_MAX) != 0)
			return f->request.status == 404 ? 0 : -1;
		rc = write_heads(f, &after);
	} while (rc > 0);
	return rc;
}

/* ---- all of it ---- */

static int find_feeds(struct fetch *f, struct oracle_feeds *out)
{
	*out = f->wish->feeds;
	if (out->count > 0)
		return 0;
	if (archive_request_get(
		&f->request, "/feeds", "application/json", FEEDS_BYTES_MAX))
		return -1;
	if (oracle_feeds_parse(out, f->request.body.bytes, f->request.body.len))
		return archive_request_fail(
		    &f->request, "/feeds names no feeds");
	return 0;
}

static int fetch_all(struct fetch *f)
{
	static struct oracle_feeds feeds; /* large */

	if (look_at_head(f) || find_feeds(f, &feeds))
		return -1;
	for (size_t i = 0; i < feeds.count; i++)
		if (fetch_feed(f, feeds.names[i]))
			return -1;
	for (size_t i = 0; f->heads_until_ms >= 0 && i < f->boot_count; i++)
		if (fetch_heads(f, f->boots[i]))
			return -1;
	if (fflush(f->out) != 0)
		return archive_request_fail(&f->request,
		    "its history cannot be kept: the disk is full");
	return 0;
}

/* ---- open ---- */

bool archive_fetch_is_url(const char *path)
{
	return strncmp(path, "http://", 7) == 0 ||
	       strncmp(path, "https://", 8) == 0 ||
	       strncmp(path, "https+attested://", 17) == 0 ||
	       strncmp(path, "unix://", 7) == 0;
}

static int read_back(struct archive_source **out, struct fetch *f)
{
	char why[ARCHIVE_SOURCE_ERROR_MAX];
	int fd = dup(fileno(f->out));

	if (fd < 0)
		return archive_request_fail(&f->request, "too many open files");
	if (archive_source_open_fd(out, fd, f->request.address.text, why) != 0)
		return archive_request_fail(&f->request, "%s", why);
	return 0;
}

static FILE *open_nameless(void)
{
	int fd = archive_input_nameless();
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w+");

	if (out == NULL && fd >= 0)
		close(fd);
	return out;
}

int archive_fetch_open(struct archive_source **out, const char *url,
    const struct archives_wish *wish, char error[static ARCHIVES_ERROR_MAX])
{
	struct fetch *f = calloc(1, sizeof(*f));
	int rc = -1;

	*out = NULL;
	if (f == NULL) {
		snprintf(error, ARCHIVES_ERROR_MAX, "out of memory");
		return -1;
	}
	f->wish = wish;
	f->request.error = error;
	/* An attested channel ends in an oracle, which keeps no history. */
	if (oracle_address_parse(&f->request.address, url) != 0 ||
	    f->request.address.attested) {
		snprintf(error, ARCHIVES_ERROR_MAX,
		    "%.200s: wanted the address of a verifier without a path, "
		    "as in http://127.0.0.1:8090",
		    url);
		goto out;
	}
	f->out = open_nameless();
	if (f->out == NULL)
		archive_request_fail(
		    &f->request, "no temporary file can be made");
	else if (fetch_all(f) == 0)
		rc = read_back(out, f);
out:
	if (f->out)
		fclose(f->out);
	archive_seen_fini(&f->seen);
	archive_request_fini(&f->request);
	free(f->boots);
	free(f);
	return rc;
}
