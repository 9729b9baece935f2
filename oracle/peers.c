/*
 * peers: see peers.h.
 *
 *   dialing --connected--> attesting --opened--> open
 *      ^  |                    |                   |
 *      |  +--------+-----------+---------+---------+
 *      |           v                     v
 *      +--timer-- down                  self
 *
 * Each waiting state has a deadline of its own: peer_dial.h, peer_link.h, and
 * PEERS_SILENT_MS for one that is open and does not answer.
 */
#include "oracle/peers_state.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/backoff.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SILENCE_CHECK_MS 1000

#define CACHE_DOCUMENTS 64 /* the peers' hellos and those of their items */

const char *peer_state_name(enum peer_state state)
{
	static const char *const names[] = {[PEER_DIALING] = "dialing",
	    [PEER_ATTESTING] = "attesting",
	    [PEER_OPEN] = "open",
	    [PEER_SELF] = "self",
	    [PEER_DOWN] = "down"};

	return names[state];
}

void peers_ended(struct peers *peers)
{
	if (--peers->ending == 0 && peers->done)
		peers->done(peers->done_data);
}

/* ---- links that we dial ---- */

static void dial(struct dialed *d);

static void on_retry(uv_timer_t *timer)
{
	dial(timer->data);
}

static uint64_t retry_ms(const struct dialed *d)
{
	uint32_t random = 0;

	if (d->state == PEER_SELF)
		return PEERS_SELF_MS;
	(void)RAND_bytes((unsigned char *)&random, sizeof(random));
	return (uint64_t)backoff_delay(
	    PEERS_RETRY_MIN_MS, PEERS_RETRY_MAX_MS, d->failures, random);
}

static void go_down(struct dialed *d, const char *why, bool self)
{
	bool news = strcmp(why, d->why) != 0;

	d->state = self ? PEER_SELF : PEER_DOWN;
	d->link = NULL;
	d->unanswered = 0;
	d->failures++;
	snprintf(d->why, sizeof(d->why), "%s", why);
	d->peers->changed = true;
	if (news && !self)
		log_warn("peers", "down", LOG_S("peer", d->endpoint),
		    LOG_S("why", why));
	peers_round_gone(d);
	if (!d->peers->stopping)
		uv_timer_start(&d->retry, on_retry, retry_ms(d), 0);
}

static void on_silence_timer(uv_timer_t *timer)
{
	struct dialed *d = timer->data;

	if (d->unanswered == 0 ||
	    now_monotonic_ms() - d->heard_ms < PEERS_SILENT_MS)
		return;
	uv_timer_stop(timer);
	peer_link_close(d->link);
	go_down(d, "it does not answer", false);
}

static void on_asking_opened(struct peer_link *link, void *data)
{
	struct dialed *d = data;
	char hex[33];

	memcpy(d->boot_id, peer_link_boot_id(link), sizeof(d->boot_id));
	hex_encode(d->boot_id, sizeof(d->boot_id), hex);
	d->state = PEER_OPEN;
	d->failures = 0;
	d->why[0] = '\0';
	d->peers->changed = true;
	log_info(
	    "peers", "open", LOG_S("peer", d->endpoint), LOG_S("boot_id", hex));
	uv_timer_start(
	    &d->retry, on_silence_timer, SILENCE_CHECK_MS, SILENCE_CHECK_MS);
}

static void on_asking_frame(
    struct peer_link *link, const char *text, size_t len, void *data)
{
	struct dialed *d = data;

	if (peers_round_answer(d, text, len))
		return;
	if (d->link != link) /* the round's end may have closed it */
		return;
	peer_link_close(link);
	uv_timer_stop(&d->retry);
	go_down(d, "an answer that is none", false);
}

static void on_asking_closed(
    struct peer_link *link, const char *why, bool self, void *data)
{
	struct dialed *d = data;

	(void)link;
	uv_timer_stop(&d->retry);
	go_down(d, why, self);
}

static const struct peer_link_events asking_events = {
    on_asking_opened, on_asking_frame, on_asking_closed};

static void on_dialed(int fd, const char *why, void *data)
{
	struct dialed *d = data;
	struct peers *peers = d->peers;
	struct peer_link_options options = peers->asks;
	const struct endpoint *to =
	    &peers->with.config->peers.connect[d->index];

	d->dialing = false;
	if (peers->stopping) {
		if (fd >= 0)
			close(fd);
		peers_ended(peers);
		return;
	}
	if (fd < 0) {
		go_down(d, why, false);
		return;
	}
	options.data = d;
	d->state = PEER_ATTESTING;
	d->link = peer_link_start(&options, fd, PEER_DIALED,
	    to->kind == ENDPOINT_TCP ? to->host : NULL);
	if (!d->link)
		go_down(d, "the loop has no room", false);
}

