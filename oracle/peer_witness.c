/* peer_witness: see peer_witness.h. */
#include "oracle/peer_witness.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/own_envelope.h"
#include "oracle/peer_answer.h"
#include "verifier/cosign.h"
#include "verifier/envelope.h"

#include <stdlib.h>
#include <string.h>

struct testimony { /* one co-signature in the making */
	struct testimony *next;
	struct peer_witness *witness;
	void *asker; /* NULL: gone */
	peer_witness_cb cb;
	struct cosign cosign;
	char content[COSIGN_CONTENT_MAX];
	size_t content_len;
	uint8_t attestation_sha256[HM_SHA256_LEN];
	struct signer_op op;
};

struct peer_witness {
	struct peer_witness_options with;
	struct testimony *signing;
	unsigned count;
};

struct peer_witness *peer_witness_new(
    const struct peer_witness_options *options)
{
	struct peer_witness *w = calloc(1, sizeof(*w));

	if (!w)
		log_die("peer_witness", "out of memory");
	w->with = *options;
	return w;
}

void peer_witness_free(struct peer_witness *witness)
{
	free(witness);
}

/* ---- answers ---- */

static void send_text(char *text, peer_witness_cb cb, void *asker)
{
	if (!text)
		log_die("peer_witness", "out of memory");
	cb(text, strlen(text), asker);
	free(text);
}

static void send_busy(const struct testimony *t)
{
	send_text(peer_answer_disagrees(t->cosign.feed, t->cosign.sequence,
		      PEER_WHY_BUSY, t->cosign.price),
	    t->cb, t->asker);
}

static void send_cosignature(const struct testimony *t)
{
	const struct peer_witness_options *with = &t->witness->with;
	const struct attestation_document *document = attestation_find(
	    with->attestation, t->attestation_sha256);
	struct hm_envelope envelope;

	if (!document) { /* many renewals during one signature */
		send_busy(t);
		return;
	}
	envelope = own_envelope(t->content, t->content_len, with->signer,
	    &t->op, with->platform, document);
	send_text(envelope_format(&envelope, true), t->cb, t->asker);
}

static void unlink_testimony(struct testimony *t)
{
	struct testimony **at = &t->witness->signing;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->witness->count--;
}

static void on_signed(struct signer_op *op, int status)
{
	struct testimony *t = op->data;

	unlink_testimony(t);
	if (status != 0)
		log_error("peer_witness", "sign_failed",
		    LOG_S("feed", t->cosign.feed),
		    LOG_S("why", uv_strerror(status)));
	if (t->asker && status == 0)
		send_cosignature(t);
	else if (t->asker)
		send_busy(t);
	free(t);
}

/* ---- what we think of it ---- */

static const struct feed_config *find_feed(
    const struct config *config, const char *name, size_t *index)
{
	for (size_t i = 0; i < config->feeds.count; i++) {
		if (strcmp(config->feeds.feeds[i].feed, name) == 0) {
			*index = i;
			return &config->feeds.feeds[i];
		}
	}
	return NULL;
}

static bool is_within(
    const struct hm_item *theirs, const struct item *ours, unsigned max_bps)
{
	struct decimal price;

	return decimal_parse(&price, theirs->price, strlen(theirs->price)) ==
		   0 &&
	       decimal_rescale(&price, price, ours->price.exponent) == 0 &&
	       peer_price_gap(price, ours->price) <= max_bps;
}

/* NULL: we agree; then what we say about ourselves stands in out. */
static const char *judge(struct peer_witness *w, const struct hm_item *item,
    int64_t now_ms, struct cosign *out)
{
	const uint8_t *sha256;
	const struct item *own;
	const struct feed_config *feed;
	size_t index = 0;

	feed = find_feed(w->with.config, item->feed, &index);
	if (!feed || !w->with.newest(index, &own, &sha256, w->with.data))
		return PEER_WHY_NO_ITEM;
	memcpy(out->own_content_sha256, sha256, HM_SHA256_LEN);
	out->own_published_ms = own->published_ms;
	if (own->status == ITEM_OK)
		decimal_format(own->price, out->price);
	if (!item->ok)
		return NULL;
	if (now_ms - own->published_ms > feed->max_age_ms)
		return PEER_WHY_STALE;
	if (own->status != ITEM_OK)
		return PEER_WHY_NO_PRICE;
	return is_within(item, own, w->with.max_gap_bps) ? NULL
							 : PEER_WHY_PRICE;
}

