/* peers_view: see peers_view.h. What a verified enclave says is still text that
 * others gave it: nothing of it reaches a terminal as it is. */
#include "verifier/cli/peers_view.h"

#include "feeds/hex.h"
#include "verifier/cli/check_view.h"
#include "verifier/cli/command.h"
#include "verifier/cli/json_of.h"
#include "verifier/moment.h"

static void put(FILE *out, const char *before, const json_t *text)
{
	if (!json_is_string(text))
		return;
	fputs(before, out);
	command_put_plain(out, json_string_value(text));
}

static long long number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void put_disagreement(FILE *out, const json_t *entry)
{
	fputs("  disagrees in", out);
	put(out, " ", json_object_get(entry, "feed"));
	put(out, ": ", json_object_get(entry, "why"));
	put(out, ", its price is ", json_object_get(entry, "price"));
	if (number(entry, "gap_bps") > 0)
		fprintf(out, ", %lld bps away", number(entry, "gap_bps"));
	putc('\n', out);
}

static void put_peer(FILE *out, const json_t *peer)
{
	const json_t *entry;
	size_t i;

	put(out, "", json_object_get(peer, "endpoint"));
	put(out, " is ", json_object_get(peer, "state"));
	put(out, ", ", json_object_get(peer, "why"));
	fprintf(out, ", agrees in %lld feeds, disagrees in %lld\n",
	    number(peer, "agrees"), number(peer, "disagrees"));
	json_array_foreach(json_object_get(peer, "disagreements"), i, entry)
	    put_disagreement(out, entry);
}

void peers_view_lines(
    FILE *out, const struct hm_peers *peers, const json_t *content)
{
	char when[MOMENT_TEXT_MAX], boot_id[2 * sizeof(peers->boot_id) + 1];
	const json_t *peer;
	size_t i;

	moment_format(peers->published_ms, when);
	hex_encode(peers->boot_id, sizeof(peers->boot_id), boot_id);
	fprintf(out, "VALID peers of %s, at %s, within %lld bps%s\n", boot_id,
	    when, number(content, "max_disagreement_bps"),
	    check_view_caveat(&peers->document));
	json_array_foreach(json_object_get(content, "peers"), i, peer)
	    put_peer(out, peer);
}

json_t *peers_view_json(const struct hm_peers *peers, const json_t *content)
{
	json_t *out = json_deep_copy(content);

	json_object_set_new(out, "content_sha256",
	    hex_json(peers->content_sha256, HM_SHA256_LEN));
	json_object_set_new(
	    out, "document", json_of_document(&peers->document));
	return out;
}
