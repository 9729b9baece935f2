/*
 * mint: genuine items for tests: a simulated enclave, a key, and a policy that
 * accepts exactly them. What it makes verifies like an oracle's own.
 */
#ifndef HALLMARK_TESTS_DAEMON_MINT_H
#define HALLMARK_TESTS_DAEMON_MINT_H

#include "base/log.h"
#include "base/now.h"
#include "feeds/item.h"
#include "oracle/attester.h"
#include "oracle/user_data.h"
#include "verifier/base64.h"
#include "verifier/envelope.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct mint {
	char folder[64];
	struct attester *attester;
	EVP_PKEY *key;
	char *pem;
	uint8_t *spki;
	size_t spki_len;
	uint8_t boot_id[16], config_sha256[32];
	uint8_t document[ATTESTER_DOCUMENT_MAX];
	size_t document_len;
	struct hm_policy *policy;
};

static inline void mint_document(struct mint *m)
{
	uint8_t user_data[USER_DATA_MAX];
	char error[ATTESTER_ERROR_MAX] = "";
	struct attester_request request = {
	    .public_key = m->spki,
	    .public_key_len = m->spki_len,
	    .user_data = user_data,
	};

	request.user_data_len = user_data_encode(
	    &(struct user_data){
		.boot_id = m->boot_id, .config_sha256 = m->config_sha256},
	    user_data);
	assert_int_equal(m->attester->ops->attest(m->attester, &request,
			     m->document, &m->document_len, error),
	    0);
}

static inline void mint_key(struct mint *m)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *bytes;
	long len;

	m->key = EVP_RSA_gen(2048);
	assert_non_null(m->key);
	m->spki_len = (size_t)i2d_PUBKEY(m->key, &m->spki);
	assert_int_equal(PEM_write_bio_PUBKEY(out, m->key), 1);
	len = BIO_get_mem_data(out, &bytes);
	m->pem = strndup(bytes, (size_t)len);
	BIO_free(out);
}

static inline void mint_policy(struct mint *m)
{
	const char *root = m->attester->ops->root_pem(m->attester);
	char error[ATTESTER_ERROR_MAX];
	uint8_t pcr[HM_PCR_LEN];
	int release, locked;

	m->policy = hm_policy_new();
	assert_int_equal(
	    hm_policy_add_root_pem(m->policy, root, strlen(root)), 0);
	release = hm_policy_add_release(
	    m->policy, "test", INT64_MIN, INT64_MAX);
	assert_true(release >= 0);
	assert_int_equal(
	    m->attester->ops->describe_pcr(m->attester, 0, pcr, &locked, error),
	    0);
	assert_int_equal(hm_policy_add_pcr(m->policy, release, 0, pcr), 0);
}

static inline void mint_init(struct mint *m, uint8_t boot)
{
	char error[ATTESTER_ERROR_MAX] = "";

	memset(m, 0, sizeof(*m));
	snprintf(m->folder, sizeof(m->folder), "/tmp/mint-XXXXXX");
	assert_non_null(mkdtemp(m->folder));
	m->attester = attester_simulated_open(m->folder, error);
	assert_non_null(m->attester);
	memset(m->boot_id, boot, sizeof(m->boot_id));
	memset(m->config_sha256, 0x42, sizeof(m->config_sha256));
	mint_key(m);
	mint_document(m);
	mint_policy(m);
}

static inline void mint_fini(struct mint *m)
{
	char path[128];

	m->attester->ops->close(m->attester);
	hm_policy_free(m->policy);
	EVP_PKEY_free(m->key);
	OPENSSL_free(m->spki);
	free(m->pem);
	snprintf(path, sizeof(path), "%s/simulated-root.pem", m->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/simulated-root-key.pem", m->folder);
	unlink(path);
	rmdir(m->folder);
}

struct mint_wish {
	const char *feed; /* NULL: "BTC-USD" */
	uint64_t sequence;
	int64_t published_ms; /* 0: now */
	int64_t life_ms;      /* 0: 5000 */
	int64_t cents;        /* 0: 8400000 */
	bool unavailable;
	const uint8_t *previous; /* NULL: zeros */
	bool full;               /* with its document */
	bool spoiled;            /* its signature is wrong */
};

static inline size_t mint_content(
    const struct mint *m, const struct mint_wish *w, char out[ITEM_CONTENT_MAX])
{
	static struct item item;
	struct item_source *s = &item.sources[0];
	struct decimal price = {w->cents ? w->cents : 8400000, -2};
	size_t len;

	memset(&item, 0, sizeof(item));
	snprintf(
	    item.feed, sizeof(item.feed), "%s", w->feed ? w->feed : "BTC-USD");
	memcpy(item.boot_id, m->boot_id, sizeof(item.boot_id));
	memcpy(item.config_sha256, m->config_sha256, 32);
	if (w->previous)
		memcpy(item.previous_sha256, w->previous, 32);
	item.sequence = w->sequence;
	item.published_ms = w->published_ms ? w->published_ms : now_unix_ms();
	item.expires_ms = item.published_ms + (w->life_ms ? w->life_ms : 5000);
	item.min_sources = 1;
	item.source_count = 1;
	snprintf(s->exchange, sizeof(s->exchange), "kraken");
	snprintf(s->symbol, sizeof(s->symbol), "XBTUSD");
	s->state = SOURCE_FAILED;
	s->error = QUOTE_TIMEOUT;
	item.status = ITEM_UNAVAILABLE;
	item.reason = ITEM_INSUFFICIENT_SOURCES;
	if (!w->unavailable) {
		s->state = SOURCE_USED;
		s->error = QUOTE_OK;
		s->has_answer = s->has_price = s->quote.has_last = true;
		s->price = s->quote.last = item.price = price;
		s->received_ms = item.published_ms;
		item.confidence = (struct decimal){0, -2};
		item.status = ITEM_OK;
		item.reason = ITEM_NO_REASON;
	}
	assert_int_equal(item_encode(&item, out, ITEM_CONTENT_MAX, &len), 0);
	return len;
}

/* An item's JSON; the caller frees it. sha256 (may be NULL): its content's. */
static inline char *mint_item(
    const struct mint *m, const struct mint_wish *w, uint8_t sha256[32])
{
	static char content[ITEM_CONTENT_MAX];
	uint8_t signature[512];
	struct hm_envelope e = {
	    .content = content,
	    .signature = signature,
	    .signature_len = sizeof(signature),
	    .public_key = m->pem,
	    .platform = "simulated",
	    .document = (uint8_t *)(uintptr_t)m->document,
	    .document_len = m->document_len,
	};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	char *json;

	e.content_len = mint_content(m, w, content);
	SHA256(m->document, m->document_len, e.attestation_sha256);
	if (sha256)
		SHA256((const uint8_t *)content, e.content_len, sha256);
	assert_int_equal(
	    EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, m->key), 1);
	assert_int_equal(EVP_DigestSign(md, signature, &e.signature_len,
			     (const uint8_t *)content, e.content_len),
	    1);
	EVP_MD_CTX_free(md);
	if (w->spoiled)
		signature[7] ^= 1;
	json = envelope_format(&e, w->full);
	assert_non_null(json);
	return json;
}

/* ---- the one that all tests of a program share ---- */

static struct mint mint;

static inline int make_mint(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	mint_init(&mint, 1);
	return 0;
}

static inline int free_mint(void **state)
{
	(void)state;
	mint_fini(&mint);
	return 0;
}

#endif
