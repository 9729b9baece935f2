/*
 * replay: a small archive, written by the daemon's own archive, and each thing
 * that can be done to it afterwards. Every finding names its item.
 */
#include "tests/unit/daemon/mint.h"

#include "feeds/aggregate.h"
#include "feeds/hex.h"
#include "oracle/attester_simulated.h"
#include "verifier/archive/replay.h"
#include "verifier/daemon/archive.h"

#include <sqlite3.h>

#define ITEMS   40 /* of each feed */
#define FEEDS   2
#define JOBS    4
#define YEARS_2 ((int64_t)2 * 365 * 86400 * 1000)

static const char *const feed_names[FEEDS] = {"BTC-USD", "ETH-USD"};

static char folder[64], path[96];
static struct feed_set *feeds;
static struct hm_policy *policies[JOBS];
static int64_t start_ms;
static char told[16384]; /* each finding: its kind, feed and number */
static char last_text[REPLAY_TEXT_MAX];
static size_t lines;
static struct replay_report report;
static bool live, with_config;
static unsigned jobs;

/* ---- the archive ---- */

static struct record *make_record_of(
    struct kept_document *document, const char *json)
{
	struct record *r = record_new(
	    "http://oracle", "", json, strlen(json), 1);
	static struct item item;

	assert_int_equal(r->parsed, HM_VALID);
	assert_int_equal(
	    item_decode(&item, r->envelope.content, r->envelope.content_len),
	    0);
	r->document = kept_document_ref(document);
	snprintf(r->feed, sizeof(r->feed), "%s", item.feed);
	memcpy(r->boot_id, item.boot_id, 16);
	r->sequence = item.sequence;
	r->published_ms = item.published_ms;
	r->expires_ms = item.expires_ms;
	SHA256((const uint8_t *)r->envelope.content, r->envelope.content_len,
	    r->content_sha256);
	return r;
}

/* An envelope around these bytes, signed by the mint's key. */
static char *mint_signed(const char *content, size_t len)
{
	uint8_t signature[512];
	struct hm_envelope e = {
	    .content = (char *)(uintptr_t)content,
	    .content_len = len,
	    .signature = signature,
	    .signature_len = sizeof(signature),
	    .public_key = mint.pem,
	    .platform = "simulated",
	};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	char *json;

	SHA256(mint.document, mint.document_len, e.attestation_sha256);
	assert_int_equal(
	    EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, mint.key), 1);
	assert_int_equal(EVP_DigestSign(md, signature, &e.signature_len,
			     (const uint8_t *)content, len),
	    1);
	EVP_MD_CTX_free(md);
	json = envelope_format(&e, false);
	assert_non_null(json);
	return json;
}

/* One item of each feed a second; `cents` says what it costs then. */
static void write_archive(int64_t (*cents)(uint64_t sequence))
{
	struct kept_document *document = kept_document_new(
	    mint.document, mint.document_len);
	uint8_t previous[FEEDS][32] = {0};
	char error[ARCHIVE_ERROR_MAX] = "";
	struct archive *archive;

	assert_int_equal(archive_open(&archive, path, error), 0);
	for (uint64_t n = 0; n < ITEMS; n++)
		for (int f = 0; f < FEEDS; f++) {
			const struct mint_wish wish = {.feed = feed_names[f],
			    .sequence = n,
			    .published_ms = start_ms + 1000 * (int64_t)n,
			    .cents = cents(n),
			    .previous = previous[f]};
			char *json = mint_item(&mint, &wish, previous[f]);
			struct record *r = make_record_of(document, json);

			assert_int_equal(archive_commit(archive, r, error), 0);
			record_free(r);
			free(json);
		}
	archive_close(archive);
	kept_document_unref(document);
}

static int64_t steady(uint64_t sequence)
{
	return 8400000 + (int64_t)sequence;
}

static int64_t jumping(uint64_t sequence)
{
	return sequence < 20 ? 8400000 : 9900000;
}

