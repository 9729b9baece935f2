/* bundle_write: see bundle_write.h. */
#include "verifier/cli/bundle_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY_BYTES 65536
#define MODE       0644

/* A file beside the bundle whose name is gone at once. */
static FILE *open_nameless(const char *path, const char *suffix)
{
	struct file_new file;
	FILE *out = NULL;
	char *name;
	int fd;

	if (asprintf(&name, "%s.%s", path, suffix) < 0)
		return NULL;
	if (file_begin(&file, name, 0600) == 0) {
		fd = dup(file.fd);
		out = fd < 0 ? NULL : fdopen(fd, "w+");
		if (out == NULL && fd >= 0)
			close(fd);
		file_abandon(&file);
	}
	free(name);
	return out;
}

static FILE *open_main(struct bundle_write *w)
{
	int fd = dup(w->file.fd);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (out == NULL && fd >= 0)
		close(fd);
	return out;
}

static int write_about(FILE *out, const struct archive_bundle_about *about)
{
	fprintf(out,
	    "{\"format\":\"" ARCHIVE_BUNDLE_FORMAT "\",\n"
	    "\"created_ms\":%lld,\n\"policy\":",
	    (long long)about->created_ms);
	if (json_dumpf(about->policy, out, JSON_COMPACT) != 0)
		return -EIO;
	fprintf(out, ",\n\"roots\":");
	if (json_dumpf(about->roots, out, JSON_COMPACT) != 0)
		return -EIO;
	if (about->collateral) {
		fprintf(out, ",\n\"collateral\":");
		if (json_dumpf(about->collateral, out, JSON_COMPACT) != 0)
			return -EIO;
	}
	fprintf(out, ",\n\"attestations\":[");
	return ferror(out) ? -EIO : 0;
}

int bundle_write_begin(struct bundle_write *w, const char *path,
    const struct archive_bundle_about *about)
{
	int rc;

	memset(w, 0, sizeof(*w));
	w->file.fd = -1;
	w->path = strdup(path);
	rc = w->path ? file_begin(&w->file, w->path, MODE) : -ENOMEM;
	if (rc) {
		free(w->path);
		return rc;
	}
	errno = ENOMEM;
	w->lists[BUNDLE_ATTESTATIONS] = open_main(w);
	w->lists[BUNDLE_ITEMS] = open_nameless(path, "items");
	w->lists[BUNDLE_HEADS] = open_nameless(path, "heads");
	for (int i = 0; i < BUNDLE_LISTS && !rc; i++)
		rc = w->lists[i] ? 0 : -errno;
	if (!rc)
		rc = write_about(w->lists[BUNDLE_ATTESTATIONS], about);
	if (rc)
		bundle_write_drop(w);
	return rc;
}

int bundle_write_add(struct bundle_write *w, int list, const char *json)
{
	FILE *out = w->lists[list];
	const char *between = w->counts[list]++ ? ",\n" : "\n";

	errno = EIO;
	return fprintf(out, "%s%s", between, json) < 0 ? -errno : 0;
}

static int copy(FILE *to, FILE *from)
{
	static char bytes[COPY_BYTES];
	size_t len;

	errno = EIO;
	if (fflush(from) != 0)
		return -errno;
	rewind(from);
	while ((len = fread(bytes, 1, sizeof(bytes), from)) > 0)
		if (fwrite(bytes, 1, len, to) != len)
			return -errno;
	return ferror(from) ? -errno : 0;
}

static int finish(struct bundle_write *w)
{
	FILE *out = w->lists[BUNDLE_ATTESTATIONS];
	int rc;

	fprintf(out, "\n],\n\"items\":[");
	rc = copy(out, w->lists[BUNDLE_ITEMS]);
	fprintf(out, "\n],\n\"tree_heads\":[");
	if (!rc)
		rc = copy(out, w->lists[BUNDLE_HEADS]);
	fprintf(out, "\n]}\n");
	errno = EIO;
	if (!rc && (fflush(out) != 0 || ferror(out)))
		rc = -errno;
	return rc;
}

static void close_all(struct bundle_write *w)
{
	for (int i = 0; i < BUNDLE_LISTS; i++)
		if (w->lists[i])
			fclose(w->lists[i]);
	free(w->path);
	memset(w->lists, 0, sizeof(w->lists));
	w->path = NULL;
}

int bundle_write_end(struct bundle_write *w)
{
	int rc = finish(w);

	if (rc == 0)
		rc = file_commit(&w->file);
	file_abandon(&w->file);
	close_all(w);
	return rc;
}

void bundle_write_drop(struct bundle_write *w)
{
	file_abandon(&w->file);
	close_all(w);
}
