/* item_check: see item_check.c. For item.c, and for heads, which name feeds. */
#ifndef HALLMARK_FEEDS_ITEM_CHECK_H
#define HALLMARK_FEEDS_ITEM_CHECK_H

#include "feeds/item.h"

/* 2^53 - 1: exact in any JSON reader (RFC 8259, 6). */
#define ITEM_INTEGER_MAX ((int64_t)9007199254740991)

/* By value, ended by NULL. */
extern const char *const item_status_names[];
extern const char *const item_reason_names[];
extern const char *const item_state_names[];

/*
 * Whether the item holds together: names of A-Z a-z 0-9 . _ : / - only,
 * sources in strictly ascending order, numbers in range, a price exactly when
 * there is one to have, all prices with the same number of decimals, and at
 * least min_sources used when ok.
 */
bool item_check(const struct item *item);

/* A NUL-terminated name, not empty, in `size` bytes, of those characters. */
bool item_check_name(const char *name, size_t size);

#endif
