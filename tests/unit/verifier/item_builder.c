/* item_builder: see item_builder.h. */
#include "tests/unit/verifier/item_builder.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_source(struct item_source *s, const char *exchange)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->exchange, sizeof(s->exchange), "%s", exchange);
	snprintf(s->symbol, sizeof(s->symbol), "BTC-USD");
	s->quote.has_last = true;
	s->quote.last = (struct decimal){8403600, -2};
	s->has_price = true;
	s->price = (struct decimal){8403600, -2};
	s->has_answer = true;
	s->received_ms = ITEM_PUBLISHED_MS - 100;
	s->state = SOURCE_USED;
}

void item_user_data(const struct item_builder *i, struct blob *out)
{
	out->len = 0;
	blob_head(out, 5, 2);
	blob_text(out, "boot_id");
	blob_bytes(out, i->item.boot_id, 16);
	blob_text(out, "config_sha256");
	blob_bytes(out, i->item.config_sha256, 32);
}

void item_reset(struct item_builder *i, struct builder *b)
{
	struct item *item = &i->item;

	memset(i, 0, sizeof(*i));
	builder_reset(b);
	i->b = b;
	snprintf(item->feed, sizeof(item->feed), "BTC-USD");
	memset(item->boot_id, 0xb0, 16);
	item->sequence = 7;
	item->price = (struct decimal){8403600, -2};
	item->confidence = (struct decimal){12, -2};
	item->published_ms = ITEM_PUBLISHED_MS;
	item->expires_ms = ITEM_EXPIRES_MS;
	set_source(&item->sources[0], "bitstamp");
	set_source(&item->sources[1], "kraken");
	item->source_count = 2;
	item->min_sources = 2;
	memset(item->config_sha256, 0xc0, 32);
	memset(item->previous_sha256, 0x77, 32);
	item_user_data(i, &b->user_data);
}

void item_content(struct item_builder *i)
{
	assert(item_encode(&i->item, i->content, sizeof(i->content),
		   &i->content_len) == 0);
}

void item_sign(struct item_builder *i)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(i->signature);

	assert(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, i->b->rsa) == 1);
	assert(EVP_DigestSign(ctx, i->signature, &len,
		   (const unsigned char *)i->content, i->content_len) == 1);
	i->envelope.signature_len = len;
	EVP_MD_CTX_free(ctx);
}

void item_envelope(struct item_builder *i)
{
	struct hm_envelope *e = &i->envelope;

	builder_make(i->b);
	i->policy = builder_policy(i->b);
	e->content = i->content;
	e->content_len = i->content_len;
	e->signature = i->signature;
	e->public_key = i->b->rsa_pem;
	snprintf(e->platform, sizeof(e->platform), "simulated");
	e->document = i->b->document.at;
	e->document_len = i->b->document.len;
	assert(EVP_Digest(e->document, e->document_len, e->attestation_sha256,
		   NULL, EVP_sha256(), NULL) == 1);
}

void item_drop(struct item_builder *i)
{
	hm_policy_free(i->policy);
	i->policy = NULL;
}

void item_make(struct item_builder *i, struct builder *b)
{
	item_reset(i, b);
	item_content(i);
	item_sign(i);
	item_envelope(i);
}
