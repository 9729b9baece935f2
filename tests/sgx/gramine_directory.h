/*
 * gramine_directory: a directory that behaves as Gramine's /dev/attestation,
 * for tests: user_report_data takes any length, pads and cuts to 64 bytes; each
 * who opens `quote` gets one for what is there then. `quote` is a named pipe,
 * a new one for each reader.
 */
#ifndef HALLMARK_TESTS_SGX_GRAMINE_DIRECTORY_H
#define HALLMARK_TESTS_SGX_GRAMINE_DIRECTORY_H

#include "tests/sgx/quote_maker.h"

#define GRAMINE_PATH_MAX 512

/* DIRECTORY/NAME */
void gramine_directory_path(
    char out[static GRAMINE_PATH_MAX], const char *directory, const char *name);

/* type: what attestation_type says. The directory is there. Aborts if that
 * does not work; so below. */
void gramine_directory_make(const char *directory, const char *type);
/* Waits for one reader and serves it; body's report_data is not looked at. */
void gramine_directory_serve(const char *directory,
    const struct quote_maker *maker, const struct quote_maker_body *body);
void gramine_directory_remove(const char *directory);

#endif
