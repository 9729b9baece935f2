/* inspect: `hallmark inspect`, what is in a file, as JSON, judging nothing. */
#include "verifier/cli/command.h"
#include "verifier/cli/input.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/options.h"
#include "verifier/cli/quote_view.h"
#include "verifier/cose.h"
#include "verifier/document.h"
#include "verifier/moment.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: hallmark inspect FILE [--held FILE]\n"
    "\n"
    "Prints what is in an item or an attestation document as JSON. Nothing is\n"
    "verified: not a signature, not a chain, not a time. Use it to look, and\n"
    "hallmark verify to decide. - is standard input.\n"
    "\n"
    "A quote of SGX or TDX (bare, in an Open Enclave report or evidence, or in\n"
    "JSON) is printed under the names Type, MrEnclaveHex, MrSignerHex,\n"
    "ProductIdHex, SecurityVersion, Attributes, QuoteHex, EnclaveHeldDataHex, and\n"
    "with all else that is in it.\n"
    "\n"
    "  --held FILE  what the enclave held: a fact is whether it fits\n"
    "\n"
    "Exit: 0, or 2 if it cannot be read as any of them.\n"
    "\n"
    "Examples:\n"
    "  hallmark inspect attestation.cbor | jq .document.pcrs\n"
    "  hallmark inspect quote.bin --held key.der | jq .MrEnclaveHex\n";

/* ---- certificates ---- */

static json_t *of_name(const X509_NAME *name)
{
	BIO *out = BIO_new(BIO_s_mem());
	json_t *text;
	char *bytes;
	long len = 0;

	if (!out || X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253) < 0) {
		BIO_free(out);
		return json_null();
	}
	len = BIO_get_mem_data(out, &bytes);
	text = json_stringn(bytes, (size_t)len);
	BIO_free(out);
	return text ? text : json_null();
}

static json_t *of_time(const ASN1_TIME *time)
{
	char text[MOMENT_TEXT_MAX];
	int64_t ms;

	if (moment_from_asn1(&ms, time))
		return json_null();
	moment_format(ms, text);
	return json_string(text);
}

static json_t *of_certificate(struct slice der)
{
	const unsigned char *at = der.at;
	X509 *x509 = d2i_X509(NULL, &at, (long)der.len);
	json_t *out;

	if (!x509)
		return json_pack("{s:s}", "error", "not a certificate");
	out = json_pack("{s:o, s:o, s:o, s:o}", "subject",
	    of_name(X509_get_subject_name(x509)), "issuer",
	    of_name(X509_get_issuer_name(x509)), "not_before",
	    of_time(X509_get0_notBefore(x509)), "not_after",
	    of_time(X509_get0_notAfter(x509)));
	X509_free(x509);
	return out;
}

/* The chain, root first. */
static json_t *of_certificates(const uint8_t *bytes, size_t len)
{
	struct document_certs certs;
	struct hm_document ignored;
	json_t *out = json_array();
	struct cose cose;

	if (cose_parse(&cose, bytes, len) != HM_VALID ||
	    document_parse(&ignored, &certs, cose.payload) != HM_VALID)
		return out;
	for (size_t i = 0; i < certs.cabundle_count; i++)
		json_array_append_new(out, of_certificate(certs.cabundle[i]));
	json_array_append_new(out, of_certificate(certs.leaf));
	return out;
}

/* ---- documents and items ---- */

static json_t *of_document(
    const uint8_t *bytes, size_t len, enum hm_verdict *verdict)
{
	struct hm_document document;
	char text[MOMENT_TEXT_MAX];
	json_t *out;

	*verdict = hm_document_read(bytes, len, &document);
	if (*verdict != HM_VALID)
		return json_pack("{s:s}", "error", hm_verdict_name(*verdict));
	moment_format(document.timestamp_ms, text);
	out = json_of_document(&document);
	/* These three are the answers of a judgement. */
	json_object_del(out, "platform");
	json_object_del(out, "root");
	json_object_del(out, "release");
	json_object_set_new(out, "timestamp", json_string(text));
	json_object_set_new(out, "certificates", of_certificates(bytes, len));
	return out;
}

static json_t *of_content(const struct hm_envelope *e)
{
	json_t *out = json_loadb(
	    e->content, e->content_len, JSON_REJECT_DUPLICATES, NULL);

	return out ? out : json_null();
}

static json_t *of_envelope(const struct hm_envelope *e)
{
	enum hm_verdict ignored;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "content",
	    of_content(e), "signature",
	    hex_json(e->signature, e->signature_len), "public_key",
	    json_of_text(e->public_key), "platform", json_of_text(e->platform),
	    "attestation_sha256",
	    hex_json(e->attestation_sha256, HM_SHA256_LEN), "document",
	    e->document ? of_document(e->document, e->document_len, &ignored)
			: json_null());
}

