/*
 * eif_metadata: the metadata section: JSON that tells how an image was made.
 * Nothing measures it, so it proves nothing. nitro-cli refuses images whose
 * metadata lacks one of its keys; eif_metadata_make() writes all.
 */
#ifndef HALLMARK_VERIFIER_EIF_EIF_METADATA_H
#define HALLMARK_VERIFIER_EIF_EIF_METADATA_H

#include "verifier/eif/eif_format.h"

#include <jansson.h>
#include <stddef.h>

/* A JSON object, nothing behind it, no key twice; NULL. A new reference. */
json_t *eif_metadata_parse(const char *text, size_t len);

/* Whether it has any of nitro-cli's keys, and so is meant to be all of it. */
int eif_metadata_is_whole(const json_t *object);
/* The first key of nitro-cli's that it lacks or has in a wrong type, or
 * NULL. */
const char *eif_metadata_lacks(const json_t *object);

struct eif_metadata {
	const char *name, *version; /* of the image */
	const char *tool_version;
	const char *time;     /* RFC 3339 */
	const json_t *custom; /* borrowed; NULL: none */
};

/* Compact JSON, the same for the same; the caller frees it. NULL: no memory,
 * or a text that is not UTF-8. */
char *eif_metadata_make(const struct eif_metadata *metadata);

#endif
