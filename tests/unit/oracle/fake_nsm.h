/*
 * fake_nsm: a Nitro Security Module inside a test, behind the same ioctl: PCRs
 * 0 to 15 locked at boot, 16 to 31 free, and documents that only repeat what
 * was asked. `nsm` says what goes wrong and shows what was seen. Included by
 * one test program only, after cmocka.h.
 */
#ifndef HALLMARK_TESTS_FAKE_NSM_H
#define HALLMARK_TESTS_FAKE_NSM_H

#include "oracle/attester_nsm.h"
#include "oracle/decoder.h"
#include "oracle/encoder.h"
#include "oracle/nsm_message.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

static struct {
	uint8_t pcr[32][ATTESTER_PCR_LEN];
	bool locked[32];
	const char *digest;
	/* What goes wrong. */
	int fail_errno, interrupt;
	size_t cut;            /* answers lose this many bytes */
	const uint8_t *answer; /* in place of the right one */
	size_t answer_len;
	uint64_t claim; /* this response length instead */
	/* What was seen. */
	unsigned calls;
	uint8_t request[NSM_MESSAGE_REQUEST_MAX];
	size_t request_len;
} nsm;

struct asked { /* the fields of one request */
	char name[32];
	uint64_t index;
	const uint8_t *data, *nonce, *user_data, *public_key;
	size_t data_len, nonce_len, user_data_len, public_key_len;
};

static struct decoder_item take(struct decoder *d)
{
	struct decoder_item item;

	assert_int_equal(decoder_next(d, &item), DECODER_OK);
	return item;
}

static void take_text(struct decoder *d, char *out, size_t cap)
{
	struct decoder_item item = take(d);

	assert_int_equal(item.kind, DECODER_TEXT);
	assert_true(item.len < cap);
	memcpy(out, item.bytes, item.len);
	out[item.len] = '\0';
}

static void set_field(
    struct asked *q, const char *key, const struct decoder_item *value)
{
	if (strcmp(key, "index") == 0) {
		q->index = value->value;
	} else if (strcmp(key, "data") == 0) {
		q->data = value->bytes;
		q->data_len = value->len;
	} else if (strcmp(key, "nonce") == 0) {
		q->nonce = value->bytes;
		q->nonce_len = value->len;
	} else if (strcmp(key, "user_data") == 0) {
		q->user_data = value->bytes;
		q->user_data_len = value->len;
	} else if (strcmp(key, "public_key") == 0) {
		q->public_key = value->bytes;
		q->public_key_len = value->len;
	} else {
		fail_msg("unknown field %s", key);
	}
}

static struct asked read_request(const uint8_t *bytes, size_t len)
{
	struct decoder d = {bytes, len}, peek = d;
	struct asked q = {.index = 99};
	char key[32];

	if (take(&peek).kind == DECODER_TEXT) {
		take_text(&d, q.name, sizeof(q.name));
		return q;
	}
	assert_int_equal(take(&d).value, 1);
	take_text(&d, q.name, sizeof(q.name));
	for (uint64_t left = take(&d).value; left > 0; left--) {
		struct decoder_item value;

		take_text(&d, key, sizeof(key));
		value = take(&d);
		set_field(&q, key, &value);
	}
	assert_int_equal(d.left, 0);
	return q;
}

static void answer_error(struct encoder *e, const char *why)
{
	encoder_map(e, 1);
	encoder_text(e, "Error");
	encoder_text(e, why);
}

static void answer_bytes(struct encoder *e, const char *name, const char *field,
    const uint8_t *bytes, size_t len)
{
	encoder_map(e, 1);
	encoder_text(e, name);
	encoder_map(e, 1);
	encoder_text(e, field);
	encoder_bytes(e, bytes, len);
}

