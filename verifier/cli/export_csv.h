/*
 * export_csv: items as RFC 4180 CSV, for spreadsheets and databases. Nothing is
 * verified, and the signatures are not in it: it proves nothing any more.
 */
#ifndef HALLMARK_VERIFIER_CLI_EXPORT_CSV_H
#define HALLMARK_VERIFIER_CLI_EXPORT_CSV_H

#include "feeds/item.h"
#include "verifier/hallmark.h"

#include <stdio.h>

/* 0, or -1: it cannot be written. */
HM_MUST_CHECK int export_csv_header(FILE *out);
HM_MUST_CHECK int export_csv_row(
    FILE *out, const struct item *item, const struct hm_envelope *envelope);

/* One cell: in quotes where RFC 4180 wants them; a text that a spreadsheet
 * would take for a formula gets an apostrophe before it. */
void export_csv_cell(FILE *out, const char *text);

#endif
