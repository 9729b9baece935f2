/* archive_sqlite_documents: see archive_sqlite_documents.h. */
#include "verifier/archive/archive_sqlite_documents.h"

#include <string.h>

static const char sql[] =
    "SELECT document, platform, public_key FROM attestations WHERE sha256=?1";

int archive_sqlite_documents_open(
    struct archive_sqlite_documents *out, sqlite3 *db)
{
	return sqlite3_prepare_v2(db, sql, -1, &out->find, NULL) == SQLITE_OK
		   ? 0
		   : -1;
}

void archive_sqlite_documents_close(struct archive_sqlite_documents *documents)
{
	sqlite3_finalize(documents->find);
	documents->find = NULL;
}

void archive_sqlite_documents_begin(struct archive_sqlite_documents *documents)
{
	documents->asked = 0;
}

/* The row of this hash in `attestations`, given from now on. */
static int read_row(struct archive_sqlite_documents *d,
    const uint8_t sha256[HM_SHA256_LEN], const char **problem)
{
	struct archive_beside beside;
	const void *bytes;

	if (archive_sqlite_row_beside(d->find, &beside) != 0) {
		*problem = "the row of its attestation is malformed";
		return -1;
	}
	d->beside[archive_ring_add(&d->ring, sha256)] = beside;
	bytes = sqlite3_column_blob(d->find, 0);
	d->len = (size_t)sqlite3_column_bytes(d->find, 0);
	if (!archive_sqlite_row_hashes_to(bytes, d->len, sha256)) {
		*problem = "its attestation is another than its hash says";
		return -1;
	}
	memcpy(d->sha256, sha256, HM_SHA256_LEN);
	memcpy(d->bytes, bytes, d->len);
	return 1;
}

/* 0 too if there is none: then the envelope has no key, and is judged by
 * that. */
static int need(struct archive_sqlite_documents *d,
    const uint8_t sha256[HM_SHA256_LEN], const char **problem)
{
	int rc = 0;

	if (archive_ring_find(&d->ring, sha256) >= 0)
		return 0;
	if (archive_sqlite_row_bind_hash(d->find, sha256) == 0 &&
	    sqlite3_step(d->find) == SQLITE_ROW)
		rc = read_row(d, sha256, problem);
	sqlite3_reset(d->find);
	return rc;
}

static void fill(struct archive_sqlite_documents *d, struct hm_envelope *e)
{
	static const char none[] = "";
	int at = archive_ring_find(&d->ring, e->attestation_sha256);

	e->public_key = (char *)(uintptr_t)none;
	if (at < 0)
		return;
	e->public_key = d->beside[at].public_key;
	memcpy(e->platform, d->beside[at].platform, sizeof(e->platform));
}

static struct hm_envelope *nth(struct hm_envelope *e, size_t n)
{
	return n == 0 ? e : &e->cosignatures[n - 1];
}

/* Those of the co-signatures may push out one that was there before: then a
 * second round brings it back, and pushes out none of them. */
int archive_sqlite_documents_next(struct archive_sqlite_documents *documents,
    struct hm_envelope *envelope, const char **problem)
{
	struct archive_sqlite_documents *d = documents;
	size_t count = 1 + envelope->cosignature_count;
	size_t rounds = count > 1 ? 2 : 1;
	int rc;

	while (d->asked < rounds * count) {
		struct hm_envelope *e = nth(envelope, d->asked++ % count);

		rc = need(d, e->attestation_sha256, problem);
		if (rc != 0)
			return rc;
	}
	for (size_t i = 0; i < count; i++)
		fill(d, nth(envelope, i));
	return 0;
}
