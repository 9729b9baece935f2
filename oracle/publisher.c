/* publisher: see publisher.h. */
#include "oracle/publisher.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/aggregate.h"
#include "feeds/hex.h"
#include "oracle/own_envelope.h"
#include "oracle/publisher_clock.h"
#include "verifier/envelope.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define SELF_CHECK_DOCUMENTS 4 /* the current one and those before it */

/* One feed: what was published last, and the item in the making. */
struct feed_state {
	struct publisher *publisher;
	const struct feed_config *config;
	int64_t due_ms; /* monotonic */

	uint64_t sequence; /* of the next item */
	uint8_t previous_sha256[SHA256_DIGEST_LENGTH];
	struct aggregate_past past;
	bool has_newest;
	struct item newest;                  /* as signed and posted */
	uint64_t items[ITEM_PRICE_JUMP + 1]; /* posted, by reason */
	bool has_price; /* of this round, for those who convert by it */
	struct decimal price;
	int64_t price_expires_ms;

	bool signing; /* from tick() to on_signed() */
	bool asking;  /* then, with peers, to on_cosigned() */
	char *asked;  /* owned: the envelope in the full form */
	uint8_t asked_sha256[HM_SHA256_LEN]; /* of its content */
	bool waiting; /* a tick came meanwhile; it is due after on_signed() */
	struct item item;
	char content[ITEM_CONTENT_MAX];
	size_t content_len;
	uint8_t attestation_sha256[HM_SHA256_LEN];
	struct signer_op op;
};

struct publisher {
	struct publisher_options with;
	uv_timer_t timer;
	struct publisher_clock clock;
	struct hm_cache *cache;
	struct feed_state *feeds;
	size_t feed_count;
	bool stopping, told_no_attestation, told_price;
};

/* ---- what goes into an item ---- */

static const struct feed_state *find_feed(
    const struct publisher *publisher, const char *feed)
{
	for (size_t i = 0; i < publisher->feed_count; i++)
		if (strcmp(publisher->feeds[i].config->feed, feed) == 0)
			return &publisher->feeds[i];
	return NULL;
}

/* The rate of this round: feeds tick in the order of the file, and a
 * quote_feed stands before its users. */
static void set_rate(const struct publisher *publisher,
    struct item_source *source, int64_t now_ms)
{
	const struct feed_state *via;

	if (!source->via[0])
		return;
	via = find_feed(publisher, source->via);
	assert(via); /* feed_set_parse() has checked it */
	source->has_rate = via->has_price && now_ms <= via->price_expires_ms;
	if (source->has_rate)
		source->rate = via->price;
}

static void fill_item(struct feed_state *feed, int64_t now_ms, bool certain)
{
	const struct publisher *publisher = feed->publisher;
	const struct feed_config *config = feed->config;
	struct item *item = &feed->item;

	*item = (struct item){
	    .sequence = feed->sequence,
	    .published_ms = now_ms,
	    .expires_ms = now_ms + config->max_age_ms,
	    .source_count = config->source_count,
	};
	memcpy(item->feed, config->feed, sizeof(item->feed));
	memcpy(item->boot_id, publisher->with.boot_id, sizeof(item->boot_id));
	memcpy(item->config_sha256, publisher->with.config->sha256,
	    sizeof(item->config_sha256));
	memcpy(item->previous_sha256, feed->previous_sha256,
	    sizeof(item->previous_sha256));
	poller_read(publisher->with.poller, config, now_ms, item->sources);
	for (size_t i = 0; i < item->source_count; i++)
		set_rate(publisher, &item->sources[i], now_ms);
	aggregate(config, &feed->past, item);
	if (!certain) {
		item->status = ITEM_UNAVAILABLE;
		item->reason = ITEM_CLOCK_UNCERTAIN;
		item->price = item->confidence = (struct decimal){0};
	}
	feed->has_price = item->status == ITEM_OK;
	feed->price = item->price;
	feed->price_expires_ms = item->expires_ms;
}

/* ---- publishing ---- */

static void post(struct feed_state *feed, const struct hm_envelope *envelope,
    const uint8_t content_sha256[HM_SHA256_LEN])
{
	const struct item *item = &feed->item;
	char hex[2 * HM_SHA256_LEN + 1], boot_id[2 * 16 + 1];
	char price[DECIMAL_STRMAX], confidence[DECIMAL_STRMAX];
	bool ok = item->status == ITEM_OK;
	char *ref, *full;

	own_envelope_texts(envelope, &ref, &full);
	hex_encode(content_sha256, HM_SHA256_LEN, hex);
	hex_encode(item->boot_id, sizeof(item->boot_id), boot_id);
	decimal_format(item->price, price);
	decimal_format(item->confidence, confidence);
	board_post(feed->publisher->with.board,
	    &(struct board_text){
		.name = item->feed,
		.full = full,
		.ref = ref,
		.sha256_hex = hex,
		.published_ms = item->published_ms,
		.expires_ms = item->expires_ms,
		.unavailable = ok ? NULL : item_reason_name(item->reason),
		.boot_id = boot_id,
		.sequence = item->sequence,
		.price = ok ? price : NULL,
		.confidence = ok ? confidence : NULL,
	    });
	free(full);
	free(ref);
}

