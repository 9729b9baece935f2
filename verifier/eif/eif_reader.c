/* eif_reader: see eif_reader.h. */
#include "verifier/eif/eif_reader.h"

#include "feeds/check.h"
#include "verifier/eif/eif_crc.h"

#include <stdlib.h>
#include <string.h>

#define BIT(type) (1u << (type))

void eif_reader_init(struct eif_reader *reader)
{
	memset(reader, 0, sizeof(*reader));
	if (eif_pcrs_init(&reader->measure) != 0)
		reader->fault = EIF_NO_MEMORY;
}

void eif_reader_fini(struct eif_reader *reader)
{
	eif_pcrs_fini(&reader->measure);
	free(reader->cmdline.bytes);
	free(reader->metadata.bytes);
	free(reader->signature.bytes);
	memset(reader, 0, sizeof(*reader));
}

/* ---- the header ---- */

static enum eif_fault judge_header(
    const struct eif_header *header, const uint8_t *bytes)
{
	if (REFUSE(eif_magic, memcmp(bytes, ".eif", 4) != 0))
		return EIF_MAGIC;
	if (REFUSE(eif_version_old, header->version < EIF_VERSION_MIN) ||
	    REFUSE(eif_version_new, header->version > EIF_VERSION))
		return EIF_BAD_VERSION;
	if (REFUSE(eif_flags, (header->flags & ~EIF_FLAG_ARM64) != 0))
		return EIF_FLAGS;
	if (REFUSE(eif_reserved, header->reserved != 0) ||
	    REFUSE(eif_unused, header->unused != 0))
		return EIF_RESERVED;
	if (REFUSE(eif_count_none, header->count == 0) ||
	    REFUSE(eif_count_max, header->count > EIF_SECTIONS_MAX))
		return EIF_COUNT;
	for (unsigned i = header->count; i < EIF_SECTIONS_MAX; i++)
		if (REFUSE(eif_rest_offset, header->offsets[i] != 0) ||
		    REFUSE(eif_rest_size, header->sizes[i] != 0))
			return EIF_TABLE_REST;
	return EIF_NONE;
}

static enum eif_fault read_header(struct eif_reader *reader)
{
	enum eif_fault fault;

	eif_parse_header(&reader->header, reader->head);
	fault = judge_header(&reader->header, reader->head);
	reader->crc = eif_crc_update(0, reader->head, EIF_CRC_OFFSET);
	return fault;
}

/* ---- a section's header ---- */

static bool has_type(uint16_t version, unsigned type)
{
	switch (type) {
	case EIF_KERNEL:
	case EIF_CMDLINE:
	case EIF_RAMDISK:
		return true;
	case EIF_SIGNATURE:
		return version >= EIF_VERSION_SIGNATURE;
	case EIF_METADATA:
		return version >= EIF_VERSION_METADATA;
	default:
		return false;
	}
}

static uint64_t size_max(unsigned type)
{
	switch (type) {
	case EIF_CMDLINE:
		return EIF_CMDLINE_MAX;
	case EIF_SIGNATURE:
		return EIF_SIGNATURE_MAX;
	case EIF_METADATA:
		return EIF_METADATA_MAX;
	default:
		return EIF_SECTION_MAX;
	}
}

/* Those that must have come before this one. */
static unsigned needs(unsigned type)
{
	if (type == EIF_CMDLINE)
		return BIT(EIF_KERNEL);
	if (type == EIF_RAMDISK)
		return BIT(EIF_KERNEL) | BIT(EIF_CMDLINE);
	return 0;
}

static enum eif_fault judge_section(
    const struct eif_reader *reader, const struct eif_section *section)
{
	const struct eif_header *header = &reader->header;
	uint64_t begin = reader->at - EIF_SECTION_HEADER_LEN;
	unsigned i = reader->count - 1, type = section->type;

	if (REFUSE(eif_offset, header->offsets[i] != begin))
		return EIF_OFFSET;
	if (REFUSE(eif_type, !has_type(header->version, type)))
		return EIF_SECTION_TYPE;
	if (REFUSE(eif_section_flags, section->flags != 0))
		return EIF_SECTION_FLAGS;
	if (REFUSE(eif_size, section->size != header->sizes[i]))
		return EIF_SIZE;
	/* No command line is one that can be obeyed. */
	if (REFUSE(eif_empty, section->size == 0 && type != EIF_CMDLINE))
		return EIF_EMPTY;
	if (REFUSE(eif_too_large, section->size > size_max(type)))
		return EIF_TOO_LARGE;
	if (REFUSE(eif_twice,
		type != EIF_RAMDISK && (reader->seen & BIT(type)) != 0))
		return EIF_TWICE;
	if (REFUSE(eif_order, (reader->seen & needs(type)) != needs(type)))
		return EIF_ORDER;
	return EIF_NONE;
}

