/*
 * condition: what `hallmark watch --until` waits for. Prices are compared as
 * exact decimals. Pure.
 *
 *   verified           an item that may be used now
 *   refused            an item that may not
 *   BTC-USD>84000.5    a verified price above it, or with < below it
 */
#ifndef HALLMARK_VERIFIER_CLI_CONDITION_H
#define HALLMARK_VERIFIER_CLI_CONDITION_H

#include "feeds/decimal.h"
#include "feeds/feed_config.h"
#include "verifier/hallmark.h"

enum condition_kind {
	CONDITION_NONE, /* for ever */
	CONDITION_VERIFIED,
	CONDITION_REFUSED,
	CONDITION_ABOVE,
	CONDITION_BELOW,
};

struct condition {
	enum condition_kind kind;
	char feed[FEED_NAME_MAX]; /* of ABOVE and BELOW, else "" */
	struct decimal price;
};

/* 0, or -1 and *out is zeroed. */
HM_MUST_CHECK int condition_parse(struct condition *out, const char *text);

/* Does this item meet it? It must have been verified, live. */
bool condition_met(
    const struct condition *condition, const struct hm_item *item);

#endif
