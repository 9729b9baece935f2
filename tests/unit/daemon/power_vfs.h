/*
 * power_vfs: SQLite's files as a disk would have them after a power cut. What
 * was synced is there; of each write since then, any of its sectors may be, in
 * any combination (sqlite.org/atomiccommit.html, 2.0). Files are deleted and
 * made only where the test begins: the journal is a -wal that stays.
 */
#ifndef HALLMARK_TESTS_DAEMON_POWER_VFS_H
#define HALLMARK_TESTS_DAEMON_POWER_VFS_H

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POWER_SECTOR 512

struct power_write { /* not synced; len 0: the file was cut to `at` */
	struct power_write *next;
	sqlite3_int64 at;
	int len;
	unsigned char bytes[];
};

struct power_disk { /* of one file: what is on the platter */
	unsigned char *bytes;
	size_t len;
	struct power_write *first, **last;
};

struct power_file {
	sqlite3_file base;
	struct power_disk *disk; /* NULL: not watched */
	sqlite3_file real[];     /* the system's own */
};

static struct {
	sqlite3_vfs vfs, *system;
	sqlite3_io_methods methods;
	struct power_disk disks[2]; /* main, -wal */
	bool watching;
	unsigned seed;
	/* Called before each write and sync. */
	void (*moment)(void *data);
	void *data;
} power;

static inline struct power_file *power_of(sqlite3_file *file)
{
	return (struct power_file *)file;
}

static inline unsigned power_random(unsigned n)
{
	power.seed = power.seed * 1103515245u + 12345u;
	return (power.seed >> 16) % n;
}

/* ---- the platter ---- */

static inline void power_put(
    unsigned char **bytes, size_t *len, size_t at, const void *data, size_t n)
{
	if (at + n > *len) {
		*bytes = realloc(*bytes, at + n);
		assert(*bytes);
		memset(*bytes + *len, 0, at + n - *len);
		*len = at + n;
	}
	memcpy(*bytes + at, data, n);
}

static inline void power_remember(
    struct power_disk *d, sqlite3_int64 at, const void *bytes, int len)
{
	struct power_write *w = malloc(sizeof(*w) + (size_t)len);

	assert(w);
	w->next = NULL;
	w->at = at;
	w->len = len;
	if (len)
		memcpy(w->bytes, bytes, (size_t)len);
	*d->last = w;
	d->last = &w->next;
}

/* Applies what is pending to an image; all of it, or what chance leaves. */
static inline void power_apply(
    const struct power_disk *d, unsigned char **bytes, size_t *len, bool all)
{
	for (const struct power_write *w = d->first; w; w = w->next) {
		if (w->len == 0) {
			if ((all || power_random(2)) && (size_t)w->at < *len)
				*len = (size_t)w->at;
			continue;
		}
		for (int i = 0; i < w->len; i += POWER_SECTOR) {
			int n = w->len - i < POWER_SECTOR ? w->len - i
							  : POWER_SECTOR;
			if (all || power_random(2))
				power_put(bytes, len, (size_t)(w->at + i),
				    w->bytes + i, (size_t)n);
		}
	}
}

static inline void power_forget(struct power_disk *d)
{
	while (d->first) {
		struct power_write *next = d->first->next;

		free(d->first);
		d->first = next;
	}
	d->last = &d->first;
}

/* The files after a cut at this moment, under that name. */
static inline void power_cut(const char *path)
{
	static const char *const suffixes[] = {"", "-wal"};

	for (int i = 0; i < 2; i++) {
		struct power_disk *d = &power.disks[i];
		unsigned char *bytes = malloc(d->len + 1);
		size_t len = d->len;
		char name[256];
		FILE *file;

		assert(bytes);
		if (d->len)
			memcpy(bytes, d->bytes, d->len);
		power_apply(d, &bytes, &len, false);
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		file = fopen(name, "w");
		assert(file && fwrite(bytes, 1, len, file) == len);
		fclose(file);
		free(bytes);
	}
}

/* ---- SQLite's calls ---- */

static inline int power_write(
    sqlite3_file *f, const void *bytes, int len, sqlite3_int64 at)
{
	struct power_file *p = power_of(f);

	if (p->disk && power.watching) {
		power.moment(power.data);
		power_remember(p->disk, at, bytes, len);
	}
	return p->real->pMethods->xWrite(p->real, bytes, len, at);
}

