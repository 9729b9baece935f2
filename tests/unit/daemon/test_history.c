/* history: the past over HTTP, of a daemon that has just archived it. */
#include "verifierd_fixture.h"

#include "verifier/daemon/history.h"
#include "verifier/daemon/history_ask.h"

#include <semaphore.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ITEMS 7

static uint64_t first; /* of those that the daemon saw */

/* So many are archived and served. */
static void start_with_items(struct fixture *f)
{
	start_all(f);
	first = (uint64_t)count(f, "SELECT min(sequence) FROM items");
	while (f->sequence < first + ITEMS) {
		tick(f);
		TURN_FOR(&f->loop, 5);
	}
	TURN_UNTIL(
	    &f->loop, count(f, "SELECT count(*) FROM items") >= ITEMS &&
			  count(f, "SELECT max(sequence) FROM items") + 1 ==
			      (int64_t)f->sequence);
}

static json_t *body(const struct fixture *f)
{
	json_t *root = json_loads(f->body, JSON_REJECT_DUPLICATES, NULL);

	if (!root)
		fail_msg("no JSON: %s", f->body);
	return root;
}

static void verifies(const char *text, uint64_t sequence)
{
	struct hm_envelope e;
	struct hm_item item;

	assert_int_equal(hm_envelope_parse(&e, text, strlen(text)), HM_VALID);
	assert_int_equal(hm_item_verify_replay(mint.policy, NULL, &e,
			     e.document ? NULL : mint.document,
			     e.document ? 0 : mint.document_len, &item, NULL),
	    HM_VALID);
	assert_int_equal(item.sequence, sequence);
	hm_envelope_fini(&e);
}

/* ---- pages ---- */

static int64_t published_ms(struct fixture *f, uint64_t sequence)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
	    "SELECT published_ms FROM items WHERE sequence = %llu",
	    (unsigned long long)sequence);
	return count(f, sql);
}

static void test_pages(void **state)
{
	char path[256] = "/history?feed=BTC-USD&limit=2";
	struct fixture *f = *state;
	const char *cursor;
	uint64_t sequence;

	start_with_items(f);
	sequence = first;
	do {
		json_t *root, *items;

		assert_int_equal(get(f, path), 200);
		root = body(f);
		items = json_object_get(root, "items");
		for (size_t i = 0; i < json_array_size(items); i++) {
			char *one = json_dumps(
			    json_array_get(items, i), JSON_COMPACT);

			verifies(one, sequence++);
			free(one);
		}
		cursor = json_string_value(
		    json_object_get(root, "next_cursor"));
		snprintf(path, sizeof(path),
		    "/history?feed=BTC-USD&limit=2&cursor=%s",
		    cursor ? cursor : "");
		assert_int_equal(json_array_size(items) == 2 || !cursor, true);
		json_decref(root);
	} while (path[strlen(path) - 1] != '=');
	assert_int_equal(sequence, f->sequence);
}

/* As they stand in a content that stands in an envelope. */
static void test_order_and_range(void **state)
{
	struct fixture *f = *state;
	int64_t first_ms;
	char path[256];

	start_with_items(f);
	assert_int_equal(
	    get(f, "/history?feed=BTC-USD&order=desc&limit=1"), 200);
	snprintf(path, sizeof(path), "\\\"sequence\\\":%llu,",
	    (unsigned long long)f->sequence - 1);
	says(f, path);
	first_ms = published_ms(f, first);
	snprintf(path, sizeof(path), "/history?feed=BTC-USD&from=%lld&to=%lld",
	    (long long)first_ms, (long long)first_ms + 1);
	assert_int_equal(get(f, path), 200);
	snprintf(path, sizeof(path), "\\\"sequence\\\":%llu,",
	    (unsigned long long)first);
	says(f, path);
	assert_null(strstr(f->body, "attestation_doc_b64"));
	assert_int_equal(get(f, "/history?feed=BTC-USD&to=2026-01-01T00:00:00Z"
				"&from=0"),
	    200);
	says(f, "{\"items\":[],\"next_cursor\":null,\"damaged\":0}");
	assert_int_equal(
	    get(f, "/history?feed=BTC-USD&limit=1&attestation=full"), 200);
	says(f, "attestation_doc_b64");
}

