/* verifierd: the whole daemon on one loop with an oracle of ours, whose items
 * are genuine; asked over HTTP as its users do. */
#include "verifierd_fixture.h"

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

/* As it stands in a content that stands in an envelope. */
#define PRICE(text) "\\\"price\\\":\\\"" text

static void test_refused_is_not_served(void **state)
{
	struct fixture *f = *state;

	start_all(f);
	post(f, (struct mint_wish){.sequence = f->sequence,
		    .spoiled = true,
		    .cents = 1,
		    .life_ms = 60000});
	get_until(f, "/readyz", 200);
	TURN_UNTIL(&f->loop, count(f, "SELECT count(*) FROM refused"
				      " WHERE verdict='item_signature'") == 1);
	assert_int_equal(get(f, "/price/BTC-USD"), 200);
	assert_non_null(strstr(f->body, PRICE("84000.")));
	assert_null(strstr(f->body, PRICE("0.01")));
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

/* Another process has all of it when we start. Its connection. */
static sqlite3 *start_without_archive(struct fixture *f)
{
	sqlite3 *db;

	start_all(f);
	stop_daemon(f);
	assert_int_equal(sqlite3_open(f->config.archive, &db), 0);
	assert_int_equal(
	    sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE",
		NULL, NULL, NULL),
	    0);
	start_daemon(f);
	assert_null(f->daemon.writer);
	assert_int_equal(get(f, "/readyz"), 503);
	says(f, "locked for");
	says(f, "not connected");
	assert_int_equal(get(f, "/price/BTC-USD"), 404);
	assert_int_equal(get(f, "/metrics"), 200);
	says(f, "archive_state{state=\"locked\"} 1");
	return db;
}

static void test_archive_locked_at_the_start(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = start_without_archive(f);

	sqlite3_close(db);
	TURN_UNTIL(&f->loop, f->daemon.writer != NULL);
	assert_null(f->daemon.wait);
	get_until(f, "/price/BTC-USD", 200); /* what it knew */
	TURN_UNTIL(&f->loop,
	    intake_connected(f->daemon.intakes[0]) || (tick(f), false));
	get_until(f, "/readyz", 200);
}

