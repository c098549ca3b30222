#include "hostfile/hostfile.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "hostfile/archive.h"
#include "hostfile/copy.h"
#include "hostfile/packed.h"
#include "hostfile/process.h"
#include "hostfile/recognise.h"
#include "read/source.h"

/* A reader_pull of a source's content. */
static size_t hostfile_pull(void *from, char *to, size_t size)
{
	struct source *s = from;
	size_t n = source_need(s, 1);

	n = n < size ? n : size;
	if (n)
		memcpy(to, cur_take(&s->window, n), n);
	return n;
}

/*
 * What `bothends collect` writes above the output of a command: "# COMMAND" and "# at SECONDS".
 * Returns its size; 0: the file begins otherwise.
 */
static size_t hostfile_head_of(
	const char *bytes, size_t size, char **ret_command, struct stamp *ret_at)
{
	const char *first = size ? memchr(bytes, '\n', size) : NULL, *second, *end;
	char *number_end;
	int64_t seconds;

	if (!first || bytes[0] != '#' || bytes[1] != ' ')
		return 0;
	second = first + 1;
	end = memchr(second, '\n', size - (size_t)(second - bytes));
	if (!end || end - second < 6 || strncmp(second, "# at ", 5) != 0)
		return 0;
	seconds = strtoll(second + 5, &number_end, 10);
	if (number_end != end || seconds <= 0 || seconds > INT64_C(4102444800))
		return 0;
	*ret_command = mem_printf("%.*s", (int)(first - bytes - 2), bytes + 2);
	*ret_at = (struct stamp){
		.kind = STAMP_ABSOLUTE, .ns = seconds * NSEC_PER_SEC, .within_ns = NSEC_PER_SEC};
	return (size_t)(end + 1 - bytes);
}

/* The name of a copy that cat printed is that of the file. */
static const struct hostfile_kind *hostfile_kind_of(
	const char *name, const char *command, const char *bytes, size_t size)
{
	char *copy CLEANUP_FREE = mem_alloc(size + 1);
	struct hostfile_head head = {
		.name = command && strncmp(command, "cat ", 4) == 0 ? command + 4 : name,
		.command = command,
		.size = size};

	if (size)
		memcpy(copy, bytes, size);
	copy[size] = '\0';
	head.bytes = copy;
	return recognise_kind(&head);
}

bool hostfile_recognise(const char *name, const char *bytes, size_t size)
{
	char *command CLEANUP_FREE = NULL;
	struct stamp at;
	size_t above;

	if (archive_recognise(bytes, size))
		return true;
	above = hostfile_head_of(bytes, size, &command, &at);
	size = size < HOSTFILE_HEAD ? size : HOSTFILE_HEAD;
	return hostfile_kind_of(name, command, bytes + above, size - above) != NULL;
}

/* Reads the content of r as the file that was begun. */
static void hostfile_content(struct collection *c, struct collection_file *f, struct reader *r)
{
	const struct hostfile_kind *kind;
	const char *bytes;
	size_t n = reader_head(r, &bytes), line_size, above;
	char *line;

	above = hostfile_head_of(bytes, n, &f->command, &f->at);
	kind = hostfile_kind_of(f->name, f->command, bytes + above, n - above);
	if (above) {
		(void)reader_line(r, &line, &line_size);
		(void)reader_line(r, &line, &line_size);
		collection_taken(c, &f->at);
	}
	if (kind) {
		f->kind = kind->name;
		kind->parse(r, c);
	}
	reader_skip(r);
	f->lines = r->line;
	f->cut = r->cut;
}

/* A rotated log in an archive: its content, once decompressed. */
static void hostfile_packed(struct collection *c, struct collection_file *f, struct reader *stored)
{
	struct packed p;
	struct reader r;

	packed_init(&p, stored);
	reader_init(&r, packed_pull, &p);
	hostfile_content(c, f, &r);
	if (p.failure && !f->damaged)
		f->damaged = mem_strdup(p.failure);
	reader_release(&r);
	packed_release(&p);
	reader_skip(stored);
}

/* Reads the content that pull gives as one file. */
static void hostfile_one(struct collection *c, reader_pull *pull, void *from, const char *path,
	const char *name, int64_t modified_ns, uint32_t *last_id)
{
	struct collection_file *f = collection_begin_file(c, ++*last_id, path, name);
	const char *bytes;
	struct reader r;
	size_t n;

	f->modified_ns = modified_ns;
	reader_init(&r, pull, from);
	n = reader_head(&r, &bytes);
	if (packed_recognise(bytes, n))
		hostfile_packed(c, f, &r);
	else
		hostfile_content(c, f, &r);
	reader_release(&r);
}

static void hostfile_archive(
	struct collection *c, struct source *s, const char *path, uint32_t *last_id)
{
	struct archive a;
	struct collection_file *f;

	archive_init(&a, hostfile_pull, s);
	while (archive_next(&a)) {
		char *member CLEANUP_FREE = mem_printf("%s:%s", path, a.name);

		hostfile_one(c, archive_pull, &a, member, a.name, a.modified_ns, last_id);
	}
	/* what follows may be broken too */
	(void)source_skip(s, ARCHIVE_BYTES_MAX);
	f = collection_begin_file(c, ++*last_id, path, path);
	f->kind = "archive";
	f->lines = a.members;
	f->malformed = a.links + a.outside + a.special;
	f->damaged = a.failure ? mem_strdup(a.failure) : NULL;
}

int hostfile_read(struct collection *c, const char *path, const char *name, uint32_t *last_id,
	struct error *err)
{
	struct source *s = NULL;
	int r = source_open(&s, path, false, err);
	size_t n;

	if (r)
		return r;
	c->last_id = last_id;
	n = source_need(s, ARCHIVE_BLOCK);
	if (archive_recognise((const char *)s->window.at, n))
		hostfile_archive(c, s, path, last_id);
	else
		hostfile_one(c, hostfile_pull, s, path, name, AGENTFACTS_UNDATED, last_id);
	if (s->failure && !c->file->damaged)
		c->file->damaged = mem_strdup(s->failure);
	(void)source_close(s);
	return 0;
}

void hostfile_finish(struct collection *c, agentfacts_sink *sink, void *context)
{
	copy_finish(c);
	process_finish(c);
	collection_finish(c, sink, context);
}

static void hostfile_take_name(void *context, const struct agent_fact *fact)
{
	char **name = context;

	if (!*name && strcmp(fact->key, "host.name") == 0 && fact->value[0])
		*name = mem_strdup(fact->value);
}

/* Bytes in memory as a reader_pull. */
static size_t hostfile_pull_bytes(void *from, char *to, size_t size)
{
	struct cursor *bytes = from;
	size_t n = bytes->left < size ? bytes->left : size;

	if (n)
		memcpy(to, cur_take(bytes, n), n);
	return n;
}

char *hostfile_host_name(const char *path, const char *bytes, size_t size)
{
	const struct collection_options nothing = {0};
	struct cursor head = cur_of(bytes, size);
	struct error unused = ERROR_INIT;
	uint32_t last_id = 0;
	struct collection c;
	char *name = NULL;

	collection_init(&c, &nothing);
	c.last_id = &last_id;
	if (archive_recognise(bytes, size))
		(void)hostfile_read(&c, path, path, &last_id, &unused);
	else
		hostfile_one(
			&c, hostfile_pull_bytes, &head, path, path, AGENTFACTS_UNDATED, &last_id);
	if (c.file_count)
		hostfile_finish(&c, hostfile_take_name, &name);
	collection_release(&c);
	return name;
}
