/* archive: what is committed is there, whatever happens next: a full disk, a
 * lock, a file of somebody else. */
#include "archive_fixture.h"
#include "verifier/archive/archive_schema.h"

static void test_outcomes(void **state)
{
	struct fixture *f = *state;
	struct kept_document *d = f->document;

	assert_int_equal(
	    commit(f, made_record(d, "BTC-USD", 1, 0, "a")), RECORD_STORED);
	assert_int_equal(
	    commit(f, made_record(d, "BTC-USD", 1, 0, "a")), RECORD_DUPLICATE);
	assert_int_equal(
	    commit(f, made_record(d, "BTC-USD", 1, 0, "b")), RECORD_FORK);
	/* Another feed, another boot, another number: others. */
	assert_int_equal(
	    commit(f, made_record(d, "ETH-USD", 1, 0, "a")), RECORD_STORED);
	assert_int_equal(
	    commit(f, made_record(d, "BTC-USD", 2, 0, "b")), RECORD_STORED);
	assert_int_equal(
	    commit(f, made_record(d, "BTC-USD", 1, 1, "b")), RECORD_STORED);
	assert_int_equal(commit(f, made_refused("{}", HM_ENVELOPE_MALFORMED)),
	    RECORD_REFUSED);
	assert_int_equal(ask(f, "SELECT count(*) FROM items"), 4);
	assert_int_equal(ask(f, "SELECT count(*) FROM attestations"), 1);
	/* The refused one, and the fork's evidence: a whole envelope. */
	assert_int_equal(ask(f, "SELECT count(*) FROM refused"), 2);
	assert_int_equal(ask(f, "SELECT count(*) FROM refused"
				" WHERE verdict='sequence_fork'"
				" AND text LIKE '%\"content\":\"b\"%'"),
	    1);
	/* The first one stands; nothing overwrites. */
	assert_int_equal(ask(f, "SELECT content='a' FROM items WHERE"
				" feed='BTC-USD' AND sequence=0 AND"
				" boot_id='01010101010101010101010101010101'"),
	    1);
}

static void test_one_batch_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct record *a = made_record(f->document, "BTC-USD", 1, 0, "a");
	struct record *b = made_record(f->document, "BTC-USD", 1, 1, "b");
	sqlite3 *db;

	a->next = b;
	/* Somebody holds the lock for longer than we wait. */
	assert_int_equal(sqlite3_open(f->path, &db), 0);
	assert_int_equal(
	    sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), 0);
	assert_int_equal(
	    archive_commit(f->archive, a, f->error), ARCHIVE_LOCKED);
	assert_non_null(strstr(f->error, "locked"));
	assert_int_equal(a->outcome, RECORD_PENDING);
	assert_int_equal(b->outcome, RECORD_PENDING);
	sqlite3_close(db);
	/* The same list again. */
	assert_int_equal(archive_commit(f->archive, a, f->error), 0);
	assert_int_equal(a->outcome, RECORD_STORED);
	assert_int_equal(b->outcome, RECORD_STORED);
	assert_int_equal(ask(f, "SELECT count(*) FROM items"), 2);
	record_free(a);
	record_free(b);
}

