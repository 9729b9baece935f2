/* archive_entries: reads a source to its end; what it promises must hold. */
#ifndef HALLMARK_FUZZ_ARCHIVE_ENTRIES_H
#define HALLMARK_FUZZ_ARCHIVE_ENTRIES_H

#include "verifier/archive/archive_reader.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

static inline void must_hash(const struct archive_entry *e)
{
	uint8_t sha256[HM_SHA256_LEN];

	must(e->bytes != NULL);
	SHA256(e->bytes, e->len, sha256);
	must(memcmp(sha256, e->sha256, HM_SHA256_LEN) == 0);
}

static inline void must_be_envelope(const struct hm_envelope *e)
{
	must(e->content != NULL && e->content_len > 0);
	must(strlen(e->content) == e->content_len);
	must(e->signature != NULL && e->public_key != NULL);
	must(memchr(e->platform, '\0', sizeof(e->platform)) != NULL);
	must(e->document == NULL);
	must(e->cosignature_count <= HM_COSIGNATURES_MAX);
	must((e->cosignature_count == 0) == (e->cosignatures == NULL));
	for (size_t i = 0; i < e->cosignature_count; i++)
		must_be_envelope(&e->cosignatures[i]);
}

/* Takes it. At most `most` entries can come of so many bytes. */
static inline void read_entries(struct archive_source *source, size_t most)
{
	uint64_t position = 0, total = archive_source_total(source);
	char where[ARCHIVE_SOURCE_WHERE_MAX];
	struct archive_entry e;

	for (size_t count = 0; archive_source_next(source, &e); count++) {
		must(count < most);
		must(e.position >= position);
		must(total == 0 || e.position < total);
		position = e.position;
		archive_entry_where(&e, where);
		if (e.kind == ARCHIVE_ENTRY_DAMAGED)
			must(e.problem != NULL && strlen(e.problem) > 0);
		else if (e.kind == ARCHIVE_ENTRY_DOCUMENT ||
			 e.kind == ARCHIVE_ENTRY_RAW)
			must_hash(&e);
		else if (e.kind != ARCHIVE_ENTRY_NEWEST)
			must_be_envelope(&e.envelope);
	}
	archive_source_close(source);
}

#endif
