/*
 * kms_message: what is asked of KMS and what it answers, in JSON (AWS KMS API
 * Reference: GenerateDataKey, Decrypt, RecipientInfo, Common Errors), and the
 * credentials that are signed with, in the shape of the instance's metadata
 * service. Pure. All of it comes from outside.
 *
 * The encryption context binds the data key to the configuration in KMS, too:
 * KMS refuses to open it with another (AWS KMS Developer Guide, "Encryption
 * context"), and writes both down in CloudTrail.
 */
#ifndef HALLMARK_ORACLE_KMS_MESSAGE_H
#define HALLMARK_ORACLE_KMS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KMS_KEY_ID_MAX      2048 /* KMS API Reference, KeyId */
#define KMS_WRAPPED_MAX     6144 /* the same, CiphertextBlob */
#define KMS_ID_MAX          128  /* of credentials: 16 to 128 */
#define KMS_SECRET_MAX      128  /* 40 today */
#define KMS_TOKEN_MAX       8192 /* a session token has no documented length */
#define KMS_ANSWER_MAX      32768
#define KMS_TYPE_MAX        64
#define KMS_TEXT_MAX        300
#define KMS_CREDENTIALS_MAX 16384 /* bytes of their JSON */

enum kms_outcome {
	KMS_DONE,
	KMS_AGAIN,  /* it may be another time, or with other credentials */
	KMS_REFUSED /* it will not be until somebody has done something */
};

struct kms_credentials { /* secret: wipe */
	char access_key_id[KMS_ID_MAX + 1];
	char secret_access_key[KMS_SECRET_MAX + 1];
	char token[KMS_TOKEN_MAX + 1]; /* "": none */
};

/* {"Code":"Success","AccessKeyId",...}: 0, or -1, zeroed and why (static). */
__attribute__((warn_unused_result)) int kms_credentials_parse(
    struct kms_credentials *out, const uint8_t *bytes, size_t len,
    const char **why);

struct kms_question {
	const char *key_id;
	const char *config_sha256; /* hex */
	const uint8_t *wrapped;    /* to decrypt; NULL: make a data key */
	size_t wrapped_len;
	const uint8_t *document; /* that has the key it is answered to */
	size_t document_len;
};

/* The body; the caller frees it. Dies without memory. */
char *kms_question_body(const struct kms_question *question);
const char *kms_question_target(const struct kms_question *question);

struct kms_answer {
	uint8_t *sealed; /* CiphertextForRecipient; owned */
	size_t sealed_len;
	uint8_t *wrapped; /* CiphertextBlob, when one was made; owned */
	size_t wrapped_len;

	/* when not DONE */
	char type[KMS_TYPE_MAX + 1]; /* "AccessDeniedException"; "" */
	char said[KMS_TEXT_MAX + 1]; /* what KMS says, or what is wrong */
	const char *remedy;          /* what to do about it; "" (static) */
};

/* The answer to `question`. An answer that has the key in the plain is refused:
 * whoever made it did not look at the document. */
enum kms_outcome kms_answer_parse(struct kms_answer *out,
    const struct kms_question *question, int status, const char *body,
    size_t len);
void kms_answer_fini(struct kms_answer *answer);

#endif
