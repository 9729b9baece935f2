/*
 * fuzz_kms_message: what KMS, the metadata service and the keeper say: safe to
 * read, and what is taken has the form that the next step relies on.
 *
 * The input: a letter for who says it, then that.
 */
#include "oracle/key_keeper.h"
#include "oracle/kms_message.h"
#include "oracle/sealed_key.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t some[] = {1, 2, 3};

static void answer(int status, const uint8_t *bytes, size_t len, bool opens)
{
	const struct kms_question question = {
	    "k", "c", opens ? some : NULL, opens ? 3 : 0, some, 3};
	struct kms_answer said;
	enum kms_outcome outcome = kms_answer_parse(
	    &said, &question, status, (const char *)bytes, len);

	if (outcome == KMS_DONE &&
	    (status != 200 || said.sealed == NULL || said.sealed_len == 0 ||
		(!opens && said.wrapped == NULL) ||
		said.wrapped_len > KMS_WRAPPED_MAX + 3))
		abort();
	if (outcome != KMS_DONE && said.type[0] == '\0' && said.said[0] == '\0')
		abort();
	if (said.remedy == NULL)
		abort();
	kms_answer_fini(&said);
}

static void visible(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			abort();
}

static void credentials(const uint8_t *bytes, size_t len)
{
	static struct kms_credentials c;
	const char *why;

	if (kms_credentials_parse(&c, bytes, len, &why) != 0)
		return;
	visible(c.access_key_id);
	visible(c.secret_access_key);
	visible(c.token);
	if (c.access_key_id[0] == '\0' || c.secret_access_key[0] == '\0')
		abort();
}

static void sealed(const uint8_t *bytes, size_t len)
{
	static const uint8_t config[32] = {0}, data_key[32] = {1};
	const struct sealed_key_binding binding = {"k", "r", config};
	struct sealed_key key;
	const char *why;
	uint8_t *der;
	size_t der_len;

	if (sealed_key_parse(&key, &binding, bytes, len, &why) != 0)
		return;
	/* Nobody has sealed it with this key. */
	if (key.epoch == 0 ||
	    sealed_key_open(&key, &binding, data_key, &der, &der_len) == 0)
		abort();
	sealed_key_fini(&key);
}

static void keeper(const uint8_t *bytes, size_t len)
{
	char error[KEY_KEEPER_ERROR_MAX];
	const uint8_t *blob;
	size_t blob_len;

	if (len > 0 &&
	    key_keeper_read(bytes, len, &blob, &blob_len, error) ==
		KEY_KEEPER_KEPT &&
	    (blob < bytes || blob + blob_len != bytes + len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	size_t len;

	if (size == 0)
		return 0;
	len = size - 1;
	copy = malloc(len > 0 ? len : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, data + 1, len);
	if (data[0] == 'g')
		answer(200, copy, len, false);
	else if (data[0] == 'd')
		answer(200, copy, len, true);
	else if (data[0] == 'e')
		answer(400, copy, len, true);
	else if (data[0] == 'c')
		credentials(copy, len);
	else if (data[0] == 's')
		sealed(copy, len);
	else
		keeper(copy, len);
	free(copy);
	return 0;
}
