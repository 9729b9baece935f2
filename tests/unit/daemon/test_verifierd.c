/* verifierd: the whole daemon on one loop with an oracle of ours, whose items
 * are genuine; asked over HTTP as its users do. */
#include "base/board.h"
#include "base/log.h"
#include "feeds/hex.h"
#include "mint.h"
#include "verifier/daemon/verifierd.h"
#include "verifier/daemon/verifierd_api.h"

#include <jansson.h>
#include <sqlite3.h>

#include "turn.h"

#define BODY_MAX 65536

static struct mint mint;

struct fixture {
	uv_loop_t loop;
	char folder[64], oracle_url[96], daemon_url[96];
	struct verifierd_config config;
	struct verifierd daemon;
	bool running;

	/* the oracle */
	struct board *board;
	struct http_server *server;
	bool server_stopped, hide_document;
	int document_requests;
	uint64_t sequence;
	uint8_t previous[32];

	/* the user */
	struct curl_loop *curl;
	struct oracle_address self;
	char body[BODY_MAX];
	size_t len;
	long status;
	bool answered;
};

/* ---- the oracle ---- */

static void on_feeds(struct http_request *req, void *data)
{
	(void)data;
	http_reply_json(
	    req, "{\"feeds\":[{\"feed\":\"BTC-USD\",\"decimals\":2}]}");
}

static void on_stream(struct http_request *req, void *data)
{
	struct fixture *f = data;

	board_serve_stream(f->board, req);
}

static void on_document(struct http_request *req, void *data)
{
	struct fixture *f = data;

	f->document_requests++;
	if (f->hide_document)
		http_problem(req, 404, "ATTESTATION_UNKNOWN", "hidden", NULL);
	else
		http_reply(req, &(struct http_reply){
				    .status = 200,
				    .content_type = "application/cbor",
				    .body = mint.document,
				    .len = mint.document_len,
				});
}

static const struct http_route routes[] = {
    {"GET", "/feeds", NULL, on_feeds},
    {"GET", "/stream", board_stream_params, on_stream},
    {"GET", "/attestations/{sha256}", NULL, on_document},
    {NULL, NULL, NULL, NULL},
};

static void start_oracle(struct fixture *f)
{
	struct endpoint ep;

	assert_int_equal(endpoint_parse(&ep, f->oracle_url), 0);
	f->board = board_new(&f->loop, "oracle");
	board_add_name(f->board, "BTC-USD");
	assert_int_equal(
	    http_server_start(&f->server, &f->loop, &ep, routes, f), 0);
}

static void on_server_stopped(void *data)
{
	struct fixture *f = data;

	f->server_stopped = true;
}

static void stop_oracle(struct fixture *f)
{
	if (!f->server)
		return;
	f->server_stopped = false;
	board_close(f->board, "test");
	http_server_stop(f->server, on_server_stopped, f);
	TURN_UNTIL(&f->loop, f->server_stopped);
	board_free(f->board);
	f->server = NULL;
}

static void post(struct fixture *f, struct mint_wish w)
{
	uint8_t sha256[32];
	char hex[65], *ref, *full;
	struct board_text text = {
	    .name = "BTC-USD",
	    .sha256_hex = hex,
	    .published_ms = now_unix_ms(),
	    .unavailable = w.unavailable ? "insufficient_sources" : NULL,
	};

	if (!w.published_ms)
		w.published_ms = text.published_ms;
	text.expires_ms = text.published_ms + 60000;
	ref = mint_item(&mint, &w, sha256);
	w.full = true;
	full = mint_item(&mint, &w, sha256);
	hex_encode(sha256, 32, hex);
	text.full = full;
	text.ref = ref;
	board_post(f->board, &text);
	free(ref);
	free(full);
	memcpy(f->previous, sha256, 32);
}

/* The next item of the chain. */
static void tick(struct fixture *f)
{
	post(f, (struct mint_wish){.sequence = f->sequence,
		    .previous = f->sequence ? f->previous : NULL,
		    .life_ms = 60000,
		    .cents = 8400000 + (int64_t)f->sequence});
	f->sequence++;
}

/* ---- the user ---- */

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
	struct fixture *f = data;
	size_t len = size * count;

	assert_true(f->len + len < BODY_MAX);
	memcpy(f->body + f->len, bytes, len);
	f->len += len;
	f->body[f->len] = '\0';
	return len;
}

static void on_answer(struct curl_transfer *transfer, CURLcode result)
{
	struct fixture *f = transfer->data;

	(void)result;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &f->status);
	f->answered = true;
}