/* How long it took from the start is what people ask. */
static void tell_first_price(const struct item *item, bool *told)
{
	if (!*told && item->status == ITEM_OK)
		log_info("publisher", "first_price", LOG_S("feed", item->feed),
		    LOG_D("sequence", item->sequence));
	*told = *told || item->status == ITEM_OK;
}

static void advance(
    struct feed_state *feed, const uint8_t content_sha256[HM_SHA256_LEN])
{
	const struct item *item = &feed->item;

	feed->sequence++;
	memcpy(feed->previous_sha256, content_sha256, HM_SHA256_LEN);
	aggregate_remember(&feed->past, feed->config, item);
	feed->newest = *item;
	feed->items[item->reason]++;
	feed->has_newest = true;
	tell_first_price(item, &feed->publisher->told_price);
}

/* What we serve verifies, because we looked. */
static bool verify_own(struct feed_state *feed,
    const struct hm_envelope *envelope, struct hm_item *checked)
{
	struct publisher *publisher = feed->publisher;
	enum hm_verdict verdict = hm_item_verify_live(publisher->with.policy,
	    publisher->cache, envelope, NULL, 0, now_unix_ms(), checked, NULL);

	if (verdict == HM_VALID)
		return true;
	log_error("publisher", "own_item_refused",
	    LOG_S("feed", feed->item.feed),
	    LOG_D("sequence", feed->item.sequence),
	    LOG_S("verdict", hm_verdict_name(verdict)));
	return false;
}

static void publish(struct feed_state *feed, const struct hm_envelope *envelope,
    const uint8_t content_sha256[HM_SHA256_LEN])
{
	post(feed, envelope, content_sha256);
	tree_log_add(feed->publisher->with.log,
	    (size_t)(feed - feed->publisher->feeds), feed->sequence,
	    content_sha256);
	advance(feed, content_sha256);
}

static void tick(struct feed_state *feed);

/* ---- with others' co-signatures ---- */

/* The envelope is read again from its text: by now our key or our document may
 * be another. */
static void on_cosigned(
    struct hm_envelope *cosignatures, size_t count, void *data)
{
	struct feed_state *feed = data;
	struct hm_envelope envelope;

	feed->asking = false;
	if (feed->publisher->stopping)
		return;
	if (hm_envelope_parse(&envelope, feed->asked, strlen(feed->asked)) !=
	    HM_VALID)
		log_die("publisher", "out of memory");
	envelope.cosignatures = cosignatures;
	envelope.cosignature_count = own_envelope_fitting(&envelope, count);
	publish(feed, &envelope, feed->asked_sha256);
	envelope.cosignatures = NULL; /* borrowed */
	envelope.cosignature_count = 0;
	hm_envelope_fini(&envelope);
	if (feed->waiting)
		tick(feed);
}

static bool ask_peers(struct feed_state *feed,
    const struct hm_envelope *envelope, const struct hm_item *item)
{
	struct publisher *publisher = feed->publisher;

	if (!publisher->with.peers)
		return false;
	free(feed->asked);
	feed->asked = envelope_format(envelope, true);
	if (!feed->asked)
		log_die("publisher", "out of memory");
	memcpy(feed->asked_sha256, item->content_sha256, HM_SHA256_LEN);
	feed->asking = peers_ask(publisher->with.peers,
	    (size_t)(feed - publisher->feeds), feed->asked, strlen(feed->asked),
	    item, on_cosigned, feed);
	return feed->asking;
}

static void check_and_publish(struct feed_state *feed, struct signer_op *op)
{
	struct publisher *publisher = feed->publisher;
	const struct attestation_document *document = attestation_find(
	    publisher->with.attestation, feed->attestation_sha256);
	struct hm_envelope envelope;
	struct hm_item checked;

	if (!document) /* many renewals during one signature: next tick */
		return;
	envelope = own_envelope(feed->content, feed->content_len,
	    publisher->with.signer, op, publisher->with.platform, document);
	if (!verify_own(feed, &envelope, &checked))
		return;
	if (!ask_peers(feed, &envelope, &checked))
		publish(feed, &envelope, checked.content_sha256);
}

static void on_signed(struct signer_op *op, int status)
{
	struct feed_state *feed = op->data;

	feed->signing = false;
	if (feed->publisher->stopping)
		return;
	if (status == 0)
		check_and_publish(feed, op);
	else
		log_error("publisher", "sign_failed",
		    LOG_S("feed", feed->item.feed),
		    LOG_S("why", uv_strerror(status)));
	if (feed->waiting && !feed->asking)
		tick(feed);
}

/* ---- ticks ---- */

