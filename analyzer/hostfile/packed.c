#include "hostfile/packed.h"

#include <string.h>

bool packed_recognise(const char *bytes, size_t size)
{
	return size >= 3 && memcmp(bytes, "\x1f\x8b\x08", 3) == 0;
}

void packed_init(struct packed *p, struct reader *from)
{
	*p = (struct packed){.from = from};
	if (inflateInit2(&p->z, 15 + 16) != Z_OK) { /* a gzip header is demanded */
		p->failure = "there is no memory to decompress it";
		p->ended = true;
	}
}

void packed_release(struct packed *p)
{
	(void)inflateEnd(&p->z); /* fails on a state that was never made */
}

static void packed_end(struct packed *p, const char *failure)
{
	p->ended = true;
	p->failure = failure;
}

/* Input for the next step. false: there is none. */
static bool packed_more(struct packed *p)
{
	if (!p->z.avail_in) {
		p->z.next_in = (Bytef *)p->input;
		p->z.avail_in = (uInt)reader_take(p->from, p->input, sizeof(p->input));
	}
	return p->z.avail_in > 0;
}

/* The end of a member of gzip: another one may follow. */
static void packed_next(struct packed *p)
{
	if (packed_more(p) && *p->z.next_in == 0x1f)
		(void)inflateReset(&p->z); /* fails on a broken state only */
	else
		packed_end(p, NULL);
}

size_t packed_pull(void *packed, char *to, size_t size)
{
	struct packed *p = packed;
	size_t got = 0;

	while (!p->ended && got == 0 && size) {
		int r;

		if (p->content > PACKED_CONTENT_MAX) {
			packed_end(p, "it has more than 4 GiB of content; the rest was not read");
			break;
		}
		if (!packed_more(p)) {
			packed_end(p, "its gzip data is cut short");
			break;
		}
		p->z.next_out = (Bytef *)to;
		p->z.avail_out = (uInt)size;
		r = inflate(&p->z, Z_NO_FLUSH);
		got = size - p->z.avail_out;
		p->content += got;
		if (r == Z_STREAM_END)
			packed_next(p);
		else if (r != Z_OK && r != Z_BUF_ERROR)
			packed_end(p, "its gzip data is broken");
	}
	return got;
}