static void run_sql(const char *text)
{
	char *error = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &error))
		fail_msg("%s: %s", text, error);
	sqlite3_close(db);
}

static void drop_archive(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char each[128];

	for (int i = 0; i < 3; i++) {
		snprintf(each, sizeof(each), "%s%s", path, suffixes[i]);
		unlink(each);
	}
}

static int setup(void **state)
{
	(void)state;
	drop_archive();
	write_archive(steady);
	live = false;
	with_config = true;
	jobs = 1;
	return 0;
}

/* The feed that mint's items are of. */
static void make_feeds(void)
{
	char error[FEED_CONFIG_ERROR_MAX] = "";
	json_t *array = json_array();

	feeds = calloc(1, sizeof(*feeds));
	for (int f = 0; f < FEEDS; f++)
		json_array_append_new(array,
		    json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:[{s:s, s:s}]}",
			"feed", feed_names[f], "decimals", 2, "interval_ms",
			1000, "max_age_ms", 5000, "min_sources", 1,
			"max_jump_bps", 1000, "sources", "exchange", "kraken",
			"symbol", "XBTUSD"));
	if (feed_set_parse(feeds, array, error))
		fail_msg("%s", error);
	json_decref(array);
}

static int64_t two_years_ago(void)
{
	return now_unix_ms() - YEARS_2;
}

/* A mint whose chain ended two years ago, short of a few hours. */
static int setup_all(void **state)
{
	char error[ATTESTER_ERROR_MAX] = "";

	make_mint(state);
	mint.attester->ops->close(mint.attester);
	hm_policy_free(mint.policy);
	snprintf(path, sizeof(path), "%s/simulated-root.pem", mint.folder);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/simulated-root-key.pem", mint.folder);
	assert_int_equal(unlink(path), 0);
	mint.attester = attester_simulated_open_at(
	    mint.folder, two_years_ago, error);
	assert_non_null(mint.attester);
	mint_document(&mint);
	for (int i = 0; i < JOBS; i++) {
		mint_policy(&mint);
		policies[i] = mint.policy;
	}
	start_ms = two_years_ago() + 1000;
	make_feeds();
	snprintf(folder, sizeof(folder), "/tmp/replay-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/archive.db", folder);
	return 0;
}

static int teardown_all(void **state)
{
	drop_archive();
	rmdir(folder);
	free(feeds);
	for (int i = 0; i < JOBS - 1; i++) /* the last is mint's */
		hm_policy_free(policies[i]);
	return free_mint(state);
}

/* ---- replaying it ---- */

static void on_finding(const struct replay_finding *f, void *data)
{
	size_t at = strlen(told);

	(void)data;
	snprintf(told + at, sizeof(told) - at, "%s%s", at ? ", " : "",
	    replay_kind_name(f->kind));
	at = strlen(told);
	if (f->has_sequence)
		snprintf(told + at, sizeof(told) - at, " %.3s %llu", f->feed,
		    (unsigned long long)f->sequence);
	snprintf(last_text, sizeof(last_text), "%s", f->text);
}

static void on_line(const struct replay_line *line, void *data)
{
	(void)data;
	(void)line;
	lines++;
}

static void read_files(struct replay *replay, const char *const *files)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX] = "";

	for (; *files; files++) {
		struct archive_source *source;

		if (archive_source_open(&source, *files, error))
			fail_msg("%s", error);
		replay_read(replay, source);
		archive_source_close(source);
	}
}

static void replay_files(const char *const *files)
{
	struct replay_options options = {
	    .policies = (const struct hm_policy *const *)policies,
	    .jobs = jobs,
	    .live = live,
	    .now_ms = now_unix_ms(),
	    .feeds = with_config ? feeds : NULL,
	    .finding = on_finding,
	    .line = on_line};
	struct replay *replay;

	memset(options.config_sha256, 0x42, sizeof(options.config_sha256));
	told[0] = last_text[0] = '\0';
	lines = 0;
	replay = replay_new(&options);
	assert_non_null(replay);
	read_files(replay, files);
	replay_end(replay, &report);
	replay_free(replay);
}

