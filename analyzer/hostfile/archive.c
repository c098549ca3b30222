#include "hostfile/archive.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/nsec.h"
#include "read/agentfacts.h"

/* What a pax header or a long name may take; a member is named once. */
#define EXTRA_MAX 65536

/* POSIX ustar header (pax(1)). */
enum {
	NAME_AT = 0,
	NAME_SIZE = 100,
	SIZE_AT = 124,
	MTIME_AT = 136,
	SUM_AT = 148,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	PREFIX_AT = 345,
	PREFIX_SIZE = 155,
};

/* What stands before a member and is about it. */
struct archive_extra {
	char name[ARCHIVE_NAME_MAX]; /* "": none */
	int64_t size, modified_s;    /* -1: none */
};

/* Octal with blanks around, or base 256 with the top bit set. */
static bool archive_number(const char *field, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	if ((unsigned char)field[0] & 0x80) {
		v = (unsigned char)field[0] & 0x7f;
		for (i = 1; i < n; i++) {
			if (v >> 54)
				return false;
			v = v << 8 | (unsigned char)field[i];
		}
		*ret = v;
		return v >> 62 == 0;
	}
	while (i < n && field[i] == ' ')
		i++;
	for (; i < n && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(field[i] - '0');
	*ret = v;
	return i == n || field[i] == ' ' || field[i] == '\0';
}

static bool archive_sum_fits(const char *block)
{
	uint64_t stated, sum = 0;

	for (size_t i = 0; i < ARCHIVE_BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + 8 ? ' ' : (unsigned char)block[i];
	return archive_number(block + SUM_AT, 8, &stated) && stated == sum;
}

bool archive_recognise(const char *bytes, size_t n)
{
	return n >= ARCHIVE_BLOCK && memcmp(bytes + MAGIC_AT, "ustar", 5) == 0 &&
	       archive_sum_fits(bytes);
}

void archive_init(struct archive *a, reader_pull *pull, void *from)
{
	*a = (struct archive){.pull = pull, .from = from, .modified_ns = AGENTFACTS_UNDATED};
}

/* n bytes, or fewer at the end of the stream. */
static size_t archive_take(struct archive *a, char *to, size_t n)
{
	size_t done = 0, got;

	while (done < n && (got = a->pull(a->from, to + done, n - done)) > 0)
		done += got;
	a->bytes += done;
	return done;
}

static bool archive_fail(struct archive *a, const char *why)
{
	a->failure = why;
	a->left = a->padding = 0;
	return false;
}

static bool archive_skip(struct archive *a, uint64_t n)
{
	char scratch[16384];

	while (n) {
		size_t want = n < sizeof(scratch) ? (size_t)n : sizeof(scratch);
		size_t got = archive_take(a, scratch, want);

		n -= got;
		if (got < want)
			return archive_fail(a, "the archive is cut off");
	}
	return a->bytes <= ARCHIVE_BYTES_MAX ||
	       archive_fail(
		       a, "the archive has more than 64 GiB of content; the rest was not read");
}

size_t archive_pull(void *archive, char *to, size_t size)
{
	struct archive *a = archive;
	size_t n = a->left < size ? (size_t)a->left : size;
	size_t got = n ? archive_take(a, to, n) : 0;

	a->left -= got;
	if (got < n)
		(void)archive_fail(a, "the archive is cut off");
	return got;
}

/* "27 path=etc/os-release\n": records of a pax header. */
static void archive_pax(char *text, size_t size, struct archive_extra *x)
{
	for (char *p = text, *end = text + size; p < end;) {
		char *blank, *value;
		unsigned long n = strtoul(p, &blank, 10);

		if (blank == p || *blank != ' ' || n > (unsigned long)(end - p) ||
			p + n <= blank + 1 || p[n - 1] != '\n')
			return;
		p[n - 1] = '\0';
		blank++;
		value = strchr(blank, '=');
		if (value) {
			*value++ = '\0';
			if (strcmp(blank, "path") == 0 && strlen(value) < sizeof(x->name))
				strcpy(x->name, value);
			else if (strcmp(blank, "size") == 0)
				x->size = strtoll(value, NULL, 10);
			else if (strcmp(blank, "mtime") == 0)
				x->modified_s = strtoll(value, NULL, 10);
		}
		p += n;
	}
}

static bool archive_read_extra(struct archive *a, char type, uint64_t size, struct archive_extra *x)
{
	char text[EXTRA_MAX + 1];
	uint64_t padded = (size + ARCHIVE_BLOCK - 1) / ARCHIVE_BLOCK * ARCHIVE_BLOCK;

	if (size > EXTRA_MAX)
		return archive_skip(a, padded);
	if (archive_take(a, text, (size_t)size) < size)
		return archive_fail(a, "the archive is cut off");
	text[size] = '\0';
	if (type == 'x')
		archive_pax(text, (size_t)size, x);
	else if (type == 'L' && strlen(text) < sizeof(x->name))
		strcpy(x->name, text);
	return archive_skip(a, padded - size);
}

static void archive_name(struct archive *a, const char *block, const struct archive_extra *x)
{
	size_t prefix = strnlen(block + PREFIX_AT, PREFIX_SIZE), name = strnlen(block, NAME_SIZE);

	if (x->name[0]) {
		memcpy(a->name, x->name, sizeof(a->name));
		return;
	}
	/* GNU's old form has other fields where ustar has the prefix. */
	if (memcmp(block + MAGIC_AT, "ustar\0", 6) != 0)
		prefix = 0;
	memcpy(a->name, block + PREFIX_AT, prefix);
	if (prefix)
		a->name[prefix++] = '/';
	memcpy(a->name + prefix, block + NAME_AT, name);
	a->name[prefix + name] = '\0';
}

static bool archive_leads_outside(const char *name)
{
	for (const char *p = name; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2]))
			return true;
	}
	return false;
}

