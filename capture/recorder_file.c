#include "recorder_file.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/nsec.h"

#define SIDECAR_WAITING (1U << 20)

static uint64_t recorder_received(const struct source *s, const struct source_mark *since)
{
	/* What was taken off the kernel's buffer or dropped; what still waits there is in the next.
	 */
	return s->recorded.written - since->written + s->dropped_kernel - since->dropped_kernel +
	       s->recorded.dropped_own - since->dropped_own;
}

static struct source_mark recorder_mark_of(const struct source *s)
{
	return (struct source_mark){s->recorded.written, s->dropped_kernel, s->recorded.dropped_own,
		s->dropped_interface};
}

static const char *recorder_nic_fact(
	const struct recorder *r, const struct source *s, const char *leaf)
{
	char key[FACT_KEY_SIZE], word[200];

	snprintf(key, sizeof(key), "nic.%s.%s", comments_word(word, sizeof(word), s->name), leaf);
	return s->kind == SOURCE_NIC ? fact_get(r->facts, key) : NULL;
}

static void recorder_add_interface(struct recorder *r, const struct source *s)
{
	static const char *const descriptions[] = {[SOURCE_NETFILTER] = "netfilter log",
		[SOURCE_KERNEL] = "packets that the kernel dropped"};
	const char *mac = recorder_nic_fact(r, s, "mac"),
		   *speed = recorder_nic_fact(r, s, "speed_mbps");
	struct pcapng_interface i = {
		.link_type = s->link_type,
		.snaplen = s->settings.snaplen,
		.name = s->name,
		.description = descriptions[s->kind],
		.filter = s->settings.filter,
		.hardware = recorder_nic_fact(r, s, "driver"),
		.addresses = recorder_nic_fact(r, s, "addresses"),
		.speed_bits = speed ? strtoull(speed, NULL, 10) * 1000000 : 0,
	};
	uint8_t m[6];

	if (s->kind == SOURCE_NETFILTER)
		i.snaplen += 1024; /* the attributes around the packet */
	if (s->kind == SOURCE_KERNEL)
		i.snaplen += 20; /* the cooked header before it */
	if (mac && s->link_type == LINKTYPE_ETHERNET &&
		sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &m[0], &m[1], &m[2], &m[3], &m[4],
			&m[5]) == 6)
		i.mac = m;
	pcapng_add_interface(&r->block, &i);
}

/* Which key the hashes of payload are under: hashes of different keys have nothing in common. */
static void recorder_hash_fact(struct facts *f, const struct source *s)
{
	char key[9];

	if (s->settings.payload || !s->settings.hashes)
		return;
	snprintf(key, sizeof(key), "%08x", s->settings.key.check);
	fact_put(f, key, "source.%u.payload_key", s->index);
}

static void recorder_source_facts(struct recorder *r, const struct source *s)
{
	static const char *const states[] = {"open", "down", "gone"};
	static const char *const kinds[] = {"nic", "netfilter", "kernel"};
	struct facts *f = r->facts;

	fact_put(f, s->name, "source.%u.name", s->index);
	fact_put(f, kinds[s->kind], "source.%u.kind", s->index);
	fact_put(f, s->settings.filter ? s->settings.filter : "", "source.%u.filter", s->index);
	fact_put_u64(f, s->settings.snaplen, "source.%u.snaplen", s->index);
	fact_put(f, s->settings.payload ? "all" : "headers", "source.%u.payload", s->index);
	recorder_hash_fact(f, s);
	fact_put_u64(f, s->settings.promiscuous, "source.%u.promiscuous", s->index);
	fact_put_u64(f, s->settings.buffer_bytes, "source.%u.buffer_bytes", s->index);
	assert(s->state < sizeof(states) / sizeof(states[0]));
	fact_put(f, states[s->state], "source.%u.state", s->index);
}

static void recorder_total_fact(struct recorder *r, const struct source *s)
{
	const struct source_mark *m = &s->recorded.at_file_start;
	char text[256], more[64] = "";

	if (s->has_dropped_interface)
		snprintf(more, sizeof(more), " dropped_interface=%llu",
			(unsigned long long)(s->dropped_interface - m->dropped_interface));
	snprintf(text, sizeof(text),
		"received=%llu written=%llu dropped_kernel=%llu dropped_own=%llu%s",
		(unsigned long long)recorder_received(s, m),
		(unsigned long long)(s->recorded.written - m->written),
		(unsigned long long)(s->dropped_kernel - m->dropped_kernel),
		(unsigned long long)(s->recorded.dropped_own - m->dropped_own), more);
	fact_put(r->facts, text, "source.%u.total", s->index);
	if (s->kind == SOURCE_NETFILTER)
		fact_put_u64(r->facts, s->read_stamps, "source.%u.read_stamps", s->index);
}

