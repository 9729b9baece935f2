/* eif_image: see eif_image.h. */
#include "verifier/cli/eif_image.h"

#include "verifier/cli/json_of.h"
#include "verifier/eif/eif_metadata.h"
#include "verifier/eif/eif_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE_LEN 65536 /* read at a time */

static enum eif_fault judge_texts(struct eif_image *image)
{
	const struct eif_reader *reader = &image->reader;
	const struct eif_text *metadata = &reader->metadata;
	const struct eif_text *signature = &reader->signature;

	if (metadata->bytes != NULL) {
		image->metadata = eif_metadata_parse(
		    (const char *)metadata->bytes, metadata->len);
		if (image->metadata == NULL)
			return EIF_METADATA_FORM;
	}
	if (signature->bytes == NULL)
		return EIF_NONE;
	return eif_signature_verify(&image->certificate, image->pcr8,
	    (struct slice){signature->bytes, signature->len}, reader->pcrs[0]);
}

/* A pipe has no beginning to go back to, and stands there anyway. */
int eif_image_read(struct eif_image *image, int fd)
{
	uint8_t piece[PIECE_LEN];
	ssize_t n;

	memset(image, 0, sizeof(*image));
	eif_reader_init(&image->reader);
	if (lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE)
		return -errno;
	for (;;) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 ||
		    !eif_reader_feed(&image->reader, piece, (size_t)n))
			break;
	}
	image->fault = eif_reader_finish(&image->reader);
	if (image->fault == EIF_NONE)
		image->fault = judge_texts(image);
	return 0;
}

int eif_image_open(struct eif_image *image, const char *path)
{
	int fd, ret;

	if (strcmp(path, "-") == 0)
		return eif_image_read(image, STDIN_FILENO);
	memset(image, 0, sizeof(*image));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	ret = eif_image_read(image, fd);
	close(fd);
	return ret;
}

void eif_image_fini(struct eif_image *image)
{
	eif_reader_fini(&image->reader);
	json_decref(image->metadata);
	X509_free(image->certificate);
	memset(image, 0, sizeof(*image));
}

static int find_section(const struct eif_reader *reader, unsigned type)
{
	for (unsigned i = 0; i < reader->count; i++)
		if (reader->sections[i].type == type)
			return (int)i;
	return -1;
}

int eif_image_section_at_fault(const struct eif_image *image)
{
	const struct eif_reader *reader = &image->reader;

	switch (image->fault) {
	case EIF_OFFSET:
	case EIF_SIZE:
	case EIF_SECTION_TYPE:
	case EIF_SECTION_FLAGS:
	case EIF_EMPTY:
	case EIF_TOO_LARGE:
	case EIF_TWICE:
	case EIF_ORDER:
	case EIF_SHORT:
		return (int)reader->count - 1;
	case EIF_CMDLINE_NUL:
		return find_section(reader, EIF_CMDLINE);
	case EIF_METADATA_FORM:
		return find_section(reader, EIF_METADATA);
	case EIF_SIGNATURE_FORM:
	case EIF_CERTIFICATE:
	case EIF_SIGNED_OTHER:
	case EIF_SIGNATURE_WRONG:
		return find_section(reader, EIF_SIGNATURE);
	default:
		return -1;
	}
}

json_t *eif_image_measurements(const struct eif_image *image)
{
	static const char *const names[] = {"PCR0", "PCR1", "PCR2"};
	json_t *out = json_pack("{s:s}", "HashAlgorithm", "Sha384 { ... }");

	for (unsigned i = 0; i < 3; i++)
		json_object_set_new(
		    out, names[i], hex_json(image->reader.pcrs[i], HM_PCR_LEN));
	if (image->certificate != NULL)
		json_object_set_new(
		    out, "PCR8", hex_json(image->pcr8, HM_PCR_LEN));
	return out;
}
