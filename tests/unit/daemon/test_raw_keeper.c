/* raw_keeper: what items name is fetched once, from who brought them, compared
 * and archived; oracles that keep none are left alone. */
#include "archive_fixture.h"
#include "base/http_server.h"
#include "base/log.h"
#include "feeds/hex.h"
#include "turn.h"
#include "verifier/daemon/raw_keeper.h"

enum mode {
	SERVES,
	LIES,
	HAS_NONE,
	SAYS_NOTHING
};

struct test {
	struct fixture *f;
	uv_loop_t loop;
	struct http_server *server;
	struct curl_loop *curl;
	struct oracle_address addresses[2];
	struct archive_writer *writer;
	struct raw_keeper *keeper;
	struct http_request *kept;
	char socket[96], url[112];
	enum mode mode;
	int asked;
	bool written, served;
};

/* ---- the oracle: the body of number n is "body n" ---- */

static void hash(int n, char hex[static 65], char body[static 32])
{
	uint8_t sha256[32];

	snprintf(body, 32, "body %d", n);
	SHA256((uint8_t *)body, strlen(body), sha256);
	hex_encode(sha256, sizeof(sha256), hex);
}

static void on_raw(struct http_request *req, void *data)
{
	struct test *t = data;
	char hex[65], body[32] = "";

	t->asked++;
	if (t->mode == SAYS_NOTHING) {
		t->kept = req;
		return;
	}
	for (int n = 0; n < 100; n++) {
		hash(n, hex, body);
		if (strcmp(hex, http_path_param(req)) == 0)
			break;
	}
	if (t->mode == LIES)
		body[0] = 'B';
	if (t->mode == HAS_NONE)
		http_problem(req, 404, "RAW_UNKNOWN", "none", NULL);
	else
		http_reply(req, &(struct http_reply){
				    .status = 200,
				    .content_type = "application/octet-stream",
				    .body = body,
				    .len = strlen(body),
				});
}

static const struct http_route routes[] = {
    {"GET", "/raw/{sha256}", NULL, on_raw},
    {NULL, NULL, NULL, NULL},
};

/* ---- the daemon's parts ---- */

static void on_done(struct record *record, void *data)
{
	struct test *t = data;

	raw_keeper_item(t->keeper, record);
	record_free(record);
}

static void on_drained(void *data)
{
	(void)data;
}

static void on_stopped(void *data)
{
	*(bool *)data = true;
}

static int start(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct endpoint ep;

	log_set_level(LOG_ERROR + 1);
	assert_int_equal(setup((void **)&t->f), 0);
	uv_loop_init(&t->loop);
	t->curl = curl_loop_new(&t->loop);
	snprintf(t->socket, sizeof(t->socket), "%s/s", t->f->folder);
	snprintf(t->url, sizeof(t->url), "unix://%s", t->socket);
	assert_int_equal(endpoint_parse(&ep, t->url), 0);
	assert_int_equal(
	    http_server_start(&t->server, &t->loop, &ep, routes, t), 0);
	assert_int_equal(oracle_address_parse(&t->addresses[0], t->url), 0);
	assert_int_equal(
	    oracle_address_parse(&t->addresses[1], "http://127.0.0.1:1"), 0);
	t->writer = archive_writer_start(&(struct archive_writer_options){
	    .loop = &t->loop,
	    .path = t->f->path,
	    .archive = t->f->archive,
	    .done = on_done,
	    .drained = on_drained,
	    .data = t,
	});
	t->f->archive = NULL;
	t->keeper = raw_keeper_start(&(struct raw_keeper_options){
	    .loop = &t->loop,
	    .curl = t->curl,
	    .writer = t->writer,
	    .oracles = t->addresses,
	    .oracle_count = 2,
	});
	*state = t;
	return 0;
}

static int stop(void **state)
{
	struct test *t = *state;
	struct fixture *f = t->f;

	raw_keeper_stop(t->keeper);
	t->keeper = NULL;
	archive_writer_stop(t->writer, on_stopped, &t->written);
	TURN_UNTIL(&t->loop, t->written);
	if (t->kept)
		http_problem(t->kept, 503, "BUSY", "bye", NULL);
	http_server_stop(t->server, on_stopped, &t->served);
	TURN_UNTIL(&t->loop, t->served);
	curl_loop_close(t->curl);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	unlink(t->socket);
	free(t);
	return teardown((void **)&f);
}

/* An item of the oracle with this number that names bodies first to last. */
static void put(
    struct test *t, int oracle, uint64_t sequence, int first, int last)
{
	char content[8192] = "{\"sources\":[", hex[65], body[32];
	struct record *r;

