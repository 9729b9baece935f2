/* history_read: pages and moments of an archive, whatever has been rotated. */
#include "history_fixture.h"
#include "verifier/daemon/archive_rotate.h"

#include <jansson.h>

static const struct history_ask everything = {
    .feed = "BTC-USD",
    .to_ms = INT64_C(253402300799999),
    .limit = 100,
};

/* ---- a page, looked at ---- */

struct seen {
	struct history_key keys[512];
	size_t count, pages;
};

/* The key that stands in the content itself. */
static void note(struct seen *seen, json_t *envelope)
{
	const char *text = json_string_value(
	    json_object_get(envelope, "content"));
	static struct item item;
	struct history_key *key = &seen->keys[seen->count++];

	assert_true(seen->count <= 512);
	assert_int_equal(item_decode(&item, text, strlen(text)), 0);
	key->published_ms = item.published_ms;
	key->sequence = item.sequence;
	for (int i = 0; i < 16; i++)
		snprintf(key->boot_id + 2 * i, 3, "%02x", item.boot_id[i]);
}

static void note_page(struct seen *seen, const struct history_ask *ask,
    const struct history_answer *a)
{
	json_t *root = json_loads(a->body, JSON_REJECT_DUPLICATES, NULL);
	json_t *items = json_object_get(root, "items");
	const char *cursor = json_string_value(
	    json_object_get(root, "next_cursor"));
	char wanted[HISTORY_CURSOR_MAX];

	assert_int_equal(a->result, HISTORY_FOUND);
	assert_int_equal(strlen(a->body), a->len);
	assert_true(json_is_array(items));
	assert_true(json_array_size(items) <= ask->limit);
	assert_int_equal(cursor != NULL, a->more);
	history_cursor_format(&a->last, wanted);
	if (cursor)
		assert_string_equal(cursor, wanted);
	for (size_t i = 0; i < json_array_size(items); i++)
		note(seen, json_array_get(items, i));
	seen->pages++;
	json_decref(root);
}

/* All pages; between them `between` may change the archive. */
static void page_through(struct fixture *f, struct history_ask ask,
    struct seen *seen, void (*between)(struct fixture *f, size_t page))
{
	struct history_answer a;
	bool more;

	memset(seen, 0, sizeof(*seen));
	do {
		history_read(&a, &ask, f->path);
		if (a.result == HISTORY_FAILED)
			fail_msg("%s", a.error);
		note_page(seen, &ask, &a);
		more = a.more;
		ask.has_cursor = true;
		ask.cursor = a.last;
		history_answer_fini(&a);
		if (between)
			between(f, seen->pages);
	} while (more && seen->pages < 500);
	assert_false(more);
}

static void in_order(const struct seen *seen, bool desc)
{
	for (size_t i = 1; i < seen->count; i++)
		assert_int_equal(
		    history_key_compare(&seen->keys[i - 1], &seen->keys[i]),
		    desc ? 1 : -1);
}

/* ---- pages ---- */

/* Four days, two boots at once, several items in one millisecond. */
static void put_four_days(struct fixture *f)
{
	for (unsigned i = 0; i < 60; i++) {
		int64_t at = DAY_0 + (int64_t)(i / 2) * (4 * DAY / 30);

		put(f, i % 2 ? 1 : 2, i / 2, at - at % 10);
	}
	put(f, 2, 30, DAY_0);               /* the same ms, another number */
	put(f, 1, 31, DAY_0 + DAY - 1);     /* the last of a day */
	put(f, 1, 32, DAY_0 + DAY);         /* the first of the next */
	put(f, 3, 0, DAY_0 + 2 * DAY + 77); /* a boot of one item */
	put_content(f, "ETH-USD", 1, 0, DAY_0, "another feed's");
}

static void check_all_pages(struct fixture *f)
{
	struct history_ask ask = everything;
	struct seen seen;

	for (int desc = 0; desc < 2; desc++)
		for (ask.limit = 1; ask.limit < 80; ask.limit += 13) {
			ask.desc = desc;
			page_through(f, ask, &seen, NULL);
			assert_int_equal(seen.count, 64);
			assert_int_equal(
			    seen.pages, (64 + ask.limit - 1) / ask.limit);
			in_order(&seen, desc);
		}
}

