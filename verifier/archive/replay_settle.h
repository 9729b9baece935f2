/* replay_settle: judged tasks, one after the other in the order of the archive:
 * what is counted, told, and held against what came before. */
#ifndef HALLMARK_VERIFIER_ARCHIVE_REPLAY_SETTLE_H
#define HALLMARK_VERIFIER_ARCHIVE_REPLAY_SETTLE_H

#include "verifier/archive/replay_order.h"
#include "verifier/archive/replay_task.h"

struct replay_boot_head { /* the newest head of a boot */
	struct replay_boot_head *next;
	struct hm_head *head;
};

struct replay_settle {
	const struct replay_options *with;
	struct replay_order *order;
	struct replay_boot_head *heads;
	struct replay_report report;
	struct item claimed; /* room for who signed nothing */
	bool failed; /* no memory: said, and nothing is right any more */
};

/* 0, or -1: no memory. */
HM_MUST_CHECK int replay_settle_init(
    struct replay_settle *settle, const struct replay_options *options);
void replay_settle_fini(struct replay_settle *settle);

void replay_settle_next_file(struct replay_settle *settle);
void replay_settle_batch(
    struct replay_settle *settle, struct replay_batch *batch);
void replay_settle_end(struct replay_settle *settle);

#endif
