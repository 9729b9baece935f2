/* archive_cosigned, and how archive_source gives co-signatures and the
 * documents of those who made them, from SQLite and from text. */
#include "tests/unit/archive/source_fixture.h"

#include "verifier/archive/archive_cosigned.h"

#define OTHERS 200 /* documents that come in between */

static struct folder folder;
static struct told told;
static sqlite3 *db;

static int setup(void **state)
{
	(void)state;
	folder_make(&folder);
	db = db_make(folder.file, 3);
	db_document(db);
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

static void hash_of(const char *who, uint8_t out[32])
{
	SHA256((const uint8_t *)who, strlen(who), out);
}

/* Its document is its name. */
static void attest(const char *who)
{
	char text[512], hex[65];
	uint8_t sha256[32];

	hash_of(who, sha256);
	hex_encode(sha256, 32, hex);
	snprintf(text, sizeof(text),
	    "INSERT OR IGNORE INTO attestations VALUES"
	    "('%s', CAST('%s' AS BLOB), 'simulated', 'key of %s', 1)",
	    hex, who, who);
	sql(db, text);
}

static void cosign(uint64_t sequence, const char *who)
{
	char text[512], hex[65];
	uint8_t sha256[32];

	hash_of(who, sha256);
	hex_encode(sha256, 32, hex);
	snprintf(text, sizeof(text),
	    "INSERT INTO cosignatures VALUES"
	    "('BTC-USD','01',%llu,'%s','%s says so',x'010203')",
	    (unsigned long long)sequence, hex, who);
	sql(db, text);
}

static void tell(void)
{
	sqlite3_close(db);
	db = NULL;
	tell_path(&told, folder.file);
}

/* ---- a SQLite file ---- */

static void test_documents_first(void **state)
{
	(void)state;
	db_minted(db, 0);
	db_minted(db, 1);
	db_minted(db, 2);
	attest("a");
	attest("b");
	cosign(0, "a");
	cosign(0, "b");
	cosign(2, "b");
	tell();
	assert_string_equal(told.word, "DDDI2II1");
	assert_int_equal(told.lacked, 0);
}

static void test_version_2(void **state)
{
	(void)state;
	sql(db, "DROP TABLE cosignatures; PRAGMA user_version=2;");
	db_minted(db, 0);
	tell();
	assert_string_equal(told.word, "DI");
}

/* It is given without, and judged so. */
static void test_no_document(void **state)
{
	(void)state;
	db_minted(db, 0);
	cosign(0, "nobody");
	tell();
	assert_string_equal(told.word, "DI1");
	assert_int_equal(told.lacked, 1);
}

/* More than an envelope can have. */
static void test_too_many(void **state)
{
	static const char *const who[] = {"a", "b", "c", "d", "e", "f"};

	(void)state;
	db_minted(db, 0);
	for (size_t i = 0; i < 6; i++)
		cosign(0, who[i]);
	tell();
	assert_string_equal(told.word, "DI4");
}

/* The item is there, without them, and what is wrong is said. */
static void test_malformed(void **state)
{
	static const char *const changes[] = {"content=x'41'", "content=''",
	    "content='a' || char(0)", "content=printf('%.1024c','a')",
	    "signature='text'", "signature=x''", "signature=zeroblob(513)",
	    "attestation_sha256='AA'",
	    "attestation_sha256=upper(attestation_"
	    "sha256)"};
	char text[256];

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		db_minted(db, 0);
		attest("a");
		cosign(0, "a");
		snprintf(text, sizeof(text), "UPDATE cosignatures SET %s",
		    changes[i]);
		sql(db, text);
		tell();
		assert_non_null(strstr(told.problems, "items row 1: "));
		assert_non_null(strstr(told.problems, "co-signature"));
		assert_string_equal(told.word, "XDI");
		teardown(state);
		setup(state);
	}
}

/* The longest that there can be. */
static void test_limits(void **state)
{
	(void)state;
	db_minted(db, 0);
	attest("a");
	cosign(0, "a");
	sql(db, "UPDATE cosignatures SET content=printf('%.1023c','a'),"
		" signature=zeroblob(512)");
	tell();
	assert_string_equal(told.word, "DDI1");
}

/* Under a false hash, and damaged: told once, and not given. */
static void test_false_document(void **state)
{
	(void)state;
	db_minted(db, 0);
	db_minted(db, 1);
	attest("a");
	cosign(0, "a");
	cosign(1, "a");
	sql(db, "UPDATE attestations SET document=x'00'"
		" WHERE public_key='key of a'");
	tell();
	assert_string_equal(told.word, "DXI1I1");
	assert_non_null(strstr(told.problems, "another than its hash says"));
}