/* One request with an Accept header; its own answer's Link goes to `link`. */
struct lines {
	char link[HISTORY_LINK_MAX], type[64];
};

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
	struct lines *lines = data;

	(void)size;
	if (n > 6 && strncasecmp(line, "link: ", 6) == 0)
		snprintf(lines->link, sizeof(lines->link), "%.*s", (int)n - 8,
		    line + 6);
	if (n > 14 && strncasecmp(line, "content-type: ", 14) == 0)
		snprintf(lines->type, sizeof(lines->type), "%.*s", (int)n - 16,
		    line + 14);
	return n;
}

static struct lines get_lines(
    struct fixture *f, const char *path, const char *accept)
{
	struct lines lines = {.link = ""};
	struct curl_slist *headers = curl_slist_append(NULL, accept);
	long status = request_with(f, path,
	    &(struct asked){
		.headers = headers, .on_header = on_header, .data = &lines});

	curl_slist_free_all(headers);
	assert_int_equal(status, 200);
	return lines;
}

#define NDJSON "Accept: application/x-ndjson"

static void test_lines(void **state)
{
	char path[HISTORY_LINK_MAX] = "/history?feed=BTC-USD&limit=3";
	struct fixture *f = *state;
	struct lines lines;
	uint64_t sequence;

	start_with_items(f);
	sequence = first;
	do {
		char *rest = f->body, *line;

		lines = get_lines(f, path, NDJSON);
		assert_string_equal(lines.type, "application/x-ndjson");
		while ((line = strsep(&rest, "\n")) && *line)
			verifies(line, sequence++);
		if (lines.link[0])
			assert_int_equal(sscanf(lines.link,
					     "<%511[^>]>; rel=\"next\"", path),
			    1);
	} while (lines.link[0]);
	assert_int_equal(sequence, f->sequence);
}

static void test_accept(void **state)
{
	static const struct {
		const char *accept, *type;
	} cases[] = {
	    {"Accept:", "application/json"},
	    {"Accept: */*", "application/json"},
	    {"Accept: application/x-ndjsons", "application/json"},
	    {"Accept: text/html;q=1, application/json", "application/json"},
	    {"Accept: application/json, Application/X-NDJSON ;q=0.5",
		"application/x-ndjson"},
	    {"Accept: ,,application/x-ndjson,", "application/x-ndjson"},
	};
	struct fixture *f = *state;

	start_with_items(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lines lines = get_lines(
		    f, "/history?feed=BTC-USD&limit=1", cases[i].accept);

		assert_string_equal(lines.type, cases[i].type);
		/* What is in the Link is what was asked. */
		assert_non_null(strstr(lines.link,
		    "</history?feed=BTC-USD&from=0&to=253402300799999&limit=1"
		    "&order=asc&attestation=ref&cursor="));
	}
}

/* ---- at a time ---- */

static long get_at(struct fixture *f, int64_t at_ms, const char *more)
{
	char path[128];

	snprintf(path, sizeof(path), "/price/BTC-USD?at_ms=%lld%s",
	    (long long)at_ms, more);
	return get(f, path);
}

static void test_at(void **state)
{
	struct fixture *f = *state;
	char text[64];

	start_with_items(f);
	assert_int_equal(get_at(f, published_ms(f, first + 3), ""), 200);
	verifies(f->body, first + 3);
	says(f, "attestation_doc_b64");
	assert_int_equal(
	    get_at(f, published_ms(f, first + 4) - 1, "&attestation=ref"), 200);
	verifies(f->body, first + 3);
	assert_null(strstr(f->body, "attestation_doc_b64"));
	assert_int_equal(get_at(f, published_ms(f, first) - 1, ""), 404);
	says(f, "\"code\":\"HISTORY_NOT_FOUND\"");
	says(f, "\"before\":null,\"after\":{\"boot_id\":\"");
	snprintf(text, sizeof(text), "\"sequence\":%llu,",
	    (unsigned long long)first);
	says(f, text);
	json_decref(body(f));
	assert_int_equal(get_at(f, now_unix_ms() + 60000, ""), 404);
	says(f, "has not come yet");
	assert_int_equal(get(f, "/price/ETH-USD?at_ms=1"), 404);
	says(f, "FEED_UNKNOWN");
	/* The board's own answers are as they were. */
	assert_int_equal(get(f, "/price/BTC-USD?max_age_ms=60000"), 200);
	verifies(f->body, f->sequence - 1);
	assert_int_equal(get(f, "/price/ETH-USD"), 404);
}

