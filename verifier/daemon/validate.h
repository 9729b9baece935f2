/*
 * validate: judges each item: is it good now, and is it the next one? Holds
 * the policy, the cache of verified documents, and the place in the sequence
 * of each feed of each boot. Order is kept by boot, so that two oracles of one
 * feed do not disturb each other and an old boot's items are known when they
 * come again. No I/O, no clock.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_VALIDATE_H
#define HALLMARK_VERIFIER_DAEMON_VALIDATE_H

#include "verifier/daemon/record.h"

#define VALIDATOR_DOCUMENTS  64   /* verified documents in the cache */
#define VALIDATOR_STATES_MAX 4096 /* feeds x boots; least recent goes */
/* How old an item may be to be archived as late: what an oracle's ring can
 * hold after an outage, and no more. */
#define VALIDATOR_LATE_MS (3600 * 1000LL)

struct validator;

/* The policy is borrowed until free. */
struct validator *validator_new(const struct hm_policy *policy);
void validator_free(struct validator *validator);
/* Another age than VALIDATOR_LATE_MS: of upstreams that keep items longer. */
void validator_set_late_ms(struct validator *validator, int64_t late_ms);

/* The last item of this feed and boot that is in the archive (start-up). */
void validator_seed(struct validator *validator, const char *feed,
    const struct hm_sequence *state);

/*
 * Judges record->envelope, with record->document if it is in the reference
 * form, and fills the record's "validator" part:
 *
 *   HM_VALID         good now, and the next one
 *   HM_SEQUENCE_GAP  good now, but others before it are missing
 *   HM_SEQUENCE_REPLAY  `late`: number seen before; the archive knows whether
 *                    it has it, and whether it is the same
 *   any other        `refused`, unless `late`: HM_ITEM_EXPIRED and its like
 *                    for an item that was good when it was published
 *
 * A head has no order here: the archive holds it against the others (it knows
 * them). HM_VALID, or `refused`, or `late` as for an item, and record->head.
 */
void validator_judge(
    struct validator *validator, struct record *record, int64_t now_ms);
/* Of an item: the same, and all that it says; zeroed if it is refused. */
void validator_judge_item(struct validator *validator, struct record *record,
    int64_t now_ms, struct hm_item *item);

/* Judges an item of the archive again, by itself, and fills the same part. */
HM_MUST_CHECK enum hm_verdict validator_fill_live(
    struct validator *validator, struct record *record, int64_t now_ms);

/* One item as POST /verify asks, outside of any order. */
enum hm_verdict validator_check_live(struct validator *validator,
    const struct hm_envelope *envelope, int64_t now_ms,
    const struct hm_report *report);
enum hm_verdict validator_check_replay(struct validator *validator,
    const struct hm_envelope *envelope, const struct hm_report *report);

/* What the cache of verified documents holds and has spared. */
void validator_cache_stats(
    const struct validator *validator, struct hm_cache_stats *out);

/* How often each verdict was given by validator_judge, to items and heads. */
uint64_t validator_count(
    const struct validator *validator, enum hm_verdict verdict);
uint64_t validator_head_count(
    const struct validator *validator, enum hm_verdict verdict);

#endif
