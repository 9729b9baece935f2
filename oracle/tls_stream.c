/* tls_stream: OpenSSL between two memory BIOs, see the header. */
#include "oracle/tls_stream.h"

#include "base/log.h"
#include "oracle/certificates.h"
#include "verifier/spki.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const unsigned char alpn[] = "\x08http/1.1";

static void die(const char *what)
{
	log_die("tls_stream", "out of memory: %s", what);
}

/* ---- errors ---- */

static enum tls_stream_status fail(struct tls_stream *tls, const char *why)
{
	snprintf(tls->why, sizeof(tls->why), "tls: %s", why);
	ERR_clear_error();
	return TLS_STREAM_FAILED;
}

/* What OpenSSL has to say; the certificate's fault in front of all else. */
static enum tls_stream_status fail_openssl(struct tls_stream *tls)
{
	long verdict = SSL_get_verify_result(tls->ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	if (verdict != X509_V_OK) {
		snprintf(tls->why, sizeof(tls->why), "certificate: %s",
		    X509_verify_cert_error_string(verdict));
		ERR_clear_error();
		return TLS_STREAM_FAILED;
	}
	return fail(tls, reason != NULL ? reason : "protocol error");
}

static bool is_unexpected_end(int error)
{
	unsigned long code = ERR_peek_error();
	return error == SSL_ERROR_SYSCALL ||
	       (error == SSL_ERROR_SSL && ERR_GET_LIB(code) == ERR_LIB_SSL &&
		   ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

/* The meaning of a return value <= 0 of SSL_*. SSL_get_error() reads the
 * thread's error queue: it was cleared before the call. */
static enum tls_stream_status judge(struct tls_stream *tls, int ret)
{
	int error = SSL_get_error(tls->ssl, ret);

	if (BIO_pending(tls->out) > TLS_STREAM_SEND_MAX)
		return fail(tls, "the peer does not read our answers");
	if (error == SSL_ERROR_WANT_READ)
		return TLS_STREAM_MORE;
	if (error == SSL_ERROR_ZERO_RETURN)
		return TLS_STREAM_CLOSED;
	if (is_unexpected_end(error)) {
		ERR_clear_error();
		return TLS_STREAM_TRUNCATED;
	}
	return fail_openssl(tls);
}

/* ---- set up ---- */

static void demand(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_security_level(context, 2);
	SSL_CTX_set_options(context,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	/* SSL_CTX_set_alpn_protos() returns 0 for success. */
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn) - 1) != 0)
		die("context");
}

/* Adds the certificates of a text. False and OpenSSL's reason if one of them
 * is none, or there is none at all. */
static bool trust_text(SSL_CTX *context, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate;
	bool good = true;
	unsigned count = 0;

	if (bio == NULL)
		die("certificates");
	while (good && (certificate = PEM_read_bio_X509(
			    bio, NULL, NULL, NULL)) != NULL) {
		good = X509_STORE_add_cert(
			   SSL_CTX_get_cert_store(context), certificate) == 1;
		X509_free(certificate);
		count++;
	}
	BIO_free(bio);
	/* How the reading ends when nothing is left. */
	if (good && count > 0 &&
	    ERR_GET_REASON(ERR_peek_error()) == PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return true;
	}
	return false;
}

static bool trust(SSL_CTX *context, const char *ca_bundle)
{
	return certificates_inline(ca_bundle)
		   ? trust_text(context, ca_bundle)
		   : SSL_CTX_load_verify_file(context, ca_bundle) == 1;
}

SSL_CTX *tls_stream_context(const char *ca_bundle, char *why, size_t why_cap)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL)
		die("context");
	demand(context);
	ERR_clear_error();
	if (trust(context, ca_bundle))
		return context;

	const char *reason = ERR_reason_error_string(ERR_peek_error());
	snprintf(why, why_cap, "%s",
	    reason != NULL ? reason : "no certificate in it");
	ERR_clear_error();
	SSL_CTX_free(context);
	return NULL;
}

void tls_stream_init(struct tls_stream *tls, SSL_CTX *context, const char *host)
{
	*tls = (struct tls_stream){0};
	tls->ssl = SSL_new(context);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL)
		die("connection");
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	BIO_set_mem_eof_return(tls->in, -1); /* empty: come back later */

	SSL_set_connect_state(tls->ssl);
	SSL_set_hostflags(tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
					X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (SSL_set1_host(tls->ssl, host) != 1 ||
	    SSL_set_tlsext_host_name(tls->ssl, host) != 1)
		die("host name");
}

void tls_stream_fini(struct tls_stream *tls)
{
	SSL_free(tls->ssl);
	tls->ssl = NULL;
	tls->in = tls->out = NULL;
}

/* ---- the transport's side ---- */

void tls_stream_receive(struct tls_stream *tls, const void *bytes, size_t len)
{
	assert(len <= INT_MAX);
	if (len > 0 && BIO_write(tls->in, bytes, (int)len) != (int)len)
		die("received bytes");
}

void tls_stream_receive_end(struct tls_stream *tls)
{
	BIO_set_mem_eof_return(tls->in, 0);
}

size_t tls_stream_send(struct tls_stream *tls, void *out, size_t cap)
{
	assert(cap <= INT_MAX);
	int n = BIO_read(tls->out, out, (int)cap);
	return n > 0 ? (size_t)n : 0;
}

/* ---- the user's side ---- */

/* A server may pick none; OpenSSL refuses one that we did not offer, and this
 * is for the OpenSSL versions that did not. */
static bool alpn_is_ours(const struct tls_stream *tls)
{
	const unsigned char *picked = NULL;
	unsigned len = 0;
	SSL_get0_alpn_selected(tls->ssl, &picked, &len);
	return len == 0 ||
	       (len == sizeof(alpn) - 2 && memcmp(picked, alpn + 1, len) == 0);
}

enum tls_stream_status tls_stream_handshake(struct tls_stream *tls)
{
	ERR_clear_error();
	int ret = SSL_do_handshake(tls->ssl);
	if (ret != 1)
		return judge(tls, ret);
	/* SSL_VERIFY_PEER has seen to both; a context without it would not. */
	if (SSL_get0_peer_certificate(tls->ssl) == NULL)
		return fail(tls, "the peer has no certificate");
	if (SSL_get_verify_result(tls->ssl) != X509_V_OK)
		return fail_openssl(tls);
	if (!alpn_is_ours(tls))
		return fail(tls, "the peer speaks another protocol");
	return TLS_STREAM_OK;
}

enum tls_stream_status tls_stream_write(
    struct tls_stream *tls, const void *plain, size_t len)
{
	size_t written = 0;
	ERR_clear_error();
	int ret = SSL_write_ex(tls->ssl, plain, len, &written);
	if (ret == 1 && written == len)
		return TLS_STREAM_OK;
	enum tls_stream_status status = judge(tls, ret);
	return status == TLS_STREAM_FAILED ? status : fail(tls, "cannot write");
}

enum tls_stream_status tls_stream_read(
    struct tls_stream *tls, void *plain, size_t cap, size_t *len)
{
	ERR_clear_error();
	int ret = SSL_read_ex(tls->ssl, plain, cap, len);
	if (ret == 1)
		return TLS_STREAM_OK;
	*len = 0;
	return judge(tls, ret);
}

void tls_stream_peer_spki(
    const struct tls_stream *tls, uint8_t out[static TLS_STREAM_SPKI_LEN])
{
	X509 *leaf = SSL_get0_peer_certificate(tls->ssl);

	assert(leaf != NULL); /* the handshake saw it */
	if (spki_of_cert(leaf, out) != 0)
		die("public key");
}
