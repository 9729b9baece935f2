/* bus_outbox: the archive as the list of what is to be published: order, the
 * place it remembers, and what crashes and strangers do to both. */
#include "archive_fixture.h"

#include "verifier/daemon/bus_outbox.h"

#define NOW_MS 1800000001000 /* made_record's are received a second before */

static struct bus_letter letters[BUS_OUTBOX_BATCH];
static size_t count;

static struct bus_outbox *open_outbox(struct fixture *f)
{
	char error[BUS_OUTBOX_ERROR_MAX];
	struct bus_outbox *o;

	assert_int_equal(bus_outbox_open(&o, f->path, "S", NOW_MS, error), 0);
	return o;
}

static int end(void **state)
{
	struct fixture *f = *state;
	char path[160];

	bus_letters_free(letters, count);
	count = 0;
	snprintf(path, sizeof(path), "%s.bus-S", f->path);
	unlink(path);
	return teardown(state);
}

static void store(struct fixture *f, const char *feed, uint64_t sequence)
{
	char content[64];

	snprintf(content, sizeof(content), "%s %llu", feed,
	    (unsigned long long)sequence);
	assert_int_equal(
	    commit(f, made_record(f->document, feed, 7, sequence, content)),
	    RECORD_STORED);
}

static size_t next(struct bus_outbox *o)
{
	char error[BUS_OUTBOX_ERROR_MAX] = "";

	bus_letters_free(letters, count);
	if (bus_outbox_next(o, letters, &count, error))
		fail_msg("%s", error);
	return count;
}

static void test_in_order(void **state)
{
	struct fixture *f = *state;
	struct bus_outbox *o;
	struct hm_envelope e;

	store(f, "ETH-USD", 4);
	store(f, "BTC-USD", 2);
	o = open_outbox(f);
	assert_int_equal(next(o), 2);
	assert_string_equal(letters[0].subject, "item.ETH-USD");
	assert_string_equal(
	    letters[0].id, "ETH-USD-07070707070707070707070707070707-4");
	assert_string_equal(letters[1].subject, "item.BTC-USD");
	assert_memory_equal(
	    letters[1].documents[0], f->document->sha256, HM_SHA256_LEN);
	assert_int_equal(
	    hm_envelope_parse(&e, letters[1].text, letters[1].len), HM_VALID);
	assert_string_equal(e.content, "BTC-USD 2");
	assert_null(e.document);
	hm_envelope_fini(&e);
	bus_outbox_close(o);
}

/* Until they are done they come again. */
static void test_again_until_done(void **state)
{
	struct fixture *f = *state;
	struct bus_outbox *o;

	store(f, "BTC-USD", 1);
	o = open_outbox(f);
	assert_int_equal(next(o), 1);
	store(f, "BTC-USD", 2);
	assert_int_equal(next(o), 2);
	assert_int_equal(bus_outbox_waiting(o), 2);
	bus_outbox_done(o, NOW_MS);
	assert_int_equal(bus_outbox_waiting(o), 0);
	assert_int_equal(next(o), 0);
	store(f, "BTC-USD", 3);
	assert_int_equal(next(o), 1);
	bus_outbox_close(o);
	/* The third was not done. */
	o = open_outbox(f);
	assert_int_equal(next(o), 1);
	assert_non_null(strstr(letters[0].id, "-3"));
	bus_outbox_close(o);
}

static void test_batches(void **state)
{
	struct fixture *f = *state;
	struct bus_outbox *o;

	for (uint64_t i = 0; i <= BUS_OUTBOX_BATCH; i++)
		store(f, "BTC-USD", i);
	o = open_outbox(f);
	assert_int_equal(next(o), BUS_OUTBOX_BATCH);
	bus_outbox_done(o, NOW_MS);
	assert_int_equal(next(o), 1);
	bus_outbox_close(o);
}

/* Refused items and duplicates are nobody's business. */
static void test_only_what_was_accepted(void **state)
{
	struct fixture *f = *state;
	struct bus_outbox *o;

	store(f, "BTC-USD", 1);
	commit(f, made_record(f->document, "BTC-USD", 7, 1, "BTC-USD 1"));
	commit(f, made_record(f->document, "BTC-USD", 7, 1, "a fork"));
	commit(f, made_refused("{}", HM_ENVELOPE_MALFORMED));
	o = open_outbox(f);
	assert_int_equal(next(o), 1);
	bus_outbox_close(o);
}

static void write_place(struct fixture *f, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s.bus-S", f->path);
	file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
}

