/* attested_price_api: see attested_price_api.h. Without nonce and attested the
 * request is the board's, as if this were not here. */
#include "oracle/attested_price_api.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "oracle/attestation_api.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* One who waits for a document. */
struct asker {
	const struct api *api;
	struct http_request *req; /* NULL once the client has left */
	char *content;            /* owned */
	char nonce[2 * ATTESTER_NONCE_MAX + 1];
};

static void asker_free(struct asker *asker)
{
	free(asker->content);
	free(asker);
}

/* ---- the answer ---- */

/* All but the document, which needs no escaping; the caller frees it. */
static char *format_facts(
    const struct asker *asker, const struct attestation_document *document)
{
	const struct api *api = asker->api;
	json_t *tree = json_pack("{s:s, s:s, s:s, s:s, s:s}", "content",
	    asker->content, "platform", api->platform, "attestation_sha256",
	    document->sha256_hex, "public_key", api->public_key_pem, "nonce",
	    asker->nonce);
	char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;

	json_decref(tree);
	if (!text)
		log_die("api", "out of memory");
	return text;
}

static void reply(const struct asker *asker,
    const struct attestation_document *document, const struct nonce_path *path)
{
	char *facts = format_facts(asker, document), *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		log_die("api", "out of memory");
	fwrite(facts, 1, strlen(facts) - 1, out); /* but the } */
	fprintf(out, ",\"attestation_doc_b64\":\"%s\"", document->base64);
	nonce_path_put(out, path);
	fputs("}", out);
	free(facts);
	if (fclose(out) != 0)
		log_die("api", "out of memory");
	http_reply(asker->req, &(struct http_reply){
				   .status = 200,
				   .content_type = "application/json",
				   .body = text,
				   .len = len,
				   .body_done = free,
				   .body_data = text,
			       });
}

static void on_document(const struct attestation_document *document,
    const struct nonce_path *path, const char *error, void *data)
{
	struct asker *asker = data;

	if (asker->req && document)
		reply(asker, document, path);
	else if (asker->req)
		http_problem(
		    asker->req, 503, "ATTESTATION_FAILED", error, NULL);
	asker_free(asker);
}

static void on_abandoned(struct http_request *req, void *data)
{
	struct asker *asker = data;

	(void)req;
	asker->req = NULL;
}

/* ---- the question ---- */

/* As item_encode() has it, it is the very text that was signed. */
static char *newest_content(const struct api *api, size_t feed)
{
	const struct item *item = publisher_newest(api->publisher, feed);
	char *content;
	size_t len;

	if (!item)
		return NULL;
	content = malloc(ITEM_CONTENT_MAX + 1);
	if (!content)
		log_die("api", "out of memory");
	if (item_encode(item, content, ITEM_CONTENT_MAX, &len) != 0)
		log_die("api", "an item that was signed is none");
	content[len] = '\0';
	return content;
}

static bool find_feed(const struct api *api, const char *name, size_t *index)
{
	const struct feed_set *set = &api->config->feeds;

	for (*index = 0; *index < set->count; ++*index)
		if (strcmp(set->feeds[*index].feed, name) == 0)
			return true;
	return false;
}

static void refuse(
    struct http_request *req, const char *name, const char *detail)
{
	char extra[64];

	snprintf(extra, sizeof(extra), "\"parameter\":\"%s\"", name);
	http_problem(req, 400, "PARAM_INVALID", detail, extra);
}

/* The nonce's bytes, or 0: it has answered. */
static size_t read_question(
    struct http_request *req, uint8_t out[static ATTESTER_NONCE_MAX])
{
	static const char *const others[] = {"attestation", "max_age_ms",
	    "after_sequence", "boot_id", "wait_ms"};
	const char *attested = http_param(req, "attested");
	const char *nonce = http_param(req, "nonce");

	if (!attested || strcmp(attested, "true") != 0) {
		refuse(req, "attested", "with a nonce it must be true");
		return 0;
	}
	if (!nonce) {
		refuse(req, "nonce", "attested=true needs a nonce of yours");
		return 0;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (!http_param(req, others[i]))
			continue;
		refuse(req, others[i], "it does not go with attested");
		return 0;
	}
	return attestation_api_read_nonce(req, nonce, out);
}

/* Takes `content`. */
static void ask(const struct api *api, struct http_request *req, char *content,
    const uint8_t *nonce, size_t nonce_len)
{
	struct asker *asker = malloc(sizeof(*asker));
	uint8_t sha256[EVP_MAX_MD_SIZE];

	if (!asker || EVP_Digest(content, strlen(content), sha256, NULL,
			  EVP_sha256(), NULL) != 1)
		log_die("api", "out of memory");
	*asker = (struct asker){.api = api, .req = req, .content = content};
	hex_encode(nonce, nonce_len, asker->nonce);
	if (attestation_request_nonce(api->attestation, nonce, nonce_len,
		sha256, on_document, asker) != 0) {
		asker_free(asker);
		http_problem(req, 503, "BUSY",
		    "there are ten such documents a second, and many wait for "
		    "them; try again, or take the signed item",
		    NULL);
		return;
	}
	http_on_abandoned(req, on_abandoned, asker);
}

static void serve(const struct api *api, struct http_request *req, size_t feed)
{
	uint8_t nonce[ATTESTER_NONCE_MAX];
	size_t len = read_question(req, nonce);
	char *content;

	if (len == 0)
		return;
	content = newest_content(api, feed);
	if (content)
		ask(api, req, content, nonce, len);
	else
		http_problem(req, 503, "FEED_UNAVAILABLE",
		    "there is no item of this feed yet", NULL);
}

static void on_price(struct http_request *req, void *data)
{
	const struct api *api = data;
	size_t feed;

	if ((!http_param(req, "attested") && !http_param(req, "nonce")) ||
	    !find_feed(api, http_path_param(req), &feed))
		board_serve_one(api->front.board, req);
	else if (!http_wants_kept(req)) /* its answer is for one, once */
		serve(api, req, feed);
}

/* ---- the table ---- */

static const struct service_param params[] = {
    {"attested",
	"with a nonce: the price comes inside an attestation document of its "
	"own instead of signed; ten a second for all",
	"{\"const\":true}"},
    {"nonce", "with attested: bytes that the document is to answer",
	"{\"type\":\"string\",\"pattern\":\"^([0-9a-fA-F]{2}){1,512}$\"}"},
    {NULL, NULL, NULL},
};
static const struct service_answer answers[] = {
    {200, "application/json", "AttestedItem", "with attested: it", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem problems[] = {
    {503, "ATTESTATION_FAILED"}, {0, NULL}};

const struct service_route attested_price_api_routes[] = {
    {.method = http_get_kept,
	.path = "/price/{feed}",
	.about = "The newest item of a feed.",
	.handler = on_price,
	.part = {"feed", "its name, such as BTC-USD", "{\"type\":\"string\"}"},
	.params = params,
	.answers = answers,
	.problems = problems,
	.extends = true},
    {.method = NULL},
};
