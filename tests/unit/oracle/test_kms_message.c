/*
 * kms_message: what goes to KMS, to the letter; its answers in its own shapes
 * and errors, and what to do about each; credentials that nobody can use to
 * write a header of their own.
 */
#include "oracle/kms_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t bytes[] = {0, 1, 2};
static const struct kms_question to_make = {"key", "c0ffee", NULL, 0, bytes, 3};
static const struct kms_question to_open = {
    "key", "c0ffee", bytes, 2, bytes, 3};

static void test_questions(void **state)
{
	char *body;
	(void)state;

	body = kms_question_body(&to_make);
	assert_string_equal(body,
	    "{\"KeyId\":\"key\",\"EncryptionContext\":"
	    "{\"hallmark_config_sha256\":\"c0ffee\"},\"Recipient\":"
	    "{\"KeyEncryptionAlgorithm\":\"RSAES_OAEP_SHA_256\","
	    "\"AttestationDocument\":\"AAEC\"},\"KeySpec\":\"AES_256\"}");
	free(body);
	assert_string_equal(
	    kms_question_target(&to_make), "TrentService.GenerateDataKey");
	body = kms_question_body(&to_open);
	assert_non_null(strstr(body, ",\"CiphertextBlob\":\"AAE=\"}"));
	assert_null(strstr(body, "KeySpec"));
	free(body);
	assert_string_equal(
	    kms_question_target(&to_open), "TrentService.Decrypt");
}

static enum kms_outcome hear(struct kms_answer *answer,
    const struct kms_question *question, int status, const char *body)
{
	size_t len = strlen(body);
	char *copy = malloc(len > 0 ? len : 1);
	enum kms_outcome outcome;

	assert_non_null(copy);
	memcpy(copy, body, len);
	outcome = kms_answer_parse(answer, question, status, copy, len);
	free(copy);
	return outcome;
}

static void test_good(void **state)
{
	struct kms_answer answer;
	(void)state;

	assert_int_equal(
	    hear(&answer, &to_make, 200,
		"{\"CiphertextBlob\":\"AQI=\",\"CiphertextForRecipient\":"
		"\"AAEC\",\"KeyId\":\"arn\",\"KeyMaterialId\":\"x\","
		"\"Plaintext\":\"\"}"),
	    KMS_DONE);
	assert_int_equal(answer.sealed_len, 3);
	assert_memory_equal(answer.sealed, bytes, 3);
	assert_int_equal(answer.wrapped_len, 2);
	kms_answer_fini(&answer);
	assert_int_equal(hear(&answer, &to_open, 200,
			     "{\"CiphertextForRecipient\":\"AAEC\","
			     "\"Plaintext\":null}"),
	    KMS_DONE);
	assert_null(answer.wrapped);
	kms_answer_fini(&answer);
}

static void refused(const struct kms_question *question, const char *body)
{
	struct kms_answer answer;

	assert_int_equal(hear(&answer, question, 200, body), KMS_REFUSED);
	assert_string_not_equal(answer.said, "");
	kms_answer_fini(&answer);
}

static void test_plaintext(void **state)
{
	struct kms_answer answer;
	(void)state;

	assert_int_equal(
	    hear(&answer, &to_open, 200,
		"{\"CiphertextForRecipient\":\"AAEC\",\"Plaintext\":"
		"\"AAEC\"}"),
	    KMS_REFUSED);
	assert_string_equal(
	    answer.said, "it answered with the key in the plain");
	kms_answer_fini(&answer);
	refused(&to_open, "{\"Plaintext\":\"AAEC\"}");
	refused(&to_open,
	    "{\"CiphertextForRecipient\":\"AAEC\",\"Plaintext\":[1]}");
}

static void test_malformed(void **state)
{
	static char much[2 * KMS_ANSWER_MAX];
	(void)state;

	refused(&to_open, "");
	refused(&to_open, "null");
	refused(&to_open, "[]");
	refused(&to_open, "{}");
	refused(&to_open, "{\"CiphertextForRecipient\":\"AAEC\"} x");
	refused(&to_open, "{\"CiphertextForRecipient\":\"AA!C\"}");
	refused(&to_open, "{\"CiphertextForRecipient\":\"\"}");
	refused(&to_open, "{\"CiphertextForRecipient\":7}");
	refused(&to_make, "{\"CiphertextForRecipient\":\"AAEC\"}");
	refused(&to_open, "{\"CiphertextForRecipient\":\"AAEC\","
			  "\"CiphertextForRecipient\":\"AAEC\"}");
	memset(much, 'A', sizeof(much) - 1);
	memcpy(much, "{\"CiphertextForRecipient\":\"", 27);
	memcpy(much + sizeof(much) - 3, "\"}", 2);
	refused(&to_open, much);
}

