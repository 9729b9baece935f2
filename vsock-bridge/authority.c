/* authority: see authority.h. */
#include "vsock-bridge/authority.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* One spelling for each port: no sign, no leading zero, 1 to 65535. */
static int parse_port(uint16_t *port, const char *text, size_t len)
{
	uint32_t value = 0;

	if (len == 0 || len > 5 || text[0] == '0')
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return -1;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	if (value > UINT16_MAX)
		return -1;
	*port = (uint16_t)value;
	return 0;
}

static const char *check_label(const char *label, size_t len)
{
	if (len == 0)
		return "the host name has an empty label";
	if (len > AUTHORITY_LABEL_MAX)
		return "the host name has a label of more than 63 bytes";
	if (label[0] == '-' || label[len - 1] == '-')
		return "a label of the host name begins or ends with '-'";
	for (size_t i = 0; i < len; i++)
		if (!is_letter(label[i]) && !is_digit(label[i]) &&
		    label[i] != '-')
			return "the host name holds a character other than "
			       "letters, digits, '-' and '.'";
	return NULL;
}

/* RFC 1123 2.1: letters, digits and inner hyphens. */
static const char *check_name(const char *host)
{
	const char *why, *dot;

	if (host[0] != '\0' && host[strlen(host) - 1] == '.')
		return "the host name ends with a dot";
	while ((dot = strchr(host, '.')) != NULL) {
		why = check_label(host, (size_t)(dot - host));
		if (why != NULL)
			return why;
		host = dot + 1;
	}
	return check_label(host, strlen(host));
}

static const char *check_literal(const char *host)
{
	struct in6_addr ignored;

	if (inet_pton(AF_INET6, host, &ignored) != 1)
		return "what stands in brackets is not an IPv6 address";
	return NULL;
}

static const char *take_host(
    char host[static AUTHORITY_HOST_MAX], const char *text, size_t len)
{
	bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';

	if (bracketed) {
		text++;
		len -= 2;
	}
	if (len == 0)
		return "the host is empty";
	if (len >= AUTHORITY_HOST_MAX)
		return "the host name is longer than 253 bytes";
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\0')
			return "the host name holds a NUL";
		host[i] = lower(text[i]);
	}
	host[len] = '\0';
	return bracketed ? check_literal(host) : check_name(host);
}

static const char *take_authority(
    struct authority *out, const char *text, size_t len)
{
	const char *colon = memrchr(text, ':', len);
	size_t host_len;

	if (colon == NULL)
		return "the port is missing";
	host_len = (size_t)(colon - text);
	if (parse_port(&out->port, colon + 1, len - host_len - 1) != 0)
		return "the port is not a number from 1 to 65535";
	return take_host(out->host, text, host_len);
}

int authority_parse(
    struct authority *out, const char *text, size_t len, const char **why)
{
	memset(out, 0, sizeof(*out));
	*why = take_authority(out, text, len);
	if (*why == NULL)
		return 0;
	memset(out, 0, sizeof(*out));
	return -1;
}

static bool is_name(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot != NULL ? dot + 1 : host;

	/* RFC 3696 2: the last label of a name is not all-numeric; none that
	 * begins with a digit is delegated, and inet_aton(3) takes "0x7f.1".
	 */
	return is_letter(last[0]) && strchr(host, ':') == NULL;
}

int authority_parse_name(char host[static AUTHORITY_HOST_MAX], const char *text,
    size_t len, const char **why)
{
	memset(host, 0, AUTHORITY_HOST_MAX);
	*why = take_host(host, text, len);
	if (*why == NULL && !is_name(host))
		*why = "the host is an address, not a name";
	if (*why == NULL)
		return 0;
	memset(host, 0, AUTHORITY_HOST_MAX);
	return -1;
}

bool authority_is_name(const struct authority *authority)
{
	return is_name(authority->host);
}

int authority_compare(const struct authority *a, const struct authority *b)
{
	int order = strcmp(a->host, b->host);

	if (order != 0)
		return order;
	return (a->port > b->port) - (a->port < b->port);
}

void authority_format(
    const struct authority *authority, char out[static AUTHORITY_TEXT_MAX])
{
	bool literal = strchr(authority->host, ':') != NULL;

	snprintf(out, AUTHORITY_TEXT_MAX, literal ? "[%s]:%u" : "%s:%u",
	    authority->host, (unsigned)authority->port);
}