/* Whether a header block is of a regular file; others are counted. */
static bool archive_is_file(struct archive *a, char type)
{
	if (type == '1' || type == '2')
		a->links++;
	else if (type == '0' || type == '\0' || type == '7')
		return true;
	else if (type != '5' && type != 'g' && type != 'K')
		a->special++;
	return false;
}

/* The member behind a header block. true: it is a file to read. */
static bool archive_enter(struct archive *a, const char *block, const struct archive_extra *x)
{
	bool is_file = archive_is_file(a, block[TYPE_AT]);
	uint64_t size, modified_s;

	if (!archive_number(block + SIZE_AT, 12, &size))
		return archive_fail(a, "a member of the archive has no valid size");
	if (x->size >= 0)
		size = (uint64_t)x->size;
	/* Links and folders have no content, whatever their size field says. */
	if (block[TYPE_AT] >= '1' && block[TYPE_AT] <= '6')
		size = 0;
	a->left = size;
	a->padding = (ARCHIVE_BLOCK - size % ARCHIVE_BLOCK) % ARCHIVE_BLOCK;
	archive_name(a, block, x);
	a->modified_ns = AGENTFACTS_UNDATED;
	if (x->modified_s > 0)
		modified_s = (uint64_t)x->modified_s;
	else if (!archive_number(block + MTIME_AT, 12, &modified_s))
		modified_s = 0;
	if (modified_s && modified_s < (uint64_t)(INT64_MAX / NSEC_PER_SEC))
		a->modified_ns = (int64_t)modified_s * NSEC_PER_SEC;
	if (is_file && archive_leads_outside(a->name)) {
		a->outside++;
		return false;
	}
	return is_file;
}

static bool archive_header(struct archive *a, char *block)
{
	size_t n = archive_take(a, block, ARCHIVE_BLOCK);

	if (n == 0)
		return false; /* without the two empty blocks at its end: good enough */
	if (n < ARCHIVE_BLOCK)
		return archive_fail(a, "the archive is cut off");
	if (block[0] == '\0')
		return false;
	return archive_sum_fits(block) ||
	       archive_fail(a, "a header of the archive has a wrong checksum");
}

bool archive_next(struct archive *a)
{
	struct archive_extra extra = {.size = -1, .modified_s = -1};
	char block[ARCHIVE_BLOCK];
	uint64_t size;

	for (;;) {
		if (a->failure || !archive_skip(a, a->left + a->padding))
			return false;
		a->left = a->padding = 0;
		if (!archive_header(a, block))
			return false;
		if (block[TYPE_AT] == 'x' || block[TYPE_AT] == 'L') {
			if (!archive_number(block + SIZE_AT, 12, &size))
				return archive_fail(a, "a member of the archive has no valid size");
			if (!archive_read_extra(a, block[TYPE_AT], size, &extra))
				return false;
			continue;
		}
		if (archive_enter(a, block, &extra)) {
			if (a->members++ < ARCHIVE_MEMBERS_MAX)
				return true;
			return archive_fail(a,
				"the archive has more than a million files; the rest was not read");
		}
		extra = (struct archive_extra){.size = -1, .modified_s = -1};
	}
}
