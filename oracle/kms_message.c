/* kms_message: see kms_message.h. */
#include "oracle/kms_message.h"

#include "base/log.h"
#include "verifier/base64.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT_NAME "hallmark_config_sha256"

static void *need(void *memory)
{
	if (memory == NULL)
		log_die("kms", "out of memory");
	return memory;
}

/* ---- credentials ---- */

/* They go into a header: nothing but visible ASCII. */
static int copy_visible(char *out, size_t max, const char *text)
{
	size_t len = strlen(text);

	if (len > max)
		return -1;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return -1;
	memcpy(out, text, len + 1);
	return 0;
}

static int take_credentials(
    struct kms_credentials *out, json_t *root, const char **why)
{
	const char *id, *secret, *token = "", *code = "Success";

	*why = "the metadata service has none (Code is not Success)";
	if (json_unpack(root, "{s?s}", "Code", &code) != 0 ||
	    strcmp(code, "Success") != 0)
		return -1;
	*why = "not credentials as the metadata service hands them out";
	if (json_unpack(root, "{s:s, s:s, s?s}", "AccessKeyId", &id,
		"SecretAccessKey", &secret, "Token", &token) != 0)
		return -1;
	*why = "they are empty, too long or not visible ASCII";
	if (id[0] == '\0' || secret[0] == '\0' ||
	    copy_visible(out->access_key_id, KMS_ID_MAX, id) != 0 ||
	    copy_visible(out->secret_access_key, KMS_SECRET_MAX, secret) != 0 ||
	    copy_visible(out->token, KMS_TOKEN_MAX, token) != 0)
		return -1;
	return 0;
}

