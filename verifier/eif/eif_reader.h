/*
 * eif_reader: reads an image in one pass, in pieces of any size, and judges
 * it. Each byte is looked at once, so the bytes that are judged are the bytes
 * that are measured, and an image of any size costs the same memory. Pure.
 *
 * Happy path: header, then for each section of its table the section header,
 * which must lie where the table says and be of the size that it says, then the
 * data; kernel, command line, ramdisks in this order (they are measured in the
 * file's order, and no two loaders need agree on another), metadata and
 * signature anywhere among them; the end of the file; the CRC.
 *
 * Failures: the first thing that is wrong stays (enum eif_fault), with the
 * section and the place; what is fed afterwards is ignored. The CRC is judged
 * last: if the fault is EIF_CRC, nothing else is wrong.
 */
#ifndef HALLMARK_VERIFIER_EIF_EIF_READER_H
#define HALLMARK_VERIFIER_EIF_EIF_READER_H

#include "verifier/cursor.h"
#include "verifier/eif/eif_pcrs.h"

struct eif_text { /* owned, a NUL behind it; NULL: there was none */
	uint8_t *bytes;
	size_t len;
};

struct eif_reader {
	struct eif_header header;
	struct eif_section sections[EIF_SECTIONS_MAX];
	unsigned count; /* of sections begun; the last may be broken */
	uint8_t pcrs[3][HM_PCR_LEN]; /* set by eif_reader_finish() */
	struct eif_text cmdline, metadata, signature;
	uint32_t crc;         /* of what was read, as it should be */
	uint64_t at;          /* bytes read, up to the fault */
	enum eif_fault fault; /* the first, EIF_NONE */

	/* private */
	struct eif_pcrs measure;
	uint8_t head[EIF_HEADER_LEN]; /* a header that is not whole yet */
	size_t head_len;
	struct eif_text *text; /* where the data goes, besides */
	uint64_t left;         /* data of the section at hand */
	unsigned seen;         /* a bit for each type */
};

void eif_reader_init(struct eif_reader *reader);
void eif_reader_fini(struct eif_reader *reader);

/* false: something is wrong, more need not come. */
bool eif_reader_feed(
    struct eif_reader *reader, const uint8_t *bytes, size_t len);
/* The end of the file, once. EIF_NONE: it is good, the signature section
 * aside (eif_signature.h). */
HM_MUST_CHECK enum eif_fault eif_reader_finish(struct eif_reader *reader);

#endif
