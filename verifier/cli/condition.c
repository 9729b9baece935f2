/* condition: what --until says, and whether an item is that. */
#include "verifier/cli/condition.h"

#include "verifier/daemon/oracle_feeds.h"

#include <stdio.h>
#include <string.h>

static int parse_price(struct condition *out, const char *text)
{
	size_t len = strcspn(text, "<>");

	if (text[len] == '\0' || len >= sizeof(out->feed))
		return -1;
	memcpy(out->feed, text, len);
	out->feed[len] = '\0';
	out->kind = text[len] == '>' ? CONDITION_ABOVE : CONDITION_BELOW;
	if (!oracle_feeds_is_name(out->feed))
		return -1;
	text += len + 1;
	return decimal_parse(&out->price, text, strlen(text));
}

int condition_parse(struct condition *out, const char *text)
{
	memset(out, 0, sizeof(*out));
	if (strcmp(text, "verified") == 0)
		out->kind = CONDITION_VERIFIED;
	else if (strcmp(text, "refused") == 0)
		out->kind = CONDITION_REFUSED;
	else if (parse_price(out, text)) {
		memset(out, 0, sizeof(*out));
		return -1;
	}
	return 0;
}

static bool price_met(
    const struct condition *condition, const struct hm_item *item)
{
	struct decimal price;
	int order;

	if (!item->ok || strcmp(item->feed, condition->feed) != 0 ||
	    decimal_parse(&price, item->price, strlen(item->price)))
		return false;
	order = decimal_compare(price, condition->price);
	return condition->kind == CONDITION_ABOVE ? order > 0 : order < 0;
}

bool condition_met(
    const struct condition *condition, const struct hm_item *item)
{
	switch (condition->kind) {
	case CONDITION_VERIFIED:
		return true;
	case CONDITION_ABOVE:
	case CONDITION_BELOW:
		return price_met(condition, item);
	case CONDITION_NONE:
	case CONDITION_REFUSED:
		break;
	}
	return false;
}
