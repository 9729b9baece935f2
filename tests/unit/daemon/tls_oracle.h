/* tls_oracle: a stand-in for an oracle with TLS of its own, on a thread: it
 * answers GET /attestation?nonce= rightly, or wrongly in one way, and any other
 * GET with {}. */
#ifndef HALLMARK_TESTS_DAEMON_TLS_ORACLE_H
#define HALLMARK_TESTS_DAEMON_TLS_ORACLE_H

#include "channel_fixture.h"

#include "tests/unit/oracle/tls_peer.h"

#include "verifier/daemon/channel.h"

#include <signal.h>

enum tls_oracle_mode {
	TLS_RIGHT,
	TLS_BATCHED,
	TLS_RELAY,    /* passes on a document that names another key */
	TLS_REPLAYS,  /* a document that it got a while ago */
	TLS_NO_KEY,   /* the document names no key */
	TLS_BUSY,     /* 503 */
	TLS_TOO_LONG, /* an answer without an end */
	TLS_BREAKS,   /* hangs up in the middle */
	TLS_SILENT,
};

struct tls_oracle {
	struct peer peer;
	struct pki_cert leaf; /* self-signed */
	uint8_t spki_sha256[HM_SHA256_LEN];
	const struct mint *mint;
	_Atomic enum tls_oracle_mode mode; /* before a request */
	char *old;                         /* for TLS_REPLAYS: its base64 */
	atomic_uint attested, others;
	char text[80]; /* https+attested://127.0.0.1:PORT */
};

static inline void tls_oracle_say(struct peer_session *s, const char *json)
{
	char head[128];

	snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    strlen(json));
	peer_say(s, head);
	peer_say(s, json);
}

static inline void tls_oracle_attest(
    struct peer_session *s, struct tls_oracle *t, const char *hex)
{
	uint8_t nonce[CHANNEL_NONCE_LEN], another[HM_SHA256_LEN] = {7};
	struct answer_wish wish = {
	    .nonce = nonce,
	    .nonce_len = sizeof(nonce),
	    .tls_spki_sha256 = t->spki_sha256,
	    .batched = t->mode == TLS_BATCHED,
	    .document = t->mode == TLS_REPLAYS ? t->old : NULL,
	};
	char *json;

	pki_need(hex_decode(nonce, sizeof(nonce), hex, 64) == 0, "nonce");
	if (t->mode == TLS_RELAY)
		wish.tls_spki_sha256 = another;
	if (t->mode == TLS_NO_KEY)
		wish.tls_spki_sha256 = NULL;
	json = answer_json(t->mint, &wish);
	atomic_fetch_add(&t->attested, 1);
	tls_oracle_say(s, json);
	free(json);
}

static inline void tls_oracle_spout(struct peer_session *s)
{
	static char much[4096];

	memset(much, 'x', sizeof(much));
	peer_say(
	    s, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
	for (int i = 0; i < 100; i++)
		peer_send(s, much, sizeof(much));
}

static inline void tls_oracle_story(struct peer_session *s)
{
	static const char path[] = "GET /attestation?nonce=";
	struct tls_oracle *t = s->peer->data;

	while (peer_request(s)) {
		if (strncmp(s->head, path, sizeof(path) - 1) != 0) {
			atomic_fetch_add(&t->others, 1);
			tls_oracle_say(s, "{}");
			continue;
		}
		if (t->mode == TLS_SILENT)
			peer_wait(s);
		else if (t->mode == TLS_BUSY)
			peer_say(s, "HTTP/1.1 503 Busy\r\nContent-Type: "
				    "application/problem+json\r\n"
				    "Content-Length: 2\r\n\r\n{}");
		else if (t->mode == TLS_TOO_LONG)
			tls_oracle_spout(s);
		else if (t->mode == TLS_BREAKS)
			peer_say(s, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"
				    "Content-Type: application/json\r\n\r\n{");
		else
			tls_oracle_attest(s, t, s->head + sizeof(path) - 1);
		if (t->mode >= TLS_BUSY)
			return;
	}
}

/* Makes a key: another boot. */
static inline void tls_oracle_boot(struct tls_oracle *t)
{
	unsigned char *der = NULL;
	int len;

	pki_cert_fini(&t->leaf);
	t->leaf = pki_issue(NULL, &(struct pki_wish){.cn = "hallmark-oracle",
				      .not_before_s = -PKI_DAY,
				      .not_after_s = 3650 * PKI_DAY});
	len = i2d_PUBKEY(t->leaf.key, &der);
	SHA256(der, (size_t)len, t->spki_sha256);
	OPENSSL_free(der);
	t->peer.context = pki_server(&t->leaf, TLS1_3_VERSION);
}

/* `at` NULL: a free port. */
static inline void tls_oracle_start(
    struct tls_oracle *t, const struct mint *m, const char *at)
{
	memset(t, 0, sizeof(*t));
	t->mint = m;
	tls_oracle_boot(t);
	t->peer.story = tls_oracle_story;
	t->peer.data = t;
	signal(SIGPIPE, SIG_IGN);
	peer_start_at(&t->peer, at ? at : "tcp://127.0.0.1:0");
	snprintf(t->text, sizeof(t->text), "https+attested://127.0.0.1:%u",
	    t->peer.port);
}

static inline void tls_oracle_stop(struct tls_oracle *t)
{
	peer_stop(&t->peer);
	SSL_CTX_free(t->peer.context);
	pki_cert_fini(&t->leaf);
	free(t->old);
}

#endif