/* A failure in the middle leaves nothing of the batch behind. */
static void test_rolls_back(void **state)
{
	struct fixture *f = *state;
	struct record *a = made_record(f->document, "BTC-USD", 1, 0, "a");
	struct record *b = made_record(f->document, "BTC-USD", 1, 1, "b");
	uint8_t *signature = b->envelope.signature;

	a->next = b;
	b->envelope.signature = NULL; /* NOT NULL in the table */
	assert_int_equal(
	    archive_commit(f->archive, a, f->error), ARCHIVE_FAILING);
	assert_int_equal(a->outcome, RECORD_PENDING);
	assert_int_equal(ask(f, "SELECT count(*) FROM items"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM attestations"), 0);
	b->envelope.signature = signature;
	assert_int_equal(archive_commit(f->archive, a, f->error), 0);
	record_free(a);
	record_free(b);
}

static void test_disk_full(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, small = {262144, 262144};
	char big[30000];
	int failed = 0;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (uint64_t i = 0; i < 10; i++)
		if (commit(f, made_record(f->document, "BTC-USD", 1, i, big)) <
		    0) {
			assert_int_equal(f->state, ARCHIVE_FULL);
			failed++;
		}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(failed > 0 && failed < 10);
	assert_true(f->error[0] != '\0');
	/* What was said to be stored is there, and it goes on. */
	assert_int_equal(ask(f, "SELECT count(*) FROM items"), 10 - failed);
	reopen(f);
	assert_int_equal(
	    commit(f, made_record(f->document, "BTC-USD", 1, 99, big)),
	    RECORD_STORED);
}

static void test_refused_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct record *list = NULL;
	const int more = 50;
	char *longer = malloc(RECORD_TEXT_MAX + 101);

	for (int i = 0; i < ARCHIVE_REFUSED_MAX + more; i++) {
		struct record *r = made_refused("x", HM_ITEM_SIGNATURE);

		r->next = list;
		list = r;
	}
	assert_int_equal(archive_commit(f->archive, list, f->error), 0);
	while (list) {
		struct record *next = list->next;

		record_free(list);
		list = next;
	}
	assert_int_equal(
	    ask(f, "SELECT count(*) FROM refused"), ARCHIVE_REFUSED_MAX);
	assert_int_equal(ask(f, "SELECT min(id) FROM refused"), more + 1);
	memset(longer, 'y', RECORD_TEXT_MAX + 100);
	longer[RECORD_TEXT_MAX + 100] = '\0';
	assert_int_equal(
	    commit(f, made_refused(longer, HM_ITEM_SIGNATURE)), RECORD_REFUSED);
	assert_int_equal(
	    ask(f, "SELECT max(length(text)) FROM refused"), RECORD_TEXT_MAX);
	free(longer);
}

/* ---- read back ---- */

struct heads {
	int count;
	char feed[8][32];
	struct hm_sequence state[8];
};

static void on_head(const struct archive_head *head, void *data)
{
	struct heads *heads = data;

	assert_true(heads->count < 8);
	snprintf(heads->feed[heads->count], 32, "%s", head->feed);
	heads->state[heads->count++] = head->state;
}

static void test_heads_and_cursor(void **state)
{
	struct fixture *f = *state;
	struct kept_document *d = f->document;
	struct heads heads = {0};
	char id[SSE_ID_MAX];

	archive_cursor(f->archive, "http://oracle", id);
	assert_string_equal(id, "");
	commit(f, made_record(d, "BTC-USD", 1, 7, "seven"));
	commit(f, made_record(d, "BTC-USD", 1, 3, "three, late"));
	commit(f, made_record(d, "BTC-USD", 2, 9, "nine"));
	reopen(f);
	assert_int_equal(
	    archive_heads(f->archive, on_head, &heads, f->error), 0);
	assert_int_equal(heads.count, 2);
	/* The newest first; the late one did not move its head back. */
	assert_int_equal(heads.state[0].sequence, 9);
	assert_int_equal(heads.state[1].sequence, 7);
	assert_true(heads.state[1].started);
	assert_int_equal(heads.state[1].boot_id[15], 1);
	assert_int_equal(heads.state[1].published_ms, 1800000000007);
	archive_cursor(f->archive, "http://oracle", id);
	assert_string_equal(id, "e-9");
	archive_cursor(f->archive, "http://another", id);
	assert_string_equal(id, "");
}

/* In one batch: what its last ones say, whatever their order. */
static void test_heads_of_a_batch(void **state)
{
	struct fixture *f = *state;
	struct kept_document *d = f->document;
	struct record *list[] = {
	    made_record(d, "BTC-USD", 1, 7, "seven"),
	    made_record(d, "ETH-USD", 1, 8, "eight"),
	    made_record(d, "BTC-USD", 2, 1, "one"),
	    made_record(d, "BTC-USD", 1, 3, "three, late"),
	    made_record(d, "BTC-USD", 1, 7, "seven"),
	    made_record(d, "BTC-USD", 1, 7, "another seven"),
	};
	const size_t n = sizeof(list) / sizeof(list[0]);
	char id[SSE_ID_MAX];

	list[2]->origin = "http://another";
	list[5]->event_id[0] = '\0';
	for (size_t i = 1; i < n; i++)
		list[i - 1]->next = list[i];
	assert_int_equal(archive_commit(f->archive, list[0], f->error), 0);
	assert_int_equal(list[4]->outcome, RECORD_DUPLICATE);
	assert_int_equal(list[5]->outcome, RECORD_FORK);
	assert_int_equal(ask(f, "SELECT count(*) FROM heads"), 3);
	assert_int_equal(ask(f, "SELECT count(*) FROM heads JOIN items"
				" USING(feed, boot_id, sequence)"
				" WHERE content IN ('seven','eight','one')"),
	    3);
	archive_cursor(f->archive, "http://oracle", id);
	assert_string_equal(id, "e-7");
	archive_cursor(f->archive, "http://another", id);
	assert_string_equal(id, "e-1");
	for (size_t i = 0; i < n; i++)
		record_free(list[i]);
}

/* Its sync failed, but its bytes were there: nobody has announced it yet. */
static void test_a_commit_that_was_there_after_all(void **state)
{
	struct fixture *f = *state;
	struct record *r = made_record(f->document, "BTC-USD", 1, 0, "a");

	commit(f, made_record(f->document, "BTC-USD", 1, 0, "a"));
	r->tried = true;
	assert_int_equal(commit(f, r), RECORD_STORED);
	r = made_record(f->document, "BTC-USD", 1, 0, "b");
	r->tried = true;
	assert_int_equal(commit(f, r), RECORD_FORK);
}

static void test_read_item(void **state)
{
	struct fixture *f = *state;
	struct hm_envelope e;
	uint8_t boot[16];

	memset(boot, 1, sizeof(boot));
	commit(f, made_record(f->document, "BTC-USD", 1, 7, "seven"));
	assert_int_equal(
	    archive_read_item(f->archive, "BTC-USD", boot, 7, &e), 0);
	assert_string_equal(e.content, "seven");
	assert_int_equal(e.signature_len, 256);
	assert_int_equal(e.signature[0], 7);
	assert_string_equal(e.public_key, MADE_KEY);
	assert_int_equal(e.document_len, 8);
	assert_memory_equal(e.document, "document", 8);
	hm_envelope_fini(&e);
	assert_int_equal(
	    archive_read_item(f->archive, "BTC-USD", boot, 8, &e), -1);
	assert_null(e.content);
}

/* Whoever can write the file cannot crash us with it. */
static void test_hostile_rows(void **state)
{
	static const char *const changes[] = {
	    "UPDATE heads SET boot_id='zz'",
	    "UPDATE heads SET boot_id=NULL",
	    "UPDATE heads SET sequence=-1",
	    "UPDATE heads SET content_sha256=x'00ff'",
	    "UPDATE items SET attestation_sha256='nothing'",
	    "UPDATE items SET content=zeroblob(200000)",
	    "UPDATE attestations SET document=zeroblob(200000)",
	    "UPDATE attestations SET platform=zeroblob(9)",
	    "UPDATE attestations SET public_key=x'ff'",
	    "UPDATE cursors SET event_id=zeroblob(1000)",
	};
	struct fixture *f = *state;
	struct hm_envelope e;
	char id[SSE_ID_MAX];
	uint8_t boot[16];

	memset(boot, 1, sizeof(boot));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct heads heads = {0};

		commit(f, made_record(f->document, "BTC-USD", 1, i, "x"));
		(void)ask(f, changes[i]);
		assert_int_equal(
		    archive_heads(f->archive, on_head, &heads, f->error), 0);
		if (archive_read_item(f->archive, "BTC-USD", boot, i, &e) == 0)
			hm_envelope_fini(&e);
		archive_cursor(f->archive, "http://oracle", id);
	}
}

