/*
 * clock_check: is the enclave's clock right? Its host can set it, the
 * exchanges cannot be reached without TLS that ends here: each answer's Date
 * (RFC 9110, 6.6.1) is a witness. Pure.
 *
 * A Date is cut to the second and may have waited in a cache, so one of them
 * says little: an exchange's offset is Date + 500 ms minus the middle of
 * request and answer by our clock, its newest counts for CLOCK_CHECK_AGE_MS,
 * and only the median of all exchanges is judged.
 */
#ifndef HALLMARK_ORACLE_CLOCK_CHECK_H
#define HALLMARK_ORACLE_CLOCK_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_CHECK_LIMIT_MS    2000  /* beyond it our clock is uncertain */
#define CLOCK_CHECK_AGE_MS      60000 /* an offset counts for so long */
#define CLOCK_CHECK_CUT_MS      500   /* what a Date lost on average */
#define CLOCK_CHECK_OFFSETS_MAX 64    /* exchanges that are compared */

struct clock_witness { /* of one exchange; zero at first */
	bool has_offset;
	int64_t offset_ms; /* its clock minus ours */
	int64_t seen_ms;   /* monotonic */
};

/* An answer with this Date. All Unix ms by our clock but seen_ms. */
void clock_witness_note(struct clock_witness *witness, int64_t date_ms,
    int64_t sent_ms, int64_t received_ms, int64_t seen_monotonic_ms);

/* The median of those that are young enough at now; of an even count the mean
 * of the middle two. false: there is none. At most CLOCK_CHECK_OFFSETS_MAX. */
bool clock_check_median(const struct clock_witness *witnesses, size_t count,
    int64_t now_monotonic_ms, int64_t *offset_ms);

#endif
