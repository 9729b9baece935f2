/* archive_sqlite: what the daemon writes, and what somebody else made of it. */
#include "tests/unit/archive/source_fixture.h"

#include <sys/stat.h>

static struct folder folder;
static struct told told;
static sqlite3 *db;

static int setup(void **state)
{
	(void)state;
	folder_make(&folder);
	db = db_make(folder.file, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sqlite3_close(db);
	db = NULL;
	folder_drop(&folder);
	return 0;
}

static void fill(uint64_t items)
{
	db_document(db);
	for (uint64_t i = 0; i < items; i++)
		db_minted(db, i);
}

/* Closes it and reads it. */
static void tell(void)
{
	sqlite3_close(db);
	db = NULL;
	tell_path(&told, folder.file);
}

/* Closes it; the reason why it does not open. */
static const char *refusal(void)
{
	static char error[ARCHIVE_SOURCE_ERROR_MAX];
	struct archive_source *source = (struct archive_source *)error;

	sqlite3_close(db);
	db = NULL;
	assert_int_equal(archive_source_open(&source, folder.file, error), -1);
	assert_null(source);
	return error;
}

/* ---- what the daemon writes ---- */

static void test_empty(void **state)
{
	(void)state;
	tell();
	assert_string_equal(told.word, "");
}

static void test_items(void **state)
{
	(void)state;
	fill(3);
	sql(db, "INSERT INTO heads VALUES('BTC-USD','01',2,7,'aa')");
	tell();
	assert_string_equal(told.word, "DIIIN");
}

static void test_version_1(void **state)
{
	(void)state;
	sqlite3_close(db);
	unlink(folder.file);
	db = db_make(folder.file, 1);
	fill(2);
	tell();
	assert_string_equal(told.word, "DII");
}

/* Raw answers come before the items that were received after them. */
static void test_raw_in_time(void **state)
{
	(void)state;
	fill(3); /* received at 1000, 1001, 1002 */
	db_raw(db, "a", 999);
	db_raw(db, "b", 1001);
	db_raw(db, "", 1001);
	db_raw(db, "c", 5000);
	tell();
	assert_string_equal(told.word, "RDIRRIIR");
}

static void test_heads(void **state)
{
	(void)state;
	fill(1);
	sql(db, "INSERT INTO tree_heads SELECT boot_id, 1, content, signature,"
		" attestation_sha256, 7, 8, content_sha256 FROM items");
	tell();
	assert_string_equal(told.word, "DIH");
}

static void test_stated(void **state)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX];
	char where[ARCHIVE_SOURCE_WHERE_MAX];
	struct archive_source *source;
	struct archive_entry e;

	(void)state;
	fill(2);
	sqlite3_close(db);
	db = NULL;
	assert_int_equal(archive_source_open(&source, folder.file, error), 0);
	assert_int_equal(archive_source_total(source), 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(archive_source_next(source, &e), 1);
	assert_int_equal(e.kind, ARCHIVE_ENTRY_ITEM);
	assert_true(e.stated.has);
	assert_string_equal(e.stated.feed, "BTC-USD");
	assert_string_equal(e.stated.boot_id, "01");
	assert_int_equal(e.stated.sequence, 1);
	assert_int_equal(e.stated.published_ms, 5);
	assert_int_equal(e.stated.expires_ms, 6);
	assert_int_equal(e.stated.received_ms, 1001);
	assert_int_equal(strlen(e.stated.content_sha256), 64);
	assert_false(e.stated.late);
	assert_string_equal(e.envelope.platform, "simulated");
	assert_string_equal(e.envelope.public_key, mint.pem);
	archive_entry_where(&e, where);
	assert_non_null(strstr(where, "archive?%a.db: items row 2"));
	archive_source_close(source);
}

/* The daemon is at it: what is in the -wal is read too, and nothing is
 * written. */
static void test_while_written(void **state)
{
	(void)state;
	sql(db, "PRAGMA journal_mode=WAL");
	fill(2);
	tell_path(&told, folder.file);
	assert_string_equal(told.word, "DII");
	db_minted(db, 2);
	tell();
	assert_string_equal(told.word, "DIII");
}

/* A file that was copied without its -wal: its header says WAL, and there is
 * nowhere to write. */
