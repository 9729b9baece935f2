/* log_store: heads and tiles, from the first head of a boot on; gaps, forks
 * and what comes late; and what log_answer can prove of each. */
#include "log_fixture.h"

#include <time.h>

#define COUNT(f, table) sql_number(f, "SELECT count(*) FROM " table)

static void assert_whole(struct log_fixture *f)
{
	assert_int_equal(store_next(f).state, RECORD_LOG_WHOLE);
}

/* Sizes around those where subtrees and tiles are completed. */
static void test_grows(void **state)
{
	static const uint64_t steps[] = {1, 1, 2, 3, 120, 1, 127, 1, 300, 7};
	struct log_fixture *f = *state;
	uint64_t sizes[10];

	for (size_t i = 0; i < 10; i++) {
		more(f, &f->teller, i % 2, steps[i], true);
		more(f, &f->teller, 1, i / 3, true);
		assert_whole(f);
		sizes[i] = f->teller.tree.size;
	}
	for (size_t feed = 0; feed < 2; feed++)
		for (uint64_t n = 0; n < f->teller.counts[feed]; n++)
			included(f, feed, n, 0, 200, NULL);
	for (size_t i = 0; i < 10; i++)
		for (size_t j = i; j < 10; j++)
			consistent(f, sizes[i], sizes[j], 200, NULL);
	assert_int_equal(COUNT(f, "tree_heads"), 10);
}

/* Three levels of tiles; each call of the store begins from the file alone. */
static void test_large(void **state)
{
	struct log_fixture *f = *state;

	more(f, &f->teller, 0, 65000, true);
	assert_whole(f);
	sqlite3_close(f->db);
	open_db(f);
	more(f, &f->teller, 1, 1100, true);
	assert_whole(f);
	included(f, 0, 0, 0, 200, NULL);
	included(f, 0, 64999, 65000, 200, NULL);
	included(f, 1, 535, 0, 200, NULL); /* the last of the first 2^16 */
	included(f, 1, 536, 0, 200, NULL);
	included(f, 1, 1099, 0, 200, NULL);
	consistent(f, 65000, 66100, 200, NULL);
	assert_int_equal(sql_number(f, "SELECT max(level) FROM log_tiles"), 2);
}

static void test_what_is_not_there(void **state)
{
	struct log_fixture *f = *state;

	included(f, 0, 0, 0, 404, "LOG_UNKNOWN");
	more(f, &f->teller, 0, 3, true);
	assert_whole(f);
	more(f, &f->teller, 0, 1, true);
	included(f, 0, 3, 0, 404, "LOG_NOT_YET");
	included(f, 0, 4, 0, 404, "ITEM_UNKNOWN");
	included(f, 0, 0, 2, 404, "LOG_SIZE_UNKNOWN");
	assert_whole(f);
	included(f, 0, 3, 3, 404, "LOG_NOT_YET");
	consistent(f, 2, 4, 404, "LOG_SIZE_UNKNOWN");
	consistent(f, 3, 4, 200, NULL);
}

/* ---- gaps ---- */

static void test_item_missing(void **state)
{
	struct log_fixture *f = *state;
	struct record_finding finding;

	more(f, &f->teller, 0, 5, true);
	more(f, &f->teller, 1, 6, true);
	assert_whole(f);
	more(f, &f->teller, 1, 2, true);
	more(f, &f->teller, 1, 3, false);
	more(f, &f->teller, 1, 1, true);
	more(f, &f->teller, 0, 4, false);
	finding = store_next(f);
	assert_int_equal(finding.state, RECORD_LOG_GAP);
	assert_int_equal(finding.items_missing, 7);
	assert_int_equal(finding.heads_missing, 0);
	assert_string_equal(finding.feed, "BTC-USD");
	assert_int_equal(finding.sequence, 5);
	for (size_t i = 0; i < 40; i++) { /* on from there */
		more(f, &f->teller, i % 2, 11, true);
		assert_whole(f);
	}
	included(f, 0, 4, 11, 200, NULL);
	included(f, 0, 4, 0, 404, "LOG_INCOMPLETE");
	included(f, 1, 6, 0, 404, "LOG_INCOMPLETE"); /* there, but alone */
	included(f, 1, 7, 21, 404, "LOG_INCOMPLETE");
	for (uint64_t n = 12; n < 232; n++)
		included(f, 1, n, 0, 200, NULL);
	consistent(f, 21, 32, 200, NULL);
	consistent(f, 21, f->teller.tree.size, 200, NULL);
	consistent(f, 11, 21, 404, "LOG_INCOMPLETE");
}

