/*
 * web_files: the dashboard, verifier/web, as it was when this program was
 * built. The files are part of the program: nothing to install or to find, and
 * nobody can change them without changing the program.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_WEB_FILES_H
#define HALLMARK_VERIFIER_DAEMON_WEB_FILES_H

#include <stddef.h>
#include <stdint.h>

struct web_file {
	const char *name; /* "index.html" */
	const char *content_type;
	const uint8_t *bytes;
	size_t len;
};

/* NULL if there is none of this name. */
const struct web_file *web_files_find(const char *name);
/* The one at this place, NULL behind the last. */
const struct web_file *web_files_at(size_t index);

/*
 * Content-Security-Policy of all of them: scripts, styles and answers come
 * from here and nowhere else, nothing is written into the page as HTML, and
 * nobody shows it in a frame.
 */
extern const char web_files_policy[];

#endif
