/*
 * tls_stream: against a server of OpenSSL's in the same process, with no
 * socket in between: what one writes is carried to the other in pieces.
 */
#include "oracle/tls_stream.h"

#include "oracle/certificates.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/oracle/pki.h"

#define HOST "api.example.test"

struct server {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out;
};

static struct pki pki;
static SSL_CTX *client_context;

static int make_pki(void **state)
{
	char why[200];
	(void)state;
	pki_init(&pki);
	client_context = tls_stream_context(pki.ca_path, why, sizeof(why));
	return client_context == NULL;
}

static int free_pki(void **state)
{
	(void)state;
	SSL_CTX_free(client_context);
	pki_fini(&pki);
	return 0;
}

static void server_init(
    struct server *server, const struct pki_cert *leaf, int max_version)
{
	server->context = pki_server(leaf, max_version);
	server->ssl = SSL_new(server->context);
	server->in = BIO_new(BIO_s_mem());
	server->out = BIO_new(BIO_s_mem());
	SSL_set_bio(server->ssl, server->in, server->out);
	SSL_set_accept_state(server->ssl);
}

static void server_fini(struct server *server)
{
	SSL_free(server->ssl);
	SSL_CTX_free(server->context);
}

/* Moves bytes once in each direction; the client gets them `step` at a time.
 * Returns how many moved. */
static size_t carry(struct tls_stream *tls, struct server *server, size_t step)
{
	char buf[20000];
	size_t moved = 0;
	int n;

	size_t len = tls_stream_send(tls, buf, sizeof(buf));
	moved += len;
	if (len > 0)
		BIO_write(server->in, buf, (int)len);
	while ((n = BIO_read(server->out, buf, (int)step)) > 0) {
		moved += (size_t)n;
		tls_stream_receive(tls, buf, (size_t)n);
	}
	return moved;
}

static enum tls_stream_status shake(
    struct tls_stream *tls, struct server *server, size_t step)
{
	enum tls_stream_status status = TLS_STREAM_MORE;

	for (int i = 0; i < 20 && status == TLS_STREAM_MORE; i++) {
		status = tls_stream_handshake(tls);
		carry(tls, server, step);
		ERR_clear_error();
		SSL_do_handshake(server->ssl);
		ERR_clear_error();
		carry(tls, server, step);
	}
	return status;
}

/* Both ends up, with a good leaf. */
static void connect_good(
    struct tls_stream *tls, struct server *server, int max_version)
{
	struct pki_cert leaf = pki_leaf(&pki, "DNS:" HOST);

	server_init(server, &leaf, max_version);
	tls_stream_init(tls, client_context, HOST);
	assert_int_equal(shake(tls, server, 20000), TLS_STREAM_OK);
	pki_cert_fini(&leaf);
}

static void disconnect(struct tls_stream *tls, struct server *server)
{
	tls_stream_fini(tls);
	tls_stream_fini(tls); /* twice is allowed */
	server_fini(server);
}

/* ---- it works ---- */

static void exchange_words(struct tls_stream *tls, struct server *server)
{
	char buf[100];
	size_t len;

	assert_int_equal(tls_stream_write(tls, "ping", 4), TLS_STREAM_OK);
	carry(tls, server, 1);
	assert_int_equal(SSL_read(server->ssl, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "ping", 4);
	assert_int_equal(SSL_write(server->ssl, "pong!", 5), 5);
	assert_int_equal(
	    tls_stream_read(tls, buf, sizeof(buf), &len), TLS_STREAM_MORE);
	assert_int_equal(len, 0);
	carry(tls, server, 1);
	assert_int_equal(tls_stream_read(tls, buf, 3, &len), TLS_STREAM_OK);
	assert_int_equal(len, 3);
	assert_int_equal(
	    tls_stream_read(tls, buf + 3, 97, &len), TLS_STREAM_OK);
	assert_int_equal(len, 2);
	assert_memory_equal(buf, "pong!", 5);
}

static void test_both_ways(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct tls_stream tls;
	struct server server;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		connect_good(&tls, &server, versions[i]);
		assert_int_equal(SSL_version(server.ssl), versions[i]);
		assert_string_equal(
		    SSL_get_servername(server.ssl, TLSEXT_NAMETYPE_host_name),
		    HOST);
		exchange_words(&tls, &server);
		disconnect(&tls, &server);
	}
}

