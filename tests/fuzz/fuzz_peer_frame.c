/* fuzz_peer_frame: a peer's bytes, whatever they are: frames in pieces, and
 * what is read of each as a hello, an answer and an item. The first byte says
 * how large the pieces are. */
#include "oracle/peer_answer.h"
#include "oracle/peer_frame.h"
#include "oracle/peer_hello.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/strict_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as_hello(const struct peer_frame *frame)
{
	static const uint8_t zeros[HM_SHA256_LEN];
	struct hm_policy *policy = strict_policy();
	char why[PEER_HELLO_WHY_MAX];
	uint8_t boot_id[16];

	if (peer_hello_judge(&(struct peer_hello_question){.policy = policy,
				 .exporter = zeros,
				 .spki_sha256 = zeros,
				 .own_boot_id = zeros,
				 .speaker = PEER_DIALED,
				 .now_ms = 1800000000000},
		frame->text, frame->len, boot_id, why) != PEER_HELLO_BAD)
		abort();
}

static void read_as_answer(const struct peer_frame *frame)
{
	struct peer_answer answer, again;
	char *text;

	if (peer_answer_parse(&answer, frame->text, frame->len) != 0)
		return;
	if (!answer.cosigned) {
		text = peer_answer_disagrees(
		    answer.feed, answer.sequence, answer.why, answer.price);
		if (!text ||
		    peer_answer_parse(&again, text, strlen(text)) != 0 ||
		    memcmp(&answer, &again, sizeof(again)) != 0)
			abort();
		free(text);
	}
	peer_answer_fini(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer_frame frame = {0};
	size_t piece = size > 0 ? data[0] + 1u : 1, at = 1;

	while (at < size) {
		size_t part = size - at < piece ? size - at : piece, used;
		enum peer_frame_status status = peer_frame_take(
		    &frame, PEER_FRAME_MAX, data + at, part, &used);

		if (used > part || (used == 0 && status == PEER_FRAME_MORE))
			abort();
		if (status == PEER_FRAME_REFUSED)
			break;
		at += used;
		if (status != PEER_FRAME_WHOLE)
			continue;
		read_as_hello(&frame);
		read_as_answer(&frame);
		peer_frame_next(&frame);
	}
	peer_frame_fini(&frame);
	return 0;
}