static void test_copied(void **state)
{
	(void)state;
	sql(db, "PRAGMA journal_mode=WAL");
	fill(2);
	sqlite3_close(db);
	db = NULL;
	assert_int_equal(chmod(folder.path, 0500), 0);
	tell_path(&told, folder.file);
	assert_int_equal(chmod(folder.path, 0700), 0);
	assert_string_equal(told.word, "DII");
}

/* What was copied with an empty -wal is at rest too. */
static void test_empty_wal(void **state)
{
	char path[128];

	(void)state;
	sql(db, "PRAGMA journal_mode=WAL");
	fill(2);
	sqlite3_close(db);
	db = NULL;
	snprintf(path, sizeof(path), "%s-wal", folder.file);
	write_file(path, "", 0);
	tell_path(&told, folder.file);
	assert_string_equal(told.word, "DII");
	snprintf(path, sizeof(path), "%s-shm", folder.file);
	assert_int_equal(access(path, F_OK), -1);
}

/* So many documents in turn, twice. */
static void tell_documents(int count)
{
	struct hm_envelope e = {
	    .signature = (uint8_t[]){1}, .signature_len = 1};
	char text[300], hex[65];
	uint8_t byte;

	for (int i = 0; i < 2 * count; i++) {
		byte = (uint8_t)(i % count);
		SHA256(&byte, 1, e.attestation_sha256);
		hex_encode(e.attestation_sha256, 32, hex);
		snprintf(text, sizeof(text),
		    "INSERT OR IGNORE INTO attestations VALUES"
		    "('%s', x'%02x', 'simulated', 'key', 1)",
		    hex, byte);
		sql(db, text);
		db_item(db, (uint64_t)i, "{}", &e, 1);
	}
	tell();
	assert_int_equal(told.items, 2 * count);
}

/* Each comes again when it was forgotten, and not before. */
static void test_many_documents(void **state)
{
	tell_documents(ARCHIVE_SOURCE_DOCUMENTS);
	assert_int_equal(told.len, 3 * ARCHIVE_SOURCE_DOCUMENTS);
	teardown(state);
	setup(state);
	tell_documents(ARCHIVE_SOURCE_DOCUMENTS + 1);
	assert_int_equal(told.len, 4 * (ARCHIVE_SOURCE_DOCUMENTS + 1));
}

/* ---- what somebody else made of it ---- */

static void test_no_document(void **state)
{
	(void)state;
	fill(2);
	sql(db, "DELETE FROM attestations");
	tell();
	/* each item is judged by what it lacks */
	assert_string_equal(told.word, "II");
}

static void test_document_is_another(void **state)
{
	(void)state;
	fill(2);
	sql(db, "UPDATE attestations SET document = x'00'");
	tell();
	assert_string_equal(told.word, "XII");
	assert_non_null(strstr(told.problems, "items row 1: its attestation"));
}

static void expect_malformed(const char *statement, const char *column)
{
	sql(db, statement);
	tell();
	assert_string_equal(told.word, "XDI");
	assert_non_null(strstr(told.problems, "items row 1: its"));
	assert_non_null(strstr(told.problems, column));
	db = db_make(":memory:", 1);
}

