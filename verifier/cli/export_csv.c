/* export_csv: see export_csv.h. */
#include "verifier/cli/export_csv.h"

#include "feeds/hex.h"

#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

static const char header[] =
    "feed,boot_id,sequence,published_ms,expires_ms,status,reason,price,"
    "confidence,sources_used,sources_total,content_sha256,"
    "attestation_sha256\r\n";

static bool is_number(const char *text)
{
	size_t digits;

	text += *text == '-';
	digits = strspn(text, "0123456789");
	text += digits;
	if (digits > 0 && *text == '.') {
		digits = strspn(++text, "0123456789");
		text += digits;
	}
	return digits > 0 && *text == '\0';
}

/* OWASP, "CSV Injection": what begins with one of these may be a formula. */
static bool is_formula(const char *text)
{
	return text[0] != '\0' && strchr("=+-@\t\r\n|", text[0]) != NULL &&
	       !is_number(text);
}

void export_csv_cell(FILE *out, const char *text)
{
	bool quoted = strpbrk(text, ",\"\r\n") != NULL;

	if (quoted)
		putc('"', out);
	if (is_formula(text))
		putc('\'', out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	if (quoted)
		putc('"', out);
}

int export_csv_header(FILE *out)
{
	fputs(header, out);
	return ferror(out) ? -1 : 0;
}

static void put_text(FILE *out, const char *text)
{
	export_csv_cell(out, text);
	putc(',', out);
}

static void put_hash(FILE *out, const uint8_t *bytes, size_t len, char after)
{
	char hex[2 * HM_SHA256_LEN + 1];

	hex_encode(bytes, len, hex);
	fputs(hex, out);
	putc(after, out);
}

static void put_price(FILE *out, const struct item *item)
{
	char text[DECIMAL_STRMAX];

	if (item->status != ITEM_OK) {
		put_text(out, item_reason_name(item->reason));
		fputs(",,", out);
		return;
	}
	putc(',', out);
	decimal_format(item->price, text);
	put_text(out, text);
	decimal_format(item->confidence, text);
	put_text(out, text);
}

int export_csv_row(
    FILE *out, const struct item *item, const struct hm_envelope *envelope)
{
	uint8_t sha256[HM_SHA256_LEN];
	unsigned used = 0;

	for (size_t i = 0; i < item->source_count; i++)
		used += item->sources[i].state == SOURCE_USED;
	put_text(out, item->feed);
	put_hash(out, item->boot_id, sizeof(item->boot_id), ',');
	fprintf(out, "%llu,%lld,%lld,", (unsigned long long)item->sequence,
	    (long long)item->published_ms, (long long)item->expires_ms);
	put_text(out, item_status_name(item->status));
	put_price(out, item);
	fprintf(out, "%u,%zu,", used, item->source_count);
	SHA256(
	    (const uint8_t *)envelope->content, envelope->content_len, sha256);
	put_hash(out, sha256, HM_SHA256_LEN, ',');
	put_hash(out, envelope->attestation_sha256, HM_SHA256_LEN, '\r');
	putc('\n', out);
	return ferror(out) ? -1 : 0;
}
