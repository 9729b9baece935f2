/* watch_line: one item, told. */
#include "verifier/cli/watch_line.h"

#include "verifier/cli/command.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/remedy.h"

#include <inttypes.h>
#include <string.h>

/* Valid by a policy that takes what vouches for nothing. */
static const char *caveat(const struct hm_document *document)
{
	if (strcmp(document->platform, "simulated") == 0)
		return " (SIMULATED)";
	return document->debug ? " (DEBUG ENCLAVE)" : "";
}

static void tell_refused(struct watch_line *out, const struct record *record)
{
	const struct remedy *remedy = remedy_of(record->verdict);

	moment_format(record->received_ms, out->time);
	snprintf(out->verdict, sizeof(out->verdict),
	    "REFUSED %s (exit %d): %s %s", hm_verdict_name(record->verdict),
	    hm_verdict_class(record->verdict), remedy->meaning, remedy->remedy);
}

static void tell_verdict(struct watch_line *out, const struct record *record,
    const struct hm_item *item)
{
	const char *word = record->late ? "late: good at its time, not now"
					: hm_verdict_name(HM_VALID);
	char missing[64] = "";

	if (record->verdict == HM_SEQUENCE_GAP)
		snprintf(missing, sizeof(missing),
		    ", %" PRIu64 " before it %s missing", record->missing,
		    record->missing == 1 ? "is" : "are");
	snprintf(out->verdict, sizeof(out->verdict), "%s%s%s", word,
	    caveat(&item->document), missing);
}

void watch_line_of(struct watch_line *out, const struct record *record,
    const struct hm_item *item)
{
	memset(out, 0, sizeof(*out));
	if (watch_outcome(record) == WATCH_REFUSED) {
		tell_refused(out, record);
		return;
	}
	snprintf(out->feed, sizeof(out->feed), "%s", item->feed);
	moment_format(item->published_ms, out->time);
	if (item->ok)
		snprintf(out->price, sizeof(out->price), "%s +- %s",
		    item->price, item->confidence);
	else
		snprintf(out->price, sizeof(out->price), "unavailable: %s",
		    item->reason);
	snprintf(out->sources, sizeof(out->sources), "%u/%u sources",
	    item->sources_used, item->sources_total);
	out->published_ms = item->published_ms;
	tell_verdict(out, record, item);
}

void watch_line_print(
    const struct watch_line *line, FILE *out, int64_t now_ms, bool brief)
{
	const char *clock = strchr(line->time, 'T');
	int64_t age_ms = now_ms - line->published_ms;
	int64_t size_ms = age_ms < 0 ? -age_ms : age_ms;
	char text[sizeof(*line) + 64];
	int len;

	if (brief && clock)
		len = snprintf(text, sizeof(text), "%.8s", clock + 1);
	else
		len = snprintf(text, sizeof(text), "%s", line->time);
	if (!line->feed[0])
		snprintf(text + len, sizeof(text) - (size_t)len, "  %s",
		    line->verdict);
	else
		snprintf(text + len, sizeof(text) - (size_t)len,
		    "  %-10s  %-27s  %s  age %s%" PRId64 ".%d s  %s",
		    line->feed, line->price, line->sources,
		    age_ms < 0 ? "-" : "", size_ms / 1000,
		    (int)(size_ms % 1000 / 100), line->verdict);
	command_put_plain(out, text);
	putc('\n', out);
}

json_t *watch_line_json(const struct record *record, const struct hm_item *item)
{
	enum watch_outcome outcome = watch_outcome(record);
	const struct remedy *remedy = remedy_of(record->verdict);
	bool refused = outcome == WATCH_REFUSED;

	return json_pack(
	    "{s:s, s:s, s:i, s:b, s:b, s:I, s:I, s:o, s:s, s:s, s:o}", "event",
	    "item", "verdict", hm_verdict_name(record->verdict), "exit",
	    hm_verdict_class(record->verdict), "refused", refused, "late",
	    outcome == WATCH_LATE, "missing", (json_int_t)record->missing,
	    "received_ms", (json_int_t)record->received_ms, "id",
	    json_of_text(record->event_id), "meaning", remedy->meaning,
	    "remedy", remedy->remedy, "item",
	    refused ? json_null() : json_of_item(item));
}
