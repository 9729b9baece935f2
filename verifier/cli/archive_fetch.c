/*
 * archive_fetch: see archive_fetch.h.
 *
 *   GET /feeds, unless --feed says which
 *   for each: GET /history?feed=...&attestation=ref as NDJSON, and whatever
 *     Link: <...>; rel="next" says, until there is none
 *   for each document that was not there yet: GET /attestations/{sha256};
 *     where that is gone, one item in the full form
 */
#include "verifier/cli/archive_fetch.h"

#include "feeds/hex.h"
#include "verifier/archive/archive_line.h"
#include "verifier/archive/archive_seen.h"
#include "verifier/cli/documents.h"
#include "verifier/daemon/oracle_get.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FEEDS_BYTES_MAX (1u << 20)

struct answer {
	char *body;
	size_t len, max;
	bool too_long, good; /* good: 200, and the type that was asked for */
	char next[ORACLE_TARGET_MAX]; /* of its Link header, or "" */
	long status;
};

struct fetch {
	struct oracle_address address;
	const struct archives_wish *wish;
	FILE *out;
	struct archive_seen seen; /* documents that were written */
	struct answer answer;
	char *error; /* ARCHIVES_ERROR_MAX */
};

__attribute__((format(printf, 2, 3))) static int fail(
    struct fetch *f, const char *format, ...)
{
	int len = snprintf(
	    f->error, ARCHIVES_ERROR_MAX, "%.200s: ", f->address.text);
	va_list args;

	va_start(args, format);
	vsnprintf(
	    f->error + len, ARCHIVES_ERROR_MAX - (size_t)len, format, args);
	va_end(args);
	return -1;
}

/* ---- one request ---- */

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
	struct answer *a = data;
	size_t len = size * count;

	if (len > a->max - a->len) {
		a->too_long = true;
		return 0;
	}
	memcpy(a->body + a->len, bytes, len);
	a->len += len;
	return len;
}

/* Link: </history?...>; rel="next" (RFC 8288). No other is followed. */
static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	static const char name[] = "link:";
	struct answer *a = data;
	size_t len = size * count, at = sizeof(name) - 1;
	const char *end;

	if (len <= at || strncasecmp(line, name, at) != 0)
		return len;
	while (at < len && line[at] == ' ')
		at++;
	end = memchr(line, '>', len);
	if (at >= len || line[at] != '<' || end == NULL ||
	    memmem(end, (size_t)(line + len - end), "rel=\"next\"", 10) == NULL)
		return len;
	at++;
	if ((size_t)(end - line) - at < sizeof(a->next))
		snprintf(a->next, sizeof(a->next), "%.*s",
		    (int)((size_t)(end - line) - at), line + at);
	return len;
}

static CURLcode ask(
    struct fetch *f, const char *target, const char *type, size_t max)
{
	CURL *easy = oracle_address_get(&f->address, target);
	struct curl_slist *headers = NULL;
	struct answer *a = &f->answer;
	char accept[80];
	CURLcode result;

	free(a->body);
	memset(a, 0, sizeof(*a));
	a->max = max;
	a->body = malloc(max + 1);
	snprintf(accept, sizeof(accept), "Accept: %s", type);
	headers = curl_slist_append(NULL, accept);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ARCHIVE_FETCH_MS);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, a);
	result = a->body && headers ? curl_easy_perform(easy)
				    : CURLE_OUT_OF_MEMORY;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &a->status);
	a->good = oracle_get_is(easy, type);
	curl_slist_free_all(headers);
	curl_easy_cleanup(easy);
	return result;
}

/* 0 with the body of a 200 of this type in f->answer, or -1 and why; then
 * f->answer.status tells more. A server that has had enough of us for now
 * (429) is asked again. */
static int get(
    struct fetch *f, const char *target, const char *type, size_t max)
{
	CURLcode result = ask(f, target, type, max);

	for (int i = 0; i < ARCHIVE_FETCH_TRIES && f->answer.status == 429;
	     i++) {
		sleep(1);
		result = ask(f, target, type, max);
	}
	if (f->answer.too_long)
		return fail(f, "%.100s: the answer is too long", target);
	if (result != CURLE_OK)
		return fail(
		    f, "%.100s: %s", target, curl_easy_strerror(result));
	if (!f->answer.good)
		return fail(f, "%.100s answered %ld, or not as %s", target,
		    f->answer.status, type);
	return 0;
}

/* ---- documents ---- */

static int write_document(struct fetch *f, const struct archive_line *item,
    const void *bytes, size_t len)
{
	char *text = documents_format(&item->envelope, bytes, len);
	struct archive_place place = {.len = 1};
	int rc = text ? fprintf(f->out, "%s\n", text) : -1;

	free(text);
	memcpy(place.sha256, item->sha256, HM_SHA256_LEN);
	if (rc < 0 || archive_seen_add(&f->seen, &place) != 0)
		return fail(f, "its documents cannot be kept");
	return 0;
}