static json_t *of_cosignatures(const struct hm_envelope *e)
{
	json_t *out = json_array();

	for (size_t i = 0; i < e->cosignature_count; i++)
		json_array_append_new(out, of_envelope(&e->cosignatures[i]));
	return out;
}

static json_t *of_item(
    const uint8_t *bytes, size_t len, enum hm_verdict *verdict)
{
	struct hm_envelope e;
	json_t *out = json_pack("{s:s}", "kind", "item");

	*verdict = hm_envelope_parse(&e, (const char *)bytes, len);
	if (*verdict != HM_VALID) {
		json_decref(out);
		return json_pack("{s:s}", "error", hm_verdict_name(*verdict));
	}
	json_object_update_new(out, of_envelope(&e));
	if (e.cosignature_count > 0)
		json_object_set_new(out, "cosignatures", of_cosignatures(&e));
	hm_envelope_fini(&e);
	return out;
}

static json_t *of_fetched(const struct hm_envelope *e)
{
	json_t *out = of_envelope(e);

	json_object_set_new(out, "kind", json_string("fetched"));
	json_object_del(out, "platform"); /* it names none */
	return out;
}

static json_t *of_attested(
    const struct hm_attested *a, enum hm_verdict *verdict)
{
	const struct hm_envelope e = {
	    .content = a->content, .content_len = a->content_len};

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
	    "attested item", "content", of_content(&e), "public_key",
	    json_of_text(a->public_key), "platform", json_of_text(a->platform),
	    "attestation_sha256",
	    hex_json(a->attestation_sha256, HM_SHA256_LEN), "nonce",
	    hex_json(a->nonce, a->nonce_len), "document",
	    of_document(a->document, a->document_len, verdict));
}

static json_t *of_input(const struct input *input, enum hm_verdict *verdict)
{
	json_t *document;

	if (input->kind == INPUT_ITEM)
		return of_item(input->bytes, input->len, verdict);
	if (input->kind == INPUT_ATTESTED)
		return of_attested(&input->attested, verdict);
	if (input->kind == INPUT_FETCHED)
		return of_fetched(&input->fetched);
	document = of_document(input->bytes, input->len, verdict);
	if (*verdict != HM_VALID)
		return document;
	return json_pack(
	    "{s:s, s:o}", "kind", "document", "document", document);
}

static int take_option(void *data, int option, const char *text, char *error)
{
	(void)option; /* there is one */
	(void)error;
	*(const char **)data = text;
	return 0;
}

/* The file, and in `held` what --held says; NULL after a usage error. */
static const char *read_options(int argc, char **argv, const char **held)
{
	static const struct option known[] = {
	    {"held", required_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	char error[INPUT_ERROR_MAX];

	if (options_each(argc, argv, known, take_option, (void *)held, error,
		sizeof(error)))
		command_usage_error(&command_inspect, "%s", error);
	else if (argc - optind != 1)
		command_usage_error(
		    &command_inspect, "which FILE? One, please");
	else
		return argv[optind];
	return NULL;
}

static int run_quote(const struct input *input, const char *held)
{
	enum hm_verdict verdict = HM_VALID;
	char error[INPUT_ERROR_MAX];
	struct quote_input quote;
	int rc = quote_input_open(&quote, input, held, error);

	if (rc)
		command_usage_error(&command_inspect, "%s", error);
	else
		rc = json_of_print(quote_view(input, &quote, &verdict));
	quote_input_close(&quote);
	if (rc)
		return COMMAND_USAGE;
	return verdict == HM_VALID ? COMMAND_OK : COMMAND_MALFORMED;
}

static int run(int argc, char **argv)
{
	const char *held = NULL;
	const char *file = read_options(argc, argv, &held);
	enum hm_verdict verdict = HM_VALID;
	char error[INPUT_ERROR_MAX];
	struct input input;
	int rc;

	if (!file)
		return COMMAND_USAGE;
	if (input_read(&input, file, error))
		return command_usage_error(&command_inspect, "%s", error);
	if (quote_input_is(&input)) {
		rc = run_quote(&input, held);
		input_fini(&input);
		return rc;
	}
	if (held) {
		input_fini(&input);
		return command_usage_error(&command_inspect,
		    "--held is for a quote of SGX or TDX, which this is not");
	}
	rc = json_of_print(of_input(&input, &verdict));
	input_fini(&input);
	if (rc)
		return COMMAND_USAGE;
	return verdict == HM_VALID ? COMMAND_OK : COMMAND_MALFORMED;
}

const struct command command_inspect = {
    .name = "inspect",
    .summary = "what is in this file? (judges nothing)",
    .help = help,
    .run = run,
};