static void test_columns(void **state)
{
	static const struct {
		const char *sql, *column;
	} cases[] = {
	    {"feed = x'00'", "feed"},
	    {"feed = CAST(x'4100' AS TEXT)", "feed"},
	    {"feed = printf('%0500d', 1)", "feed"},
	    {"boot_id = x''", "boot_id"},
	    {"sequence = 'x'", "sequence"},
	    {"sequence = 1.5", "sequence"},
	    {"sequence = -1", "sequence"},
	    {"published_ms = 'x'", "published_ms"},
	    {"expires_ms = 'x'", "expires_ms"},
	    {"received_ms = 'x'", "received_ms"},
	    {"late = 2", "late"},
	    {"content_sha256 = printf('%0500d', 1)", "content_sha256"},
	    {"content = ''", "content"},
	    {"content = CAST(content AS BLOB)", "content"},
	    {"content = printf('%032769d', 1)", "content"},
	    {"signature = zeroblob(513)", "signature"},
	    {"signature = 'x'", "signature"},
	    {"attestation_sha256 = upper(attestation_sha256)", "attestation"},
	    {"attestation_sha256 = 'aa'", "attestation"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[160];

		teardown(state);
		setup(state);
		fill(2);
		snprintf(text, sizeof(text),
		    "UPDATE items SET %s WHERE rowid = 1", cases[i].sql);
		expect_malformed(text, cases[i].column);
	}
}

static void test_raw_is_another(void **state)
{
	(void)state;
	db_raw(db, "a", 1);
	db_raw(db, "b", 2);
	sql(db, "UPDATE raw SET body = x'00' WHERE rowid = 1");
	tell();
	assert_string_equal(told.word, "XR");
}

/* Five MB in a cell: over the ceiling of a row. The rest is read. */
static void test_huge_cell(void **state)
{
	(void)state;
	fill(4);
	sql(db, "UPDATE items SET content = zeroblob(5000000) WHERE rowid = 2");
	tell();
	assert_int_equal(told.items, 3);
	assert_non_null(strstr(told.problems, "items row 1: the rows behind"));
}

static void test_others(void **state)
{
	static const char *const statements[] = {
	    "CREATE TABLE more(x)",
	    "CREATE VIEW more AS SELECT 1",
	    "CREATE TRIGGER more AFTER INSERT ON items BEGIN SELECT 1; END",
	    "CREATE INDEX more ON items(length(content))",
	    "CREATE VIRTUAL TABLE more USING fts5(x)",
	    "DROP INDEX items_by_time",
	    "DROP TABLE raw",
	    "ANALYZE",
	    "DROP TABLE items; CREATE VIEW items AS SELECT * FROM raw",
	    "ALTER TABLE items ADD COLUMN x AS (length(content))",
	    "ALTER TABLE items ADD COLUMN x DEFAULT 1",
	    "PRAGMA writable_schema=1;"
	    "UPDATE sqlite_master SET sql='CREATE TABLE raw(x)'"
	    " WHERE name='raw'",
	    "PRAGMA writable_schema=1;"
	    "UPDATE sqlite_master SET sql=NULL WHERE name='raw'",
	    "PRAGMA writable_schema=1;"
	    "UPDATE sqlite_master SET rootpage=2 WHERE name='raw';"
	    "INSERT INTO sqlite_master SELECT * FROM sqlite_master",
	};

	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++) {
		teardown(state);
		setup(state);
		sql(db, statements[i]);
		assert_true(strlen(refusal()) > 0);
	}
}

static void test_not_ours(void **state)
{
	(void)state;
	sql(db, "PRAGMA application_id=1");
	assert_string_equal(refusal(), "is no archive of hallmark");
}

static void test_other_version(void **state)
{
	(void)state;
	sql(db, "PRAGMA user_version=4");
	assert_string_equal(refusal(), "was made by another version");
}

/* Version 1 has no tables of version 2. */
static void test_false_version(void **state)
{
	(void)state;
	sql(db, "PRAGMA user_version=1");
	assert_non_null(strstr(refusal(), "other tables"));
}

/* ---- damaged bytes ---- */

static uint8_t *bytes_of(const char *path, size_t *len)
{
	FILE *file = fopen(path, "r");
	uint8_t *bytes;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*len = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*len);
	assert_int_equal(fread(bytes, 1, *len, file), *len);
	fclose(file);
	return bytes;
}

static bool tell_bytes(const uint8_t *bytes, size_t len)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX];
	struct archive_source *source;

	if (archive_sqlite_open_memory(&source, bytes, len, error) != 0)
		return false;
	tell_source(&told, source);
	return true;
}

/* A page of zeros among the items: those on it are lost, and it is said. */
static void test_page_of_zeros(void **state)
{
	static char page[4096];
	size_t len, said = 0;
	uint8_t *bytes;

	(void)state;
	fill(40);
	sqlite3_close(db);
	db = NULL;
	bytes = bytes_of(folder.file, &len);
	for (size_t at = 4096; at < len; at += 4096) {
		memcpy(page, bytes + at, 4096);
		memset(bytes + at, 0, 4096);
		if (tell_bytes(bytes, len)) {
			if (told.items < 40 && told.items > 0)
				said++;
			assert_true(
			    told.problems[0] != '\0' || told.items == 40);
		}
		memcpy(bytes + at, page, 4096);
	}
	assert_true(said > 5);
	free(bytes);
}

