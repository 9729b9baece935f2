/* budget: so many a second, for what others can make us do or log. */
#ifndef HALLMARK_VERIFIER_DAEMON_BUDGET_H
#define HALLMARK_VERIFIER_DAEMON_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget { /* zero to begin with */
	uint64_t second;
	unsigned used;
};

static inline bool budget_take(
    struct budget *budget, uint64_t now_ms, unsigned per_second)
{
	if (budget->second != now_ms / 1000) {
		budget->second = now_ms / 1000;
		budget->used = 0;
	}
	if (budget->used >= per_second)
		return false;
	budget->used++;
	return true;
}

#endif
