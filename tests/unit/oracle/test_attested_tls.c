/* attested_tls: what is hashed is the key that a client sees. */
#include "oracle/attested_tls.h"

#include "feeds/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/x509.h>

static void hash_of(X509 *certificate, uint8_t out[32])
{
	uint8_t *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	assert_true(len > 0);
	assert_int_equal(
	    EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL), 1);
	OPENSSL_free(der);
}

/* Both over memory; 1 if hands were shaken. */
static int shake(SSL *client, SSL *server)
{
	BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
	int done = 0;

	BIO_up_ref(up);
	BIO_up_ref(down);
	SSL_set_bio(client, down, up);
	SSL_set_bio(server, up, down);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 6; i++) {
		ERR_clear_error();
		done = SSL_do_handshake(client) == 1;
		done = SSL_do_handshake(server) == 1 && done;
	}
	ERR_clear_error();
	return done;
}

static void test_key(void **state)
{
	struct attested_tls *one = attested_tls_new();
	struct attested_tls *other = attested_tls_new();
	SSL_CTX *context = attested_tls_context(one, TLS_server_method());
	X509 *certificate = SSL_CTX_get0_certificate(context);
	uint8_t hash[32];
	char hex[65], name[64];

	(void)state;
	hash_of(certificate, hash);
	assert_memory_equal(hash, attested_tls_spki_sha256(one), 32);
	hex_encode(hash, 32, hex);
	assert_string_equal(hex, attested_tls_spki_sha256_hex(one));
	assert_memory_not_equal(hash, attested_tls_spki_sha256(other), 32);
	assert_int_equal(
	    X509_verify(certificate, X509_get0_pubkey(certificate)), 1);
	assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(certificate)), 256);
	assert_true(
	    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
		NID_commonName, name, sizeof(name)) > 0);
	assert_string_equal(name, ATTESTED_TLS_NAME);
	assert_true(
	    X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0);
	assert_true(X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0);
	SSL_CTX_free(context);
	attested_tls_free(one);
	attested_tls_free(other);
	attested_tls_free(NULL);
}

/* As peers do: either end may show such a certificate. */
static void test_both_ends(void **state)
{
	struct attested_tls *a = attested_tls_new(), *b = attested_tls_new();
	SSL_CTX *server = attested_tls_context(a, TLS_server_method());
	SSL_CTX *client = attested_tls_context(b, TLS_client_method());
	SSL *one = SSL_new(client), *other = SSL_new(server);
	X509 *seen;
	uint8_t hash[32];

	(void)state;
	assert_int_equal(shake(one, other), 1);
	assert_int_equal(SSL_version(one), TLS1_3_VERSION);
	seen = SSL_get1_peer_certificate(one);
	hash_of(seen, hash);
	assert_memory_equal(hash, attested_tls_spki_sha256(a), 32);
	X509_free(seen);
	SSL_free(one);
	SSL_free(other);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	attested_tls_free(a);
	attested_tls_free(b);
}

static void test_nothing_older(void **state)
{
	struct attested_tls *tls = attested_tls_new();
	SSL_CTX *server = attested_tls_http(tls);
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	SSL *one, *other;

	(void)state;
	SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
	one = SSL_new(client);
	other = SSL_new(server);
	assert_int_equal(shake(one, other), 0);
	SSL_free(one);
	SSL_free(other);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	attested_tls_free(tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_key),
	    cmocka_unit_test(test_both_ends),
	    cmocka_unit_test(test_nothing_older),
	};

	return cmocka_run_group_tests_name("attested_tls", tests, NULL, NULL);
}
