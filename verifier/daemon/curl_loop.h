/*
 * curl_loop: libcurl's multi interface on the libuv loop (curl.se/libcurl/c/
 * curl_multi_socket_action.html). curl says which descriptors and which timer
 * it waits for; the loop says when they are ready.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_CURL_LOOP_H
#define HALLMARK_VERIFIER_DAEMON_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <uv.h>

struct curl_loop;

struct curl_transfer { /* the caller's; lives until done or removed */
	CURL *easy;    /* the caller's; its CURLOPT_PRIVATE is taken */
	/* Never before add has returned, never after remove; at most once. The
	 * transfer is out of the loop by then: it may be freed. */
	void (*done)(struct curl_transfer *transfer, CURLcode result);
	void *data; /* the caller's */

	/* private: added from within a callback of curl's, see curl_loop.c */
	struct curl_transfer *next;
	bool waits;
};

struct curl_loop *curl_loop_new(uv_loop_t *loop);
/* May be called from one of curl's own callbacks. */
void curl_loop_add(struct curl_loop *curl, struct curl_transfer *transfer);
/* `done` will not be called. Not from one of curl's own callbacks. */
void curl_loop_remove(struct curl_loop *curl, struct curl_transfer *transfer);
/* When all transfers are done or removed. Its handles close on the loop. */
void curl_loop_close(struct curl_loop *curl);

#endif
