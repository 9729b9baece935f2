/* plain_get: see plain_get.h. */
#include "base/plain_get.h"

#include <string.h>
#include <strings.h>

/* Cuts the line off that *rest begins with; NULL if there is none, or if a
 * character is in it that belongs in no line. The text ends with CRLF. */
static char *take_line(char **rest)
{
	char *line = *rest, *end = line;

	while ((unsigned char)*end >= ' ' || *end == '\t')
		end++;
	if (end[0] != '\r' || end[1] != '\n')
		return NULL;
	*end = '\0';
	*rest = end + 2;
	return strchr(line, 0x7f) ? NULL : line;
}

/* RFC 9112 3; 0 if it is not one of ours, else the minor version + 1. */
static int take_request_line(struct plain_get *out, char *line)
{
	char *target = line + 4, *version;

	if (strncmp(line, "GET ", 4) != 0)
		return 0;
	for (version = target; *version > ' '; version++)
		;
	if (version == target || *version != ' ')
		return 0;
	*version++ = '\0';
	out->target = target;
	if (strcmp(version, "HTTP/1.1") == 0)
		return 2;
	return strcmp(version, "HTTP/1.0") == 0;
}

/* RFC 9110 5.6.2. */
static bool is_token(const char *text, size_t len)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
				      "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return len > 0 && strspn(text, allowed) >= len;
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcasecmp(name, *names) == 0)
			return true;
	return false;
}

/* RFC 9112 5: no blank before the colon, no line that goes on. */
static bool take_field(struct plain_get *out, char *line)
{
	static const char *const others[] = {
	    "Content-Length", "Transfer-Encoding", "Expect", "Upgrade", NULL};
	static const char *const once[] = {"Host", "Last-Event-ID", NULL};
	size_t len = strcspn(line, ":"), end;
	char *value;

	if (line[len] != ':' || !is_token(line, len) ||
	    out->field_count == PLAIN_GET_FIELDS_MAX)
		return false;
	line[len] = '\0';
	if (is_one_of(line, others) ||
	    (is_one_of(line, once) && plain_get_field(out, line)))
		return false;
	value = line + len + 1;
	value += strspn(value, " \t");
	for (end = strlen(value); end > 0; end--)
		if (value[end - 1] != ' ' && value[end - 1] != '\t')
			break;
	value[end] = '\0';
	out->fields[out->field_count].name = line;
	out->fields[out->field_count++].value = value;
	return true;
}

/* RFC 9112 9.3: HTTP/1.0 has no such connections, or others. */
static bool stays(const struct plain_get *request, int version)
{
	const char *said = plain_get_field(request, "Connection");

	return version == 2 && (!said || strcasecmp(said, "keep-alive") == 0);
}

static bool take_head(struct plain_get *out)
{
	char *rest = out->text, *line = take_line(&rest);
	int version = line ? take_request_line(out, line) : 0;

	if (version == 0)
		return false;
	while ((line = take_line(&rest)) && *line)
		if (!take_field(out, line))
			return false;
	out->stays = stays(out, version);
	/* Nothing behind the empty line. */
	return line && *rest == '\0' &&
	       (version == 1 || plain_get_field(out, "Host"));
}

bool plain_get_parse(struct plain_get *out, const void *bytes, size_t len)
{
	out->target = NULL;
	out->field_count = 0;
	out->stays = false;
	out->text[0] = '\0';
	if (len > PLAIN_GET_BYTES_MAX || memchr(bytes, '\0', len))
		return false;
	memcpy(out->text, bytes, len);
	out->text[len] = '\0';
	if (take_head(out))
		return true;
	out->target = NULL;
	out->field_count = 0;
	return false;
}

const char *plain_get_field(const struct plain_get *request, const char *name)
{
	for (size_t i = 0; i < request->field_count; i++)
		if (strcasecmp(request->fields[i].name, name) == 0)
			return request->fields[i].value;
	return NULL;
}
