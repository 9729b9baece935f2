/* eif_write: see eif_write.h. */
#include "verifier/cli/eif_write.h"

#include "base/file.h"
#include "verifier/cli/command.h"
#include "verifier/eif/eif_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_LEN 65536 /* copied at a time */

struct writing {
	struct eif_plan *plan;
	struct file_new file;
	struct eif_pcrs measure;
	uint8_t pcrs[3][HM_PCR_LEN];
	uint64_t at;   /* end of what is written */
	uint64_t size; /* data of the section at hand */
	char *error;   /* EIF_WRITE_ERROR_MAX */
};

__attribute__((format(printf, 3, 4))) static int fail(
    const struct writing *w, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(w->error, EIF_WRITE_ERROR_MAX, format, args);
	va_end(args);
	return code;
}

/* ---- bytes ---- */

static int put_at(
    const struct writing *w, uint64_t at, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	while (len > 0) {
		ssize_t n = pwrite(w->file.fd, from, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(w, COMMAND_USAGE, "%.500s: %s",
			    w->file.temp, strerror(errno));
		from += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int put_data(struct writing *w, const void *bytes, size_t len)
{
	int rc = put_at(w, w->at, bytes, len);

	eif_pcrs_update(&w->measure, bytes, len);
	w->at += len;
	w->size += len;
	return rc;
}

static int copy_file(struct writing *w, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc = 0;
	uint8_t piece[PIECE_LEN];
	ssize_t n = 1;

	if (fd < 0)
		return fail(
		    w, COMMAND_USAGE, "%.500s: %s", path, strerror(errno));
	while (rc == 0 && n != 0) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = fail(w, COMMAND_USAGE, "%.500s: %s", path,
			    strerror(errno));
		else if (w->size + (uint64_t)n > EIF_SECTION_MAX)
			rc = fail(
			    w, COMMAND_MALFORMED, "%.500s: too large", path);
		else
			rc = put_data(w, piece, (size_t)n);
	}
	close(fd);
	return rc;
}

/* ---- sections ---- */

/* Its header is written last: only then is the size of a file known. */
static int put_section(
    struct writing *w, unsigned index, const struct eif_part *part)
{
	struct eif_header *header = &w->plan->header;
	struct eif_section section = {.type = (uint16_t)part->type};
	uint8_t bytes[EIF_SECTION_HEADER_LEN];
	uint64_t begin = w->at;
	int rc;

	w->at += EIF_SECTION_HEADER_LEN;
	w->size = 0;
	eif_pcrs_begin(&w->measure, part->type);
	rc = part->path ? copy_file(w, part->path)
			: put_data(w, part->bytes, part->len);
	section.size = w->size;
	header->offsets[index] = begin;
	header->sizes[index] = w->size;
	eif_format_section(&section, bytes);
	return rc ? rc : put_at(w, begin, bytes, sizeof(bytes));
}

static int put_signature(struct writing *w, unsigned index)
{
	const struct eif_key *key = w->plan->key;
	struct eif_part part = {.type = EIF_SIGNATURE};
	uint8_t *bytes;
	int rc;

	if (eif_signature_make(&bytes, &part.len,
		(struct slice){key->pem, key->pem_len}, key->key, w->pcrs[0]))
		return fail(w, COMMAND_USAGE,
		    "OpenSSL cannot sign with "
		    "this key");
	part.bytes = bytes;
	rc = put_section(w, index, &part);
	free(bytes);
	return rc;
}

static int put_header(struct writing *w)
{
	uint8_t bytes[EIF_HEADER_LEN];

	eif_format_header(&w->plan->header, bytes);
	return put_at(w, 0, bytes, sizeof(bytes));
}

static int put_all(struct writing *w)
{
	struct eif_plan *plan = w->plan;
	unsigned count = plan->count;
	int rc = 0;

	w->at = EIF_HEADER_LEN;
	for (unsigned i = 0; i < count && rc == 0; i++)
		rc = put_section(w, i, &plan->parts[i]);
	eif_pcrs_final(&w->measure, w->pcrs);
	if (rc == 0 && plan->key != NULL)
		rc = put_signature(w, count++);
	plan->header.count = (uint16_t)count;
	return rc ? rc : put_header(w);
}

/* ---- reading it back ---- */

static const char *name_of(const struct eif_plan *plan, int section)
{
	if (section < 0 || (unsigned)section >= plan->count)
		return "the image";
	if (plan->parts[section].path != NULL)
		return plan->parts[section].path;
	return eif_type_name(plan->parts[section].type);
}

static int judge(const struct writing *w, const struct eif_image *image)
{
	int section = eif_image_section_at_fault(image);

	if (image->fault != EIF_NONE)
		return fail(w, COMMAND_MALFORMED, "%.500s: %s",
		    name_of(w->plan, section), eif_fault_text(image->fault));
	if (memcmp(image->reader.pcrs, w->pcrs, sizeof(w->pcrs)) != 0)
		return fail(w, COMMAND_USAGE,
		    "%.500s: what was read back is not what was written: "
		    "something else writes there, or the disk is broken",
		    w->file.temp);
	return 0;
}

static int read_back(const struct writing *w, struct eif_image *out)
{
	int rc = eif_image_read(out, w->file.fd);

	if (rc < 0)
		return fail(w, COMMAND_USAGE, "%.500s: %s", w->file.temp,
		    strerror(-rc));
	return 0;
}

/* The reader has said what the CRC should be; then it must be satisfied. */
static int finish(struct writing *w, struct eif_image *out)
{
	struct eif_header *header = &w->plan->header;
	int rc = read_back(w, out);

	if (rc == 0 && out->fault == EIF_CRC) {
		header->crc = out->reader.crc;
		rc = put_header(w);
		eif_image_fini(out);
		if (rc == 0)
			rc = read_back(w, out);
	}
	return rc ? rc : judge(w, out);
}

int eif_write(struct eif_image *out, struct eif_plan *plan, const char *path,
    char error[static EIF_WRITE_ERROR_MAX])
{
	struct writing w = {.plan = plan, .file.fd = -1, .error = error};
	int rc;

	memset(out, 0, sizeof(*out));
	if (eif_pcrs_init(&w.measure) != 0) {
		rc = fail(&w, COMMAND_USAGE, "out of memory");
		goto out;
	}
	rc = file_begin(&w.file, path, 0644);
	if (rc < 0) {
		rc = fail(&w, COMMAND_USAGE, "%.500s: %s", path, strerror(-rc));
		goto out;
	}
	rc = put_all(&w);
	if (rc == 0)
		rc = finish(&w, out);
	if (rc != 0)
		goto out;
	rc = file_commit(&w.file);
	if (rc < 0)
		rc = fail(&w, COMMAND_USAGE, "%.500s: %s", path, strerror(-rc));
out:
	file_abandon(&w.file);
	eif_pcrs_fini(&w.measure);
	return rc;
}
