#include "report/extract.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "base/pcapng_write.h"
#include "base/utf8.h"
#include "read/capfile.h"
#include "read/digest.h"
#include "report/ref_clock.h"
#include "report/query.h"
#include "report/escape.h"
#include "report/story.h"

#define CONTEXT_MAX 20000
#define COMMENT_MAX 4000 /* longer comments are cut */

#define APPLICATION "bothends extract" /* by which its files are known again */

struct wanted {
	int64_t file, frame;
	struct strbuf note; /* "": context only */
	bool has_hash;
	struct frame_hash hash; /* of the payload that the agent cut */
	struct strbuf drop;	/* what the kernel said of it, as its comment; "": nothing */
	/* Filled from the capture: */
	uint8_t *data;
	uint32_t cap_len, wire_len, flags, interface; /* interface: index in out */
	int64_t time_ns, own_ns;		      /* reference clock; as recorded */
	bool found;
};

struct out_interface {
	int64_t vantage;
	uint32_t link_type, snaplen;
	char *name;
};

struct extract {
	struct db *db;
	const struct extract_options *options;
	struct error *err;
	struct ref_clock clocks;
	struct wanted *wanted; /* by file, then frame */
	size_t count, cap;
	struct out_interface *interfaces;
	size_t interface_count, interface_cap;
	uint64_t files;
	char title[400], label[120]; /* label: "finding 1 synack-lost critical" */
};

static void extract_release(struct extract *x)
{
	for (size_t i = 0; i < x->count; i++) {
		strbuf_release(&x->wanted[i].note);
		strbuf_release(&x->wanted[i].drop);
		free(x->wanted[i].data);
	}
	for (size_t i = 0; i < x->interface_count; i++)
		free(x->interfaces[i].name);
	free(x->wanted);
	free(x->interfaces);
	ref_clock_release(&x->clocks);
}

static int extract_load_finding(struct extract *x)
{
	CLEANUP_STRBUF struct strbuf text = STRBUF_INIT, kind = STRBUF_INIT;
	struct query r;
	bool there;
	int result = query_open(
		&r, x->db, x->err, Q_EXTRACT_FINDING, ":finding", x->options->finding, NULL);

	if (result)
		return result;
	there = query_next(&r);
	if (there) {
		escape_text(&text, query_text(&r, 2));
		escape_text(&kind, query_text(&r, 0));
		strbuf_addc(&kind, ' ');
		escape_text(&kind, query_text(&r, 1));
		(void)snprintf(x->label, sizeof(x->label), "finding %lld %s",
			(long long)x->options->finding, kind.text);
	}
	result = query_close(&r, x->err);
	if (result == 0 && !there)
		return error_set(x->err, EXTRACT_NO_FINDING,
			"no finding %lld; bothends report lists them",
			(long long)x->options->finding);
	(void)snprintf(x->title, sizeof(x->title), "finding %lld: %s",
		(long long)x->options->finding, text.text ? text.text : "");
	return result;
}

static void extract_want(struct extract *x, int64_t file, int64_t frame, const char *note)
{
	struct wanted *w;

	MEM_RESERVE(x->wanted, x->count, x->cap);
	w = &x->wanted[x->count++];
	*w = (struct wanted){.file = file, .frame = frame};
	if (note)
		escape_text(&w->note, note);
}