static void test_head_missing(void **state)
{
	struct log_fixture *f = *state;
	struct record_finding finding;

	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	for (int i = 0; i < 2; i++) {
		more(f, &f->teller, 0, 5, true);
		record_free(next_head(f, &f->teller));
	}
	more(f, &f->teller, 1, 2, true);
	finding = store_next(f);
	assert_int_equal(finding.state, RECORD_LOG_GAP);
	assert_int_equal(finding.heads_missing, 2);
	assert_int_equal(finding.items_missing, 0);
	included(f, 0, 7, 0, 404, "LOG_INCOMPLETE");
	more(f, &f->teller, 1, 2, true);
	assert_whole(f);
	included(f, 1, 3, 0, 200, NULL);
}

static void test_joined(void **state)
{
	struct log_fixture *f = *state;
	struct record_finding finding;

	more(f, &f->teller, 0, 300, false);
	record_free(next_head(f, &f->teller));
	more(f, &f->teller, 0, 3, true);
	finding = store_next(f);
	assert_int_equal(finding.state, RECORD_LOG_JOINED);
	included(f, 0, 301, 0, 404, "LOG_INCOMPLETE");
	more(f, &f->teller, 1, 260, true);
	assert_whole(f);
	included(f, 1, 0, 0, 200, NULL);
	included(f, 1, 259, 0, 200, NULL);
	consistent(f, 303, 563, 200, NULL);
}

/* Its head 0 counts what we do not have: no frontier to go on from yet. */
static void test_joined_at_head_0(void **state)
{
	struct log_fixture *f = *state;

	more(f, &f->teller, 0, 2, false);
	more(f, &f->teller, 0, 3, true);
	assert_int_equal(store_next(f).state, RECORD_LOG_JOINED);
	more(f, &f->teller, 0, 1, true);
	assert_whole(f);
	included(f, 0, 5, 0, 200, NULL);
	included(f, 0, 4, 0, 200, NULL); /* it is in the frontier itself */
	included(f, 0, 2, 0, 404, "LOG_INCOMPLETE");
}

/* Items between those that we have were not there before we came. */
static void test_holes_at_head_0(void **state)
{
	struct log_fixture *f = *state;
	struct record_finding finding;

	more(f, &f->teller, 0, 2, false);
	more(f, &f->teller, 0, 3, true);
	more(f, &f->teller, 0, 1, false);
	finding = store_next(f);
	assert_int_equal(finding.state, RECORD_LOG_GAP);
	assert_int_equal(finding.items_missing, 3);
	assert_int_equal(finding.sequence, 0);
}

static void test_late(void **state)
{
	struct log_fixture *f = *state;
	struct record *late;

	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	more(f, &f->teller, 0, 5, true);
	late = next_head(f, &f->teller);
	more(f, &f->teller, 0, 5, true);
	assert_int_equal(store_next(f).state, RECORD_LOG_GAP);
	assert_int_equal(store(f, late, RECORD_STORED).state, RECORD_LOG_LATE);
	assert_int_equal(COUNT(f, "tree_heads"), 3);
	more(f, &f->teller, 0, 5, true);
	assert_whole(f); /* on from the newest, not from the last stored */
	included(f, 0, 19, 0, 200, NULL);
}

static void test_duplicate(void **state)
{
	struct log_fixture *f = *state;
	struct record *again, *older;

	more(f, &f->teller, 0, 5, true);
	older = next_head(f, &f->teller);
	store(f, sign_head(f, older->head), RECORD_STORED);
	again = sign_head(f, older->head);
	store(f, again, RECORD_DUPLICATE);
	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	store(f, older, RECORD_DUPLICATE);
	assert_int_equal(COUNT(f, "tree_heads"), 2);
}

