/*
 * log_fixture: an archive's tables, items of two feeds in it, and the heads
 * that an oracle would sign over them, genuinely signed (mint.h). What the
 * oracle believes is kept apart from what is in the file.
 */
#ifndef HALLMARK_TESTS_DAEMON_LOG_FIXTURE_H
#define HALLMARK_TESTS_DAEMON_LOG_FIXTURE_H

#include "feeds/hex.h"
#include "mint.h"
#include "verifier/archive/archive_schema.h"
#include "verifier/daemon/log_answer.h"
#include "verifier/daemon/log_store.h"
#include "verifier/merkle.h"
#include "verifier/tree_head.h"

#include <dirent.h>
#include <sqlite3.h>

#define FEEDS 2

static const char *const feed_names[FEEDS] = {"BTC-USD", "ETH-USD"};

/* The oracle's side: what it would sign next. */
struct teller {
	struct merkle tree;
	struct hm_head last; /* of it nothing, while next_number is 0 */
	uint64_t next_number;
	uint64_t counts[FEEDS];
	char salt; /* another history has another */
};

struct log_fixture {
	char folder[64], path[96];
	sqlite3 *db;
	struct kept_document *document;
	struct teller teller;
	int64_t now_ms;
};

static inline void sql(struct log_fixture *f, const char *text)
{
	char *error = NULL;

	if (sqlite3_exec(f->db, text, NULL, NULL, &error))
		fail_msg("%s: %s", text, error);
}

static inline int64_t sql_number(struct log_fixture *f, const char *text)
{
	sqlite3_stmt *s = NULL;
	int64_t number;

	assert_int_equal(sqlite3_prepare_v2(f->db, text, -1, &s, NULL), 0);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	number = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return number;
}

static inline void open_db(struct log_fixture *f)
{
	assert_int_equal(sqlite3_open(f->path, &f->db), 0);
	sql(f, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF");
}

static inline void put_document(struct log_fixture *f)
{
	sqlite3_stmt *s = NULL;

	assert_int_equal(sqlite3_prepare_v2(f->db,
			     "INSERT INTO attestations VALUES(?1,?2,"
			     "'simulated',?3,1)",
			     -1, &s, NULL),
	    0);
	sqlite3_bind_text(s, 1, f->document->sha256_hex, -1, SQLITE_STATIC);
	sqlite3_bind_blob(
	    s, 2, mint.document, (int)mint.document_len, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, mint.pem, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
}

static inline int log_setup(void **state)
{
	struct log_fixture *f = calloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/log-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/a.db", f->folder);
	open_db(f);
	assert_int_equal(
	    archive_schema_upgrade(f->db, 0, ARCHIVE_SCHEMA_VERSION), 0);
	f->document = kept_document_new(mint.document, mint.document_len);
	f->now_ms = now_unix_ms();
	f->teller.salt = 'a';
	put_document(f);
	*state = f;
	return 0;
}

static inline int log_teardown(void **state)
{
	struct log_fixture *f = *state;
	char path[400];
	struct dirent *entry;
	DIR *dir;

	sqlite3_close(f->db);
	dir = opendir(f->folder);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", f->folder, entry->d_name);
		unlink(path);
	}
	closedir(dir);
	assert_int_equal(rmdir(f->folder), 0);
	kept_document_unref(f->document);
	free(f);
	return 0;
}

/* ---- items ---- */

static inline void item_sha256(const struct teller *t, size_t feed,
    uint64_t sequence, char content[64], uint8_t sha256[32])
{
	snprintf(content, 64, "%s %llu %c", feed_names[feed],
	    (unsigned long long)sequence, t->salt);
	SHA256((const uint8_t *)content, strlen(content), sha256);
}

/* Into the file, without the oracle's knowing. */
static inline void put_item(struct log_fixture *f, const struct teller *t,
    size_t feed, uint64_t sequence)
{
	uint8_t sha256[32];
	char content[64], hex[65], boot[33], *text;

	item_sha256(t, feed, sequence, content, sha256);
	hex_encode(sha256, 32, hex);
	hex_encode(mint.boot_id, 16, boot);
	text = sqlite3_mprintf(
	    "INSERT INTO items VALUES(%Q,%Q,%lld,%Q,x'00',%Q,"
	    "1,1,1,%Q,0)",
	    feed_names[feed], boot, (long long)sequence, content,
	    f->document->sha256_hex, hex);
	sql(f, text);
	sqlite3_free(text);
}

/* n more of this feed; `kept`: they are in the file too. */
static inline void more(
    struct log_fixture *f, struct teller *t, size_t feed, uint64_t n, bool kept)
{
	sql(f, "BEGIN");
	for (; n > 0; n--, t->counts[feed]++)
		if (kept)
			put_item(f, t, feed, t->counts[feed]);
	sql(f, "COMMIT");
}

/* ---- heads ---- */

static inline struct record *sign_head(
    struct log_fixture *f, const struct hm_head *head)
{
	static char content[TREE_HEAD_CONTENT_MAX];
	struct record *r = record_new("http://oracle", "", "", 0, f->now_ms);
	uint8_t signature[512];
	struct hm_envelope e = {
	    .content = content,
	    .signature = signature,
	    .signature_len = sizeof(signature),
	    .public_key = mint.pem,
	    .platform = "simulated",
	};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	char *json;

	assert_int_equal(
	    tree_head_encode(head, content, sizeof(content), &e.content_len),
	    0);
	SHA256(mint.document, mint.document_len, e.attestation_sha256);
	assert_int_equal(
	    EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, mint.key), 1);
	assert_int_equal(EVP_DigestSign(md, signature, &e.signature_len,
			     (const uint8_t *)content, e.content_len),
	    1);
	EVP_MD_CTX_free(md);
	json = envelope_format(&e, false);
	assert_int_equal(
	    hm_envelope_parse(&r->envelope, json, strlen(json)), HM_VALID);
	free(json);
	r->is_head = true;
	r->document = kept_document_ref(f->document);
	r->head = malloc(sizeof(*head));
	*r->head = *head;
	SHA256((uint8_t *)content, e.content_len, r->head->content_sha256);
	memcpy(r->content_sha256, r->head->content_sha256, 32);
	memcpy(r->boot_id, head->boot_id, 16);
	r->published_ms = head->published_ms;
	return r;
}

