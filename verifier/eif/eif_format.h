/*
 * eif_format: the enclave image file (EIF) of AWS Nitro Enclaves, its numbers
 * and its answers. Source: the specification in README.md of
 * github.com/aws/aws-nitro-enclaves-image-format (2024-06-21), and that
 * project's own reader, from which nitro-cli is made.
 *
 *   header, 548 bytes       who it is, and a table of offsets and sizes
 *   section header, 12      type, flags, size; and so many bytes of data
 *   ...                     again, up to 32 times; nothing behind the last
 *
 * All numbers are big-endian. The table says where each section header lies
 * and how much data follows it; the sections lie one behind the other in the
 * table's order, so everything is said twice. AWS's reader walks the sections
 * and does not look at the table, QEMU's goes by the table: a file in which
 * the two differ is two images, and is refused.
 */
#ifndef HALLMARK_VERIFIER_EIF_EIF_FORMAT_H
#define HALLMARK_VERIFIER_EIF_EIF_FORMAT_H

#include <stdint.h>

#define EIF_HEADER_LEN         548
#define EIF_CRC_OFFSET         544 /* the CRC is over all bytes but its own */
#define EIF_SECTION_HEADER_LEN 12
#define EIF_SECTIONS_MAX       32 /* MAX_NUM_SECTIONS */
#define EIF_VERSION            4
#define EIF_VERSION_MIN        2 /* "initial publicly released version" */
#define EIF_VERSION_SIGNATURE  3
#define EIF_VERSION_METADATA   4
#define EIF_FLAG_ARM64         1u

/* COMMAND_LINE_SIZE of x86 and arm64 less the NUL: a longer one is measured
 * whole and obeyed in part. */
#define EIF_CMDLINE_MAX 2047
#define EIF_METADATA_MAX                                                  \
	(1u << 20)              /* what docker says of an image: < 64 KiB \
				 */
#define EIF_SIGNATURE_MAX 32768 /* SIGNATURE_MAX_SIZE */
/* Of one section: no enclave has this much memory to load it into, and 32 of
 * them do not overflow 64 bits. */
#define EIF_SECTION_MAX (UINT64_C(1) << 40)

enum eif_type {
	EIF_KERNEL = 1,
	EIF_CMDLINE,
	EIF_RAMDISK,
	EIF_SIGNATURE,
	EIF_METADATA,
};

/*
 * What can be wrong with an image: a stable name, the class (the exit code: 2
 * malformed, 3 signature), and a sentence for people.
 */
#define EIF_FAULTS(X)                                                          \
	X(NONE, "none", 0, "nothing is wrong")                                 \
	X(NO_MEMORY, "no_memory", 2, "out of memory")                          \
	X(MAGIC, "magic", 2,                                                   \
	    "this is not an EIF: it does not begin with .eif")                 \
	X(BAD_VERSION, "version", 2, "a format version other than 2, 3 and 4") \
	X(FLAGS, "flags", 2, "header flags other than the one for arm64")      \
	X(RESERVED, "reserved", 2,                                             \
	    "reserved bytes of the header are not zero")                       \
	X(COUNT, "count", 2, "the number of sections is not 1 to 32")          \
	X(TABLE_REST, "table_rest", 2,                                         \
	    "the header's table goes on behind the last section")              \
	X(OFFSET, "offset", 2,                                                 \
	    "the header's table puts this section elsewhere: readers that "    \
	    "go by the table and those that walk see two images")              \
	X(SIZE, "size", 2,                                                     \
	    "the header's table and the section's own header give two sizes")  \
	X(SECTION_TYPE, "section_type", 2,                                     \
	    "a section type that this format version does not have")           \
	X(SECTION_FLAGS, "section_flags", 2,                                   \
	    "section flags that are not zero")                                 \
	X(EMPTY, "empty", 2, "a section without data")                         \
	X(TOO_LARGE, "too_large", 2, "a section larger than its kind may be")  \
	X(TWICE, "twice", 2,                                                   \
	    "a second section of a kind of which there is one")                \
	X(ORDER, "order", 2,                                                   \
	    "kernel, command line and ramdisks are not in this order, in "     \
	    "which they are measured")                                         \
	X(MISSING, "missing", 2,                                               \
	    "no kernel, command line or ramdisk, or no metadata in version 4") \
	X(CMDLINE_NUL, "cmdline_nul", 2,                                       \
	    "a NUL in the command line: what is behind it is measured and "    \
	    "not obeyed")                                                      \
	X(SHORT, "short", 2, "the file ends before its sections do")           \
	X(TRAILING, "trailing", 2, "bytes behind the last section")            \
	X(CRC, "crc", 2, "the CRC-32 is not that of the file: it is damaged")  \
	X(METADATA_FORM, "metadata_form", 2, "the metadata is no JSON object") \
	X(SIGNATURE_FORM, "signature_form", 2,                                 \
	    "the signature section is not one ES384 signature of PCR0 as "     \
	    "nitro-cli writes it")                                             \
	X(CERTIFICATE, "certificate", 2,                                       \
	    "the signing certificate is not one PEM certificate with a P-384 " \
	    "key, and nothing else")                                           \
	X(SIGNED_OTHER, "signed_other", 3,                                     \
	    "the signature is that of another image: its PCR0 is not this "    \
	    "one's")                                                           \
	X(SIGNATURE_WRONG, "signature_wrong", 3,                               \
	    "the signature is not by the certificate's key")

enum eif_fault {
#define EIF_FAULT_ENUM(c, name, exit_class, text) EIF_##c,
	EIF_FAULTS(EIF_FAULT_ENUM)
#undef EIF_FAULT_ENUM
	EIF_FAULT_COUNT
};

const char *eif_fault_name(enum eif_fault fault);
const char *eif_fault_text(enum eif_fault fault); /* no full stop */
int eif_fault_class(enum eif_fault fault);

struct eif_header {
	uint16_t version, flags, reserved, count;
	uint64_t memory, cpus;              /* AWS: "currently unused" */
	uint64_t offsets[EIF_SECTIONS_MAX]; /* of section headers */
	uint64_t sizes[EIF_SECTIONS_MAX];   /* of data */
	uint32_t unused, crc;
};

struct eif_section {
	uint16_t type, flags;
	uint64_t size;
};

/* These judge nothing. */
void eif_format_header(
    const struct eif_header *header, uint8_t out[EIF_HEADER_LEN]);
void eif_parse_header(
    struct eif_header *out, const uint8_t bytes[EIF_HEADER_LEN]);
void eif_format_section(
    const struct eif_section *section, uint8_t out[EIF_SECTION_HEADER_LEN]);
void eif_parse_section(
    struct eif_section *out, const uint8_t bytes[EIF_SECTION_HEADER_LEN]);

/* "kernel"; "unknown" for what is none of enum eif_type. */
const char *eif_type_name(unsigned type);

#endif
