/* http_target: see http_target.h. */
#include "base/http_target.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- decoding, in place ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* jansson knows what UTF-8 is (RFC 3629: no surrogates, nothing overlong). */
static bool is_utf8(const char *text, size_t len)
{
	json_t *string = json_stringn(text, len);

	json_decref(string);
	return string != NULL;
}

/* Reads one character of the target and advances; -1 if it is malformed. */
static int decode_one(const char **in)
{
	unsigned char c = (unsigned char)**in;
	int high, low;

	if (c != '%') {
		++*in;
		return c > ' ' && c < 0x7f ? c : -1;
	}
	high = hex_value((*in)[1]);
	low = high < 0 ? -1 : hex_value((*in)[2]);
	if (low < 0)
		return -1;
	*in += 3;
	c = (unsigned char)(high << 4 | low);
	return c >= ' ' && c != 0x7f ? c : -1;
}

/* Decodes a NUL-terminated piece; plus_is_space for a query's (WHATWG URL,
 * application/x-www-form-urlencoded). */
static bool decode(char *piece, bool plus_is_space)
{
	const char *in = piece;
	char *out = piece;

	while (*in) {
		bool literal = *in != '%';
		int c = decode_one(&in);

		if (c < 0)
			return false;
		if (c == '+' && literal && plus_is_space)
			c = ' ';
		*out++ = (char)c;
	}
	*out = '\0';
	return is_utf8(piece, (size_t)(out - piece));
}

/* ---- path and query ---- */

static bool is_segment(const char *segment)
{
	return strcmp(segment, ".") != 0 && strcmp(segment, "..") != 0 &&
	       strpbrk(segment, "/\\") == NULL;
}

static enum http_target_error parse_path(struct http_target *out, char *path)
{
	char *rest = path;

	if (*rest++ != '/')
		return HTTP_TARGET_PATH_INVALID;
	while (rest) {
		char *segment = strsep(&rest, "/");

		if (out->segment_count == HTTP_SEGMENTS_MAX)
			return HTTP_TARGET_PATH_TOO_DEEP;
		if (!decode(segment, false) || !is_segment(segment))
			return HTTP_TARGET_PATH_INVALID;
		out->segments[out->segment_count++] = segment;
	}
	return HTTP_TARGET_OK;
}

static enum http_target_error parse_query(struct http_target *out, char *rest)
{
	while (rest) {
		char *value = strsep(&rest, "&"), *name;

		if (*value == '\0')
			continue;
		if (out->param_count == HTTP_PARAMS_MAX)
			return HTTP_TARGET_PARAMS_TOO_MANY;
		name = strsep(&value, "=");
		if (!decode(name, true) || (value && !decode(value, true)))
			return HTTP_TARGET_QUERY_INVALID;
		out->params[out->param_count++] = (struct http_param){
		    .name = name,
		    .value = value ? value : "",
		};
	}
	return HTTP_TARGET_OK;
}

/* RFC 9112 3.2.2: a server must take "http://host/path" as well. */
static char *skip_authority(char *text)
{
	char *end;

	if (strncasecmp(text, "http://", 7) != 0)
		return text;
	end = text + 7 + strcspn(text + 7, "/?");
	return end;
}

enum http_target_error http_target_parse(
    struct http_target *out, const char *text)
{
	enum http_target_error error;
	char *query, *path;

	memset(out, 0, sizeof(*out));
	out->text = strdup(text);
	if (!out->text)
		return HTTP_TARGET_NO_MEMORY;
	query = skip_authority(out->text);
	path = strsep(&query, "?");
	error = parse_path(out, path);
	if (error == HTTP_TARGET_OK)
		error = parse_query(out, query);
	if (error != HTTP_TARGET_OK)
		http_target_fini(out);
	return error;
}

void http_target_fini(struct http_target *target)
{
	free(target->text);
	memset(target, 0, sizeof(*target));
}

/* ---- against the routes ---- */

bool http_target_matches(
    const struct http_target *target, const char *path, const char **part)
{
	*part = "";
	for (size_t i = 0; i < target->segment_count; i++) {
		const char *segment = target->segments[i];
		size_t len;

		if (*path++ != '/')
			return false;
		len = strcspn(path, "/");
		if (*path == '{') {
			if (*segment == '\0')
				return false;
			*part = segment;
		} else if (strlen(segment) != len ||
			   memcmp(segment, path, len) != 0) {
			return false;
		}
		path += len;
	}
	return *path == '\0';
}

static bool is_listed(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool is_list(const char *name)
{
	size_t len = strlen(name);

	return len >= 2 && strcmp(name + len - 2, "[]") == 0;
}

const struct http_param *http_target_bad_param(
    const struct http_target *target, const char *const *allowed, bool *twice)
{
	*twice = false;
	for (size_t i = 0; i < target->param_count; i++) {
		const struct http_param *param = &target->params[i];

		if (!is_listed(allowed, param->name))
			return param;
		for (size_t j = 0; j < i && !is_list(param->name); j++) {
			if (strcmp(target->params[j].name, param->name) != 0)
				continue;
			*twice = true;
			return param;
		}
	}
	return NULL;
}

/* ---- entity tags ---- */

bool http_etag_matches(const char *if_none_match, const char *etag)
{
	const char *p = if_none_match;

	p += strspn(p, " \t");
	if (*p == '*')
		return p[1 + strspn(p + 1, " \t")] == '\0';
	for (;;) {
		size_t len;

		p += strspn(p, " \t,");
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		if (*p != '"')
			return false;
		len = strcspn(p + 1, "\"");
		if (p[1 + len] != '"')
			return false;
		len += 2;
		if (strlen(etag) == len && memcmp(p, etag, len) == 0)
			return true;
		p += len;
	}
}
