/* sgx_pem: see sgx_pem.h. */
#include "verifier/sgx/sgx_pem.h"

#include "feeds/check.h"
#include "verifier/base64.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 64

/* Steps over this text. */
static int take_text(struct slice *in, const char *text)
{
	size_t len = strlen(text);

	if (REFUSE(pem_text, in->len < len || memcmp(in->at, text, len) != 0))
		return -1;
	in->at += len;
	in->len -= len;
	return 0;
}

/* "-----BEGIN label-----" */
static int take_boundary(struct slice *in, const char *word, const char *label)
{
	if (take_text(in, "-----") != 0 || take_text(in, word) != 0 ||
	    take_text(in, label) != 0)
		return -1;
	return take_text(in, "-----");
}

/* One line without its newline, which must be there. */
static int take_line(struct slice *in, struct slice *line)
{
	const uint8_t *end = memchr(in->at, '\n', in->len);

	if (REFUSE(pem_newline, end == NULL))
		return -1;
	line->at = in->at;
	line->len = (size_t)(end - in->at);
	in->at = end + 1;
	in->len -= line->len + 1;
	return 0;
}

/* The lines up to the boundary, joined in `out`, which has room for all. */
static int join_lines(struct slice *in, char *out, size_t *len)
{
	struct slice line;
	bool last = false;

	*len = 0;
	while (in->len > 0 && in->at[0] != '-') {
		if (REFUSE(pem_short_line, last) || take_line(in, &line) != 0)
			return -1;
		if (REFUSE(pem_empty_line, line.len == 0) ||
		    REFUSE(pem_long_line, line.len > LINE_MAX_LEN))
			return -1;
		last = line.len < LINE_MAX_LEN;
		memcpy(out + *len, line.at, line.len);
		*len += line.len;
	}
	return REQUIRE(pem_no_lines, *len > 0) ? 0 : -1;
}

static int read_block(struct slice *text, const char *label, char *room,
    uint8_t **der, size_t *der_len)
{
	size_t len;

	if (take_boundary(text, "BEGIN ", label) != 0 ||
	    take_text(text, "\n") != 0 || join_lines(text, room, &len) != 0 ||
	    take_boundary(text, "END ", label) != 0)
		return -1;
	if (text->len > 0)
		if (take_text(text, "\n") != 0)
			return -1;
	return REQUIRE(pem_base64, base64_decode(der, der_len, room, len) == 0)
		   ? 0
		   : -1;
}

int sgx_pem_next(
    struct slice *text, const char *label, uint8_t **der, size_t *len)
{
	char *room;
	int status;

	*der = NULL;
	*len = 0;
	if (REFUSE(pem_block_max, text->len > SGX_PEM_MAX))
		return -1;
	room = malloc(text->len + 1);
	if (room == NULL)
		return -1;
	status = read_block(text, label, room, der, len);
	free(room);
	return status;
}