	for (int n = first; n <= last; n++) {
		size_t len = strlen(content);

		hash(n, hex, body);
		snprintf(content + len, sizeof(content) - len,
		    "{\"body_sha256\":\"%s\"},", hex);
	}
	r = made_record(t->f->document, "BTC-USD", 1, sequence, content);
	r->origin = t->addresses[oracle].text;
	archive_writer_put(t->writer, r);
}

static struct raw_keeper_stats stats(const struct test *t)
{
	struct raw_keeper_stats s;

	raw_keeper_stats(t->keeper, &s);
	return s;
}

static void test_kept(void **state)
{
	struct test *t = *state;

	put(t, 0, 0, 1, 3);
	put(t, 0, 1, 2, 4); /* the same answer in another feed */
	TURN_UNTIL(&t->loop, ask(t->f, "SELECT count(*) FROM raw") == 4);
	assert_int_equal(t->asked, 4);
	assert_int_equal(stats(t).kept, 4);
	assert_int_equal(stats(t).waiting, 0);
	assert_int_equal(
	    ask(t->f, "SELECT count(*) FROM raw WHERE"
		      " CAST(body AS TEXT) LIKE 'body _' AND received_ms > 0"
		      " AND length(sha256)=64"),
	    4);
}

static void test_another_hash(void **state)
{
	struct test *t = *state;

	t->mode = LIES;
	put(t, 0, 0, 1, 2);
	TURN_UNTIL(&t->loop, stats(t).wrong == 2);
	TURN_FOR(&t->loop, ARCHIVE_RAW_MS + 100);
	assert_int_equal(ask(t->f, "SELECT count(*) FROM raw"), 0);
}

static void test_oracle_has_none(void **state)
{
	struct test *t = *state;

	t->mode = HAS_NONE;
	put(t, 0, 0, 1, RAW_KEEPER_MISSES + 9);
	TURN_UNTIL(&t->loop, stats(t).missing == RAW_KEEPER_MISSES);
	assert_int_equal(stats(t).dropped, 9);
	assert_int_equal(stats(t).waiting, 0);
	put(t, 0, 1, 50, 59);
	TURN_UNTIL(&t->loop, stats(t).dropped == 19);
	TURN_FOR(&t->loop, 50);
	assert_int_equal(t->asked, RAW_KEEPER_MISSES);
}

/* Not more than so many a second: the rest comes in the next one. */
static void test_rate(void **state)
{
	struct test *t = *state;

	put(t, 0, 0, 0, 79);
	TURN_UNTIL(&t->loop, stats(t).kept >= RAW_KEEPER_PER_S);
	TURN_UNTIL(&t->loop, stats(t).kept == 80);
	TURN_UNTIL(&t->loop, ask(t->f, "SELECT count(*) FROM raw") == 80);
}

/* Only the one that brought the item is asked. */
static void test_from_who_brought_it(void **state)
{
	struct test *t = *state;

	put(t, 1, 0, 1, 2); /* where nobody listens */
	TURN_UNTIL(&t->loop, stats(t).missing == 2);
	assert_int_equal(t->asked, 0);
}

static void test_items_do_not_wait(void **state)
{
	struct test *t = *state;

	t->mode = SAYS_NOTHING;
	put(t, 0, 0, 1, 9);
	TURN_UNTIL(&t->loop, t->kept != NULL);
	put(t, 0, 1, 10, 12);
	TURN_UNTIL(&t->loop, ask(t->f, "SELECT count(*) FROM items") == 2);
	assert_int_equal(stats(t).waiting, 12);
	/* And it is stopped in the middle of it. */
}

static void test_odd_contents(void **state)
{
	static const char *const contents[] = {"", "{\"body_sha256\":\"",
	    "{\"body_sha256\":\"00\"}", "{\"body_sha256\":null}",
	    "{\"body_sha256\":\"zz"
	    "44444444444444444444444444444444444444444444444444444444444444"
	    "\"}"};
	struct test *t = *state;

	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
		struct record *r = made_record(
		    t->f->document, "BTC-USD", 1, i, contents[i]);

		r->origin = t->addresses[0].text;
		r->outcome = RECORD_STORED;
		raw_keeper_item(t->keeper, r);
		r->is_head = true;
		raw_keeper_item(t->keeper, r);
		raw_keeper_item(NULL, r);
		record_free(r);
	}
	assert_int_equal(stats(t).waiting, 0);
	TURN_FOR(&t->loop, 20);
	assert_int_equal(t->asked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_kept),
	    TEST(test_another_hash),
	    TEST(test_oracle_has_none),
	    TEST(test_rate),
	    TEST(test_from_who_brought_it),
	    TEST(test_items_do_not_wait),
	    TEST(test_odd_contents),
	};

	return cmocka_run_group_tests_name("raw_keeper", tests, NULL, NULL);
}
