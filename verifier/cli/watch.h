/*
 * watch: one stream, verified and shown, until something ends it.
 *
 *   ask /feeds (only with --feed or a price to wait for: a name that is not
 *     |         there would be waited for in vain)
 *     v
 *   subscribe --event--> pairing --item, document--> validator --> view
 *     ^                                                   |
 *     +-- back-off, resumes (subscriber.h)                +--> condition
 *
 * Of an https+attested:// address nothing is asked before its channel is
 * attested (channel_keeper.h).
 *
 * It ends by the condition, the time, a signal, or an output that nobody
 * reads; always from the loop, never from within one of curl's callbacks.
 */
#ifndef HALLMARK_VERIFIER_CLI_WATCH_H
#define HALLMARK_VERIFIER_CLI_WATCH_H

#include "verifier/cli/watch_options.h"
#include "verifier/cli/watch_view.h"

#include <uv.h>

/* Runs the loop until all is done and nothing of ours is open on it; the exit
 * code. All are borrowed; an attested address gets its pin. */
int watch_run(uv_loop_t *loop, struct watch_options *options,
    const struct hm_policy *policy, struct watch_view *view);

#endif
