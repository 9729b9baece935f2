/* hex_json: see hex_json.h. */
#include "verifier/hex_json.h"

#include "feeds/hex.h"

#include <stdlib.h>
#include <string.h>

json_t *hex_json(const uint8_t *bytes, size_t len)
{
	char *text = malloc(2 * len + 1);
	json_t *out;

	if (text == NULL)
		return NULL;
	hex_encode(bytes, len, text);
	out = json_stringn_nocheck(text, 2 * len);
	free(text);
	return out;
}

void hex_json_read(uint8_t *out, size_t len, const char *text)
{
	if (text == NULL || hex_decode(out, len, text, strlen(text)) != 0)
		memset(out, 0, len);
}
