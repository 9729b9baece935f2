/* attested_tls: see attested_tls.h. */
#include "oracle/attested_tls.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/spki.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define DAY_S (24 * 3600L)

struct attested_tls {
	EVP_PKEY *key;
	X509 *certificate;
	uint8_t spki_sha256[32];
	char hex[65];
};

static void must(long ok)
{
	if (ok != 1)
		log_die("attested_tls", "cannot make the key of TLS");
}

/* RFC 5280, 4.1.2.2: positive. OpenSSL's TLS does not care, others might. */
static void set_serial(X509 *certificate)
{
	uint64_t number = 0;

	must(RAND_bytes((uint8_t *)&number, sizeof(number)));
	must(ASN1_INTEGER_set_uint64(
	    X509_get_serialNumber(certificate), (number >> 1) | 1));
}

static X509 *certify(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name;

	must(certificate != NULL);
	must(X509_set_version(certificate, X509_VERSION_3));
	set_serial(certificate);
	must(X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) != NULL);
	must(X509_gmtime_adj(X509_getm_notAfter(certificate),
		 ATTESTED_TLS_YEARS * 365 * DAY_S) != NULL);
	name = X509_get_subject_name(certificate);
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const uint8_t *)ATTESTED_TLS_NAME, -1, -1, 0));
	must(X509_set_issuer_name(certificate, name));
	must(X509_set_pubkey(certificate, key));
	must(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static void hash_key(struct attested_tls *tls)
{
	must(spki_of_key(tls->key, tls->spki_sha256) == 0);
	hex_encode(tls->spki_sha256, sizeof(tls->spki_sha256), tls->hex);
}

struct attested_tls *attested_tls_new(void)
{
	struct attested_tls *tls = calloc(1, sizeof(*tls));

	must(tls != NULL);
	tls->key = EVP_EC_gen("P-256");
	must(tls->key != NULL);
	tls->certificate = certify(tls->key);
	hash_key(tls);
	return tls;
}

void attested_tls_free(struct attested_tls *tls)
{
	if (tls == NULL)
		return;
	X509_free(tls->certificate);
	EVP_PKEY_free(tls->key);
	free(tls);
}

const uint8_t *attested_tls_spki_sha256(const struct attested_tls *tls)
{
	return tls->spki_sha256;
}

const char *attested_tls_spki_sha256_hex(const struct attested_tls *tls)
{
	return tls->hex;
}

SSL_CTX *attested_tls_context(
    const struct attested_tls *tls, const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	must(context != NULL);
	must(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION));
	must(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION));
	must(SSL_CTX_use_certificate(context, tls->certificate));
	must(SSL_CTX_use_PrivateKey(context, tls->key));
	must(SSL_CTX_set_num_tickets(context, 0));
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	/* A silent connection keeps no buffers of 16 KiB. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	return context;
}

/* RFC 7301, 3.2: no protocol in common is fatal. */
static int choose_protocol(SSL *ssl, const unsigned char **out,
    unsigned char *out_len, const unsigned char *in, unsigned in_len,
    void *data)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen = NULL;

	(void)ssl;
	(void)data;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in,
		in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *attested_tls_http(const struct attested_tls *tls)
{
	SSL_CTX *context = attested_tls_context(tls, TLS_server_method());

	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	return context;
}
