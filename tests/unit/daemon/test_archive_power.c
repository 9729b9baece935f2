/* archive: what was announced is there after a power cut at any moment,
 * whatever the disk had still to write. */
#include "archive_fixture.h"
#include "base/log.h"
#include "power_vfs.h"
#include "verifier/daemon/archive_db.h"

#define BATCHES 60
#define ITEMS   4
#define CUTS    150
#define LONG    900 /* bytes of an item: so that checkpoints happen */

struct cuts {
	char folder[64];
	int count;
	uint64_t announced;          /* items, now */
	uint64_t at_least[CUTS + 1]; /* of each cut */
	unsigned one_in;             /* moments that are taken */
};

static void path_of(const struct cuts *c, int i, char out[96])
{
	snprintf(out, 96, "%s/%d.db", c->folder, i);
}

static void on_moment(void *data)
{
	struct cuts *c = data;
	char path[96];

	if (c->count == CUTS || power_random(c->one_in))
		return;
	path_of(c, c->count, path);
	power_cut(path);
	c->at_least[c->count++] = c->announced;
}

static struct record *batch(struct kept_document *document, uint64_t first)
{
	struct record *list = NULL;
	char content[LONG + 1];

	memset(content, 'x', LONG);
	content[LONG] = '\0';
	for (uint64_t i = first + ITEMS; i-- > first;) {
		struct record *r;

		snprintf(content, 32, "item %llu", (unsigned long long)i);
		content[strlen(content)] = ' ';
		r = made_record(
		    document, i % 2 ? "BTC-USD" : "ETH-USD", 1, i, content);
		r->next = list;
		list = r;
	}
	return list;
}

static void free_list(struct record *list)
{
	while (list) {
		struct record *next = list->next;

		record_free(list);
		list = next;
	}
}

/* Announces batch after batch, while cuts are taken. */
static void write_all(struct cuts *c, const char *path)
{
	struct kept_document *d = kept_document_new((uint8_t *)"document", 8);
	char error[ARCHIVE_ERROR_MAX];
	struct archive *archive;

	assert_int_equal(archive_open(&archive, path, error), ARCHIVE_OK);
	for (int i = 0; i < BATCHES; i++) {
		struct record *list = batch(d, (uint64_t)i * ITEMS);

		assert_int_equal(
		    archive_commit(archive, list, error), ARCHIVE_OK);
		c->announced += ITEMS;
		free_list(list);
		if (i % 10 == 9) /* as happens every 4000 pages */
			(void)sqlite3_exec(archive->db, "PRAGMA wal_checkpoint",
			    NULL, NULL, NULL);
	}
	power.watching = false;
	archive_close(archive);
	kept_document_unref(d);
}

static void check_cut(const struct cuts *c, int i)
{
	struct fixture f = {.archive = NULL};
	char error[ARCHIVE_ERROR_MAX];
	int64_t items;

	path_of(c, i, f.path);
	if (c->at_least[i] == 0 && access(f.path, F_OK) == 0 &&
	    archive_open(&f.archive, f.path, error) != ARCHIVE_OK)
		return; /* cut while it was made, before anything was said */
	if (!f.archive && archive_open(&f.archive, f.path, error))
		fail_msg("cut %d: %s", i, error);
	items = ask(&f, "SELECT count(*) FROM items");
	if (items < (int64_t)c->at_least[i])
		fail_msg("cut %d: %lld items of %llu", i, (long long)items,
		    (unsigned long long)c->at_least[i]);
	assert_int_equal(items % ITEMS, 0); /* whole batches */
	assert_int_equal(
	    ask(&f, "SELECT count(*) FROM items WHERE content NOT LIKE"
		    " 'item ' || sequence || ' %'"),
	    0);
	assert_int_equal(ask(&f, "SELECT count(*) FROM pragma_integrity_check"
				 " WHERE integrity_check != 'ok'"),
	    0);
	archive_close(f.archive);
}

static void remove_cut(const struct cuts *c, int i)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char path[96], name[128];

	path_of(c, i, path);
	for (int k = 0; k < 4; k++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[k]);
		unlink(name);
	}
}

static void cut_at_any_moment(unsigned seed)
{
	struct cuts c = {.one_in = 7};
	char path[96];

	snprintf(c.folder, sizeof(c.folder), "/tmp/power-XXXXXX");
	assert_non_null(mkdtemp(c.folder));
	path_of(&c, CUTS, path);
	power_install();
	power.seed = seed;
	power.moment = on_moment;
	power.data = &c;
	power.watching = true;
	write_all(&c, path);
	power_uninstall();
	assert_int_equal(c.count, CUTS);
	assert_true(c.at_least[CUTS - 1] > 20 * ITEMS);
	for (int i = 0; i < CUTS; i++)
		check_cut(&c, i);
	for (int i = 0; i <= CUTS; i++)
		remove_cut(&c, i);
	assert_int_equal(rmdir(c.folder), 0);
}

static void test_power_cut(void **state)
{
	const char *seed = getenv("HALLMARK_SEED");
	unsigned first = seed ? (unsigned)strtoul(seed, NULL, 10)
			      : (unsigned)getpid();

	(void)state;
	log_set_level(LOG_ERROR + 1);
	for (unsigned i = 0; i < 3; i++) {
		print_message("# HALLMARK_SEED=%u\n", first + i);
		cut_at_any_moment(first + i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_power_cut)};

	return cmocka_run_group_tests_name("archive_power", tests, NULL, NULL);
}
