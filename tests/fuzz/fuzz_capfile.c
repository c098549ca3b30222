/* capfile: any bytes as a file; walks what it takes for frames and touches each of their bytes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "read/capfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct capfile *cf)
{
	const struct capfile_info *info = capfile_info(cf);
	static volatile uint8_t sum; /* so that no read is left out */
	uint64_t frames = 0;
	struct frame f;
	int64_t first;

	(void)capfile_first_time(cf, &first);
	while (capfile_next(cf, &f) == CAPFILE_OK) {
		assert(f.interface < info->interface_count);
		assert(f.number == ++frames + info->other_rows);
		for (uint32_t i = 0; i < f.cap_len; i++)
			sum = sum ^ f.data[i];
	}
	assert(info->frames == frames && info->bytes == info->stored_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	char path[64];
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!capfile_open(&cf, path, NULL, &err))
		walk(cf);
	else
		assert(err.text[0]);
	(void)capfile_close(cf);
	(void)close(fd);
	return 0;
}