static void test_byte_by_byte(void **state)
{
	struct pki_cert leaf = pki_leaf(&pki, "DNS:" HOST);
	struct tls_stream tls;
	struct server server;
	(void)state;
	server_init(&server, &leaf, 0);
	tls_stream_init(&tls, client_context, HOST);
	assert_int_equal(shake(&tls, &server, 1), TLS_STREAM_OK);
	exchange_words(&tls, &server);
	disconnect(&tls, &server);
	pki_cert_fini(&leaf);
}

static void test_spki(void **state)
{
	struct tls_stream tls;
	struct server server;
	unsigned char *der = NULL;
	uint8_t expected[32], got[32];
	(void)state;
	connect_good(&tls, &server, 0);
	int len = i2d_PUBKEY(
	    X509_get0_pubkey(SSL_get_certificate(server.ssl)), &der);
	EVP_Digest(der, (size_t)len, expected, NULL, EVP_sha256(), NULL);
	tls_stream_peer_spki(&tls, got);
	assert_memory_equal(got, expected, sizeof(got));
	OPENSSL_free(der);
	disconnect(&tls, &server);
}

/* ---- whom it refuses ---- */

/* The handshake with this leaf must end so, and `why` must hold this. */
static void check_leaf(const struct pki_wish *wish,
    enum tls_stream_status expected, const char *why)
{
	struct pki_cert leaf = pki_issue(&pki.ca, wish);
	struct tls_stream tls;
	struct server server;

	server_init(&server, &leaf, 0);
	tls_stream_init(&tls, client_context, HOST);
	assert_int_equal(shake(&tls, &server, 20000), expected);
	if (why != NULL && strstr(tls.why, why) == NULL)
		fail_msg("%s is not %s", tls.why, why);
	disconnect(&tls, &server);
	pki_cert_fini(&leaf);
}

static void test_names(void **state)
{
	static const struct {
		const char *san;
		bool good;
	} cases[] = {
	    {"DNS:" HOST, true}, {"DNS:other.test,DNS:" HOST, true},
	    {"DNS:API.Example.Test", true}, {"DNS:*.example.test", true},
	    {"DNS:example.test", false}, {"DNS:a*.example.test", false},
	    {"DNS:*i.example.test", false}, {"DNS:*.test", false},
	    {"DNS:*", false}, {"DNS:api.*.test", false},
	    {"DNS:" HOST ".evil.test", false}, {"DNS:x" HOST, false},
	    {"IP:127.0.0.1", false}, {"email:a@" HOST, false},
	    {NULL, false}, /* the common name does not count */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_leaf(&(struct pki_wish){.san = cases[i].san,
			       .cn = HOST,
			       .not_before_s = -PKI_DAY,
			       .not_after_s = PKI_DAY},
		    cases[i].good ? TLS_STREAM_OK : TLS_STREAM_FAILED,
		    cases[i].good ? NULL : "certificate: hostname mismatch");
}

static void test_dates(void **state)
{
	(void)state;
	check_leaf(&(struct pki_wish){.san = "DNS:" HOST,
		       .cn = "old",
		       .not_before_s = -2 * PKI_DAY,
		       .not_after_s = -PKI_DAY},
	    TLS_STREAM_FAILED, "certificate: certificate has expired");
	check_leaf(&(struct pki_wish){.san = "DNS:" HOST,
		       .cn = "new",
		       .not_before_s = PKI_DAY,
		       .not_after_s = 2 * PKI_DAY},
	    TLS_STREAM_FAILED, "certificate: certificate is not yet valid");
}

static void test_strangers(void **state)
{
	struct pki other;
	struct pki_wish wish = {.san = "DNS:" HOST,
	    .cn = "self",
	    .self_signed = true,
	    .not_before_s = -PKI_DAY,
	    .not_after_s = PKI_DAY};
	(void)state;

	check_leaf(&wish, TLS_STREAM_FAILED, "certificate: self-signed");
	pki_init(&other); /* a root of the same name, not ours */
	struct pki ours = pki;
	pki.ca = other.ca;
	wish.self_signed = false;
	check_leaf(&wish, TLS_STREAM_FAILED, "certificate: ");
	pki = ours;
	pki_fini(&other);
}

static void test_leaf_is_no_ca(void **state)
{
	struct pki_cert leaf = pki_leaf(&pki, "DNS:" HOST);
	struct pki ours = pki;
	struct tls_stream tls;
	struct server server;
	(void)state;

	pki.ca = leaf;
	struct pki_cert child = pki_leaf(&pki, "DNS:" HOST);
	pki = ours;
	server_init(&server, &child, 0);
	SSL_add1_chain_cert(server.ssl, leaf.cert);
	tls_stream_init(&tls, client_context, HOST);
	assert_int_equal(shake(&tls, &server, 20000), TLS_STREAM_FAILED);
	assert_non_null(strstr(tls.why, "certificate: "));
	disconnect(&tls, &server);
	pki_cert_fini(&child);
	pki_cert_fini(&leaf);
}

static void test_old_versions(void **state)
{
	struct pki_cert leaf = pki_leaf(&pki, "DNS:" HOST);
	struct tls_stream tls;
	struct server server;
	(void)state;
	server_init(&server, &leaf, TLS1_1_VERSION);
	tls_stream_init(&tls, client_context, HOST);
	assert_int_equal(shake(&tls, &server, 20000), TLS_STREAM_FAILED);
	assert_non_null(strstr(tls.why, "protocol"));
	disconnect(&tls, &server);
	pki_cert_fini(&leaf);
}

/* ---- ALPN ---- */

static char offered[64];
static const char *answered;

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned inlen, void *arg)
{
	(void)ssl;
	(void)arg;
	snprintf(offered, sizeof(offered), "%.*s", (int)inlen, in);
	*out = (const unsigned char *)answered;
	*outlen = (unsigned char)strlen(answered);
	return SSL_TLSEXT_ERR_OK;
}