static const struct attestation_document *current_document(
    struct publisher *publisher, int64_t now_ms)
{
	const struct attestation_document *document = attestation_current(
	    publisher->with.attestation, now_ms);

	if (!document && !publisher->told_no_attestation)
		log_error("publisher", "not_publishing",
		    LOG_S("why", "no current attestation document"));
	publisher->told_no_attestation = !document;
	return document;
}

static void tick(struct feed_state *feed)
{
	struct publisher *publisher = feed->publisher;
	int64_t now_ms = now_unix_ms();
	bool certain = publisher_clock_certain(
	    &publisher->clock, publisher->with.poller, now_ms);
	const struct attestation_document *document = current_document(
	    publisher, now_ms);

	/* late is better than never */
	feed->waiting = feed->signing || feed->asking;
	if (feed->waiting || !document)
		return;
	if (feed->has_newest && now_ms < feed->newest.published_ms) {
		now_ms = feed->newest.published_ms; /* never back in time */
		certain = false;
	}
	fill_item(feed, now_ms, certain);
	if (item_encode(&feed->item, feed->content, sizeof(feed->content),
		&feed->content_len) != 0) {
		log_error("publisher", "item_too_large",
		    LOG_S("feed", feed->item.feed));
		return;
	}
	memcpy(feed->attestation_sha256, document->sha256, HM_SHA256_LEN);
	feed->signing = true;
	feed->op.data = feed;
	signer_sign(publisher->with.signer, publisher->with.loop, &feed->op,
	    feed->content, feed->content_len, on_signed);
}

/* The next multiple of the interval; one that was missed is not caught up. */
static int64_t next_due(const struct feed_state *feed, int64_t now_ms)
{
	int64_t interval_ms = feed->config->interval_ms;

	return now_ms - now_ms % interval_ms + interval_ms;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct publisher *publisher)
{
	int64_t now_ms = now_monotonic_ms();
	int64_t wait_ms = INT64_MAX;

	for (size_t i = 0; i < publisher->feed_count; i++) {
		int64_t left_ms = publisher->feeds[i].due_ms - now_ms;

		if (left_ms < wait_ms)
			wait_ms = left_ms;
	}
	uv_update_time(publisher->with.loop);
	uv_timer_start(&publisher->timer, on_timer,
	    wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct publisher *publisher = timer->data;
	int64_t now_ms = now_monotonic_ms();

	for (size_t i = 0; i < publisher->feed_count; i++) {
		struct feed_state *feed = &publisher->feeds[i];

		if (feed->due_ms > now_ms)
			continue;
		tick(feed);
		feed->due_ms = next_due(feed, now_ms);
	}
	arm(publisher);
}

/* ---- life ---- */

struct publisher *publisher_start(const struct publisher_options *options)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));
	const struct feed_set *set = &options->config->feeds;

	if (!publisher)
		log_die("publisher", "out of memory");
	publisher->with = *options;
	publisher->feed_count = set->count;
	publisher->feeds = calloc(set->count, sizeof(*publisher->feeds));
	publisher->cache = hm_cache_new(SELF_CHECK_DOCUMENTS);
	if (!publisher->feeds || !publisher->cache)
		log_die("publisher", "out of memory");
	for (size_t i = 0; i < set->count; i++) {
		struct feed_state *feed = &publisher->feeds[i];

		feed->publisher = publisher;
		feed->config = &set->feeds[i];
		feed->due_ms = next_due(feed, now_monotonic_ms());
	}
	publisher_clock_init(&publisher->clock);
	uv_timer_init(options->loop, &publisher->timer);
	publisher->timer.data = publisher;
	arm(publisher);
	return publisher;
}

void publisher_stop(struct publisher *publisher)
{
	if (publisher->stopping)
		return;
	publisher->stopping = true;
	uv_close((uv_handle_t *)&publisher->timer, NULL);
}

void publisher_free(struct publisher *publisher)
{
	if (!publisher)
		return;
	hm_cache_free(publisher->cache);
	for (size_t i = 0; i < publisher->feed_count; i++)
		free(publisher->feeds[i].asked);
	free(publisher->feeds);
	free(publisher);
}

const struct item *publisher_newest(
    const struct publisher *publisher, size_t feed)
{
	assert(feed < publisher->feed_count);
	return publisher->feeds[feed].has_newest
		   ? &publisher->feeds[feed].newest
		   : NULL;
}

const uint8_t *publisher_newest_sha256(
    const struct publisher *publisher, size_t feed)
{
	assert(feed < publisher->feed_count);
	return publisher->feeds[feed].has_newest
		   ? publisher->feeds[feed].previous_sha256
		   : NULL;
}

uint64_t publisher_items(
    const struct publisher *publisher, size_t feed, enum item_reason reason)
{
	assert(feed < publisher->feed_count && reason <= ITEM_PRICE_JUMP);
	return publisher->feeds[feed].items[reason];
}