static void test_pages(void **state)
{
	struct fixture *f = *state;

	put_four_days(f);
	check_all_pages(f);
	rotate(f, DAY_0, true);
	check_all_pages(f);
	rotate(f, DAY_0 + 2 * DAY, false); /* in both */
	check_all_pages(f);
	put(f, 9, 0, DAY_0 + 5); /* late, for a day that has its file */
	do_sql(
	    f, "DELETE FROM items WHERE sequence = 0 AND boot_id LIKE '09%'");
	rotate(f, DAY_0 + DAY, true);
	rotate(f, DAY_0 + 3 * DAY, true);
	check_all_pages(f);
}

static void test_late_for_a_day_with_a_file(void **state)
{
	struct fixture *f = *state;
	struct seen seen;

	put(f, 1, 0, DAY_0 + 10);
	put(f, 1, 2, DAY_0 + 30);
	rotate(f, DAY_0, true);
	put(f, 1, 1, DAY_0 + 20);
	page_through(f, everything, &seen, NULL);
	assert_int_equal(seen.count, 3);
	in_order(&seen, false);
}

static void test_range(void **state)
{
	struct fixture *f = *state;
	struct history_ask ask = everything;
	struct seen seen;

	for (unsigned i = 0; i < 10; i++)
		put(f, 1, i, DAY_0 + i * 1000);
	ask.from_ms = DAY_0 + 2000; /* in */
	ask.to_ms = DAY_0 + 5000;   /* not in */
	page_through(f, ask, &seen, NULL);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.keys[0].sequence, 2);
	ask.desc = true;
	ask.limit = 1;
	page_through(f, ask, &seen, NULL);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.keys[0].sequence, 4);
	ask.from_ms = DAY_0 + 9001;
	ask.to_ms = DAY_0 + 9002;
	page_through(f, ask, &seen, NULL);
	assert_int_equal(seen.count, 0);
}

/* What is there stays in its place, whatever comes and moves meanwhile. */
static void disturb(struct fixture *f, size_t page)
{
	put(f, 7, page, DAY_0 + (int64_t)(page * 7919 % 345600) * 1000);
	if (page == 3)
		rotate(f, DAY_0, true);
	if (page == 5)
		rotate(f, DAY_0 + 2 * DAY, false);
}

static void test_stable_under_inserts(void **state)
{
	struct fixture *f = *state;
	struct history_ask ask = everything;
	struct seen seen;
	size_t old = 0;

	put_four_days(f);
	ask.limit = 7;
	page_through(f, ask, &seen, disturb);
	in_order(&seen, false); /* so none comes twice */
	for (size_t i = 0; i < seen.count; i++)
		old += seen.keys[i].boot_id[1] != '7';
	assert_int_equal(old, 64);
}