static void test_alpn(void **state)
{
	static const char *const answers[] = {"http/1.1", "h2"};
	struct pki_cert leaf = pki_leaf(&pki, "DNS:" HOST);
	struct tls_stream tls;
	struct server server;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		answered = answers[i];
		server_init(&server, &leaf, 0);
		SSL_CTX_set_alpn_select_cb(server.context, on_alpn, NULL);
		tls_stream_init(&tls, client_context, HOST);
		assert_int_equal(shake(&tls, &server, 20000),
		    i == 0 ? TLS_STREAM_OK : TLS_STREAM_FAILED);
		assert_string_equal(offered, "\x08http/1.1");
		disconnect(&tls, &server);
	}
	pki_cert_fini(&leaf);
}

/* ---- the end, good and bad ---- */

static void test_close_notify(void **state)
{
	struct tls_stream tls;
	struct server server;
	char buf[10];
	size_t len;
	(void)state;
	connect_good(&tls, &server, 0);
	SSL_write(server.ssl, "last", 4);
	SSL_shutdown(server.ssl);
	carry(&tls, &server, 20000);
	tls_stream_receive_end(&tls);
	assert_int_equal(
	    tls_stream_read(&tls, buf, sizeof(buf), &len), TLS_STREAM_OK);
	assert_int_equal(len, 4);
	for (int i = 0; i < 3; i++)
		assert_int_equal(tls_stream_read(&tls, buf, sizeof(buf), &len),
		    TLS_STREAM_CLOSED);
	assert_int_equal(len, 0);
	disconnect(&tls, &server);
}

static void test_truncated(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct tls_stream tls;
	struct server server;
	char buf[10];
	size_t len;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		connect_good(&tls, &server, versions[i]);
		SSL_write(server.ssl, "last", 4);
		carry(&tls, &server, 20000);
		tls_stream_receive_end(&tls);
		assert_int_equal(tls_stream_read(&tls, buf, sizeof(buf), &len),
		    TLS_STREAM_OK);
		assert_int_equal(tls_stream_read(&tls, buf, sizeof(buf), &len),
		    TLS_STREAM_TRUNCATED);
		assert_int_equal(len, 0);
		disconnect(&tls, &server);
	}
}