static int extract_by_place(const void *pa, const void *pb)
{
	const struct wanted *a = pa, *b = pb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

static int extract_by_time(const void *pa, const void *pb)
{
	const struct wanted *a = pa, *b = pb;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return extract_by_place(pa, pb);
}

/* A frame that proves two things is written once with both notes. */
static void extract_merge_same(struct extract *x)
{
	size_t kept = 0;

	if (x->count)
		qsort(x->wanted, x->count, sizeof(*x->wanted), extract_by_place);
	for (size_t i = 0; i < x->count; i++) {
		struct wanted *w = &x->wanted[i];

		if (kept && extract_by_place(&x->wanted[kept - 1], w) == 0) {
			struct strbuf *note = &x->wanted[kept - 1].note;

			if (w->note.length && note->length)
				strbuf_adds(note, "; ");
			if (w->note.length)
				strbuf_add(note, w->note.text, w->note.length);
			strbuf_release(&w->note);
		} else {
			x->wanted[kept++] = *w;
		}
	}
	x->count = kept;
}

static int extract_load_frames(struct extract *x)
{
	struct query r;
	int result = query_open(
		&r, x->db, x->err, Q_EXTRACT_FRAMES, ":finding", x->options->finding, NULL);

	if (result)
		return result;
	while (query_next(&r))
		extract_want(x, query_int(&r, 0), query_int(&r, 1), query_text(&r, 2));
	result = query_close(&r, x->err);
	if (result == 0 && x->count == 0)
		return error_set(x->err, EXTRACT_NO_FRAMES,
			"no frame proves finding %lld: its proof is log lines or counters, which "
			"the report lists",
			(long long)x->options->finding);
	if (result || !x->options->context)
		return result;
	result = query_open(&r, x->db, x->err, Q_EXTRACT_CONTEXT, ":finding", x->options->finding,
		":limit", (int64_t)CONTEXT_MAX, NULL);
	if (result)
		return result;
	while (query_next(&r))
		extract_want(x, query_int(&r, 0), query_int(&r, 1), NULL);
	return query_close(&r, x->err);
}

static struct wanted *extract_find(struct extract *x, int64_t file, int64_t frame)
{
	struct wanted key = {.file = file, .frame = frame};

	return bsearch(&key, x->wanted, x->count, sizeof(key), extract_by_place);
}

/* One interface of the output for each vantage point (and link type, should a place have had two).
 */
static uint32_t extract_interface_for(
	struct extract *x, int64_t vantage, const char *name, const struct capfile_interface *from)
{
	for (size_t i = 0; i < x->interface_count; i++)
		if (x->interfaces[i].vantage == vantage &&
			x->interfaces[i].link_type == from->link_type) {
			if (from->snaplen == 0 || from->snaplen > x->interfaces[i].snaplen)
				x->interfaces[i].snaplen =
					x->interfaces[i].snaplen ? from->snaplen : 0;
			return (uint32_t)i;
		}
	MEM_RESERVE(x->interfaces, x->interface_count, x->interface_cap);
	x->interfaces[x->interface_count] = (struct out_interface){.vantage = vantage,
		.link_type = from->link_type,
		.snaplen = from->snaplen,
		.name = mem_strdup(name ? name : "")};
	return (uint32_t)x->interface_count++;
}

struct original {
	int64_t file, vantage, bytes;
	char *path, *hash;
	struct place {
		int64_t interface, vantage;
		char *name;
	} * places;
	size_t place_count, place_cap;
};

static void extract_original_release(struct original *o)
{
	for (size_t i = 0; i < o->place_count; i++)
		free(o->places[i].name);
	free(o->places);
	free(o->path);
	free(o->hash);
}

static int extract_load_original(struct extract *x, int64_t file, struct original *o)
{
	struct query r;
	int result = query_open(&r, x->db, x->err, Q_EXTRACT_FILE, ":file", file, NULL);

	*o = (struct original){.file = file};
	if (result)
		return result;
	if (query_next(&r)) {
		o->path = mem_strdup(query_text(&r, 0));
		o->hash = mem_strdup(query_text(&r, 1));
		o->vantage = query_int(&r, 2);
		o->bytes = query_int(&r, 3);
	}
	result = query_close(&r, x->err);
	if (result == 0 && !o->path)
		return error_set(x->err, -EINVAL,
			"the database lacks capture %lld, which the proof names; analyze the "
			"captures again",
			(long long)file);
	if (result == 0)
		result = query_open(&r, x->db, x->err, Q_EXTRACT_INTERFACES, ":file", file, NULL);
	if (result)
		return result;
	while (query_next(&r)) {
		MEM_RESERVE(o->places, o->place_count, o->place_cap);
		o->places[o->place_count++] = (struct place){.interface = query_int(&r, 0),
			.vantage = query_int(&r, 1),
			.name = mem_strdup(query_text(&r, 2))};
	}
	return query_close(&r, x->err);
}

static const struct place *extract_place_of(const struct original *o, uint32_t interface)
{
	for (size_t i = 0; i < o->place_count; i++)
		if (o->places[i].interface == interface)
			return &o->places[i];
	return NULL;
}

static void extract_keep(struct extract *x, const struct original *o,
	const struct capfile_info *info, const struct frame *f, struct wanted *w)
{
	const struct place *place = extract_place_of(o, f->interface);
	int64_t vantage = place ? place->vantage : o->vantage;

	free(w->data);
	w->data = mem_alloc(f->cap_len ? f->cap_len : 1);
	memcpy(w->data, f->data, f->cap_len);
	w->cap_len = f->cap_len;
	w->wire_len = f->wire_len;
	w->flags = f->epb_flags;
	strbuf_reset(&w->drop);
	if (f->drop_length) {
		strbuf_adds(&w->drop, CAPFILE_KERNEL_DROP);
		strbuf_add(&w->drop, f->drop, f->drop_length);
	}
	w->has_hash = f->has_hash;
	w->hash = f->hash;
	w->own_ns = f->time_ns;
	w->time_ns = f->has_time ? ref_clock_ns(&x->clocks, vantage, f->time_ns) : 0;
	w->interface = extract_interface_for(
		x, vantage, place ? place->name : NULL, &info->interfaces[f->interface]);
	w->found = true;
}

/* Reads a candidate to its end. *ret_same tells whether it is the original: the hash decides, no
 * name. */
static int extract_read_candidate(
	struct extract *x, const struct original *o, const char *path, bool *ret_same)
{
	const struct capfile_options options = {0};
	struct error ignored = ERROR_INIT; /* a file that is no capture is not the original */
	struct capfile *cf = NULL;
	struct stat st;
	struct frame f;
	char hash[DIGEST_TEXT_SIZE];

	*ret_same = false;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != o->bytes)
		return 0;
	if (capfile_open(&cf, path, &options, &ignored) != CAPFILE_OK)
		return 0;
	while (capfile_next(cf, &f) == CAPFILE_OK) {
		struct wanted *w = extract_find(x, o->file, f.number);

		if (w)
			extract_keep(x, o, capfile_info(cf), &f, w);
	}
	digest_text(capfile_info(cf)->hash, hash);
	*ret_same = strcmp(hash, o->hash) == 0;
	(void)capfile_close(cf);
	return 0;
}

