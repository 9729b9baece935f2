/* eif_format: see eif_format.h. Encoder and decoder of both headers. */
#include "verifier/eif/eif_format.h"

#include <string.h>

static const struct {
	const char *name, *text;
	int exit_class;
} faults[EIF_FAULT_COUNT] = {
#define FAULT_ROW(c, word, number, sentence) \
	[EIF_##c] = {word, sentence, number},
    EIF_FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

const char *eif_fault_name(enum eif_fault fault)
{
	return faults[fault].name;
}

const char *eif_fault_text(enum eif_fault fault)
{
	return faults[fault].text;
}

int eif_fault_class(enum eif_fault fault)
{
	return faults[fault].exit_class;
}

static uint8_t *put(uint8_t *at, uint64_t value, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		at[i] = (uint8_t)(value >> 8 * (len - 1 - i));
	return at + len;
}

static uint64_t take(const uint8_t **at, unsigned len)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < len; i++)
		value = value << 8 | *(*at)++;
	return value;
}

void eif_format_header(
    const struct eif_header *header, uint8_t out[EIF_HEADER_LEN])
{
	uint8_t *at = out;

	memcpy(at, ".eif", 4);
	at = put(at + 4, header->version, 2);
	at = put(at, header->flags, 2);
	at = put(at, header->memory, 8);
	at = put(at, header->cpus, 8);
	at = put(at, header->reserved, 2);
	at = put(at, header->count, 2);
	for (unsigned i = 0; i < EIF_SECTIONS_MAX; i++)
		at = put(at, header->offsets[i], 8);
	for (unsigned i = 0; i < EIF_SECTIONS_MAX; i++)
		at = put(at, header->sizes[i], 8);
	at = put(at, header->unused, 4);
	put(at, header->crc, 4);
}

void eif_parse_header(
    struct eif_header *out, const uint8_t bytes[EIF_HEADER_LEN])
{
	const uint8_t *at = bytes + 4; /* behind ".eif" */

	out->version = (uint16_t)take(&at, 2);
	out->flags = (uint16_t)take(&at, 2);
	out->memory = take(&at, 8);
	out->cpus = take(&at, 8);
	out->reserved = (uint16_t)take(&at, 2);
	out->count = (uint16_t)take(&at, 2);
	for (unsigned i = 0; i < EIF_SECTIONS_MAX; i++)
		out->offsets[i] = take(&at, 8);
	for (unsigned i = 0; i < EIF_SECTIONS_MAX; i++)
		out->sizes[i] = take(&at, 8);
	out->unused = (uint32_t)take(&at, 4);
	out->crc = (uint32_t)take(&at, 4);
}

void eif_format_section(
    const struct eif_section *section, uint8_t out[EIF_SECTION_HEADER_LEN])
{
	uint8_t *at = put(out, section->type, 2);

	at = put(at, section->flags, 2);
	put(at, section->size, 8);
}

void eif_parse_section(
    struct eif_section *out, const uint8_t bytes[EIF_SECTION_HEADER_LEN])
{
	const uint8_t *at = bytes;

	out->type = (uint16_t)take(&at, 2);
	out->flags = (uint16_t)take(&at, 2);
	out->size = take(&at, 8);
}

const char *eif_type_name(unsigned type)
{
	switch (type) {
	case EIF_KERNEL:
		return "kernel";
	case EIF_CMDLINE:
		return "cmdline";
	case EIF_RAMDISK:
		return "ramdisk";
	case EIF_SIGNATURE:
		return "signature";
	case EIF_METADATA:
		return "metadata";
	default:
		return "unknown";
	}
}
