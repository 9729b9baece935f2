/* flat_field: see flat_field.h. */
#include "verifier/flat_field.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/base64.h"

#include <stdlib.h>
#include <string.h>

bool flat_field_fits(const struct flat_field *field, size_t max)
{
	return REQUIRE(field_min, field->len > 0) &&
	       REQUIRE(field_max, field->len <= max);
}

char *flat_field_text(const struct flat_field *field, size_t max)
{
	char *out;

	if (!flat_field_fits(field, max))
		return NULL;
	out = malloc(field->len + 1);
	if (out == NULL)
		return NULL;
	if (field->len > 0)
		memcpy(out, field->text, field->len);
	out[field->len] = '\0';
	return out;
}

int flat_field_base64(
    const struct flat_field *field, size_t max, uint8_t **out, size_t *len)
{
	*out = NULL;
	*len = 0;
	if (!flat_field_fits(field, (max + 2) / 3 * 4))
		return -1;
	return base64_decode(out, len, field->text, field->len);
}

int flat_field_hex(const struct flat_field *field, uint8_t *out, size_t len)
{
	int status = hex_decode(out, len, field->text, field->len);

	if (REFUSE(field_hex, status != 0) ||
	    REFUSE(field_hex_case, hex_has_capital(field->text, field->len)))
		return -1;
	return 0;
}
