/* log_api: the daemon with an oracle that signs heads: what is answered, what
 * is refused, who waits, and what readiness and metrics say. */
#include "log_fixture.h"
#include "verifierd_fixture.h"

#include <semaphore.h>

/* ---- an oracle with a log ---- */

static struct log_fixture logged; /* its teller; nothing of its file */

static void count_item(struct teller *t, const uint8_t sha256[32])
{
	uint8_t leaf[32];

	t->counts[0]++;
	assert_int_equal(merkle_leaf(sha256, 32, leaf), 0);
	assert_int_equal(merkle_append(&t->tree, leaf, NULL, NULL), 0);
}

static void tick_and_count(struct fixture *f)
{
	tick(f);
	count_item(&logged.teller, f->previous);
}

static void post_head(struct fixture *f, struct record *r)
{
	struct hm_envelope e = r->envelope;
	char *ref = envelope_format(&e, false), *full;

	e.document = mint.document;
	e.document_len = mint.document_len;
	full = envelope_format(&e, true);
	board_event(f->board, "tree_head", ref, full);
	free(ref);
	free(full);
	record_free(r);
}

/* Its attestation is what a stream begins with: no item is missed. */
static void attest(struct fixture *f)
{
	char *base64 = base64_encode(mint.document, mint.document_len);
	char event[2 * ATTESTER_DOCUMENT_MAX];

	snprintf(
	    event, sizeof(event), "{\"attestation_doc_b64\":\"%s\"}", base64);
	board_attest(f->board, "oracle", logged.document->sha256_hex,
	    mint.document, mint.document_len, event);
	free(base64);
}

static int log_start(void **state)
{
	struct fixture *f;

	memset(&logged, 0, sizeof(logged));
	logged.document = kept_document_new(mint.document, mint.document_len);
	logged.now_ms = now_unix_ms();
	setup((void **)&f);
	attest(f);
	start_daemon(f);
	TURN_UNTIL(&f->loop, intake_connected(f->daemon.intakes[0]));
	*state = f;
	return 0;
}

static int log_end(void **state)
{
	struct fixture *f = *state;
	struct dirent *entry;
	char path[400];
	DIR *dir;

	stop_daemon(f);
	dir = opendir(f->folder);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", f->folder, entry->d_name);
		if (strncmp(entry->d_name, "misbehaviour", 12) == 0)
			unlink(path);
	}
	closedir(dir);
	kept_document_unref(logged.document);
	return teardown(state);
}

static void grow(struct fixture *f, int items)
{
	while (items-- > 0)
		tick_and_count(f);
	post_head(f, head_of_tree(&logged, &logged.teller));
}

static void wait_heads(struct fixture *f, uint64_t n)
{
	struct log_keeper_stats stats;

	TURN_UNTIL(&f->loop, (log_keeper_stats(f->daemon.log, &stats),
				 stats.states[RECORD_LOG_WHOLE] >= n));
}

static void asks(
    struct fixture *f, const char *path, long status, const char *text)
{
	if (get(f, path) != status)
		fail_msg("%s: %ld: %s", path, f->status, f->body);
	says(f, text);
}

/* ---- what is answered ---- */

static void test_answers(void **state)
{
	struct fixture *f = *state;

	asks(f, "/log/head", 404, "LOG_UNKNOWN");
	grow(f, 3);
	grow(f, 4);
	wait_heads(f, 2);
	asks(f, "/log/head", 200, "\\\"tree_size\\\":7");
	says(f, "attestation_doc_b64");
	asks(f, "/log/head?boot_id=01010101010101010101010101010101", 200,
	    "hallmark-head/1");
	asks(f, "/log/head?boot_id=02010101010101010101010101010101", 404,
	    "LOG_UNKNOWN");
	asks(f, "/log/heads", 200, "\"next_after\":null");
	says(f, "\\\"tree_size\\\":3");
	asks(f, "/log/heads?limit=1", 200, "\"next_after\":3");
	asks(f, "/log/heads?after=3&limit=1", 200, "\\\"tree_size\\\":7");
	asks(f, "/log/inclusion?feed=BTC-USD&sequence=6", 200,
	    "\"leaf_index\":6,\"tree_size\":7");
	asks(f, "/log/inclusion?feed=BTC-USD&sequence=0&tree_size=3", 200,
	    "\"leaf_index\":0,\"tree_size\":3");
	asks(f, "/log/inclusion?feed=BTC-USD&sequence=7", 404, "ITEM_UNKNOWN");
	asks(f, "/log/consistency?from=3&to=7", 200, "\"from\":3,\"to\":7");
	asks(f, "/log/consistency?from=3&to=8", 404, "LOG_SIZE_UNKNOWN");
	asks(f, "/readyz", 200, "\"log\":\"ok\"");
	asks(f, "/metrics", 200,
	    "hallmark_verifierd_log_heads_total{outcome=\"whole\"} 2");
	says(f, "hallmark_verifierd_log_tree_size 7");
}

