/* virtqueue: see virtqueue.h. */
#include "tests/vm/virtqueue.h"

#include <string.h>

/* ---- memory ---- */

static void *find(const struct guest_memory *memory, uint64_t address,
    uint64_t len, bool user)
{
	for (size_t i = 0; i < memory->count; i++) {
		const struct guest_region *region = &memory->regions[i];
		uint64_t start = user ? region->user : region->guest;

		if (address >= start && len <= region->size &&
		    address - start <= region->size - len)
			return region->at + (address - start);
	}
	return NULL;
}

void *guest_memory_at(
    const struct guest_memory *memory, uint64_t address, uint64_t len)
{
	return find(memory, address, len, false);
}

void *guest_memory_at_user(
    const struct guest_memory *memory, uint64_t address, uint64_t len)
{
	return find(memory, address, len, true);
}

/* ---- chains ---- */

/* What we write comes after what we read (section 2.7.4.2). */
static int add_part(struct virtqueue_chain *chain,
    const struct guest_memory *memory, const struct vring_desc *desc)
{
	bool in = (desc->flags & VRING_DESC_F_WRITE) != 0;
	struct iovec *parts = in ? chain->in : chain->out;
	int *count = in ? &chain->ins : &chain->outs;
	void *at = guest_memory_at(memory, desc->addr, desc->len);

	if (at == NULL || *count == VIRTQUEUE_PARTS_MAX)
		return -1;
	if ((desc->flags & VRING_DESC_F_INDIRECT) != 0 ||
	    (!in && chain->ins != 0))
		return -1;
	parts[(*count)++] = (struct iovec){at, desc->len};
	return 0;
}

static int walk(const struct virtqueue *queue, struct virtqueue_chain *chain)
{
	uint16_t index = chain->head;

	/* A chain that is longer than the table goes round in it. */
	for (unsigned hops = 0; hops < queue->size; hops++) {
		struct vring_desc desc;

		if (index >= queue->size)
			return -1;
		memcpy(&desc, &queue->desc[index], sizeof(desc));
		if (add_part(chain, queue->memory, &desc) != 0)
			return -1;
		if ((desc.flags & VRING_DESC_F_NEXT) == 0)
			return 0;
		index = desc.next;
	}
	return -1;
}

int virtqueue_take(struct virtqueue *queue, struct virtqueue_chain *out)
{
	uint16_t there = __atomic_load_n(&queue->avail->idx, __ATOMIC_ACQUIRE);
	uint16_t waiting = (uint16_t)(there - queue->next);

	if (waiting == 0)
		return 0;
	if (waiting > queue->size)
		return -1;
	out->outs = out->ins = 0;
	out->head = queue->avail->ring[queue->next % queue->size];
	if (walk(queue, out) != 0)
		return -1;
	queue->next++;
	return 1;
}

void virtqueue_untake(struct virtqueue *queue)
{
	queue->next--;
}

void virtqueue_give(struct virtqueue *queue,
    const struct virtqueue_chain *chain, uint32_t written)
{
	uint16_t index = queue->used->idx; /* written by us only */

	queue->used->ring[index % queue->size] = (struct vring_used_elem){
	    chain->head, written};
	__atomic_store_n(
	    &queue->used->idx, (uint16_t)(index + 1), __ATOMIC_RELEASE);
}

bool virtqueue_wants_call(const struct virtqueue *queue)
{
	/* The guest writes its flag, then looks at our index; we write the
	 * index, then look at the flag (section 2.7.7.2). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (__atomic_load_n(&queue->avail->flags, __ATOMIC_RELAXED) &
		   VRING_AVAIL_F_NO_INTERRUPT) == 0;
}

/* ---- bytes ---- */

size_t virtqueue_read(
    const struct virtqueue_chain *chain, uint8_t *out, size_t max)
{
	size_t total = 0;

	for (int i = 0; i < chain->outs; i++) {
		const struct iovec *part = &chain->out[i];
		size_t room = total < max ? max - total : 0;

		memcpy(out + (max - room), part->iov_base,
		    part->iov_len < room ? part->iov_len : room);
		total += part->iov_len;
	}
	return total;
}

size_t virtqueue_room(const struct virtqueue_chain *chain)
{
	size_t total = 0;

	for (int i = 0; i < chain->ins; i++)
		total += chain->in[i].iov_len;
	return total;
}

size_t virtqueue_write(
    const struct virtqueue_chain *chain, const uint8_t *bytes, size_t len)
{
	size_t written = 0;

	for (int i = 0; i < chain->ins && written < len; i++) {
		size_t part = chain->in[i].iov_len;

		if (part > len - written)
			part = len - written;
		memcpy(chain->in[i].iov_base, bytes + written, part);
		written += part;
	}
	return written;
}