int kms_credentials_parse(struct kms_credentials *out, const uint8_t *bytes,
    size_t len, const char **why)
{
	json_t *root = NULL;
	int result = -1;

	*out = (struct kms_credentials){0};
	*why = "not JSON";
	if (len <= KMS_CREDENTIALS_MAX)
		root = json_loadb(
		    (const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
	if (root != NULL)
		result = take_credentials(out, root, why);
	json_decref(root);
	if (result != 0)
		OPENSSL_cleanse(out, sizeof(*out));
	return result;
}

/* ---- questions ---- */

const char *kms_question_target(const struct kms_question *question)
{
	return question->wrapped != NULL ? "TrentService.Decrypt"
					 : "TrentService.GenerateDataKey";
}

char *kms_question_body(const struct kms_question *question)
{
	char *document = need(
	    base64_encode(question->document, question->document_len));
	char *wrapped = NULL, *body;
	json_t *root;

	root = need(json_pack("{s:s, s:{s:s}, s:{s:s, s:s}}", "KeyId",
	    question->key_id, "EncryptionContext", CONTEXT_NAME,
	    question->config_sha256, "Recipient", "KeyEncryptionAlgorithm",
	    "RSAES_OAEP_SHA_256", "AttestationDocument", document));
	if (question->wrapped != NULL) {
		wrapped = need(
		    base64_encode(question->wrapped, question->wrapped_len));
		json_object_set_new(
		    root, "CiphertextBlob", need(json_string(wrapped)));
	} else {
		json_object_set_new(
		    root, "KeySpec", need(json_string("AES_256")));
	}
	body = need(json_dumps(root, JSON_COMPACT));
	json_decref(root);
	free(document);
	free(wrapped);
	return body;
}

/* ---- answers ---- */

static const struct remedy {
	const char *type;
	const char *within; /* of what is said; NULL: whatever it is */
	enum kms_outcome outcome;
	const char *text;
} remedies[] = {
    {"AccessDeniedException", NULL, KMS_REFUSED,
	"the key's policy does not let this enclave in: it must name this "
	"image's PCR0 (kms:RecipientAttestation:ImageSha384), its "
	"configuration's PCR16 and the instance's role; `hallmark pcrs IMAGE` "
	"and `hallmark config-pcr CONFIG` print them, deploy/kms has the "
	"policy"},
    {"InvalidSignatureException", "Signature expired", KMS_REFUSED,
	"the clock of this enclave is more than five minutes behind AWS's"},
    {"InvalidSignatureException", "Signature not yet current", KMS_REFUSED,
	"the clock of this enclave is more than five minutes ahead of AWS's"},
    {"InvalidSignatureException", NULL, KMS_AGAIN,
	"the credentials are wrong: asked for anew"},
    {"UnrecognizedClientException", NULL, KMS_AGAIN,
	"the credentials are wrong: asked for anew"},
    {"InvalidClientTokenId", NULL, KMS_AGAIN,
	"the credentials are wrong: asked for anew"},
    {"ExpiredTokenException", NULL, KMS_AGAIN,
	"the credentials have expired: asked for anew"},
    {"IncompleteSignature", NULL, KMS_REFUSED, ""},
    {"InvalidCiphertextException", NULL, KMS_REFUSED,
	"the blob was not made by this key for this configuration: give back "
	"the one that was, or an empty keeper for a new key"},
    {"IncorrectKeyException", NULL, KMS_REFUSED,
	"the blob was made by another KMS key than key_id names"},
    {"NotFoundException", NULL, KMS_REFUSED,
	"key_id and region must name a KMS key that is there"},
    {"DisabledException", NULL, KMS_REFUSED, "the KMS key is disabled"},
    {"KMSInvalidStateException", NULL, KMS_REFUSED,
	"the KMS key is not in a state to be used: is it pending deletion?"},
    {"KeyUnavailableException", NULL, KMS_AGAIN, ""},
    {"ThrottlingException", NULL, KMS_AGAIN, ""},
    {"LimitExceededException", NULL, KMS_AGAIN, ""},
    {"RequestLimitExceeded", NULL, KMS_AGAIN, ""},
    {"DependencyTimeoutException", NULL, KMS_AGAIN, ""},
    {"KMSInternalException", NULL, KMS_AGAIN, ""},
    {"InternalFailure", NULL, KMS_AGAIN, ""},
    {"ServiceUnavailable", NULL, KMS_AGAIN, ""},
    {NULL, NULL, KMS_REFUSED, ""},
};

static void set_said(struct kms_answer *out, const char *text)
{
	snprintf(out->said, sizeof(out->said), "%s", text);
}

static enum kms_outcome judge_error(struct kms_answer *out, int status)
{
	const struct remedy *remedy = remedies;

	while (remedy->type != NULL &&
	       (strcmp(remedy->type, out->type) != 0 ||
		   (remedy->within != NULL &&
		       strstr(out->said, remedy->within) == NULL)))
		remedy++;
	out->remedy = remedy->text;
	if (remedy->type == NULL && (status >= 500 || status == 429))
		return KMS_AGAIN;
	return remedy->outcome;
}

/* {"__type": "AccessDeniedException", "Message" or "message": "..."}; the type
 * may stand behind a namespace and a '#'. */
static enum kms_outcome take_error(
    struct kms_answer *out, json_t *root, int status)
{
	const char *type = "", *said = "", *said_too = "", *hash;

	(void)json_unpack(root, "{s?s, s?s, s?s}", "__type", &type, "Message",
	    &said, "message", &said_too);
	hash = strrchr(type, '#');
	snprintf(out->type, sizeof(out->type), "%s", hash ? hash + 1 : type);
	set_said(out, said[0] != '\0' ? said : said_too);
	if (out->type[0] == '\0' && out->said[0] == '\0')
		snprintf(
		    out->said, sizeof(out->said), "HTTP status %d", status);
	return judge_error(out, status);
}

static int take_bytes(uint8_t **out, size_t *len, const char *text, size_t max)
{
	size_t text_len = text != NULL ? strlen(text) : 0;

	return text_len > 0 && text_len <= max / 3 * 4 + 4
		   ? base64_decode(out, len, text, text_len)
		   : -1;
}

/* Keys that are not known are passed over: AWS adds some, as KeyMaterialId. */
static enum kms_outcome take_good(
    struct kms_answer *out, const struct kms_question *question, json_t *root)
{
	const char *sealed = NULL, *wrapped = NULL;
	const json_t *plain = json_object_get(root, "Plaintext");

	if (plain != NULL && !json_is_null(plain) &&
	    !(json_is_string(plain) && json_string_length(plain) == 0)) {
		out->remedy = "whatever answered did not look at the "
			      "attestation document: is it KMS?";
		set_said(out, "it answered with the key in the plain");
		return KMS_REFUSED;
	}
	set_said(out, "its answer has no CiphertextForRecipient or no "
		      "CiphertextBlob that can be read");
	if (json_unpack(root, "{s?s, s?s}", "CiphertextForRecipient", &sealed,
		"CiphertextBlob", &wrapped) != 0 ||
	    take_bytes(
		&out->sealed, &out->sealed_len, sealed, KMS_ANSWER_MAX) != 0)
		return KMS_REFUSED;
	if (question->wrapped == NULL &&
	    take_bytes(&out->wrapped, &out->wrapped_len, wrapped,
		KMS_WRAPPED_MAX) != 0)
		return KMS_REFUSED;
	out->said[0] = '\0';
	return KMS_DONE;
}

enum kms_outcome kms_answer_parse(struct kms_answer *out,
    const struct kms_question *question, int status, const char *body,
    size_t len)
{
	json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	enum kms_outcome outcome;

	*out = (struct kms_answer){.remedy = ""};
	if (status != 200)
		outcome = take_error(out, root, status);
	else
		outcome = take_good(out, question, root);
	json_decref(root);
	return outcome;
}

void kms_answer_fini(struct kms_answer *answer)
{
	free(answer->sealed);
	free(answer->wrapped);
	*answer = (struct kms_answer){.remedy = ""};
}
