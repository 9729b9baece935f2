/* json_of: documents and items as JSON for people and scripts. */
#include "verifier/cli/json_of.h"

#include <stdio.h>

json_t *json_of_text(const char *text)
{
	json_t *string = text ? json_string(text) : json_null();

	return string ? string : json_string("(not UTF-8)");
}

static json_t *of_bytes(const struct hm_bytes *bytes)
{
	return bytes->present ? hex_json(bytes->bytes, bytes->len)
			      : json_null();
}

static json_t *of_pcrs(const struct hm_document *document)
{
	json_t *out = json_object();
	char name[12];

	for (unsigned i = 0; i < HM_PCR_COUNT; i++) {
		if (!(document->pcr_mask >> i & 1))
			continue;
		snprintf(name, sizeof(name), "%u", i);
		json_object_set_new(
		    out, name, hex_json(document->pcrs[i], HM_PCR_LEN));
	}
	return out;
}

/* "" where judging would have said more. */
static json_t *text_or_null(const char *text)
{
	return text[0] ? json_of_text(text) : json_null();
}

static json_t *of_rtmrs(const struct hm_quote *q)
{
	json_t *out = json_array();

	for (size_t i = 0; i < HM_RTMR_COUNT; i++)
		json_array_append_new(out, hex_json(q->rtmrs[i], HM_PCR_LEN));
	return out;
}

/* With what of its measurements its kind has. */
static json_t *of_quote(const struct hm_quote *q)
{
	json_t *out = json_pack("{s:i, s:s, s:o, s:o, s:o}", "version",
	    (int)q->version, "tee", q->is_td ? "tdx" : "sgx", "report_data",
	    hex_json(q->report_data, sizeof(q->report_data)), "tcb_status",
	    text_or_null(q->tcb_status), "advisories",
	    text_or_null(q->advisories));
	bool judged = q->tcb_status[0] && q->collateral_until_ms != INT64_MAX;

	json_object_set_new(out, "collateral_until_ms",
	    judged ? json_integer(q->collateral_until_ms) : json_null());
	if (q->is_td) {
		json_object_set_new(out, "mrtd", hex_json(q->mrtd, HM_PCR_LEN));
		json_object_set_new(out, "rtmrs", of_rtmrs(q));
		return out;
	}
	json_object_set_new(
	    out, "mrenclave", hex_json(q->mrenclave, HM_MRENCLAVE_LEN));
	json_object_set_new(
	    out, "mrsigner", hex_json(q->mrsigner, HM_MRENCLAVE_LEN));
	json_object_set_new(out, "product_id", json_integer(q->product_id));
	json_object_set_new(out, "svn", json_integer(q->svn));
	return out;
}

json_t *json_of_document(const struct hm_document *d)
{
	json_t *out = json_pack(
	    "{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:o, "
	    "s:o, s:o, s:o}",
	    "sha256", hex_json(d->sha256, HM_SHA256_LEN), "module_id",
	    json_of_text(d->module_id), "platform", text_or_null(d->platform),
	    "root", text_or_null(d->root), "release", text_or_null(d->release),
	    "timestamp_ms", (json_int_t)d->timestamp_ms, "not_before_ms",
	    (json_int_t)d->not_before_ms, "not_after_ms",
	    (json_int_t)d->not_after_ms, "debug", d->debug, "pcrs", of_pcrs(d),
	    "public_key", of_bytes(&d->public_key), "user_data",
	    of_bytes(&d->user_data), "nonce", of_bytes(&d->nonce));

	json_object_set_new(out, "key_epoch",
	    d->key_epoch > 0 && d->key_epoch <= INT64_MAX
		? json_integer((json_int_t)d->key_epoch)
		: json_null());
	if (d->quote.present)
		json_object_set_new(out, "quote", of_quote(&d->quote));
	return out;
}

json_t *json_of_item(const struct hm_item *i)
{
	return json_pack("{s:o, s:o, s:I, s:s, s:o, s:o, s:o, s:I, s:I, s:I, "
			 "s:I, s:I, s:o, s:o, s:o, s:o}",
	    "feed", json_of_text(i->feed), "boot_id",
	    hex_json(i->boot_id, sizeof(i->boot_id)), "sequence",
	    (json_int_t)i->sequence, "status", i->ok ? "ok" : "unavailable",
	    "price", text_or_null(i->price), "confidence",
	    text_or_null(i->confidence), "reason", text_or_null(i->reason),
	    "published_ms", (json_int_t)i->published_ms, "expires_ms",
	    (json_int_t)i->expires_ms, "sources_used",
	    (json_int_t)i->sources_used, "sources_total",
	    (json_int_t)i->sources_total, "cosigners", (json_int_t)i->cosigners,
	    "content_sha256", hex_json(i->content_sha256, HM_SHA256_LEN),
	    "previous_sha256", hex_json(i->previous_sha256, HM_SHA256_LEN),
	    "config_sha256", hex_json(i->config_sha256, HM_SHA256_LEN),
	    "document", json_of_document(&i->document));
}

int json_of_print(json_t *root)
{
	int rc = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;

	if (rc == 0)
		rc = putchar('\n') == EOF || fflush(stdout) ? -1 : 0;
	json_decref(root);
	return rc;
}