/* ---- documents that the board has no longer ---- */

static void test_documents(void **state)
{
	static const char hex[] = "2d711642b726b04401627ca9fbac32f5c8530fb1903c"
				  "c4db02258717921a4881"; /* of "x" */
	char path[128], ours[65], sql[256];
	struct fixture *f = *state;
	uint8_t sha256[32];
	sqlite3 *db;

	start_with_items(f);
	snprintf(path, sizeof(path), "/attestations/%s", hex);
	assert_int_equal(get(f, path), 404);
	says(f, "ATTESTATION_UNKNOWN");
	assert_int_equal(sqlite3_open(f->config.archive, &db), 0);
	snprintf(sql, sizeof(sql),
	    "INSERT INTO attestations VALUES('%s', 'x', 'p', 'k', 1)", hex);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
	sqlite3_close(db);
	assert_int_equal(get(f, path), 200);
	assert_string_equal(f->body, "x");
	SHA256(mint.document, mint.document_len, sha256);
	hex_encode(sha256, 32, ours);
	snprintf(path, sizeof(path), "/attestations/%s", ours);
	assert_int_equal(get(f, path), 200);
	assert_int_equal(f->len, mint.document_len);
	assert_int_equal(get(f, "/attestations/x"), 404);
	says(f, "ATTESTATION_UNKNOWN");
	path[strlen(path) - 1] = 'A';
	assert_int_equal(get(f, path), 404);
	assert_int_equal(get(f, "/attestations/x?a=1"), 400);
}

/* ---- what is refused ---- */

static void test_refused(void **state)
{
	static const struct {
		const char *path, *says;
	} cases[] = {
	    {"/history", "PARAM_MISSING"},
	    {"/history?feed=", "PARAM_MISSING"},
	    {"/history?feed=A&what=1", "PARAM_UNKNOWN"},
	    {"/history?feed=A&feed=B", "PARAM_DUPLICATE"},
	    {"/history?feed=1234567890123456789012345678901234567890123456789"
	     "012345678901234",
		"\"parameter\":\"feed\""},
	    {"/history?feed=A&from=-1", "\"parameter\":\"from\""},
	    {"/history?feed=A&from=01", "\"parameter\":\"from\""},
	    {"/history?feed=A&from=2026-02-30T00:00:00Z",
		"\"parameter\":\"from\""},
	    {"/history?feed=A&to=253402300800000", "\"parameter\":\"to\""},
	    {"/history?feed=A&to=99999999999999999999", "\"parameter\":\"to\""},
	    {"/history?feed=A&from=5&to=5", "\"parameter\":\"to\""},
	    {"/history?feed=A&limit=0", "\"parameter\":\"limit\""},
	    {"/history?feed=A&limit=1001", "\"parameter\":\"limit\""},
	    {"/history?feed=A&limit=", "\"parameter\":\"limit\""},
	    {"/history?feed=A&order=up", "\"parameter\":\"order\""},
	    {"/history?feed=A&attestation=x", "\"parameter\":\"attestation\""},
	    {"/history?feed=A&cursor=", "\"parameter\":\"cursor\""},
	    {"/history?feed=A&cursor=1", "\"parameter\":\"cursor\""},
	    {"/history?feed=A&cursor=1-0-1", "\"parameter\":\"cursor\""},
	    {"/history?feed=A&cursor=1-01010101010101010101010101010101",
		"\"parameter\":\"cursor\""},
	    {"/history?feed=A&cursor=1-0101010101010101010101010101010A-1",
		"\"parameter\":\"cursor\""},
	    {"/history?feed=A&cursor=1-01010101010101010101010101010101-1x",
		"\"parameter\":\"cursor\""},
	    {"/history?feed=A&cursor=1-01010101010101010101010101010101-"
	     "9007199254740992",
		"\"parameter\":\"cursor\""},
	    {"/price/BTC-USD?at_ms=", "\"parameter\":\"at_ms\""},
	    {"/price/BTC-USD?at_ms=now", "\"parameter\":\"at_ms\""},
	    {"/price/BTC-USD?at_ms=1&wait_ms=5", "\"parameter\":\"wait_ms\""},
	    {"/price/BTC-USD?at_ms=1&max_age_ms=5",
		"\"parameter\":\"max_age_ms\""},
	    {"/price/BTC-USD?at_ms=1&attestation=no",
		"\"parameter\":\"attestation\""},
	};
	struct fixture *f = *state;

	start_with_items(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (get(f, cases[i].path) != 400)
			fail_msg("%s: %s", cases[i].path, f->body);
		says(f, cases[i].says);
	}
	assert_int_equal(get(f, "/history?feed=ETH-USD"), 404);
	says(f, "FEED_UNKNOWN");
	assert_int_equal(
	    get_lines(f, "/history?feed=BTC-USD&limit=10000", NDJSON).link[0],
	    '\0');
}

