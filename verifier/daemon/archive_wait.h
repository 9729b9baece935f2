/*
 * archive_wait: at the start, an archive that cannot be opened now and may be
 * later by itself: there is no space, nothing may be written, another process
 * holds it. The daemon is up meanwhile, says so in /readyz, and takes nothing
 * in.
 *
 * It is tried again every ARCHIVE_WAIT_MS on the thread pool: another process's
 * lock is waited for, and the loop must go on.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_WAIT_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_WAIT_H

#include "verifier/daemon/archive_writer.h"

#include <limits.h>

#define ARCHIVE_WAIT_MS 2000

struct archive_wait;

/* Whether waiting is of use in this state. */
bool archive_wait_may_pass(enum archive_state state);

struct archive_wait_options {
	uv_loop_t *loop;
	const char *path; /* borrowed */
	enum archive_state state;
	const char *why; /* copied */
	/* Once, from the loop: it could be opened, and is the callee's. The
	 * wait has ended then, and frees itself. aside: where a damaged one was
	 * put, or "". */
	void (*opened)(struct archive *archive, const char *aside, void *data);
	void *data;
};

struct archive_wait *archive_wait_start(
    const struct archive_wait_options *options);
/* What it is waiting for; as of a writer. */
void archive_wait_view(
    const struct archive_wait *wait, struct archive_writer_view *out);
/* Not after `opened`, which comes no more. Frees it, at once or when an attempt
 * under way has returned, then calls `stopped` from the loop. */
void archive_wait_stop(
    struct archive_wait *wait, void (*stopped)(void *data), void *data);

#endif
