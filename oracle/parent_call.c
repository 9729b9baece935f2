/* parent_call: see parent_call.h. The connection is base/call's; here is what
 * goes over it. */
#include "oracle/parent_call.h"

#include "base/call.h"
#include "base/log.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_LEN 4

struct parent_call {
	struct call call;
	parent_call_cb cb;
	void *data;
	size_t answer_max, answer_len; /* answer_len: once the head is here */
	size_t received;               /* of head and answer */
	uint8_t head[HEAD_LEN];
	uint8_t *question, *answer; /* owned */
};

static void *need(void *memory)
{
	if (memory == NULL)
		log_die("parent_call", "out of memory");
	return memory;
}

static uv_buf_t room(void *data)
{
	struct parent_call *call = data;
	size_t at = call->received;

	if (at < HEAD_LEN)
		return uv_buf_init(
		    (char *)call->head + at, (unsigned)(HEAD_LEN - at));
	return uv_buf_init((char *)call->answer + at - HEAD_LEN,
	    (unsigned)(HEAD_LEN + call->answer_len - at));
}

static int take_head(struct parent_call *call)
{
	const uint8_t *head = call->head;
	size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
		     (size_t)head[2] << 8 | head[3];

	if (len == 0 || len > call->answer_max)
		return UV_EMSGSIZE;
	call->answer_len = len;
	call->answer = need(calloc(1, len));
	return CALL_MORE;
}

static int took(void *data, size_t len)
{
	struct parent_call *call = data;

	if (len == 0)
		return UV_EOF;
	call->received += len;
	if (call->received == HEAD_LEN)
		return take_head(call);
	return call->answer != NULL &&
		       call->received == HEAD_LEN + call->answer_len
		   ? 0
		   : CALL_MORE;
}

static void ended(void *data, int status)
{
	struct parent_call *call = data;
	bool whole = status == 0;

	call->cb(status, whole ? call->answer : NULL,
	    whole ? call->answer_len : 0, call->data);
}

static void closed(void *data)
{
	struct parent_call *call = data;

	if (call->answer != NULL)
		OPENSSL_cleanse(call->answer, call->answer_len);
	free(call->answer);
	free(call->question);
	free(call);
}

static const struct call_owner owner = {
    .name = "parent_call",
    .room = room,
    .took = took,
    .ended = ended,
    .closed = closed,
};

struct parent_call *parent_call_start(const struct parent_call_options *options)
{
	struct parent_call *call = need(calloc(1, sizeof(*call)));

	call->cb = options->cb;
	call->data = options->data;
	call->answer_max = options->answer_max;
	call->question = need(malloc(options->len + 1));
	if (options->len > 0)
		memcpy(call->question, options->bytes, options->len);
	call_start(&call->call, &(struct call_options){
				    .loop = options->loop,
				    .at = options->at,
				    .bytes = call->question,
				    .len = options->len,
				    .timeout_ms = options->timeout_ms,
				    .owner = &owner,
				    .data = call,
				});
	return call;
}

void parent_call_cancel(struct parent_call *call)
{
	call_cancel(&call->call);
}
