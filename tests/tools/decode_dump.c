/* decode_dump: one line for each frame of a capture, with what was decoded of it, for scripts to
 * compare. */
#include <stdio.h>

#include "read/capfile.h"

#include "../unit/packet_text.h"

static void dump(struct capfile *cf)
{
	CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
	struct packet p;
	struct frame f;

	while (capfile_next(cf, &f) == CAPFILE_OK) {
		(void)packet_decode(&f, capfile_info(cf)->interfaces[f.interface].link_type, &p);
		strbuf_reset(&text);
		packet_text(&text, &p);
		(void)printf("%u %s\n", f.number, text.text);
	}
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct capfile *cf;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: decode_dump CAPTURE\n");
		return 2;
	}
	if (capfile_open(&cf, argv[1], NULL, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	dump(cf);
	(void)capfile_close(cf);
	return 0;
}
