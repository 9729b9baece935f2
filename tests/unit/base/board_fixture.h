/* board_fixture: a board of two names behind a server of its own. */
#ifndef HALLMARK_TESTS_BOARD_FIXTURE_H
#define HALLMARK_TESTS_BOARD_FIXTURE_H

#include "base/board.h"
#include "client.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct board *board;

static void serve_one(struct http_request *req, void *data)
{
	(void)data;
	board_serve_one(board, req);
}

static void serve_many(struct http_request *req, void *data)
{
	(void)data;
	board_serve_many(board, req);
}

static void serve_stream(struct http_request *req, void *data)
{
	(void)data;
	board_serve_stream(board, req);
}

static void serve_document(struct http_request *req, void *data)
{
	(void)data;
	board_serve_document(board, req);
}

static void serve_hermes_latest(struct http_request *req, void *data)
{
	(void)data;
	board_hermes_latest(board, req);
}

static void serve_hermes_stream(struct http_request *req, void *data)
{
	(void)data;
	board_hermes_stream(board, req);
}

static void serve_hermes_feeds(struct http_request *req, void *data)
{
	(void)data;
	board_hermes_feeds(board, req);
}

static struct http_route routes[] = {
    {"GET", "/price", NULL, serve_many},
    {"GET", "/price/{feed}", NULL, serve_one},
    {"GET", "/stream", NULL, serve_stream},
    {"GET", "/v2/updates/price/latest", NULL, serve_hermes_latest},
    {"GET", "/v2/updates/price/stream", NULL, serve_hermes_stream},
    {"GET", "/v2/price_feeds", NULL, serve_hermes_feeds},
    {"GET", "/attestations/{sha256}", NULL, serve_document},
    {NULL, NULL, NULL, NULL},
};

static inline int set_up(void **state)
{
	(void)state;
	routes[0].params = board_many_params;
	routes[1].params = board_one_params;
	routes[2].params = board_stream_params;
	routes[3].params = board_hermes_latest_params;
	routes[4].params = board_hermes_stream_params;
	routes[5].params = board_hermes_feeds_params;
	server_start_tcp(routes, NULL);
	board = board_new(&loop, "e1");
	board_add_name(board, "BTC-USD");
	board_add_name(board, "ETH-USD");
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	board_close(board, "test");
	server_stop_wait();
	board_free(board);
	loop_end();
	return 0;
}

static inline void post_item(const char *name, int64_t published_ms,
    int64_t life_ms, const char *unavailable, const char *boot_id,
    uint64_t sequence)
{
	board_post(board, &(struct board_text){
			      .name = name,
			      .full = "{\"form\":\"full\"}",
			      .ref = "{\"form\":\"ref\"}",
			      .sha256_hex = SHA_A,
			      .published_ms = published_ms,
			      .expires_ms = published_ms + life_ms,
			      .unavailable = unavailable,
			      .boot_id = boot_id,
			      .sequence = sequence,
			      .price = unavailable ? NULL : "84036.50",
			      .confidence = unavailable ? NULL : "3.25",
			  });
}

static inline void post_at(const char *name, int64_t published_ms,
    int64_t life_ms, const char *unavailable)
{
	post_item(name, published_ms, life_ms, unavailable, NULL, 0);
}

static inline void post(
    const char *name, int64_t life_ms, const char *unavailable)
{
	post_at(name, now_unix_ms(), life_ms, unavailable);
}

/* Asks and checks the status and that each needle is in the answer. */
static inline void asked(const char *target, int status, const char *needle)
{
	struct response response = client_get(target);

	if (response_status(&response) != status ||
	    !strstr(response.text, needle))
		fail_msg("%s: wanted %d with %s, found %s", target, status,
		    needle, response.text);
	response_fini(&response);
}

#endif
