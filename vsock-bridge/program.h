/* program: the command line and the life of vsock-bridge. Apart from main.c so
 * that tests can run it in a child of theirs. */
#ifndef HALLMARK_BRIDGE_PROGRAM_H
#define HALLMARK_BRIDGE_PROGRAM_H

/* Returns the exit status: 0, 1 when it could not run, 2 for wrong usage. */
int program_main(int argc, char **argv);

#endif