static void test_archive_gone(void **state)
{
	struct fixture *f = *state;
	char moved[PATH_BESIDE_MAX + 8];
	int64_t at_ms;

	start_with_items(f);
	at_ms = published_ms(f, first);
	snprintf(moved, sizeof(moved), "%s.away", f->config.archive);
	assert_int_equal(rename(f->config.archive, moved), 0);
	assert_int_equal(get(f, "/history?feed=BTC-USD"), 503);
	says(f, "ARCHIVE_UNAVAILABLE");
	assert_int_equal(get_at(f, at_ms, ""), 503);
	assert_int_equal(rename(moved, f->config.archive), 0);
	get_until(f, "/history?feed=BTC-USD", 200);
}

/* ---- more than are read at once ---- */

static struct {
	sem_t gate;
	uv_work_t work[4]; /* all threads of the pool */
	int done;
} blockers;

static void on_block(uv_work_t *work)
{
	(void)work;
	while (sem_wait(&blockers.gate) != 0)
		;
}

static void on_unblocked(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
	blockers.done++;
}

static void block_pool(struct fixture *f)
{
	sem_init(&blockers.gate, 0, 0);
	blockers.done = 0;
	for (int i = 0; i < 4; i++)
		uv_queue_work(
		    &f->loop, &blockers.work[i], on_block, on_unblocked);
}

static void release_pool(struct fixture *f)
{
	for (int i = 0; i < 4; i++)
		sem_post(&blockers.gate);
	TURN_UNTIL(&f->loop, blockers.done == 4);
	sem_destroy(&blockers.gate);
}

static int send_request(struct fixture *f, const char *path)
{
	char text[128];
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s",
	    f->daemon_url + strlen("unix://"));
	snprintf(
	    text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	TURN_FOR(&f->loop, 2);
	return fd;
}

/* The beginning of the answer, or ""; it stays to be read. */
static const char *answer_of(int fd)
{
	static char text[65536];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_PEEK);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

#define PAGE    "/history?feed=BTC-USD&limit=1"
#define AT_ONCE (HISTORY_RUNNING_MAX + HISTORY_WAITING_MAX)