static void test_end_in_the_handshake(void **state)
{
	struct tls_stream tls;
	(void)state;
	tls_stream_init(&tls, client_context, HOST);
	assert_int_equal(tls_stream_handshake(&tls), TLS_STREAM_MORE);
	tls_stream_receive_end(&tls);
	assert_int_equal(tls_stream_handshake(&tls), TLS_STREAM_TRUNCATED);
	tls_stream_fini(&tls);
}

static void test_not_tls(void **state)
{
	static const char *const words[] = {"HTTP/1.1 400 Bad Request\r\n\r\n",
	    "\x16\x03\x03\xff\xff garbage", "SSH-2.0-x\r\n"};
	struct tls_stream tls;
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		tls_stream_init(&tls, client_context, HOST);
		assert_int_equal(tls_stream_handshake(&tls), TLS_STREAM_MORE);
		tls_stream_receive(&tls, words[i], strlen(words[i]));
		assert_int_equal(tls_stream_handshake(&tls), TLS_STREAM_FAILED);
		assert_non_null(strstr(tls.why, "tls: "));
		tls_stream_fini(&tls);
	}
}

/* One bit of a record turned on its way: no plain text, an error. */
static void test_altered_record(void **state)
{
	struct tls_stream tls;
	struct server server;
	unsigned char buf[1000];
	size_t len;
	(void)state;
	connect_good(&tls, &server, 0);
	carry(&tls, &server, 20000); /* session tickets, if any */
	SSL_write(server.ssl, "price 1", 7);
	int n = BIO_read(server.out, buf, sizeof(buf));
	assert_true(n > 10);
	buf[n - 3] ^= 1;
	tls_stream_receive(&tls, buf, (size_t)n);
	assert_int_equal(
	    tls_stream_read(&tls, buf, sizeof(buf), &len), TLS_STREAM_FAILED);
	assert_int_equal(len, 0);
	disconnect(&tls, &server);
}

/* A stale error of somebody else in the thread's queue is not ours. */
static void test_foreign_errors(void **state)
{
	struct tls_stream tls;
	struct server server;
	char buf[10];
	size_t len;
	(void)state;
	connect_good(&tls, &server, 0);
	assert_int_equal(/* session tickets, if any */
	    tls_stream_read(&tls, buf, sizeof(buf), &len), TLS_STREAM_MORE);
	ERR_raise(ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING);
	assert_int_equal(
	    tls_stream_read(&tls, buf, sizeof(buf), &len), TLS_STREAM_MORE);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	exchange_words(&tls, &server);
	disconnect(&tls, &server);
}

/* ---- a peer that makes trouble after the handshake ---- */

static void test_key_update(void **state)
{
	struct tls_stream tls;
	struct server server;
	char buf[10];
	size_t len;
	(void)state;
	connect_good(&tls, &server, TLS1_3_VERSION);
	SSL_key_update(server.ssl, SSL_KEY_UPDATE_REQUESTED);
	SSL_do_handshake(server.ssl);
	carry(&tls, &server, 20000);
	assert_int_equal(
	    tls_stream_read(&tls, buf, sizeof(buf), &len), TLS_STREAM_MORE);
	exchange_words(&tls, &server);
	disconnect(&tls, &server);
}

/* It asks for our answers again and again and never takes one. */
static void test_key_update_flood(void **state)
{
	enum tls_stream_status status = TLS_STREAM_MORE;
	struct tls_stream tls;
	struct server server;
	char buf[1000];
	size_t len;
	int n;
	(void)state;
	connect_good(&tls, &server, TLS1_3_VERSION);
	for (int i = 0; i < 10000 && status == TLS_STREAM_MORE; i++) {
		SSL_key_update(server.ssl, SSL_KEY_UPDATE_REQUESTED);
		SSL_do_handshake(server.ssl);
		while ((n = BIO_read(server.out, buf, sizeof(buf))) > 0)
			tls_stream_receive(&tls, buf, (size_t)n);
		status = tls_stream_read(&tls, buf, sizeof(buf), &len);
	}
	assert_int_equal(status, TLS_STREAM_FAILED);
	assert_string_equal(tls.why, "tls: the peer does not read our answers");
	disconnect(&tls, &server);
}

