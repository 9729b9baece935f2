/* fetched_view: see fetched_view.h. */
#include "verifier/cli/fetched_view.h"

#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/cli/check_view.h"
#include "verifier/cli/json_of.h"
#include "verifier/moment.h"

#include <stdlib.h>

/* Host and path are of characters that do nothing to a terminal (fetched.h). */
void fetched_view_line(FILE *out, const struct hm_fetched *f)
{
	char when[MOMENT_TEXT_MAX], key[2 * HM_SHA256_LEN + 1];

	moment_format(f->fetched_ms, when);
	hex_encode(f->tls_spki_sha256, HM_SHA256_LEN, key);
	fprintf(out,
	    "VALID https://%s:%u%s answered %d, %zu bytes, at %s, with key "
	    "%s%s\n",
	    f->hostname, f->port, f->path, f->status, f->body_len, when, key,
	    check_view_caveat(&f->document));
}

static void put_body(json_t *out, const struct hm_fetched *f)
{
	json_t *text = json_stringn((const char *)f->body, f->body_len);
	char *base64 = NULL;

	json_object_set_new(out, "body", text ? text : json_null());
	if (!text)
		base64 = base64_encode(f->body, f->body_len);
	if (base64)
		json_object_set_new(out, "body_b64", json_string(base64));
	free(base64);
}

json_t *fetched_view_json(const struct hm_fetched *f)
{
	json_t *out = json_pack("{s:s, s:i, s:s, s:i}", "hostname", f->hostname,
	    "port", (int)f->port, "path", f->path, "status", f->status);

	if (!out)
		return NULL;
	put_body(out, f);
	json_object_update_new(out,
	    json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "body_sha256",
		hex_json(f->body_sha256, HM_SHA256_LEN), "tls_spki_sha256",
		hex_json(f->tls_spki_sha256, HM_SHA256_LEN), "date_ms",
		f->date_ms < 0 ? json_null() : json_integer(f->date_ms),
		"fetched_ms", (json_int_t)f->fetched_ms, "boot_id",
		hex_json(f->boot_id, sizeof(f->boot_id)), "config_sha256",
		hex_json(f->config_sha256, HM_SHA256_LEN), "content_sha256",
		hex_json(f->content_sha256, HM_SHA256_LEN), "document",
		json_of_document(&f->document)));
	return out;
}
