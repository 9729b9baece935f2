/* json_of: what the library says, as JSON: hashes and other bytes in
 * lower-case hex, absent ones null. New references; NULL: no memory. */
#ifndef HALLMARK_VERIFIER_CLI_JSON_OF_H
#define HALLMARK_VERIFIER_CLI_JSON_OF_H

#include "verifier/hallmark.h"
#include "verifier/hex_json.h"

#include <jansson.h>

/* A string, null for NULL; what is not UTF-8 is said to be so. */
json_t *json_of_text(const char *text);
json_t *json_of_document(const struct hm_document *document);
json_t *json_of_item(const struct hm_item *item);

/* Prints and releases it. Returns 0, or -1 if that fails. */
int json_of_print(json_t *root);

#endif
