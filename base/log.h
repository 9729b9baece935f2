/*
 * log: one line an event, to standard error.
 *
 *   2026-11-21T09:00:00.123Z warn  poller source_failed exchange=kraken ...
 *
 * A line holds: UTC time, level, module, event, then key=value fields. The
 * level, module, event and keys are literals of ours; values may come from
 * anywhere. A value is quoted when it holds a blank, a quote or a control
 * character, these are escaped inside it, and one longer than
 * LOG_VALUE_MAX bytes is cut, so nothing from outside can forge a line or a
 * field, or flood the log with one event.
 */
#ifndef HALLMARK_BASE_LOG_H
#define HALLMARK_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_VALUE_MAX 512  /* bytes of one value; the rest becomes "..." */
#define LOG_LINE_MAX  4096 /* bytes of a whole line; further fields go */

enum log_level {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR
};

/* One key=value field; `str` is borrowed for the call, NULL prints "-". */
struct log_field {
	const char *key; /* NULL ends the list */
	const char *str; /* the value when is_number is 0 */
	int64_t num;
	int is_number;
};

#define LOG_S(k, v) ((struct log_field){.key = (k), .str = (v)})
#define LOG_D(k, v) \
	((struct log_field){.key = (k), .num = (int64_t)(v), .is_number = 1})

/* log_warn("poller", "source_failed", LOG_S("exchange", name), LOG_D(...)); */
#define log_debug(...) LOG_AT(LOG_DEBUG, __VA_ARGS__, LOG_NONE)
#define log_info(...)  LOG_AT(LOG_INFO, __VA_ARGS__, LOG_NONE)
#define log_warn(...)  LOG_AT(LOG_WARN, __VA_ARGS__, LOG_NONE)
#define log_error(...) LOG_AT(LOG_ERROR, __VA_ARGS__, LOG_NONE)

#define LOG_NONE ((struct log_field){0})
#define LOG_AT(level, module, event, ...) \
	log_write(level, module, event, (struct log_field[]){__VA_ARGS__})

/* Writes one line; `fields` ends with a NULL key. Never fails, never blocks
 * on anything but standard error. */
void log_write(enum log_level level, const char *module, const char *event,
    const struct log_field *fields);

/*
 * Writes a line that another program wrote, as it is, behind a head that it
 * cannot write itself:
 *
 *   2026-11-21T09:00:00.123Z info  enclave vsock:16:1025 | its text
 *
 * module and from are ours. In the text every byte that is not printable ASCII
 * is escaped, and what does not fit into LOG_LINE_MAX, or was `cut` before,
 * becomes "...". Returns how many bytes were written.
 */
size_t log_passed_on(const char *module, const char *from, const char *text,
    size_t len, bool cut);

/* The least level that is written; LOG_INFO at start. */
void log_set_level(enum log_level level);

/* Logs at LOG_ERROR and exits with status 1. For out of memory and a start-up
 * that cannot go on, never for what came from outside at run time. */
_Noreturn void log_die(const char *module, const char *why_format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
