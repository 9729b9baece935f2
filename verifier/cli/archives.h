/*
 * archives: the ARCHIVE... of a command, one after the other, and of what is in
 * them that which was asked for (--feed, --from, --to). Each is a file of any
 * form (verifier/archive/archive_source.h) or the URL of a verifier.
 */
#ifndef HALLMARK_VERIFIER_CLI_ARCHIVES_H
#define HALLMARK_VERIFIER_CLI_ARCHIVES_H

#include "feeds/item.h"
#include "verifier/archive/archive_source.h"
#include "verifier/daemon/oracle_feeds.h"

#include <getopt.h>

#define ARCHIVES_MAX       4096 /* daily files of ten years */
#define ARCHIVES_ERROR_MAX 1536

struct archives_wish {
	struct oracle_feeds feeds; /* none: all */
	int64_t from_ms, to_ms;    /* published_ms: from is in, to is not */
};

struct archives_options {
	const char *paths[ARCHIVES_MAX]; /* borrowed from argv */
	size_t count;
	struct archives_wish wish;
	bool has_from, has_to;
};

/* For a command's table of options; 'f', 'F' and 'T' are archives_option()'s.
 */
#define ARCHIVES_OPTIONS                            \
	{"feed", required_argument, NULL, 'f'},     \
	    {"from", required_argument, NULL, 'F'}, \
	{                                           \
		"to", required_argument, NULL, 'T'  \
	}

/* Before the first option: all that there is. */
void archives_options_init(struct archives_options *out);
/* 0, or -1 and what is wrong with it. */
HM_MUST_CHECK int archives_option(struct archives_options *options, int option,
    const char *text, char error[static ARCHIVES_ERROR_MAX]);
/* What is left of the command line: one archive at least. */
HM_MUST_CHECK int archives_options_paths(struct archives_options *options,
    int argc, char **argv, char error[static ARCHIVES_ERROR_MAX]);

/* A file, or http://, https://, unix:// of a verifier, whose history is then
 * fetched (as much of it as `wish` is about). 0, or -1, *out NULL and why. */
HM_MUST_CHECK int archives_open(struct archive_source **out, const char *path,
    const struct archives_wish *wish, char error[static ARCHIVES_ERROR_MAX]);

struct archives_entry {
	struct archive_entry entry; /* ITEM, HEAD, DOCUMENT or DAMAGED */
	struct item item;           /* with ITEM: what its content says */
};

struct archives {
	const struct archives_options *options; /* borrowed */
	struct archive_source *source;          /* the open one, or NULL */
	size_t next;                            /* path */
};

void archives_begin(
    struct archives *archives, const struct archives_options *options);
/* Heads count the items of all feeds: with --feed there are none.
 *
 * 1 and the next entry that was asked for; 0 at the end; -1 and why. An item
 * whose content cannot be read is DAMAGED; so are all that are damaged. */
HM_MUST_CHECK int archives_next(struct archives *archives,
    struct archives_entry *out, char error[static ARCHIVES_ERROR_MAX]);
void archives_end(struct archives *archives);

#endif