/* Whoever keeps as many as he has to lacks none, whatever comes between: an
 * item's own document may be the oldest that is kept, and those of its
 * co-signers are new. */
static void test_none_is_pushed_out(void **state)
{
	char who[32], hex[65];
	uint64_t sequence = 0;

	(void)state;
	for (int i = 0; i < OTHERS; i++) {
		struct hm_envelope e = {
		    .signature = (uint8_t[]){1}, .signature_len = 1};

		snprintf(who, sizeof(who), "other %d", i);
		attest(who);
		hash_of(who, e.attestation_sha256);
		hex_encode(e.attestation_sha256, 32, hex);
		db_item(db, sequence++, "{}", &e, 1);
		/* now and then one that has not been named for long */
		if (i % 7 != 6)
			continue;
		snprintf(who, sizeof(who), "other %d", i * 5 / 7);
		hash_of(who, e.attestation_sha256);
		db_item(db, sequence, "{}", &e, 1);
		for (int k = 0; k < HM_COSIGNATURES_MAX; k++) {
			snprintf(who, sizeof(who), "peer %d %d", i, k);
			attest(who);
			cosign(sequence, who);
		}
		sequence++;
	}
	tell();
	assert_int_equal(told.items, sequence);
	assert_int_equal(told.lacked, 0);
	/* and it was not simply all given each time */
	assert_true(told.len < 4 * sequence);
}

/* ---- for those who answer with it ---- */

static void test_reads(void **state)
{
	struct archive_cosigned c;
	struct hm_envelope item = {.content_len = 0};

	(void)state;
	attest("a");
	cosign(0, "a");
	cosign(0, "no document");
	assert_int_equal(
	    archive_cosigned_open(&c, db, ARCHIVE_COSIGNED_FULL), 0);
	assert_null(archive_cosigned_read(&c, "BTC-USD", "01", 0, &item));
	assert_int_equal(item.cosignature_count, 1);
	assert_string_equal(item.cosignatures[0].content, "a says so");
	assert_string_equal(item.cosignatures[0].public_key, "key of a");
	assert_string_equal(item.cosignatures[0].platform, "simulated");
	assert_int_equal(item.cosignatures[0].document_len, 1);
	assert_memory_equal(item.cosignatures[0].document, "a", 1);
	assert_null(archive_cosigned_read(&c, "BTC-USD", "01", 1, &item));
	assert_int_equal(item.cosignature_count, 0);
	assert_null(item.cosignatures);
	archive_cosigned_close(&c);
	assert_int_equal(
	    archive_cosigned_open(&c, db, ARCHIVE_COSIGNED_KEYS), 0);
	assert_null(archive_cosigned_read(&c, "BTC-USD", "01", 0, &item));
	assert_null(item.cosignatures[0].document);
	assert_string_equal(item.cosignatures[0].public_key, "key of a");
	sql(db, "UPDATE attestations SET platform=x'00'");
	assert_non_null(archive_cosigned_read(&c, "BTC-USD", "01", 0, &item));
	assert_int_equal(item.cosignature_count, 0);
	archive_cosigned_close(&c);
}

/* ---- text ---- */

/* An item by one of these enclaves, co-signed by others, in the full form or
 * the other; the caller frees it. */
static char *text_cosigned(uint64_t sequence, const char *by,
    const char *const *others, size_t count, bool full)
{
	static char signature[] = "signature", key[] = "key";
	struct hm_envelope list[HM_COSIGNATURES_MAX], e;
	char *json = text_item(sequence, false);

	assert_int_equal(hm_envelope_parse(&e, json, strlen(json)), HM_VALID);
	free(json);
	hash_of(by, e.attestation_sha256);
	snprintf(e.platform, sizeof(e.platform), "nitro");
	free(e.public_key);
	e.public_key = strdup(key);
	memset(list, 0, sizeof(list));
	for (size_t i = 0; i < count; i++) {
		list[i].content = (char *)(uintptr_t)others[i];
		list[i].content_len = strlen(others[i]);
		list[i].signature = (uint8_t *)signature;
		list[i].signature_len = sizeof(signature) - 1;
		list[i].public_key = key;
		snprintf(list[i].platform, sizeof(list[i].platform), "nitro");
		hash_of(others[i], list[i].attestation_sha256);
		list[i].document = (uint8_t *)(uintptr_t)others[i];
		list[i].document_len = strlen(others[i]);
	}
	e.cosignatures = list;
	e.cosignature_count = count;
	json = envelope_format(&e, full);
	e.cosignatures = NULL;
	e.cosignature_count = 0;
	hm_envelope_fini(&e);
	return json;
}