/* A commit that failed may have been one: it was not announced. */
static void test_tried(void **state)
{
	struct log_fixture *f = *state;
	struct record *r;

	more(f, &f->teller, 0, 5, true);
	r = next_head(f, &f->teller);
	store(f, sign_head(f, r->head), RECORD_STORED);
	r->tried = true;
	store(f, r, RECORD_STORED);
	assert_int_equal(COUNT(f, "tree_heads"), 1);
}

/* ---- what was signed twice ---- */

static size_t proofs(const struct log_fixture *f)
{
	size_t count = 0;
	struct dirent *entry;
	DIR *dir = opendir(f->folder);

	while ((entry = readdir(dir)))
		count += strncmp(entry->d_name, "misbehaviour-", 13) == 0;
	closedir(dir);
	return count;
}

static void test_fork(void **state)
{
	struct log_fixture *f = *state;
	struct record_finding finding;
	struct teller other;

	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	other = f->teller;
	other.salt = 'b';
	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	more(f, &other, 0, 5, false); /* the same size, another root */
	finding = store(f, next_head(f, &other), RECORD_FORK);
	assert_true(finding.proven);
	assert_int_equal(access(finding.proof, R_OK), 0);
	assert_int_equal(proofs(f), 1);
	assert_int_equal(COUNT(f, "tree_heads"), 2);
	more(f, &other, 0, 1, false); /* of a number that we have not */
	finding = store(f, next_head(f, &other), RECORD_FORK);
	assert_int_equal(proofs(f), 2);
	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	included(f, 0, 14, 0, 200, NULL);
}

/* Its other size does not hide that the number is the same. */
static void test_fork_of_another_size(void **state)
{
	struct log_fixture *f = *state;
	struct teller other;

	for (int i = 0; i < 3; i++) {
		more(f, &f->teller, 0, 5, true);
		assert_whole(f);
		if (i == 0)
			other = f->teller;
	}
	other.salt = 'b';
	more(f, &other, 0, 2, false);
	store(f, next_head(f, &other), RECORD_FORK);
	more(f, &other, 0, 12, false);
	store(f, next_head(f, &other), RECORD_FORK);
	assert_int_equal(proofs(f), 2);
}

static void test_enough_proofs(void **state)
{
	struct log_fixture *f = *state;
	struct record_finding finding;
	struct teller other;

	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	other = f->teller;
	more(f, &f->teller, 0, 50, true);
	assert_whole(f);
	for (int i = 0; i < 10; i++) {
		more(f, &other, 0, 1, false);
		finding = store(f, next_head(f, &other), RECORD_FORK);
		assert_int_equal(finding.proven, i < 8);
	}
	assert_int_equal(proofs(f), 8);
}

/* What we hold is not what the head counts: another item under that number. */
static void test_mismatch(void **state)
{
	struct log_fixture *f = *state;
	struct record_finding finding;
	struct teller other = f->teller;

	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	other.salt = 'b';
	more(f, &f->teller, 0, 4, true);
	more(f, &f->teller, 0, 1, false);
	put_item(f, &other, 0, 9);
	finding = store_next(f);
	assert_int_equal(finding.state, RECORD_LOG_MISMATCH);
	included(f, 0, 9, 0, 404, "LOG_INCOMPLETE");
	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	included(f, 0, 14, 0, 200, NULL);
}

/* ---- the file ---- */

/* The day is over: its items, heads and documents are in a file of their own,
 * but for the newest head. */
