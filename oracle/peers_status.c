/* peers_status: see peers_status.h. */
#include "oracle/peers_status.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/own_envelope.h"
#include "verifier/envelope.h"
#include "verifier/hex_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct peers_status {
	struct peers_status_options with;
	uv_timer_t timer;
	int64_t made_ms; /* monotonic */
	bool signing, stopping;
	char *content; /* owned: being signed */
	uint8_t attestation_sha256[HM_SHA256_LEN];
	struct signer_op op;
	char *text; /* owned */
};

/* ---- what it says ---- */

static json_t *disagreement(
    const char *feed, const struct peer_opinion *opinion)
{
	return json_pack("{s:s, s:I, s:s, s:s?, s:i}", "feed", feed, "sequence",
	    (json_int_t)opinion->sequence, "why", opinion->why, "price",
	    opinion->price[0] ? opinion->price : NULL, "gap_bps",
	    (int)opinion->gap_bps);
}

static void put_opinions(
    const struct config *config, const struct peer_view *view, json_t *out)
{
	json_t *list = json_array();
	int agrees = 0, disagrees = 0;

	for (size_t i = 0; i < config->feeds.count; i++) {
		const struct peer_opinion *opinion = &view->opinions[i];

		agrees += opinion->known && !opinion->disagrees;
		disagrees += opinion->disagrees;
		if (opinion->disagrees &&
		    json_array_size(list) < PEERS_STATUS_LISTED_MAX)
			json_array_append_new(list,
			    disagreement(config->feeds.feeds[i].feed, opinion));
	}
	json_object_set_new(out, "agrees", json_integer(agrees));
	json_object_set_new(out, "disagrees", json_integer(disagrees));
	json_object_set_new(out, "disagreements", list);
}

static json_t *peer_json(
    const struct config *config, const struct peer_view *view)
{
	static const uint8_t none[16];
	bool known = memcmp(view->boot_id, none, sizeof(none)) != 0;
	json_t *out = json_pack("{s:s, s:s, s:s?, s:o, s:I, s:I, s:I, s:I}",
	    "endpoint", view->endpoint, "state", peer_state_name(view->state),
	    "why", view->why[0] ? view->why : NULL, "boot_id",
	    known ? hex_json(view->boot_id, 16) : json_null(), "cosigned",
	    (json_int_t)view->cosigned, "disagreed",
	    (json_int_t)view->disagreed, "late", (json_int_t)view->late,
	    "refused", (json_int_t)view->refused);

	put_opinions(config, view, out);
	return out;
}

char *peers_status_content(
    const struct peers_status_options *with, int64_t now_ms)
{
	json_t *list = json_array(), *root;
	struct peer_view view;
	char *text;

	for (size_t i = 0; i < peers_count(with->peers); i++) {
		peers_look(with->peers, i, &view);
		json_array_append_new(list, peer_json(with->config, &view));
	}
	root = json_pack("{s:s, s:o, s:o, s:I, s:i, s:i, s:i, s:o}", "format",
	    PEERS_STATUS_FORMAT, "boot_id", hex_json(with->boot_id, 16),
	    "config_sha256", hex_json(with->config->sha256, HM_SHA256_LEN),
	    "published_ms", (json_int_t)now_ms, "quorum",
	    (int)with->config->quorum, "max_disagreement_bps",
	    (int)with->config->peers.max_disagreement_bps, "incoming",
	    (int)peers_incoming(with->peers), "peers", list);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	return text;
}

/* ---- signing it ---- */

static void keep(struct peers_status *status)
{
	const struct peers_status_options *with = &status->with;
	const struct attestation_document *document = attestation_find(
	    with->attestation, status->attestation_sha256);
	struct hm_envelope envelope;
	char *text;

	if (!document)
		return;
	envelope = own_envelope(status->content, strlen(status->content),
	    with->signer, &status->op, with->platform, document);
	text = envelope_format(&envelope, true);
	if (!text)
		log_die("peers_status", "out of memory");
	free(status->text);
	status->text = text;
}

static void on_signed(struct signer_op *op, int result)
{
	struct peers_status *status = op->data;

	status->signing = false;
	if (result == 0 && !status->stopping)
		keep(status);
}

static void make(struct peers_status *status)
{
	const struct attestation_document *document = attestation_current(
	    status->with.attestation, now_unix_ms());

	if (!document)
		return;
	free(status->content);
	status->content = peers_status_content(&status->with, now_unix_ms());
	if (!status->content)
		log_die("peers_status", "out of memory");
	memcpy(status->attestation_sha256, document->sha256, HM_SHA256_LEN);
	status->made_ms = now_monotonic_ms();
	status->signing = true;
	status->op.data = status;
	signer_sign(status->with.signer, status->with.loop, &status->op,
	    status->content, strlen(status->content), on_signed);
}

static void on_timer(uv_timer_t *timer)
{
	struct peers_status *status = timer->data;
	int64_t age_ms = now_monotonic_ms() - status->made_ms;

	if (status->signing)
		return;
	if (peers_changed(status->with.peers) || age_ms >= PEERS_STATUS_MAX_MS)
		make(status);
}

/* ---- life ---- */

struct peers_status *peers_status_start(
    const struct peers_status_options *options)
{
	struct peers_status *status = calloc(1, sizeof(*status));

	if (!status)
		log_die("peers_status", "out of memory");
	status->with = *options;
	uv_timer_init(options->loop, &status->timer);
	status->timer.data = status;
	uv_timer_start(&status->timer, on_timer, 0, PEERS_STATUS_MIN_MS);
	return status;
}

void peers_status_stop(struct peers_status *status)
{
	if (status->stopping)
		return;
	status->stopping = true;
	uv_close((uv_handle_t *)&status->timer, NULL);
}

void peers_status_free(struct peers_status *status)
{
	if (!status)
		return;
	free(status->content);
	free(status->text);
	free(status);
}

const char *peers_status_text(const struct peers_status *status)
{
	return status->text;
}
