/* parent: see parent.h. */
#include "oracle/init/parent.h"

#include <stdio.h>
#include <string.h>

int parent_cid(char cid[static PARENT_TEXT_MAX], const char *command_line)
{
	const size_t word_len = strlen(PARENT_WORD);
	struct endpoint there;
	unsigned found = 0;

	snprintf(cid, PARENT_TEXT_MAX, "%d", PARENT_CID);
	for (const char *at = command_line; *at != '\0';) {
		size_t len = strcspn(at, " \t\n");

		if (len >= word_len && memcmp(at, PARENT_WORD, word_len) == 0) {
			if (found++ > 0 || len - word_len >= PARENT_TEXT_MAX)
				return -1;
			memcpy(cid, at + word_len, len - word_len);
			cid[len - word_len] = '\0';
		}
		at += len;
		at += strspn(at, " \t\n");
	}
	return parent_endpoint(&there, cid, 1);
}

int parent_endpoint(struct endpoint *out, const char *cid, unsigned port)
{
	char text[ENDPOINT_TEXT_MAX];

	/* The wildcard is for those who listen. */
	if (strcmp(cid, "any") == 0)
		return -1;
	snprintf(text, sizeof(text), "vsock://%s:%u", cid, port);
	return endpoint_parse(out, text) == 0 ? 0 : -1;
}
