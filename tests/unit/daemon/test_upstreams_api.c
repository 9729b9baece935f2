/* upstreams_api: the whole daemon between upstreams that agree, stop, and
 * contradict what was archived. */
#include "verifierd_fixture.h"

/* As it stands in a content that stands in an envelope. */
#define PRICE(text) "\\\"price\\\":\\\"" text

/* The same oracle by another address, as a mirror of it would be. */
static void add_mirror(struct fixture *f)
{
	char url[128];

	snprintf(url, sizeof(url), "unix://%s/./o.sock", f->folder);
	assert_int_equal(oracle_address_parse(&f->config.oracles[1], url), 0);
	f->config.oracle_count = 2;
}

static void test_two_that_agree(void **state)
{
	struct fixture *f = *state;

	add_mirror(f);
	start_all(f);
	TURN_UNTIL(&f->loop,
	    validator_count(f->daemon.validator, HM_SEQUENCE_REPLAY) >= 3 ||
		(tick(f), false));
	TURN_UNTIL(&f->loop, archive_writer_waiting(f->daemon.writer) == 0);
	assert_int_equal(get(f, "/upstreams"), 200);
	says(f, "\"kind\":\"oracle\",\"connected\":true,\"items\":");
	says(f, "\"behind_feeds\":0");
	says(f, "\"disagreements\":[]");
	says(f, "/./o.sock");
	assert_int_equal(get(f, "/upstreams?x=1"), 400);
	assert_int_equal(get(f, "/readyz"), 200);
	says(f, "\"upstreams\":\"ok\"");
	assert_int_equal(get(f, "/metrics"), 200);
	says(f, "# TYPE hallmark_verifierd_upstream_items_total counter\n");
	says(f, "hallmark_verifierd_upstream_lag_seconds{upstream=\"unix://");
	says(f, "hallmark_verifierd_upstream_disagreements_total{upstream=\"");
}

/* Another content for a number that is there, signed with the same key: kept,
 * told, and not served; however much garbage comes with it. */
static void test_one_that_disagrees(void **state)
{
	struct fixture *f = *state;
	struct board_text garbage = {
	    .name = "BTC-USD",
	    .full = "{}",
	    .ref = "{\"content\":1}",
	    .sha256_hex = "00",
	};
	uint8_t previous[32];

	start_all(f);
	tick(f);
	memcpy(previous, f->previous, sizeof(previous));
	TURN_UNTIL(&f->loop, count(f, "SELECT max(sequence) FROM items") ==
				 (int64_t)f->sequence - 1);
	for (int i = 0; i < 100; i++)
		board_post(f->board, &garbage);
	post(f, (struct mint_wish){.sequence = f->sequence - 1,
		    .previous = previous,
		    .cents = 100,
		    .life_ms = 60000});
	TURN_UNTIL(&f->loop, count(f, "SELECT count(*) FROM refused"
				      " WHERE verdict='sequence_fork'") == 1);
	get_until(f, "/price/BTC-USD", 200);
	assert_null(strstr(f->body, PRICE("1.00")));
	assert_int_equal(get(f, "/upstreams"), 200);
	says(f, "\"disagreements\":1,");
	says(f, "\"disagreements\":[{\"upstream\":\"unix://");
	says(f, "\"feed\":\"BTC-USD\",\"boot_id\":\"0101");
	assert_int_equal(get(f, "/readyz"), 200);
	says(f, "o.sock disagrees\"");
	assert_int_equal(get(f, "/metrics"), 200);
	says(f, "o.sock\"} 1\n");
}

/* What closes a gap is no price any more, but is in the stream, so that a
 * mirror of us has it too. */
static void test_late_is_streamed(void **state)
{
	struct fixture *f = *state;
	struct curl_transfer transfer = {.done = on_answer, .data = f};
	uint8_t before[32];
	uint64_t gap;

	start_all(f);
	TURN_UNTIL(&f->loop, archive_writer_waiting(f->daemon.writer) == 0);
	gap = f->sequence;
	memcpy(before, f->previous, 32);
	f->sequence++;
	tick(f);
	f->len = 0;
	transfer.easy = oracle_address_get(&f->self, "/stream");
	curl_easy_setopt(transfer.easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(transfer.easy, CURLOPT_WRITEDATA, f);
	curl_loop_add(f->curl, &transfer);
	TURN_UNTIL(&f->loop, strstr(f->body, "event: price"));
	post(f, (struct mint_wish){.sequence = gap,
		    .previous = before,
		    .cents = 7700,
		    .life_ms = 60000});
	TURN_UNTIL(&f->loop, strstr(f->body, "event: late"));
	says(f, PRICE("77.00"));
	curl_loop_remove(f->curl, &transfer);
	curl_easy_cleanup(transfer.easy);
	assert_int_equal(get(f, "/price/BTC-USD"), 200);
	assert_null(strstr(f->body, PRICE("77.00")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_two_that_agree),
	    TEST(test_one_that_disagrees),
	    TEST(test_late_is_streamed),
	};

	return cmocka_run_group_tests_name(
	    "upstreams_api", tests, make_mint, free_mint);
}
