/*
 * parent_call: one question to a service of the parent's (the bridge's keeper
 * and its credentials) over a connection of its own:
 *
 *   we connect and write what there is to write
 *   it writes 4 bytes, big-endian, how many follow, and so many bytes
 *
 * The parent is not trusted: what it says has a ceiling and a deadline, and
 * means nothing yet.
 */
#ifndef HALLMARK_ORACLE_PARENT_CALL_H
#define HALLMARK_ORACLE_PARENT_CALL_H

#include "base/endpoint.h"

#include <stddef.h>
#include <stdint.h>

struct parent_call;

/* status 0 and its bytes, borrowed for the call and wiped after; or a negative
 * uv error: UV_EMSGSIZE for an answer over the ceiling or an empty one, UV_EOF
 * for one that ended early, UV_ETIMEDOUT. */
typedef void (*parent_call_cb)(
    int status, const uint8_t *bytes, size_t len, void *data);

struct parent_call_options {
	uv_loop_t *loop;
	const struct endpoint *at; /* copied */
	const void *bytes;         /* to write, copied; may be none */
	size_t len;
	size_t answer_max;
	uint64_t timeout_ms; /* for all of it */
	parent_call_cb cb;
	void *data;
};

/* cb fires exactly once, never before this has returned, unless cancelled. */
struct parent_call *parent_call_start(
    const struct parent_call_options *options);
/* Before cb: it never fires. */
void parent_call_cancel(struct parent_call *call);

#endif
