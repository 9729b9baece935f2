/* http_request: the bytes of our GET. Pure. */
#ifndef HALLMARK_ORACLE_HTTP_REQUEST_H
#define HALLMARK_ORACLE_HTTP_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_REQUEST_MAX 1024 /* request line and five headers, and a NUL */

/*
 * Writes the request, NUL-terminated, and returns its length. The target comes
 * from our adapters and the host from their table, so it asserts that they
 * hold nothing but visible ASCII and that all fits.
 */
size_t http_request_get(char out[static HTTP_REQUEST_MAX], const char *host,
    uint16_t port, const char *target);

#endif
