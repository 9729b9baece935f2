/* oracle_address: the addresses of oracles, and curl handles for them. */
#include "verifier/daemon/oracle_address.h"

#include "base/log.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define ATTESTED "https+attested://"
/* The pin before there is one: 32 zeros, which no key hashes to. */
#define PIN_OF_NOBODY "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static int parse_unix(struct oracle_address *out, const char *text)
{
	struct endpoint ep;

	if (endpoint_parse(&ep, text) || ep.kind != ENDPOINT_UNIX)
		return -1;
	snprintf(out->socket, sizeof(out->socket), "%s", ep.path);
	snprintf(out->base, sizeof(out->base), "http://localhost");
	return 0;
}

/* True if the URL has this part (curl says "no such part" otherwise). */
static int has(CURLU *url, CURLUPart part)
{
	char *value = NULL;
	int there = curl_url_get(url, part, &value, 0) == CURLUE_OK;

	curl_free(value);
	return there;
}

static int is(CURLU *url, CURLUPart part, const char *wanted)
{
	char *value = NULL;
	int same = curl_url_get(url, part, &value, 0) == CURLUE_OK &&
		   strcmp(value, wanted) == 0;

	curl_free(value);
	return same;
}

static int parse_http(struct oracle_address *out, const char *text)
{
	CURLU *url = curl_url();
	size_t len;
	int rc = -1;

	if (!url)
		log_die("oracle_address", "out of memory");
	if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
	    (is(url, CURLUPART_SCHEME, "http") ||
		is(url, CURLUPART_SCHEME, "https")) &&
	    is(url, CURLUPART_PATH, "/") && !has(url, CURLUPART_USER) &&
	    !has(url, CURLUPART_PASSWORD) && !has(url, CURLUPART_QUERY) &&
	    !has(url, CURLUPART_FRAGMENT))
		rc = 0;
	curl_url_cleanup(url);
	snprintf(out->base, sizeof(out->base), "%s", text);
	len = strlen(out->base);
	if (len && out->base[len - 1] == '/')
		out->base[len - 1] = '\0';
	return rc;
}

/* https+attested://host:port is https://host:port, and a key to be proven. */
static int parse_attested(struct oracle_address *out, const char *text)
{
	char https[ENDPOINT_TEXT_MAX];

	snprintf(https, sizeof(https), "https%s", text + strlen(ATTESTED) - 3);
	out->attested = true;
	return parse_http(out, https);
}

int oracle_address_parse(struct oracle_address *out, const char *text)
{
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (strlen(text) >= sizeof(out->text))
		return -1;
	snprintf(out->text, sizeof(out->text), "%s", text);
	if (strncmp(text, "unix://", 7) == 0)
		rc = parse_unix(out, text);
	else if (strncmp(text, "http://", 7) == 0 ||
		 strncmp(text, "https://", 8) == 0)
		rc = parse_http(out, text);
	else if (strncmp(text, ATTESTED, strlen(ATTESTED)) == 0)
		rc = parse_attested(out, text);
	if (rc)
		memset(out, 0, sizeof(*out));
	return rc;
}

void oracle_address_pin(
    struct oracle_address *address, const uint8_t spki_sha256[static 32])
{
	char base64[45];

	EVP_EncodeBlock((unsigned char *)base64, spki_sha256, 32);
	snprintf(address->pin, sizeof(address->pin), "sha256//%s", base64);
}

/* The key is all that is looked at, so it always is: curl takes the pin before
 * it is told to ask nobody else. TLS 1.3 alone, which has no way without a
 * certificate; and no session is resumed, so that it is shown each time. */
static void set_pin(const struct oracle_address *address, CURL *easy)
{
	const char *pin = address->pin[0] ? address->pin : PIN_OF_NOBODY;

	if (curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, pin) ||
	    curl_easy_setopt(
		easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3) ||
	    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https"))
		log_die("oracle_address", "this libcurl cannot pin a key");
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
}

CURL *oracle_address_get(
    const struct oracle_address *address, const char *target)
{
	char url[ENDPOINT_TEXT_MAX + ORACLE_TARGET_MAX];
	CURL *easy = curl_easy_init();

	if (!easy)
		log_die("oracle_address", "out of memory");
	snprintf(url, sizeof(url), "%s%s", address->base, target);
	if (curl_easy_setopt(easy, CURLOPT_URL, url))
		log_die("oracle_address", "out of memory");
	if (address->socket[0])
		curl_easy_setopt(
		    easy, CURLOPT_UNIX_SOCKET_PATH, address->socket);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(
	    easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(
	    easy, CURLOPT_CONNECTTIMEOUT_MS, (long)ORACLE_CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "hallmark/" HALLMARK_VERSION);
	if (address->attested)
		set_pin(address, easy);
	return easy;
}
