/* archive_cosigned: see archive_cosigned.h. */
#include "verifier/archive/archive_cosigned.h"

#include "verifier/archive/archive_sqlite_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONTENT,
	SIGNATURE,
	ATTESTATION,
	PLATFORM,
	PUBLIC_KEY,
	DOCUMENT
};

#define WORD   "SELECT content, signature, attestation_sha256"
#define KEYS   ", platform, public_key"
#define FROM   " FROM cosignatures AS c"
#define JOINED " JOIN attestations ON sha256 = attestation_sha256"
#define WHERE                                           \
	" WHERE feed=?1 AND boot_id=?2 AND sequence=?3" \
	" ORDER BY c.rowid LIMIT ?4"

static const char *const queries[] = {
    [ARCHIVE_COSIGNED_BARE] = WORD FROM WHERE,
    [ARCHIVE_COSIGNED_KEYS] = WORD KEYS FROM JOINED WHERE,
    [ARCHIVE_COSIGNED_FULL] = WORD KEYS ", document" FROM JOINED WHERE,
};

int archive_cosigned_open(
    struct archive_cosigned *out, sqlite3 *db, enum archive_cosigned_with with)
{
	memset(out, 0, sizeof(*out));
	if (archive_sqlite_db_ask(db, "PRAGMA user_version") < 3)
		return 0;
	return sqlite3_prepare_v3(db, queries[with], -1,
		   SQLITE_PREPARE_PERSISTENT, &out->find, NULL) == SQLITE_OK
		   ? 0
		   : -1;
}

static void forget(struct archive_cosigned *c)
{
	for (size_t i = 0; i < HM_COSIGNATURES_MAX; i++) {
		free(c->bytes[i].document);
		c->bytes[i].document = NULL;
	}
	memset(c->list, 0, sizeof(c->list));
}

void archive_cosigned_close(struct archive_cosigned *cosigned)
{
	forget(cosigned);
	sqlite3_finalize(cosigned->find);
	cosigned->find = NULL;
}

/* What stands in the row of its document. */
static const char *read_beside(struct archive_cosigned *c, size_t i)
{
	struct hm_envelope *e = &c->list[i];
	int columns = sqlite3_column_count(c->find);
	const void *document;

	c->bytes[i].public_key[0] = '\0';
	e->public_key = c->bytes[i].public_key;
	if (columns <= PLATFORM)
		return NULL;
	if (!archive_sqlite_row_text(
		c->find, PLATFORM, e->platform, sizeof(e->platform)) ||
	    !archive_sqlite_row_text(c->find, PUBLIC_KEY, e->public_key,
		sizeof(c->bytes[i].public_key)))
		return "the row of a co-signer's attestation is malformed";
	if (columns <= DOCUMENT)
		return NULL;
	document = archive_sqlite_row_blob(
	    c->find, DOCUMENT, HM_DOCUMENT_MAX, &e->document_len);
	if (document == NULL || e->document_len == 0)
		return "a co-signer's attestation is malformed";
	e->document = c->bytes[i].document = malloc(e->document_len);
	if (e->document == NULL)
		return "out of memory";
	memcpy(e->document, document, e->document_len);
	return NULL;
}

static const char *read_one(struct archive_cosigned *c, size_t i)
{
	struct hm_envelope *e = &c->list[i];
	const void *signature = archive_sqlite_row_blob(c->find, SIGNATURE,
	    sizeof(c->bytes[i].signature), &e->signature_len);

	if (!archive_sqlite_row_text(c->find, CONTENT, c->bytes[i].content,
		sizeof(c->bytes[i].content)) ||
	    c->bytes[i].content[0] == '\0' || signature == NULL ||
	    e->signature_len == 0 ||
	    !archive_sqlite_row_hash(
		c->find, ATTESTATION, e->attestation_sha256))
		return "a co-signature of it is malformed";
	e->content = c->bytes[i].content;
	e->content_len = strlen(e->content);
	memcpy(c->bytes[i].signature, signature, e->signature_len);
	e->signature = c->bytes[i].signature;
	return read_beside(c, i);
}

static const char *read_all(struct archive_cosigned *c, size_t *count)
{
	const char *problem = NULL;
	int rc = SQLITE_ROW;

	for (*count = 0; *count < HM_COSIGNATURES_MAX && !problem; ++*count) {
		rc = sqlite3_step(c->find);
		if (rc != SQLITE_ROW)
			break;
		problem = read_one(c, *count);
	}
	if (!problem && rc != SQLITE_ROW && rc != SQLITE_DONE)
		problem = "its co-signatures cannot be read";
	return problem;
}

const char *archive_cosigned_read(struct archive_cosigned *cosigned,
    const char *feed, const char *boot_id, int64_t sequence,
    struct hm_envelope *item)
{
	struct archive_cosigned *c = cosigned;
	const char *problem = "its co-signatures cannot be read";
	size_t count = 0;

	item->cosignatures = NULL;
	item->cosignature_count = 0;
	if (c->find == NULL)
		return NULL;
	forget(c);
	if (sqlite3_bind_text(c->find, 1, feed, -1, SQLITE_STATIC) ==
		SQLITE_OK &&
	    sqlite3_bind_text(c->find, 2, boot_id, -1, SQLITE_STATIC) ==
		SQLITE_OK &&
	    sqlite3_bind_int64(c->find, 3, sequence) == SQLITE_OK &&
	    sqlite3_bind_int(c->find, 4, HM_COSIGNATURES_MAX) == SQLITE_OK)
		problem = read_all(c, &count);
	sqlite3_reset(c->find);
	sqlite3_clear_bindings(c->find);
	if (problem)
		return problem;
	item->cosignatures = count > 0 ? c->list : NULL;
	item->cosignature_count = count;
	return NULL;
}