static long request(struct fixture *f, const char *path, const char *body)
{
	struct curl_transfer transfer = {
	    .easy = oracle_address_get(&f->self, path),
	    .done = on_answer,
	    .data = f,
	};

	f->len = 0;
	f->body[0] = '\0';
	f->answered = false;
	curl_easy_setopt(transfer.easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(transfer.easy, CURLOPT_WRITEDATA, f);
	if (body)
		curl_easy_setopt(transfer.easy, CURLOPT_POSTFIELDS, body);
	curl_loop_add(f->curl, &transfer);
	TURN_UNTIL(&f->loop, f->answered);
	curl_easy_cleanup(transfer.easy);
	return f->status;
}

static long get(struct fixture *f, const char *path)
{
	return request(f, path, NULL);
}

/* Asks again until it answers so. */
static void get_until(struct fixture *f, const char *path, long status)
{
	int64_t limit_ms = now_monotonic_ms() + TURN_MAX_MS;

	while (get(f, path) != status && now_monotonic_ms() < limit_ms)
		TURN_FOR(&f->loop, 20);
	if (f->status != status)
		fail_msg("%s: %ld: %s", path, f->status, f->body);
}

static void says(const struct fixture *f, const char *text)
{
	if (!strstr(f->body, text))
		fail_msg("no %s in %s", text, f->body);
}

static int64_t count(const struct fixture *f, const char *sql)
{
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	int64_t answer;

	assert_int_equal(sqlite3_open(f->config.archive, &db), 0);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), 0);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	answer = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return answer;
}

/* ---- life ---- */

static void write_policy(struct fixture *f)
{
	char hex[2 * HM_PCR_LEN + 1], error[ATTESTER_ERROR_MAX];
	uint8_t pcr[HM_PCR_LEN];
	FILE *file = fopen(f->config.policy, "w");
	int locked;

	assert_int_equal(mint.attester->ops->describe_pcr(
			     mint.attester, 0, pcr, &locked, error),
	    0);
	hex_encode(pcr, sizeof(pcr), hex);
	fprintf(file,
	    "{\"root_files\":[\"%s/simulated-root.pem\"],"
	    "\"releases\":[{\"name\":\"t\",\"pcrs\":{\"0\":\"%s\"}}]}",
	    mint.folder, hex);
	fclose(file);
}

static void start_daemon(struct fixture *f)
{
	char error[VERIFIERD_ERROR_MAX] = "";

	if (verifierd_start(&f->daemon, &f->loop, &f->config, error))
		fail_msg("%s", error);
	f->running = true;
}

static bool daemon_gone(const struct fixture *f)
{
	/* its socket refuses once the server is stopped */
	return access(f->config.listen.path, F_OK) != 0 || !f->running;
}

