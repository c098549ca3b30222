/* hostfile: any bytes as a file of a host: as an archive, as what they look like, and as a few
 * other kinds, which their size chooses: cut anywhere they meet each kind. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "hostfile/archive.h"
#include "hostfile/hostfile.h"
#include "hostfile/packed.h"
#include "hostfile/recognise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OTHER_KINDS 8 /* every so many of them */

struct bytes {
	const uint8_t *at;
	size_t left;
};

static size_t pull(void *from, char *to, size_t size)
{
	struct bytes *b = from;
	size_t n = b->left < size ? b->left : size;

	memcpy(to, b->at, n);
	b->at += n;
	b->left -= n;
	return n;
}

static void take(void *context, const struct agent_fact *fact)
{
	(void)context;
	assert(fact->key && fact->value);
}

static void read_as(struct collection *c, const struct hostfile_kind *kind, reader_pull *from_pull,
	void *from, const char *name)
{
	struct reader r;

	(void)collection_begin_file(c, ++*c->last_id, name, name);
	reader_init(&r, from_pull, from);
	kind->parse(&r, c);
	reader_release(&r);
}

/* Each member by what it looks like; a name of one is its hint. */
static void read_archive(struct collection *c, const uint8_t *data, size_t size)
{
	struct bytes b = {data, size};
	struct archive a;

	archive_init(&a, pull, &b);
	while (archive_next(&a)) {
		struct hostfile_head head = {.name = a.name, .bytes = ""};
		const struct hostfile_kind *kind = recognise_kind(&head);

		if (kind)
			read_as(c, kind, archive_pull, &a, a.name);
	}
}

static void read_packed(const uint8_t *data, size_t size)
{
	struct bytes b = {data, size};
	char content[4096];
	struct packed p;
	struct reader r;

	reader_init(&r, pull, &b);
	packed_init(&p, &r);
	while (packed_pull(&p, content, sizeof(content)))
		assert(p.content <= PACKED_CONTENT_MAX + sizeof(content));
	packed_release(&p);
	reader_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Names that make a path's kind of any content. */
	static const char *const names[] = {"", "proc/stat", "sys/hypervisor/version/major",
		"proc/2/comm", "sys/class/net/eth0/speed", "proc/version", "etc/timezone",
		"ethtool -i eth0"};
	const struct collection_options options = {0};
	char *text CLEANUP_FREE = mem_strndup((const char *)data, size);
	uint32_t last_id = 0;
	struct collection c;

	collection_init(&c, &options);
	c.last_id = &last_id;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct hostfile_head head = {.name = names[i], .bytes = text, .size = strlen(text)};
		const struct hostfile_kind *kind = recognise_kind(&head);
		struct bytes b = {data, size};

		if (kind)
			read_as(&c, kind, pull, &b, names[i]);
	}
	for (size_t i = size % OTHER_KINDS; recognise_nth(i); i += OTHER_KINDS) {
		struct bytes b = {data, size};

		read_as(&c, recognise_nth(i), pull, &b, "");
	}
	read_archive(&c, data, size);
	read_packed(data, size);
	if (c.file_count)
		hostfile_finish(&c, take, NULL);
	collection_release(&c);
	return 0;
}
