/* peering: see peering.h. */
#include "oracle/peering.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/attested_data.h"
#include "verifier/base64.h"
#include "verifier/item_key.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- others' documents ---- */

static char *pem_of(const struct hm_bytes *spki)
{
	struct item_key key;
	char *pem;

	if (item_key_open(&key, (struct slice){spki->bytes, spki->len}) != 0)
		return NULL;
	pem = strdup(key.pem);
	item_key_close(&key);
	return pem;
}

/* The members of our own event (attestation_api.h), and whose it is. */
static char *event_of(const struct hm_document *document, const char *boot_id,
    const char *sha256_hex, const char *platform, const char *base64)
{
	char *pem = pem_of(&document->public_key);
	json_t *root = json_pack("{s:s, s:s, s:s, s:s?, s:I, s:I, s:s}",
	    "peer_boot_id", boot_id, "attestation_sha256", sha256_hex,
	    "platform", platform, "public_key", pem, "timestamp_ms",
	    (json_int_t)document->timestamp_ms, "not_after_ms",
	    (json_int_t)document->not_after_ms, "attestation_doc_b64", base64);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	free(pem);
	return text;
}

static void put_on_board(struct peering *peering,
    const struct hm_document *document, const char *sha256_hex,
    const uint8_t *bytes, size_t len, const char *platform)
{
	char origin[48], boot_id[33];
	struct attested_data data;
	char *base64, *event;

	if (attested_data_parse(&data, (struct slice){document->user_data.bytes,
					   document->user_data.len}) != 0)
		return; /* it was verified: not from here */
	hex_encode(data.boot_id, sizeof(data.boot_id), boot_id);
	snprintf(origin, sizeof(origin), "peer %s", boot_id);
	base64 = base64_encode(bytes, len);
	event = base64
		    ? event_of(document, boot_id, sha256_hex, platform, base64)
		    : NULL;
	if (!event)
		log_die("peering", "out of memory");
	board_attest(peering->board, origin, sha256_hex, bytes, len, event);
	free(event);
	free(base64);
}

static void on_document(const struct hm_envelope *cosignature, void *data)
{
	struct peering *peering = data;
	char hex[2 * HM_SHA256_LEN + 1];
	struct hm_document document;

	hex_encode(cosignature->attestation_sha256, HM_SHA256_LEN, hex);
	if (board_has_document(peering->board, hex))
		return;
	if (hm_document_read(cosignature->document, cosignature->document_len,
		&document) == HM_VALID)
		put_on_board(peering, &document, hex, cosignature->document,
		    cosignature->document_len, cosignature->platform);
}

/* ---- life ---- */

void peering_start(struct peering *peering, const struct identity *identity,
    uv_loop_t *loop, struct board *board, peer_newest_cb newest, void *data)
{
	const struct config *config = identity->config;
	const char *platform = identity->attester->ops->platform;

	*peering = (struct peering){.config = config, .board = board};
	if (config->peers.connect_count == 0)
		return;
	peering->tls = peer_tls_context(identity->tls);
	peering->peers = peers_start(&(struct peers_options){
	    .loop = loop,
	    .config = config,
	    .tls = peering->tls,
	    .signer = identity->signer,
	    .attestation = identity->attestation,
	    .policy = identity->policy,
	    .boot_id = identity->boot_id,
	    .platform = platform,
	    .newest = newest,
	    .newest_data = data,
	    .document = on_document,
	    .document_data = peering,
	});
	peering->status = peers_status_start(&(struct peers_status_options){
	    .loop = loop,
	    .config = config,
	    .peers = peering->peers,
	    .signer = identity->signer,
	    .attestation = identity->attestation,
	    .boot_id = identity->boot_id,
	    .platform = platform,
	});
}

void peering_stop(struct peering *peering)
{
	if (!peering->peers)
		return;
	peers_status_stop(peering->status);
	peers_stop(peering->peers, NULL, NULL);
}

void peering_free(struct peering *peering)
{
	peers_status_free(peering->status);
	peers_free(peering->peers);
	SSL_CTX_free(peering->tls);
	*peering = (struct peering){0};
}
