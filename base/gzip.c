/* gzip: see gzip.h. */
#include "base/gzip.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>

#define ZLIB_CONST /* next_in may be const */
#include <zlib.h>

#define FORMAT    (15 + 16) /* a window of 32 KiB, gzip's header and trailer */
#define MEMORY    8         /* zlib's default */
#define INPUT_MAX (16u << 20)

struct gzip {
	z_stream stream;
};

struct gzip *gzip_new(void)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (!gzip ||
	    deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
		FORMAT, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		log_die("gzip", "out of memory");
	return gzip;
}

void gzip_free(struct gzip *gzip)
{
	if (!gzip)
		return;
	deflateEnd(&gzip->stream);
	free(gzip);
}

uint8_t *gzip_pack(
    struct gzip *gzip, const void *bytes, size_t len, size_t *out_len)
{
	z_stream *stream = &gzip->stream;
	uint8_t *out;
	size_t cap;

	assert(len <= INPUT_MAX);
	deflateReset(stream);
	cap = deflateBound(stream, len);
	out = malloc(cap);
	if (!out)
		log_die("gzip", "out of memory");
	stream->next_in = bytes;
	stream->avail_in = (unsigned)len;
	stream->next_out = out;
	stream->avail_out = (unsigned)cap;
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		log_die("gzip", "zlib is not what its header says");
	*out_len = cap - stream->avail_out;
	return out;
}
