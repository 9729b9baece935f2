/* verify_peers: the two questions about what an oracle says of its peers;
 * verify_signed.c has the way. Who signed it, for which boot, and when, is
 * judged here; the list itself is what that enclave says, as JSON. */
#include "verifier/verify_peers.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/envelope.h"
#include "verifier/moment.h"
#include "verifier/verify_signed.h"

#include <jansson.h>
#include <string.h>

bool hm_envelope_is_peers(const struct hm_envelope *envelope)
{
	return envelope_has_format(envelope, PEERS_STATUS_FORMAT);
}

static int decode(struct hm_peers *out, json_t *root)
{
	const char *format, *boot_id, *config_sha256;
	int quorum, bound, incoming;
	json_int_t published_ms;
	json_t *peers;
	int status = json_unpack(root,
	    "{s:s, s:s, s:s, s:I, s:i, s:i, s:i, s:o !}", "format", &format,
	    "boot_id", &boot_id, "config_sha256", &config_sha256,
	    "published_ms", &published_ms, "quorum", &quorum,
	    "max_disagreement_bps", &bound, "incoming", &incoming, "peers",
	    &peers);

	if (REFUSE(peers_keys, status != 0) ||
	    REFUSE(peers_format, strcmp(format, PEERS_STATUS_FORMAT) != 0) ||
	    REFUSE(peers_list, !json_is_array(peers)))
		return -1;
	status = hex_decode(
	    out->boot_id, sizeof(out->boot_id), boot_id, strlen(boot_id));
	if (REFUSE(peers_boot_id, status != 0))
		return -1;
	status = hex_decode(out->config_sha256, HM_SHA256_LEN, config_sha256,
	    strlen(config_sha256));
	if (REFUSE(peers_config, status != 0) ||
	    REFUSE(peers_time_negative, published_ms < 0) ||
	    REFUSE(peers_time_max, published_ms > MOMENT_MAX_MS))
		return -1;
	out->published_ms = published_ms;
	return 0;
}

static enum hm_verdict read_content(struct signed_trial *s, void *data)
{
	const struct hm_envelope *e = s->envelope;
	struct hm_peers *peers = data;
	json_t *root = json_loadb(
	    e->content, e->content_len, JSON_REJECT_DUPLICATES, NULL);
	bool ok = decode(peers, root) == 0; /* of NULL: -1 */

	json_decref(root);
	s->boot_id = peers->boot_id;
	s->config_sha256 = peers->config_sha256;
	s->published_ms = peers->published_ms;
	return signed_tell(s, "content", ok ? HM_VALID : HM_CONTENT_MALFORMED,
	    PEERS_STATUS_FORMAT, NULL);
}

static enum hm_verdict accept(const struct signed_trial *s, void *data)
{
	struct hm_peers *peers = data;

	memcpy(peers->content_sha256, s->sha256, HM_SHA256_LEN);
	answer_document(&s->answer, &peers->document);
	return HM_VALID;
}

/* out may be NULL. */
static enum hm_verdict judge(struct signed_trial *s, struct hm_peers *out)
{
	struct hm_peers own, *peers = out != NULL ? out : &own;
	const struct signed_content content = {read_content, accept, peers};
	enum hm_verdict verdict;

	memset(peers, 0, sizeof(*peers));
	verdict = signed_judge(s, &content);
	if (verdict != HM_VALID)
		memset(peers, 0, sizeof(*peers));
	return verdict;
}

enum hm_verdict hm_peers_verify_live(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope, int64_t now_ms,
    struct hm_peers *out, const struct hm_report *report)
{
	struct signed_trial s;

	signed_init(&s, policy, cache, envelope, NULL, 0, report);
	signed_ask_live(&s, now_ms);
	return judge(&s, out);
}

enum hm_verdict hm_peers_verify_replay(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    struct hm_peers *out, const struct hm_report *report)
{
	struct signed_trial s;

	signed_init(&s, policy, cache, envelope, NULL, 0, report);
	return judge(&s, out);
}
