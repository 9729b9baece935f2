/*
 * archive_text: NDJSON and bundles as an archive_source. A piece is read, and
 * gives
 *
 *   what is wrong with it, the documents that it needs, the item or head
 */
#include "verifier/archive/archive_bundle_read.h"
#include "verifier/archive/archive_line.h"
#include "verifier/archive/archive_reader.h"
#include "verifier/archive/archive_seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text_source {
	struct archive_source base;
	struct archive_input input;
	struct archive_bundle_about about; /* with is_bundle */
	bool is_bundle;
	struct archive_ndjson ndjson;
	struct archive_bundle bundle;
	struct archive_seen seen;
	struct archive_ring ring;
	/* the piece in hand */
	struct archive_piece piece;
	struct archive_line line;
	struct archive_line earlier; /* that holds the document, perhaps */
	const char *problem;         /* to be told; NULL: it was, or none */
	/* to be given next; of the line, or of the earlier one */
	const struct archive_line_document *due;
	size_t asked; /* for documents of the line: how often */
	bool owes;    /* the item or head itself */
};

/* ---- a piece ---- */

static int next_piece(struct text_source *s)
{
	archive_line_fini(&s->line);
	archive_line_fini(&s->earlier);
	return s->is_bundle
		   ? archive_bundle_next(&s->bundle, &s->input, &s->piece)
		   : archive_ndjson_next(&s->ndjson, &s->input, &s->piece);
}

static bool belongs(const struct text_source *s)
{
	enum archive_entry_kind only = s->piece.only;

	return only == ARCHIVE_ENTRY_DAMAGED || only == s->line.kind;
}

/* Where the line's documents stand, from now on. */
static void remember(struct text_source *s)
{
	struct archive_place place = {
	    .offset = s->piece.offset,
	    .len = s->piece.len,
	    .has_said = s->line.kind == ARCHIVE_ENTRY_DOCUMENT,
	};

	for (size_t i = 0; i < s->line.document_count; i++) {
		const struct archive_line_document *d = &s->line.documents[i];

		if (d->bytes == NULL)
			continue;
		memcpy(place.sha256, d->sha256, HM_SHA256_LEN);
		memcpy(place.said, d->said, HM_SHA256_LEN);
		if (archive_seen_add(&s->seen, &place) != 0)
			s->problem = "more documents than an archive can have";
	}
}

static const struct archive_line_document *find_in(
    const struct archive_line *line, const uint8_t sha256[HM_SHA256_LEN])
{
	for (size_t i = 0; i < line->document_count; i++) {
		const struct archive_line_document *d = &line->documents[i];

		if (d->bytes != NULL &&
		    memcmp(d->sha256, sha256, HM_SHA256_LEN) == 0)
			return d;
	}
	return NULL;
}

/* Reads the line again that has the document. */
static const struct archive_line_document *fetch(
    struct text_source *s, const struct archive_place *place)
{
	const struct archive_line_document *found = NULL;
	char *text = malloc(place->len);

	archive_line_fini(&s->earlier);
	if (text != NULL && archive_input_read_at(&s->input, place->offset,
				text, place->len) == 0) {
		archive_line_parse(&s->earlier, text, place->len);
		found = find_in(&s->earlier, place->sha256);
	}
	free(text);
	return found;
}

/* One that the line in hand names: due, if it has to be given now. */
static void find_document(
    struct text_source *s, const struct archive_line_document *named)
{
	struct archive_place *place = archive_seen_find(
	    &s->seen, named->sha256);

	if (place != NULL && place->has_said &&
	    memcmp(place->said, named->said, HM_SHA256_LEN) != 0) {
		s->problem = "its attestation document stands in the archive "
			     "under another platform or public key";
		place->has_said = false; /* once is enough */
	}
	if (archive_ring_find(&s->ring, named->sha256) >= 0)
		return;
	s->due = find_in(&s->line, named->sha256);
	if (s->due == NULL && place != NULL)
		s->due = fetch(s, place);
	if (s->due != NULL)
		archive_ring_add(&s->ring, named->sha256);
}

/* Until one is due, or all were asked for. Those of co-signatures may push out
 * one that was given before: a second round brings it back. */
