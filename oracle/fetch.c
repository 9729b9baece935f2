/* fetch: see fetch.h. */
#include "oracle/fetch.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/clock_check.h"
#include "oracle/fetch_place.h"
#include "oracle/own_envelope.h"
#include "verifier/fetched.h"
#include "verifier/fetched_envelope.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SELF_CHECK_DOCUMENTS 4 /* as the publisher's */

struct fetch {
	struct fetch_options with;
	struct hm_cache *cache;
	struct fetch_place places[CONFIG_FETCH_ALLOW_MAX];
	size_t place_count;
	struct fetch_stats stats;
	bool stopping;
};

/* ---- the end of a request: the one place that calls back ---- */

static void finish(struct fetch_lane *lane, const struct fetch_outcome *outcome)
{
	struct fetch_waiter *waiter;

	free(lane->content);
	lane->content = NULL;
	while ((waiter = LIST_FIRST(&lane->waiters)) != NULL) {
		LIST_REMOVE(waiter, entry);
		waiter->cb(waiter, outcome);
	}
	lane->state = FETCH_IDLE; /* what joined meanwhile had its answer */
}

static void fail(
    struct fetch_lane *lane, enum quote_error error, const char *why)
{
	const struct fetch_outcome outcome = {.error = error, .why = why};

	lane->owner->stats.failed++;
	log_warn("fetch", "fetch_failed",
	    LOG_S("hostname", lane->place->hostname),
	    LOG_S("error", quote_error_name(error)), LOG_S("why", why));
	finish(lane, &outcome);
}

/* ---- signed ---- */

static void publish(struct fetch_lane *lane, const struct hm_envelope *envelope)
{
	struct fetch_text *text = fetch_text_new(
	    fetched_envelope_format(envelope), &lane->owner->stats.held_bytes);
	const struct fetch_outcome outcome = {.text = text};

	finish(lane, &outcome);
	fetch_text_release(text);
}

/* What we serve verifies, because we looked. */
static enum hm_verdict check(
    const struct fetch_lane *lane, const struct hm_envelope *envelope)
{
	const struct fetch_options *with = &lane->owner->with;
	const struct hm_fetch_request asked = {
	    lane->place->hostname, lane->place->port, lane->path};

	return hm_fetch_verify_live(with->policy, lane->owner->cache, envelope,
	    &asked, now_unix_ms(), NULL, NULL);
}

static void on_signed(struct signer_op *op, int status)
{
	struct fetch_lane *lane = op->data;
	const struct fetch_options *with = &lane->owner->with;
	const struct attestation_document *document = attestation_find(
	    with->attestation, lane->attestation_sha256);
	struct hm_envelope envelope;
	enum hm_verdict verdict;

	if (status != 0 || document == NULL) {
		fail(lane, QUOTE_NOT_POLLED,
		    status != 0 ? uv_strerror(status)
				: "its attestation document is gone");
		return;
	}
	envelope = own_envelope(lane->content, lane->content_len, with->signer,
	    op, with->platform, document);
	verdict = check(lane, &envelope);
	if (verdict == HM_VALID)
		publish(lane, &envelope);
	else
		fail(lane, QUOTE_NOT_POLLED, hm_verdict_name(verdict));
}

/* ---- answered ---- */

static void encode(struct fetch_lane *lane, const struct https_answer *answer)
{
	const struct fetch_options *with = &lane->owner->with;
	struct hm_fetched fetched = {
	    .port = lane->place->port,
	    .status = answer->status,
	    .body = (uint8_t *)answer->body, /* borrowed */
	    .body_len = answer->len,
	    .date_ms = answer->date_ms,
	    .fetched_ms = now_unix_ms(),
	};

	snprintf(fetched.hostname, sizeof(fetched.hostname), "%s",
	    lane->place->hostname);
	snprintf(fetched.path, sizeof(fetched.path), "%s", lane->path);
	memcpy(fetched.boot_id, with->boot_id, sizeof(fetched.boot_id));
	memcpy(fetched.tls_spki_sha256, answer->tls_spki_sha256, HM_SHA256_LEN);
	memcpy(fetched.config_sha256, with->config->sha256, HM_SHA256_LEN);
	lane->content = fetched_encode(&fetched, &lane->content_len);
	if (lane->content == NULL)
		log_die("fetch", "out of memory");
}

static void sign(struct fetch_lane *lane, const struct https_answer *answer)
{
	const struct fetch_options *with = &lane->owner->with;
	const struct attestation_document *document = attestation_current(
	    with->attestation, now_unix_ms());

	if (document == NULL) {
		fail(lane, QUOTE_NOT_POLLED, "no current attestation document");
		return;
	}
	encode(lane, answer);
	memcpy(lane->attestation_sha256, document->sha256, HM_SHA256_LEN);
	lane->state = FETCH_SIGNING;
	lane->op.data = lane;
	signer_sign(with->signer, with->loop, &lane->op, lane->content,
	    lane->content_len, on_signed);
}

static void on_answer(const struct https_answer *answer, void *data)
{
	struct fetch_lane *lane = data;

	fetch_place_judge(lane->place, answer, lane->asked_ms);
	if (answer->error != QUOTE_OK)
		fail(lane, answer->error, answer->why);
	else
		sign(lane, answer);
}

/* ---- may it be asked for now? ---- */

