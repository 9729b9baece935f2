/*
 * tls_stream: one TLS client connection without a socket. The peer's bytes go
 * in by tls_stream_receive(), our bytes for it come out of tls_stream_send();
 * in between stand the handshake, plain text in and plain text out. OpenSSL
 * works on two memory BIOs, so whoever has the transport can be anything.
 *
 * Demanded of the peer: TLS 1.2 or newer, a chain to the context's roots, the
 * host's name among the certificate's subjectAltNames (the common name does
 * not count: RFC 9525, 2), http/1.1 if it picks a protocol at all. There is no
 * renegotiation, no compression and no resumption: each connection checks the
 * chain at its own time.
 */
#ifndef HALLMARK_ORACLE_TLS_STREAM_H
#define HALLMARK_ORACLE_TLS_STREAM_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_STREAM_WHY_MAX 160
/* Bytes waiting to be sent: a peer that makes us answer (RFC 8446, 4.6.3) and
 * does not read is cut off there. */
#define TLS_STREAM_SEND_MAX 65536
#define TLS_STREAM_SPKI_LEN 32

enum tls_stream_status {
	TLS_STREAM_OK = 1,
	TLS_STREAM_MORE = 0,       /* nothing until the peer sends more */
	TLS_STREAM_CLOSED = -1,    /* the peer said that it is done */
	TLS_STREAM_TRUNCATED = -2, /* the transport ended without that */
	TLS_STREAM_FAILED = -3     /* `why` says what */
};

struct tls_stream {
	char why[TLS_STREAM_WHY_MAX]; /* when FAILED */

	/* private */
	SSL *ssl; /* owned; owns both BIOs */
	BIO *in, *out;
};

/* A context as described above, with the certificates of this PEM file, or of
 * this value itself (certificates.h), as its only roots. NULL and a text in
 * `why` on failure. */
SSL_CTX *tls_stream_context(const char *ca_bundle, char *why, size_t why_cap);

/* host is a DNS name. Dies when out of memory. */
void tls_stream_init(
    struct tls_stream *tls, SSL_CTX *context, const char *host);
/* May be called on a zeroed struct, and twice. */
void tls_stream_fini(struct tls_stream *tls);

/* ---- the transport's side ---- */

void tls_stream_receive(struct tls_stream *tls, const void *bytes, size_t len);
/* No more bytes will come. */
void tls_stream_receive_end(struct tls_stream *tls);
/* Moves at most cap bytes for the peer into out; how many, 0: none wait. */
size_t tls_stream_send(struct tls_stream *tls, void *out, size_t cap);

/* ---- the user's side; look at tls_stream_send() after each call ---- */

/* OK when the handshake is done and the peer is who it should be. */
enum tls_stream_status tls_stream_handshake(struct tls_stream *tls);

/* len >= 1. OK or FAILED, all or nothing. */
enum tls_stream_status tls_stream_write(
    struct tls_stream *tls, const void *plain, size_t len);

/* OK and 1 <= *len <= cap, or another status and *len 0. */
enum tls_stream_status tls_stream_read(
    struct tls_stream *tls, void *plain, size_t cap, size_t *len);

/* SHA-256 of the leaf's SubjectPublicKeyInfo (DER). After the handshake. */
void tls_stream_peer_spki(
    const struct tls_stream *tls, uint8_t out[static TLS_STREAM_SPKI_LEN]);

#endif
