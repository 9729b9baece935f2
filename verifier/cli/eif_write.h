/*
 * eif_write: makes an image file of its parts, in nitro-cli's order: kernel,
 * command line, metadata, ramdisks, signature.
 *
 * The parts are copied into a file beside `path` and measured on the way, the
 * signature and the headers are added, then all of it is read back with the
 * reader that judges images (which also computes the CRC): only what that
 * accepts, with the measurements that were signed, is renamed to `path`.
 */
#ifndef HALLMARK_VERIFIER_CLI_EIF_WRITE_H
#define HALLMARK_VERIFIER_CLI_EIF_WRITE_H

#include "verifier/cli/eif_image.h"
#include "verifier/cli/eif_key.h"

#define EIF_WRITE_ERROR_MAX 1024

struct eif_part { /* borrowed */
	enum eif_type type;
	const char *path; /* a file, or NULL: */
	const void *bytes;
	size_t len;
};

struct eif_plan {
	struct eif_header header; /* version, flags, memory, cpus */
	struct eif_part parts[EIF_SECTIONS_MAX];
	unsigned count;
	const struct eif_key *key; /* borrowed; NULL: not signed */
};

/* 0, and *out is the image as it was read back; or a code of enum command_exit
 * and what is wrong with which part. eif_image_fini(out) either way. */
HM_MUST_CHECK int eif_write(struct eif_image *out, struct eif_plan *plan,
    const char *path, char error[static EIF_WRITE_ERROR_MAX]);

#endif