static struct fetch_place *find_place(
    struct fetch *fetch, const char *hostname, unsigned port)
{
	for (size_t i = 0; i < fetch->place_count; i++) {
		struct fetch_place *place = &fetch->places[i];

		if (place->port == port &&
		    strcmp(place->hostname, hostname) == 0)
			return place;
	}
	return NULL;
}

static bool clock_is_uncertain(const struct fetch *fetch)
{
	int64_t offset_ms;

	return fetch->with.poller != NULL &&
	       poller_clock_offset(
		   fetch->with.poller, now_monotonic_ms(), &offset_ms) &&
	       llabs(offset_ms) > CLOCK_CHECK_LIMIT_MS;
}

static void ask(struct fetch_lane *lane, const char *path)
{
	int64_t now_ms = now_monotonic_ms();

	lane->owner->stats.asked++;
	lane->state = FETCH_ASKING;
	lane->asked_ms = now_ms;
	snprintf(lane->path, sizeof(lane->path), "%s", path);
	poll_budget_spend(lane->place->budget, now_ms);
	https_client_set_deadline(lane->client, FETCH_DEADLINE_MS);
	https_client_get(lane->client, lane->path, on_answer, lane);
}

/* Nothing like it is under way. */
static enum fetch_result begin(struct fetch *fetch, struct fetch_place *place,
    const char *path, struct fetch_lane **lane, int64_t *retry_ms)
{
	*lane = fetch_place_idle(place);
	*retry_ms = fetch_place_wait_ms(place, fetch->with.poller);
	if (*retry_ms > 0)
		return FETCH_NO_BUDGET;
	if (attestation_current(fetch->with.attestation, now_unix_ms()) == NULL)
		return FETCH_UNATTESTED;
	if (clock_is_uncertain(fetch))
		return FETCH_CLOCK_UNCERTAIN;
	if (*lane == NULL || fetch->stats.held_bytes > fetch->with.held_max)
		return FETCH_BUSY;
	ask(*lane, path);
	return FETCH_STARTED;
}

/* ---- public ---- */

enum fetch_result fetch_ask(struct fetch *fetch,
    const struct hm_fetch_request *request, struct fetch_waiter *waiter,
    int64_t *retry_ms)
{
	enum fetch_result start = FETCH_STARTED;
	struct fetch_place *place;
	struct fetch_lane *lane;

	*retry_ms = 0;
	if (fetch == NULL)
		return FETCH_NOT_ALLOWED;
	if (fetch->stopping)
		return FETCH_BUSY;
	if (!config_fetch_allows(&fetch->with.config->fetch, request->hostname,
		request->port, request->path)) {
		fetch->stats.outside++;
		return FETCH_NOT_ALLOWED;
	}
	place = find_place(fetch, request->hostname, request->port);
	assert(place != NULL); /* it is on the list */
	lane = fetch_place_same(place, request->path);
	if (lane != NULL)
		fetch->stats.shared++;
	else
		start = begin(fetch, place, request->path, &lane, retry_ms);
	if (start == FETCH_STARTED)
		LIST_INSERT_HEAD(&lane->waiters, waiter, entry);
	else
		fetch->stats.refused++;
	return start;
}

void fetch_forget(struct fetch_waiter *waiter)
{
	LIST_REMOVE(waiter, entry);
}

void fetch_stats(const struct fetch *fetch, struct fetch_stats *out)
{
	*out = fetch != NULL ? fetch->stats : (struct fetch_stats){0};
}

/* ---- life ---- */

/* Of entries that differ in their prefix there is one place. */
static void add_place(
    struct fetch *fetch, const struct config_fetch_allow *allow)
{
	struct fetch_place *place = &fetch->places[fetch->place_count];
	const struct fetch_place *same_host = NULL;

	if (find_place(fetch, allow->hostname, allow->port) != NULL)
		return;
	for (size_t i = 0; i < fetch->place_count; i++) {
		if (strcmp(fetch->places[i].hostname, allow->hostname) == 0)
			same_host = &fetch->places[i];
	}
	fetch_place_init(place, allow, same_host, &fetch->with);
	for (size_t i = 0; i < FETCH_LANES; i++)
		place->lanes[i].owner = fetch;
	fetch->place_count++;
}

struct fetch *fetch_start(const struct fetch_options *options)
{
	const struct config_fetch *allowed = &options->config->fetch;
	struct fetch *fetch;

	if (allowed->allow_count == 0)
		return NULL;
	fetch = calloc(1, sizeof(*fetch));
	if (fetch == NULL)
		log_die("fetch", "out of memory");
	fetch->with = *options;
	if (fetch->with.held_max == 0)
		fetch->with.held_max = FETCH_HELD_MAX;
	fetch->cache = hm_cache_new(SELF_CHECK_DOCUMENTS);
	if (fetch->cache == NULL)
		log_die("fetch", "out of memory");
	for (size_t i = 0; i < allowed->allow_count; i++)
		add_place(fetch, &allowed->allow[i]);
	return fetch;
}

void fetch_stop(struct fetch *fetch)
{
	if (fetch == NULL || fetch->stopping)
		return;
	fetch->stopping = true;
	for (size_t i = 0; i < fetch->place_count; i++)
		fetch_place_stop(&fetch->places[i]);
}

void fetch_free(struct fetch *fetch)
{
	if (fetch == NULL)
		return;
	assert(fetch->stats.held_bytes == 0);
	for (size_t i = 0; i < fetch->place_count; i++)
		fetch_place_fini(&fetch->places[i]);
	hm_cache_free(fetch->cache);
	free(fetch);
}