/* A place that cannot be read is none: rather twice than never. */
static void test_spoiled_place(void **state)
{
	static const char *const spoiled[] = {"", "x", "1", "1 1", "1 1\n\n",
	    "-1 1\n", "1 -1\n", "99999999999999999999 1\n", "1 1 1\n"};
	struct fixture *f = *state;
	struct bus_outbox *o;

	store(f, "BTC-USD", 1);
	for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
		write_place(f, spoiled[i]);
		o = open_outbox(f);
		assert_int_equal(next(o), 1);
		bus_outbox_close(o);
	}
	write_place(f, "1 0\n");
	o = open_outbox(f);
	assert_int_equal(next(o), 0);
	bus_outbox_close(o);
}

/* At the first start: the last hour, not years. */
static void test_first_start(void **state)
{
	struct fixture *f = *state;
	char error[BUS_OUTBOX_ERROR_MAX];
	struct bus_outbox *o;

	store(f, "BTC-USD", 1);
	assert_int_equal(bus_outbox_open(&o, f->path, "S",
			     NOW_MS + BUS_OUTBOX_FIRST_MS, error),
	    0);
	assert_int_equal(next(o), 0);
	store(f, "BTC-USD", 2);
	assert_int_equal(next(o), 1);
	bus_outbox_close(o);
}

/* Rows were moved away: numbers begin anew below our place. */
static void test_emptied(void **state)
{
	struct fixture *f = *state;
	struct bus_outbox *o;

	store(f, "BTC-USD", 1);
	store(f, "BTC-USD", 2);
	o = open_outbox(f);
	assert_int_equal(next(o), 2);
	bus_outbox_done(o, NOW_MS);
	ask(f, "DELETE FROM items");
	assert_int_equal(next(o), 0);
	store(f, "BTC-USD", 3);
	assert_int_equal(next(o), 1);
	bus_outbox_close(o);
}

static void test_rows_of_strangers(void **state)
{
	struct fixture *f = *state;
	struct bus_outbox *o;

	store(f, "BTC-USD", 1);
	store(f, "BTC-USD", 2);
	ask(f, "UPDATE items SET signature=NULL WHERE sequence=1");
	ask(f, "UPDATE items SET signature=x'' WHERE sequence=1");
	o = open_outbox(f);
	assert_int_equal(next(o), 1);
	bus_outbox_done(o, NOW_MS);
	assert_int_equal(bus_outbox_waiting(o), 0);
	bus_outbox_close(o);
}

static void test_heads_come_last(void **state)
{
	struct fixture *f = *state;
	struct bus_outbox *o;

	store(f, "BTC-USD", 1);
	ask(f, "INSERT INTO tree_heads SELECT boot_id, 1, 'head', x'00',"
	       " attestation_sha256, published_ms, received_ms, 'x'"
	       " FROM items");
	o = open_outbox(f);
	assert_int_equal(next(o), 1);
	assert_string_equal(letters[0].subject, "item.BTC-USD");
	bus_outbox_done(o, NOW_MS);
	assert_int_equal(next(o), 1);
	assert_string_equal(
	    letters[0].subject, "head.07070707070707070707070707070707");
	assert_string_equal(
	    letters[0].id, "head-07070707070707070707070707070707-1");
	bus_outbox_done(o, NOW_MS);
	assert_int_equal(next(o), 0);
	bus_outbox_close(o);
}

static void test_documents(void **state)
{
	struct fixture *f = *state;
	struct bus_outbox *o;
	uint8_t other[HM_SHA256_LEN] = {1}, *bytes;
	size_t len;

	store(f, "BTC-USD", 1);
	o = open_outbox(f);
	assert_int_equal(
	    bus_outbox_document(o, f->document->sha256, &bytes, &len), 0);
	assert_int_equal(len, 8);
	assert_memory_equal(bytes, "document", 8);
	free(bytes);
	assert_int_equal(bus_outbox_document(o, other, &bytes, &len), -1);
	assert_null(bytes);
	bus_outbox_close(o);
}

static void test_no_archive(void **state)
{
	struct bus_outbox *o;
	char error[BUS_OUTBOX_ERROR_MAX] = "";

	(void)state;
	assert_int_equal(
	    bus_outbox_open(&o, "/nonexistent/a.db", "S", NOW_MS, error), -1);
	assert_null(o);
	assert_true(error[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_in_order),
	    TEST(test_again_until_done),
	    TEST(test_batches),
	    TEST(test_only_what_was_accepted),
	    TEST(test_spoiled_place),
	    TEST(test_first_start),
	    TEST(test_emptied),
	    TEST(test_rows_of_strangers),
	    TEST(test_heads_come_last),
	    TEST(test_documents),
	    TEST(test_no_archive),
	};

	return cmocka_run_group_tests_name("bus_outbox", tests, NULL, NULL);
}
