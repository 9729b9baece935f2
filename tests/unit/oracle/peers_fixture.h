/*
 * peers_fixture: enclaves of one image and configuration on one loop: each an
 * identity with a TLS key of its own, which its documents name, and the items
 * that it would publish. Included after cmocka.h.
 */
#ifndef HALLMARK_TESTS_ORACLE_PEERS_FIXTURE_H
#define HALLMARK_TESTS_ORACLE_PEERS_FIXTURE_H

#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "oracle/identity.h"
#include "oracle/own_envelope.h"
#include "oracle/peers.h"
#include "oracle/peers_state.h"
#include "verifier/cosign.h"
#include "verifier/envelope.h"

#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ENCLAVES   3
#define WATCHDOG_S 60 /* ends the test program, not a bound on speed */

static const char peers_config[] =
    "{\"listen\":\"tcp://127.0.0.1:0\",\"attester\":\"simulated\","
    "\"simulated_dir\":\"simulated\",\"ca_bundle\":\"ca.pem\","
    "\"peers\":{\"listen\":\"unix://./a.sock\",\"connect\":["
    "\"unix://./a.sock\",\"unix://./b.sock\",\"unix://./c.sock\"],"
    "\"wait_ms\":400},\"quorum\":2,\"feeds\":["
    "{\"feed\":\"BTC-USD\",\"decimals\":2,\"interval_ms\":250,"
    "\"max_age_ms\":60000,\"min_sources\":1,\"sources\":["
    "{\"exchange\":\"kraken\",\"symbol\":\"XBTUSD\"}]},"
    "{\"feed\":\"ETH-USD\",\"decimals\":2,\"interval_ms\":250,"
    "\"max_age_ms\":60000,\"min_sources\":1,\"sources\":["
    "{\"exchange\":\"kraken\",\"symbol\":\"ETHUSD\"}]}]}";

struct enclave {
	struct config config;
	struct identity identity;
	SSL_CTX *tls;
	struct peers *peers; /* NULL: not started */
	bool has_item;
	struct item item; /* of feed 0 */
	char content[ITEM_CONTENT_MAX];
	size_t content_len;
	uint8_t sha256[32];
	struct signer_op op;
	bool is_signed;
};

static char dir[64];
static uv_loop_t loop;
static struct enclave enclaves[ENCLAVES];

/* The same bytes for all; what differs is where each listens. */
static inline void load_config(struct enclave *e, const char *text, char name)
{
	char path[128], error[CONFIG_ERROR_MAX];

	snprintf(path, sizeof(path), "%s/config.json", dir);
	assert_int_equal(file_write(path, text, strlen(text), 0600), 0);
	if (config_load(&e->config, path, error) != 0)
		fail_msg("%s", error);
	snprintf(e->config.peers.listen.path,
	    sizeof(e->config.peers.listen.path), "%s/%c.sock", dir, name);
}

static inline void enclave_boot(
    struct enclave *e, const char *config, char name)
{
	memset(e, 0, sizeof(*e));
	load_config(e, config, name);
	identity_load(&e->identity, &e->config);
	e->tls = peer_tls_context(e->identity.tls);
	identity_attest(&e->identity, &loop, NULL, NULL);
}

static inline bool newest_of(
    size_t feed, const struct item **item, const uint8_t **sha256, void *data)
{
	struct enclave *e = data;

	*item = &e->item;
	*sha256 = e->sha256;
	return feed == 0 && e->has_item;
}

static inline void enclave_start(struct enclave *e)
{
	e->peers = peers_start(&(struct peers_options){
	    .loop = &loop,
	    .config = &e->config,
	    .tls = e->tls,
	    .signer = e->identity.signer,
	    .attestation = e->identity.attestation,
	    .policy = e->identity.policy,
	    .boot_id = e->identity.boot_id,
	    .platform = "simulated",
	    .newest = newest_of,
	    .newest_data = e,
	});
}