/* An index that says something else loses no item, but it is told. */
static void test_other_index(void **state)
{
	static const char feed[] = "BTC-USD";
	const int index_leaf = 10; /* sqlite.org/fileformat.html, 1.6 */
	size_t len, said = 0;
	uint8_t *bytes, *at;

	(void)state;
	fill(3);
	sqlite3_close(db);
	db = NULL;
	bytes = bytes_of(folder.file, &len);
	for (size_t page = 4096; page < len; page += 4096) {
		at = memmem(bytes + page, 4096, feed, strlen(feed));
		if (bytes[page] != index_leaf || !at)
			continue;
		*at ^= 1;
		assert_true(tell_bytes(bytes, len));
		assert_int_equal(told.items, 3);
		said += strstr(told.problems, "integrity check 1: ") != NULL;
		*at ^= 1;
	}
	assert_int_equal(said, 2); /* its key's, and items_by_time */
	free(bytes);
}

/* Whose entries are all there, and two of them in each other's place. */
static void test_index_out_of_order(void **state)
{
	const int index_leaf = 10, cells = 8; /* 1.6: where their places are */
	size_t len, said = 0;
	uint8_t *bytes, first[2];

	(void)state;
	fill(3);
	sqlite3_close(db);
	db = NULL;
	bytes = bytes_of(folder.file, &len);
	for (size_t page = 4096; page < len; page += 4096) {
		uint8_t *at = bytes + page + cells;

		if (bytes[page] != index_leaf || bytes[page + 4] != 3 ||
		    !memmem(bytes + page, 4096, "BTC-USD", 7))
			continue;
		memcpy(first, at, 2);
		memcpy(at, at + 2, 2);
		memcpy(at + 2, first, 2);
		assert_true(tell_bytes(bytes, len));
		assert_int_equal(told.items, 3);
		said += strstr(told.problems, "is out of order") != NULL;
		memcpy(at + 2, at, 2);
		memcpy(at, first, 2);
	}
	assert_int_equal(said, 2);
	free(bytes);
}

/* Whose pages are linked in a circle: a scan that believed them would give
 * the same rows for ever. From the project's folder. */
static void test_circle(void **state)
{
	(void)state;
	tell_path(&told, "tests/fuzz/corpus/archive_db/hostile-circle");
	assert_non_null(strstr(told.problems, "items row 0: the rows behind"));
	assert_non_null(strstr(told.problems, "its rows are out of order"));
	assert_true(told.items <= 12);
}

static void test_truncated(void **state)
{
	size_t len;
	uint8_t *bytes;

	(void)state;
	fill(20);
	sqlite3_close(db);
	db = NULL;
	bytes = bytes_of(folder.file, &len);
	for (size_t at = 0; at < len; at += 1024)
		if (tell_bytes(bytes, at))
			assert_true(told.problems[0] != '\0');
	free(bytes);
}

/* Any byte: it is refused, or told, or it was of no item. */
static void test_flipped_bytes(void **state)
{
	size_t len, step = getenv("HALLMARK_LONG") ? 1 : 37;
	char *good;
	uint8_t *bytes;

	(void)state;
	fill(6);
	tell();
	good = strdup(told.contents);
	bytes = bytes_of(folder.file, &len);
	for (size_t at = 0; at < len; at += step) {
		bytes[at] ^= 0x41;
		if (tell_bytes(bytes, len) && told.items < 6)
			assert_true(told.problems[0] != '\0');
		bytes[at] ^= 0x41;
	}
	assert_true(tell_bytes(bytes, len));
	assert_string_equal(told.contents, good);
	free(good);
	free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_empty),
	    TEST(test_items),
	    TEST(test_version_1),
	    TEST(test_raw_in_time),
	    TEST(test_heads),
	    TEST(test_stated),
	    TEST(test_while_written),
	    TEST(test_copied),
	    TEST(test_empty_wal),
	    TEST(test_many_documents),
	    TEST(test_no_document),
	    TEST(test_document_is_another),
	    TEST(test_columns),
	    TEST(test_raw_is_another),
	    TEST(test_huge_cell),
	    TEST(test_others),
	    TEST(test_not_ours),
	    TEST(test_other_version),
	    TEST(test_false_version),
	    TEST(test_page_of_zeros),
	    TEST(test_other_index),
	    TEST(test_index_out_of_order),
	    TEST(test_circle),
	    TEST(test_truncated),
	    TEST(test_flipped_bytes),
	};

	return cmocka_run_group_tests_name(
	    "archive_sqlite", tests, make_mint, free_mint);
}
