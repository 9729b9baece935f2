/*
 * archive_input: the bytes of an archive that is text, through a window, so
 * that memory is the window whatever the file is. What is no regular file (a
 * pipe, standard input) is copied into a nameless temporary one first: a
 * document is read again where an item needs it.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_INPUT_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_INPUT_H

#include "verifier/archive/archive_source.h"

#define ARCHIVE_INPUT_WINDOW (1u << 19)   /* the largest piece, twice */
#define ARCHIVE_INPUT_PIECE  (1u << 18)   /* most that can be asked for */
#define ARCHIVE_INPUT_MAX    (1ull << 40) /* bytes of a file, or of a pipe */

struct archive_input {
	int fd;             /* -1: all of it is in memory */
	const char *memory; /* borrowed; NULL: from fd */
	char *buffer;       /* ARCHIVE_INPUT_WINDOW, from fd only */
	const char *at;     /* what comes next */
	size_t len;         /* how much of it is in the window */
	uint64_t offset;    /* of `at` in the file */
	uint64_t size;      /* of the file */
	bool failed;        /* it could not be read to its end */
};

/* A temporary file (in $TMPDIR) without a name, so that it is gone whatever
 * becomes of us: an fd, or a negative errno. */
HM_MUST_CHECK int archive_input_nameless(void);

/* Takes fd, closes it in any case. 0, or -1 and why. */
HM_MUST_CHECK int archive_input_open(struct archive_input *out, int fd,
    char error[static ARCHIVE_SOURCE_ERROR_MAX]);
/* For tests: the bytes outlive the input. */
void archive_input_memory(
    struct archive_input *out, const char *bytes, size_t len);
void archive_input_close(struct archive_input *input);

/* Makes the window hold `want` bytes (at most ARCHIVE_INPUT_PIECE), or what is
 * left of the file; how many there are. */
size_t archive_input_need(struct archive_input *input, size_t want);
/* Goes on behind so many bytes of the window. */
void archive_input_skip(struct archive_input *input, size_t len);
/* Back to the beginning. */
void archive_input_rewind(struct archive_input *input);

/* Copies what stands elsewhere in the file. 0, or -1. */
HM_MUST_CHECK int archive_input_read_at(
    const struct archive_input *input, uint64_t offset, char *out, size_t len);

#endif