static void recorder_drop_event(struct recorder *r, struct source *s, int64_t now_ns,
	const char *what, uint64_t n, const char *reason)
{
	char key[64];

	if (!n)
		return;
	snprintf(key, sizeof(key), "source.%u.drop", s->index);
	fact_event(r->facts, now_ns, key, "from_ns=%lld to_ns=%lld %s=%llu reason=%s",
		(long long)s->recorded.reported_ns, (long long)now_ns, what, (unsigned long long)n,
		reason);
}

static void recorder_report_source(struct recorder *r, struct source *s, int64_t now_ns)
{
	const struct source_mark *last = &s->recorded.at_last_report;
	uint64_t kernel = s->dropped_kernel - last->dropped_kernel;
	char key[64];

	/* A netfilter source counts gaps packet by packet; an interface reports totals. */
	if (s->kind != SOURCE_NETFILTER)
		s->recorded.lost_since_packet += kernel;
	recorder_drop_event(r, s, now_ns, "kernel", kernel,
		s->kind == SOURCE_NETFILTER ? "sequence-gap" : "buffer-full");
	recorder_drop_event(r, s, now_ns, "own", s->recorded.dropped_own - last->dropped_own,
		r->suspended || r->capture.error ? "disk-full" : "shutdown");
	recorder_drop_event(r, s, now_ns, "interface",
		s->dropped_interface - last->dropped_interface, "buffer-full");
	if (s->no_buffer != s->recorded.no_buffer_reported) {
		snprintf(key, sizeof(key), "source.%u.drop", s->index);
		fact_event(r->facts, now_ns, key, "from_ns=%lld to_ns=%lld reason=no-buffer-space",
			(long long)s->recorded.reported_ns, (long long)now_ns);
	}
	s->recorded.no_buffer_reported = s->no_buffer;
	s->recorded.at_last_report = recorder_mark_of(s);
	s->recorded.reported_ns = now_ns;
}

void recorder_report_sources(struct recorder *r, int64_t now_ns)
{
	uint32_t i;

	fact_time(r->facts, now_ns);
	for (i = 0; i < r->source_count; i++) {
		struct source *s = &r->sources[i];

		if (s->state != SOURCE_GONE)
			s->ops->stats(s);
		recorder_report_source(r, s, now_ns);
		recorder_source_facts(r, s);
	}
}

void recorder_drain_facts(struct recorder *r)
{
	struct fact_out out = {&r->comments, &r->json};

	fact_drain(r->facts, &out);
}

/* Moves lines to the sidecar. Above 1 MiB of pending lines, lines are dropped and counted. */
static void recorder_feed_sidecar(struct recorder *r)
{
	if (r->json.length && outfile_add(&r->sidecar, r->json.text, r->json.length)) {
		strbuf_reset(&r->json);
	} else if (r->json.length > SIDECAR_WAITING) {
		r->facts_lost += r->json.length;
		strbuf_reset(&r->json);
	}
}

static const char *recorder_no_space(const struct recorder *r)
{
	struct statvfs v;

	if (!r->options->min_free || fstatvfs(r->dir_fd, &v) < 0)
		return NULL;
	return (uint64_t)v.f_bavail * v.f_frsize < r->options->min_free ? "min-free" : NULL;
}

static void recorder_suspend(struct recorder *r, int64_t now_ns, const char *reason)
{
	if (r->suspended)
		return;
	r->suspended = true;
	r->suspend_reason = reason;
	r->suspended_from_ns = now_ns;
}

static void recorder_resume(struct recorder *r, int64_t now_ns)
{
	if (!r->suspended)
		return;
	recorder_report_sources(r, now_ns); /* while the reason for the drops is still known */
	r->suspended = false;
	r->suspended_total_ns += now_ns - r->suspended_from_ns;
	fact_event(r->facts, now_ns, "disk.suspended",
		"from_ns=%lld to_ns=%lld records=%llu reason=%s", (long long)r->suspended_from_ns,
		(long long)now_ns, (unsigned long long)r->suspended_records, r->suspend_reason);
	r->suspended_records = 0;
}

void recorder_write(struct recorder *r, int64_t now_ns)
{
	const char *reason = recorder_no_space(r);
	uint32_t i;

	recorder_feed_sidecar(r);
	if (reason) {
		r->capture.error = r->sidecar.error =
			ENOSPC; /* so that full buffers don't try either */
		recorder_suspend(r, now_ns, reason);
		return;
	}
	if (!outfile_flush(&r->capture)) {
		recorder_suspend(r, now_ns,
			r->capture.error == ENOSPC || r->capture.error == EDQUOT ? "no-space"
										 : "error");
		return;
	}
	for (i = 0; i < r->source_count; i++)
		r->sources[i].recorded.buffered = 0;
	recorder_resume(r, now_ns);
	(void)outfile_flush(&r->sidecar); /* on failure kept, and retried next time */
}