static void test_so_many_and_no_more(void **state)
{
	struct fixture *f = *state;
	int fds[AT_ONCE + 1];

	start_with_items(f);
	block_pool(f);
	for (int i = 0; i < AT_ONCE; i++)
		fds[i] = send_request(f, PAGE);
	TURN_FOR(&f->loop, 50);
	assert_int_equal(get(f, "/history?feed=BTC-USD"), 503);
	says(f, "\"code\":\"BUSY\"");
	/* Prices go on, and a moment is not behind all these. */
	fds[AT_ONCE] = send_request(f, "/price/BTC-USD?at_ms=1");
	assert_string_equal(answer_of(fds[AT_ONCE]), "");
	assert_int_equal(get(f, "/price/BTC-USD"), 200);
	/* One that runs and one that waits leave; there is room for one. */
	close(fds[0]);
	close(fds[AT_ONCE - 1]);
	TURN_FOR(&f->loop, 50);
	fds[0] = send_request(f, PAGE);
	TURN_FOR(&f->loop, 50);
	assert_int_equal(get(f, "/history?feed=BTC-USD"), 503);
	release_pool(f);
	for (int i = 0; i < AT_ONCE - 1; i++) {
		const char *text;

		TURN_UNTIL(&f->loop, *answer_of(fds[i]));
		text = answer_of(fds[i]);
		assert_int_equal(strncmp(text, "HTTP/1.1 200 OK", 15), 0);
		assert_non_null(strstr(text, "{\"items\":[{\"content\""));
		close(fds[i]);
	}
	TURN_UNTIL(&f->loop, *answer_of(fds[AT_ONCE]));
	assert_non_null(strstr(answer_of(fds[AT_ONCE]), "HISTORY_NOT_FOUND"));
	close(fds[AT_ONCE]);
	assert_int_equal(get(f, "/history?feed=BTC-USD"), 200);
}

#define LINES "/history?feed=BIG&limit=1000&attestation=ref"

/* Items of another feed, so many bytes that a page is as large as can be. */
static void swell(const struct fixture *f)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->config.archive, &db), 0);
	assert_int_equal(
	    sqlite3_exec(db,
		"BEGIN; INSERT INTO heads SELECT 'BIG', boot_id, sequence,"
		" published_ms, content_sha256 FROM heads;"
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM"
		" n WHERE i < 199) INSERT INTO items SELECT 'BIG', boot_id, i,"
		" printf('%.30000c', 'x'), signature, attestation_sha256,"
		" published_ms, expires_ms, received_ms, content_sha256, 0"
		" FROM n, (SELECT * FROM items LIMIT 1); COMMIT",
		NULL, NULL, NULL),
	    0);
	sqlite3_close(db);
}

/* Answers that nobody takes have a ceiling together; who asks for a moment
 * does not wait for that, and when they leave all goes on. */
static void test_slow_readers(void **state)
{
	struct fixture *f = *state;
	int fds[40], patient;

	start_with_items(f);
	swell(f);
	for (int i = 0; i < 40; i++) {
		fds[i] = send_request(f, LINES);
		TURN_FOR(&f->loop, 50);
	}
	TURN_FOR(&f->loop, 500);
	patient = send_request(f, PAGE);
	TURN_FOR(&f->loop, 200);
	assert_string_equal(answer_of(patient), "");
	assert_int_equal(get(f, "/price/BTC-USD?at_ms=1"), 404);
	for (int i = 0; i < 40; i++)
		close(fds[i]);
	TURN_UNTIL(&f->loop, *answer_of(patient));
	close(patient);
}

/* What runs ends after the daemon; what waits is told nothing. */
static void test_stop_with_questions(void **state)
{
	struct fixture *f = *state;
	int fds[5];

	start_with_items(f);
	block_pool(f);
	for (int i = 0; i < 5; i++)
		fds[i] = send_request(f, PAGE);
	verifierd_stop(&f->daemon);
	f->running = false;
	TURN_FOR(&f->loop, 100);
	release_pool(f);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
}

#define daemon_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    daemon_test(test_pages),
	    daemon_test(test_order_and_range),
	    daemon_test(test_lines),
	    daemon_test(test_accept),
	    daemon_test(test_at),
	    daemon_test(test_documents),
	    daemon_test(test_refused),
	    daemon_test(test_archive_gone),
	    daemon_test(test_so_many_and_no_more),
	    daemon_test(test_slow_readers),
	    daemon_test(test_stop_with_questions),
	};

	return cmocka_run_group_tests_name(
	    "history", tests, make_mint, free_mint);
}