/* The document out of the item itself: one in the full form. */
static int fetch_full(struct fetch *f, const struct archive_line *item)
{
	struct archive_line full;
	char target[256];
	struct item *content = calloc(1, sizeof(*content));
	const char *end;
	int rc = -1;

	if (content == NULL || item_decode(content, item->envelope.content,
				   item->envelope.content_len) != 0) {
		free(content);
		return 0; /* whoever verifies it says so */
	}
	snprintf(target, sizeof(target),
	    "/history?feed=%s&from=%lld&to=%lld&limit=1&attestation=full",
	    content->feed, (long long)content->published_ms,
	    (long long)content->published_ms + 1);
	free(content);
	if (get(f, target, "application/x-ndjson", ARCHIVE_FETCH_PAGE_MAX))
		return -1;
	end = memchr(f->answer.body, '\n', f->answer.len);
	archive_line_parse(&full, f->answer.body,
	    end ? (size_t)(end - f->answer.body) : f->answer.len);
	if (full.document != NULL && !full.problem &&
	    memcmp(full.sha256, item->sha256, HM_SHA256_LEN) == 0)
		rc = write_document(f, item, full.document, full.document_len);
	else
		rc = 0; /* the item is without one, and judged so */
	archive_line_fini(&full);
	return rc;
}

static int fetch_document(struct fetch *f, const struct archive_line *item)
{
	char target[128], hex[2 * HM_SHA256_LEN + 1];

	if (archive_seen_find(&f->seen, item->sha256) != NULL)
		return 0;
	hex_encode(item->sha256, HM_SHA256_LEN, hex);
	snprintf(target, sizeof(target), "/attestations/%s", hex);
	if (get(f, target, "application/cbor", HM_DOCUMENT_MAX) == 0)
		return write_document(f, item, f->answer.body, f->answer.len);
	return f->answer.status == 404 ? fetch_full(f, item) : -1;
}

/* ---- pages ---- */

/* The item's document, if it is new, and the item. */
static int write_line(struct fetch *f, const char *text, size_t len)
{
	struct archive_line line;
	int rc = 0;

	archive_line_parse(&line, text, len);
	if (line.kind == ARCHIVE_ENTRY_ITEM)
		rc = fetch_document(f, &line);
	archive_line_fini(&line);
	if (rc == 0 &&
	    (fwrite(text, 1, len, f->out) != len || putc('\n', f->out) < 0))
		rc = fail(f, "its history cannot be kept: the disk is full");
	return rc;
}

/* Takes the page out of f->answer, which is needed for documents. */
static int write_page(struct fetch *f)
{
	char *page = f->answer.body, *at = page;
	size_t len = f->answer.len;
	int rc = 0;

	f->answer.body = NULL;
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

		if (get(f, target, "application/x-ndjson",
			ARCHIVE_FETCH_PAGE_MAX))
			return -1;
		memcpy(next, f->answer.next, sizeof(next));
		if (write_page(f))
			return -1;
		if (!next[0])
			return 0;
		if (strncmp(next, "/history?", 9) != 0 ||
		    strcmp(next, target) == 0)
			return fail(f, "its next page is %.100s", next);
		memcpy(target, next, sizeof(target));
	}
	return fail(f, "its history has no end");
}

static int fetch_all(struct fetch *f)
{
	static struct oracle_feeds feeds; /* large */

	feeds = f->wish->feeds;
	if (feeds.count == 0) {
		if (get(f, "/feeds", "application/json", FEEDS_BYTES_MAX))
			return -1;
		if (oracle_feeds_parse(&feeds, f->answer.body, f->answer.len))
			return fail(f, "/feeds names no feeds");
	}
	for (size_t i = 0; i < feeds.count; i++)
		if (fetch_feed(f, feeds.names[i]))
			return -1;
	if (fflush(f->out) != 0)
		return fail(f, "its history cannot be kept: the disk is full");
	return 0;
}

/* ---- open ---- */

bool archive_fetch_is_url(const char *path)
{
	return strncmp(path, "http://", 7) == 0 ||
	       strncmp(path, "https://", 8) == 0 ||
	       strncmp(path, "unix://", 7) == 0;
}

static int read_back(struct archive_source **out, struct fetch *f)
{
	char why[ARCHIVE_SOURCE_ERROR_MAX];
	int fd = dup(fileno(f->out));

	if (fd < 0)
		return fail(f, "too many open files");
	if (archive_source_open_fd(out, fd, f->address.text, why) != 0)
		return fail(f, "%s", why);
	return 0;
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
	f->error = error;
	if (oracle_address_parse(&f->address, url) != 0) {
		snprintf(error, ARCHIVES_ERROR_MAX,
		    "%.200s: wanted the address of a verifier without a path, "
		    "as in http://127.0.0.1:8090",
		    url);
		goto out;
	}
	f->out = tmpfile();
	if (f->out == NULL)
		fail(f, "no temporary file can be made");
	else if (fetch_all(f) == 0)
		rc = read_back(out, f);
out:
	if (f->out)
		fclose(f->out);
	archive_seen_fini(&f->seen);
	free(f->answer.body);
	free(f);
	return rc;
}
