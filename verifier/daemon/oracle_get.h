/* oracle_get: one small answer of an oracle, whole, under a ceiling and a
 * deadline. */
#ifndef HALLMARK_VERIFIER_DAEMON_ORACLE_GET_H
#define HALLMARK_VERIFIER_DAEMON_ORACLE_GET_H

#include "verifier/daemon/curl_body.h"
#include "verifier/daemon/curl_loop.h"
#include "verifier/daemon/oracle_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_GET_MS 5000 /* from start to last byte */

struct oracle_get { /* the caller's; lives until done or cancelled */
	void *data; /* the caller's */

	/* private */
	struct curl_loop *curl;
	struct curl_transfer transfer;
	struct curl_body body;
	const char *type;
	void (*done)(struct oracle_get *get, const char *error,
	    const uint8_t *body, size_t len);
};

/*
 * GET target; `done` fires exactly once, never before this has returned, with
 * a body of at most `max` bytes that came with status 200 and this content
 * type, or with an error text and no body. Both are borrowed for the call; it
 * may free the struct.
 */
void oracle_get_start(struct oracle_get *get, struct curl_loop *curl,
    const struct oracle_address *address, const char *target,
    const char *content_type, size_t max,
    void (*done)(struct oracle_get *get, const char *error, const uint8_t *body,
	size_t len));
/* `done` will not be called. Nothing to do if it is not under way. */
void oracle_get_cancel(struct oracle_get *get);

/* Did this transfer answer 200 with that content type (parameters aside)? */
int oracle_get_is(CURL *easy, const char *content_type);

#endif
