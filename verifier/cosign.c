/* cosign: see cosign.h. The reader takes what JSON it is, and then asks the
 * writer whether it would have written these very bytes. */
#include "verifier/cosign.h"

#include "feeds/check.h"
#include "feeds/decimal.h"
#include "feeds/item_check.h"
#include "verifier/hex_json.h"
#include "verifier/moment.h"
#include "verifier/verify_signed.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* ---- whether it holds together ---- */

static bool is_price(const char *text, size_t size)
{
	struct decimal price = {0, 0};
	char again[DECIMAL_STRMAX];

	if (memchr(text, '\0', size) == NULL)
		return false; /* unnamed: nothing from outside */
	if (text[0] == '\0')
		return true;
	if (decimal_parse(&price, text, strlen(text)) != 0)
		return false; /* unnamed: it would be 0, which is no price */
	decimal_format(price, again);
	return REQUIRE(cosign_price_sign, price.mantissa > 0) &&
	       REQUIRE(cosign_price_form, strcmp(text, again) == 0);
}

static bool makes_sense(const struct cosign *c)
{
	return REQUIRE(
		   cosign_feed, item_check_name(c->feed, sizeof(c->feed))) &&
	       REQUIRE(cosign_sequence, c->sequence <= ITEM_INTEGER_MAX) &&
	       REQUIRE(cosign_published_0, c->published_ms >= 0) &&
	       REQUIRE(
		   cosign_published_max, c->published_ms <= MOMENT_MAX_MS) &&
	       REQUIRE(cosign_own_0, c->own_published_ms >= 0) &&
	       REQUIRE(
		   cosign_own_later, c->own_published_ms <= MOMENT_MAX_MS) &&
	       is_price(c->price, sizeof(c->price));
}

/* ---- writing ---- */

/* 0 if there was no room or no memory. */
static size_t write_content(
    const struct cosign *c, char out[static COSIGN_CONTENT_MAX])
{
	json_t *root = json_pack(
	    "{s:s, s:o, s:o, s:s, s:o, s:I, s:o, s:I, s:s?, s:o, s:I}",
	    "format", COSIGN_FORMAT, "boot_id",
	    hex_json(c->boot_id, sizeof(c->boot_id)), "config_sha256",
	    hex_json(c->config_sha256, HM_SHA256_LEN), "feed", c->feed,
	    "item_boot_id", hex_json(c->item_boot_id, sizeof(c->item_boot_id)),
	    "sequence", (json_int_t)c->sequence, "content_sha256",
	    hex_json(c->content_sha256, HM_SHA256_LEN), "published_ms",
	    (json_int_t)c->published_ms, "price",
	    c->price[0] != '\0' ? c->price : NULL, "own_content_sha256",
	    hex_json(c->own_content_sha256, HM_SHA256_LEN), "own_published_ms",
	    (json_int_t)c->own_published_ms);
	size_t len = json_dumpb(root, out, COSIGN_CONTENT_MAX, JSON_COMPACT);

	json_decref(root);
	return len < COSIGN_CONTENT_MAX ? len : 0;
}

int cosign_encode(const struct cosign *cosign,
    char out[static COSIGN_CONTENT_MAX], size_t *len)
{
	*len = makes_sense(cosign) ? write_content(cosign, out) : 0;
	out[*len] = '\0';
	return *len > 0 ? 0 : -1; /* unnamed: nothing from outside */
}

/* ---- reading: whatever is left unsaid here, the writer says ---- */

/* tree may be NULL: not JSON. */
static int read_tree(struct cosign *out, json_t *tree)
{
	const char *format, *boot, *config, *feed, *item_boot, *sha256, *own;
	json_int_t sequence, published_ms, own_published_ms;
	const char *price = NULL;
	json_t *price_or_null;
	int status = json_unpack(tree,
	    "{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:o, s:s, s:I}", "format",
	    &format, "boot_id", &boot, "config_sha256", &config, "feed", &feed,
	    "item_boot_id", &item_boot, "sequence", &sequence, "content_sha256",
	    &sha256, "published_ms", &published_ms, "price", &price_or_null,
	    "own_content_sha256", &own, "own_published_ms", &own_published_ms);

	if (REFUSE(cosign_members, status != 0))
		return -1;
	price = json_string_value(price_or_null);
	out->sequence = (uint64_t)sequence;
	out->published_ms = published_ms;
	out->own_published_ms = own_published_ms;
	/* One that was cut is not as it was written. */
	snprintf(out->feed, sizeof(out->feed), "%s", feed);
	snprintf(out->price, sizeof(out->price), "%s", price ? price : "");
	hex_json_read(out->boot_id, sizeof(out->boot_id), boot);
	hex_json_read(out->config_sha256, HM_SHA256_LEN, config);
	hex_json_read(out->item_boot_id, sizeof(out->item_boot_id), item_boot);
	hex_json_read(out->content_sha256, HM_SHA256_LEN, sha256);
	hex_json_read(out->own_content_sha256, HM_SHA256_LEN, own);
	return 0;
}

