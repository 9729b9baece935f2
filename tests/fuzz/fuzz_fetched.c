/* fuzz_fetched: what is decoded is encoded as the same bytes, and all else is
 * refused and leaves nothing behind. The same bytes are also tried as the JSON
 * around an answer, and as host and path. */
#include "verifier/fetched.h"
#include "verifier/fetched_envelope.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_content(const char *text, size_t size)
{
	static const struct hm_fetched none;
	struct hm_fetched fetched;
	char *again;
	size_t len;

	if (fetched_decode(&fetched, text, size) != 0) {
		if (memcmp(&fetched, &none, sizeof(fetched)) != 0)
			abort();
		return;
	}
	again = fetched_encode(&fetched, &len);
	if (again == NULL || len != size || memcmp(again, text, size) != 0)
		abort();
	free(again);
	hm_fetched_fini(&fetched);
}

static void try_envelope(const char *text, size_t size)
{
	struct hm_envelope envelope, second;
	char *again;

	if (hm_fetch_parse(&envelope, text, size) != HM_VALID)
		return;
	again = fetched_envelope_format(&envelope);
	if (again == NULL ||
	    hm_fetch_parse(&second, again, strlen(again)) != HM_VALID ||
	    strcmp(second.content, envelope.content) != 0)
		abort();
	free(again);
	hm_envelope_fini(&second);
	hm_envelope_fini(&envelope);
}

/* Nothing that could end a line or a segment early gets through. */
static void try_request(const char *text, size_t size)
{
	char *copy = strndup(text, size);
	size_t path;

	if (copy == NULL)
		abort();
	path = strcspn(copy, "?");
	if (fetched_is_hostname(copy) && strpbrk(copy, "/:@%\r\n \t") != NULL)
		abort();
	if (fetched_is_path(copy) &&
	    (copy[0] != '/' || strpbrk(copy, "#\\\r\n \t\"") != NULL ||
		memmem(copy, path, "/..", 3) == copy + path - 3 ||
		memmem(copy, path, "/../", 4) != NULL ||
		memchr(copy, '%', path) != NULL))
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	try_content(text, size);
	try_envelope(text, size);
	try_request(text, size);
	return 0;
}