/* ---- co-signatures ---- */

static void test_cosignatures(void **state)
{
	struct fixture *f = *state;
	struct record *r = made_record(f->document, "BTC-USD", 1, 0, "a");

	made_cosign(r, "peer 1", true);
	made_cosign(r, "peer 2", true);
	assert_int_equal(commit(f, r), RECORD_STORED);
	assert_int_equal(ask(f, "SELECT count(*) FROM items JOIN cosignatures"
				" USING(feed, boot_id, sequence)"),
	    2);
	assert_int_equal(ask(f, "SELECT count(*) FROM cosignatures AS c JOIN"
				" attestations AS a"
				" ON a.sha256=c.attestation_sha256"
				" WHERE CAST(document AS TEXT)=c.content"
				" AND platform='simulated'"),
	    2);
	/* The same again, by another way with another one, and of an item whose
	 * co-signer's document is known. */
	r = made_record(f->document, "BTC-USD", 1, 0, "a");
	made_cosign(r, "peer 2", true);
	made_cosign(r, "peer 3", true);
	assert_int_equal(commit(f, r), RECORD_DUPLICATE);
	assert_int_equal(ask(f, "SELECT count(*) FROM cosignatures"), 3);
	r = made_record(f->document, "BTC-USD", 1, 1, "b");
	made_cosign(r, "peer 3", false);
	assert_int_equal(commit(f, r), RECORD_STORED);
	assert_int_equal(ask(f, "SELECT count(*) FROM cosignatures"
				" WHERE sequence=1"),
	    1);
	assert_int_equal(ask(f, "SELECT count(*) FROM attestations"), 4);
}

static void test_cosignatures_that_stay_away(void **state)
{
	struct fixture *f = *state;
	struct record *r = made_record(f->document, "BTC-USD", 1, 0, "a");

	/* Nobody has its document. */
	made_cosign(r, "stranger", false);
	assert_int_equal(commit(f, r), RECORD_STORED);
	/* They stand by another item than the one that is there. */
	r = made_record(f->document, "BTC-USD", 1, 0, "another");
	made_cosign(r, "peer 1", true);
	assert_int_equal(commit(f, r), RECORD_FORK);
	assert_int_equal(ask(f, "SELECT count(*) FROM cosignatures"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM refused WHERE text LIKE"
				" '%\"cosignatures\":[{%'"),
	    1);
}

