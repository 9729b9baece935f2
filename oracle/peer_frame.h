/*
 * peer_frame: what goes over a link between two enclaves: a length, four bytes,
 * the most significant first, and so many bytes of JSON. Pure.
 */
#ifndef HALLMARK_ORACLE_PEER_FRAME_H
#define HALLMARK_ORACLE_PEER_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* An item in the full form and a little around it. */
#define PEER_FRAME_MAX       (128u * 1024)
#define PEER_FRAME_HEAD      4
#define PEER_FRAME_FIRST_MAX 65536 /* before the hello nobody is believed */

struct peer_frame { /* zero to begin with; reads one frame after the other */
	uint8_t head[PEER_FRAME_HEAD];
	size_t head_len;
	char *text; /* owned; NULL: its length has not come yet */
	size_t len, have;
};

enum peer_frame_status {
	PEER_FRAME_WHOLE = 1, /* text and len are there until peer_frame_next */
	PEER_FRAME_MORE = 0,
	PEER_FRAME_REFUSED = -1 /* empty, too long, or no memory */
};

/* Takes bytes up to the end of a frame; *used says how many. max: bytes of the
 * frame's text. */
enum peer_frame_status peer_frame_take(struct peer_frame *frame, size_t max,
    const void *bytes, size_t len, size_t *used);
/* Done with this one. */
void peer_frame_next(struct peer_frame *frame);
void peer_frame_fini(struct peer_frame *frame);

/* The head of a frame of so many bytes, 1 to PEER_FRAME_MAX (asserted). */
void peer_frame_head(size_t len, uint8_t out[static PEER_FRAME_HEAD]);

#endif
