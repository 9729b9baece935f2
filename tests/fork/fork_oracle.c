/*
 * fork_oracle: an oracle that lies, for tests of those who must notice. It is
 * made of the oracle's own parts (a simulated enclave, its key, its board), but
 * its prices are made up, and it has two faces: two servers with one boot, one
 * key, one attestation document, and from some item on two histories. There is
 * nothing of this in hallmark-oracle.
 *
 *   fork_oracle CONFIG PORT_A PORT_B LIE SEQUENCE
 *
 * CONFIG is a configuration of hallmark-oracle's, without quote_feed; its
 * `listen` is not used, its exchanges are not asked. Every TICK_MS each feed
 * has an item, at every third tick there is a head. Face A is honest; face B
 *
 *   honest   as well
 *   fork     has another price from item SEQUENCE of each feed on
 *   hide     keeps item SEQUENCE of the first feed back: its heads count it
 *   rewrite  signs, once a feed has had item SEQUENCE, heads of a tree whose
 *            first leaf is another than before; its items are A's
 *
 * RSASSA-PKCS1-v1_5 has one signature for a content, so until then both faces
 * show the very same bytes. It prints {"boot_id":"..."} when it serves, and
 * ends with a signal.
 */
#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/attestation_api.h"
#include "oracle/feeds_api.h"
#include "oracle/identity.h"
#include "oracle/own_envelope.h"
#include "oracle/tree_log_leaves.h"
#include "verifier/tree_head.h"

#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS       400
#define TICKS_OF_HEAD 3
#define SPREAD        100 /* what a price moves by in a tick */

enum lie {
	HONEST,
	FORK,
	HIDE,
	REWRITE
};
static const char *const lies[] = {"honest", "fork", "hide", "rewrite"};

struct face {
	enum lie lie;
	struct api api; /* first in what its server hands on */
	struct board *board;
	struct http_server *server;
	uint64_t sequence; /* of the next item of each feed */
	uint8_t previous_sha256[FEEDS_MAX][32];
	/* [1]: the same items behind another first one, for REWRITE */
	struct tree_log_leaves leaves[2];
	struct merkle trees[2];
	uint64_t head_number;
	uint8_t head_previous_sha256[32];
};

static struct config config;
static struct identity identity;
static uv_loop_t *loop;
static struct face faces[2];
static uint64_t lie_from;
static uv_timer_t timer;

/* One tick: for each face each feed's item, then, perhaps, its head; one after
 * the other, signed on the pool. */
static struct {
	size_t face, step;
	int64_t now_ms;
	uint64_t number;
	struct item item;
	struct hm_head head;
	char content[ITEM_CONTENT_MAX];
	size_t len;
	struct signer_op op;
} tick;

/* About this item, or in a head that counts it? */
static bool lies_at(const struct face *face, enum lie lie, uint64_t sequence)
{
	return face->lie == lie && sequence >= lie_from;
}

/* ---- items ---- */

static void make_sources(const struct feed_config *feed, struct item *item)
{
	item->source_count = feed->source_count;
	for (size_t i = 0; i < feed->source_count; i++) {
		struct item_source *s = &item->sources[i];

		snprintf(s->exchange, sizeof(s->exchange), "%s",
		    feed->sources[i].exchange->name);
		snprintf(s->symbol, sizeof(s->symbol), "%s",
		    feed->sources[i].symbol);
		s->quote.has_last = s->has_price = s->has_answer = true;
		s->quote.last = s->price = item->price;
		s->received_ms = item->published_ms;
	}
}

static void make_item(struct face *face, size_t feed)
{
	const struct feed_config *from = &config.feeds.feeds[feed];
	struct item *item = &tick.item;
	int64_t price = 1000000 + SPREAD * (int64_t)face->sequence;

	memset(item, 0, sizeof(*item));
	memcpy(item->feed, from->feed, sizeof(item->feed));
	memcpy(item->boot_id, identity.boot_id, sizeof(item->boot_id));
	item->sequence = face->sequence;
	item->published_ms = tick.now_ms;
	item->expires_ms = tick.now_ms + from->max_age_ms;
	if (lies_at(face, FORK, face->sequence))
		price += 1;
	item->price = (struct decimal){price, -from->decimals};
	item->confidence = (struct decimal){0, -from->decimals};
	item->min_sources = feed_config_min_sources(from);
	memcpy(item->config_sha256, config.sha256, 32);
	memcpy(item->previous_sha256, face->previous_sha256[feed], 32);
	make_sources(from, item);
	if (item_encode(item, tick.content, sizeof(tick.content), &tick.len) !=
	    0)
		log_die("fork_oracle", "an item without a text");
}

