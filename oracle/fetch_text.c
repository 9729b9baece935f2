/* fetch_text: see fetch_text.h. */
#include "oracle/fetch_text.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

struct fetch_text *fetch_text_new(char *json, size_t *held)
{
	struct fetch_text *text = malloc(sizeof(*text));

	if (text == NULL || json == NULL)
		log_die("fetch", "out of memory");
	*text = (struct fetch_text){json, strlen(json), 1, held};
	*held += text->len;
	return text;
}

void fetch_text_hold(struct fetch_text *text)
{
	text->users++;
}

void fetch_text_release(void *data)
{
	struct fetch_text *text = data;

	if (--text->users > 0)
		return;
	*text->held -= text->len;
	free((char *)text->json);
	free(text);
}
