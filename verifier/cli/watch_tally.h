/* watch_tally: what became of the items that were watched, and the exit code
 * that it makes. Pure. */
#ifndef HALLMARK_VERIFIER_CLI_WATCH_TALLY_H
#define HALLMARK_VERIFIER_CLI_WATCH_TALLY_H

#include "verifier/cli/condition.h"
#include "verifier/daemon/record.h"

#define WATCH_TIMED_OUT 9 /* behind the classes of the verdicts */

enum watch_outcome {
	WATCH_VERIFIED, /* may be used now; items before it may be missing */
	WATCH_LATE,     /* was right at its time, came after it: not for use */
	WATCH_REFUSED,
};

struct watch_tally { /* zero to begin with */
	uint64_t verified, late, refused;
	uint64_t missing;              /* by the sequences */
	enum hm_verdict first_refused; /* HM_VALID: none was */
	bool met;                      /* the condition */
};

/* Of a judged record. A number that was seen before is refused: a stream
 * resumes behind what it gave, so somebody replays. */
enum watch_outcome watch_outcome(const struct record *record);

/* Counts it. True if the condition is met, by this one. */
bool watch_tally_add(struct watch_tally *tally, const struct condition *until,
    const struct record *record, const struct hm_item *item);

/*
 * When watching has ended, in this order: 0 the condition was met; the class
 * of the first verdict that refused; 9 the condition was not met, or, without
 * one, nothing was verified; 8 items are missing; 0.
 */
int watch_tally_exit(
    const struct watch_tally *tally, const struct condition *until);

#endif