static void dial(struct dialed *d)
{
	const struct config *config = d->peers->with.config;
	int status;

	d->state = PEER_DIALING;
	status = peer_dial_start(&d->dial, d->peers->with.loop,
	    &config->peers.connect[d->index],
	    config->has_proxy ? &config->proxy : NULL, on_dialed, d);
	if (status != 0)
		go_down(d, uv_strerror(status), false);
	else
		d->dialing = true;
}

/* ---- life ---- */

static void start_dialing(struct peers *peers)
{
	const struct config_peers *config = &peers->with.config->peers;

	peers->dialed_count = config->connect_count;
	for (size_t i = 0; i < config->connect_count; i++) {
		struct dialed *d = &peers->dialed[i];

		d->peers = peers;
		d->index = i;
		d->opinions = calloc(
		    peers->with.config->feeds.count, sizeof(*d->opinions));
		if (!d->opinions)
			log_die("peers", "out of memory");
		endpoint_format(&config->connect[i], d->endpoint);
		uv_timer_init(peers->with.loop, &d->retry);
		d->retry.data = d;
		dial(d);
	}
}

static void set_link_options(struct peers *peers)
{
	const struct peers_options *with = &peers->with;

	peers->asks = (struct peer_link_options){
	    .loop = with->loop,
	    .tls = with->tls,
	    .attestation = with->attestation,
	    .policy = with->policy,
	    .cache = peers->cache,
	    .boot_id = with->boot_id,
	    .events = &asking_events,
	};
}

struct peers *peers_start(const struct peers_options *options)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	if (!peers || !(peers->cache = hm_cache_new(CACHE_DOCUMENTS)))
		log_die("peers", "out of memory");
	peers->with = *options;
	peers->witness = peer_witness_new(&(struct peer_witness_options){
	    .loop = options->loop,
	    .config = options->config,
	    .signer = options->signer,
	    .attestation = options->attestation,
	    .policy = options->policy,
	    .cache = peers->cache,
	    .boot_id = options->boot_id,
	    .platform = options->platform,
	    .max_gap_bps = options->config->peers.max_disagreement_bps,
	    .newest = options->newest,
	    .data = options->newest_data,
	});
	set_link_options(peers);
	peers_round_init(peers);
	peers_incoming_start(peers);
	start_dialing(peers);
	return peers;
}

static void on_retry_closed(uv_handle_t *handle)
{
	peers_ended(((struct dialed *)handle->data)->peers);
}

static void stop_dialed(struct peers *peers, struct dialed *d)
{
	if (d->link)
		peer_link_close(d->link);
	d->link = NULL;
	if (d->dialing) {
		peers->ending++;
		peer_dial_cancel(&d->dial);
	}
	peers->ending++;
	uv_close((uv_handle_t *)&d->retry, on_retry_closed);
}

void peers_stop(struct peers *peers, void (*done)(void *data), void *data)
{
	if (peers->stopping)
		return;
	peers->stopping = true;
	peers->done = done;
	peers->done_data = data;
	peers->ending = 1;
	peers_incoming_stop(peers);
	for (size_t i = 0; i < peers->dialed_count; i++)
		stop_dialed(peers, &peers->dialed[i]);
	peers_round_stop(peers);
}

void peers_free(struct peers *peers)
{
	if (!peers)
		return;
	for (size_t i = 0; i < peers->dialed_count; i++)
		free(peers->dialed[i].opinions);
	peer_witness_free(peers->witness);
	hm_cache_free(peers->cache);
	free(peers->rounds);
	free(peers);
}

/* ---- what there is to show ---- */

size_t peers_count(const struct peers *peers)
{
	return peers->dialed_count;
}

void peers_look(const struct peers *peers, size_t peer, struct peer_view *out)
{
	const struct dialed *d = &peers->dialed[peer];

	*out = (struct peer_view){
	    .endpoint = d->endpoint,
	    .state = d->state,
	    .why = d->why,
	    .boot_id = d->boot_id,
	    .cosigned = d->cosigned,
	    .disagreed = d->disagreed,
	    .late = d->late,
	    .refused = d->refused,
	    .opinions = d->opinions,
	};
}

bool peers_changed(struct peers *peers)
{
	bool changed = peers->changed;

	peers->changed = false;
	return changed;
}
