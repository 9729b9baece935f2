/* kept_key: see kept_key.h. */
#include "oracle/kept_key.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/https_client.h"
#include "oracle/kms_key.h"

#include <assert.h>

/* Nobody else asks the attester yet, and there is nothing to keep waiting. */
static void attest(void *data, const uint8_t *public_key, size_t len,
    kms_attested_cb cb, void *cb_data)
{
	struct attester *attester = data;
	const struct attester_request request = {
	    .public_key = public_key, .public_key_len = len};
	uint8_t document[ATTESTER_DOCUMENT_MAX];
	char error[ATTESTER_ERROR_MAX];
	size_t document_len;

	if (attester->ops->attest(
		attester, &request, document, &document_len, error) == 0)
		cb(document, document_len, NULL, cb_data);
	else
		cb(NULL, 0, error, cb_data);
}

static void on_made(const struct kms_key_made *made, void *data)
{
	struct kept_key *out = data;

	if (made->signer == NULL) {
		/* Each has a line's room: both matter to who reads them. */
		log_error("key", "refused", LOG_S("why", made->why),
		    LOG_S("remedy", made->remedy));
		log_die("key", "no signing key");
	}
	*out = (struct kept_key){
	    made->signer, made->epoch, made->made_ms, made->retire_ms};
}

void kept_key_load(struct kept_key *out, const struct config *config,
    struct attester *attester)
{
	char error[HTTPS_ERROR_MAX];
	SSL_CTX *tls = https_tls_context(config->ca_bundle, error);
	uv_loop_t loop;

	if (tls == NULL)
		log_die("key", "ca_bundle %s: %s",
		    certificates_name(config->ca_bundle), error);
	if (uv_loop_init(&loop) != 0)
		log_die("key", "no loop");
	*out = (struct kept_key){0};
	kms_key_start(&(struct kms_key_options){.loop = &loop,
	    .config = config,
	    .tls = tls,
	    .attester = {.ask = attest, .data = attester},
	    .wait_ms = (uint64_t)config->key.wait_s * 1000,
	    .now_ms = now_unix_ms,
	    .cb = on_made,
	    .data = out});
	uv_run(&loop, UV_RUN_DEFAULT);
	assert(out->signer != NULL);
	if (uv_loop_close(&loop) != 0)
		log_die("key", "its loop has something left");
	SSL_CTX_free(tls);
	log_info("key", "kept", LOG_D("epoch", out->epoch),
	    LOG_D("made_ms", out->made_ms), LOG_D("retire_ms", out->retire_ms));
}

void kept_key_print(const struct config *config, FILE *out)
{
	const struct config_key *key = &config->key;
	char blob[ENDPOINT_TEXT_MAX], credentials[ENDPOINT_TEXT_MAX];

	if (!key->kms)
		return;
	endpoint_format(&key->blob, blob);
	endpoint_format(&key->credentials, credentials);
	fprintf(out,
	    "key           survives restarts: sealed by %s,\n"
	    "              asked at https://%s:%u/, kept at %s, credentials "
	    "from %s\n",
	    key->key_id, key->host, key->port, blob, credentials);
	if (key->rotate_s > 0)
		fprintf(out,
		    "              another every %lld s, attested %lld s "
		    "before\n",
		    (long long)key->rotate_s, (long long)key->overlap_s);
}
