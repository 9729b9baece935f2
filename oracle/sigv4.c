/*
 * sigv4: see sigv4.h. In AWS's words:
 *
 *   canonical request   method, path, query, headers, their names, the body's
 *                       hash, a line each
 *   string to sign      "AWS4-HMAC-SHA256", date, scope, the hash of that
 *   signing key         HMAC of HMAC of ... over day, region, service
 *   signature           HMAC of the string to sign
 */
#include "oracle/sigv4.h"

#include "feeds/hex.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ALGORITHM  "AWS4-HMAC-SHA256"
#define HEX_MAX    (2 * SHA256_DIGEST_LENGTH + 1)
#define DAY_LEN    8 /* of a date: its day */
#define SECRET_MAX 256
#define SCOPE_MAX  160

struct text {
	char *at;
	size_t len, cap;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void add(
    struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(
	    text->at + text->len, text->cap - text->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->cap - text->len)
		text->failed = true;
	else
		text->len += (size_t)n;
}

static void sha256_hex(const void *bytes, size_t len, char out[static HEX_MAX])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256(bytes, len, digest);
	hex_encode(digest, sizeof(digest), out);
}

static void hmac(const void *key, size_t key_len, const void *bytes, size_t len,
    uint8_t out[static SHA256_DIGEST_LENGTH])
{
	unsigned out_len = SHA256_DIGEST_LENGTH;
	const void *done = HMAC(
	    EVP_sha256(), key, (int)key_len, bytes, len, out, &out_len);

	assert(done != NULL && out_len == SHA256_DIGEST_LENGTH);
	(void)done;
}

static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~' ||
		    (text[0] == ' ' && (text[1] == ' ' || text[1] == '\0')))
			return false;
	return true;
}

static void add_names(struct text *text, const struct sigv4_request *request)
{
	for (size_t i = 0; i < request->header_count; i++)
		add(text, "%s%s", i > 0 ? ";" : "", request->headers[i].name);
}

static void add_canonical(
    struct text *text, const struct sigv4_request *request)
{
	char body[HEX_MAX];

	add(text, "%s\n%s\n%s\n", request->method, request->path,
	    request->query);
	for (size_t i = 0; i < request->header_count; i++) {
		const struct sigv4_header *header = &request->headers[i];

		assert(is_plain(header->name) && is_plain(header->value) &&
		       header->value[0] != ' ');
		assert(i == 0 || strcmp(header[-1].name, header->name) < 0);
		add(text, "%s:%s\n", header->name, header->value);
	}
	add(text, "\n");
	add_names(text, request);
	sha256_hex(request->body, request->body_len, body);
	add(text, "\n%s", body);
}

/* The key of one day, region and service. */
static int derive(const struct sigv4_scope *scope, const char *secret,
    uint8_t key[static SHA256_DIGEST_LENGTH])
{
	char first[SECRET_MAX];
	int n = snprintf(first, sizeof(first), "AWS4%s", secret);

	if (n > 0 && (size_t)n < sizeof(first)) {
		hmac(first, (size_t)n, scope->date, DAY_LEN, key);
		hmac(key, SHA256_DIGEST_LENGTH, scope->region,
		    strlen(scope->region), key);
		hmac(key, SHA256_DIGEST_LENGTH, scope->service,
		    strlen(scope->service), key);
		hmac(key, SHA256_DIGEST_LENGTH, "aws4_request", 12, key);
	}
	OPENSSL_cleanse(first, sizeof(first));
	return n > 0 && (size_t)n < sizeof(first) ? 0 : -1;
}

/* Of the canonical request, whose text is in `canonical`. */
static int sign(const struct text *canonical, const struct sigv4_scope *scope,
    const char *scope_text, const char *secret, char out[static HEX_MAX])
{
	char text[SCOPE_MAX + 128], hash[HEX_MAX];
	uint8_t key[SHA256_DIGEST_LENGTH], signature[SHA256_DIGEST_LENGTH];
	int n;

	sha256_hex(canonical->at, canonical->len, hash);
	n = snprintf(text, sizeof(text), ALGORITHM "\n%s\n%s\n%s", scope->date,
	    scope_text, hash);
	assert(n > 0 && (size_t)n < sizeof(text));
	if (derive(scope, secret, key) != 0)
		return -1;
	hmac(key, sizeof(key), text, (size_t)n, signature);
	OPENSSL_cleanse(key, sizeof(key));
	hex_encode(signature, sizeof(signature), out);
	return 0;
}

int sigv4_authorization(const struct sigv4_request *request,
    const struct sigv4_scope *scope, const char *access_key_id,
    const char *secret_access_key, char out[static SIGV4_AUTHORIZATION_MAX])
{
	char canonical_text[SIGV4_CANONICAL_MAX], scope_text[SCOPE_MAX];
	char signature[HEX_MAX];
	struct text canonical = {
	    .at = canonical_text, .cap = sizeof(canonical_text)};
	struct text header = {.at = out, .cap = SIGV4_AUTHORIZATION_MAX};
	int n;

	assert(request->header_count <= SIGV4_HEADERS_MAX);
	assert(strlen(scope->date) == SIGV4_DATE_LEN);
	out[0] = '\0';
	n = snprintf(scope_text, sizeof(scope_text), "%.8s/%s/%s/aws4_request",
	    scope->date, scope->region, scope->service);
	add_canonical(&canonical, request);
	if (canonical.failed || n < 0 || (size_t)n >= sizeof(scope_text) ||
	    sign(&canonical, scope, scope_text, secret_access_key, signature) !=
		0)
		header.failed = true;
	if (!header.failed) {
		add(&header, ALGORITHM " Credential=%s/%s, SignedHeaders=",
		    access_key_id, scope_text);
		add_names(&header, request);
		add(&header, ", Signature=%s", signature);
	}
	OPENSSL_cleanse(canonical_text, sizeof(canonical_text)); /* the token */
	if (header.failed)
		out[0] = '\0';
	return header.failed ? -1 : 0;
}

void sigv4_date(int64_t unix_ms, char out[static SIGV4_DATE_LEN + 1])
{
	time_t s = (time_t)(unix_ms / 1000);
	struct tm tm;
	size_t len;

	gmtime_r(&s, &tm);
	len = strftime(out, SIGV4_DATE_LEN + 1, "%Y%m%dT%H%M%SZ", &tm);
	assert(len == SIGV4_DATE_LEN); /* from now to the year 9999 */
	(void)len;
}