static void describe_nsm(struct encoder *e)
{
	static const char *const numbers[] = {
	    "version_patch", "version_minor", "version_major"};
	size_t locked = 0;

	encoder_map(e, 1);
	encoder_text(e, "DescribeNSM");
	encoder_map(e, 7);
	encoder_text(e, "digest");
	encoder_text(e, nsm.digest);
	encoder_text(e, "max_pcrs");
	encoder_uint(e, 32);
	encoder_text(e, "module_id");
	encoder_text(e, "i-0123456789abcdef0-enc0123456789abcdef");
	for (unsigned i = 0; i < 3; i++) {
		encoder_text(e, numbers[i]);
		encoder_uint(e, i);
	}
	for (unsigned i = 0; i < 32; i++)
		locked += nsm.locked[i];
	encoder_text(e, "locked_pcrs");
	encoder_array(e, locked);
	for (unsigned i = 0; i < 32; i++)
		if (nsm.locked[i])
			encoder_uint(e, i);
}

static void extend(struct encoder *e, const struct asked *q)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	EVP_DigestInit_ex(ctx, EVP_sha384(), NULL);
	EVP_DigestUpdate(ctx, nsm.pcr[q->index], ATTESTER_PCR_LEN);
	EVP_DigestUpdate(ctx, q->data, q->data_len);
	EVP_DigestFinal_ex(ctx, nsm.pcr[q->index], NULL);
	EVP_MD_CTX_free(ctx);
	answer_bytes(
	    e, "ExtendPCR", "data", nsm.pcr[q->index], ATTESTER_PCR_LEN);
}

static void describe_pcr(struct encoder *e, const struct asked *q)
{
	encoder_map(e, 1);
	encoder_text(e, "DescribePCR");
	encoder_map(e, 2);
	encoder_text(e, "data");
	encoder_bytes(e, nsm.pcr[q->index], ATTESTER_PCR_LEN);
	encoder_text(e, "lock");
	encoder_bool(e, nsm.locked[q->index]);
}

/* The document is what was asked for, so that a test sees it. */
static void attest(struct encoder *e, const struct asked *q)
{
	uint8_t document[4096];
	struct encoder d;

	encoder_init(&d, document, sizeof(document));
	encoder_bytes_or_null(&d, q->public_key, q->public_key_len);
	encoder_bytes_or_null(&d, q->user_data, q->user_data_len);
	encoder_bytes_or_null(&d, q->nonce, q->nonce_len);
	answer_bytes(e, "Attestation", "document", document, encoder_end(&d));
}

static void answer_index(struct encoder *e, const struct asked *q)
{
	if (q->index > 31)
		answer_error(e, "InvalidIndex");
	else if (strcmp(q->name, "DescribePCR") == 0)
		describe_pcr(e, q);
	else if (nsm.locked[q->index])
		answer_error(e, "ReadOnlyIndex");
	else if (strcmp(q->name, "ExtendPCR") == 0)
		extend(e, q);
	else {
		nsm.locked[q->index] = true;
		encoder_text(e, "LockPCR");
	}
}

static size_t answer(uint8_t *out, size_t cap)
{
	struct asked q = read_request(nsm.request, nsm.request_len);
	struct encoder e;

	encoder_init(&e, out, cap);
	if (strcmp(q.name, "DescribeNSM") == 0)
		describe_nsm(&e);
	else if (strcmp(q.name, "Attestation") == 0)
		attest(&e, &q);
	else
		answer_index(&e, &q);
	assert_true(encoder_end(&e) > nsm.cut);
	return encoder_end(&e) - nsm.cut;
}

static int fake_ioctl(int fd, struct attester_nsm_raw *raw)
{
	uint8_t *out = (uint8_t *)(uintptr_t)raw->response.addr;

	assert_true(fd >= 0);
	/* A smaller buffer is cut silently by the driver. */
	assert_int_equal(raw->response.len, 0x3000);
	assert_true(raw->request.len <= sizeof(nsm.request));
	nsm.calls++;
	if (nsm.interrupt > 0) {
		nsm.interrupt--;
		errno = EINTR;
		return -1;
	}
	if (nsm.fail_errno != 0) {
		errno = nsm.fail_errno;
		return -1;
	}
	nsm.request_len = (size_t)raw->request.len;
	memcpy(nsm.request, (const void *)(uintptr_t)raw->request.addr,
	    nsm.request_len);
	raw->response.len = answer(out, 0x3000);
	if (nsm.answer != NULL) {
		memcpy(out, nsm.answer, nsm.answer_len);
		raw->response.len = nsm.answer_len;
	}
	if (nsm.claim != 0)
		raw->response.len = nsm.claim;
	return 0;
}

#endif
