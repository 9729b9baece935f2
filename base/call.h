/*
 * call: one question over a connection of its own, for those who know what the
 * answer looks like:
 *
 *   it dials, writes the bytes of the question, and reads into the room that
 *   its owner offers, until he finds the answer whole
 *
 * One deadline stands over all of it. The other side is not trusted: it may say
 * nothing, too much, or go; whatever is too much is its owner's to refuse.
 */
#ifndef HALLMARK_BASE_CALL_H
#define HALLMARK_BASE_CALL_H

#include "base/endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CALL_MORE = 1, /* of took(): the answer is not whole yet */
};

struct call_owner {
	const char *name; /* in the log */
	/* Room for the next bytes of the answer, at least one. */
	uv_buf_t (*room)(void *data);
	/* So many bytes came into it; 0: the other side has ended its own.
	 * CALL_MORE; or 0, the answer is whole, or a negative uv error, and
	 * ended() follows. Never CALL_MORE after 0 bytes. */
	int (*took)(void *data, size_t len);
	/* Exactly once, never before call_start() has returned, unless
	 * cancelled: 0 or a negative uv error (UV_ETIMEDOUT). */
	void (*ended)(void *data, int status);
	/* Exactly once, the last one, cancelled or not: the struct call and
	 * the question may be freed. */
	void (*closed)(void *data);
};

struct call { /* all private; the owner's memory until closed() */
	const struct call_owner *owner;
	void *data;
	struct endpoint at;
	struct endpoint_connect dial;
	uv_pipe_t pipe; /* any stream socket; initialised from the start */
	uv_timer_t timer;
	uv_write_t write;
	uv_buf_t question;
	bool dialing, over;
	unsigned open_handles; /* pipe, timer */
};

struct call_options {
	uv_loop_t *loop;
	const struct endpoint *at; /* copied; the configuration has judged it */
	const void *bytes;         /* the question, borrowed until closed() */
	size_t len;                /* 0: there is nothing to say */
	uint64_t timeout_ms;       /* for all of it */
	const struct call_owner *owner; /* borrowed until closed() */
	void *data;
};

void call_start(struct call *call, const struct call_options *options);
/* Before ended(), which then never fires; closed() does. */
void call_cancel(struct call *call);

#endif
