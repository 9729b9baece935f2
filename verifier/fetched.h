/*
 * fetched: the signed content of an attested fetch, one text for one value, as
 * item.h is for items: fetched_decode accepts exactly what fetched_encode
 * writes.
 *
 *   {"format":"hallmark-fetch/1","boot_id":hex,"hostname":"api.kraken.com",
 *    "port":443,"path":"/0/public/Time","status":200,"body":text,
 *    "body_sha256":hex,"tls_spki_sha256":hex,"date_ms":ms or null,
 *    "fetched_ms":ms,"config_sha256":hex}
 *
 * without blanks. A body that is not UTF-8, or has control characters besides
 * tab, line feed and carriage return, is "body_b64" instead. Pure.
 *
 * Here is also which host and path can be asked for at all: a request that two
 * programs could read in two ways (dot segments, escapes in the path) is none,
 * so that a prefix of an allow-list means what it says.
 */
#ifndef HALLMARK_VERIFIER_FETCHED_H
#define HALLMARK_VERIFIER_FETCHED_H

#include "verifier/hallmark.h"

#define FETCHED_FORMAT "hallmark-fetch/1"
/* Each byte of a body is at most two of the content's. */
#define FETCHED_CONTENT_MAX (2 * HM_FETCHED_BODY_MAX + 8192)

/* A DNS name in lower case, no address, no last dot (RFC 1123, 2.1). */
bool fetched_is_hostname(const char *text);
/*
 * A path, and a query behind the first "?" (RFC 3986, 3.3, 3.4). The path
 * consists of letters, digits and -._~!$&'()*+,=:@/ alone: no escape, no ";",
 * no empty segment but the last, none of dots only. The query may have escapes.
 */
bool fetched_is_path(const char *text);

/* The content, NUL-terminated, which the caller frees, and its length without
 * the NUL; does not look at content_sha256 and document, and makes body_sha256
 * itself. NULL: something above does not hold, or no memory. */
char *fetched_encode(const struct hm_fetched *fetched, size_t *len);

/* content_sha256 and document stay zero; hm_fetched_fini() it. 0, or -1 and
 * *out zeroed. Any bytes are safe. */
HM_MUST_CHECK int fetched_decode(
    struct hm_fetched *out, const char *text, size_t len);

#endif
