/*
 * replay: runs a fuzz target over a corpus where no fuzzer is linked: each file of the folders
 * named, whole, cut at many places, and with a few bytes changed. Every input ends at a page that
 * cannot be read, so that a look beyond it is a crash in any build.
 *
 *	fuzz_NAME FOLDER-OR-FILE ...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PREFIXES 512  /* of one file, at most: the first ones and then evenly spread */
#define MUTATIONS 256 /* of one file */

struct page {
	uint8_t *map;
	size_t usable; /* bytes before the page that cannot be read */
};

static void fail(const char *what, const char *path)
{
	(void)fprintf(stderr, "replay: cannot %s %s\n", what, path);
	exit(2);
}

static struct page page_for(size_t size)
{
	size_t unit = (size_t)sysconf(_SC_PAGESIZE);
	struct page p = {.usable = (size + unit) / unit * unit};

	p.map = mmap(
		NULL, p.usable + unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p.map == MAP_FAILED || mprotect(p.map + p.usable, unit, PROT_NONE))
		fail("map memory for", "an input");
	return p;
}

static void run(const struct page *p, const uint8_t *data, size_t size)
{
	uint8_t *at = p->map + p->usable - size;

	memcpy(at, data, size);
	(void)LLVMFuzzerTestOneInput(at, size);
}

static void run_prefixes(const struct page *p, const uint8_t *data, size_t size)
{
	size_t step = size > PREFIXES ? size / (PREFIXES / 2) : 1;

	for (size_t n = 0; n < size; n += n < PREFIXES / 2 ? 1 : step)
		run(p, data, n);
}

/* The same changes in every run: a plain xorshift. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void run_mutations(const struct page *p, uint8_t *data, size_t size)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
	uint32_t random = 2463534242u;

	for (unsigned int i = 0; size && i < MUTATIONS; i++) {
		/* Headers are where lengths are: every other change hits the first bytes. */
		size_t range = i % 2 && size > 64 ? 64 : size, at = next_random(&random) % range;
		uint8_t old = data[at];

		data[at] = i % 3 ? values[next_random(&random) % sizeof(values)]
				 : (uint8_t)(old ^ 1u << next_random(&random) % 8);
		run(p, data, size);
		data[at] = old;
	}
}

static unsigned int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	struct page p;
	uint8_t *data;

	if (!f || fstat(fileno(f), &st))
		fail("open", path);
	data = malloc((size_t)st.st_size + 1);
	if (!data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		fail("read", path);
	(void)fclose(f);
	p = page_for((size_t)st.st_size);
	run(&p, data, (size_t)st.st_size);
	run_prefixes(&p, data, (size_t)st.st_size);
	run_mutations(&p, data, (size_t)st.st_size);
	(void)munmap(p.map, p.usable + (size_t)sysconf(_SC_PAGESIZE));
	free(data);
	return 1;
}

static unsigned int replay(const char *path)
{
	struct dirent **names;
	unsigned int files = 0;
	struct stat st;
	int n;

	if (stat(path, &st))
		fail("find", path);
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char inner[4096];

		(void)snprintf(inner, sizeof(inner), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			files += replay(inner);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return files;
}

int main(int argc, char **argv)
{
	unsigned int files = 0;

	for (int i = 1; i < argc; i++)
		files += replay(argv[i]);
	if (!files) {
		(void)fprintf(stderr, "replay: no input\n");
		return 2;
	}
	(void)printf("%u files, each with its prefixes and changes\n", files);
	return 0;
}