/* Whatever the real rotation has got to, all is there once. */
static void test_while_it_is_rotated(void **state)
{
	struct fixture *f = *state;
	struct archive_rotate *rotation;
	struct history_ask pages = everything;
	char why[ARCHIVE_ERROR_MAX];
	struct seen seen;
	int steps = 0, more;

	put_four_days(f);
	rotation = archive_rotate_new(f->path, 0);
	do {
		more = archive_rotate_step(
		    rotation, DAY_0 + 5 * DAY + ARCHIVE_ROTATE_GRACE_MS, why);
		if (more < 0)
			fail_msg("%s", why);
		for (int desc = 0; desc < 2; desc++) {
			pages.desc = desc;
			pages.limit = 9;
			page_through(f, pages, &seen, NULL);
			assert_int_equal(seen.count, 64);
			in_order(&seen, desc);
		}
	} while (more && ++steps < 1000);
	assert_int_equal(more, 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM items"), 0);
	archive_rotate_free(rotation);
}

/* A feed that was last seen many files ago costs several answers. */
static void test_many_files(void **state)
{
	struct fixture *f = *state;
	struct history_ask ask = everything;
	struct history_answer a;
	struct seen seen;

	put(f, 1, 0, DAY_0 + 1);
	put(f, 1, 1, DAY_0 + 99 * DAY + 1);
	for (int i = 0; i < 100; i++)
		rotate(f, DAY_0 + i * DAY, true);
	for (int desc = 0; desc < 2; desc++) {
		ask.desc = desc;
		page_through(f, ask, &seen, NULL);
		assert_int_equal(seen.count, 2);
		assert_int_equal(seen.pages, 2);
		in_order(&seen, desc);
	}
	ask.desc = false;
	ask.from_ms = DAY_0 + DAY;
	ask.to_ms = DAY_0 + 99 * DAY;
	page_through(f, ask, &seen, NULL);
	assert_int_equal(seen.count, 0);
	assert_int_equal(seen.pages, 2);
	history_read(&a, &ask, f->path);
	assert_true(a.more);
	assert_int_equal(
	    a.last.published_ms, DAY_0 + (1 + HISTORY_WALK_FILES) * DAY);
	history_answer_fini(&a);
}

static void test_bytes_have_a_ceiling(void **state)
{
	struct fixture *f = *state;
	struct history_ask ask = everything;
	char *content = calloc(1, 32001);
	struct history_answer a;
	size_t lines = 0, total = 0;

	memset(content, 'x', 32000);
	for (unsigned i = 0; i < 200; i++)
		put_content(f, "BTC-USD", 1, i, DAY_0 + i, content);
	free(content);
	ask.ndjson = true;
	ask.limit = 10000;
	for (int page = 0; page < 2; page++) {
		history_read(&a, &ask, f->path);
		assert_int_equal(a.result, HISTORY_FOUND);
		assert_true(a.len < HISTORY_BYTES_MAX + 40000);
		lines = 0;
		for (size_t i = 0; i < a.len; i++)
			lines += a.body[i] == '\n';
		total += lines;
		assert_int_equal(a.more, page == 0);
		ask.has_cursor = true;
		ask.cursor = a.last;
		history_answer_fini(&a);
	}
	assert_int_equal(total, 200);
}

static void test_forms(void **state)
{
	struct fixture *f = *state;
	struct history_ask ask = everything;
	struct history_answer a;
	struct hm_envelope e;

	put(f, 1, 0, DAY_0);
	ask.ndjson = true;
	history_read(&a, &ask, f->path);
	assert_null(strstr(a.body, "attestation_doc_b64"));
	assert_int_equal(hm_envelope_parse(&e, a.body, a.len - 1), HM_VALID);
	hm_envelope_fini(&e);
	assert_int_equal(a.body[a.len - 1], '\n');
	history_answer_fini(&a);
	ask.full = true;
	history_read(&a, &ask, f->path);
	assert_int_equal(hm_envelope_parse(&e, a.body, a.len - 1), HM_VALID);
	assert_int_equal(e.document_len, 8);
	hm_envelope_fini(&e);
	history_answer_fini(&a);
}

static void test_unknown_and_empty(void **state)
{
	struct fixture *f = *state;
	struct history_ask ask = everything;
	struct history_answer a;

	history_read(&a, &ask, f->path);
	assert_int_equal(a.result, HISTORY_FEED_UNKNOWN);
	history_answer_fini(&a);
	ask.known = true;
	history_read(&a, &ask, f->path);
	assert_int_equal(a.result, HISTORY_FOUND);
	assert_string_equal(
	    a.body, "{\"items\":[],\"next_cursor\":null,\"damaged\":0}");
	history_answer_fini(&a);
	ask.ndjson = true;
	history_read(&a, &ask, f->path);
	assert_string_equal(a.body, "");
	history_answer_fini(&a);
}

/* ---- damage ---- */

static void test_damaged_items_are_counted(void **state)
{
	struct fixture *f = *state;
	struct history_answer a;

	put(f, 1, 0, DAY_0);
	put(f, 1, 1, DAY_0 + 1);
	do_sql(f, "UPDATE items SET content = x'ff00ff' WHERE sequence = 1");
	history_read(&a, &everything, f->path);
	assert_int_equal(a.result, HISTORY_FOUND);
	assert_int_equal(a.damaged, 1);
	assert_non_null(strstr(a.body, "\"damaged\":1"));
	history_answer_fini(&a);
	do_sql(f, "DELETE FROM attestations");
	history_read(&a, &everything, f->path);
	assert_int_equal(a.damaged, 2);
	history_answer_fini(&a);
}

static void test_what_cannot_be_gone_on_from(void **state)
{
	static const char *const spoil[] = {
	    "UPDATE items SET boot_id = 'x'",
	    "UPDATE items SET boot_id = upper('0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a')",
	    "UPDATE items SET boot_id = '0101010101010101010101010101010101'",
	    ("UPDATE items SET boot_id = '01010101010101010101010101010101',"
	     " sequence = -1"),
	    "UPDATE items SET sequence = 9007199254740992",
	};
	struct fixture *f = *state;
	struct history_answer a;

	put(f, 1, 0, DAY_0);
	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		do_sql(f, spoil[i]);
		history_read(&a, &everything, f->path);
		assert_int_equal(a.result, HISTORY_FAILED);
		assert_null(a.body);
		assert_non_null(strstr(a.error, "boot_id or a sequence"));
	}
}