static inline int power_truncate(sqlite3_file *f, sqlite3_int64 at)
{
	struct power_file *p = power_of(f);

	if (p->disk && power.watching)
		power_remember(p->disk, at, NULL, 0);
	return p->real->pMethods->xTruncate(p->real, at);
}

static inline int power_sync(sqlite3_file *f, int flags)
{
	struct power_file *p = power_of(f);

	if (p->disk && power.watching) {
		power.moment(power.data);
		power_apply(p->disk, &p->disk->bytes, &p->disk->len, true);
		power_forget(p->disk);
	}
	return p->real->pMethods->xSync(p->real, flags);
}

#define POWER_REAL(f) (power_of(f)->real)
#define POWER_CALL(f) (power_of(f)->real->pMethods)

static inline int power_close(sqlite3_file *f)
{
	return POWER_CALL(f)->xClose(POWER_REAL(f));
}
static inline int power_read(
    sqlite3_file *f, void *out, int len, sqlite3_int64 at)
{
	return POWER_CALL(f)->xRead(POWER_REAL(f), out, len, at);
}
static inline int power_size(sqlite3_file *f, sqlite3_int64 *out)
{
	return POWER_CALL(f)->xFileSize(POWER_REAL(f), out);
}
static inline int power_lock(sqlite3_file *f, int kind)
{
	return POWER_CALL(f)->xLock(POWER_REAL(f), kind);
}
static inline int power_unlock(sqlite3_file *f, int kind)
{
	return POWER_CALL(f)->xUnlock(POWER_REAL(f), kind);
}
static inline int power_reserved(sqlite3_file *f, int *out)
{
	return POWER_CALL(f)->xCheckReservedLock(POWER_REAL(f), out);
}
static inline int power_control(sqlite3_file *f, int op, void *arg)
{
	return POWER_CALL(f)->xFileControl(POWER_REAL(f), op, arg);
}
static inline int power_sector(sqlite3_file *f)
{
	(void)f;
	return POWER_SECTOR;
}
/* None: no power-safe overwrite, no atomic writes. */
static inline int power_character(sqlite3_file *f)
{
	(void)f;
	return 0;
}
static inline int power_shm_map(
    sqlite3_file *f, int at, int size, int extend, void volatile **out)
{
	return POWER_CALL(f)->xShmMap(POWER_REAL(f), at, size, extend, out);
}
static inline int power_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return POWER_CALL(f)->xShmLock(POWER_REAL(f), at, n, flags);
}
static inline void power_shm_barrier(sqlite3_file *f)
{
	POWER_CALL(f)->xShmBarrier(POWER_REAL(f));
}
static inline int power_shm_unmap(sqlite3_file *f, int remove)
{
	return POWER_CALL(f)->xShmUnmap(POWER_REAL(f), remove);
}

static inline int power_open(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct power_file *p = power_of(f);
	int rc = power.system->xOpen(power.system, name, p->real, flags, out);

	(void)vfs;
	p->disk = NULL;
	if (power.watching && (flags & SQLITE_OPEN_MAIN_DB))
		p->disk = &power.disks[0];
	if (power.watching && (flags & SQLITE_OPEN_WAL))
		p->disk = &power.disks[1];
	p->base.pMethods = p->real->pMethods ? &power.methods : NULL;
	return rc;
}

/* The default for all that is opened from now on. */
static inline void power_install(void)
{
	power.system = sqlite3_vfs_find(NULL);
	power.vfs = *power.system;
	power.vfs.zName = "power";
	power.vfs.szOsFile += (int)sizeof(struct power_file);
	power.vfs.xOpen = power_open;
	power.methods = (sqlite3_io_methods){2, power_close, power_read,
	    power_write, power_truncate, power_sync, power_size, power_lock,
	    power_unlock, power_reserved, power_control, power_sector,
	    power_character, power_shm_map, power_shm_lock, power_shm_barrier,
	    power_shm_unmap, NULL, NULL};
	for (int i = 0; i < 2; i++)
		power.disks[i].last = &power.disks[i].first;
	assert(sqlite3_vfs_register(&power.vfs, 1) == SQLITE_OK);
}

static inline void power_uninstall(void)
{
	for (int i = 0; i < 2; i++) {
		power_forget(&power.disks[i]);
		free(power.disks[i].bytes);
	}
	memset(power.disks, 0, sizeof(power.disks));
	sqlite3_vfs_register(power.system, 1);
	sqlite3_vfs_unregister(&power.vfs);
}

#endif
