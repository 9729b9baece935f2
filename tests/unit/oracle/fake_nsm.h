/*
 * fake_nsm: a Nitro Security Module inside a test, behind the same ioctl: PCRs
 * 0 to 15 locked at boot, 16 to 31 free, and documents that only repeat what
 * was asked. `nsm` says what goes wrong and shows what was seen. Included by
 * one test program only, after cmocka.h.
 */
#ifndef HALLMARK_TESTS_FAKE_NSM_H
#define HALLMARK_TESTS_FAKE_NSM_H

#include "oracle/attester_nsm.h"
#include "oracle/cbor_writer.h"
#include "oracle/nsm_message.h"
#include "verifier/cursor.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

static struct {
	uint8_t pcr[32][ATTESTER_PCR_LEN];
	bool locked[32];
	const char *digest;
	size_t random_len; /* of each answer to GetRandom */
	uint8_t random;    /* its bytes; one more each time */
	bool stuck;        /* they stay the same */
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

struct asked { /* one request; borrowed from its bytes */
	struct slice name;
	uint64_t index;
	struct slice data, nonce, user_data, public_key; /* null: at == NULL */
};

static struct slice take_text(struct cursor *c)
{
	struct slice text;

	assert_int_equal(cursor_text(c, &text, 1, 32), 0);
	return text;
}

static void take_optional(struct cursor *c, struct slice *out)
{
	if (!cursor_take_null(c))
		assert_int_equal(cursor_bytes(c, out, 0, SIZE_MAX), 0);
}

static void take_field(struct cursor *c, struct asked *q)
{
	struct slice name = take_text(c);

	if (slice_is(name, "index"))
		assert_int_equal(cursor_uint(c, &q->index), 0);
	else if (slice_is(name, "data"))
		assert_int_equal(cursor_bytes(c, &q->data, 0, SIZE_MAX), 0);
	else if (slice_is(name, "nonce"))
		take_optional(c, &q->nonce);
	else if (slice_is(name, "user_data"))
		take_optional(c, &q->user_data);
	else if (slice_is(name, "public_key"))
		take_optional(c, &q->public_key);
	else
		fail_msg("unknown field %.*s", (int)name.len, name.at);
}

static struct asked read_request(struct slice bytes)
{
	struct asked q = {.index = 99};
	struct cursor_map map;
	struct cursor c;

	cursor_init(&c, bytes);
	if (cursor_text(&c, &q.name, 1, 32) == 0) {
		assert_int_equal(cursor_end(&c), 0);
		return q;
	}
	cursor_init(&c, bytes);
	assert_int_equal(cursor_map(&c, &map, false), 0);
	assert_int_equal(map.left, 1);
	q.name = take_text(&c);
	assert_int_equal(cursor_map(&c, &map, false), 0);
	while (cursor_map_next(&c, &map) == 1)
		take_field(&c, &q);
	assert_int_equal(cursor_end(&c), 0);
	return q;
}

static void answer_error(struct writer *w, const char *why)
{
	writer_map(w, 1);
	writer_text(w, "Error");
	writer_text(w, why);
}

static void answer_bytes(struct writer *w, const char *name, const char *field,
    const uint8_t *bytes, size_t len)
{
	writer_map(w, 1);
	writer_text(w, name);
	writer_map(w, 1);
	writer_text(w, field);
	writer_bytes(w, bytes, len);
}

static void describe_nsm(struct writer *w)
{
	static const char *const numbers[] = {
	    "version_patch", "version_minor", "version_major"};
	size_t locked = 0;

	writer_map(w, 1);
	writer_text(w, "DescribeNSM");
	writer_map(w, 7);
	writer_text(w, "digest");
	writer_text(w, nsm.digest);
	writer_text(w, "max_pcrs");
	writer_uint(w, 32);
	writer_text(w, "module_id");
	writer_text(w, "i-0123456789abcdef0-enc0123456789abcdef");
	for (unsigned i = 0; i < 3; i++) {
		writer_text(w, numbers[i]);
		writer_uint(w, i);
	}
	for (unsigned i = 0; i < 32; i++)
		locked += nsm.locked[i];
	writer_text(w, "locked_pcrs");
	writer_array(w, locked);
	for (unsigned i = 0; i < 32; i++)
		if (nsm.locked[i])
			writer_uint(w, i);
}

static void extend(struct writer *w, const struct asked *q)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	EVP_DigestInit_ex(ctx, EVP_sha384(), NULL);
	EVP_DigestUpdate(ctx, nsm.pcr[q->index], ATTESTER_PCR_LEN);
	EVP_DigestUpdate(ctx, q->data.at, q->data.len);
	EVP_DigestFinal_ex(ctx, nsm.pcr[q->index], NULL);
	EVP_MD_CTX_free(ctx);
	answer_bytes(
	    w, "ExtendPCR", "data", nsm.pcr[q->index], ATTESTER_PCR_LEN);
}

static void describe_pcr(struct writer *w, const struct asked *q)
{
	writer_map(w, 1);
	writer_text(w, "DescribePCR");
	writer_map(w, 2);
	writer_text(w, "data");
	writer_bytes(w, nsm.pcr[q->index], ATTESTER_PCR_LEN);
	writer_text(w, "lock");
	writer_bool(w, nsm.locked[q->index]);
}

/* The document is what was asked for, so that a test sees it. */
static void attest(struct writer *w, const struct asked *q)
{
	uint8_t document[4096];
	struct writer d;

	writer_init(&d, document, sizeof(document));
	writer_bytes_or_null(&d, q->public_key.at, q->public_key.len);
	writer_bytes_or_null(&d, q->user_data.at, q->user_data.len);
	writer_bytes_or_null(&d, q->nonce.at, q->nonce.len);
	answer_bytes(w, "Attestation", "document", document, writer_end(&d));
}

static void get_random(struct writer *w)
{
	uint8_t bytes[512];

	assert_true(nsm.random_len <= sizeof(bytes));
	if (!nsm.stuck)
		nsm.random++;
	memset(bytes, nsm.random, sizeof(bytes));
	answer_bytes(w, "GetRandom", "random", bytes, nsm.random_len);
}

static void answer_index(struct writer *w, const struct asked *q)
{
	if (q->index > 31)
		answer_error(w, "InvalidIndex");
	else if (slice_is(q->name, "DescribePCR"))
		describe_pcr(w, q);
	else if (nsm.locked[q->index])
		answer_error(w, "ReadOnlyIndex");
	else if (slice_is(q->name, "ExtendPCR"))
		extend(w, q);
	else {
		nsm.locked[q->index] = true;
		writer_text(w, "LockPCR");
	}
}

static size_t answer(uint8_t *out, size_t cap)
{
	struct asked q = read_request(
	    (struct slice){nsm.request, nsm.request_len});
	struct writer w;

	writer_init(&w, out, cap);
	if (slice_is(q.name, "DescribeNSM"))
		describe_nsm(&w);
	else if (slice_is(q.name, "Attestation"))
		attest(&w, &q);
	else if (slice_is(q.name, "GetRandom"))
		get_random(&w);
	else
		answer_index(&w, &q);
	assert_true(writer_end(&w) > nsm.cut);
	return writer_end(&w) - nsm.cut;
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
