/* pace: see pace.h. */
#include "vsock-bridge/pace.h"

static void fill(struct pace *pace, uint64_t now_ms)
{
	uint64_t full_ms = (uint64_t)(2 * pace->burst / pace->per_s + 1) * 1000;
	uint64_t since_ms = now_ms - pace->filled_ms;
	int64_t more;

	if (pace->filled_ms == 0)
		pace->left = pace->burst;
	if (since_ms > full_ms)
		since_ms = full_ms;
	more = (int64_t)since_ms * pace->per_s / 1000;
	/* What is less than one is kept for the next time. */
	if (more == 0 && pace->filled_ms != 0)
		return;
	pace->filled_ms = now_ms;
	pace->left += more;
	if (pace->left > pace->burst)
		pace->left = pace->burst;
}

void pace_take(struct pace *pace, uint64_t now_ms, int64_t amount)
{
	fill(pace, now_ms);
	pace->left -= amount;
}

uint64_t pace_wait_ms(struct pace *pace, uint64_t now_ms)
{
	fill(pace, now_ms);
	if (pace->left > 0)
		return 0;
	return (uint64_t)(-pace->left * 1000 / pace->per_s) + 1;
}

bool pace_line_may(struct pace_line *line, uint64_t now_ms, uint64_t *unsaid)
{
	if (line->said_ms != 0 && now_ms - line->said_ms < PACE_LINE_MS) {
		line->unsaid++;
		return false;
	}
	*unsaid = line->unsaid;
	line->said_ms = now_ms;
	line->unsaid = 0;
	return true;
}
