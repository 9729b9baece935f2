/*
 * nsm_queue: a Nitro Security Module as the one queue of a virtio device: what
 * the kernel's driver says to it and how it is answered (drivers/misc/nsm.c).
 *
 * The driver adds two buffers and kicks once: the request, for us to read, and
 * room for the answer. It wants them back in this order, and does not look for
 * the second if the first is not there: so a request is given back only once
 * the room for its answer has come. One chain of both is taken, too.
 */
#ifndef HALLMARK_TESTS_NSM_QUEUE_H
#define HALLMARK_TESTS_NSM_QUEUE_H

#include "tests/vm/nsm_core.h"
#include "tests/vm/virtqueue.h"

/* Answers all requests that are there; their number, or -1: the guest broke a
 * rule. An answer that is longer than the room is cut. */
__attribute__((warn_unused_result)) int nsm_queue_serve(
    struct virtqueue *queue, struct nsm_core *core);

#endif
