/* nsm_queue: see nsm_queue.h. */
#include "tests/vm/nsm_queue.h"

static uint32_t answer(struct nsm_core *core,
    const struct virtqueue_chain *request, const struct virtqueue_chain *room)
{
	uint8_t in[NSM_MESSAGE_REQUEST_MAX], out[NSM_MESSAGE_ANSWER_MAX];
	size_t len = virtqueue_read(request, in, sizeof(in));

	if (len > sizeof(in))
		len = 0; /* which is no request; the driver lets none through */
	len = nsm_core_answer(core, in, len, out);
	return (uint32_t)virtqueue_write(room, out, len);
}

/* 1: answered, 0: nothing is there, or half of it, -1: a rule is broken. */
static int serve_one(struct virtqueue *queue, struct nsm_core *core)
{
	struct virtqueue_chain request, room;
	int there = virtqueue_take(queue, &request);
	uint32_t written;

	if (there != 1)
		return there;
	if (request.outs == 0)
		return -1; /* room for an answer to nothing */
	if (request.ins > 0) {
		written = answer(core, &request, &request);
		virtqueue_give(queue, &request, written);
		return 1;
	}
	there = virtqueue_take(queue, &room);
	if (there == 0)
		virtqueue_untake(queue);
	if (there != 1)
		return there;
	if (room.outs > 0)
		return -1;
	written = answer(core, &request, &room);
	virtqueue_give(queue, &request, 0);
	virtqueue_give(queue, &room, written);
	return 1;
}

int nsm_queue_serve(struct virtqueue *queue, struct nsm_core *core)
{
	int count = 0, rc;

	while ((rc = serve_one(queue, core)) == 1)
		count++;
	return rc < 0 ? rc : count;
}
