/* bothends-agent ls: lists the capture files in the output folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonout.h"
#include "base/nsec.h"
#include "cmd.h"
#include "comments.h"
#include "cmd_args.h"
#include "ring.h"

static void cmd_ls_print_file(const struct ring_file *f, bool json, bool last)
{
	struct strbuf name CLEANUP_STRBUF = STRBUF_INIT;
	char end[NSEC_TEXT_SIZE];

	nsec_format(f->end_ns, end);
	if (!json) {
		printf("%-60s %12llu  %.19sZ%s\n", f->stem, (unsigned long long)f->size, end,
			f->kept ? "  kept" : "");
		return;
	}
	jsonout_string_marked(&name, f->stem);
	printf("{\"file\":%.*s" RING_SUFFIX "\",\"bytes\":%llu,\"end_ns\":%lld,\"kept\":%s}%s\n",
		(int)name.length - 1, name.text, (unsigned long long)f->size, (long long)f->end_ns,
		f->kept ? "true" : "false", last ? "" : ",");
}

int cmd_ls(int argc, char **argv)
{
	struct cmd_args a = {0};
	struct ring_limits none = {0};
	struct error err = ERROR_INIT;
	struct ring ring;
	size_t i;
	int fd;

	cmd_args_parse(&a, argc, argv, "",
		"Lists the capture files, oldest first, with sidecars' bytes and the time of the "
		"last byte.");
	fd = open(a.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "bothends-agent: cannot open output folder '%s': %s\n", a.dir,
			strerror(errno));
		return 2;
	}
	if (ring_load(&ring, fd, &none, &err)) {
		fprintf(stderr, "bothends-agent: %s\n", err.text);
		close(fd);
		return 2;
	}
	if (a.json)
		puts("[");
	for (i = 0; i < ring.count; i++)
		cmd_ls_print_file(&ring.files[i], a.json, i + 1 == ring.count);
	if (a.json)
		puts("]");
	ring_release(&ring);
	close(fd);
	return 0;
}
