/* item_builder: a signed item of an attested oracle, right in all but what a
 * test changes between the steps. Included as item_builder.c. */
#ifndef HALLMARK_TESTS_VERIFIER_ITEM_BUILDER_H
#define HALLMARK_TESTS_VERIFIER_ITEM_BUILDER_H

#include "tests/unit/verifier/document_builder.h"

#include "feeds/item.h"

#define ITEM_PUBLISHED_MS (BUILDER_NOW_MS + 2000)
#define ITEM_EXPIRES_MS   (ITEM_PUBLISHED_MS + 5000)

struct item_builder {
	struct builder *b;
	struct item item;
	char content[ITEM_CONTENT_MAX + 1];
	size_t content_len;
	uint8_t signature[512];
	struct hm_envelope envelope; /* points into this and into b */
	struct hm_policy *policy;
};

/* Steps 1 to 4; each may be followed by a change. */
void item_reset(struct item_builder *i, struct builder *b);
void item_content(struct item_builder *i); /* item -> content */
void item_sign(struct item_builder *i);    /* content -> signature */
/* b's document, the envelope and the policy; item_drop() after. */
void item_envelope(struct item_builder *i);
void item_drop(struct item_builder *i);
/* All four. */
void item_make(struct item_builder *i, struct builder *b);

/* {"boot_id": ..., "config_sha256": ...} */
void item_user_data(const struct item_builder *i, struct blob *out);

#endif