static void test_no_archive(void **state)
{
	struct fixture *f = *state;
	struct history_answer a;
	char path[PATH_MAX];
	FILE *file;

	history_read(&a, &everything, "/nonexistent/archive.db");
	assert_int_equal(a.result, HISTORY_FAILED);
	assert_true(a.error[0] != '\0');
	/* A daily file that is none. */
	put(f, 1, 0, DAY_0 + 2 * DAY);
	assert_int_equal(archive_files_day(path, f->path, DAY_0 / DAY), 0);
	file = fopen(path, "w");
	fputs("no database", file);
	fclose(file);
	history_read(&a, &everything, f->path);
	assert_int_equal(a.result, HISTORY_FAILED);
	assert_non_null(strstr(a.error, "archive-2026-11-20.db"));
}

/* ---- at a time ---- */

static struct history_answer at(struct fixture *f, int64_t at_ms)
{
	struct history_ask ask = {.kind = HISTORY_MOMENT, .feed = "BTC-USD"};
	struct history_answer a;

	ask.at_ms = at_ms;
	history_read(&a, &ask, f->path);
	if (a.result == HISTORY_FAILED)
		fail_msg("%s", a.error);
	return a;
}

static void is_item(struct fixture *f, int64_t at_ms, uint64_t sequence)
{
	struct history_answer a = at(f, at_ms);
	struct seen seen = {.count = 0};
	json_t *root;

	if (a.result != HISTORY_FOUND)
		fail_msg("%lld: %s", (long long)at_ms, a.body);
	root = json_loads(a.body, JSON_REJECT_DUPLICATES, NULL);
	note(&seen, root);
	assert_int_equal(seen.keys[0].sequence, sequence);
	assert_int_equal(strlen(a.etag), 64 + 6);
	json_decref(root);
	history_answer_fini(&a);
}

/* -1: there is none. */
static void is_nothing(struct fixture *f, int64_t at_ms, int64_t before,
    int64_t after, const char *why)
{
	struct history_answer a = at(f, at_ms);
	char text[ITEM_CONTENT_MAX];
	json_t *root, *b, *c;

	assert_int_equal(a.result, HISTORY_NOTHING);
	snprintf(text, sizeof(text), "{%s}", a.body);
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	b = json_object_get(root, "before");
	c = json_object_get(root, "after");
	assert_int_equal(json_is_null(b), before < 0);
	assert_int_equal(json_is_null(c), after < 0);
	if (before >= 0)
		assert_int_equal(
		    json_integer_value(json_object_get(b, "sequence")), before);
	if (after >= 0)
		assert_int_equal(
		    json_integer_value(json_object_get(c, "sequence")), after);
	assert_non_null(strstr(a.why, why));
	json_decref(root);
	history_answer_fini(&a);
}

static void test_at(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 0, DAY_0);
	put(f, 1, 1, DAY_0 + 3000);
	put(f, 1, 2, DAY_0 + DAY);
	for (int rotated = 0; rotated < 2; rotated++) {
		is_nothing(f, DAY_0 - 1, -1, 0, "or before");
		is_item(f, DAY_0, 0);
		is_item(f, DAY_0 + 2999, 0);
		is_item(f, DAY_0 + 3000, 1);
		is_item(f, DAY_0 + 7999, 1);
		is_nothing(f, DAY_0 + 8000, 1, 2, "expired");
		is_item(f, DAY_0 + DAY + 4999, 2);
		is_nothing(f, DAY_0 + DAY + 5000, 2, -1, "expired");
		if (!rotated)
			rotate(f, DAY_0, true);
	}
}

