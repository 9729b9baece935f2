/* cosign_fixture: other enclaves that stand by the item of item_builder: each
 * with a key and a boot of its own, attested under the same root. */
#ifndef HALLMARK_TESTS_VERIFIER_COSIGN_FIXTURE_H
#define HALLMARK_TESTS_VERIFIER_COSIGN_FIXTURE_H

#include "tests/unit/verifier/item_builder.h"

#include "verifier/cosign.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct voice { /* an enclave that co-signs */
	EVP_PKEY *rsa;
	char *pem;
	uint8_t boot_id[16];
};

static inline void voice_make(struct voice *v, uint8_t boot)
{
	v->rsa = EVP_RSA_gen(2048);
	v->pem = pem_of(v->rsa);
	memset(v->boot_id, boot, sizeof(v->boot_id));
}

static inline void voice_drop(struct voice *v)
{
	EVP_PKEY_free(v->rsa);
	free(v->pem);
}

/* Its word on this item: right in all but what a test changes. */
static inline struct cosign voice_says(
    const struct voice *v, const struct item_builder *i)
{
	struct cosign c = {
	    .sequence = i->item.sequence,
	    .published_ms = i->item.published_ms + 40,
	    .price = "84036.10",
	    .own_published_ms = i->item.published_ms - 300,
	};

	memcpy(c.boot_id, v->boot_id, 16);
	memset(c.config_sha256, 0xc0, 32);
	snprintf(c.feed, sizeof(c.feed), "%s", i->item.feed);
	memcpy(c.item_boot_id, i->item.boot_id, 16);
	assert(EVP_Digest(i->content, i->content_len, c.content_sha256, NULL,
		   EVP_sha256(), NULL) == 1);
	memset(c.own_content_sha256, 0x0a, 32);
	return c;
}

static inline void voice_sign(const struct voice *v, struct hm_envelope *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = 512;

	out->signature = malloc(len);
	assert(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, v->rsa) == 1);
	assert(EVP_DigestSign(ctx, out->signature, &len,
		   (const unsigned char *)out->content, out->content_len) == 1);
	out->signature_len = len;
	EVP_MD_CTX_free(ctx);
}

/* A document of the same root and image for this voice. */
static inline void voice_attest(
    const struct voice *v, struct builder *b, struct hm_envelope *out)
{
	EVP_PKEY *rsa = b->rsa;
	struct blob *data = &b->user_data;

	b->rsa = v->rsa;
	builder_reset(b);
	b->rsa = rsa;
	b->kept = 1; /* the policy knows that root */
	data->len = 0;
	blob_head(data, 5, 2);
	blob_text(data, "boot_id");
	blob_bytes(data, v->boot_id, 16);
	blob_text(data, "config_sha256");
	blob_bytes(data, (const uint8_t[32]){[0] = 0}, 32);
	memset(data->at + data->len - 32, 0xc0, 32);
	builder_make(b);
	out->document = malloc(b->document.len);
	memcpy(out->document, b->document.at, b->document.len);
	out->document_len = b->document.len;
	assert(EVP_Digest(out->document, out->document_len,
		   out->attestation_sha256, NULL, EVP_sha256(), NULL) == 1);
}

/* After item_envelope(), which makes the root. hm_envelope_fini() after. */
static inline void voice_cosign(const struct voice *v, struct builder *b,
    const struct cosign *c, struct hm_envelope *out)
{
	char content[COSIGN_CONTENT_MAX];

	memset(out, 0, sizeof(*out));
	assert(cosign_encode(c, content, &out->content_len) == 0);
	out->content = strdup(content);
	out->public_key = strdup(v->pem);
	snprintf(out->platform, sizeof(out->platform), "simulated");
	voice_sign(v, out);
	voice_attest(v, b, out);
}

#endif
