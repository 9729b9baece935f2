/*
 * peers_round: one item of one feed, and what the others say to it. A round
 * waits for answers, under one timer of wait_ms; it ends once, and what comes
 * later changes what we show of the peer, not the item.
 */
#include "oracle/peers_state.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/peer_answer.h"
#include "verifier/cosign.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the end of a round ---- */

static void drop(struct round *round)
{
	for (size_t i = 0; i < round->count; i++)
		hm_envelope_fini(&round->got[i]);
	round->count = 0;
	round->active = false;
	memset(round->asked, 0, sizeof(round->asked));
	uv_timer_stop(&round->timer);
}

/* An item without a price needs nobody's word. */
static void count_quorum(struct round *round, const struct hm_item *item)
{
	unsigned quorum = round->peers->with.config->quorum;

	if (quorum == 0 || !item->ok)
		return;
	if (round->count >= quorum)
		round->quorum.reached++;
	else
		round->quorum.missed++;
}

static void finish(struct round *round)
{
	struct hm_envelope got[HM_COSIGNATURES_MAX];
	size_t count = round->count;

	count_quorum(round, &round->item);
	memcpy(got, round->got, sizeof(got));
	round->count = 0;
	drop(round);
	round->cb(got, count, round->data); /* it may ask again */
	for (size_t i = 0; i < count; i++)
		hm_envelope_fini(&got[i]);
}

static void on_time(uv_timer_t *timer)
{
	finish(timer->data);
}

static bool somebody_is_asked(const struct round *round)
{
	for (size_t i = 0; i < CONFIG_PEERS_MAX; i++)
		if (round->asked[i])
			return true;
	return false;
}

static bool is_complete(const struct round *round)
{
	unsigned quorum = round->peers->with.config->quorum;

	return round->count == HM_COSIGNATURES_MAX ||
	       (quorum > 0 && round->count >= quorum) ||
	       !somebody_is_asked(round);
}

/* ---- opinions ---- */

static const char *feed_name(const struct peers *peers, size_t feed)
{
	return peers->with.config->feeds.feeds[feed].feed;
}

static void log_change(
    const struct dialed *from, size_t feed, const struct peer_opinion *opinion)
{
	const char *name = feed_name(from->peers, feed);

	if (!opinion->disagrees)
		log_info("peers", "agrees", LOG_S("peer", from->endpoint),
		    LOG_S("feed", name), LOG_D("sequence", opinion->sequence));
	else
		log_warn("peers", "disagrees", LOG_S("peer", from->endpoint),
		    LOG_S("feed", name), LOG_D("sequence", opinion->sequence),
		    LOG_S("why", opinion->why),
		    LOG_S("its_price", opinion->price),
		    LOG_D("gap_bps", opinion->gap_bps));
}

/* why NULL: it agrees. */
static void form_opinion(struct dialed *from, size_t feed, uint64_t sequence,
    const char *why, const char *price, unsigned gap_bps)
{
	struct peer_opinion *opinion = &from->opinions[feed];
	bool changed = opinion->disagrees != (why != NULL) ||
		       (why && strcmp(why, opinion->why) != 0);

	opinion->known = true;
	opinion->disagrees = why != NULL;
	opinion->sequence = sequence;
	opinion->gap_bps = gap_bps;
	snprintf(opinion->why, sizeof(opinion->why), "%s", why ? why : "");
	snprintf(opinion->price, sizeof(opinion->price), "%s", price);
	if (!changed)
		return;
	from->peers->changed = true;
	log_change(from, feed, opinion);
}

/* Of its price from the item's; 0 where there are not two. */
static unsigned gap_of(const struct hm_item *item, const char *theirs)
{
	struct decimal a, b;

	if (!item->ok || theirs[0] == '\0')
		return 0;
	if (decimal_parse(&a, item->price, strlen(item->price)) != 0 ||
	    decimal_parse(&b, theirs, strlen(theirs)) != 0 ||
	    decimal_rescale(&b, b, a.exponent) != 0)
		return PEER_GAP_MAX;
	return peer_price_gap(a, b);
}

/* ---- answers ---- */

static bool spoke_before(const struct round *round, const uint8_t boot_id[16])
{
	for (size_t i = 0; i < round->count; i++)
		if (memcmp(round->voices[i], boot_id, 16) == 0)
			return true;
	return false;
}

static void keep(struct round *round, struct dialed *from,
    struct peer_answer *answer, const struct cosign *cosign)
{
	const struct peers_options *with = &round->peers->with;

	if (spoke_before(round, cosign->boot_id) ||
	    round->count == HM_COSIGNATURES_MAX)
		return;
	if (with->document && answer->envelope.document)
		with->document(&answer->envelope, with->document_data);
	memcpy(round->voices[round->count], from->boot_id, 16);
	round->got[round->count++] = answer->envelope;
	answer->cosigned = false; /* it is the round's now */
}

static void refuse(struct dialed *from, size_t feed, const char *why)
{
	from->refused++;
	log_warn("peers", "answer_refused", LOG_S("peer", from->endpoint),
	    LOG_S("feed", feed_name(from->peers, feed)), LOG_S("why", why));
}

