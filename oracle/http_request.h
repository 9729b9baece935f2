/* http_request: the bytes of our GET. Pure. */
#ifndef HALLMARK_ORACLE_HTTP_REQUEST_H
#define HALLMARK_ORACLE_HTTP_REQUEST_H

#include "feeds/exchanges/exchange.h"

#include <stddef.h>
#include <stdint.h>

/* The longest target, the longest host name and the rest, and a NUL. */
#define HTTP_REQUEST_MAX (EXCHANGE_TARGET_MAX + 512)

/*
 * Writes the request, NUL-terminated, and returns its length. The target comes
 * from our adapters and the host from their table, so it asserts that they
 * hold nothing but visible ASCII and that all fits.
 */
size_t http_request_get(char out[static HTTP_REQUEST_MAX], const char *host,
    uint16_t port, const char *target);

#endif