static void test_refuses(void **state)
{
	struct fixture *f = *state;

	asks(f, "/log/head?boot=1", 400, "PARAM_UNKNOWN");
	asks(f, "/log/head?boot_id=0101", 400, "PARAM_INVALID");
	asks(f, "/log/head?boot_id=0101010101010101010101010101010G", 400,
	    "PARAM_INVALID");
	asks(f, "/log/heads?limit=1001", 400, "PARAM_INVALID");
	asks(f, "/log/heads?after=-1", 400, "PARAM_INVALID");
	asks(f, "/log/heads?after=9007199254740992", 400, "PARAM_INVALID");
	asks(f, "/log/inclusion?feed=BTC-USD", 400, "PARAM_MISSING");
	asks(f, "/log/inclusion?sequence=1", 400, "PARAM_MISSING");
	asks(f, "/log/inclusion?feed=B%20D&sequence=1", 400, "PARAM_INVALID");
	asks(f, "/log/inclusion?feed=BTC-USD&sequence=1x", 400,
	    "\"parameter\":\"sequence\"");
	asks(f, "/log/consistency?from=1", 400, "PARAM_MISSING");
	asks(f, "/log/consistency?from=0&to=1", 400, "PARAM_INVALID");
	asks(f, "/log/consistency?from=2&to=1", 400, "PARAM_INVALID");
}

/* ---- what is wrong ---- */

static void test_gap_is_counted(void **state)
{
	struct fixture *f = *state;
	struct log_keeper_stats stats;

	grow(f, 1);
	for (; f->sequence < 3; f->sequence++) /* that nobody was sent */
		count_item(&logged.teller, f->previous);
	grow(f, 1);
	TURN_UNTIL(&f->loop,
	    (log_keeper_stats(f->daemon.log, &stats), stats.items_missing));
	assert_int_equal(stats.items_missing, 2);
	assert_int_equal(stats.states[RECORD_LOG_GAP], 1);
	asks(f, "/readyz", 200, "\"log\":\"ok\"");
}

static void test_fork_is_told(void **state)
{
	struct fixture *f = *state;
	struct log_keeper_stats stats;
	struct teller other;

	grow(f, 3);
	other = logged.teller;
	grow(f, 2);
	wait_heads(f, 2);
	count_item(&other, f->previous);
	count_item(&other, f->previous);
	post_head(f, head_of_tree(&logged, &other));
	TURN_UNTIL(&f->loop,
	    (log_keeper_stats(f->daemon.log, &stats), stats.forks == 1));
	assert_int_equal(stats.proofs, 1);
	asks(f, "/readyz", 200, "\"log\":\"warning: ");
	asks(
	    f, "/metrics", 200, "hallmark_verifierd_log_misbehaviour_proofs 1");
	assert_int_equal(count(f, "SELECT count(*) FROM refused"
				  " WHERE verdict='log_fork'"),
	    1);
	stop_daemon(f); /* and after a restart, while the file is there */
	start_daemon(f);
	TURN_UNTIL(&f->loop, intake_connected(f->daemon.intakes[0]));
	grow(f, 1);
	wait_heads(f, 1);
	asks(f, "/readyz", 200, "\"log\":\"warning: ");
	asks(f, "/log/inclusion?feed=BTC-USD&sequence=5", 200, "leaf_index");
	post_head(f, sign_head(&logged, &other.last)); /* again */
	TURN_UNTIL(&f->loop,
	    (log_keeper_stats(f->daemon.log, &stats), stats.forks == 1));
	assert_int_equal(stats.proofs, 1); /* the one that was there */
}

static void test_refused_head(void **state)
{
	struct fixture *f = *state;
	struct log_keeper_stats stats;

	board_event(f->board, "tree_head", "{}", "{}");
	TURN_UNTIL(&f->loop,
	    (log_keeper_stats(f->daemon.log, &stats), stats.refused == 1));
	asks(f, "/readyz", 503, "\"log\":\"ok\"");
}

