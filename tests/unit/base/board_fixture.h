/* board_fixture: a board of two names behind a server of its own. */
#ifndef HALLMARK_TESTS_BOARD_FIXTURE_H
#define HALLMARK_TESTS_BOARD_FIXTURE_H

#include "base/board_routes.h"
#include "client.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct board *board;

static struct board_front front;

static inline int set_up(void **state)
{
	static const struct service_route *const tables[] = {
	    board_routes, NULL};

	(void)state;
	front.service = service_new("test", tables);
	server_start_tcp(service_routes(front.service), &front);
	front.board = board = board_new(&loop, "e1");
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
	service_free(front.service);
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