static const struct {
	int status;
	const char *body, *type;
	enum kms_outcome outcome;
	const char *remedy; /* a part of it */
} errors[] = {
    {400,
	"{\"__type\":\"AccessDeniedException\",\"Message\":\"User: x is not "
	"authorized to perform: kms:Decrypt\"}",
	"AccessDeniedException", KMS_REFUSED,
	"kms:RecipientAttestation:ImageSha384"},
    {400,
	"{\"__type\":\"com.amazonaws.kms#InvalidSignatureException\","
	"\"message\":\"Signature expired: 20260101T000000Z is now earlier "
	"than\"}",
	"InvalidSignatureException", KMS_REFUSED, "behind AWS's"},
    {400,
	"{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature "
	"not yet current: 2\"}",
	"InvalidSignatureException", KMS_REFUSED, "ahead of AWS's"},
    {400,
	"{\"__type\":\"InvalidSignatureException\",\"message\":\"The request "
	"signature we calculated does not match\"}",
	"InvalidSignatureException", KMS_AGAIN, "credentials are wrong"},
    {400, "{\"__type\":\"UnrecognizedClientException\"}",
	"UnrecognizedClientException", KMS_AGAIN, "credentials are wrong"},
    {400, "{\"__type\":\"ExpiredTokenException\"}", "ExpiredTokenException",
	KMS_AGAIN, "expired"},
    {400, "{\"__type\":\"InvalidCiphertextException\"}",
	"InvalidCiphertextException", KMS_REFUSED, "blob"},
    {400, "{\"__type\":\"NotFoundException\"}", "NotFoundException",
	KMS_REFUSED, "key_id"},
    {400, "{\"__type\":\"ThrottlingException\"}", "ThrottlingException",
	KMS_AGAIN, ""},
    {500, "{\"__type\":\"KMSInternalException\"}", "KMSInternalException",
	KMS_AGAIN, ""},
    {400, "{\"__type\":\"SomethingNew\"}", "SomethingNew", KMS_REFUSED, ""},
    {503, "<html>", "", KMS_AGAIN, ""},
    {429, "", "", KMS_AGAIN, ""},
    {404, "", "", KMS_REFUSED, ""},
    {302, "{\"__type\":7}", "", KMS_REFUSED, ""},
};

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct kms_answer answer;

		assert_int_equal(
		    hear(&answer, &to_open, errors[i].status, errors[i].body),
		    errors[i].outcome);
		assert_string_equal(answer.type, errors[i].type);
		assert_true(answer.type[0] != '\0' || answer.said[0] != '\0');
		assert_non_null(strstr(answer.remedy, errors[i].remedy));
		assert_null(answer.sealed);
		kms_answer_fini(&answer);
	}
}

/* ---- credentials ---- */

static int read_credentials(struct kms_credentials *out, const char *text)
{
	const char *why;
	int result = kms_credentials_parse(
	    out, (const uint8_t *)text, strlen(text), &why);

	assert_non_null(why);
	return result;
}

static void test_credentials(void **state)
{
	struct kms_credentials c;
	(void)state;

	assert_int_equal(
	    read_credentials(&c,
		"{\"Code\":\"Success\",\"LastUpdated\":\"2026-11-22T00:00:00Z\""
		",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"ASIAEXAMPLE\","
		"\"SecretAccessKey\":\"s/+\",\"Token\":\"t==\","
		"\"Expiration\":\"2026-11-22T06:00:00Z\"}"),
	    0);
	assert_string_equal(c.access_key_id, "ASIAEXAMPLE");
	assert_string_equal(c.secret_access_key, "s/+");
	assert_string_equal(c.token, "t==");
	assert_int_equal(read_credentials(&c, "{\"AccessKeyId\":\"A\","
					      "\"SecretAccessKey\":\"s\"}"),
	    0);
	assert_string_equal(c.token, "");
}

static void test_bad_credentials(void **state)
{
	static const char *const texts[] = {
	    "",
	    "[]",
	    "{}",
	    "{\"AccessKeyId\":\"A\"}",
	    "{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"s\"}",
	    "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"\"}",
	    "{\"AccessKeyId\":\"A B\",\"SecretAccessKey\":\"s\"}",
	    "{\"AccessKeyId\":\"A\\r\\nX: y\",\"SecretAccessKey\":\"s\"}",
	    "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":"
	    "\"t\\r\\nHost: elsewhere\"}",
	    "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":7}",
	    "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"\\u00e9\"}",
	    "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"AccessKeyId\":\"A\","
	    "\"SecretAccessKey\":\"s\"}",
	};
	static const struct kms_credentials none;
	struct kms_credentials c;
	char text[KMS_ID_MAX + 100];
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(read_credentials(&c, texts[i]), -1);
		assert_memory_equal(&c, &none, sizeof(c));
	}
	for (int extra = 0; extra < 2; extra++) {
		size_t len = (size_t)(KMS_ID_MAX + extra);

		memset(text, 'A', sizeof(text));
		memcpy(text, "{\"AccessKeyId\":\"", 16);
		strcpy(text + 16 + len, "\",\"SecretAccessKey\":\"s\"}");
		assert_int_equal(read_credentials(&c, text), -extra);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_questions),
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_plaintext),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_credentials),
	    cmocka_unit_test(test_bad_credentials),
	};
	return cmocka_run_group_tests_name("kms_message", tests, NULL, NULL);
}