/* ---- who waits ---- */

#define POOL  4 /* threads of libuv's pool */
#define CROWD (1 + LOG_READER_WAITING_MAX + 5)

static sem_t gate;
static uv_work_t works[POOL];
static int held_back; /* of them */

static void hold(uv_work_t *work)
{
	(void)work;
	while (sem_wait(&gate))
		;
}

static void held(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
	held_back--;
}

struct crowd {
	struct curl_transfer transfers[CROWD];
	size_t answered;
	long counts[600];
};

static void on_one_answer(struct curl_transfer *transfer, CURLcode result)
{
	struct crowd *crowd = transfer->data;
	long status = 0;

	(void)result;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	crowd->counts[status < 600 ? status : 0]++;
	crowd->answered++;
	transfer->data = NULL;
}

static size_t drop(char *bytes, size_t size, size_t count_, void *data)
{
	(void)bytes;
	(void)data;
	return size * count_;
}

static void hold_pool(struct fixture *f)
{
	sem_init(&gate, 0, 0);
	held_back = POOL;
	for (int i = 0; i < POOL; i++)
		uv_queue_work(&f->loop, &works[i], hold, held);
}

static void let_go(struct fixture *f)
{
	for (int i = 0; i < POOL; i++)
		sem_post(&gate);
	TURN_UNTIL(&f->loop, held_back == 0);
}

static void ask_all(struct fixture *f, struct crowd *crowd)
{
	for (size_t i = 0; i < CROWD; i++) {
		struct curl_transfer *t = &crowd->transfers[i];

		t->easy = oracle_address_get(&f->self, "/log/head");
		t->done = on_one_answer;
		t->data = crowd;
		curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, drop);
		curl_loop_add(f->curl, t);
	}
}

static size_t waiting(const struct fixture *f)
{
	struct log_reader_stats stats;

	log_reader_stats(f->daemon.log_reader, &stats);
	return stats.waiting;
}

static void free_all(struct crowd *crowd)
{
	for (size_t i = 0; i < CROWD; i++)
		curl_easy_cleanup(crowd->transfers[i].easy);
}

static void test_crowd(void **state)
{
	static struct crowd crowd;
	struct fixture *f = *state;

	grow(f, 3);
	wait_heads(f, 1);
	hold_pool(f);
	ask_all(f, &crowd);
	TURN_UNTIL(&f->loop, crowd.answered == 5);
	assert_int_equal(crowd.counts[503], 5);
	assert_int_equal(waiting(f), LOG_READER_WAITING_MAX);
	let_go(f);
	TURN_UNTIL(&f->loop, crowd.answered == CROWD);
	assert_int_equal(crowd.counts[200], CROWD - 5);
	assert_int_equal(waiting(f), 0);
	free_all(&crowd);
}

/* One leaves that is being answered, others that wait. */
static void test_clients_leave(void **state)
{
	static struct crowd crowd;
	struct fixture *f = *state;

	hold_pool(f);
	ask_all(f, &crowd);
	TURN_UNTIL(&f->loop, waiting(f) == LOG_READER_WAITING_MAX);
	for (size_t i = 0; i < CROWD; i++)
		if (crowd.transfers[i].data) /* not answered yet */
			curl_loop_remove(f->curl, &crowd.transfers[i]);
	TURN_FOR(&f->loop, 200);
	let_go(f);
	TURN_UNTIL(&f->loop, waiting(f) == 0);
	free_all(&crowd);
}

static void test_stopped_while_they_wait(void **state)
{
	static struct crowd crowd;
	struct fixture *f = *state;

	hold_pool(f);
	ask_all(f, &crowd);
	TURN_UNTIL(&f->loop, waiting(f) == LOG_READER_WAITING_MAX);
	verifierd_stop(&f->daemon);
	f->running = false;
	TURN_UNTIL(&f->loop, crowd.answered == CROWD);
	let_go(f);
	TURN_FOR(&f->loop, 300);
	free_all(&crowd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, log_start, log_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_answers),
	    TEST(test_refuses),
	    TEST(test_gap_is_counted),
	    TEST(test_fork_is_told),
	    TEST(test_refused_head),
	    TEST(test_crowd),
	    TEST(test_clients_leave),
	    TEST(test_stopped_while_they_wait),
	};

	return cmocka_run_group_tests_name(
	    "log_api", tests, make_mint, free_mint);
}
