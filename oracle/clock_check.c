/* clock_check: the exchanges as witnesses of the time, see the header. */
#include "oracle/clock_check.h"

#include <assert.h>

void clock_witness_note(struct clock_witness *witness, int64_t date_ms,
    int64_t sent_ms, int64_t received_ms, int64_t seen_monotonic_ms)
{
	int64_t middle_ms = sent_ms + (received_ms - sent_ms) / 2;

	*witness = (struct clock_witness){
	    .has_offset = true,
	    .offset_ms = date_ms + CLOCK_CHECK_CUT_MS - middle_ms,
	    .seen_ms = seen_monotonic_ms,
	};
}

static void insert(int64_t *sorted, size_t count, int64_t value)
{
	while (count > 0 && sorted[count - 1] > value) {
		sorted[count] = sorted[count - 1];
		count--;
	}
	sorted[count] = value;
}

bool clock_check_median(const struct clock_witness *witnesses, size_t count,
    int64_t now_monotonic_ms, int64_t *offset_ms)
{
	int64_t sorted[CLOCK_CHECK_OFFSETS_MAX];
	size_t n = 0;

	assert(count <= CLOCK_CHECK_OFFSETS_MAX);
	*offset_ms = 0;
	for (size_t i = 0; i < count; i++) {
		const struct clock_witness *w = &witnesses[i];
		if (w->has_offset &&
		    now_monotonic_ms - w->seen_ms <= CLOCK_CHECK_AGE_MS)
			insert(sorted, n++, w->offset_ms);
	}
	if (n == 0)
		return false;
	int64_t low = sorted[(n - 1) / 2], high = sorted[n / 2];
	*offset_ms = low + (high - low) / 2;
	return true;
}
