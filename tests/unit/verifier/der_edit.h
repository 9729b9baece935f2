/* der_edit: changes one element of a DER structure and writes anew the lengths
 * of all that it is in, so that nothing else is wrong. */
#ifndef HALLMARK_TESTS_VERIFIER_DER_EDIT_H
#define HALLMARK_TESTS_VERIFIER_DER_EDIT_H

#include "tests/unit/verifier/document_builder.h"

#include <assert.h>

enum der_op {
	DER_TAG,    /* its tag becomes the one byte given */
	DER_VALUE,  /* its value becomes these bytes */
	DER_APPEND, /* these bytes at the end of its value */
	DER_AFTER,  /* these bytes behind it */
	DER_CUT,    /* its value loses its last byte */
};

struct der_edit {
	/* One digit for each step: "61" is the second child of the seventh
	 * child; "" the outermost element. */
	const char *path;
	enum der_op op;
	const char *bytes;
	size_t len;
};

struct der_element {
	uint8_t tag;
	struct slice value;
};

/* Steps over the first element; `in` is DER of our making. */
static inline struct der_element der_take(struct slice *in)
{
	struct der_element out = {.tag = in->at[0]};
	size_t head = 2, len = in->at[1];

	if (len == 0x81) {
		head = 3;
		len = in->at[2];
	} else if (len == 0x82) {
		head = 4;
		len = (size_t)in->at[2] << 8 | in->at[3];
	}
	assert(head + len <= in->len);
	out.value = (struct slice){in->at + head, len};
	in->at += head + len;
	in->len -= head + len;
	return out;
}

static inline void der_put(struct blob *out, uint8_t tag, struct slice value)
{
	blob_der_head(out, tag, value.len);
	blob_put(out, value.at, value.len);
}

static inline void der_change(
    struct blob *out, struct der_element element, const struct der_edit *edit)
{
	struct blob value = {.len = 0};

	if (edit->op == DER_TAG)
		element.tag = (uint8_t)edit->bytes[0];
	if (edit->op == DER_CUT)
		element.value.len--;
	if (edit->op != DER_VALUE)
		blob_put(&value, element.value.at, element.value.len);
	if (edit->op == DER_VALUE || edit->op == DER_APPEND)
		blob_put(&value, edit->bytes, edit->len);
	der_put(out, element.tag, (struct slice){value.at, value.len});
	if (edit->op == DER_AFTER)
		blob_put(out, edit->bytes, edit->len);
}

static inline void der_copy_edited(struct blob *out, struct der_element element,
    const char *path, const struct der_edit *edit)
{
	struct slice rest = element.value;
	struct blob value = {.len = 0};
	int wanted = path[0] - '0';

	if (path[0] == '\0') {
		der_change(out, element, edit);
		return;
	}
	for (int i = 0; rest.len > 0; i++) {
		struct der_element child = der_take(&rest);

		if (i == wanted)
			der_copy_edited(&value, child, path + 1, edit);
		else
			der_put(&value, child.tag, child.value);
	}
	der_put(out, element.tag, (struct slice){value.at, value.len});
}

static inline void der_edit(struct blob *der, const struct der_edit *edit)
{
	struct slice in = {der->at, der->len};
	struct blob out = {.len = 0};

	der_copy_edited(&out, der_take(&in), edit->path, edit);
	assert(in.len == 0);
	*der = out;
}

#endif
