/* json_text: see json_text.h. The scanner copies the text and looks only for
 * strings (to pass over them), numbers (to mark them), brackets and commas (to
 * count them); jansson judges everything else. */
#include "feeds/json_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MARK         "\\u0001" /* as written in JSON, */
#define MARK_CHAR    '\1'      /* and as read */
#define MARK_LEN     (sizeof(MARK) - 1)
#define MARKED_EXTRA (MARK_LEN + 2) /* what marking adds to one number */

struct scanner {
	const char *p, *end; /* what is left of the text */
	char *copy;
	size_t capacity, len; /* of the copy */
	size_t values;        /* a bound on how many there were */
	int depth;
	size_t commas[JSON_TEXT_DEPTH_MAX + 1]; /* so far, by depth */
};

static void copy_bytes(struct scanner *s, const char *bytes, size_t len)
{
	assert(len <= s->capacity - s->len);
	memcpy(s->copy + s->len, bytes, len);
	s->len += len;
}

static bool scan_string(struct scanner *s)
{
	const char *start = s->p++;

	if ((size_t)(s->end - s->p) >= MARK_LEN &&
	    memcmp(s->p, MARK, MARK_LEN) == 0)
		return false;
	while (s->p < s->end && *s->p != '"') {
		if (*s->p == '\\')
			s->p++;
		s->p++;
	}
	if (s->p >= s->end)
		return false;
	s->p++;
	copy_bytes(s, start, (size_t)(s->p - start));
	return true;
}

static size_t count_digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return (size_t)(p - start);
}

/* The length of the number that starts at p (RFC 8259, 6), 0 if none does. */
static size_t number_length(const char *p, const char *end)
{
	const char *start = p;
	size_t digits;

	if (p < end && *p == '-')
		p++;
	digits = count_digits(p, end);
	if (digits == 0 || (*p == '0' && digits > 1))
		return 0;
	p += digits;
	if (p < end && *p == '.') {
		digits = count_digits(++p, end);
		if (digits == 0)
			return 0;
		p += digits;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		digits = count_digits(p, end);
		if (digits == 0)
			return 0;
		p += digits;
	}
	return (size_t)(p - start);
}

/* What may stand after a number. Not a colon: in {1:2} the number, being a
 * string by then, would pass for a key. Not a minus: see copy_capacity. */
static bool number_ends(const char *p, const char *end)
{
	if (p < end && memchr(" \t\n\r,]}", *p, 7) == NULL)
		return false;
	while (p < end && memchr(" \t\n\r", *p, 4) != NULL)
		p++;
	return p == end || *p != ':';
}

static bool scan_number(struct scanner *s)
{
	size_t len = number_length(s->p, s->end);

	if (len == 0 || !number_ends(s->p + len, s->end))
		return false;
	copy_bytes(s, "\"" MARK, MARK_LEN + 1);
	copy_bytes(s, s->p, len);
	copy_bytes(s, "\"", 1);
	s->p += len;
	return true;
}

static bool scan_bracket(struct scanner *s, char c)
{
	if (c == ']' || c == '}')
		return --s->depth >= 0;
	if (++s->depth > JSON_TEXT_DEPTH_MAX)
		return false;
	s->commas[s->depth] = 0;
	return ++s->values <= JSON_TEXT_VALUES_MAX;
}

static bool scan_other(struct scanner *s)
{
	char c = *s->p;

	copy_bytes(s, s->p++, 1);
	if (c == '[' || c == '{' || c == ']' || c == '}')
		return scan_bracket(s, c);
	return c != ',' || (++s->values <= JSON_TEXT_VALUES_MAX &&
			       ++s->commas[s->depth] < JSON_TEXT_MEMBERS_MAX);
}

static bool scan(struct scanner *s)
{
	bool ok = true;

	while (ok && s->p < s->end) {
		if (*s->p == '"')
			ok = scan_string(s);
		else if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
			ok = scan_number(s);
		else
			ok = scan_other(s);
	}
	return ok;
}

/* How much room the copy may need: each number that scan_number accepts is
 * the start of one run of digits and minus signs, because the byte after the
 * number before it was neither. */
static size_t copy_capacity(const char *text, size_t len)
{
	size_t numbers = 0;
	bool inside = false;

	for (size_t i = 0; i < len; i++) {
		bool digit = text[i] == '-' ||
			     (text[i] >= '0' && text[i] <= '9');
		numbers += digit && !inside;
		inside = digit;
	}
	return len + numbers * MARKED_EXTRA;
}

json_t *json_text_parse(const char *text, size_t len)
{
	struct scanner s = {0};
	json_t *json = NULL;

	if (len == 0 || len > JSON_TEXT_BYTES_MAX) /* text may be NULL */
		return NULL;
	s.p = text;
	s.end = text + len;
	s.capacity = copy_capacity(text, len);
	s.copy = malloc(s.capacity + 1);
	if (s.copy != NULL && scan(&s))
		json = json_loadb(s.copy, s.len, JSON_REJECT_DUPLICATES, NULL);
	free(s.copy);
	return json;
}

const char *json_text_string(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && text[0] != MARK_CHAR ? text : NULL;
}

bool json_text_is_number(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && text[0] == MARK_CHAR;
}

/* The text of a number or string; NULL for anything else. */
static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return json_text_is_number(value) ? text + 1 : text;
}

int json_text_decimal(struct decimal *out, const json_t *value)
{
	const char *text = text_of(value);

	*out = (struct decimal){0};
	if (text == NULL)
		return DECIMAL_MALFORMED;
	return decimal_parse(out, text, strlen(text));
}

int json_text_integer(int64_t *out, const json_t *value)
{
	const char *text = text_of(value);
	struct decimal d;

	*out = 0;
	/* An exponent other than 0 would mean that zeros had to go to fit. */
	if (text == NULL || strpbrk(text, ".eE") != NULL ||
	    decimal_parse(&d, text, strlen(text)) != DECIMAL_OK ||
	    d.exponent != 0)
		return -1;
	*out = d.mantissa;
	return 0;
}