/* What version 1 wrote, with an item in it. */
static void make_version_1(struct fixture *f)
{
	static const char sql[] = ARCHIVE_SCHEMA_CREATE
	    "INSERT INTO attestations VALUES('d','doc','nitro','k',1);"
	    "INSERT INTO items VALUES('BTC-USD','b',0,'c','s','d',1,2,3,'h',0)";
	sqlite3 *db;

	archive_close(f->archive);
	f->archive = NULL;
	unlink(f->path);
	assert_int_equal(sqlite3_open(f->path, &db), 0);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
	sqlite3_close(db);
	assert_int_equal(ask(f, "PRAGMA user_version"), 1);
}

static void test_version_1_is_upgraded(void **state)
{
	struct fixture *f = *state;

	make_version_1(f);
	reopen(f);
	assert_int_equal(ask(f, "PRAGMA user_version"), 3);
	assert_int_equal(ask(f, "SELECT count(*) FROM items JOIN attestations"
				" ON sha256=attestation_sha256"),
	    1);
	assert_int_equal(ask(f, "SELECT count(*) FROM tree_heads"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM log_tiles"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM raw"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM cosignatures"), 0);
	assert_int_equal(
	    commit(f, made_record(f->document, "BTC-USD", 1, 0, "a")),
	    RECORD_STORED);
	reopen(f);
	assert_int_equal(ask(f, "SELECT count(*) FROM items"), 2);
}

/* All of it, or it stays what it was. */
static void test_version_2_is_upgraded(void **state)
{
	struct fixture *f = *state;
	struct record *r;

	(void)ask(f, "DROP TABLE cosignatures");
	(void)ask(f, "PRAGMA user_version=2");
	reopen(f);
	assert_int_equal(ask(f, "PRAGMA user_version"), 3);
	r = made_record(f->document, "BTC-USD", 1, 0, "a");
	made_cosign(r, "peer 1", true);
	assert_int_equal(commit(f, r), RECORD_STORED);
	assert_int_equal(ask(f, "SELECT count(*) FROM cosignatures"), 1);
}

static void test_upgrade_that_fails(void **state)
{
	struct fixture *f = *state;

	make_version_1(f);
	(void)ask(f, "CREATE TABLE raw(sha256 TEXT)");
	assert_int_equal(
	    archive_open(&f->archive, f->path, f->error), ARCHIVE_FAILING);
	assert_non_null(strstr(f->error, "raw already exists"));
	assert_int_equal(ask(f, "PRAGMA user_version"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM sqlite_master"
				" WHERE name='tree_heads'"),
	    0);
	(void)ask(f, "DROP TABLE raw");
	reopen(f);
	assert_int_equal(ask(f, "PRAGMA user_version"), 3);
}

static void test_not_an_archive(void **state)
{
	struct fixture *f = *state;
	struct archive *other = NULL;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/other", f->folder);
	file = fopen(path, "w");
	for (int i = 0; i < 4096; i++)
		fputs("not a database at all ", file);
	fclose(file);
	assert_int_equal(archive_open(&other, path, f->error), ARCHIVE_CORRUPT);
	assert_null(other);
	assert_non_null(strstr(f->error, "not a database"));
	unlink(path);
	/* Somebody else's database, and one of another version. */
	(void)ask(f, "PRAGMA application_id=1");
	assert_int_equal(
	    archive_open(&other, f->path, f->error), ARCHIVE_FOREIGN);
	assert_non_null(strstr(f->error, "not an archive"));
	(void)ask(f, "PRAGMA application_id=0x484d4b31");
	(void)ask(f, "PRAGMA user_version=4");
	assert_int_equal(
	    archive_open(&other, f->path, f->error), ARCHIVE_FOREIGN);
	assert_non_null(strstr(f->error, "another version"));
	assert_int_equal(archive_open(&other, "/nonexistent/a.db", f->error),
	    ARCHIVE_FAILING);
	assert_null(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_outcomes),
	    TEST(test_one_batch_is_all_or_nothing),
	    TEST(test_rolls_back),
	    TEST(test_disk_full),
	    TEST(test_refused_is_bounded),
	    TEST(test_heads_and_cursor),
	    TEST(test_heads_of_a_batch),
	    TEST(test_a_commit_that_was_there_after_all),
	    TEST(test_read_item),
	    TEST(test_hostile_rows),
	    TEST(test_cosignatures),
	    TEST(test_cosignatures_that_stay_away),
	    TEST(test_version_1_is_upgraded),
	    TEST(test_version_2_is_upgraded),
	    TEST(test_upgrade_that_fails),
	    TEST(test_not_an_archive),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
