/*
 * capwalk: walks captures and does nothing else. Shows the cost of reading, and its result to
 * compare with other readers.
 *
 *	capwalk FILE ...      frames, bytes, fingerprint and time of each
 *	capwalk -l FILE ...   a line a frame: number, time, captured and wire length, sum of the
 *bytes capwalk -f FILE ...   a line a fact
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "read/capfile.h"

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void list_frame(const struct frame *f)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < f->cap_len; i++)
		sum = sum * 31 + f->data[i];
	(void)printf("%u\t", f->number);
	if (f->has_time)
		(void)printf("%s%" PRId64 ".%09" PRId64, f->time_ns < 0 ? "-" : "",
			(f->time_ns < 0 ? -f->time_ns : f->time_ns) / 1000000000,
			(f->time_ns < 0 ? -f->time_ns : f->time_ns) % 1000000000);
	(void)printf("\t%u\t%u\t%08x\n", f->cap_len, f->wire_len, sum);
}

static void list_facts(const struct capfile_info *info)
{
	for (uint32_t i = 0; i < info->interface_count; i++) {
		const struct capfile_interface *in = &info->interfaces[i];

		(void)printf("interface %u: section %u link type %u snap length %u name %s filter "
			     "%s received %" PRId64 " dropped %" PRId64 " + %" PRId64
			     " between %" PRId64 "\n",
			i, in->section, in->link_type, in->snaplen, in->name ? in->name : "-",
			in->filter ? in->filter : "-", in->received, in->dropped_interface,
			in->dropped_kernel, in->dropped_between);
	}
	for (uint32_t i = 0; i < info->fact_count; i++)
		(void)printf("fact: section %u interface %" PRId32 " frame %u: %s = %s\n",
			info->facts[i].section, (int32_t)info->facts[i].interface,
			info->facts[i].frame, info->facts[i].key, info->facts[i].value);
	for (uint32_t i = 0; i < info->drop_count; i++)
		(void)printf("drop: interface %u from %" PRId64 " to %" PRId64 ": %" PRIu64 "\n",
			info->drops[i].interface, info->drops[i].from_ns, info->drops[i].to_ns,
			info->drops[i].frames);
}

static int walk(const char *path, char mode)
{
	struct error err = ERROR_INIT;
	struct capfile *cf = NULL;
	int64_t start = now_ns();
	const struct capfile_info *info;
	uint64_t sum = 0;
	struct frame f;

	if (capfile_open(&cf, path, NULL, &err)) {
		(void)fprintf(stderr, "capwalk: %s\n", err.text);
		return 2;
	}
	while (capfile_next(cf, &f) == CAPFILE_OK) {
		sum += f.cap_len;
		if (mode == 'l')
			list_frame(&f);
	}
	info = capfile_info(cf);
	if (info->damaged)
		(void)fprintf(stderr, "capwalk: '%s' is damaged: %s\n", path, info->damaged);
	if (mode == 'f')
		list_facts(info);
	else if (!mode)
		(void)printf("%s: %" PRIu64 " frames, %" PRIu64 " bytes captured, %" PRIu64
			     " stored, xxh3 %016" PRIx64 "%016" PRIx64 ", %.3f s\n",
			path, info->frames, sum, info->bytes, info->hash[0], info->hash[1],
			(double)(now_ns() - start) / 1e9);
	(void)capfile_close(cf);
	return 0;
}

int main(int argc, char **argv)
{
	char mode = argc > 1 && argv[1][0] == '-' && argv[1][1] ? argv[1][1] : 0;
	int r = 0;

	for (int i = mode ? 2 : 1; i < argc && !r; i++)
		r = walk(argv[i], mode);
	return r;
}
