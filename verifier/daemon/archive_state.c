/* archive_state: from SQLite's many codes to what an operator can do. */
#include "verifier/daemon/archive_state.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>

static const char *const names[ARCHIVE_STATES] = {
    [ARCHIVE_OK] = "ok",
    [ARCHIVE_FULL] = "full",
    [ARCHIVE_READ_ONLY] = "read_only",
    [ARCHIVE_LOCKED] = "locked",
    [ARCHIVE_CORRUPT] = "corrupt",
    [ARCHIVE_MOVED] = "moved",
    [ARCHIVE_FOREIGN] = "foreign",
    [ARCHIVE_FAILING] = "failing",
};

const char *archive_state_name(enum archive_state state)
{
	assert(state < ARCHIVE_STATES);
	return names[state];
}

/* SQLite says SQLITE_FULL for ENOSPC alone, and only of the file itself; a
 * quota, RLIMIT_FSIZE and the shared memory's file are an "I/O error". */
static enum archive_state of_errno(int system_errno)
{
	switch (system_errno) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ARCHIVE_FULL;
	case EROFS:
	case EACCES:
	case EPERM:
		return ARCHIVE_READ_ONLY;
	default:
		return ARCHIVE_FAILING;
	}
}

enum archive_state archive_state_of(int rc, int system_errno)
{
	switch (rc & 0xff) { /* the primary code of an extended one */
	case SQLITE_FULL:
		return ARCHIVE_FULL;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return ARCHIVE_READ_ONLY;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: /* WAL's locks, after many attempts */
		return ARCHIVE_LOCKED;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ARCHIVE_CORRUPT;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return of_errno(system_errno);
	default:
		return ARCHIVE_FAILING;
	}
}