static void replay_it(void)
{
	replay_files((const char *const[]){path, NULL});
}

/* After this was done to the file, this is found. */
static void assert_found(
    const char *done, const char *found, enum hm_verdict worst)
{
	run_sql(done);
	replay_it();
	assert_string_equal(told, found);
	assert_int_equal(report.worst, worst);
}

/* ---- as it was written ---- */

static void whole(void **state)
{
	(void)state;
	replay_it();
	assert_string_equal(told, "");
	assert_int_equal(report.items, FEEDS * ITEMS);
	assert_int_equal(report.valid, FEEDS * ITEMS);
	assert_int_equal(report.whole, FEEDS * ITEMS);
	assert_int_equal(report.jump_open, 0);
	assert_int_equal(report.part, 0);
	assert_int_equal(report.documents, 1);
	assert_int_equal(report.worst, HM_VALID);
	assert_int_equal(report.first_ms, start_ms);
	assert_int_equal(report.last_ms, start_ms + 1000 * (ITEMS - 1));
	assert_int_equal(lines, FEEDS);
}

static void without_configuration(void **state)
{
	(void)state;
	with_config = false;
	replay_it();
	assert_string_equal(told, "");
	assert_int_equal(report.whole, 0);
	assert_int_equal(report.part, FEEDS * ITEMS);
}

/* The chains of all these items ended two years ago: they were good then, and
 * are not now. */
static void expired_long_ago(void **state)
{
	(void)state;
	live = true;
	replay_it();
	assert_int_equal(report.valid, 0);
	assert_int_equal(report.verdicts[HM_CHAIN_EXPIRED], FEEDS * ITEMS);
	assert_int_equal(report.worst, HM_CHAIN_EXPIRED);
	assert_memory_equal(told, "refused BTC 0, refused ETH 0", 28);
}

/* The same archive twice: a copy that agrees is none the worse. */
static void two_files(void **state)
{
	(void)state;
	replay_files((const char *const[]){path, path, NULL});
	assert_string_equal(told, "");
	assert_int_equal(report.twice, FEEDS * ITEMS);
	assert_int_equal(report.worst, HM_VALID);
}

/* ---- what was done to it ---- */

static void signature(void **state)
{
	(void)state;
	assert_found("UPDATE items SET signature="
		     "CAST(CASE hex(substr(signature,1,1)) WHEN '00' THEN"
		     " x'01' ELSE x'00' END||substr(signature,2) AS BLOB)"
		     " WHERE feed='ETH-USD' AND sequence=7",
	    "refused ETH 7, sequence_gap ETH 7", HM_ITEM_SIGNATURE);
}

static void content(void **state)
{
	(void)state;
	assert_found("UPDATE items SET content="
		     "replace(content,'\"last\":\"8400','\"last\":\"8410')"
		     " WHERE feed='BTC-USD' AND sequence=39",
	    "refused BTC 39, end_missing BTC 39", HM_ITEM_SIGNATURE);
}

/* What the index goes by is put right by hand, as a forger would. */
static void columns(void **state)
{
	static const char *const changes[] = {"feed='XRP-USD'",
	    "boot_id='00112233445566778899aabbccddeeff'", "sequence=77",
	    "published_ms=published_ms+1", "expires_ms=expires_ms+1",
	    "content_sha256=substr(content_sha256,33)||"
	    "substr(content_sha256,1,32)"};
	char text[256];

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		setup(state);
		snprintf(text, sizeof(text),
		    "UPDATE items SET %s WHERE feed='ETH-USD' AND sequence=5",
		    changes[i]);
		assert_found(text, "row_mismatch ETH 5", HM_CONTENT_MALFORMED);
	}
}

