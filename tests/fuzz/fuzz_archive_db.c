/* SQLite archives: the bytes of a database file that somebody made. What passes
 * for ours is read to its end: nothing in it runs, and it has an end. The
 * header's WAL marks are taken back, since there is no file beside it. */
#include "archive_entries.h"

#include <sqlite3.h>

#define PAGE_MIN 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX] = "";
	struct archive_source *source;
	uint8_t *copy;

	if (size < PAGE_MIN)
		return 0;
	copy = malloc(size);
	must(copy != NULL);
	memcpy(copy, data, size);
	/* sqlite.org/fileformat.html, 1.3.3: 1 is "legacy", 2 is WAL */
	copy[18] = copy[19] = 1;
	if (archive_sqlite_open_memory(&source, copy, size, error) == 0)
		/* the smallest row is of some bytes, in as many tables as may
		 * share a page, and a rollback lists 100 complaints */
		read_entries(source, 4 * size + 200);
	else
		must(error[0] != '\0');
	free(copy);
	return 0;
}
