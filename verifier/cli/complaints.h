/* complaints: what a command found wrong in archives, the first ones one by one
 * on standard error, all of them counted, and the exit code of the worst. */
#ifndef HALLMARK_VERIFIER_CLI_COMPLAINTS_H
#define HALLMARK_VERIFIER_CLI_COMPLAINTS_H

#include "verifier/archive/archive_source.h"
#include "verifier/cli/command.h"

#define COMPLAINTS_SHOWN 20

struct complaints { /* zero to begin with, but for command */
	const struct command *command;
	uint64_t damaged, refused;
	int code; /* of the first that was found */
};

void complaints_damaged(
    struct complaints *complaints, const struct archive_entry *entry);
/* `what`: which item, for people. */
void complaints_refused(struct complaints *complaints,
    const struct archive_entry *entry, const char *what,
    enum hm_verdict verdict);
/* Says how many there were; the exit code, COMMAND_OK if none. */
int complaints_end(const struct complaints *complaints);

#endif
