/* poll_budget: one exchange's patience with us, see the header. */
#include "oracle/poll_budget.h"

#include "oracle/backoff.h"
#include "oracle/poller.h"

void poll_budget_init(struct poll_budget *budget, unsigned spacing_ms)
{
	*budget = (struct poll_budget){.spacing_ms = spacing_ms};
}

int64_t poll_budget_ready_ms(const struct poll_budget *budget)
{
	return budget->next_ms > budget->paused_until_ms
		   ? budget->next_ms
		   : budget->paused_until_ms;
}

/* ---- what was spent ---- */

static unsigned *second(struct poll_budget *budget, int64_t s)
{
	return &budget->counts[s % POLL_BUDGET_COUNTED_S];
}

static void count(struct poll_budget *budget, int64_t s)
{
	int64_t gap_s = s - budget->newest_s;

	if (gap_s > POLL_BUDGET_COUNTED_S)
		gap_s = POLL_BUDGET_COUNTED_S;
	for (int64_t i = 0; i < gap_s; i++)
		*second(budget, s - i) = 0;
	if (gap_s > 0)
		budget->newest_s = s;
	++*second(budget, budget->newest_s);
}

void poll_budget_spend(struct poll_budget *budget, int64_t now_ms)
{
	budget->next_ms = now_ms + budget->spacing_ms;
	count(budget, now_ms / 1000);
}

unsigned poll_budget_last_minute(
    const struct poll_budget *budget, int64_t now_ms)
{
	int64_t oldest_s = now_ms / 1000 - POLL_BUDGET_COUNTED_S + 1;
	unsigned sum = 0;

	if (oldest_s <= budget->newest_s - POLL_BUDGET_COUNTED_S)
		oldest_s = budget->newest_s - POLL_BUDGET_COUNTED_S + 1;
	if (oldest_s < 0)
		oldest_s = 0;
	for (int64_t s = oldest_s; s <= budget->newest_s; s++)
		sum += budget->counts[s % POLL_BUDGET_COUNTED_S];
	return sum;
}

/* ---- what they say to it ---- */

static bool is_ban(
    const struct poll_budget *budget, const struct poll_outcome *outcome)
{
	return outcome->error == QUOTE_BANNED || outcome->status == 418 ||
	       (outcome->status == 403 && budget->ban_403_ms > 0);
}

static bool is_refusal(
    const struct poll_budget *budget, const struct poll_outcome *outcome)
{
	return is_ban(budget, outcome) ||
	       outcome->error == QUOTE_RATE_LIMITED || outcome->status == 429;
}

static int64_t at_most(int64_t ms, int64_t most_ms)
{
	return ms < most_ms ? ms : most_ms;
}

/* Never sooner than asked for; a little later, so that many oracles behind
 * one address do not come back as one. One that refuses although we came when
 * it told us to is given twice as long each time. */
static int64_t asked_for(
    int64_t retry_after_ms, unsigned times, uint32_t random)
{
	int64_t ms = at_most(retry_after_ms, POLLER_RETRY_AFTER_MAX_MS);
	int64_t most_ms = at_most(ms + ms / 10, POLLER_RETRY_AFTER_MAX_MS);

	if (most_ms < POLL_BUDGET_PAUSE_MAX_MS)
		most_ms = POLL_BUDGET_PAUSE_MAX_MS;
	return backoff_delay(ms, most_ms, times > 1 ? times : 1, random);
}

static int64_t escalated(const struct poll_budget *budget,
    const struct poll_outcome *outcome, uint32_t random)
{
	int64_t least_ms = POLL_BUDGET_LIMITED_MS;

	if (is_ban(budget, outcome))
		least_ms = budget->ban_403_ms > POLL_BUDGET_BANNED_MS
			       ? budget->ban_403_ms
			       : POLL_BUDGET_BANNED_MS;
	return backoff_delay(
	    least_ms, POLL_BUDGET_PAUSE_MAX_MS, budget->refusals, random);
}

int64_t poll_budget_judge(struct poll_budget *budget,
    const struct poll_outcome *outcome, int64_t now_ms, uint32_t random)
{
	bool is_new = budget->refusals == 0 ||
		      outcome->sent_ms > budget->refused_ms;
	int64_t pause_ms = 0;

	if (outcome->error == QUOTE_OK) {
		if (is_new)
			budget->refusals = 0;
		return 0;
	}
	if (is_refusal(budget, outcome) && is_new) {
		budget->refusals++;
		budget->refused_ms = now_ms;
	}
	if (outcome->retry_after_ms > 0)
		pause_ms = asked_for(
		    outcome->retry_after_ms, budget->refusals, random);
	else if (is_refusal(budget, outcome))
		pause_ms = escalated(budget, outcome, random);
	if (pause_ms > 0 && now_ms + pause_ms > budget->paused_until_ms)
		budget->paused_until_ms = now_ms + pause_ms;
	return pause_ms;
}
