/* metrics_own: see metrics_own.h. */
#include "oracle/metrics_own.h"

#include "base/board_metrics.h"
#include "base/now.h"
#include "oracle/clock_check.h"
#include "oracle/fetch_metrics.h"
#include "oracle/key_rotation.h"
#include "oracle/secrets.h"

#define PREFIX "hallmark_oracle_"

static void put_build(const struct api *api, struct metrics_text *text)
{
	const struct metrics_label labels[] = {{"version", HALLMARK_VERSION},
	    {"platform", api->platform}, {NULL, NULL}};

	metrics_text_family(text, PREFIX "build_info", "gauge",
	    "1 for the version and the attester's platform.");
	metrics_text_sample(text, labels, 1);
}

/* Without "rotate_s" nothing retires. */
static void put_rotation(const struct api *api, struct metrics_text *text)
{
	struct key_rotation_stats stats;

	if (!api->rotation)
		return;
	key_rotation_stats(api->rotation, &stats);
	metrics_text_family(text, PREFIX "key_retires_timestamp_seconds",
	    "gauge", "When the next key is to sign in its place.");
	metrics_text_sample_ms(text, NULL, stats.retire_ms);
	metrics_text_family(text, PREFIX "key_rotation_failures_total",
	    "counter", "Attempts to make the next key that came to nothing.");
	metrics_text_sample(text, NULL, (int64_t)stats.failures);
}

static void put_key(const struct api *api, struct metrics_text *text)
{
	if (api->key_epoch == 0)
		return;
	metrics_text_family(text, PREFIX "key_epoch", "gauge",
	    "Which of its kept keys signs, from 1.");
	metrics_text_sample(text, NULL, (int64_t)api->key_epoch);
}

static void put_clock(const struct api *api, struct metrics_text *text)
{
	int64_t offset_ms;

	metrics_text_family(text, PREFIX "clock_offset_seconds", "gauge",
	    "The exchanges' clocks minus ours, their median.");
	if (poller_clock_offset(api->poller, now_monotonic_ms(), &offset_ms))
		metrics_text_sample_ms(text, NULL, offset_ms);
	metrics_text_family(text, PREFIX "clock_limit_seconds", "gauge",
	    "Beyond this there are no prices.");
	metrics_text_sample_ms(text, NULL, CLOCK_CHECK_LIMIT_MS);
}

/* Without a current document both have no sample: nothing is published then. */
static void put_attestation(
    const struct api *api, struct metrics_text *text, int64_t now_ms)
{
	const struct attestation_document *document = attestation_current(
	    api->attestation, now_ms);

	metrics_text_family(text, PREFIX "attestation_age_seconds", "gauge",
	    "Since the current attestation document was made.");
	if (document)
		metrics_text_sample_ms(
		    text, NULL, now_ms - document->timestamp_ms);
	metrics_text_family(text,
	    PREFIX "attestation_not_after_timestamp_seconds", "gauge",
	    "When the chain of the current attestation document ends.");
	if (document)
		metrics_text_sample_ms(text, NULL, document->not_after_ms);
}

static void put_attester(const struct api *api, struct metrics_text *text)
{
	struct attestation_stats stats;

	attestation_stats(api->attestation, &stats);
	metrics_text_family(text, PREFIX "attester_calls_total", "counter",
	    "Documents that the attester was asked for.");
	metrics_text_sample(text, NULL, (int64_t)stats.calls);
	metrics_text_family(text, PREFIX "nonces_attested_total", "counter",
	    "Nonces that got a document, many of them the same one.");
	metrics_text_sample(text, NULL, (int64_t)stats.nonces);
	metrics_text_family(text, PREFIX "nonces_waiting", "gauge",
	    "Nonces that wait for the attester.");
	metrics_text_sample(text, NULL, stats.waiting);
}

/* How many, never which or what. */
static void put_secrets(const struct api *api, struct metrics_text *text)
{
	struct secrets_stats stats;

	if (!api->secret_store)
		return;
	secrets_stats(api->secret_store, &stats);
	metrics_text_family(text, PREFIX "secrets_held", "gauge",
	    "Secrets that were sealed to this enclave.");
	metrics_text_sample(text, NULL, (int64_t)stats.held);
	metrics_text_family(text, PREFIX "secrets_configured", "gauge",
	    "Secrets that the configuration has names for.");
	metrics_text_sample(text, NULL, (int64_t)stats.configured);
	metrics_text_family(text, PREFIX "secret_messages_total", "counter",
	    "Sealed messages, by what became of them.");
	for (int i = 0; i < SECRETS_OUTCOME_COUNT; i++) {
		const struct metrics_label labels[] = {
		    {"outcome", secrets_outcome_name((enum secrets_outcome)i)},
		    {NULL, NULL}};

		metrics_text_sample(text, labels, (int64_t)stats.outcomes[i]);
	}
}

static void put_log(const struct api *api, struct metrics_text *text)
{
	struct tree_log_stats stats;

	tree_log_stats(api->log, &stats);
	metrics_text_family(text, PREFIX "tree_heads_total", "counter",
	    "Heads of the log that were signed.");
	metrics_text_sample(text, NULL, (int64_t)stats.heads);
	metrics_text_family(text, PREFIX "tree_head_failures_total", "counter",
	    "Heads that could not be signed; the next one counts their items.");
	metrics_text_sample(text, NULL, (int64_t)stats.failures);
	metrics_text_family(text, PREFIX "tree_size", "gauge",
	    "Items that the newest head counts.");
	metrics_text_sample(text, NULL, (int64_t)stats.tree_size);
	metrics_text_family(text, PREFIX "tree_items_waiting", "gauge",
	    "Items that no head counts yet.");
	metrics_text_sample(text, NULL, (int64_t)stats.waiting);
}

void metrics_own(
    const struct api *api, struct metrics_text *text, int64_t now_ms)
{
	put_build(api, text);
	put_key(api, text);
	put_rotation(api, text);
	put_clock(api, text);
	put_attestation(api, text, now_ms);
	put_attester(api, text);
	put_secrets(api, text);
	put_log(api, text);
	fetch_metrics(api->fetch, text);
	board_metrics(api->front.board, text, PREFIX);
}