/* Its item: cents, or 0: unavailable. */
static inline void enclave_price(struct enclave *e, int64_t cents)
{
	struct item *item = &e->item;
	struct item_source *s = &item->sources[0];
	uint64_t sequence = e->has_item ? item->sequence + 1 : 0;

	memset(item, 0, sizeof(*item));
	snprintf(item->feed, sizeof(item->feed), "BTC-USD");
	memcpy(item->boot_id, e->identity.boot_id, 16);
	item->sequence = sequence;
	item->status = cents > 0 ? ITEM_OK : ITEM_UNAVAILABLE;
	item->reason = cents > 0 ? ITEM_NO_REASON : ITEM_INSUFFICIENT_SOURCES;
	if (cents > 0) {
		item->price = (struct decimal){cents, -2};
		item->confidence = (struct decimal){1, -2};
	}
	item->published_ms = now_unix_ms();
	item->expires_ms = item->published_ms + 60000;
	item->min_sources = 1;
	item->source_count = 1;
	snprintf(s->exchange, sizeof(s->exchange), "kraken");
	snprintf(s->symbol, sizeof(s->symbol), "XBTUSD");
	s->state = cents > 0 ? SOURCE_USED : SOURCE_FAILED;
	s->error = cents > 0 ? QUOTE_OK : QUOTE_TIMEOUT;
	if (cents > 0) {
		s->quote.has_last = true;
		s->quote.last = s->price = item->price;
		s->has_price = true;
		s->has_answer = true;
		s->received_ms = item->published_ms;
	}
	memcpy(item->config_sha256, e->config.sha256, 32);
	if (sequence > 0)
		memset(item->previous_sha256, 0x77, 32);
	assert_int_equal(
	    item_encode(item, e->content, sizeof(e->content), &e->content_len),
	    0);
	EVP_Digest(
	    e->content, e->content_len, e->sha256, NULL, EVP_sha256(), NULL);
	e->has_item = true;
}

static inline void on_item_signed(struct signer_op *op, int status)
{
	assert_int_equal(status, 0);
	((struct enclave *)op->data)->is_signed = true;
}

/* Any content, signed and attested by this enclave; its envelope's full form,
 * to be freed. */
static inline char *enclave_sign(
    struct enclave *e, const char *content, size_t len)
{
	const struct attestation_document *document = attestation_current(
	    e->identity.attestation, now_unix_ms());
	struct hm_envelope envelope;

	e->is_signed = false;
	e->op.data = e;
	signer_sign(
	    e->identity.signer, &loop, &e->op, content, len, on_item_signed);
	while (!e->is_signed)
		uv_run(&loop, UV_RUN_ONCE);
	envelope = own_envelope(
	    content, len, e->identity.signer, &e->op, "simulated", document);
	return envelope_format(&envelope, true);
}

static inline char *enclave_item(struct enclave *e)
{
	return enclave_sign(e, e->content, e->content_len);
}

static inline void verify_item(
    struct enclave *e, const char *text, struct hm_item *out)
{
	struct hm_envelope envelope;

	assert_int_equal(
	    hm_envelope_parse(&envelope, text, strlen(text)), HM_VALID);
	assert_int_equal(hm_item_verify_live(e->identity.policy, NULL,
			     &envelope, NULL, 0, now_unix_ms(), out, NULL),
	    HM_VALID);
	hm_envelope_fini(&envelope);
}

/* ---- fixture ---- */

static inline int peers_up(void **state)
{
	(void)state;
	alarm(WATCHDOG_S);
	signal(SIGPIPE, SIG_IGN); /* as main does */
	snprintf(dir, sizeof(dir), "/tmp/test_peers.XXXXXX");
	assert_non_null(mkdtemp(dir));
	log_set_level(LOG_ERROR);
	assert_int_equal(uv_loop_init(&loop), 0);
	for (int i = 0; i < ENCLAVES; i++)
		enclave_boot(&enclaves[i], peers_config, (char)('a' + i));
	return 0;
}

static inline void enclave_stop(struct enclave *e)
{
	if (e->peers)
		peers_stop(e->peers, NULL, NULL);
}

static inline int peers_down(void **state)
{
	char command[128];

	(void)state;
	for (int i = 0; i < ENCLAVES; i++)
		enclave_stop(&enclaves[i]);
	for (int i = 0; i < ENCLAVES; i++)
		attestation_stop(enclaves[i].identity.attestation, NULL, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	for (int i = 0; i < ENCLAVES; i++) {
		peers_free(enclaves[i].peers);
		SSL_CTX_free(enclaves[i].tls);
		identity_free(&enclaves[i].identity);
	}
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	return 0;
}

#endif
