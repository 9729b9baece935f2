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

void poll_budget_spend(struct poll_budget *budget, int64_t now_ms)
{
	budget->next_ms = now_ms + budget->spacing_ms;
}

static bool is_ban(const struct poll_outcome *outcome)
{
	return outcome->error == QUOTE_BANNED || outcome->status == 418;
}

static bool is_refusal(const struct poll_outcome *outcome)
{
	return is_ban(outcome) || outcome->error == QUOTE_RATE_LIMITED ||
	       outcome->status == 429;
}

/* Never sooner than asked for; a little later, so that many oracles behind
 * one address do not come back as one. */
static int64_t asked_for(int64_t retry_after_ms, uint32_t random)
{
	int64_t ms = retry_after_ms < POLLER_RETRY_AFTER_MAX_MS
			 ? retry_after_ms
			 : POLLER_RETRY_AFTER_MAX_MS;
	ms += (int64_t)random % (ms / 10 + 1);
	return ms < POLLER_RETRY_AFTER_MAX_MS ? ms : POLLER_RETRY_AFTER_MAX_MS;
}

int64_t poll_budget_judge(struct poll_budget *budget,
    const struct poll_outcome *outcome, int64_t now_ms, uint32_t random)
{
	int64_t pause_ms = 0;

	if (outcome->error == QUOTE_OK) {
		budget->refusals = 0;
		return 0;
	}
	if (is_refusal(outcome)) {
		budget->refusals++;
		pause_ms = backoff_delay(is_ban(outcome)
					     ? POLL_BUDGET_BANNED_MS
					     : POLL_BUDGET_LIMITED_MS,
		    POLL_BUDGET_PAUSE_MAX_MS, budget->refusals, random);
	}
	if (outcome->retry_after_ms > 0)
		pause_ms = asked_for(outcome->retry_after_ms, random);
	if (pause_ms > 0 && now_ms + pause_ms > budget->paused_until_ms)
		budget->paused_until_ms = now_ms + pause_ms;
	return pause_ms;
}
