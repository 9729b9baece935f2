/*
 * parse_command: hallmark-oracle --parse, one answer read as the oracle reads
 * it. Whoever adds or debugs an adapter starts here.
 */
#ifndef HALLMARK_ORACLE_PARSE_COMMAND_H
#define HALLMARK_ORACLE_PARSE_COMMAND_H

/*
 * argv: EXCHANGE SYMBOL [--status N], N 200 (the default) to 599; the body is
 * standard input, to its end. Prints one line of compact JSON:
 *
 *   {"last":"1.50","bid":null,"ask":null,"exchange_ms":1700000000000}
 *   {"error":"unknown_symbol"}
 *
 * Returns the exit status: 0, 3 with an error of quote.h (too_large if the
 * body is over EXCHANGE_BODY_MAX), 1 with a text on standard error if it was
 * called wrongly, standard input cannot be read or standard output written.
 */
int parse_command(int argc, char **argv);

#endif
