/*
 * fuzz_client_hello: any bytes as the beginning of a client's stream. The
 * answer does not depend on how the bytes arrive; and a server that reads the
 * same bytes (OpenSSL stands for it) never sees another name than we do.
 */
#include "vsock-bridge/client_hello.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What the server has seen. */
struct seen {
	bool hello;
	char host[AUTHORITY_HOST_MAX]; /* "" when there is none */
};

/* RFC 6066 3: list length, type, name length, name. */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
	struct seen *seen = arg;
	const unsigned char *data;
	size_t len;

	(void)alert;
	seen->hello = true;
	if (SSL_client_hello_get0_ext(ssl, 0, &data, &len) == 1 && len > 5 &&
	    len - 5 < sizeof(seen->host))
		memcpy(seen->host, data + 5, len - 5);
	return SSL_CLIENT_HELLO_ERROR; /* that was all we wanted */
}

static struct seen ask_server(const uint8_t *bytes, size_t len)
{
	static SSL_CTX *context;
	static struct seen seen;
	SSL *ssl;

	if (context == NULL) {
		context = SSL_CTX_new(TLS_server_method());
		assert(context != NULL);
		SSL_CTX_set_client_hello_cb(context, on_hello, &seen);
	}
	memset(&seen, 0, sizeof(seen));
	ssl = SSL_new(context);
	assert(ssl != NULL);
	SSL_set_bio(
	    ssl, BIO_new_mem_buf(bytes, (int)len), BIO_new(BIO_s_null()));
	SSL_set_accept_state(ssl);
	(void)SSL_do_handshake(ssl);
	SSL_free(ssl);
	ERR_clear_error();
	return seen;
}

static void check_ready(
    const struct client_hello *hello, const uint8_t *bytes, size_t len)
{
	char again[AUTHORITY_HOST_MAX];
	const char *why;
	struct seen seen;

	assert(hello->wire_len > 0 && hello->wire_len <= len);
	assert(hello->wire_len <= CLIENT_HELLO_WIRE_MAX);
	assert(authority_parse_name(
		   again, hello->host, strlen(hello->host), &why) == 0);
	assert(strcmp(again, hello->host) == 0);
	seen = ask_server(bytes, len);
	assert(!seen.hello || strcasecmp(seen.host, hello->host) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct client_hello whole, part;
	enum client_hello_state at_end, now, before = CLIENT_HELLO_MORE;

	at_end = client_hello_parse(&whole, bytes, len);
	assert((at_end == CLIENT_HELLO_REFUSED) == (whole.reason != NULL));
	assert((at_end == CLIENT_HELLO_REFUSED) == (whole.error != NULL));
	assert(at_end != CLIENT_HELLO_MORE || len < CLIENT_HELLO_WIRE_MAX);
	if (at_end == CLIENT_HELLO_READY)
		check_ready(&whole, bytes, len);
	for (size_t i = 0; i <= len && i <= 600; i++) {
		now = client_hello_parse(&part, bytes, i);
		assert(before == CLIENT_HELLO_MORE || now == before);
		before = now;
	}
	assert(before == CLIENT_HELLO_MORE || before == at_end);
	return 0;
}