static void identify(const struct peer_witness *w, const struct hm_item *item,
    int64_t now_ms, struct cosign *out)
{
	memcpy(out->boot_id, w->with.boot_id, sizeof(out->boot_id));
	memcpy(out->config_sha256, w->with.config->sha256, HM_SHA256_LEN);
	memcpy(out->feed, item->feed, sizeof(out->feed));
	memcpy(out->item_boot_id, item->boot_id, sizeof(out->item_boot_id));
	out->sequence = item->sequence;
	memcpy(out->content_sha256, item->content_sha256, HM_SHA256_LEN);
	out->published_ms = now_ms;
}

/* False: it cannot be signed now. */
static bool begin(struct peer_witness *w, const struct cosign *cosign,
    int64_t now_ms, peer_witness_cb cb, void *asker)
{
	const struct attestation_document *document = attestation_current(
	    w->with.attestation, now_ms);
	struct testimony *t;

	if (!document || w->count == PEER_WITNESS_SIGNING_MAX)
		return false;
	t = calloc(1, sizeof(*t));
	if (!t)
		return false;
	t->cosign = *cosign;
	if (cosign_encode(cosign, t->content, &t->content_len) != 0)
		log_die("peer_witness", "a co-signature that cannot be");
	t->witness = w;
	t->cb = cb;
	t->asker = asker;
	memcpy(t->attestation_sha256, document->sha256, HM_SHA256_LEN);
	t->next = w->signing;
	w->signing = t;
	w->count++;
	t->op.data = t;
	signer_sign(w->with.signer, w->with.loop, &t->op, t->content,
	    t->content_len, on_signed);
	return true;
}

static void answer(struct peer_witness *w, const struct hm_item *item,
    peer_witness_cb cb, void *asker)
{
	int64_t now_ms = now_unix_ms();
	struct cosign cosign = {0};
	const char *why = judge(w, item, now_ms, &cosign);

	identify(w, item, now_ms, &cosign);
	if (!why && !begin(w, &cosign, now_ms, cb, asker))
		why = PEER_WHY_BUSY;
	if (why)
		send_text(peer_answer_disagrees(
			      item->feed, item->sequence, why, cosign.price),
		    cb, asker);
}

/* What came after its time is answered as well: who asks counts the answers,
 * and takes one who owes him some for gone. */
static int answer_late(const struct hm_envelope *envelope,
    const uint8_t boot_id[static 16], peer_witness_cb cb, void *asker)
{
	static struct item item; /* large */

	if (item_decode(&item, envelope->content, envelope->content_len) != 0 ||
	    memcmp(item.boot_id, boot_id, sizeof(item.boot_id)) != 0)
		return -1;
	send_text(
	    peer_answer_disagrees(item.feed, item.sequence, PEER_WHY_LATE, ""),
	    cb, asker);
	return 0;
}

int peer_witness_ask(struct peer_witness *witness,
    const uint8_t boot_id[static 16], const char *text, size_t len,
    peer_witness_cb cb, void *asker)
{
	struct hm_envelope envelope;
	enum hm_verdict verdict;
	struct hm_item item;
	int status = 0;
	bool late;

	if (hm_envelope_parse(&envelope, text, len) != HM_VALID)
		return -1;
	verdict = hm_item_verify_live(witness->with.policy, witness->with.cache,
	    &envelope, NULL, 0, now_unix_ms(), &item, NULL);
	late = hm_verdict_class(verdict) == 6;
	if (late)
		status = answer_late(&envelope, boot_id, cb, asker);
	hm_envelope_fini(&envelope);
	if (late)
		return status;
	if (verdict != HM_VALID ||
	    memcmp(item.boot_id, boot_id, sizeof(item.boot_id)) != 0) {
		log_warn("peer_witness", "item_refused",
		    LOG_S("verdict", verdict != HM_VALID
					 ? hm_verdict_name(verdict)
					 : "another enclave's"));
		return -1;
	}
	answer(witness, &item, cb, asker);
	return 0;
}

void peer_witness_forget(struct peer_witness *witness, const void *asker)
{
	for (struct testimony *t = witness->signing; t; t = t->next)
		if (t->asker == asker)
			t->asker = NULL;
}
