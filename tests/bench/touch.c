/*
 * touch: takes and gives back memory, so that the next program finds it at hand. A hypervisor that
 * takes back what a guest freed makes the first touch many times dearer than any program's work;
 * what is measured shall be the program.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	char *p;

	if (!size)
		errx(2, "usage: touch MEBIBYTES");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);
	if (p == MAP_FAILED)
		err(2, "cannot take %s MiB", argv[1]);
	(void)madvise(p, size, MADV_HUGEPAGE);
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	return 0;
}