static void removed(void **state)
{
	(void)state;
	assert_found("DELETE FROM items WHERE feed='BTC-USD' AND sequence=11",
	    "sequence_gap BTC 11", HM_SEQUENCE_GAP);
	assert_non_null(strstr(last_text, "is missing, between "));
	assert_found("DELETE FROM items WHERE sequence BETWEEN 20 AND 22",
	    "sequence_gap BTC 11, sequence_gap BTC 20, sequence_gap ETH 20",
	    HM_SEQUENCE_GAP);
	assert_int_equal(report.valid, FEEDS * ITEMS - 7);
}

/* Two rows whose items have changed places. */
static void swapped(void **state)
{
	(void)state;
	assert_found("CREATE TEMP TABLE t AS SELECT * FROM items;"
		     "UPDATE items SET content=(SELECT content FROM t WHERE"
		     "  t.feed=items.feed AND t.sequence=31-items.sequence),"
		     " signature=(SELECT signature FROM t WHERE"
		     "  t.feed=items.feed AND t.sequence=31-items.sequence)"
		     " WHERE feed='BTC-USD' AND sequence IN (15,16)",
	    "row_mismatch BTC 16, row_mismatch BTC 15, out_of_order BTC 15",
	    HM_CONTENT_MALFORMED);
}

/* Whole rows that have changed places: nothing but their order shows it. */
static void rows_moved(void **state)
{
	(void)state;
	assert_found("UPDATE items SET rowid=-1 WHERE feed='BTC-USD' AND"
		     " sequence=15;"
		     "UPDATE items SET rowid=31 WHERE feed='BTC-USD' AND"
		     " sequence=16;"
		     "UPDATE items SET rowid=33 WHERE rowid=-1",
	    "out_of_order BTC 15", HM_SEQUENCE_REPLAY);
	/* the daemon says so of those that came late */
	assert_found("UPDATE items SET late=1 WHERE feed='BTC-USD' AND"
		     " sequence=15",
	    "", HM_VALID);
	assert_int_equal(report.late, 1);
}

/* Whatever the policy asks: what is no enclave's word is no part of an
 * archive. */
static void false_cosignature(void **state)
{
	(void)state;
	assert_found("INSERT INTO cosignatures SELECT feed, boot_id, sequence,"
		     " attestation_sha256, content, signature FROM items"
		     " WHERE sequence=7",
	    "cosignature BTC 7, cosignature ETH 7", HM_QUORUM_MISSING);
	assert_string_equal(last_text, "1 of its 1 co-signatures do not hold");
}

static void truncated(void **state)
{
	(void)state;
	assert_found("DELETE FROM items WHERE feed='ETH-USD' AND sequence>36",
	    "end_missing ETH 39", HM_SEQUENCE_GAP);
	assert_non_null(strstr(last_text, "36 is the last"));
	assert_found("DELETE FROM items WHERE feed='ETH-USD'",
	    "end_missing ETH 39", HM_SEQUENCE_GAP);
	assert_non_null(strstr(last_text, "there is none"));
}

/* The archive's record of its newest items also has those that went into a
 * file of their own before this one begins. */
static void before_this_file(void **state)
{
	char text[256];

	(void)state;
	snprintf(text, sizeof(text),
	    "INSERT INTO heads VALUES('BTC-USD',"
	    "'ffffffffffffffffffffffffffffffff',9,%lld,'%064d')",
	    (long long)start_ms - 1, 0);
	assert_found(text, "", HM_VALID);
	assert_found("UPDATE heads SET published_ms=published_ms+1"
		     " WHERE sequence=9",
	    "end_missing BTC 9", HM_SEQUENCE_GAP);
	assert_found("UPDATE heads SET boot_id='x' WHERE sequence=9",
	    "damaged BTC 9", HM_ENVELOPE_MALFORMED);
}

