/* report: tells the caller's callback what was checked (hallmark.h, struct
 * hm_report). Nothing here changes a verdict. */
#ifndef HALLMARK_VERIFIER_REPORT_H
#define HALLMARK_VERIFIER_REPORT_H

#include "verifier/hallmark.h"

/* Whether anybody listens: texts that cost something are made only then. */
static inline bool report_wanted(const struct hm_report *report)
{
	return report != NULL && report->cb != NULL;
}

/* Reports one check and hands its verdict on. */
HM_MUST_CHECK static inline enum hm_verdict report_check(
    const struct hm_report *report, const char *check, enum hm_verdict verdict,
    const char *wanted, const char *found)
{
	if (report_wanted(report))
		report->cb(
		    report->data, check, verdict == HM_VALID, wanted, found);
	return verdict;
}

#endif
