/* poller_changes: how the sources of one answer changed, for the log: one line
 * for all symbols that fare alike. Only the files of poller include this. */
#ifndef HALLMARK_ORACLE_POLLER_CHANGES_H
#define HALLMARK_ORACLE_POLLER_CHANGES_H

#include "feeds/exchanges/exchange.h"
#include "oracle/https_client.h"

struct poller_changes {                       /* by error */
	const char *first[QUOTE_ERROR_COUNT]; /* symbol, borrowed; NULL: none */
	int64_t symbols[QUOTE_ERROR_COUNT];
};

void poller_changes_add(
    struct poller_changes *changes, enum quote_error error, const char *symbol);

/* Failures that began or changed, and those that ended. */
void poller_changes_log(const struct exchange *exchange,
    const struct poller_changes *began, const struct poller_changes *ended,
    const struct https_answer *answer, int64_t pause_ms);

#endif
