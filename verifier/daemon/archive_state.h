/* archive_state: what is wrong with an archive, in one word. */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_STATE_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_STATE_H

enum archive_state {
	ARCHIVE_OK,
	ARCHIVE_FULL,      /* no space, a quota, a limit: goes on by itself */
	ARCHIVE_READ_ONLY, /* file, folder or file system */
	ARCHIVE_LOCKED,    /* another process holds it */
	ARCHIVE_CORRUPT,   /* SQLite found what it never wrote */
	ARCHIVE_MOVED,     /* another file, or none, has its name now */
	ARCHIVE_FOREIGN,   /* no archive of ours, or of another version */
	ARCHIVE_FAILING,   /* anything else; the text says what */
	ARCHIVE_STATES
};

/* "ok", "full", "read_only" ... */
const char *archive_state_name(enum archive_state state);

/* From SQLite's extended result code and the system's errno. Never OK. */
enum archive_state archive_state_of(int rc, int system_errno);

#endif
