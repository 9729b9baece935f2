/* peer_tls: see peer_tls.h. */
#include "oracle/peer_tls.h"

#include "base/log.h"
#include "verifier/spki.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

/* What the certificate says of itself proves nothing, and is not looked at. */
static int take_any(X509_STORE_CTX *store, void *data)
{
	(void)store;
	(void)data;
	return 1;
}

SSL_CTX *peer_tls_context(const struct attested_tls *tls)
{
	SSL_CTX *context = attested_tls_context(tls, TLS_method());

	SSL_CTX_set_verify(
	    context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(context, take_any, NULL);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return context;
}

int peer_tls_facts(SSL *ssl, uint8_t exporter[static PEER_EXPORTER_LEN],
    uint8_t spki_sha256[static HM_SHA256_LEN])
{
	const X509 *certificate = SSL_get0_peer_certificate(ssl);

	memset(spki_sha256, 0, HM_SHA256_LEN);
	if (!certificate ||
	    SSL_export_keying_material(ssl, exporter, PEER_EXPORTER_LEN,
		PEER_HELLO_LABEL, strlen(PEER_HELLO_LABEL), NULL, 0, 0) != 1) {
		ERR_clear_error();
		return -1;
	}
	if (spki_of_cert(certificate, spki_sha256) != 0)
		log_die("peer_tls", "out of memory");
	return 0;
}
