/* What an NSM answers, to each kind of request; what decodes must keep its
 * promises. The first byte chooses the request. */
#include "oracle/nsm_message.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct nsm_message_answer *a, const uint8_t *bytes,
    size_t len, enum nsm_message_kind wanted)
{
	assert(a->kind == wanted || a->kind == NSM_MESSAGE_ERROR);
	assert(memchr(a->error, '\0', sizeof(a->error)) != NULL);
	assert(memchr(a->module_id, '\0', sizeof(a->module_id)) != NULL);
	assert(memchr(a->digest, '\0', sizeof(a->digest)) != NULL);
	if (a->data.at != NULL)
		assert(a->data.at >= bytes && a->data.len <= len &&
		       a->data.at + a->data.len <= bytes + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct nsm_message_answer zero;
	struct nsm_message_answer a;
	enum nsm_message_kind wanted;

	if (len == 0)
		return 0;
	wanted = (enum nsm_message_kind)(bytes[0] % NSM_MESSAGE_ERROR);
	if (nsm_message_decode(&a, wanted, bytes + 1, len - 1) ==
	    NSM_MESSAGE_OK)
		check(&a, bytes + 1, len - 1, wanted);
	else
		assert(memcmp(&a, &zero, sizeof(a)) == 0);
	return 0;
}