static void take_cosignature(struct round *round, struct dialed *from,
    size_t feed, struct peer_answer *answer)
{
	const struct peers_options *with = &round->peers->with;
	int64_t now_ms = now_unix_ms();
	struct cosign cosign;
	enum hm_verdict verdict = cosign_verify(with->policy,
	    round->peers->cache, &answer->envelope, &now_ms, &round->item,
	    &cosign);
	unsigned gap_bps;

	if (verdict != HM_VALID) {
		refuse(from, feed, hm_verdict_name(verdict));
		return;
	}
	if (memcmp(cosign.boot_id, from->boot_id, 16) != 0) {
		refuse(from, feed, "of another enclave than the link's");
		return;
	}
	gap_bps = gap_of(&round->item, cosign.price);
	if (gap_bps > with->config->peers.max_disagreement_bps) {
		/* It signs what it does not believe. */
		from->disagreed++;
		form_opinion(from, feed, round->item.sequence, PEER_WHY_PRICE,
		    cosign.price, gap_bps);
		return;
	}
	from->cosigned++;
	form_opinion(
	    from, feed, round->item.sequence, NULL, cosign.price, gap_bps);
	keep(round, from, answer, &cosign);
}

static void take_disagreement(struct round *round, struct dialed *from,
    size_t feed, const struct peer_answer *answer)
{
	from->disagreed++;
	form_opinion(from, feed, answer->sequence, answer->why, answer->price,
	    gap_of(&round->item, answer->price));
}

static bool find_feed(const struct peers *peers, const char *name, size_t *feed)
{
	for (*feed = 0; *feed < peers->with.config->feeds.count; (*feed)++)
		if (strcmp(feed_name(peers, *feed), name) == 0)
			return true;
	return false;
}

/* Which item it is about, before anything of it is believed. */
static bool identify(const struct peers *peers,
    const struct peer_answer *answer, size_t *feed, uint64_t *sequence)
{
	struct cosign cosign;

	if (!answer->cosigned) {
		*sequence = answer->sequence;
		return find_feed(peers, answer->feed, feed);
	}
	if (cosign_decode(&cosign, answer->envelope.content,
		answer->envelope.content_len) != 0)
		return false;
	*sequence = cosign.sequence;
	return find_feed(peers, cosign.feed, feed);
}

static void take(struct dialed *from, size_t feed, uint64_t sequence,
    struct peer_answer *answer)
{
	struct round *round = &from->peers->rounds[feed];

	if (!round->active || round->item.sequence != sequence ||
	    !round->asked[from->index]) {
		from->late++;
		return;
	}
	round->asked[from->index] = false;
	if (answer->cosigned)
		take_cosignature(round, from, feed, answer);
	else
		take_disagreement(round, from, feed, answer);
	if (is_complete(round))
		finish(round);
}

bool peers_round_answer(struct dialed *from, const char *text, size_t len)
{
	struct peer_answer answer;
	uint64_t sequence;
	size_t feed;
	bool good;

	if (from->unanswered == 0 || peer_answer_parse(&answer, text, len) != 0)
		return false;
	from->unanswered--;
	from->heard_ms = now_monotonic_ms();
	good = identify(from->peers, &answer, &feed, &sequence);
	if (good)
		take(from, feed, sequence, &answer);
	peer_answer_fini(&answer);
	return good;
}

void peers_round_gone(struct dialed *dialed)
{
	struct peers *peers = dialed->peers;

	for (size_t i = 0; i < peers->with.config->feeds.count; i++) {
		struct round *round = &peers->rounds[i];

		memset(&dialed->opinions[i], 0, sizeof(dialed->opinions[i]));
		if (!round->active || !round->asked[dialed->index])
			continue;
		round->asked[dialed->index] = false;
		if (is_complete(round))
			finish(round);
	}
}

/* ---- asking ---- */

static bool can_be_asked(struct dialed *dialed, int64_t now_ms)
{
	if (!dialed->link || !peer_link_is_open(dialed->link))
		return false;
	if (dialed->unanswered == 0)
		dialed->heard_ms = now_ms;
	return true;
}

bool peers_ask(struct peers *peers, size_t feed, const char *text, size_t len,
    const struct hm_item *item, peers_done_cb cb, void *data)
{
	struct round *round = &peers->rounds[feed];
	int64_t now_ms = now_monotonic_ms();

	assert(!round->active);
	if (peers->stopping || len > PEER_FRAME_MAX)
		return false;
	for (size_t i = 0; i < peers->dialed_count; i++) {
		struct dialed *dialed = &peers->dialed[i];

		if (!can_be_asked(dialed, now_ms))
			continue;
		round->asked[i] = true;
		dialed->unanswered++;
		peer_link_send(dialed->link, text, len);
	}
	if (!somebody_is_asked(round)) {
		count_quorum(round, item);
		return false;
	}
	round->active = true;
	round->item = *item;
	round->cb = cb;
	round->data = data;
	uv_update_time(round->timer.loop);
	uv_timer_start(&round->timer, on_time,
	    (uint64_t)peers->with.config->peers.wait_ms, 0);
	return true;
}

void peers_quorum(
    const struct peers *peers, size_t feed, struct peers_quorum *out)
{
	*out = peers->rounds[feed].quorum;
}

/* ---- life ---- */

void peers_round_init(struct peers *peers)
{
	size_t count = peers->with.config->feeds.count;

	peers->rounds = calloc(count, sizeof(*peers->rounds));
	if (!peers->rounds)
		log_die("peers", "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct round *round = &peers->rounds[i];

		round->peers = peers;
		uv_timer_init(peers->with.loop, &round->timer);
		round->timer.data = round;
	}
}

static void on_closed(uv_handle_t *handle)
{
	peers_ended(((struct round *)handle->data)->peers);
}

void peers_round_stop(struct peers *peers)
{
	for (size_t i = 0; i < peers->with.config->feeds.count; i++) {
		drop(&peers->rounds[i]);
		peers->ending++;
		uv_close((uv_handle_t *)&peers->rounds[i].timer, on_closed);
	}
}
