/*
 * An enclave image: any bytes are safe; what is judged does not depend on the
 * pieces they come in; and a good image, written anew from what was read of
 * it, is the same bytes, so that it can be read in one way only.
 *
 * The CRC is made right first: else nothing but it would be tried. A first
 * byte gives the size of the pieces.
 */
#include "tests/fuzz/openssl_errors.h"
#include "verifier/eif/eif_crc.h"
#include "verifier/eif/eif_metadata.h"
#include "verifier/eif/eif_reader.h"
#include "verifier/eif/eif_signature.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	openssl_errors_init();
	return 0;
}

static void must(bool good)
{
	if (!good)
		abort();
}

static uint8_t *sealed(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size + 1);
	uint32_t crc;

	memcpy(bytes, data, size);
	if (size < EIF_HEADER_LEN)
		return bytes;
	crc = eif_crc_update(0, bytes, EIF_CRC_OFFSET);
	crc = eif_crc_update(
	    crc, bytes + EIF_HEADER_LEN, size - EIF_HEADER_LEN);
	for (int i = 0; i < 4; i++)
		bytes[EIF_CRC_OFFSET + i] = (uint8_t)(crc >> 8 * (3 - i));
	return bytes;
}

static void read_in(
    struct eif_reader *reader, const uint8_t *bytes, size_t size, size_t piece)
{
	eif_reader_init(reader);
	for (size_t at = 0; at < size; at += piece)
		if (!eif_reader_feed(reader, bytes + at,
			size - at < piece ? size - at : piece))
			break;
	(void)!eif_reader_finish(reader);
}

static void write_anew(const struct eif_reader *reader, const uint8_t *bytes)
{
	uint8_t head[EIF_HEADER_LEN], section[EIF_SECTION_HEADER_LEN];
	uint64_t at = EIF_HEADER_LEN;

	eif_format_header(&reader->header, head);
	must(memcmp(head, bytes, sizeof(head)) == 0);
	for (unsigned i = 0; i < reader->count; i++) {
		eif_format_section(&reader->sections[i], section);
		must(memcmp(section, bytes + at, sizeof(section)) == 0);
		must(reader->header.offsets[i] == at);
		at += sizeof(section) + reader->sections[i].size;
	}
	must(at == reader->at);
}

static void try_texts(const struct eif_reader *reader)
{
	const struct eif_text *signature = &reader->signature;
	const struct eif_text *metadata = &reader->metadata;
	uint8_t pcr8[HM_PCR_LEN];
	X509 *x509 = NULL;

	if (signature->bytes != NULL)
		(void)!eif_signature_verify(&x509, pcr8,
		    (struct slice){signature->bytes, signature->len},
		    reader->pcrs[0]);
	X509_free(x509);
	if (metadata->bytes != NULL)
		json_decref(eif_metadata_parse(
		    (const char *)metadata->bytes, metadata->len));
	ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eif_reader whole, pieces;
	uint8_t *bytes;

	if (size < 2)
		return 0;
	bytes = sealed(data + 1, size - 1);
	read_in(&whole, bytes, size - 1, size - 1);
	read_in(&pieces, bytes, size - 1, (size_t)data[0] + 1);
	must(whole.fault == pieces.fault && whole.at == pieces.at);
	must(memcmp(whole.pcrs, pieces.pcrs, sizeof(whole.pcrs)) == 0);
	if (whole.fault == EIF_NONE) {
		must(whole.at == size - 1);
		write_anew(&whole, bytes);
		try_texts(&whole);
	}
	eif_reader_fini(&whole);
	eif_reader_fini(&pieces);
	free(bytes);
	return 0;
}
