/* complaints: see complaints.h. */
#include "verifier/cli/complaints.h"

static void count(struct complaints *c, int code)
{
	if (c->code == COMMAND_OK)
		c->code = code;
}

static bool begin(struct complaints *c, const struct archive_entry *entry)
{
	char where[ARCHIVE_SOURCE_WHERE_MAX];

	if (c->damaged + c->refused > COMPLAINTS_SHOWN)
		return false;
	archive_entry_where(entry, where);
	fprintf(stderr, "hallmark %s: ", c->command->name);
	command_put_plain(stderr, where);
	fputs(": ", stderr);
	return true;
}

void complaints_damaged(struct complaints *c, const struct archive_entry *entry)
{
	c->damaged++;
	count(c, COMMAND_MALFORMED);
	if (!begin(c, entry))
		return;
	command_put_plain(stderr, entry->problem);
	putc('\n', stderr);
}

void complaints_refused(struct complaints *c, const struct archive_entry *entry,
    const char *what, enum hm_verdict verdict)
{
	c->refused++;
	count(c, hm_verdict_class(verdict));
	if (!begin(c, entry))
		return;
	command_put_plain(stderr, what);
	fprintf(stderr, " is refused: %s\n", hm_verdict_name(verdict));
}

int complaints_end(const struct complaints *c)
{
	if (c->damaged + c->refused)
		fprintf(stderr,
		    "hallmark %s: %llu damaged and %llu refused, which are "
		    "left out\n",
		    c->command->name, (unsigned long long)c->damaged,
		    (unsigned long long)c->refused);
	return c->code;
}
