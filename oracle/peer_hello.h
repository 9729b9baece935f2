/*
 * peer_hello: the first frame of either side of a link: an attestation document
 * that was made for this very connection.
 *
 *   {"format":"hallmark-peer/1","attestation_doc_b64":"...",
 *    "nonce_path":{"index":N,"size":N,"path":[hex,...]}}
 *
 * (the last where many nonces share a document, hallmark.h). The nonce is the
 * connection's exporter value (RFC 8446, 7.5) and one byte that says which side
 * speaks: what was made for another connection, and so whatever somebody in the
 * middle has of his two, is another value; what we said ourselves has the other
 * byte. The exporter does not cover the client's certificate, so the document's
 * user data has to name the key of the certificate that this connection showed.
 * And the image and its configuration must be our own. Pure.
 */
#ifndef HALLMARK_ORACLE_PEER_HELLO_H
#define HALLMARK_ORACLE_PEER_HELLO_H

#include "oracle/attestation.h"

#define PEER_HELLO_FORMAT    "hallmark-peer/1"
#define PEER_HELLO_LABEL     "EXPORTER-hallmark-peer"
#define PEER_EXPORTER_LEN    32
#define PEER_HELLO_NONCE_LEN (PEER_EXPORTER_LEN + 1)
#define PEER_HELLO_WHY_MAX   160

enum peer_role {
	PEER_DIALED = 'c', /* the TLS client: it asks */
	PEER_LISTENED = 's'
};

void peer_hello_nonce(const uint8_t exporter[static PEER_EXPORTER_LEN],
    enum peer_role speaker, uint8_t out[static PEER_HELLO_NONCE_LEN]);

/* One-line JSON, the caller's to free; NULL: no memory. path: NULL if the
 * document's nonce is the plain one. */
char *peer_hello_format(
    const struct attestation_document *document, const struct nonce_path *path);

struct peer_hello_question {            /* all borrowed */
	const struct hm_policy *policy; /* our own: root, PCR0, 1, 2 and 16 */
	struct hm_cache *cache;         /* may be NULL */
	const uint8_t *exporter;
	const uint8_t *spki_sha256; /* of the certificate that was shown */
	const uint8_t *own_boot_id;
	enum peer_role speaker; /* the other side's role */
	int64_t now_ms;
};

enum peer_hello_answer {
	PEER_HELLO_GOOD,
	PEER_HELLO_SELF, /* we have dialed ourselves */
	PEER_HELLO_BAD
};

/* boot_id is set unless BAD; `why` (for a log) if BAD. Any bytes are safe. */
enum peer_hello_answer peer_hello_judge(const struct peer_hello_question *q,
    const char *text, size_t len, uint8_t boot_id[static 16],
    char why[static PEER_HELLO_WHY_MAX]);

#endif
