/* verifierd_fixture: the daemon, an oracle with genuine items and a user, on
 * one loop. */
#ifndef HALLMARK_TESTS_DAEMON_VERIFIERD_FIXTURE_H
#define HALLMARK_TESTS_DAEMON_VERIFIERD_FIXTURE_H

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

struct fixture {
	uv_loop_t loop;
	char folder[64], oracle_url[96], daemon_url[96];
	struct verifierd_config config;
	struct verifierd daemon;
	bool running;

	/* the oracle */
	struct board *board;
	struct http_server *server;
	bool server_stopped, hide_document, hold_document;
	struct http_request *held; /* who asked last, while it is held */
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

static inline void on_feeds(struct http_request *req, void *data)
{
	(void)data;
	http_reply_json(
	    req, "{\"feeds\":[{\"feed\":\"BTC-USD\",\"decimals\":2}]}");
}

static inline void on_stream(struct http_request *req, void *data)
{
	struct fixture *f = data;

	board_serve_stream(f->board, req);
}

static inline void answer_document(struct fixture *f)
{
	struct http_request *req = f->held;

	f->held = NULL;
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

static inline void on_document(struct http_request *req, void *data)
{
	struct fixture *f = data;

	f->document_requests++;
	f->held = req;
	if (!f->hold_document)
		answer_document(f);
}

static const char *const stream_params[] = {
    "feeds", "attestation", "since", NULL};
static const struct http_route routes[] = {
    {"GET", "/feeds", NULL, on_feeds},
    {http_get_stream, "/stream", stream_params, on_stream},
    {"GET", "/attestations/{sha256}", NULL, on_document},
    {NULL, NULL, NULL, NULL},
};

static inline void start_oracle(struct fixture *f)
{
	struct endpoint ep;

	assert_int_equal(endpoint_parse(&ep, f->oracle_url), 0);
	f->board = board_new(&f->loop, "oracle");
	board_add_name(f->board, "BTC-USD");
	assert_int_equal(
	    http_server_start(&f->server, &f->loop, &ep, routes, f), 0);
}

static inline void on_server_stopped(void *data)
{
	struct fixture *f = data;

	f->server_stopped = true;
}

static inline void stop_oracle(struct fixture *f)
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

static inline void post(struct fixture *f, struct mint_wish w)
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
static inline void tick(struct fixture *f)
{
	post(f, (struct mint_wish){.sequence = f->sequence,
		    .previous = f->sequence ? f->previous : NULL,
		    .life_ms = 60000,
		    .cents = 8400000 + (int64_t)f->sequence});
	f->sequence++;
}

/* ---- the user ---- */

static inline size_t on_bytes(
    char *bytes, size_t size, size_t count, void *data)
{
	struct fixture *f = data;
	size_t len = size * count;

	assert_true(f->len + len < BODY_MAX);
	memcpy(f->body + f->len, bytes, len);
	f->len += len;
	f->body[f->len] = '\0';
	return len;
}

static inline void on_answer(struct curl_transfer *transfer, CURLcode result)
{
	struct fixture *f = transfer->data;

	(void)result;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &f->status);
	f->answered = true;
}

/* Options for curl, before it asks: each may be NULL. */
struct asked {
	const char *body; /* POST */
	struct curl_slist *headers;
	size_t (*on_header)(char *line, size_t size, size_t n, void *data);
	void *data; /* its */
};

static inline long request_with(
    struct fixture *f, const char *path, const struct asked *asked)
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
	if (asked->body)
		curl_easy_setopt(
		    transfer.easy, CURLOPT_POSTFIELDS, asked->body);
	if (asked->headers)
		curl_easy_setopt(
		    transfer.easy, CURLOPT_HTTPHEADER, asked->headers);
	if (asked->on_header) {
		curl_easy_setopt(
		    transfer.easy, CURLOPT_HEADERFUNCTION, asked->on_header);
		curl_easy_setopt(
		    transfer.easy, CURLOPT_HEADERDATA, asked->data);
	}
	curl_loop_add(f->curl, &transfer);
	TURN_UNTIL(&f->loop, f->answered);
	curl_easy_cleanup(transfer.easy);
	return f->status;
}

static inline long request(
    struct fixture *f, const char *path, const char *body)
{
	return request_with(f, path, &(struct asked){.body = body});
}

static inline long get(struct fixture *f, const char *path)
{
	return request(f, path, NULL);
}

/* Asks again until it answers so. */
static inline void get_until(struct fixture *f, const char *path, long status)
{
	int64_t limit_ms = now_monotonic_ms() + TURN_MAX_MS;

	while (get(f, path) != status && now_monotonic_ms() < limit_ms)
		TURN_FOR(&f->loop, 20);
	if (f->status != status)
		fail_msg("%s: %ld: %s", path, f->status, f->body);
}

static inline void says(const struct fixture *f, const char *text)
{
	if (!strstr(f->body, text))
		fail_msg("no %s in %s", text, f->body);
}

static inline int64_t count(const struct fixture *f, const char *sql)
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

static inline void write_policy(struct fixture *f)
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

static inline void start_daemon(struct fixture *f)
{
	char error[VERIFIERD_ERROR_MAX] = "";

	if (verifierd_start(&f->daemon, &f->loop, &f->config, error))
		fail_msg("%s", error);
	f->running = true;
}

static inline bool daemon_gone(const struct fixture *f)
{
	/* its socket refuses once the server is stopped */
	return access(f->config.listen.path, F_OK) != 0 || !f->running;
}

static inline void stop_daemon(struct fixture *f)
{
	if (!f->running)
		return;
	verifierd_stop(&f->daemon);
	verifierd_stop(&f->daemon); /* twice does no harm */
	f->running = false;
	TURN_UNTIL(&f->loop, daemon_gone(f));
	TURN_FOR(&f->loop, 300);
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
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
static inline void start_all(struct fixture *f)
{
	start_daemon(f);
	TURN_UNTIL(&f->loop,
	    intake_connected(f->daemon.intakes[0]) || (tick(f), false));
	tick(f);
	get_until(f, "/price/BTC-USD", 200);
}

#endif
