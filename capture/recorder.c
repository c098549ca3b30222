#include "recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "recorder_file.h"
#include "repair.h"

#define CAPTURE_BUFFER (4U << 20)
#define SIDECAR_BUFFER (2U << 20)
#define WRITE_AT (256U << 10)
#define COMMENTS_WAITING (1U << 20)
#define KEEP_BY_DEFAULT_NS (600 * NSEC_PER_SEC)

/* A crash can only have damaged the last file: each is closed before the next is started. */
static int recorder_repair_last(struct recorder *r, struct error *err)
{
	char name[RING_NAME_SIZE + 16];
	const struct ring_file *last;
	uint64_t removed = 0, lines = 0;
	int code;

	if (!r->ring.count)
		return 0;
	last = &r->ring.files[r->ring.count - 1];
	snprintf(name, sizeof(name), "%s" RING_SIDECAR, last->stem);
	code = repair_lines(r->dir_fd, name, &lines, err);
	if (code)
		return code;
	snprintf(name, sizeof(name), "%s" RING_SUFFIX, last->stem);
	code = repair_capture(r->dir_fd, name, &removed, err);
	if (code)
		return code;
	snprintf(r->previous, sizeof(r->previous), "%s", name);
	if (removed)
		fact_event(r->facts, nsec_now(), "capture.repaired", "%llu",
			(unsigned long long)removed);
	return 0;
}

static void recorder_run_facts(struct recorder *r)
{
	char id[17];
	uint64_t bits = 0;

	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) < 0)
		bits = (uint64_t)r->run_start_ns; /* early in boot: the start time tells runs apart
						     as well */
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)bits);
	fact_time(r->facts, r->run_start_ns);
	fact_put(r->facts, id, "agent.run_id");
	fact_put(r->facts, BOTHENDS_VERSION, "agent.version");
	fact_put_u64(r->facts, (uint64_t)r->run_start_ns, "agent.start_ns");
	if (r->options->root)
		fact_put(r->facts, r->options->root, "agent.root");
	if (r->options->name)
		fact_put(r->facts, r->options->name, "host.name");
}

int recorder_open(struct recorder *r, const struct options *o, int dir_fd, struct facts *facts,
	struct source *sources, uint32_t source_count, struct error *err)
{
	int code;

	*r = (struct recorder){.options = o,
		.dir_fd = dir_fd,
		.facts = facts,
		.sources = sources,
		.source_count = source_count,
		.capture.fd = -1,
		.sidecar.fd = -1,
		.run_start_ns = nsec_now()};
	r->host_name = o->name ? o->name : fact_get(facts, "host.name");
	r->host_name = mem_strdup(r->host_name ? r->host_name : "host");
	outfile_init(&r->capture, CAPTURE_BUFFER);
	outfile_init(&r->sidecar, SIDECAR_BUFFER);
	code = ring_load(&r->ring, dir_fd, &o->ring, err);
	if (!code)
		code = recorder_repair_last(r, err);
	if (code)
		return code;
	recorder_run_facts(r);
	for (uint32_t i = 0; i < source_count; i++)
		sources[i].recorded.reported_ns = r->run_start_ns;
	code = recorder_begin_file(r, false, err);
	if (!code)
		ring_prune(&r->ring, r->stem, r->run_start_ns);
	return code;
}

void recorder_release(struct recorder *r)
{
	outfile_release(&r->capture);
	outfile_release(&r->sidecar);
	ring_release(&r->ring);
	comments_release(&r->comments);
	strbuf_release(&r->json);
	strbuf_release(&r->block);
	free((char *)r->host_name);
}

void recorder_packet(void *arg, struct source *s, const struct record *p)
{
	struct recorder *r = arg;
	uint8_t *at =
		outfile_reserve(&r->capture, p->cap_len + p->comment_length + PCAPNG_PACKET_EXTRA);

	if (!at) {
		s->recorded.dropped_own++;
		s->recorded.lost_since_packet++;
		r->suspended_records++;
		return;
	}
	outfile_commit(
		&r->capture, pcapng_put_packet(at, s->index, p, s->recorded.lost_since_packet));
	s->recorded.lost_since_packet = 0;
	s->recorded.written++;
	s->recorded.buffered++;
	s->recorded.bytes += p->wire_len;
	if (r->capture.length >= WRITE_AT && !r->capture.error)
		recorder_write(r, nsec_now());
}

static bool recorder_due(const struct recorder *r, int64_t now_ns)
{
	const struct options *o = r->options;

	return (o->file_size && r->capture.written + r->capture.length >= o->file_size) ||
	       (o->file_age_ns && now_ns - r->file_start_ns >= o->file_age_ns);
}

int recorder_flush(struct recorder *r, int64_t now_ns, struct error *err)
{
	recorder_report_sources(r, now_ns);
	recorder_drain_facts(r);
	if (r->comments.text.length > COMMENTS_WAITING)
		recorder_add_statistics(r, now_ns, 0);
	recorder_write(r, now_ns);
	ring_note(&r->ring, r->stem, r->number, r->capture.written + r->sidecar.written, now_ns);
	ring_prune(&r->ring, r->stem, now_ns);
	return recorder_due(r, now_ns) ? recorder_rotate(r, "rotate", err) : 0;
}

void recorder_statistics(struct recorder *r, int64_t now_ns)
{
	recorder_drain_facts(r);
	recorder_add_statistics(r, now_ns, 0);
}

int recorder_rotate(struct recorder *r, const char *reason, struct error *err)
{
	int code;

	if (r->suspended)
		return 0;
	recorder_end_file(r, reason, nsec_now());
	code = recorder_begin_file(r, true, err);
	if (!code)
		ring_prune(&r->ring, r->stem, nsec_now());
	return code;
}

void recorder_close(struct recorder *r, const char *reason)
{
	if (r->capture.fd >= 0)
		recorder_end_file(r, reason, nsec_now());
}

int recorder_mark(struct recorder *r, const char *text, struct strbuf *reply, struct error *err)
{
	int64_t now_ns = nsec_now(), span = r->options->pre_trigger_ns;
	uint64_t bytes = 0;
	size_t files = 0;
	int code;

	fact_event(r->facts, now_ns, "mark", "%s", text);
	r->marks++;
	code = recorder_rotate(r, "mark", err);
	if (code)
		return code;
	code = ring_keep(&r->ring, r->stem, now_ns - (span ? span : KEEP_BY_DEFAULT_NS), &files,
		&bytes, err);
	if (code < 0)
		return RECORDER_NOT_KEPT;
	strbuf_printf(reply, "kept %zu files, %llu bytes%s\n", files, (unsigned long long)bytes,
		code == RING_NO_ROOM ? "; older ones passed --keep-size and stay in the ring" : "");
	return 0;
}
