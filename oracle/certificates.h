/*
 * certificates: the configuration names them by the path of a PEM file, or
 * holds them itself. The latter is for an image that is the same everywhere:
 * what a parent hands over can then bring its own roots, and they are measured
 * with it.
 */
#ifndef HALLMARK_ORACLE_CERTIFICATES_H
#define HALLMARK_ORACLE_CERTIFICATES_H

#include <stdbool.h>
#include <string.h>

/* With its end: some ten of an exchange's authorities. */
#define CERTIFICATES_MAX   16384
#define CERTIFICATES_BEGIN "-----BEGIN CERTIFICATE-----"

/* The value is certificates, not a path. */
static inline bool certificates_inline(const char *value)
{
	return strncmp(value, CERTIFICATES_BEGIN,
		   sizeof(CERTIFICATES_BEGIN) - 1) == 0;
}

/* For messages: the path, or words. */
static inline const char *certificates_name(const char *value)
{
	return certificates_inline(value) ? "(in the configuration)" : value;
}

#endif
