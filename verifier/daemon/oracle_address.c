/* oracle_address: the addresses of oracles, and curl handles for them. */
#include "verifier/daemon/oracle_address.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

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
	if (rc)
		memset(out, 0, sizeof(*out));
	return rc;
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
	return easy;
}
