/* channel_request: see channel_request.h. */
#include "verifier/daemon/channel_request.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/daemon/oracle_get.h"
#include "verifier/spki.h"

#include <assert.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERY "/attestation?nonce="

_Static_assert(ORACLE_TARGET_MAX > sizeof(QUERY) + 2 * CHANNEL_NONCE_MAX,
    "the longest nonce has room in a target");

/* ---- the key at the other end ---- */

static void hash_key(struct channel_request *r, SSL *ssl)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);

	r->has_key = cert != NULL && spki_of_cert(cert, r->spki_sha256) == 0;
	X509_free(cert);
}

/* From within curl's callback: the session that these very bytes came over is
 * there only then (curl.se/libcurl/c/CURLINFO_TLS_SSL_PTR.html). */
static void look_at_key(struct channel_request *r)
{
	struct curl_tlssessioninfo *session = NULL;

	if (r->has_key || !r->attested)
		return;
	curl_easy_getinfo(r->easy, CURLINFO_TLS_SSL_PTR, &session);
	if (session != NULL && session->internals != NULL &&
	    session->backend == CURLSSLBACKEND_OPENSSL)
		hash_key(r, session->internals);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
	struct channel_request *r = data;

	look_at_key(r);
	return curl_body_append(&r->body, bytes, size * count);
}

/* ---- the request ---- */

static void make_target(
    const struct channel_request *r, char out[ORACLE_TARGET_MAX])
{
	size_t len = strlen(QUERY);

	memcpy(out, QUERY, len);
	hex_encode(r->nonce, r->nonce_len, out + len);
}

/* Nobody is attested yet, so there is no key to insist on: what the answer says
 * is not believed until the key it came by was compared. It must not be
 * anybody else's connection, and nobody shall have this one after us. */
static void unpin(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, NULL);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

void channel_request_init(struct channel_request *r,
    const struct oracle_address *address, const uint8_t *nonce,
    size_t nonce_len)
{
	char target[ORACLE_TARGET_MAX];

	assert(nonce_len <= CHANNEL_NONCE_MAX);
	memset(r, 0, sizeof(*r));
	r->attested = address->attested;
	r->nonce_len = nonce ? nonce_len : CHANNEL_NONCE_LEN;
	if (nonce)
		memcpy(r->nonce, nonce, nonce_len);
	else if (RAND_bytes(r->nonce, CHANNEL_NONCE_LEN) != 1)
		log_die("channel", "no random bytes");
	make_target(r, target);
	curl_body_init(&r->body, CHANNEL_ANSWER_MAX);
	r->easy = oracle_address_get(address, target);
	if (r->attested)
		unpin(r->easy);
	curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, (long)CHANNEL_MS);
	curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
}

void channel_request_fini(struct channel_request *request)
{
	curl_easy_cleanup(request->easy);
	curl_body_fini(&request->body);
	memset(request, 0, sizeof(*request));
}

/* ---- what came of it ---- */

__attribute__((format(printf, 2, 3))) static int fail(
    struct channel_failure *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return -1;
}

static int check_arrived(const struct channel_request *r, CURLcode result,
    struct channel_failure *why)
{
	long status = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (result != CURLE_OK)
		return fail(why, "%s", curl_body_why(&r->body, result));
	if (!oracle_get_is(r->easy, "application/json"))
		return fail(why,
		    "GET /attestation answered %ld, or not as JSON", status);
	if (r->attested && !r->has_key)
		return fail(why, "its key cannot be seen by this libcurl");
	return 0;
}

/* The check that failed, for a line of text. */
struct listener {
	const struct hm_report *report;
	char failed[CHANNEL_ERROR_MAX / 2];
};

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	struct listener *l = data;

	if (!passed)
		snprintf(l->failed, sizeof(l->failed),
		    "%s: wanted %.64s, found %.64s", check,
		    wanted ? wanted : "it", found ? found : "something else");
	if (l->report && l->report->cb)
		l->report->cb(l->report->data, check, passed, wanted, found);
}

int channel_request_judge(const struct channel_request *r, CURLcode result,
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_report *report, struct channel_facts *out,
    struct channel_failure *why)
{
	const struct channel_question question = {
	    .nonce = r->nonce,
	    .nonce_len = r->nonce_len,
	    .spki_sha256 = r->attested ? r->spki_sha256 : NULL,
	    .now_ms = now_unix_ms(),
	};
	struct listener l = {.report = report};
	const struct hm_report heard = {.cb = on_check, .data = &l};

	memset(why, 0, sizeof(*why));
	memset(out, 0, sizeof(*out));
	if (check_arrived(r, result, why))
		return -1;
	why->verdict = channel_answer_judge(
	    out, policy, cache, r->body.bytes, r->body.len, &question, &heard);
	if (why->verdict == HM_VALID)
		return 0;
	return fail(
	    why, "refused as %s (%s)", hm_verdict_name(why->verdict), l.failed);
}