static bool is_as_written(
    const struct cosign *cosign, const char *text, size_t len)
{
	char again[COSIGN_CONTENT_MAX];
	size_t again_len = write_content(cosign, again);

	return REQUIRE(cosign_as_written,
	    again_len == len && memcmp(again, text, len) == 0);
}

int cosign_decode(struct cosign *out, const char *text, size_t len)
{
	json_t *tree = NULL;
	bool ok;

	memset(out, 0, sizeof(*out));
	/* unnamed: what is so long would not have been written */
	if (len < COSIGN_CONTENT_MAX)
		tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	ok = read_tree(out, tree) == 0 && makes_sense(out) &&
	     is_as_written(out, text, len);
	json_decref(tree);
	if (!ok)
		memset(out, 0, sizeof(*out));
	return ok ? 0 : -1; /* unnamed: by what was wrong */
}

/* ---- whether one stands by an item ---- */

struct cosign_trial {
	struct cosign *cosign;
	const struct hm_item *item;
};

static enum hm_verdict read_content(struct signed_trial *s, void *data)
{
	struct cosign *c = ((struct cosign_trial *)data)->cosign;
	const struct hm_envelope *e = s->envelope;

	if (REFUSE(cosign_content,
		cosign_decode(c, e->content, e->content_len) != 0))
		return HM_CONTENT_MALFORMED;
	s->boot_id = c->boot_id;
	s->config_sha256 = c->config_sha256;
	s->published_ms = c->published_ms;
	return HM_VALID;
}

static bool is_near(const struct hm_policy *policy, int64_t a, int64_t b)
{
	/* unnamed: the caller's to judge */
	return a - b <= policy->max_future_ms && b - a <= policy->max_future_ms;
}

static enum hm_verdict accept(const struct signed_trial *s, void *data)
{
	const struct cosign_trial *t = data;
	const struct hm_item *item = t->item;
	const struct cosign *c = t->cosign;
	bool same =
	    REQUIRE(cosign_same_content,
		memcmp(c->content_sha256, item->content_sha256,
		    HM_SHA256_LEN) == 0) &&
	    REQUIRE(cosign_same_feed, strcmp(c->feed, item->feed) == 0) &&
	    REQUIRE(cosign_same_boot,
		memcmp(c->item_boot_id, item->boot_id, 16) == 0) &&
	    REQUIRE(cosign_same_sequence, c->sequence == item->sequence);

	if (!same)
		return HM_USER_DATA_MISMATCH;
	if (REFUSE(cosign_self, memcmp(c->boot_id, item->boot_id, 16) == 0))
		return HM_USER_DATA_MISMATCH;
	if (REFUSE(cosign_priced, item->ok && c->price[0] == '\0'))
		return HM_CONTENT_MALFORMED;
	if (REFUSE(cosign_time, !is_near(s->question.policy, c->published_ms,
				    item->published_ms)))
		return HM_ITEM_TOO_OLD;
	return HM_VALID;
}

enum hm_verdict cosign_verify(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const int64_t *now_ms, const struct hm_item *item, struct cosign *out)
{
	struct cosign_trial trial = {.cosign = out, .item = item};
	const struct signed_content content = {read_content, accept, &trial};
	enum hm_verdict verdict;
	struct signed_trial s;

	signed_init(&s, policy, cache, envelope, NULL, 0, NULL);
	if (now_ms != NULL)
		signed_ask_live(&s, *now_ms);
	verdict = signed_judge(&s, &content);
	if (verdict != HM_VALID)
		memset(out, 0, sizeof(*out));
	return verdict;
}
