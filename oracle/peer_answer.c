/* peer_answer: see peer_answer.h. */
#include "oracle/peer_answer.h"

#include "feeds/item_check.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef __int128 wide;

static bool is_word(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz_");

	return len > 0 && text[len] == '\0' && len < PEER_ANSWER_WHY_MAX;
}

static bool is_price(const char *text)
{
	struct decimal price;

	return decimal_parse(&price, text, strlen(text)) == 0 &&
	       price.mantissa > 0 && strlen(text) < DECIMAL_STRMAX;
}

static int read_disagreement(struct peer_answer *out, json_t *root)
{
	const char *feed, *why, *price;
	json_int_t sequence;
	json_t *value;

	if (json_unpack_ex(root, NULL, 0, "{s:{s:s, s:I, s:s, s:o !} !}",
		"disagrees", "feed", &feed, "sequence", &sequence, "why", &why,
		"price", &value) != 0)
		return -1;
	price = json_string_value(value);
	if (!price && !json_is_null(value))
		return -1;
	if (strlen(feed) >= sizeof(out->feed) || sequence < 0 ||
	    !is_word(why) || (price && !is_price(price)))
		return -1;
	snprintf(out->feed, sizeof(out->feed), "%s", feed);
	snprintf(out->why, sizeof(out->why), "%s", why);
	snprintf(out->price, sizeof(out->price), "%s", price ? price : "");
	out->sequence = (uint64_t)sequence;
	return item_check_name(out->feed, sizeof(out->feed)) ? 0 : -1;
}

int peer_answer_parse(struct peer_answer *out, const char *text, size_t len)
{
	static const char begin[] = "{\"disagrees\":";
	json_t *root;
	int status;

	memset(out, 0, sizeof(*out));
	if (len < sizeof(begin) - 1 ||
	    memcmp(text, begin, sizeof(begin) - 1) != 0) {
		out->cosigned = hm_envelope_parse(&out->envelope, text, len) ==
				HM_VALID;
		return out->cosigned ? 0 : -1;
	}
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	status = root ? read_disagreement(out, root) : -1;
	json_decref(root);
	if (status != 0)
		memset(out, 0, sizeof(*out));
	return status;
}

void peer_answer_fini(struct peer_answer *answer)
{
	if (answer->cosigned)
		hm_envelope_fini(&answer->envelope);
	memset(answer, 0, sizeof(*answer));
}

char *peer_answer_disagrees(
    const char *feed, uint64_t sequence, const char *why, const char *price)
{
	json_t *root = json_pack("{s:{s:s, s:I, s:s, s:s?}}", "disagrees",
	    "feed", feed, "sequence", (json_int_t)sequence, "why", why, "price",
	    price[0] != '\0' ? price : NULL);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	return text;
}

unsigned peer_price_gap(struct decimal a, struct decimal b)
{
	wide gap = (wide)a.mantissa - b.mantissa, bps;

	if (a.mantissa <= 0 || b.mantissa <= 0 || a.exponent != b.exponent)
		return PEER_GAP_MAX;
	if (gap < 0)
		gap = -gap;
	bps = (gap * 10000 + a.mantissa - 1) / a.mantissa;
	return bps < PEER_GAP_MAX ? (unsigned)bps : PEER_GAP_MAX;
}
