/* watch_tally: counts, and the exit code. */
#include "verifier/cli/watch_tally.h"

enum watch_outcome watch_outcome(const struct record *record)
{
	if (record->refused || record->verdict == HM_SEQUENCE_REPLAY)
		return WATCH_REFUSED;
	return record->late ? WATCH_LATE : WATCH_VERIFIED;
}

bool watch_tally_add(struct watch_tally *tally, const struct condition *until,
    const struct record *record, const struct hm_item *item)
{
	bool met = false;

	switch (watch_outcome(record)) {
	case WATCH_VERIFIED:
		tally->verified++;
		met = condition_met(until, item);
		break;
	case WATCH_LATE:
		tally->late++;
		break;
	case WATCH_REFUSED:
		tally->refused++;
		if (tally->first_refused == HM_VALID)
			tally->first_refused = record->verdict;
		met = until->kind == CONDITION_REFUSED;
		break;
	}
	tally->missing += record->missing;
	tally->met |= met;
	return met;
}

int watch_tally_exit(
    const struct watch_tally *tally, const struct condition *until)
{
	if (tally->met)
		return 0;
	if (tally->first_refused != HM_VALID)
		return hm_verdict_class(tally->first_refused);
	if (until->kind != CONDITION_NONE || tally->verified == 0)
		return WATCH_TIMED_OUT;
	return tally->missing ? hm_verdict_class(HM_SEQUENCE_GAP) : 0;
}
