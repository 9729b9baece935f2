/* der: see der.h. */
#include "verifier/der.h"

#define DEPTH_MAX 16 /* nested elements; a certificate has 7 or so */

#define CLASS_MASK  0xc0
#define CONSTRUCTED 0x20
#define NUMBER_MASK 0x1f

enum {
	BOOLEAN = 1,
	INTEGER = 2,
	BIT_STRING = 3,
	NULL_TYPE = 5,
	OBJECT_ID = 6,
	SEQUENCE = 16,
	SET = 17
};

/* X.690, 10.1: "The definite form of length encoding shall be used, encoded in
 * the minimum number of octets." Steps over the head. */
static int take_length(struct slice *in, size_t *len)
{
	size_t count;

	if (in->len == 0)
		return -1;
	*len = *in->at++;
	in->len--;
	if (*len < 0x80)
		return *len <= in->len ? 0 : -1;
	count = *len - 0x80;
	if (count == 0 || count > 2 || count > in->len)
		return -1;
	for (*len = 0; count > 0; count--, in->at++, in->len--)
		*len = *len << 8 | *in->at;
	/* One byte must be needed, and two bytes only above 255. */
	if (*len < 0x80 || (in->at[-2] == 0 && *len < 0x100))
		return -1;
	return *len <= in->len ? 0 : -1;
}

static bool integer_ok(struct slice value)
{
	if (value.len == 0)
		return false;
	if (value.len == 1)
		return true;
	/* 8.3.2: the first nine bits are not all the same */
	return !(value.at[0] == 0x00 && (value.at[1] & 0x80) == 0) &&
	       !(value.at[0] == 0xff && (value.at[1] & 0x80) != 0);
}

static bool bit_string_ok(struct slice value)
{
	uint8_t unused;

	if (value.len == 0 || value.at[0] > 7)
		return false;
	unused = value.at[0];
	if (value.len == 1)
		return unused == 0;
	/* 11.2.1: "Each unused bit ... shall be set to zero." */
	return (value.at[value.len - 1] & ((1u << unused) - 1)) == 0;
}

static bool object_id_ok(struct slice value)
{
	bool first = true; /* of a subidentifier */

	for (size_t i = 0; i < value.len; i++) {
		if (first && value.at[i] == 0x80)
			return false;
		first = (value.at[i] & 0x80) == 0;
	}
	return value.len > 0 && first;
}

static bool primitive_ok(uint8_t tag, struct slice value)
{
	if ((tag & CLASS_MASK) != 0)
		return true;
	switch (tag & NUMBER_MASK) {
	case BOOLEAN:
		return value.len == 1 &&
		       (value.at[0] == 0x00 || value.at[0] == 0xff);
	case INTEGER:
		return integer_ok(value);
	case BIT_STRING:
		return bit_string_ok(value);
	case NULL_TYPE:
		return value.len == 0;
	case OBJECT_ID:
		return object_id_ok(value);
	case SEQUENCE:
	case SET:
		return false;
	default:
		return true;
	}
}

/* 10.2: strings are primitive, so of the universal types only these two have
 * elements inside. */
static bool may_be_constructed(uint8_t tag)
{
	unsigned number = tag & NUMBER_MASK;

	return (tag & CLASS_MASK) != 0 || number == SEQUENCE || number == SET;
}

/* Steps over one element and all that is in it. */
static int take_element(struct slice *in, unsigned depth)
{
	struct slice value;
	uint8_t tag;

	if (in->len == 0 || depth > DEPTH_MAX)
		return -1;
	tag = *in->at++;
	in->len--;
	if ((tag & NUMBER_MASK) == NUMBER_MASK ||
	    take_length(in, &value.len) != 0)
		return -1;
	value.at = in->at;
	in->at += value.len;
	in->len -= value.len;
	if ((tag & CONSTRUCTED) == 0)
		return primitive_ok(tag, value) ? 0 : -1;
	if (!may_be_constructed(tag))
		return -1;
	while (value.len > 0)
		if (take_element(&value, depth + 1) != 0)
			return -1;
	return 0;
}

int der_check(struct slice der)
{
	return take_element(&der, 0) == 0 && der.len == 0 ? 0 : -1;
}