static void test_rotated_away(void **state)
{
	struct log_fixture *f = *state;
	char day[32], text[256];
	time_t seconds = (time_t)(f->now_ms / 1000);

	more(f, &f->teller, 0, 9, true);
	assert_whole(f);
	more(f, &f->teller, 0, 3, true);
	assert_whole(f);
	strftime(day, sizeof(day), "a-%Y-%m-%d.db", gmtime(&seconds));
	snprintf(text, sizeof(text), "ATTACH '%s/%s' AS day", f->folder, day);
	sql(f, text);
	sql(f, "CREATE TABLE day.items AS SELECT * FROM main.items"
	       " WHERE sequence<8");
	sql(f, "CREATE TABLE day.attestations AS"
	       " SELECT * FROM main.attestations");
	sql(f, "DETACH day");
	sql(f, "DELETE FROM main.items");
	sql(f, "DELETE FROM main.tree_heads WHERE tree_size<12");
	sql(f, "DELETE FROM main.attestations");
	included(f, 0, 0, 0, 200, NULL);
	included(f, 0, 7, 9, 200, NULL);
	included(f, 0, 8, 0, 404, "ITEM_UNKNOWN");
	consistent(f, 9, 12, 200, NULL);
	put_document(f);
	more(f, &f->teller, 0, 3, true);
	assert_whole(f);
	included(f, 0, 7, 0, 200, NULL);
	included(f, 0, 14, 0, 200, NULL);
}

static void test_rolled_back(void **state)
{
	struct log_fixture *f = *state;
	struct record *r;

	more(f, &f->teller, 0, 5, true);
	assert_whole(f);
	more(f, &f->teller, 0, 5, true);
	r = next_head(f, &f->teller);
	sql(f, "BEGIN IMMEDIATE");
	assert_int_equal(log_store_write(f->db, r), 0);
	sql(f, "ROLLBACK");
	assert_int_equal(COUNT(f, "tree_heads"), 1);
	assert_int_equal(store(f, r, RECORD_STORED).state, RECORD_LOG_WHOLE);
	included(f, 0, 9, 0, 200, NULL);
}

static void test_cannot_write(void **state)
{
	struct log_fixture *f = *state;
	struct record *r;

	more(f, &f->teller, 0, 5, true);
	r = next_head(f, &f->teller);
	sql(f, "PRAGMA query_only=1");
	assert_int_equal(log_store_write(f->db, r), -1);
	sql(f, "PRAGMA query_only=0");
	store(f, r, RECORD_STORED);
}

/* Somebody was at the file: no proof that does not hold is ever given. */
static void test_damaged(void **state)
{
	struct log_fixture *f = *state;

	more(f, &f->teller, 0, 9, true);
	assert_whole(f);
	included(f, 0, 8, 0, 200, NULL);
	sql(f, "UPDATE items SET content='x' WHERE sequence=8");
	included(f, 0, 8, 0, 500, "LOG_DAMAGED");
	sql(f, "UPDATE log_tiles SET hashes=zeroblob(31) WHERE level=0");
	included(f, 0, 7, 0, 404, "LOG_INCOMPLETE");
	sql(f, "UPDATE log_tiles SET hashes=randomblob(288) WHERE level=0");
	included(f, 0, 7, 0, 500, "LOG_DAMAGED");
	sql(f, "UPDATE log_tiles SET hashes=x'7b' WHERE level=-1");
	included(f, 0, 7, 0, 404, "LOG_UNKNOWN");
	more(f, &f->teller, 0, 1, true);
	assert_int_equal(store_next(f).state, RECORD_LOG_JOINED);
	sql(f, "DROP TABLE log_tiles");
	included(f, 0, 0, 0, 503, "ARCHIVE_UNREADABLE");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, log_setup, log_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_grows),
	    TEST(test_large),
	    TEST(test_what_is_not_there),
	    TEST(test_item_missing),
	    TEST(test_head_missing),
	    TEST(test_joined),
	    TEST(test_joined_at_head_0),
	    TEST(test_holes_at_head_0),
	    TEST(test_late),
	    TEST(test_duplicate),
	    TEST(test_tried),
	    TEST(test_fork),
	    TEST(test_fork_of_another_size),
	    TEST(test_enough_proofs),
	    TEST(test_mismatch),
	    TEST(test_rotated_away),
	    TEST(test_rolled_back),
	    TEST(test_cannot_write),
	    TEST(test_damaged),
	};

	return cmocka_run_group_tests_name(
	    "log_store", tests, make_mint, free_mint);
}