static struct eif_text *text_of(struct eif_reader *reader, unsigned type)
{
	switch (type) {
	case EIF_CMDLINE:
		return &reader->cmdline;
	case EIF_SIGNATURE:
		return &reader->signature;
	case EIF_METADATA:
		return &reader->metadata;
	default:
		return NULL;
	}
}

static enum eif_fault read_section(struct eif_reader *reader)
{
	struct eif_section *section = &reader->sections[reader->count++];
	enum eif_fault fault;

	eif_parse_section(section, reader->head);
	fault = judge_section(reader, section);
	if (fault != EIF_NONE)
		return fault;
	reader->crc = eif_crc_update(
	    reader->crc, reader->head, EIF_SECTION_HEADER_LEN);
	reader->seen |= BIT(section->type);
	reader->left = section->size;
	reader->text = text_of(reader, section->type);
	eif_pcrs_begin(&reader->measure, section->type);
	if (reader->text == NULL)
		return EIF_NONE;
	/* With a NUL behind it. */
	reader->text->bytes = calloc((size_t)section->size + 1, 1);
	return reader->text->bytes ? EIF_NONE : EIF_NO_MEMORY;
}

/* ---- bytes ---- */

/* How many a header needs that is not whole; 0: data comes, or nothing. */
static size_t head_wanted(const struct eif_reader *reader)
{
	if (reader->at - reader->head_len == 0)
		return EIF_HEADER_LEN;
	if (reader->left != 0 || reader->count == reader->header.count)
		return 0;
	return EIF_SECTION_HEADER_LEN;
}

static size_t feed_head(
    struct eif_reader *reader, const uint8_t *bytes, size_t len)
{
	size_t wanted = head_wanted(reader);
	size_t n = wanted - reader->head_len;

	if (n > len)
		n = len;
	memcpy(reader->head + reader->head_len, bytes, n);
	reader->head_len += n;
	reader->at += n;
	if (reader->head_len < wanted)
		return n;
	reader->head_len = 0;
	reader->fault = wanted == EIF_HEADER_LEN ? read_header(reader)
						 : read_section(reader);
	return n;
}

static size_t feed_data(
    struct eif_reader *reader, const uint8_t *bytes, size_t len)
{
	struct eif_text *text = reader->text;
	size_t n = len < reader->left ? len : (size_t)reader->left;

	if (text != NULL) {
		memcpy(text->bytes + text->len, bytes, n);
		text->len += n;
	}
	reader->crc = eif_crc_update(reader->crc, bytes, n);
	eif_pcrs_update(&reader->measure, bytes, n);
	reader->left -= n;
	reader->at += n;
	return n;
}

bool eif_reader_feed(
    struct eif_reader *reader, const uint8_t *bytes, size_t len)
{
	while (len > 0 && reader->fault == EIF_NONE) {
		size_t n = 0;

		if (reader->left != 0)
			n = feed_data(reader, bytes, len);
		else if (head_wanted(reader) != 0)
			n = feed_head(reader, bytes, len);
		else if (REFUSE(eif_trailing, len > 0))
			reader->fault = EIF_TRAILING;
		else
			break;
		bytes += n;
		len -= n;
	}
	return reader->fault == EIF_NONE;
}

/* ---- the end ---- */

/* Of a file that is too short to have a header. */
static bool begins_otherwise(const struct eif_reader *reader)
{
	return reader->at < EIF_HEADER_LEN &&
	       memcmp(reader->head, ".eif", reader->at < 4 ? reader->at : 4) !=
		   0;
}

static enum eif_fault judge_end(const struct eif_reader *reader)
{
	const struct eif_text *cmdline = &reader->cmdline;
	unsigned wanted = BIT(EIF_KERNEL) | BIT(EIF_CMDLINE) | BIT(EIF_RAMDISK);

	if (reader->header.version >= EIF_VERSION_METADATA)
		wanted |= BIT(EIF_METADATA);
	if (REFUSE(eif_magic_short, begins_otherwise(reader)))
		return EIF_MAGIC;
	if (REFUSE(eif_short, reader->left != 0 || head_wanted(reader) != 0))
		return EIF_SHORT;
	if (REFUSE(eif_missing, (reader->seen & wanted) != wanted))
		return EIF_MISSING;
	if (REFUSE(eif_cmdline_nul,
		cmdline->len > 0 &&
		    memchr(cmdline->bytes, '\0', cmdline->len) != NULL))
		return EIF_CMDLINE_NUL;
	if (REFUSE(eif_crc, reader->crc != reader->header.crc))
		return EIF_CRC;
	return EIF_NONE;
}

enum eif_fault eif_reader_finish(struct eif_reader *reader)
{
	if (reader->fault == EIF_NONE)
		reader->fault = judge_end(reader);
	if (reader->fault == EIF_NONE || reader->fault == EIF_CRC)
		eif_pcrs_final(&reader->measure, reader->pcrs);
	return reader->fault;
}