void recorder_add_statistics(struct recorder *r, int64_t now_ns, int64_t end_ns)
{
	uint32_t i;

	comments_end(&r->comments);
	strbuf_reset(&r->block);
	for (i = 0; i < r->source_count; i++) {
		const struct source *s = &r->sources[i];
		struct pcapng_statistics st = {
			.interface = i,
			.at_ns = now_ns,
			.start_ns = r->file_start_ns,
			.end_ns = end_ns,
			.received = recorder_received(s, &s->recorded.at_file_start),
			.dropped_kernel =
				s->dropped_kernel - s->recorded.at_file_start.dropped_kernel,
			.delivered = s->recorded.written - s->recorded.at_file_start.written,
			.dropped_interface =
				s->dropped_interface - s->recorded.at_file_start.dropped_interface,
			.has_dropped_interface = s->has_dropped_interface,
			.comments = i == 0 ? &r->comments : NULL,
		};

		pcapng_add_statistics(&r->block, &st);
	}
	/* No space on a full disk: the sidecar or the next block has the same counters. */
	if (outfile_add(&r->capture, r->block.text, r->block.length))
		comments_begin(&r->comments, now_ns);
}

static void recorder_begin_facts(struct recorder *r, bool continues, int64_t now_ns)
{
	struct facts *f = r->facts;
	uint32_t i;

	fact_time(f, now_ns);
	fact_put_u64(f, r->number, "capture.sequence");
	fact_put_u64(f, (uint64_t)now_ns, "capture.start_ns");
	fact_put_u64(f, continues, "capture.continues");
	if (r->previous[0])
		fact_put(f, r->previous, "capture.previous");
	for (i = 0; i < r->source_count; i++) {
		struct source *s = &r->sources[i];

		s->recorded.at_file_start = recorder_mark_of(s);
		recorder_source_facts(r, s);
		recorder_total_fact(r, s);
	}
}

static int recorder_add_head(struct recorder *r, struct error *err)
{
	const char *kernel = fact_get(r->facts, "host.kernel");
	struct comments all = {.at_ns = r->file_start_ns};
	struct fact_out out = {&all, &r->json};
	char os[160] = "Linux";
	uint32_t i;
	bool ok;

	if (kernel)
		snprintf(os, sizeof(os), "Linux %s", kernel);
	fact_write_all(r->facts, &out);
	comments_end(&all);
	strbuf_reset(&r->block);
	pcapng_add_section(&r->block, &(struct pcapng_section){
					      .hardware = fact_get(r->facts, "dmi.product_name"),
					      .os = os,
					      .application = "bothends-agent " BOTHENDS_VERSION,
					      .comments = &all,
				      });
	for (i = 0; i < r->source_count; i++)
		recorder_add_interface(r, &r->sources[i]);
	ok = outfile_add(&r->capture, r->block.text, r->block.length);
	comments_release(&all);
	return ok ? 0
		  : error_set(err, -ENOSPC, "cannot start '%s': no space for its header", r->stem);
}

int recorder_begin_file(struct recorder *r, bool continues, struct error *err)
{
	int64_t now_ns = nsec_now();
	char name[RING_NAME_SIZE + 16];
	int code;

	r->number = ring_next_stem(&r->ring, r->host_name, now_ns, r->stem);
	r->file_start_ns = now_ns;
	snprintf(name, sizeof(name), "%s" RING_SUFFIX, r->stem);
	code = outfile_create(&r->capture, r->dir_fd, name, err);
	if (code)
		return code;
	snprintf(name, sizeof(name), "%s" RING_SIDECAR, r->stem);
	code = outfile_create(&r->sidecar, r->dir_fd, name, err);
	if (code)
		return code;
	r->files++;
	ring_note(&r->ring, r->stem, r->number, 0, now_ns);
	comments_begin(&r->comments, now_ns);
	recorder_begin_facts(r, continues, now_ns);
	return recorder_add_head(r, err);
}

void recorder_end_file(struct recorder *r, const char *reason, int64_t now_ns)
{
	uint32_t i;

	recorder_report_sources(r, now_ns);
	for (i = 0; i < r->source_count; i++)
		recorder_total_fact(r, &r->sources[i]);
	fact_event(r->facts, now_ns, "capture.end_reason", "%s", reason);
	fact_event(r->facts, now_ns, "capture.end_ns", "%lld", (long long)now_ns);
	recorder_drain_facts(r);
	recorder_add_statistics(r, now_ns, now_ns);
	recorder_feed_sidecar(r);
	ring_note(&r->ring, r->stem, r->number,
		r->capture.written + r->capture.length + r->sidecar.written + r->sidecar.length,
		now_ns);
	if (!outfile_close(&r->capture, true)) {
		/* The buffer is lost: its packets count as dropped by the agent, not as written. */
		for (i = 0; i < r->source_count; i++) {
			assert(r->sources[i].recorded.buffered <= r->sources[i].recorded.written);
			r->sources[i].recorded.written -= r->sources[i].recorded.buffered;
			r->sources[i].recorded.dropped_own += r->sources[i].recorded.buffered;
		}
	}
	for (i = 0; i < r->source_count; i++)
		r->sources[i].recorded.buffered = 0;
	(void)outfile_close(&r->sidecar, false); /* the capture has the same facts */
	snprintf(r->previous, sizeof(r->previous), "%s" RING_SUFFIX, r->stem);
}