static int extract_search_folder(
	struct extract *x, const struct original *o, const char *folder, bool *ret_same)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	int result = 0;

	if (!d)
		return error_errno(x->err, "cannot open '%s'", folder);
	while (result == 0 && !*ret_same && (e = readdir(d))) {
		CLEANUP_FREE char *path = mem_printf("%s/%s", folder, e->d_name);

		result = extract_read_candidate(x, o, path, ret_same);
	}
	(void)closedir(d);
	return result;
}

static int extract_read_original(struct extract *x, int64_t file)
{
	struct original o;
	bool same = false;
	int result = extract_load_original(x, file, &o);

	if (result == 0 && !x->options->source_only)
		result = extract_read_candidate(x, &o, o.path, &same);
	if (result == 0 && !same && x->options->source) {
		CLEANUP_FREE char *path =
			mem_printf("%s/%s", x->options->source, report_basename(o.path));

		result = extract_read_candidate(x, &o, path, &same);
		if (result == 0 && !same)
			result = extract_search_folder(x, &o, x->options->source, &same);
	}
	if (result == 0 && !same) {
		CLEANUP_STRBUF struct strbuf shown = STRBUF_INIT;

		escape_text(&shown, o.path);
		result = error_set(x->err, -ENOENT,
			"'%.200s' is not there or is not the file that was analyzed (XXH3 %s); "
			"name its folder with --source",
			shown.text ? shown.text : "", o.hash);
	}
	x->files++;
	extract_original_release(&o);
	return result;
}

static int extract_read_all(struct extract *x)
{
	int result = 0;

	for (size_t i = 0; i < x->count && result == 0; i++)
		if (i == 0 || x->wanted[i].file != x->wanted[i - 1].file)
			result = extract_read_original(x, x->wanted[i].file);
	for (size_t i = 0; i < x->count && result == 0; i++)
		if (!x->wanted[i].found)
			result = error_set(x->err, -EINVAL,
				"frame %lld is not in capture %lld; analyze the captures again",
				(long long)x->wanted[i].frame, (long long)x->wanted[i].file);
	return result;
}

static void extract_add_comment(struct strbuf *block, const char *text)
{
	if (text && *text)
		pcapng_add_option(block, PCAPNG_OPT_COMMENT, text, utf8_cut(text, COMMENT_MAX));
}

static void extract_add_hash(struct strbuf *block, const struct frame_hash *h)
{
	char text[64];

	(void)snprintf(text, sizeof(text), CAPFILE_PAYLOAD_HASH "%08x %08x %08x", h->key, h->head,
		h->whole);
	extract_add_comment(block, text);
}

static void extract_end_block(struct strbuf *block, size_t at, FILE *out)
{
	pcapng_end_block(block, at);
	(void)fwrite(block->text, 1, block->length, out);
}