/* A new boot's item is in force, whatever the old one had promised. */
static void test_at_of_two_boots(void **state)
{
	struct fixture *f = *state;

	put(f, 2, 50, DAY_0);
	put(f, 1, 0, DAY_0 + 1000);
	is_item(f, DAY_0 + 999, 50);
	is_item(f, DAY_0 + 1000, 0);
}

static void test_at_without_a_price(void **state)
{
	struct fixture *f = *state;
	struct history_answer a;

	put(f, 1, 0, DAY_0);
	put_wish(f, 1, 1, DAY_0 + 1000, true);
	put(f, 1, 2, DAY_0 + 9000);
	is_item(f, DAY_0 + 999, 0);
	is_nothing(f, DAY_0 + 1000, 1, 2, "no price");
	a = at(f, DAY_0 + 1000);
	assert_non_null(strstr(a.body, ",\"item\":{\"content\":"));
	history_answer_fini(&a);
	/* Expired, it says nothing any more. */
	is_nothing(f, DAY_0 + 6000, 1, 2, "expired");
	a = at(f, DAY_0 + 6000);
	assert_null(strstr(a.body, "\"item\""));
	history_answer_fini(&a);
}

static void test_at_of_what_is_damaged(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 0, DAY_0);
	put_content(f, "BTC-USD", 1, 1, DAY_0 + 1000, "{}");
	is_nothing(f, DAY_0 + 1001, 1, -1, "damaged");
	is_item(f, DAY_0 + 999, 0);
}

/* ---- documents ---- */

static enum history_result document(struct fixture *f, const char *hex)
{
	struct history_ask ask = {.kind = HISTORY_DOCUMENT};
	enum history_result result;
	struct history_answer a;

	snprintf(ask.sha256_hex, sizeof(ask.sha256_hex), "%s", hex);
	history_read(&a, &ask, f->path);
	result = a.result;
	if (result == HISTORY_FOUND) {
		assert_int_equal(a.len, 8);
		assert_memory_equal(a.body, "document", 8);
		assert_int_equal(strlen(a.etag), 66);
	} else {
		assert_null(a.body);
	}
	history_answer_fini(&a);
	return result;
}

static void test_documents(void **state)
{
	struct fixture *f = *state;
	const char *hex = f->document->sha256_hex;
	char other[65], path[PATH_MAX];

	snprintf(other, sizeof(other), "%064d", 7);
	assert_int_equal(document(f, hex), HISTORY_NO_DOCUMENT);
	put(f, 1, 0, DAY_0);
	assert_int_equal(document(f, hex), HISTORY_FOUND);
	assert_int_equal(document(f, other), HISTORY_NO_DOCUMENT);
	/* Only a daily file has it. */
	rotate(f, DAY_0, true);
	rotate(f, DAY_0 + DAY, true);
	do_sql(f, "DELETE FROM attestations");
	assert_int_equal(document(f, hex), HISTORY_FOUND);
	assert_int_equal(document(f, other), HISTORY_NO_DOCUMENT);
	/* What has another hash is another one. */
	do_sql(f, "INSERT INTO attestations VALUES("
		  "'000000000000000000000000000000000000000000000000000000000"
		  "0000007', x'00', 'simulated', 'k', 1)");
	assert_int_equal(document(f, other), HISTORY_NO_DOCUMENT);
	assert_int_equal(archive_files_day(path, f->path, DAY_0 / DAY + 1), 0);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(document(f, hex), HISTORY_FAILED);
}

#define archive_test(f) \
	cmocka_unit_test_setup_teardown(f, setup, history_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    archive_test(test_pages),
	    archive_test(test_late_for_a_day_with_a_file),
	    archive_test(test_range),
	    archive_test(test_stable_under_inserts),
	    archive_test(test_while_it_is_rotated),
	    archive_test(test_many_files),
	    archive_test(test_bytes_have_a_ceiling),
	    archive_test(test_forms),
	    archive_test(test_unknown_and_empty),
	    archive_test(test_damaged_items_are_counted),
	    archive_test(test_what_cannot_be_gone_on_from),
	    archive_test(test_no_archive),
	    archive_test(test_documents),
	    archive_test(test_at),
	    archive_test(test_at_of_two_boots),
	    archive_test(test_at_without_a_price),
	    archive_test(test_at_of_what_is_damaged),
	};

	return cmocka_run_group_tests_name("history_read", tests, NULL, NULL);
}
