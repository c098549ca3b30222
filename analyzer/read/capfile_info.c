/* What a capture says about itself: interfaces, facts and drops, each within a limit. */
#include "read/capfile_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

struct capfile_interface *capfile_add_interface(
	struct capfile *cf, uint32_t link_type, uint32_t snaplen)
{
	struct capfile_info *info = &cf->info;
	struct capfile_interface *in;

	if (info->interface_count == cf->interface_cap) {
		cf->interface_cap = cf->interface_cap ? 2 * cf->interface_cap : 4;
		info->interfaces =
			mem_grow(info->interfaces, cf->interface_cap, sizeof(*info->interfaces));
		cf->states = mem_grow(cf->states, cf->interface_cap, sizeof(*cf->states));
	}
	cf->states[info->interface_count] = (struct interface_state){
		.multiply = 1000,
		.divide = 1,
		.first_ns = INT64_MIN,
		.last_ns = INT64_MIN,
		.statistics_ns = INT64_MIN,
	};
	in = &info->interfaces[info->interface_count++];
	*in = (struct capfile_interface){
		.link_type = link_type,
		.snaplen = snaplen,
		.section = info->sections - 1,
		.received = -1,
		.dropped_interface = -1,
		.filter_accepted = -1,
		.dropped_kernel = -1,
		.delivered = -1,
		.start_ns = INT64_MIN,
		.end_ns = INT64_MIN,
	};
	return in;
}

/* Length of the valid UTF-8 sequence at p (RFC 3629: shortest form, no surrogates), or 0. */
static size_t capfile_utf8_length(const uint8_t *p, size_t n)
{
	size_t length = p[0] < 0x80   ? 1
			: p[0] < 0xc2 ? 0
			: p[0] < 0xe0 ? 2
			: p[0] < 0xf0 ? 3
			: p[0] < 0xf5 ? 4
				      : 0;

	if (!length || length > n)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

char *capfile_text(const uint8_t *bytes, size_t n)
{
	struct strbuf sb = STRBUF_INIT;
	size_t k;

	for (size_t i = 0; i < n && bytes[i]; i += k ? k : 1) {
		k = capfile_utf8_length(bytes + i, n - i);
		if (k)
			strbuf_add(&sb, bytes + i, k);
		else
			strbuf_adds(&sb, "\xef\xbf\xbd");
	}
	return strbuf_steal(&sb);
}

struct capfile_fact *capfile_add_fact(
	struct capfile *cf, uint32_t interface, int64_t time_ns, const char *key, char *value)
{
	struct capfile_info *info = &cf->info;
	size_t size = strlen(value);

	if (info->fact_count == FACTS_MAX || size > FACT_BYTES_MAX - cf->fact_bytes) {
		info->facts_not_kept++;
		free(value);
		return NULL;
	}
	MEM_RESERVE(info->facts, info->fact_count, cf->fact_cap);
	cf->fact_bytes += size;
	info->facts[info->fact_count++] = (struct capfile_fact){
		.interface = interface,
		.section = info->sections - 1,
		.time_ns = time_ns,
		.key = mem_strdup(key),
		.value = value,
	};
	return &info->facts[info->fact_count - 1];
}

static void capfile_widen(struct capfile_drop *d, int64_t from_ns, int64_t to_ns, uint64_t frames)
{
	d->from_ns = from_ns < d->from_ns ? from_ns : d->from_ns;
	d->to_ns = to_ns > d->to_ns ? to_ns : d->to_ns;
	d->frames = frames > UINT64_MAX - d->frames ? UINT64_MAX : d->frames + frames;
}

/*
 * Halves the list: every second span of an interface goes into the one before it. A span that is
 * too wide makes more of the capture unjudged, never less.
 */
static void capfile_merge_drops(struct capfile *cf)
{
	struct capfile_info *info = &cf->info;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < info->interface_count; i++)
		cf->states[i].last_drop = 0;
	for (uint32_t i = 0; i < info->drop_count; i++) {
		struct capfile_drop d = info->drops[i];
		uint32_t *open = &cf->states[d.interface].last_drop;

		if (*open) {
			capfile_widen(&info->drops[*open - 1], d.from_ns, d.to_ns, d.frames);
			*open = 0;
		} else {
			info->drops[kept++] = d;
			*open = kept;
		}
	}
	info->drop_count = kept;
	for (uint32_t i = 0; i < kept; i++)
		cf->states[info->drops[i].interface].last_drop = i + 1;
}

void capfile_add_drop(
	struct capfile *cf, uint32_t interface, int64_t from_ns, int64_t to_ns, uint64_t frames)
{
	struct capfile_info *info = &cf->info;
	struct interface_state *is = &cf->states[interface];
	int64_t low = from_ns < to_ns ? from_ns : to_ns;
	int64_t high = from_ns < to_ns ? to_ns : from_ns;

	if (info->drop_count == DROPS_MAX)
		capfile_merge_drops(cf);
	if (info->drop_count == DROPS_MAX && is->last_drop) {
		capfile_widen(&info->drops[is->last_drop - 1], low, high, frames);
		return;
	}
	if (info->drop_count >= DROPS_MAX + INTERFACES_MAX)
		return; /* never: at most one span an interface is beyond DROPS_MAX */
	MEM_RESERVE(info->drops, info->drop_count, cf->drop_cap);
	info->drops[info->drop_count++] = (struct capfile_drop){
		.interface = interface, .from_ns = low, .to_ns = high, .frames = frames};
	is->last_drop = info->drop_count;
}

void capfile_release_facts(struct capfile *cf)
{
	struct capfile_info *info = &cf->info;

	for (uint32_t i = 0; i < info->interface_count; i++) {
		struct capfile_interface *in = &info->interfaces[i];

		free(in->name);
		free(in->description);
		free(in->filter);
		free(in->os);
		free(in->hardware);
		free(in->addresses);
	}
	for (uint32_t i = 0; i < info->fact_count; i++) {
		free(info->facts[i].key);
		free(info->facts[i].value);
	}
	free(info->interfaces);
	free(info->facts);
	free(info->drops);
	free(cf->states);
}
