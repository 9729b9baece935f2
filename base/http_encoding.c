/* http_encoding: which content codings a client takes. No I/O. */
#include "base/http_state.h"

#include <stdlib.h>
#include <string.h>

/* RFC 9110 12.4.2: qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
 * In thousandths; -1 if it is none. */
static int read_qvalue(const char *text, size_t len)
{
	int value, scale = 100;

	if (len == 0 || len > 5 || (text[0] != '0' && text[0] != '1'))
		return -1;
	value = (text[0] - '0') * 1000;
	if (len > 1 && text[1] != '.')
		return -1;
	for (size_t i = 2; i < len; i++, scale /= 10) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value += (text[i] - '0') * scale;
	}
	return value <= 1000 ? value : -1;
}

static const char *skip_blanks(const char *text, const char *end)
{
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	return text;
}

static const char *trim(const char *text, const char *end)
{
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return end;
}

/* One member of the list: the coding's name, and its weight; 1 without one, 0
 * for what is not well formed: it is not asked for then. */
static int read_member(const char *text, const char *end, size_t *name_len)
{
	const char *semicolon = memchr(text, ';', (size_t)(end - text));
	const char *weight;

	*name_len = (size_t)(trim(text, semicolon ? semicolon : end) - text);
	if (!semicolon)
		return 1000;
	weight = skip_blanks(semicolon + 1, end);
	end = trim(weight, end);
	if (end - weight < 2 || strncasecmp(weight, "q=", 2) != 0)
		return 0;
	return read_qvalue(weight + 2, (size_t)(end - weight - 2));
}

static bool is_coding(const char *name, size_t len, const char *coding)
{
	return strlen(coding) == len && strncasecmp(name, coding, len) == 0;
}

bool http_accepts_gzip(const char *accept_encoding)
{
	int gzip = -1, any = -1, identity = -1;
	const char *at = accept_encoding;

	while (at && *at) {
		const char *end = at + strcspn(at, ",");
		const char *text = skip_blanks(at, end);
		size_t len;
		int weight = read_member(text, end, &len);

		if (is_coding(text, len, "gzip") ||
		    is_coding(text, len, "x-gzip"))
			gzip = weight;
		else if (is_coding(text, len, "identity"))
			identity = weight;
		else if (is_coding(text, len, "*"))
			any = weight;
		at = *end ? end + 1 : end;
	}
	if (gzip < 0)
		gzip = any;
	return gzip > 0 && gzip >= identity;
}

bool http_wants_gzip(const struct http_request *req)
{
	return http_accepts_gzip(http_header(req, "Accept-Encoding"));
}
