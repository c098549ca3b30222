#include "flowlog/tuples.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/mem.h"

#define CHUNK 448 /* records: some 32 KB */

struct chunk {
	struct chunk *next;
	off_t offset; /* in the file; -1: in memory */
	unsigned count;
	struct tuple *tuples; /* NULL: in the file */
};

struct bucket {
	struct chunk *first, *last;
	uint64_t count;
};

struct flowlog_tuples {
	struct bucket buckets[TUPLE_BUCKETS];
	uint64_t count, memory, held;
	char *folder;
	int fd;
	off_t size;
	struct error error;
	int failed;
};

struct flowlog_tuples *flowlog_tuples_new(uint64_t memory, const char *folder)
{
	struct flowlog_tuples *t = mem_zalloc(sizeof(*t));

	if (!folder)
		folder = getenv("TMPDIR");
	t->folder = mem_strdup(folder ? folder : "/tmp");
	t->memory = memory;
	t->fd = -1;
	return t;
}

static void tuples_free_chunk(struct chunk *c)
{
	free(c->tuples);
	free(c);
}

struct flowlog_tuples *flowlog_tuples_free(struct flowlog_tuples *t)
{
	if (!t)
		return NULL;
	for (unsigned i = 0; i < TUPLE_BUCKETS; i++) {
		for (struct chunk *c = t->buckets[i].first, *next; c; c = next) {
			next = c->next;
			tuples_free_chunk(c);
		}
	}
	if (t->fd >= 0)
		(void)close(t->fd); /* it has no name: gone */
	free(t->folder);
	free(t);
	return NULL;
}

static uint64_t tuples_spread(uint64_t v)
{
	return v * UINT64_C(0xff51afd7ed558ccd) >> 32;
}

/* The same for both directions: sums do not know which side comes first. */
static unsigned tuples_bucket_of(const struct tuple *t)
{
	return (unsigned)tuples_spread(XXH3_64bits(t->src, 16) + XXH3_64bits(t->dst, 16)) %
	       TUPLE_BUCKETS;
}

/* Of conversations between one pair of addresses. */
static unsigned tuples_part_of(const struct tuple *t, unsigned parts)
{
	uint64_t a = XXH3_64bits_withSeed(t->src, 16, t->src_port);
	uint64_t b = XXH3_64bits_withSeed(t->dst, 16, t->dst_port);

	return (unsigned)tuples_spread(a + b + t->protocol) % parts;
}

static int tuples_open_file(struct flowlog_tuples *t)
{
	char *name;

	t->fd = open(t->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (t->fd >= 0)
		return 0;
	/* Not every file system can make a file without a name. */
	name = mem_printf("%s/bothends.XXXXXX", t->folder);
	t->fd = mkstemp(name);
	if (t->fd < 0)
		t->failed =
			error_errno(&t->error, "cannot make a temporary file in '%s'", t->folder);
	else
		(void)unlink(name);
	free(name);
	return t->failed;
}

/* Writes a full chunk out and gives its memory back. */
static void tuples_spill(struct flowlog_tuples *t, struct chunk *c)
{
	size_t size = sizeof(struct tuple) * c->count, done = 0;

	if (t->failed || (t->fd < 0 && tuples_open_file(t) < 0))
		return;
	assert(c->tuples && c->count == CHUNK && t->held >= sizeof(struct tuple) * CHUNK);
	while (done < size) {
		ssize_t n =
			pwrite(t->fd, (char *)c->tuples + done, size - done, t->size + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			t->failed = error_errno(
				&t->error, "cannot write a temporary file in '%s'", t->folder);
			return;
		}
		done += (size_t)n;
	}
	c->offset = t->size;
	t->size += (off_t)size;
	free(c->tuples);
	c->tuples = NULL;
	t->held -= sizeof(struct tuple) * CHUNK;
}

static struct chunk *tuples_add_chunk(struct flowlog_tuples *t, struct bucket *b)
{
	struct chunk *c = mem_zalloc(sizeof(*c));

	if (b->last && t->held + sizeof(struct tuple) * CHUNK > t->memory)
		tuples_spill(t, b->last);
	c->offset = -1;
	c->tuples = mem_alloc(sizeof(struct tuple) * CHUNK);
	t->held += sizeof(struct tuple) * CHUNK;
	if (b->last)
		b->last->next = c;
	else
		b->first = c;
	b->last = c;
	return c;
}

void flowlog_tuples_add(struct flowlog_tuples *t, const struct tuple *tuple)
{
	struct bucket *b = &t->buckets[tuples_bucket_of(tuple)];
	struct chunk *c = b->last;

	if (!c || c->count == CHUNK)
		c = tuples_add_chunk(t, b);
	c->tuples[c->count++] = *tuple;
	b->count++;
	t->count++;
}

int flowlog_tuples_failed(const struct flowlog_tuples *t, struct error *err)
{
	if (t->failed && err)
		*err = t->error;
	return t->failed;
}

uint64_t flowlog_tuples_count(const struct flowlog_tuples *t)
{
	return t->count;
}

static int tuples_read_chunk(
	const struct flowlog_tuples *t, const struct chunk *c, struct tuple *to, struct error *err)
{
	size_t size = sizeof(struct tuple) * c->count, done = 0;

	if (c->tuples) {
		memcpy(to, c->tuples, size);
		return 0;
	}
	while (done < size) {
		ssize_t n = pread(t->fd, (char *)to + done, size - done, c->offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return error_errno(err, "cannot read a temporary file in '%s'", t->folder);
		done += (size_t)n;
	}
	return 0;
}

unsigned flowlog_tuples_parts(const struct flowlog_tuples *t, unsigned bucket, size_t max)
{
	return (unsigned)(t->buckets[bucket].count / (max ? max : 1)) + 1;
}

/* Keeps the records of one part; returns how many. */
static size_t tuples_select_part(struct tuple *tuples, size_t n, unsigned part, unsigned parts)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (tuples_part_of(&tuples[i], parts) == part)
			tuples[kept++] = tuples[i];
	return kept;
}

int flowlog_tuples_load(const struct flowlog_tuples *t, unsigned bucket, unsigned part,
	unsigned parts, struct tuple **ret_tuples, size_t *ret_n, struct error *err)
{
	const struct bucket *b = &t->buckets[bucket];
	struct tuple *tuples = NULL;
	size_t n = 0, cap = parts > 1 ? 0 : b->count;

	assert(bucket < TUPLE_BUCKETS && part < parts);
	if (cap)
		tuples = mem_alloc(cap * sizeof(*tuples));
	for (const struct chunk *c = b->first; c; c = c->next) {
		int r;

		if (n + c->count > cap) {
			cap = 2 * cap + CHUNK;
			tuples = mem_grow(tuples, cap, sizeof(*tuples));
		}
		r = tuples_read_chunk(t, c, tuples + n, err);
		if (r < 0) {
			free(tuples);
			return r;
		}
		n += parts > 1 ? tuples_select_part(tuples + n, c->count, part, parts) : c->count;
	}
	assert(parts > 1 || n == b->count);
	*ret_tuples = tuples;
	*ret_n = n;
	return 0;
}
