/* pcrs_print: see pcrs_print.h. */
#include "verifier/cli/pcrs_print.h"

#include "feeds/hex.h"
#include "verifier/cli/command.h"
#include "verifier/cli/config_pcr.h"
#include "verifier/cli/json_of.h"
#include "verifier/moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_TEXT_MAX 512 /* of a certificate's subject; the rest goes */

static const char *arch_of(const struct eif_image *image)
{
	return image->reader.header.flags & EIF_FLAG_ARM64 ? "arm64" : "x86_64";
}

static unsigned ramdisks_of(const struct eif_image *image)
{
	unsigned n = 0;

	for (unsigned i = 0; i < image->reader.count; i++)
		n += image->reader.sections[i].type == EIF_RAMDISK;
	return n;
}

/* ---- the certificate ---- */

/* RFC 2253, whatever is not ASCII escaped. */
static void subject_of(const X509 *x509, char out[NAME_TEXT_MAX])
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0,
		       XN_FLAG_RFC2253) >= 0)
		n = BIO_read(bio, out, NAME_TEXT_MAX - 1);
	out[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
}

static void until(const X509 *x509, char out[MOMENT_TEXT_MAX])
{
	int64_t ms;

	if (moment_from_asn1(&ms, X509_get0_notAfter(x509)))
		snprintf(out, MOMENT_TEXT_MAX, "unknown");
	else
		moment_format(ms, out);
}

/* ---- text ---- */

static void print_pcr(unsigned index, const uint8_t pcr[HM_PCR_LEN])
{
	char hex[2 * HM_PCR_LEN + 1];

	hex_encode(pcr, HM_PCR_LEN, hex);
	printf("PCR%u       %s\n", index, hex);
}

static void print_signature(const struct eif_image *image)
{
	char subject[NAME_TEXT_MAX], when[MOMENT_TEXT_MAX];

	if (!image->certificate) {
		puts("signature  none");
		return;
	}
	subject_of(image->certificate, subject);
	until(image->certificate, when);
	fputs("signature  right, by ", stdout);
	command_put_plain(stdout, subject);
	printf(", until %s (anybody can write that: pin PCR8)\n", when);
}

static void print_string(const char *before, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text)
		return;
	fputs(before, stdout);
	command_put_plain(stdout, text);
}

static void print_metadata(const json_t *metadata)
{
	const json_t *build = json_object_get(metadata, "BuildMetadata");

	if (!metadata)
		return;
	fputs("metadata  ", stdout);
	print_string(" ", json_object_get(metadata, "ImageName"));
	print_string(" ", json_object_get(metadata, "ImageVersion"));
	print_string(", built ", json_object_get(build, "BuildTime"));
	print_string(" by ", json_object_get(build, "BuildTool"));
	print_string(" ", json_object_get(build, "BuildToolVersion"));
	puts(" (not measured: proves nothing)");
}

static void print_cmdline(const struct eif_text *cmdline)
{
	fputs("cmdline    ", stdout);
	command_put_plain(stdout, (const char *)cmdline->bytes);
	putchar('\n');
}

int pcrs_text(const struct eif_image *image)
{
	const struct eif_reader *reader = &image->reader;

	for (unsigned i = 0; i < 3; i++)
		print_pcr(i, reader->pcrs[i]);
	if (image->certificate)
		print_pcr(8, image->pcr8);
	printf("image      EIF version %u for %s, %" PRIu64
	       " bytes, CRC-32 %08" PRIx32 " is right\n",
	    reader->header.version, arch_of(image), reader->at, reader->crc);
	for (unsigned i = 0; i < reader->count; i++)
		printf("section %-2u %-10s %12" PRIu64 " bytes\n", i,
		    eif_type_name(reader->sections[i].type),
		    reader->sections[i].size);
	print_cmdline(&reader->cmdline);
	print_signature(image);
	print_metadata(image->metadata);
	if (ramdisks_of(image) == 1)
		puts("  note     one ramdisk: PCR2 is that of no data, and of "
		     "every such image; PCR0 is PCR1");
	return fflush(stdout) || ferror(stdout) ? -1 : 0;
}