static void post_item(
    struct face *face, size_t feed, const char *ref, const char *full)
{
	char hex[65], boot_id[33], price[DECIMAL_STRMAX];

	if (face->lie == HIDE && feed == 0 && face->sequence == lie_from)
		return;
	hex_encode(face->previous_sha256[feed], 32, hex);
	hex_encode(identity.boot_id, 16, boot_id);
	decimal_format(tick.item.price, price);
	board_post(face->board, &(struct board_text){.name = tick.item.feed,
				    .full = full,
				    .ref = ref,
				    .sha256_hex = hex,
				    .published_ms = tick.item.published_ms,
				    .expires_ms = tick.item.expires_ms,
				    .boot_id = boot_id,
				    .sequence = tick.item.sequence,
				    .price = price,
				    .confidence = "0"});
}

static void add_leaf(struct face *face, size_t feed)
{
	uint8_t *sha256 = face->previous_sha256[feed];
	uint8_t other[32];

	memcpy(other, sha256, 32);
	other[0] ^= face->sequence == 0 && feed == 0;
	if (tree_log_leaves_add(&face->leaves[0], feed, sha256) != 0 ||
	    tree_log_leaves_add(&face->leaves[1], feed, other) != 0)
		log_die("fork_oracle", "out of memory");
}

/* ---- heads ---- */

static void make_head(struct face *face)
{
	bool rewrites = lies_at(face, REWRITE, face->sequence - 1);
	static struct hm_head both[2];

	for (size_t i = 0; i < 2; i++)
		if (tree_log_leaves_take(
			&face->leaves[i], &face->trees[i], &both[i]) != 0)
			log_die("fork_oracle", "out of memory");
	tick.head = both[rewrites];
	tick.head.number = face->head_number;
	tick.head.published_ms = tick.now_ms;
	memcpy(tick.head.boot_id, identity.boot_id, 16);
	memcpy(tick.head.config_sha256, config.sha256, 32);
	memcpy(tick.head.previous_sha256, face->head_previous_sha256, 32);
	if (tree_head_encode(
		&tick.head, tick.content, sizeof(tick.content), &tick.len) != 0)
		log_die("fork_oracle", "a head without a text");
}

static void post_head(struct face *face, const uint8_t sha256[32],
    const char *ref, const char *full)
{
	tree_log_leaves_counted(&face->leaves[0]);
	tree_log_leaves_counted(&face->leaves[1]);
	memcpy(face->head_previous_sha256, sha256, 32);
	face->head_number++;
	board_event(face->board, "tree_head", ref, full);
}

/* ---- one tick ---- */

static void on_signed(struct signer_op *op, int status);

static bool has_head(void)
{
	return tick.number % TICKS_OF_HEAD == 0;
}

static void next_step(void)
{
	size_t steps = config.feeds.count + has_head();

	if (tick.step == steps) {
		tick.step = 0;
		tick.face++;
	}
	if (tick.face == 2)
		return;
	if (tick.step < config.feeds.count)
		make_item(&faces[tick.face], tick.step);
	else
		make_head(&faces[tick.face]);
	signer_sign(
	    identity.signer, loop, &tick.op, tick.content, tick.len, on_signed);
}

static void post_step(const char *ref, const char *full)
{
	struct face *face = &faces[tick.face];
	uint8_t sha256[32];

	if (EVP_Digest(
		tick.content, tick.len, sha256, NULL, EVP_sha256(), NULL) != 1)
		log_die("fork_oracle", "out of memory");
	if (tick.step == config.feeds.count) {
		post_head(face, sha256, ref, full);
		return;
	}
	memcpy(face->previous_sha256[tick.step], sha256, 32);
	add_leaf(face, tick.step);
	post_item(face, tick.step, ref, full);
	if (tick.step + 1 == config.feeds.count)
		face->sequence++;
}