static inline void add_leaves(struct teller *t)
{
	char content[64];
	uint8_t sha256[32], leaf[32];

	for (size_t i = 0; i < FEEDS; i++) {
		uint64_t n = 0;

		for (size_t j = 0; j < t->last.feed_count; j++)
			if (strcmp(t->last.feeds[j].feed, feed_names[i]) == 0)
				n = t->last.feeds[j].next_sequence;
		for (; n < t->counts[i]; n++) {
			item_sha256(t, i, n, content, sha256);
			assert_int_equal(merkle_leaf(sha256, 32, leaf), 0);
			assert_int_equal(
			    merkle_append(&t->tree, leaf, NULL, NULL), 0);
		}
	}
}

/* Takes the oracle's tree as it is. */
static inline struct record *head_of_tree(
    struct log_fixture *f, struct teller *t)
{
	struct hm_head head = {.number = t->next_number};
	struct record *r;

	memcpy(head.boot_id, mint.boot_id, 16);
	memcpy(head.config_sha256, mint.config_sha256, 32);
	head.tree_size = t->tree.size;
	head.published_ms = f->now_ms + (int64_t)head.number;
	assert_int_equal(merkle_root(&t->tree, head.root_sha256), 0);
	memcpy(head.frontier, t->tree.frontier, sizeof(head.frontier));
	head.frontier_count = t->tree.frontier_count;
	for (size_t i = 0; i < FEEDS; i++) {
		struct hm_head_feed *feed = &head.feeds[head.feed_count];

		if (!t->counts[i])
			continue;
		snprintf(feed->feed, sizeof(feed->feed), "%s", feed_names[i]);
		feed->next_sequence = t->counts[i];
		head.feed_count++;
	}
	if (head.number)
		memcpy(head.previous_sha256, t->last.content_sha256, 32);
	r = sign_head(f, &head);
	t->last = *r->head;
	t->next_number++;
	return r;
}

/* The oracle's next head, over all that it has by now. */
static inline struct record *next_head(struct log_fixture *f, struct teller *t)
{
	add_leaves(t);
	return head_of_tree(f, t);
}

/* Stores it as the archive does; takes it. */
static inline struct record_finding store(
    struct log_fixture *f, struct record *r, enum record_outcome outcome)
{
	struct record_finding finding;

	sql(f, "BEGIN IMMEDIATE");
	assert_int_equal(log_store_write(f->db, r), 0);
	sql(f, "COMMIT");
	assert_int_equal(r->outcome, outcome);
	finding = r->finding;
	record_free(r);
	return finding;
}

static inline struct record_finding store_next(struct log_fixture *f)
{
	return store(f, next_head(f, &f->teller), RECORD_STORED);
}

/* ---- questions ---- */

/* Checks the status, or the problem's code; the caller frees the JSON. */
static inline char *asked(struct log_fixture *f, struct log_question q,
    unsigned status, const char *code)
{
	struct log_answer answer;

	log_answer(&answer, f->db, &q);
	if (answer.status != status ||
	    (code && (!answer.code || strcmp(answer.code, code) != 0)))
		fail_msg("wanted %u %s, found %u %s %s", status,
		    code ? code : "", answer.status,
		    answer.code ? answer.code : "", answer.detail);
	return answer.json;
}

static inline void included(struct log_fixture *f, size_t feed,
    uint64_t sequence, uint64_t size, unsigned status, const char *code)
{
	struct log_question q = {
	    .asked = LOG_ASKED_INCLUSION, .sequence = sequence, .size = size};

	snprintf(q.feed, sizeof(q.feed), "%s", feed_names[feed]);
	free(asked(f, q, status, code));
}

static inline void consistent(struct log_fixture *f, uint64_t from, uint64_t to,
    unsigned status, const char *code)
{
	free(asked(f,
	    (struct log_question){
		.asked = LOG_ASKED_CONSISTENCY, .from = from, .size = to},
	    status, code));
}

#endif