/* Before an attempt, and in the middle of one. */
static void test_stopped_without_archive(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = start_without_archive(f);

	stop_daemon(f);
	TURN_UNTIL(&f->loop, f->daemon.wait == NULL);
	TURN_UNTIL(&f->loop, daemon_gone(f));
	TURN_FOR(&f->loop, 300);
	start_daemon(f);
	TURN_FOR(&f->loop, ARCHIVE_WAIT_MS + 300);
	assert_non_null(f->daemon.wait);
	stop_daemon(f);
	TURN_UNTIL(&f->loop, f->daemon.wait == NULL);
	sqlite3_close(db);
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

/* One that is not attested brings nothing and holds nobody up; stopped while
 * its channel is tried. */
static void test_unattested(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(oracle_address_parse(&f->config.oracles[1],
			     "https+attested://127.0.0.1:1"),
	    0);
	f->config.oracle_count = 2;
	start_all(f);
	TURN_UNTIL(&f->loop,
	    intake_connected(f->daemon.intakes[0]) || (tick(f), false));
	tick(f);
	get_until(f, "/price/BTC-USD", 200);
	assert_false(intake_connected(f->daemon.intakes[1]));
	assert_string_equal(f->config.oracles[1].pin, "");
	get_until(f, "/readyz", 200);
	says(f, "not connected: https+attested://127.0.0.1:1 (not attested: ");
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

/* The number behind this name and these labels; -1 if there is none. */
static double metric(const struct fixture *f, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = f->body; (at = strstr(at, name)); at += len)
		if (at > f->body && at[-1] == '\n' && at[len] == ' ')
			return strtod(at + len, NULL);
	return -1;
}

#define METRIC(name) metric(f, "hallmark_verifierd_" name)

static void metrics_say_what_is_not_well(struct fixture *f)
{
	post(f, (struct mint_wish){.sequence = f->sequence,
		    .spoiled = true,
		    .cents = 1,
		    .life_ms = 60000});
	f->sequence += 2;
	tick(f); /* without the one before it */
	TURN_UNTIL(
	    &f->loop, get(f, "/metrics") == 200 &&
			  METRIC("items_total{verdict=\"sequence_gap\"}") > 0);
	assert_true(METRIC("items_total{verdict=\"item_signature\"}") == 1);
	assert_true(METRIC("items_total{verdict=\"sequence_gap\"}") == 1);
	TURN_UNTIL(&f->loop,
	    get(f, "/metrics") == 200 &&
		METRIC("archived_items_total{outcome=\"refused\"}") == 1);
	stop_oracle(f);
	TURN_UNTIL(&f->loop,
	    get(f, "/metrics") == 200 && strstr(f->body, "o.sock\"} 0\n"));
}

static void test_metrics(void **state)
{
	struct fixture *f = *state;
	char name[256];

	start_all(f);
	assert_int_equal(get(f, "/metrics"), 200);
	says(f, "# TYPE hallmark_verifierd_items_total counter\n");
	assert_true(
	    METRIC("build_info{version=\"" HALLMARK_VERSION "\"}") == 1);
	assert_true(METRIC("items_total{verdict=\"valid\"}") > 0);
	assert_true(METRIC("items_total{verdict=\"time_regression\"}") == 0);
	assert_true(METRIC("archived_items_total{outcome=\"accepted\"}") > 0);
	assert_true(METRIC("archive_ok") == 1);
	assert_true(METRIC("feed_usable{feed=\"BTC-USD\"}") == 1);
	assert_true(METRIC("feed_age_seconds{feed=\"BTC-USD\"}") >= 0);
	assert_true(METRIC("stream_subscribers") == 0);
	snprintf(name, sizeof(name),
	    "hallmark_verifierd_oracle_connected{oracle=\"%s\"}",
	    f->oracle_url);
	assert_true(metric(f, name) == 1);
	snprintf(name, sizeof(name),
	    "hallmark_verifierd_attestation_not_after_timestamp_seconds"
	    "{oracle=\"%s\"}",
	    f->oracle_url);
	assert_true(metric(f, name) * 1000 > (double)now_unix_ms());
	assert_true(METRIC("attestation_cache_hits_total") >= 0);
	assert_true(METRIC("attestation_documents") == 1);
	metrics_say_what_is_not_well(f);
}

/* The page, what it is made of, and what it is to judge by. */
static void test_dashboard(void **state)
{
	struct fixture *f = *state;

	start_all(f);
	assert_int_equal(get(f, "/"), 200);
	says(f, "<!DOCTYPE html>");
	assert_int_equal(get(f, "/web/verify.js"), 200);
	says(f, "export function verifyItem");
	assert_int_equal(get(f, "/web/nothing.js"), 404);
	assert_int_equal(get(f, "/web/package.json"), 404);
	assert_int_equal(get(f, "/web/..%2fverify.js"), 400);
	assert_int_equal(get(f, "/web/"), 404);
	assert_int_equal(get(f, "/?x=1"), 400);
	assert_int_equal(get(f, "/policy"), 200);
	says(f, "{\"policy\":{\"roots\":[]");
	says(f, "-----BEGIN CERTIFICATE-----");
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
	    TEST(test_archive_locked_at_the_start),
	    TEST(test_stopped_without_archive),
	    TEST(test_unavailable),
	    TEST(test_mirror),
	    TEST(test_unattested),
	    TEST(test_verify),
	    TEST(test_limited),
	    TEST(test_limited_to_one_of_its),
	    TEST(test_resumes_from_the_archive),
	    TEST(test_flood_of_garbage),
	    TEST(test_cannot_start),
	    TEST(test_goodbye),
	    TEST(test_metrics),
	    TEST(test_dashboard),
	};

	return cmocka_run_group_tests_name(
	    "verifierd", tests, make_mint, free_mint);
}