static void on_signed(struct signer_op *op, int status)
{
	const struct attestation_document *document = attestation_current(
	    identity.attestation, now_unix_ms());
	struct hm_envelope envelope;
	char *ref, *full;

	if (status != 0 || !document)
		log_die("fork_oracle", "cannot sign");
	envelope = own_envelope(tick.content, tick.len, identity.signer, op,
	    identity.attester->ops->platform, document);
	own_envelope_texts(&envelope, &ref, &full);
	post_step(ref, full);
	free(ref);
	free(full);
	tick.step++;
	next_step();
}

static void on_timer(uv_timer_t *handle)
{
	(void)handle;
	if (tick.number > 0 && tick.face < 2)
		return; /* a slow machine */
	tick.number++;
	tick.face = tick.step = 0;
	tick.now_ms = now_unix_ms();
	next_step();
}

/* ---- serving ---- */

static void on_feeds(struct http_request *req, void *data)
{
	feeds_api_serve(data, req);
}

static const struct service_answer feeds_answers[] = {
    {200, "application/json", "ConfiguredFeeds", "made up", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_route own_routes[] = {
    {.method = "GET",
	.path = "/feeds",
	.about = "What is published.",
	.handler = on_feeds,
	.answers = feeds_answers},
    {.method = NULL},
};
static const struct service_route *const tables[] = {
    board_routes, own_routes, NULL};

static void on_attested(const struct attestation_document *document, void *data)
{
	(void)data;
	for (size_t i = 0; i < 2; i++) {
		char *event = api_attestation_json(&faces[i].api, document);

		board_attest(faces[i].board, "oracle", document->sha256_hex,
		    document->bytes, document->len, event);
		free(event);
	}
}

static void start_face(struct face *face, enum lie lie)
{
	char epoch[17];

	face->lie = lie;
	hex_encode(identity.boot_id, 8, epoch);
	face->board = board_new(loop, epoch);
	for (size_t i = 0; i < config.feeds.count; i++)
		board_add_name(face->board, config.feeds.feeds[i].feed);
	for (size_t i = 0; i < 2; i++)
		tree_log_leaves_init(&face->leaves[i], &config.feeds);
	face->api = (struct api){
	    .front = {face->board, service_new("fork_oracle", tables)},
	    .config = &config,
	    .platform = identity.attester->ops->platform,
	    .public_key_pem = signer_public_pem(identity.signer),
	};
	hex_encode(identity.boot_id, 16, face->api.boot_id);
}

static void serve_face(struct face *face, const char *port)
{
	char text[64];
	struct endpoint endpoint;

	snprintf(text, sizeof(text), "tcp://127.0.0.1:%s", port);
	if (endpoint_parse(&endpoint, text) != 0 ||
	    http_server_start(&face->server, loop, &endpoint,
		service_routes(face->api.front.service), &face->api) != 0)
		log_die("fork_oracle", "cannot listen on %s", text);
}

static enum lie find_lie(const char *name)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (strcmp(lies[i], name) == 0)
			return (enum lie)i;
	log_die("fork_oracle", "%s: honest, fork, hide or rewrite", name);
}

int main(int argc, char **argv)
{
	char error[CONFIG_ERROR_MAX];

	if (argc != 6)
		log_die("fork_oracle", "CONFIG PORT_A PORT_B LIE SEQUENCE");
	if (config_load(&config, argv[1], error) != 0)
		log_die("fork_oracle", "%s", error);
	lie_from = strtoull(argv[5], NULL, 10);
	signal(SIGPIPE, SIG_IGN);
	loop = uv_default_loop();
	identity_load(&identity, &config);
	start_face(&faces[0], HONEST);
	start_face(&faces[1], find_lie(argv[4]));
	identity_attest(&identity, loop, on_attested, NULL);
	serve_face(&faces[0], argv[2]);
	serve_face(&faces[1], argv[3]);
	uv_timer_init(loop, &timer);
	uv_timer_start(&timer, on_timer, TICK_MS, TICK_MS);
	printf("{\"boot_id\":\"%s\"}\n", faces[0].api.boot_id);
	fflush(stdout);
	return uv_run(loop, UV_RUN_DEFAULT);
}
