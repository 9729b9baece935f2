/* poller_changes: see poller_changes.h. */
#include "oracle/poller_changes.h"

#include "base/log.h"

void poller_changes_add(
    struct poller_changes *changes, enum quote_error error, const char *symbol)
{
	if (changes->symbols[error]++ == 0)
		changes->first[error] = symbol;
}

void poller_changes_log(const struct exchange *exchange,
    const struct poller_changes *began, const struct poller_changes *ended,
    const struct https_answer *answer, int64_t pause_ms)
{
	for (int e = 0; e < QUOTE_ERROR_COUNT; e++) {
		const char *name = quote_error_name((enum quote_error)e);
		if (began->first[e] != NULL)
			log_warn("poller", "source_failed",
			    LOG_S("exchange", exchange->name),
			    LOG_S("symbol", began->first[e]),
			    LOG_D("symbols", began->symbols[e]),
			    LOG_S("error", name), LOG_S("why", answer->why),
			    LOG_D("status", answer->status),
			    LOG_D("pause_ms", pause_ms));
		if (ended->first[e] != NULL)
			log_info("poller", "source_recovered",
			    LOG_S("exchange", exchange->name),
			    LOG_S("symbol", ended->first[e]),
			    LOG_D("symbols", ended->symbols[e]),
			    LOG_S("error", name));
	}
}
