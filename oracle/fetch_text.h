/* fetch_text: a signed answer as JSON, shared by those who wait for it until
 * the last of them, which may be a slow client, has let it go. */
#ifndef HALLMARK_ORACLE_FETCH_TEXT_H
#define HALLMARK_ORACLE_FETCH_TEXT_H

#include <stddef.h>

struct fetch_text {
	const char *json;
	size_t len;

	/* private */
	unsigned users;
	size_t *held;
};

/* Takes the JSON. *held, which outlives it, grows by its length until it is let
 * go. The caller has the first hold. Dies without memory. */
struct fetch_text *fetch_text_new(char *json, size_t *held);
void fetch_text_hold(struct fetch_text *text);
/* A struct fetch_text; untyped for body_done of http_server.h. */
void fetch_text_release(void *text);

#endif
