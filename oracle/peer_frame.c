/* peer_frame: see peer_frame.h. */
#include "oracle/peer_frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static enum peer_frame_status begin(struct peer_frame *frame, size_t max)
{
	uint32_t len = 0;

	for (size_t i = 0; i < PEER_FRAME_HEAD; i++)
		len = len << 8 | frame->head[i];
	if (len == 0 || len > max)
		return PEER_FRAME_REFUSED;
	frame->text = malloc((size_t)len + 1);
	if (!frame->text)
		return PEER_FRAME_REFUSED;
	frame->text[len] = '\0';
	frame->len = len;
	frame->have = 0;
	return PEER_FRAME_MORE;
}

enum peer_frame_status peer_frame_take(struct peer_frame *frame, size_t max,
    const void *bytes, size_t len, size_t *used)
{
	const uint8_t *at = bytes;
	size_t part = least(PEER_FRAME_HEAD - frame->head_len, len);

	memcpy(frame->head + frame->head_len, at, part);
	frame->head_len += part;
	*used = part;
	if (frame->head_len < PEER_FRAME_HEAD)
		return PEER_FRAME_MORE;
	if (!frame->text && begin(frame, max) == PEER_FRAME_REFUSED)
		return PEER_FRAME_REFUSED;
	part = least(frame->len - frame->have, len - *used);
	memcpy(frame->text + frame->have, at + *used, part);
	frame->have += part;
	*used += part;
	return frame->have == frame->len ? PEER_FRAME_WHOLE : PEER_FRAME_MORE;
}

void peer_frame_next(struct peer_frame *frame)
{
	peer_frame_fini(frame);
}

void peer_frame_fini(struct peer_frame *frame)
{
	free(frame->text);
	*frame = (struct peer_frame){0};
}

void peer_frame_head(size_t len, uint8_t out[static PEER_FRAME_HEAD])
{
	assert(len > 0 && len <= PEER_FRAME_MAX);
	for (size_t i = 0; i < PEER_FRAME_HEAD; i++)
		out[i] = (uint8_t)(len >> (8 * (PEER_FRAME_HEAD - 1 - i)));
}
