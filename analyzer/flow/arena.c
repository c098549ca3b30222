#include "flow/arena.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

struct arena_budget {
	pthread_mutex_t lock;
	uint64_t limit, resident, file_size;
	int fd;	   /* -1 until something was spilled */
	int error; /* errno of the first failure */
	char *folder;
};

struct arena_budget *arena_budget_new(uint64_t limit_bytes, const char *folder)
{
	struct arena_budget *b = mem_zalloc(sizeof(*b));

	(void)pthread_mutex_init(&b->lock, NULL);
	b->limit = limit_bytes;
	b->fd = -1;
	b->folder = mem_strdup(folder);
	return b;
}

struct arena_budget *arena_budget_free(struct arena_budget *b)
{
	if (!b)
		return NULL;
	if (b->fd >= 0)
		(void)close(b->fd);
	(void)pthread_mutex_destroy(&b->lock);
	free(b->folder);
	free(b);
	return NULL;
}

uint64_t arena_budget_spilled(const struct arena_budget *b)
{
	return b->file_size;
}

int arena_budget_failed(struct arena_budget *b, struct error *err)
{
	if (!b->error)
		return 0;
	errno = b->error;
	return error_errno(err, "cannot write temporary records in '%s'", b->folder);
}

void arena_init(struct arena *a, struct arena_budget *budget)
{
	*a = (struct arena){.budget = budget};
}

void arena_release(struct arena *a)
{
	for (size_t i = 0; i < a->slab_count; i++)
		(void)munmap(a->slabs[i].bytes, ARENA_SLAB);
	free(a->slabs);
	*a = (struct arena){0};
}

static int arena_open_spill(struct arena_budget *b)
{
	char *path CLEANUP_FREE = mem_printf("%s/.bothends-records-XXXXXX", b->folder);

	b->fd = mkostemp(path, O_CLOEXEC);
	if (b->fd < 0)
		return errno;
	(void)unlink(path);
	return 0;
}

static int arena_write_all(int fd, const uint8_t *bytes, uint64_t size, uint64_t at)
{
	while (size) {
		ssize_t n = pwrite(fd, bytes, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : ENOSPC;
		bytes += n;
		size -= (uint64_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

/* Moves one slab to the file and maps it back where it was. Called with the budget locked. */
static void arena_spill(struct arena_budget *b, struct arena_slab *slab)
{
	if (b->fd < 0 && !b->error)
		b->error = arena_open_spill(b);
	if (!b->error)
		b->error = arena_write_all(b->fd, slab->bytes, ARENA_SLAB, b->file_size);
	if (b->error)
		return;
	/* Shared, because records at the end of a chain still get their successor written in. */
	if (mmap(slab->bytes, ARENA_SLAB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, b->fd,
		    (off_t)b->file_size) == MAP_FAILED) {
		b->error = errno;
		return;
	}
	assert(!slab->spilled && b->resident >= ARENA_SLAB);
	slab->spilled = 1;
	b->file_size += ARENA_SLAB;
	b->resident -= ARENA_SLAB;
}

/* huge: in pages of 2 MiB, of which the first byte takes all. */
static void *arena_map_slab(bool huge)
{
	/* Aligned to its size, so that one huge page (2 MiB) fits twice. */
	uint8_t *p = mmap(NULL, 2 * ARENA_SLAB, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *aligned;

	if (p == MAP_FAILED)
		mem_exhausted(2 * ARENA_SLAB);
	aligned = (uint8_t *)(((uintptr_t)p + ARENA_SLAB - 1) & ~(uintptr_t)(ARENA_SLAB - 1));
	if (aligned > p)
		(void)munmap(p, (size_t)(aligned - p));
	(void)munmap(aligned + ARENA_SLAB, (size_t)(p + 2 * ARENA_SLAB - (aligned + ARENA_SLAB)));
	(void)madvise(aligned, ARENA_SLAB, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return aligned;
}

void arena_budget_lower(struct arena_budget *b, uint64_t limit_bytes)
{
	if (b->limit && limit_bytes < b->limit)
		b->limit = limit_bytes ? limit_bytes : 1;
}

/* The newest slab stays: it is the one being filled. Called with the budget locked. */
static void arena_fit_chunk(struct arena *a)
{
	struct arena_budget *b = a->budget;

	while (b->limit && b->resident > b->limit && a->slab_resident + 1 < a->slab_count &&
		!b->error)
		arena_spill(b, &a->slabs[a->slab_resident++]);
}

void arena_fit(struct arena *a)
{
	(void)pthread_mutex_lock(&a->budget->lock);
	arena_fit_chunk(a);
	(void)pthread_mutex_unlock(&a->budget->lock);
}

void *arena_grow(struct arena *a, size_t size)
{
	struct arena_budget *b = a->budget;

	assert(size <= ARENA_SLAB);
	MEM_RESERVE(a->slabs, a->slab_count, a->slab_cap);
	(void)pthread_mutex_lock(&b->lock);
	b->resident += ARENA_SLAB;
	arena_fit_chunk(a);
	(void)pthread_mutex_unlock(&b->lock);
	a->slabs[a->slab_count] = (struct arena_slab){
		/* Of a thousand small captures each has little more than its first. */
		.bytes = arena_map_slab(a->slab_count > 0)};
	a->at = a->slabs[a->slab_count++].bytes;
	a->end = a->at + ARENA_SLAB;
	a->at += size;
	return a->at - size;
}

void arena_drop_spilled(struct arena *a)
{
	for (size_t i = 0; i < a->slab_resident; i++)
		if (a->slabs[i].spilled)
			(void)madvise(a->slabs[i].bytes, ARENA_SLAB, MADV_DONTNEED);
}