static void extract_write_section(const struct extract *x, FILE *out)
{
	CLEANUP_STRBUF struct strbuf block = STRBUF_INIT;
	size_t at = pcapng_begin_section(&block);

	pcapng_add_option_text(&block, PCAPNG_SHB_APPLICATION, APPLICATION);
	extract_add_comment(&block, x->title);
	extract_end_block(&block, at, out);
}

static void extract_write_interface(struct extract *x, const struct out_interface *i, FILE *out)
{
	CLEANUP_STRBUF struct strbuf name = STRBUF_INIT, says = STRBUF_INIT, block = STRBUF_INIT;
	char span[NSEC_TEXT_SIZE];
	int64_t offset = 0;
	size_t at;

	for (size_t k = 0; k < x->count; k++)
		if (&x->interfaces[x->wanted[k].interface] == i)
			offset = x->wanted[k].own_ns - x->wanted[k].time_ns;
	escape_text(&name, i->name);
	strbuf_printf(&says, "times are on the reference clock; this clock was %s %s it",
		nsec_span(offset < 0 ? -offset : offset, span), offset < 0 ? "behind" : "ahead of");
	at = pcapng_begin_interface(&block, (uint16_t)i->link_type, i->snaplen);
	pcapng_add_option_text(&block, PCAPNG_IF_NAME, name.text);
	pcapng_add_option_text(&block, PCAPNG_IF_DESCRIPTION, offset ? says.text : NULL);
	pcapng_add_resolution(&block);
	extract_end_block(&block, at, out);
}

static void extract_packet_block(const struct wanted *w, const char *comment, FILE *out)
{
	CLEANUP_STRBUF struct strbuf block = STRBUF_INIT;
	size_t at = pcapng_begin_block(&block, PCAPNG_PACKET);

	pcapng_add_u32(&block, w->interface);
	pcapng_add_time(&block, w->time_ns);
	pcapng_add_u32(&block, w->cap_len);
	pcapng_add_u32(&block, w->wire_len);
	pcapng_add_data(&block, w->data, w->cap_len);
	extract_add_comment(&block, comment);
	if (w->drop.length)
		pcapng_add_option(&block, PCAPNG_OPT_COMMENT, w->drop.text, w->drop.length);
	if (w->has_hash)
		extract_add_hash(&block, &w->hash);
	if (w->flags)
		pcapng_add_option(&block, PCAPNG_EPB_FLAGS, &w->flags, sizeof(w->flags));
	extract_end_block(&block, at, out);
}

static int extract_write_packet(struct extract *x, const struct wanted *w, FILE *out)
{
	CLEANUP_STRBUF struct strbuf comment = STRBUF_INIT;
	struct query r;
	int result = query_open(&r, x->db, x->err, Q_EXTRACT_FILE, ":file", w->file, NULL);

	if (result)
		return result;
	if (w->note.length)
		strbuf_printf(&comment, "%s\n%s\n", w->note.text, x->label);
	if (query_next(&r)) {
		escape_text(&comment, report_basename(query_text(&r, 0)));
		strbuf_printf(&comment, " frame %lld", (long long)w->frame);
	}
	extract_packet_block(w, w->note.length ? comment.text : NULL, out);
	return query_close(&r, x->err);
}

static int extract_write_all(struct extract *x, FILE *out)
{
	int result = 0;

	qsort(x->wanted, x->count, sizeof(*x->wanted), extract_by_time);
	extract_write_section(x, out);
	for (size_t i = 0; i < x->interface_count; i++)
		extract_write_interface(x, &x->interfaces[i], out);
	for (size_t i = 0; i < x->count && result == 0; i++)
		result = extract_write_packet(x, &x->wanted[i], out);
	if (result == 0 && (fflush(out) != 0 || ferror(out)))
		result = error_errno(x->err, "cannot write");
	return result;
}

int extract_write(struct db *db, FILE *out, const struct extract_options *options,
	struct extract_counts *ret_counts, struct error *err)
{
	struct extract x = {.db = db, .options = options, .err = err};
	int result = extract_load_finding(&x);

	if (result == 0)
		result = extract_load_frames(&x);
	if (result == 0)
		result = ref_clock_load(&x.clocks, db, err);
	if (result == 0) {
		extract_merge_same(&x);
		result = extract_read_all(&x);
	}
	if (result == 0)
		result = extract_write_all(&x, out);
	if (result == 0)
		*ret_counts = (struct extract_counts){.frames = x.count, .files = x.files};
	extract_release(&x);
	return result;
}

bool extract_is_extract(const struct outfile_ends *ends)
{
	return outfile_begins(ends, "\n\r\r\n") && outfile_holds(ends, APPLICATION);
}
