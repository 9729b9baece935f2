/*
 * attestation_api: see attestation_api.h. Thousands may ask at once, and all
 * get the same document: so its text is never escaped again, only copied.
 */
#include "oracle/attestation_api.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ---- */

/* All but the document, which needs no escaping; the caller frees it. */
static char *format_facts(
    const struct api *api, const struct attestation_document *document)
{
	json_t *tree = json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:I, s:I}",
	    "attestation_sha256", document->sha256_hex, "platform",
	    api->platform, "public_key", api->public_key_pem, "tls_spki_sha256",
	    api->tls_spki_sha256, "seal_public_key", api->seal_public_key_pem,
	    "timestamp_ms", (json_int_t)document->timestamp_ms, "not_after_ms",
	    (json_int_t)document->not_after_ms);
	char *text;

	if (tree && api->key_epoch > 0)
		json_object_set_new(tree, "key_epoch",
		    json_integer((json_int_t)api->key_epoch));
	text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;

	json_decref(tree);
	if (!text)
		log_die("api", "out of memory");
	return text;
}

static char *format(const struct api *api,
    const struct attestation_document *document, const struct nonce_path *path,
    size_t *len)
{
	char *facts = format_facts(api, document), *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		log_die("api", "out of memory");
	fwrite(facts, 1, strlen(facts) - 1, out); /* but the } */
	fputs(",\"attestation_doc_b64\":\"", out);
	fputs(document->base64, out);
	fputs("\"", out);
	nonce_path_put(out, path);
	fputs("}", out);
	free(facts);
	if (fclose(out) != 0)
		log_die("api", "out of memory");
	return text;
}

char *api_attestation_json(
    const struct api *api, const struct attestation_document *document)
{
	size_t len;

	return format(api, document, NULL, &len);
}

static void reply(struct http_request *req, const struct api *api,
    const struct attestation_document *document, const struct nonce_path *path)
{
	size_t len;
	char *text = format(api, document, path, &len);

	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = "application/json",
			    .body = text,
			    .len = len,
			    .body_done = free,
			    .body_data = text,
			});
}

/* ---- nonces ---- */

struct nonce_request {
	const struct api *api;
	struct http_request *req; /* NULL once the client has left */
};

static void on_nonce_abandoned(struct http_request *req, void *data)
{
	struct nonce_request *waiting = data;

	(void)req;
	waiting->req = NULL;
}

static void on_nonce_document(const struct attestation_document *document,
    const struct nonce_path *path, const char *error, void *data)
{
	struct nonce_request *waiting = data;

	if (waiting->req && document)
		reply(waiting->req, waiting->api, document, path);
	else if (waiting->req)
		http_problem(
		    waiting->req, 503, "ATTESTATION_FAILED", error, NULL);
	free(waiting);
}

size_t attestation_api_read_nonce(struct http_request *req, const char *hex,
    uint8_t out[static ATTESTER_NONCE_MAX])
{
	size_t len = strlen(hex) / 2;

	if (len > 0 && len <= ATTESTER_NONCE_MAX &&
	    hex_decode(out, len, hex, strlen(hex)) == 0)
		return len;
	http_problem(req, 400, "PARAM_INVALID",
	    "nonce must be 1 to 512 bytes in hex", "\"parameter\":\"nonce\"");
	return 0;
}

static void attest_nonce(
    const struct api *api, struct http_request *req, const char *hex)
{
	struct nonce_request *waiting;
	uint8_t nonce[ATTESTER_NONCE_MAX];
	size_t len = attestation_api_read_nonce(req, hex, nonce);

	if (len == 0)
		return;
	waiting = malloc(sizeof(*waiting));
	if (!waiting)
		log_die("api", "out of memory");
	*waiting = (struct nonce_request){.api = api, .req = req};
	if (attestation_request_nonce(api->attestation, nonce, len, NULL,
		on_nonce_document, waiting) != 0) {
		free(waiting);
		http_problem(req, 503, "BUSY",
		    "too many nonces wait for the attester; try again", NULL);
		return;
	}
	http_on_abandoned(req, on_nonce_abandoned, waiting);
}

static void on_attestation(struct http_request *req, void *data)
{
	const struct api *api = data;
	const char *nonce = http_param(req, "nonce");
	const struct attestation_document *document;

	if (nonce) {
		attest_nonce(api, req, nonce);
		return;
	}
	document = attestation_current(api->attestation, now_unix_ms());
	if (document)
		reply(req, api, document, NULL);
	else
		http_problem(req, 503, "ATTESTATION_EXPIRED",
		    "there is no current attestation document; the log says "
		    "why the renewal fails",
		    NULL);
}

/* ---- the table ---- */

static const struct service_param params[] = {
    {"nonce",
	"bytes that a new document is to hold, itself or by nonce_path: where "
	"many ask at once, one document is made for all, and its nonce is the "
	"root of the tree (RFC 6962) of theirs",
	"{\"type\":\"string\",\"pattern\":\"^([0-9a-fA-F]{2}){1,512}$\"}"},
    {NULL, NULL, NULL},
};
static const struct service_answer answers[] = {
    {200, "application/json", "Attestation",
	"the current document, or one with the nonce", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem problems[] = {{503, "ATTESTATION_EXPIRED"},
    {503, "ATTESTATION_FAILED"}, {503, "BUSY"}, {0, NULL}};

const struct service_route attestation_api_routes[] = {
    {.method = "GET",
	.path = "/attestation",
	.about = "What vouches for the key that signs.",
	.handler = on_attestation,
	.params = params,
	.answers = answers,
	.problems = problems},
    {.method = NULL},
};