static char *document_line(const char *who)
{
	char hex[65], *base64, *text;
	uint8_t sha256[32];

	hash_of(who, sha256);
	hex_encode(sha256, 32, hex);
	base64 = base64_encode((const uint8_t *)who, strlen(who));
	assert_true(
	    asprintf(&text,
		"{\"attestation_sha256\":\"%s\",\"platform\":\"nitro\","
		"\"public_key\":\"key\",\"attestation_doc_b64\":\"%s\"}",
		hex, base64) > 0);
	free(base64);
	return text;
}

static void tell_list(char *const *lines, size_t count)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s\n", lines[i]);
	fclose(out);
	tell_text(&told, text);
	free(text);
}

static void free_list(char **lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(lines[i]);
}

static void test_text(void **state)
{
	static const char *const who[] = {"a", "b"};
	char *lines[] = {document_line("a"), document_line("b"),
	    text_cosigned(0, "a", who, 2, false),
	    text_cosigned(1, "b", who, 1, false)};

	(void)state;
	tell_list(lines, 4);
	assert_string_equal(told.word, "DDI2I1");
	assert_int_equal(told.lacked, 0);
	free_list(lines, 4);
}

/* Documents within the co-signatures of one item serve the next, by whomever
 * they are named. */
static void test_text_in_full(void **state)
{
	static const char *const who[] = {"a", "b"};
	char *lines[] = {document_line("x"),
	    text_cosigned(0, "x", who, 2, true),
	    text_cosigned(1, "b", who, 1, false)};

	(void)state;
	tell_list(lines, 3);
	assert_string_equal(told.word, "DDDI2I1");
	assert_int_equal(told.lacked, 0);
	free_list(lines, 3);
}

/* Another document than the hash says, and one that stands in the archive under
 * another key: told, and the item is judged without, or as it is. */
static void test_text_false(void **state)
{
	static const char *const who[] = {"a"};
	char *lines[] = {document_line("x"),
	    text_cosigned(0, "x", who, 1, true), document_line("a"),
	    text_cosigned(1, "x", who, 1, false)};
	char *at = strstr(lines[1], "\"attestation_doc_b64\":\"YQ==\"");

	(void)state;
	assert_non_null(at);
	memcpy(strstr(at, "YQ=="), "Yg==", 4);
	at = strstr(lines[2], "\"key\"");
	memcpy(at, "\"kez\"", 5);
	tell_list(lines, 4);
	assert_string_equal(told.word, "DXI1DXI1");
	assert_non_null(strstr(told.problems, "line 2: its document is "
					      "another"));
	assert_non_null(strstr(told.problems, "line 4: its attestation"));
	free_list(lines, 4);
}

static void test_text_none_is_pushed_out(void **state)
{
	static char *lines[3 * OTHERS];
	char names[HM_COSIGNATURES_MAX][32], by[32];
	const char *who[HM_COSIGNATURES_MAX];
	size_t count = 0;

	(void)state;
	for (int i = 0; i < OTHERS; i++) {
		snprintf(by, sizeof(by), "other %d", i);
		lines[count++] = document_line(by);
		if (i % 7 != 6)
			continue;
		snprintf(by, sizeof(by), "other %d", i * 5 / 7);
		for (int k = 0; k < HM_COSIGNATURES_MAX; k++) {
			snprintf(
			    names[k], sizeof(names[k]), "peer %d %d", i, k);
			who[k] = names[k];
		}
		lines[count++] = text_cosigned(
		    (uint64_t)i, by, who, HM_COSIGNATURES_MAX, true);
	}
	tell_list(lines, count);
	assert_string_equal(told.problems, "");
	assert_int_equal(told.lacked, 0);
	free_list(lines, count);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_documents_first),
	    TEST(test_version_2),
	    TEST(test_no_document),
	    TEST(test_too_many),
	    TEST(test_malformed),
	    TEST(test_limits),
	    TEST(test_false_document),
	    TEST(test_none_is_pushed_out),
	    TEST(test_reads),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_text_in_full),
	    cmocka_unit_test(test_text_false),
	    cmocka_unit_test(test_text_none_is_pushed_out),
	};

	return cmocka_run_group_tests_name(
	    "archive_cosigned", tests, make_mint, free_mint);
}
