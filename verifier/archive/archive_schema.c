/* archive_schema: from one version to the next. */
#include "verifier/archive/archive_schema.h"

#include <assert.h>
#include <stddef.h>

/* Each makes of a version the one behind it. */
static const char *const steps[ARCHIVE_SCHEMA_VERSION] = {
    ARCHIVE_SCHEMA_CREATE, ARCHIVE_SCHEMA_UPGRADE_1, ARCHIVE_SCHEMA_UPGRADE_2};

int archive_schema_upgrade(sqlite3 *db, int64_t from, int64_t upto)
{
	assert(from >= 0 && upto <= ARCHIVE_SCHEMA_VERSION);
	for (; from < upto; from++)
		if (sqlite3_exec(db, steps[from], NULL, NULL, NULL))
			return -1;
	return 0;
}
