/* NDJSON archives: any bytes are safe, and what comes of them is whole. */
#include "archive_entries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX];
	struct archive_source *source;

	if (archive_text_open_memory(
		&source, (const char *)data, size, error) != 0)
		return 0;
	/* a line: what is wrong, its document, itself; and at the end */
	read_entries(source, 3 * size + 3);
	return 0;
}