/* A HelloRequest (RFC 5246, 7.4.1.1) gets an alert (21), not a ClientHello,
 * which would be a handshake record (22). */
static void test_no_renegotiation(void **state)
{
	struct tls_stream tls;
	struct server server;
	unsigned char buf[1000];
	size_t len;
	(void)state;
	connect_good(&tls, &server, TLS1_2_VERSION);
	carry(&tls, &server, 20000);
	SSL_renegotiate(server.ssl);
	SSL_do_handshake(server.ssl);
	carry(&tls, &server, 20000);
	assert_true(
	    tls_stream_read(&tls, buf, sizeof(buf), &len) <= TLS_STREAM_MORE);
	assert_true(tls_stream_send(&tls, buf, sizeof(buf)) > 5);
	assert_int_equal(buf[0], 21);
	ERR_clear_error();
	disconnect(&tls, &server);
}

static void test_write_after_failure(void **state)
{
	struct tls_stream tls;
	struct server server;
	char buf[100];
	size_t len;
	(void)state;
	connect_good(&tls, &server, 0);
	tls_stream_receive(&tls, "not a record at all", 19);
	assert_int_equal(
	    tls_stream_read(&tls, buf, sizeof(buf), &len), TLS_STREAM_FAILED);
	assert_int_equal(tls_stream_write(&tls, "ping", 4), TLS_STREAM_FAILED);
	disconnect(&tls, &server);
}

/* ---- the bundle ---- */

static void test_context_errors(void **state)
{
	char path[] = "/tmp/tls-XXXXXX", why[200] = "";
	(void)state;
	assert_null(tls_stream_context("/nonexistent.pem", why, sizeof(why)));
	assert_true(strlen(why) > 0);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	why[0] = '\0';
	assert_null(tls_stream_context(path, why, sizeof(why)));
	assert_true(strlen(why) > 0);
	assert_int_equal(write(fd, "not a pem\n", 10), 10);
	assert_null(tls_stream_context(path, why, sizeof(why)));
	close(fd);
	unlink(path);
}

/* Certificates in place of a path: the same trust, and no other. */
static void test_certificates(void **state)
{
	char text[4096], bad[8192], why[200] = "", *middle;
	SSL_CTX *by_path = client_context;
	struct tls_stream tls;
	struct server server;
	FILE *file = fopen(pki.ca_path, "rb");
	(void)state;
	assert_non_null(file);
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	client_context = tls_stream_context(text, why, sizeof(why));
	assert_non_null(client_context);
	connect_good(&tls, &server, TLS1_3_VERSION);
	disconnect(&tls, &server);
	SSL_CTX_free(client_context);
	client_context = by_path;

	/* a second one that is damaged, cut off, or no certificate */
	for (size_t cut = 0; cut < 3; cut++) {
		snprintf(bad, sizeof(bad), "%s%s", text, text);
		middle = bad + len + len / 2;
		if (cut == 0)
			*middle = '!';
		else if (cut == 1)
			*middle = '\0';
		else
			memcpy(bad + len + sizeof(CERTIFICATES_BEGIN),
			    "AAAAAAAA", 8);
		why[0] = '\0';
		assert_null(tls_stream_context(bad, why, sizeof(why)));
		assert_true(strlen(why) > 0);
	}
	assert_null(tls_stream_context(CERTIFICATES_BEGIN, why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_certificates),
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_byte_by_byte),
	    cmocka_unit_test(test_spki),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_dates),
	    cmocka_unit_test(test_strangers),
	    cmocka_unit_test(test_leaf_is_no_ca),
	    cmocka_unit_test(test_old_versions),
	    cmocka_unit_test(test_alpn),
	    cmocka_unit_test(test_close_notify),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_end_in_the_handshake),
	    cmocka_unit_test(test_not_tls),
	    cmocka_unit_test(test_altered_record),
	    cmocka_unit_test(test_foreign_errors),
	    cmocka_unit_test(test_key_update),
	    cmocka_unit_test(test_key_update_flood),
	    cmocka_unit_test(test_no_renegotiation),
	    cmocka_unit_test(test_write_after_failure),
	    cmocka_unit_test(test_context_errors),
	};
	return cmocka_run_group_tests_name(
	    "tls_stream", tests, make_pki, free_pki);
}
