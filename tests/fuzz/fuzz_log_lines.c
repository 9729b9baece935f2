/*
 * fuzz_log_lines: any bytes as an enclave's log. The lines do not depend on how
 * the bytes arrive, none is longer than it may be, and what becomes of one in
 * our own log is one line, of printable ASCII, behind our head.
 *
 * The first byte says how many bytes arrive at once.
 */
#include "base/lines.h"
#include "base/log.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEAD " info  enclave vsock:16:1 | "

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct heard { /* the lines, one after another, and how each ended */
	char *text;
	size_t len, count;
};

static void hear(void *data, const char *text, size_t len, bool cut)
{
	struct heard *heard = data;

	assert(len <= LINES_MAX);
	assert(memchr(text, '\n', len) == NULL);
	memcpy(heard->text + heard->len, text, len);
	heard->len += len;
	heard->text[heard->len++] = cut ? '\r' : '\n';
	heard->count++;
}

/* `step` bytes at once. */
static struct heard split(const char *bytes, size_t len, size_t step)
{
	struct heard heard = {.text = malloc(2 * len + 2)};
	struct lines lines;

	assert(heard.text != NULL);
	lines_init(&lines);
	for (size_t at = 0; at < len; at += step)
		lines_feed(&lines, bytes + at,
		    step < len - at ? step : len - at, hear, &heard);
	lines_end(&lines, hear, &heard);
	return heard;
}

/* Standard error is a file meanwhile. */
static size_t passed_on(const char *text, size_t len, char *out, size_t size)
{
	int file = memfd_create("log", MFD_CLOEXEC), before = dup(2);
	size_t written;
	ssize_t n;

	assert(file >= 0 && before >= 0);
	dup2(file, 2);
	written = log_passed_on("enclave", "vsock:16:1", text, len, false);
	dup2(before, 2);
	close(before);
	n = pread(file, out, size, 0);
	assert(n >= 0 && (size_t)n == written);
	close(file);
	return written;
}

static void check_passed_on(const char *text, size_t len)
{
	static char line[2 * LOG_LINE_MAX];
	size_t written = passed_on(text, len, line, sizeof(line));
	const size_t time_len = strlen("2026-11-21T09:00:00.123Z");

	assert(written <= LOG_LINE_MAX);
	assert(written > time_len + strlen(HEAD));
	assert(memcmp(line + time_len, HEAD, strlen(HEAD)) == 0);
	assert(line[written - 1] == '\n');
	for (size_t i = 0; i < written - 1; i++)
		assert(line[i] >= ' ' && line[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes + 1;
	struct heard whole, parts;

	if (len < 1)
		return 0;
	whole = split(text, len - 1, len);
	parts = split(text, len - 1, (size_t)bytes[0] + 1);
	assert(whole.count == parts.count && whole.len == parts.len);
	assert(memcmp(whole.text, parts.text, whole.len) == 0);
	check_passed_on(text, len - 1);
	free(whole.text);
	free(parts.text);
	return 0;
}
