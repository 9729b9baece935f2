/* archive_bundle_read: a bundle's beginning, for archive_text.c. */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_BUNDLE_READ_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_BUNDLE_READ_H

#include "verifier/archive/archive_bundle.h"
#include "verifier/archive/archive_piece.h"

/* Reads {"format":"hallmark-bundle/1": whether it was there. */
bool archive_bundle_begins(struct archive_input *input);
/* From there to the lists. 0, or -1 and why; then it is none. */
HM_MUST_CHECK int archive_bundle_read_about(struct archive_bundle_about *out,
    struct archive_input *input, char error[static ARCHIVE_SOURCE_ERROR_MAX]);

#endif