/* ---- JSON ---- */

static json_t *of_sections(const struct eif_reader *reader)
{
	json_t *out = json_array();

	for (unsigned i = 0; i < reader->count; i++)
		json_array_append_new(
		    out, json_pack("{s:s, s:I, s:I}", "Type",
			     eif_type_name(reader->sections[i].type), "Offset",
			     (json_int_t)reader->header.offsets[i], "Size",
			     (json_int_t)reader->sections[i].size));
	return out;
}

static json_t *of_certificate(const struct eif_image *image)
{
	char subject[NAME_TEXT_MAX], when[MOMENT_TEXT_MAX];

	if (!image->certificate)
		return json_null();
	subject_of(image->certificate, subject);
	until(image->certificate, when);
	return json_pack(
	    "{s:o, s:s}", "Subject", json_of_text(subject), "NotAfter", when);
}

/* A number that no JSON integer holds is said in words of its own: it is
 * neither measured nor used. */
static json_t *of_count(uint64_t value)
{
	return value > INT64_MAX ? json_null()
				 : json_integer((json_int_t)value);
}

json_t *pcrs_json(const struct eif_image *image)
{
	const struct eif_reader *reader = &image->reader;
	bool is_signed = image->certificate != NULL;
	char crc[9];

	snprintf(crc, sizeof(crc), "%08" PRIx32, reader->crc);
	return json_pack("{s:i, s:s, s:o, s:b, s:o, s:b, s:o, s:s, s:I, s:o, "
			 "s:o, s:o, s:o, s:O?}",
	    "EifVersion", (int)reader->header.version, "Architecture",
	    arch_of(image), "Measurements", eif_image_measurements(image),
	    "IsSigned", is_signed, "SigningCertificate", of_certificate(image),
	    "CheckCRC", 1, "SignatureCheck",
	    is_signed ? json_true() : json_null(), "CRC32", crc, "Size",
	    (json_int_t)reader->at, "DefaultMemory",
	    of_count(reader->header.memory), "DefaultCpus",
	    of_count(reader->header.cpus), "Cmdline",
	    json_of_text((const char *)reader->cmdline.bytes), "Sections",
	    of_sections(reader), "Metadata", image->metadata);
}

/* ---- the policy ---- */

static json_t *of_pcrs(const struct eif_image *image, const uint8_t *config_pcr)
{
	static const char *const names[] = {"0", "1", "2"};
	json_t *out = json_object();

	for (unsigned i = 0; i < 3; i++)
		json_object_set_new(
		    out, names[i], hex_json(image->reader.pcrs[i], HM_PCR_LEN));
	if (config_pcr)
		json_object_set_new(
		    out, "16", hex_json(config_pcr, HM_PCR_LEN));
	return out;
}

/* 0 if the policy's reader takes it; else why it does not. */
static int try_policy(const json_t *root, char error[HM_TEXT_MAX])
{
	char *text = json_dumps(root, JSON_COMPACT);
	struct hm_policy *policy = NULL;
	int rc = -1;

	if (text)
		rc = hm_policy_parse(&policy, text, strlen(text), error);
	hm_policy_free(policy);
	free(text);
	return rc;
}

static bool is_known_root(const char *name)
{
	struct hm_policy *policy = hm_policy_new();
	bool known = policy && hm_policy_add_root_name(policy, name) == 0;

	hm_policy_free(policy);
	return known;
}

json_t *pcrs_policy(const struct eif_image *image, const char *name,
    const char *root, const uint8_t *config_pcr, char error[HM_TEXT_MAX])
{
	json_t *out = json_pack("{s:[s], s:[{s:s, s:o}]}",
	    is_known_root(root) ? "roots" : "root_files", root, "releases",
	    "name", name, "pcrs", of_pcrs(image, config_pcr));

	snprintf(error, HM_TEXT_MAX, "not UTF-8, or no memory");
	if (out && try_policy(out, error)) {
		json_decref(out);
		out = NULL;
	}
	return out;
}