/* Another boot's name on all of a feed's rows, and in the items too. */
static void replaced_boot(void **state)
{
	(void)state;
	run_sql("UPDATE items SET boot_id='ffffffffffffffffffffffffffffffff'"
		" WHERE feed='ETH-USD'");
	replay_it();
	assert_int_equal(report.findings[REPLAY_ROW_MISMATCH], ITEMS);
	run_sql("UPDATE items SET content=replace(content,"
		"'\"boot_id\":\"01010101010101010101010101010101\"',"
		"'\"boot_id\":\"ffffffffffffffffffffffffffffffff\"')"
		" WHERE feed='ETH-USD'");
	replay_it();
	assert_int_equal(report.verdicts[HM_ITEM_SIGNATURE], ITEMS);
	assert_int_equal(report.findings[REPLAY_END_MISSING], 1);
}

static void no_document(void **state)
{
	(void)state;
	run_sql("PRAGMA foreign_keys=0; DELETE FROM attestations");
	replay_it();
	assert_int_equal(
	    report.verdicts[HM_ATTESTATION_MISSING], FEEDS * ITEMS);
	assert_int_equal(report.valid, 0);
}

/* ---- prices ---- */

/* Signed by the right key, and yet: 84000 to 99000 in one second is a jump
 * that the guard would have held back. */
static void jump(void **state)
{
	(void)state;
	drop_archive();
	write_archive(jumping);
	assert_found("SELECT 1", "price_mismatch BTC 20, price_mismatch ETH 20",
	    HM_CONTENT_MALFORMED);
	assert_non_null(strstr(last_text, "a jump"));
	/* where the one before is missing, nobody can say */
	assert_found("DELETE FROM items WHERE sequence=19",
	    "sequence_gap BTC 19, sequence_gap ETH 19", HM_SEQUENCE_GAP);
	assert_int_equal(report.jump_open, FEEDS);
	with_config = false;
	assert_found("SELECT 1", "sequence_gap BTC 19, sequence_gap ETH 19",
	    HM_SEQUENCE_GAP);
}

/* ---- answers of exchanges ---- */

#define ANSWER                                                              \
	"{\"error\":[],\"result\":{\"XXBTZUSD\":{\"a\":[\"84010.10000\","   \
	"\"1\",\"1.0\"],\"b\":[\"84009.90000\",\"1\",\"1.0\"],\"c\":["      \
	"\"84010.00000\",\"0.1\"],\"v\":[\"1\",\"2\"],\"p\":[\"1\",\"2\"]," \
	"\"t\":[1,2],\"l\":[\"1\",\"2\"],\"h\":[\"1\",\"2\"],\"o\":\"1\"}}}"

/* An item of what kraken answered, and the answer beside it. */
static void write_answered(int64_t lie)
{
	static struct item item;
	struct item_source *s = &item.sources[0];
	const struct exchange *kraken = exchange_find("kraken");
	static const struct aggregate_past nothing;
	char content[ITEM_CONTENT_MAX], text[2048], hex[65];
	struct kept_document *document = kept_document_new(
	    mint.document, mint.document_len);
	char error[ARCHIVE_ERROR_MAX] = "";
	struct archive *archive;
	struct record *r;
	size_t len;
	char *json;

	item = (struct item){.published_ms = start_ms,
	    .expires_ms = start_ms + 5000,
	    .source_count = 1};
	snprintf(item.feed, sizeof(item.feed), "BTC-USD");
	memcpy(item.boot_id, mint.boot_id, 16);
	memcpy(item.config_sha256, mint.config_sha256, 32);
	snprintf(s->exchange, sizeof(s->exchange), "kraken");
	snprintf(s->symbol, sizeof(s->symbol), "XBTUSD");
	s->has_answer = true;
	s->received_ms = start_ms;
	SHA256((const uint8_t *)ANSWER, strlen(ANSWER), s->body_sha256);
	assert_int_equal(exchange_parse(&s->quote, kraken, s->symbol, 200,
			     ANSWER, strlen(ANSWER)),
	    QUOTE_OK);
	s->quote.last.mantissa += lie;
	aggregate(&feeds->feeds[0], &nothing, &item);
	assert_int_equal(item_encode(&item, content, sizeof(content), &len), 0);
	json = mint_signed(content, len);
	r = make_record_of(document, json);
	drop_archive();
	assert_int_equal(archive_open(&archive, path, error), 0);
	assert_int_equal(archive_commit(archive, r, error), 0);
	archive_close(archive);
	hex_encode(s->body_sha256, 32, hex);
	snprintf(text, sizeof(text),
	    "INSERT INTO raw VALUES('%s',CAST('%s' AS BLOB),0)", hex, ANSWER);
	run_sql(text);
	record_free(r);
	kept_document_unref(document);
	free(json);
}

