/* der: see der.h. */
#include "verifier/der.h"

#include "feeds/check.h"

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

	if (REFUSE(der_no_length, in->len == 0))
		return -1;
	*len = *in->at++;
	in->len--;
	if (*len < 0x80)
		return REQUIRE(der_short_length, *len <= in->len) ? 0 : -1;
	count = *len - 0x80;
	if (REFUSE(der_length_of_3, count > 2) ||
	    REFUSE(der_length_cut, count > in->len))
		return -1;
	for (*len = 0; count > 0; count--, in->at++, in->len--)
		*len = *len << 8 | *in->at;
	/* One byte must be needed, and two bytes only above 255. Without any
	 * (the indefinite form) it is 0 here. */
	if (REFUSE(der_length_1_minimal, *len < 0x80) ||
	    REFUSE(der_length_2_minimal, in->at[-2] == 0 && *len < 0x100))
		return -1;
	return REQUIRE(der_long_length, *len <= in->len) ? 0 : -1;
}

/* The content, whose length was just read. */
static struct slice take_content(struct slice *in, size_t len)
{
	struct slice content = {in->at, len};

	in->at += len;
	in->len -= len;
	return content;
}

static bool integer_ok(struct slice value)
{
	uint8_t first;

	if (REFUSE(der_integer_empty, value.len == 0))
		return false;
	if (value.len == 1)
		return true;
	/* 8.3.2: the first nine bits are not all the same */
	first = value.at[0];
	return REQUIRE(der_integer_zeros,
		   first != 0x00 || (value.at[1] & 0x80) != 0) &&
	       REQUIRE(der_integer_ones,
		   first != 0xff || (value.at[1] & 0x80) == 0);
}

static bool bit_string_ok(struct slice value)
{
	uint8_t unused, last;

	if (REFUSE(der_bits_empty, value.len == 0) ||
	    REFUSE(der_bits_unused, value.at[0] > 7))
		return false;
	unused = value.at[0];
	if (value.len == 1)
		return REQUIRE(der_bits_none, unused == 0);
	/* 11.2.1: "Each unused bit ... shall be set to zero." */
	last = value.at[value.len - 1];
	return REQUIRE(der_bits_zero, (last & ((1u << unused) - 1)) == 0);
}

static bool object_id_ok(struct slice value)
{
	bool first = true; /* of a subidentifier */

	for (size_t i = 0; i < value.len; i++) {
		if (REFUSE(der_oid_minimal, first && value.at[i] == 0x80))
			return false;
		first = (value.at[i] & 0x80) == 0;
	}
	return REQUIRE(der_oid_empty, value.len > 0) &&
	       REQUIRE(der_oid_cut, first);
}

static bool primitive_ok(uint8_t tag, struct slice value)
{
	if ((tag & CLASS_MASK) != 0)
		return true;
	switch (tag & NUMBER_MASK) {
	case BOOLEAN:
		/* 11.1: "all eight bits set to one" for TRUE; FALSE would be a
		 * default that is written */
		return REQUIRE(der_boolean_length, value.len == 1) &&
		       REQUIRE(der_boolean, value.at[0] == 0xff);
	case INTEGER:
		return integer_ok(value);
	case BIT_STRING:
		return bit_string_ok(value);
	case NULL_TYPE:
		return REQUIRE(der_null, value.len == 0);
	case OBJECT_ID:
		return object_id_ok(value);
	case SEQUENCE:
	case SET:
		return REQUIRE(der_primitive_set, false);
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
	size_t len;
	uint8_t tag;

	if (REFUSE(der_empty, in->len == 0) ||
	    REFUSE(der_depth, depth > DEPTH_MAX))
		return -1;
	tag = *in->at++;
	in->len--;
	if (REFUSE(der_long_tag, (tag & NUMBER_MASK) == NUMBER_MASK) ||
	    take_length(in, &len) != 0)
		return -1;
	value = take_content(in, len);
	if ((tag & CONSTRUCTED) == 0)
		return primitive_ok(tag, value) ? 0 : -1;
	if (REFUSE(der_constructed, !may_be_constructed(tag)))
		return -1;
	while (value.len > 0)
		if (take_element(&value, depth + 1) != 0)
			return -1;
	return 0;
}

int der_check(struct slice der)
{
	if (take_element(&der, 0) != 0)
		return -1;
	return REQUIRE(der_end, der.len == 0) ? 0 : -1;
}

int der_take(struct slice *in, uint8_t tag, struct slice *value)
{
	size_t len;

	*value = (struct slice){NULL, 0};
	if (REFUSE(der_nothing, in->len == 0) ||
	    REFUSE(der_tag, in->at[0] != tag))
		return -1;
	in->at++;
	in->len--;
	if (take_length(in, &len) != 0)
		return -1;
	*value = take_content(in, len);
	return 0;
}
