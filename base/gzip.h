/* gzip: a text in the format of RFC 1952, in one go. */
#ifndef HALLMARK_BASE_GZIP_H
#define HALLMARK_BASE_GZIP_H

#include <stddef.h>
#include <stdint.h>

struct gzip; /* zlib's state, a quarter of a MiB, used again and again */

struct gzip *gzip_new(void);
void gzip_free(struct gzip *gzip); /* NULL is fine */

/* Returns malloc'ed bytes and their number in *out_len. */
uint8_t *gzip_pack(
    struct gzip *gzip, const void *bytes, size_t len, size_t *out_len);

#endif