static void find_documents(struct text_source *s)
{
	size_t count = s->line.document_count;
	size_t rounds = count > 1 ? 2 : 1;

	while (!s->problem && !s->due && s->asked < rounds * count)
		find_document(s, &s->line.documents[s->asked++ % count]);
}

static void read_piece(struct text_source *s)
{
	s->problem = s->piece.problem;
	s->asked = 0;
	if (s->piece.len == 0)
		return;
	archive_line_parse(&s->line, s->piece.text, s->piece.len);
	s->problem = s->line.problem;
	if (s->line.kind == ARCHIVE_ENTRY_DAMAGED)
		return;
	if (!belongs(s)) {
		s->problem = "does not belong into this list";
		return;
	}
	remember(s);
	s->owes = s->line.kind != ARCHIVE_ENTRY_DOCUMENT;
	if (!s->owes && s->problem == NULL) {
		s->due = &s->line.documents[0];
		archive_ring_add(&s->ring, s->due->sha256);
	}
}

/* ---- its entries ---- */

static int give_problem(struct text_source *s, struct archive_entry *out)
{
	out->kind = ARCHIVE_ENTRY_DAMAGED;
	out->problem = s->problem;
	s->problem = NULL;
	return 1;
}

static int give_document(struct text_source *s, struct archive_entry *out)
{
	out->kind = ARCHIVE_ENTRY_DOCUMENT;
	memcpy(out->sha256, s->due->sha256, HM_SHA256_LEN);
	out->bytes = s->due->bytes;
	out->len = s->due->len;
	s->due = NULL;
	return 1;
}

static int give_envelope(struct text_source *s, struct archive_entry *out)
{
	out->kind = s->line.kind;
	out->envelope = s->line.envelope;
	s->owes = false;
	return 1;
}

static int next(struct archive_source *source, struct archive_entry *out)
{
	struct text_source *s = (struct text_source *)source;

	while (!s->problem && !s->due && !s->owes) {
		if (next_piece(s) == 0)
			return 0;
		read_piece(s);
	}
	if (s->owes)
		find_documents(s);
	out->position = s->piece.offset;
	/* what is told at the very end; and a file may grow meanwhile */
	if (s->base.total > 0 && out->position >= s->base.total)
		out->position = s->base.total - 1;
	out->unit = s->piece.unit;
	out->number = s->piece.number;
	if (s->problem)
		return give_problem(s, out);
	return s->due ? give_document(s, out) : give_envelope(s, out);
}

/* ---- open and close ---- */

static void close_text(struct archive_source *source)
{
	struct text_source *s = (struct text_source *)source;

	archive_line_fini(&s->line);
	archive_line_fini(&s->earlier);
	archive_seen_fini(&s->seen);
	archive_input_close(&s->input);
	archive_bundle_about_fini(&s->about);
	free(s);
}

static int tell(
    struct text_source *s, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	s->is_bundle = archive_bundle_begins(&s->input);
	if (!s->is_bundle) {
		archive_input_rewind(&s->input);
		return 0;
	}
	s->base.about = &s->about;
	return archive_bundle_read_about(&s->about, &s->input, error);
}

static int finish(struct archive_source **out, struct text_source *s,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	s->base.next = next;
	s->base.close = close_text;
	s->base.total = s->input.size;
	*out = NULL;
	if (tell(s, error) != 0) {
		close_text(&s->base);
		return -1;
	}
	*out = &s->base;
	return 0;
}

int archive_text_open(struct archive_source **out, int fd,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	struct text_source *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL) {
		close(fd);
		snprintf(error, ARCHIVE_SOURCE_ERROR_MAX, "out of memory");
		return -1;
	}
	if (archive_input_open(&s->input, fd, error) != 0) {
		free(s);
		return -1;
	}
	return finish(out, s, error);
}

int archive_text_open_memory(struct archive_source **out, const char *bytes,
    size_t len, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	struct text_source *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL) {
		snprintf(error, ARCHIVE_SOURCE_ERROR_MAX, "out of memory");
		return -1;
	}
	archive_input_memory(&s->input, bytes, len);
	return finish(out, s, error);
}