static void answers(void **state)
{
	(void)state;
	write_answered(0);
	assert_found("SELECT 1", "", HM_VALID);
	assert_int_equal(report.raw, 1);
	assert_int_equal(report.answers, 1);
	write_answered(1);
	assert_found("SELECT 1", "raw_mismatch BTC 0", HM_CONTENT_MALFORMED);
	assert_non_null(strstr(last_text, "kraken XBTUSD"));
	/* one whose hash is another is damaged, not believed */
	assert_found("UPDATE raw SET body=CAST('{}' AS BLOB)", "damaged",
	    HM_ENVELOPE_MALFORMED);
	assert_int_equal(report.answers, 0);
}

/* ---- threads ---- */

/* What is told does not depend on them. */
static void threads(void **state)
{
	static char one[sizeof(told)];

	(void)state;
	run_sql("DELETE FROM items WHERE sequence IN (3,9);"
		"UPDATE items SET signature=zeroblob(256) WHERE sequence=20;"
		"UPDATE items SET feed='X-USD' WHERE rowid=50");
	replay_it();
	memcpy(one, told, sizeof(one));
	assert_int_not_equal(one[0], '\0');
	jobs = JOBS;
	replay_it();
	assert_string_equal(told, one);
}

static void worse(void **state)
{
	(void)state;
	assert_int_equal(replay_worse(HM_SEQUENCE_GAP, HM_ITEM_SIGNATURE),
	    HM_ITEM_SIGNATURE);
	assert_int_equal(replay_worse(HM_ITEM_SIGNATURE, HM_CHAIN_BROKEN),
	    HM_ITEM_SIGNATURE);
	assert_int_equal(
	    replay_worse(HM_VALID, HM_TIME_REGRESSION), HM_TIME_REGRESSION);
	assert_int_equal(
	    replay_worse(HM_CONTENT_MALFORMED, HM_VALID), HM_CONTENT_MALFORMED);
	assert_int_equal(replay_worse(HM_VALID, HM_VALID), HM_VALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(whole, setup),
	    cmocka_unit_test_setup(without_configuration, setup),
	    cmocka_unit_test_setup(expired_long_ago, setup),
	    cmocka_unit_test_setup(two_files, setup),
	    cmocka_unit_test_setup(signature, setup),
	    cmocka_unit_test_setup(content, setup),
	    cmocka_unit_test(columns),
	    cmocka_unit_test_setup(removed, setup),
	    cmocka_unit_test_setup(swapped, setup),
	    cmocka_unit_test_setup(rows_moved, setup),
	    cmocka_unit_test_setup(false_cosignature, setup),
	    cmocka_unit_test_setup(truncated, setup),
	    cmocka_unit_test_setup(before_this_file, setup),
	    cmocka_unit_test_setup(replaced_boot, setup),
	    cmocka_unit_test_setup(no_document, setup),
	    cmocka_unit_test_setup(jump, setup),
	    cmocka_unit_test_setup(answers, setup),
	    cmocka_unit_test_setup(threads, setup),
	    cmocka_unit_test(worse),
	};

	return cmocka_run_group_tests_name(
	    "replay", tests, setup_all, teardown_all);
}
