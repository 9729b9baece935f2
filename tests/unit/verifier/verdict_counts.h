/* verdict_counts: how many of each verdict there were, on one line. */
#ifndef HALLMARK_TESTS_VERIFIER_VERDICT_COUNTS_H
#define HALLMARK_TESTS_VERIFIER_VERDICT_COUNTS_H

#include "verifier/hallmark.h"

#include <stdio.h>

static inline void print_counts(const size_t counts[HM_VERDICT_COUNT])
{
	for (int v = 0; v < HM_VERDICT_COUNT; v++)
		if (counts[v] > 0)
			printf(" %s %zu", hm_verdict_name((enum hm_verdict)v),
			    counts[v]);
	printf("\n");
	fflush(stdout);
}

#endif
