#include "read/capfile_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Frame numbers have 32 bits; no window holds as many frames as are spared here. */
#define NUMBER_MAX (UINT32_MAX - SOURCE_MAX_NEED)

size_t capfile_need(struct capfile *cf, size_t n)
{
	size_t have;

	if (cf->number > NUMBER_MAX)
		source_stop(cf->source, "more frames than can be numbered; cut it with editcap -c");
	have = source_need(cf->source, n);
	cf->info.bytes = source_stored_bytes(cf->source);
	return have;
}

static int capfile_finish(struct capfile *cf)
{
	cf->ended = true;
	source_finish(cf->source, cf->info.hash, cf->info.sha256);
	cf->info.bytes = source_stored_bytes(cf->source);
	return CAPFILE_END;
}

int capfile_damage(struct capfile *cf, uint64_t offset, const char *what, const char *fmt, ...)
{
	char detail[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	free(cf->info.damaged);
	cf->info.damaged = mem_printf("%s frame %llu at byte %llu: %s", what,
		(unsigned long long)cf->number + 1, (unsigned long long)offset, detail);
	return capfile_finish(cf);
}

int capfile_cut(struct capfile *cf, uint64_t offset, size_t have, size_t want)
{
	if (cf->source->failure)
		return capfile_damage(cf, offset, have ? "cut short in" : "cut short before", "%s",
			cf->source->failure);
	if (!have)
		return capfile_finish(cf);
	return capfile_damage(cf, offset, "cut short in", "%zu of %zu bytes are there", have, want);
}

/* What the first bytes look like, for somebody who gave the wrong file. */
static const char *capfile_looks_like(const uint8_t *p, size_t n)
{
	if (n >= 15 && !memcmp(p, "SQLite format 3", 15))
		return "an SQLite database";
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t')
			return "other data";
	}
	return "text";
}

static int capfile_not_capture(struct capfile *cf, struct error *err)
{
	const char *label = cf->source->stored.label;
	size_t have = source_need(cf->source, 64);

	if (cf->source->failure)
		return error_set(err, CAPFILE_NOT_CAPTURE,
			"cannot read %s as a capture: %s; copy it again", label,
			cf->source->failure);
	if (!have)
		return error_set(err, CAPFILE_EMPTY,
			"%s is empty; check that the capture was running, and copy it again",
			label);
	return error_set(err, CAPFILE_NOT_CAPTURE,
		"%s is not a capture: it begins with %s, not with a pcap or pcapng header; use a "
		"file "
		"written by tcpdump -w, dumpcap or bothends-agent",
		label, capfile_looks_like(cf->source->window.at, have < 64 ? have : 64));
}

static int capfile_begin(struct capfile *cf, struct error *err)
{
	int r = pcap_records_begin(cf, err);

	if (r == CAPFILE_END)
		r = pcapng_blocks_begin(cf, err);
	return r == CAPFILE_END ? capfile_not_capture(cf, err) : r;
}

int capfile_open_source(
	struct capfile **ret_capfile, struct source **source, const char *path, struct error *err)
{
	struct capfile *cf = mem_zalloc(sizeof(*cf));
	int r;

	cf->source = *source;
	cf->info.path = mem_strdup(path);
	cf->info.compression = cf->source->compression;
	cf->info.stored_size = cf->source->stored.size;
	r = capfile_begin(cf, err);
	if (r) {
		cf->source = NULL; /* stays the caller's */
		(void)capfile_close(cf);
		return r;
	}
	*source = NULL;
	*ret_capfile = cf;
	return 0;
}

int capfile_open(struct capfile **ret_capfile, const char *path,
	const struct capfile_options *options, struct error *err)
{
	struct source *source = NULL;
	int r = source_open(&source, path, options && options->sha256, err);

	if (!r)
		r = capfile_open_source(ret_capfile, &source, path, err);
	(void)source_close(source);
	return r;
}

struct capfile *capfile_close(struct capfile *cf)
{
	if (!cf)
		return NULL;
	capfile_release_facts(cf);
	(void)source_close(cf->source);
	free((char *)cf->info.path);
	free(cf->info.damaged);
	free(cf);
	return NULL;
}

static int capfile_read_next(struct capfile *cf, struct frame *ret_frame)
{
	if (unlikely(cf->ended))
		return CAPFILE_END;
	return cf->info.format == CAPFILE_PCAP ? pcap_records_next(cf, ret_frame)
					       : pcapng_blocks_next(cf, ret_frame);
}

int capfile_next(struct capfile *cf, struct frame *ret_frame)
{
	if (unlikely(cf->is_ahead)) {
		cf->is_ahead = false;
		*ret_frame = cf->ahead;
		return CAPFILE_OK;
	}
	return capfile_read_next(cf, ret_frame);
}

uint32_t capfile_frames_at_hand(struct capfile *cf, struct frame *ret_frames, uint32_t n)
{
	if (unlikely(cf->ended || cf->is_ahead))
		return 0;
	return cf->info.format == CAPFILE_PCAP ? pcap_frames_at_hand(cf, ret_frames, n)
					       : pcapng_frames_at_hand(cf, ret_frames, n);
}

const struct capfile_info *capfile_info(const struct capfile *cf)
{
	return &cf->info;
}

bool capfile_first_time(struct capfile *cf, int64_t *ret_ns)
{
	if (!cf->is_ahead && !cf->info.frames)
		cf->is_ahead = capfile_read_next(cf, &cf->ahead) == CAPFILE_OK;
	if (!cf->is_ahead || !cf->ahead.has_time)
		return false;
	*ret_ns = cf->ahead.time_ns;
	return true;
}