static void stop_daemon(struct fixture *f)
{
	if (!f->running)
		return;
	verifierd_stop(&f->daemon);
	verifierd_stop(&f->daemon); /* twice does no harm */
	f->running = false;
	TURN_UNTIL(&f->loop, daemon_gone(f));
	TURN_FOR(&f->loop, 300);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct verifierd_config *c = &f->config;

	uv_loop_init(&f->loop);
	snprintf(f->folder, sizeof(f->folder), "/tmp/verifierd-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->oracle_url, sizeof(f->oracle_url), "unix://%s/o.sock",
	    f->folder);
	snprintf(f->daemon_url, sizeof(f->daemon_url), "unix://%s/v.sock",
	    f->folder);
	snprintf(c->policy, sizeof(c->policy), "%s/policy.json", f->folder);
	snprintf(c->archive, sizeof(c->archive), "%s/a.db", f->folder);
	assert_int_equal(endpoint_parse(&c->listen, f->daemon_url), 0);
	assert_int_equal(
	    oracle_address_parse(&c->oracles[0], f->oracle_url), 0);
	c->oracle_count = 1;
	assert_int_equal(oracle_address_parse(&f->self, f->daemon_url), 0);
	f->curl = curl_loop_new(&f->loop);
	write_policy(f);
	start_oracle(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {
	    "a.db", "a.db-wal", "a.db-shm", "policy.json", "o.sock", "v.sock"};
	struct fixture *f = *state;
	char path[128];

	stop_daemon(f);
	stop_oracle(f);
	curl_loop_close(f->curl);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

/* Started, connected, one price served. */
static void start_all(struct fixture *f)
{
	start_daemon(f);
	TURN_UNTIL(&f->loop,
	    intake_connected(f->daemon.intakes[0]) || (tick(f), false));
	tick(f);
	get_until(f, "/price/BTC-USD", 200);
}

/* ---- tests ---- */

static void test_serves_what_it_verified(void **state)
{
	struct fixture *f = *state;
	struct hm_envelope e;
	struct hm_item item;
	const struct hm_report quiet = {0};

	start_all(f);
	assert_int_equal(hm_envelope_parse(&e, f->body, f->len), HM_VALID);
	assert_non_null(e.document);
	assert_int_equal(hm_item_verify_live(mint.policy, NULL, &e, NULL, 0,
			     now_unix_ms(), &item, &quiet),
	    HM_VALID);
	hm_envelope_fini(&e);
	assert_true(count(f, "SELECT count(*) FROM items") > 0);
	assert_int_equal(get(f, "/price/BTC-USD?attestation=ref"), 200);
	assert_null(strstr(f->body, "attestation_doc_b64"));
	assert_int_equal(get(f, "/price/ETH-USD"), 404);
	assert_int_equal(get(f, "/readyz"), 200);
	says(f, "\"ready\":true");
	says(f, "\"valid\":");
	assert_int_equal(get(f, "/livez"), 200);
	assert_int_equal(get(f, "/feeds"), 200);
	says(f, "\"feed\":\"BTC-USD\",\"status\":\"ok\"");
	assert_int_equal(get(f, "/version"), 200);
	says(f, "hallmark-verifierd");
	assert_int_equal(get(f, "/nothing"), 404);
}

static void test_refused_is_not_served(void **state)
{
	struct fixture *f = *state;
	char before[BODY_MAX];

	start_all(f);
	strncpy(before, f->body, sizeof(before));
	post(f, (struct mint_wish){.sequence = f->sequence,
		    .spoiled = true,
		    .cents = 1,
		    .life_ms = 60000});
	get_until(f, "/readyz", 200);
	TURN_UNTIL(&f->loop, count(f, "SELECT count(*) FROM refused"
				      " WHERE verdict='item_signature'") == 1);
	assert_int_equal(get(f, "/price/BTC-USD"), 200);
	assert_string_equal(f->body, before);
	assert_int_equal(
	    count(f, "SELECT count(*) FROM items WHERE content LIKE"
		     " '%\"price\":\"0.01\"%'"),
	    0);
}

static void test_document_cannot_be_had(void **state)
{
	struct fixture *f = *state;

	f->hide_document = true;
	start_daemon(f);
	TURN_UNTIL(&f->loop, f->document_requests > 0 || (tick(f), false));
	TURN_UNTIL(
	    &f->loop, count(f, "SELECT count(*) FROM refused"
			       " WHERE verdict='attestation_missing'") > 0);
	assert_int_equal(get(f, "/price/BTC-USD"), 503);
	/* It can be had again: the next item is served. */
	f->hide_document = false;
	tick(f);
	get_until(f, "/price/BTC-USD", 200);
	/* And is asked for once, not for each. */
	f->document_requests = 0;
	for (int i = 0; i < 20; i++)
		tick(f);
	TURN_FOR(&f->loop, 100);
	assert_int_equal(f->document_requests, 0);
}

static void test_document_comes_with_the_stream(void **state)
{
	struct fixture *f = *state;
	char *base64 = base64_encode(mint.document, mint.document_len);
	json_t *event = json_pack("{s:s}", "attestation_doc_b64", base64);
	char *text = json_dumps(event, JSON_COMPACT);

	board_attest(
	    f->board, "self", "00", mint.document, mint.document_len, text);
	f->hide_document = true;
	start_all(f);
	assert_int_equal(f->document_requests, 0);
	json_decref(event);
	free(text);
	free(base64);
}

static void test_restart_shows_the_newest_again(void **state)
{
	struct fixture *f = *state;

	start_all(f);
	stop_daemon(f);
	stop_oracle(f);
	start_daemon(f); /* nobody to ask: the archive knows */
	assert_int_equal(get(f, "/price/BTC-USD"), 200);
	says(f, "attestation_doc_b64");
	assert_int_equal(get(f, "/readyz"), 503);
	says(f, "not connected: unix://");
	assert_int_equal(get(f, "/livez"), 200);
}

/* Nothing is served, and nothing lost, while the archive cannot be written. */
static void test_archive_locked(void **state)
{
	struct fixture *f = *state;
	char before[BODY_MAX];
	sqlite3 *db;

	start_all(f);
	TURN_UNTIL(&f->loop, archive_writer_waiting(f->daemon.writer) == 0);
	assert_int_equal(get(f, "/price/BTC-USD"), 200);
	strncpy(before, f->body, sizeof(before));
	assert_int_equal(sqlite3_open(f->config.archive, &db), 0);
	assert_int_equal(
	    sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), 0);
	tick(f);
	tick(f);
	get_until(f, "/readyz", 503);
	says(f, "locked");
	assert_int_equal(get(f, "/price/BTC-USD"), 200);
	assert_string_equal(f->body, before);
	sqlite3_close(db);
	get_until(f, "/readyz", 200);
	assert_int_equal(count(f, "SELECT count(*) = max(sequence) -"
				  " min(sequence) + 1 FROM items"),
	    1);
	assert_int_equal(count(f, "SELECT max(sequence) FROM items"),
	    (int64_t)f->sequence - 1);
}

static void test_unavailable(void **state)
{
	struct fixture *f = *state;

	start_all(f);
	post(f, (struct mint_wish){.sequence = f->sequence,
		    .previous = f->previous,
		    .unavailable = true,
		    .life_ms = 60000});
	get_until(f, "/price/BTC-USD", 503);
	says(f, "FEED_UNAVAILABLE");
	says(f, "insufficient_sources");
	assert_int_equal(get(f, "/readyz"), 503);
	says(f, "BTC-USD");
}

/* The same oracle by two addresses: each item once, no gap, no alarm. */
static void test_mirror(void **state)
{
	struct fixture *f = *state;
	char url[128];

	snprintf(url, sizeof(url), "unix://%s/./o.sock", f->folder);
	assert_int_equal(oracle_address_parse(&f->config.oracles[1], url), 0);
	f->config.oracle_count = 2;
	start_all(f);
	TURN_UNTIL(&f->loop,
	    intake_connected(f->daemon.intakes[1]) || (tick(f), false));
	for (int i = 0; i < 30; i++)
		tick(f);
	get_until(f, "/readyz", 200);
	TURN_UNTIL(&f->loop,
	    validator_count(f->daemon.validator, HM_SEQUENCE_REPLAY) >= 30);
	TURN_UNTIL(&f->loop, archive_writer_waiting(f->daemon.writer) == 0);
	assert_int_equal(
	    validator_count(f->daemon.validator, HM_SEQUENCE_GAP), 0);
	assert_int_equal(count(f, "SELECT count(*) FROM refused"), 0);
	assert_int_equal(count(f, "SELECT count(*) FROM items WHERE late"), 0);
}

static void test_verify(void **state)
{
	struct fixture *f = *state;
	char *good, *bad;

	good = mint_item(&mint, &(struct mint_wish){.full = true}, NULL);
	bad = mint_item(
	    &mint, &(struct mint_wish){.full = true, .spoiled = true}, NULL);
	start_daemon(f);
	assert_int_equal(request(f, "/verify", good), 200);
	says(f, "{\"verdict\":\"valid\",\"checks\":[{\"check\":\"envelope\"");
	assert_int_equal(request(f, "/verify?at=published", good), 200);
	says(f, "\"verdict\":\"valid\"");
	assert_int_equal(request(f, "/verify", bad), 200);
	says(f, "\"verdict\":\"item_signature\"");
	assert_int_equal(request(f, "/verify", "{}"), 200);
	says(f, "\"verdict\":\"envelope_malformed\"");
	assert_int_equal(request(f, "/verify", ""), 200);
	says(f, "\"verdict\":\"envelope_malformed\"");
	assert_int_equal(request(f, "/verify?at=never", good), 400);
	says(f, "PARAM_INVALID");
	assert_int_equal(request(f, "/verify?as=x", good), 400);
	free(good);
	free(bad);
	/* So many a second and no more. */
	for (int i = 0; i < 8 * VERIFIERD_VERIFY_PER_S; i++)
		if (request(f, "/verify", "{}") == 429)
			break;
	assert_int_equal(f->status, 429);
}

static void test_limited(void **state)
{
	struct fixture *f = *state;

	f->config.limited = true;
	f->config.feeds.count = 1;
	snprintf(f->config.feeds.names[0], ORACLE_FEED_MAX, "ETH-USD");
	start_daemon(f);
	TURN_UNTIL(&f->loop,
	    intake_connected(f->daemon.intakes[0]) || (tick(f), false));
	for (int i = 0; i < 5; i++)
		tick(f);
	TURN_FOR(&f->loop, 200);
	assert_int_equal(get(f, "/price/BTC-USD"), 404);
	assert_int_equal(get(f, "/price/ETH-USD"), 503);
	assert_int_equal(count(f, "SELECT count(*) FROM items"), 0);
}

/* Only what is wanted is asked for, and no verdict is passed on the rest. */
static void test_limited_to_one_of_its(void **state)
{
	struct fixture *f = *state;

	f->config.limited = true;
	f->config.feeds.count = 1;
	snprintf(f->config.feeds.names[0], ORACLE_FEED_MAX, "BTC-USD");
	start_all(f);
	assert_int_equal(get(f, "/readyz"), 200);
}

/* What was published while we were away is in the oracle's ring. */
static void test_resumes_from_the_archive(void **state)
{
	struct fixture *f = *state;

	start_all(f);
	stop_daemon(f);
	for (int i = 0; i < 5; i++)
		tick(f);
	start_daemon(f);
	TURN_UNTIL(&f->loop, count(f, "SELECT max(sequence) FROM items") ==
				 (int64_t)f->sequence - 1);
	assert_int_equal(count(f, "SELECT count(*) = max(sequence) -"
				  " min(sequence) + 1 FROM items"),
	    1);
	assert_int_equal(
	    validator_count(f->daemon.validator, HM_SEQUENCE_GAP), 0);
}

/* Garbage at full speed costs a few rows, and hides nothing. */
static void test_flood_of_garbage(void **state)
{
	struct fixture *f = *state;
	struct board_text text = {
	    .name = "BTC-USD",
	    .full = "{}",
	    .ref = "{\"content\":1}",
	    .sha256_hex = "00",
	};

	start_all(f);
	for (int i = 0; i < 500; i++)
		board_post(f->board, &text);
	tick(f);
	TURN_UNTIL(&f->loop, count(f, "SELECT max(sequence) FROM items") ==
				 (int64_t)f->sequence - 1);
	assert_in_range(count(f, "SELECT count(*) FROM refused"), 1, 250);
	assert_true(
	    validator_count(f->daemon.validator, HM_ENVELOPE_MALFORMED) >= 500);
}

static void refuse_to_start(struct fixture *f, const char *why)
{
	char error[VERIFIERD_ERROR_MAX] = "";

	assert_int_equal(
	    verifierd_start(&f->daemon, &f->loop, &f->config, error), -1);
	if (!strstr(error, why))
		fail_msg("no %s in %s", why, error);
}

static void test_cannot_start(void **state)
{
	struct fixture *f = *state;
	char policy[PATH_BESIDE_MAX];

	strncpy(policy, f->config.policy, sizeof(policy));
	snprintf(f->config.policy, sizeof(f->config.policy), "/nonexistent");
	refuse_to_start(f, "/nonexistent");
	strncpy(f->config.policy, policy, sizeof(policy));
	snprintf(f->config.archive, sizeof(f->config.archive), "%s", policy);
	refuse_to_start(f, "not a database");
	snprintf(
	    f->config.archive, sizeof(f->config.archive), "%s/a.db", f->folder);
	assert_int_equal(endpoint_parse(&f->config.listen, f->oracle_url), 0);
	refuse_to_start(f, "cannot listen");
	assert_int_equal(endpoint_parse(&f->config.listen, f->daemon_url), 0);
}

static void test_goodbye(void **state)
{
	struct fixture *f = *state;
	struct curl_transfer transfer = {.done = on_answer, .data = f};

	start_all(f);
	f->answered = false;
	f->len = 0;
	transfer.easy = oracle_address_get(&f->self, "/stream");
	curl_easy_setopt(transfer.easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(transfer.easy, CURLOPT_WRITEDATA, f);
	curl_loop_add(f->curl, &transfer);
	TURN_UNTIL(&f->loop,
	    strstr(f->body, "event: price") != NULL || (tick(f), false));
	says(f, "event: attestation");
	stop_daemon(f);
	TURN_UNTIL(&f->loop, f->answered);
	says(f, "event: goodbye");
	curl_easy_cleanup(transfer.easy);
}

static int make_mint(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	mint_init(&mint, 1);
	return 0;
}

static int free_mint(void **state)
{
	(void)state;
	mint_fini(&mint);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_serves_what_it_verified),
	    TEST(test_refused_is_not_served),
	    TEST(test_document_cannot_be_had),
	    TEST(test_document_comes_with_the_stream),
	    TEST(test_restart_shows_the_newest_again),
	    TEST(test_archive_locked),
	    TEST(test_unavailable),
	    TEST(test_mirror),
	    TEST(test_verify),
	    TEST(test_limited),
	    TEST(test_limited_to_one_of_its),
	    TEST(test_resumes_from_the_archive),
	    TEST(test_flood_of_garbage),
	    TEST(test_cannot_start),
	    TEST(test_goodbye),
	};

	return cmocka_run_group_tests_name(
	    "verifierd", tests, make_mint, free_mint);
}
