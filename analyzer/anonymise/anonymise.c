#include "anonymise/anonymise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "anonymise/filter.h"
#include "anonymise/rewrite.h"
#include "base/mem.h"
#include "base/pcapng_write.h"
#include "base/strbuf.h"
#include "read/capfile.h"

#define APPLICATION "bothends anonymise" /* by which its files are known again */
#define COMMENT                                                                                    \
	"anonymised: addresses, MACs and names are disguised by a key, payload is replaced, "      \
	"comments and facts are left out"

struct writing {
	struct disguise *d;
	struct capfile *capture;
	FILE *out;
	struct strbuf block;
	/* What the statistics of an interface said when they were last written. */
	struct written {
		int64_t received, dropped_interface, filter_accepted, dropped_kernel, delivered;
		int64_t between;
	} * written;
	int written_count, written_cap;
	uint8_t *bytes, *scratch;
	uint32_t size;
	int64_t time_ns;
	struct anonymise_counts counts;
};

static int anonymise_flush(struct writing *w, struct error *err)
{
	if (fwrite(w->block.text, 1, w->block.length, w->out) != w->block.length)
		return error_errno(err, "cannot write the capture");
	strbuf_reset(&w->block);
	return 0;
}

static void anonymise_section(struct writing *w, const char *version)
{
	CLEANUP_FREE char *application = mem_printf("%s %s", APPLICATION, version);
	size_t at = pcapng_begin_section(&w->block);

	pcapng_add_option_text(&w->block, PCAPNG_OPT_COMMENT, COMMENT);
	pcapng_add_option_text(&w->block, PCAPNG_SHB_APPLICATION, application);
	pcapng_end_block(&w->block, at);
}

/* Names that every machine has say nothing: eth0, lo, any. */
static bool anonymise_is_plain(const char *name)
{
	size_t letters = strspn(name, "abcdefghijklmnopqrstuvwxyz");

	if (strcmp(name, "any") == 0 || strcmp(name, "lo") == 0)
		return true;
	return (strncmp(name, "eth", letters) == 0 || strncmp(name, "wlan", letters) == 0 ||
		       strncmp(name, "bond", letters) == 0) &&
	       letters >= 3 && strspn(name + letters, "0123456789") == strlen(name + letters);
}

static void anonymise_interface_name(struct writing *w, const char *name)
{
	CLEANUP_FREE char *disguised = NULL;

	if (!name)
		return;
	if (!anonymise_is_plain(name))
		disguised = mem_printf("if%08x", disguise_name(w->d, name));
	pcapng_add_option_text(&w->block, PCAPNG_IF_NAME, disguised ? disguised : name);
}

static void anonymise_interface_addresses(struct writing *w, const struct capfile_interface *i)
{
	for (uint32_t n = 0; n < i->address_count; n++) {
		const struct capfile_address *a = &i->addresses[n];
		uint8_t value[17];

		memcpy(value, a->bytes, 16);
		if (a->v6) {
			disguise_ipv6(w->d, value);
			value[16] = a->prefix;
			pcapng_add_option(&w->block, PCAPNG_IF_IPV6, value, 17);
		} else {
			uint32_t mask = a->prefix ? ~UINT32_C(0) << (32 - a->prefix) : 0;

			disguise_ipv4(w->d, value);
			for (int b = 0; b < 4; b++)
				value[4 + b] = (uint8_t)(mask >> (24 - 8 * b));
			pcapng_add_option(&w->block, PCAPNG_IF_IPV4, value, 8);
		}
	}
	if (i->has_mac) {
		uint8_t mac[6];

		memcpy(mac, i->mac, 6);
		disguise_mac(w->d, mac);
		pcapng_add_option(&w->block, PCAPNG_IF_MAC, mac, 6);
	}
}

static void anonymise_filter(struct writing *w, const char *text)
{
	CLEANUP_FREE char *filter = text ? filter_rewrite(w->d, text) : NULL;
	CLEANUP_STRBUF struct strbuf value = STRBUF_INIT;

	if (text && !filter)
		w->counts.filters_dropped++;
	if (!filter)
		return;
	strbuf_addc(&value, 0); /* as text for libpcap */
	strbuf_adds(&value, filter);
	pcapng_add_option(&w->block, PCAPNG_IF_FILTER, value.text, value.length);
}

static int anonymise_interface(
	struct writing *w, const struct capfile_interface *i, struct error *err)
{
	size_t at;

	if (!rewrite_knows_link(i->link_type))
		return error_set(err, -ENOTSUP,
			"frames of link type %u cannot be anonymised; Ethernet, Linux cooked, "
			"loopback and raw IP can",
			(unsigned)i->link_type);
	at = pcapng_begin_interface(&w->block, (uint16_t)i->link_type, i->snaplen);
	pcapng_add_resolution(&w->block);
	anonymise_interface_name(w, i->name);
	anonymise_interface_addresses(w, i);
	anonymise_filter(w, i->filter);
	pcapng_end_block(&w->block, at);
	return 0;
}

static void anonymise_count(struct writing *w, uint16_t code, int64_t v)
{
	if (v >= 0)
		pcapng_add_option_u64(&w->block, code, (uint64_t)v);
}

/* Where the counts of an interface moved, statistics say so at this place of the file. */
static void anonymise_statistics(struct writing *w, uint32_t number, bool end)
{
	const struct capfile_interface *i = &capfile_info(w->capture)->interfaces[number];
	struct written now = {i->received, i->dropped_interface, i->filter_accepted,
		i->dropped_kernel, i->delivered, w->written[number].between};
	size_t at;

	if (!end && memcmp(&now, &w->written[number], sizeof(now)) == 0)
		return;
	if (now.received < 0 && now.dropped_interface < 0 && now.dropped_kernel < 0 &&
		now.delivered < 0 && now.filter_accepted < 0)
		return;
	w->written[number] = now;
	at = pcapng_begin_block(&w->block, PCAPNG_STATISTICS);
	pcapng_add_u32(&w->block, number);
	pcapng_add_time(&w->block, w->time_ns);
	if (i->start_ns != INT64_MIN)
		pcapng_add_option_time(&w->block, PCAPNG_ISB_START, i->start_ns);
	if (i->end_ns != INT64_MIN)
		pcapng_add_option_time(&w->block, PCAPNG_ISB_END, i->end_ns);
	anonymise_count(w, PCAPNG_ISB_RECEIVED, now.received);
	anonymise_count(w, PCAPNG_ISB_IFDROP, now.dropped_interface);
	anonymise_count(w, PCAPNG_ISB_OSDROP, now.dropped_kernel);
	anonymise_count(w, PCAPNG_ISB_DELIVERED, now.delivered);
	pcapng_end_block(&w->block, at);
}

/* Interfaces and statistics that the file had up to here. */
static int anonymise_catch_up(struct writing *w, bool end, struct error *err)
{
	const struct capfile_info *info = capfile_info(w->capture);

	while ((uint32_t)w->written_count < info->interface_count) {
		int result = anonymise_interface(w, &info->interfaces[w->written_count], err);

		if (result)
			return result;
		MEM_RESERVE(w->written, w->written_count, w->written_cap);
		w->written[w->written_count++] = (struct written){-1, -1, -1, -1, -1, 0};
	}
	for (uint32_t i = 0; i < info->interface_count; i++)
		anonymise_statistics(w, i, end);
	return 0;
}

/* Equal payloads stay equal; who guesses one cannot check it any more. */
static void anonymise_hash(struct writing *w, const struct frame_hash *h)
{
	char text[64];

	(void)snprintf(text, sizeof(text), CAPFILE_PAYLOAD_HASH "%08x %08x %08x",
		disguise_hash(w->d, 2, 0, h->key), disguise_hash(w->d, 0, h->key, h->head),
		disguise_hash(w->d, 1, h->key, h->whole));
	pcapng_add_option_text(&w->block, PCAPNG_OPT_COMMENT, text);
}

static void anonymise_frame(struct writing *w, const struct frame *f)
{
	const struct capfile_interface *i = &capfile_info(w->capture)->interfaces[f->interface];
	struct written *written = &w->written[f->interface];
	size_t at;

	if (f->cap_len > w->size) {
		w->size = f->cap_len;
		w->bytes = mem_grow(w->bytes, w->size, 1);
		w->scratch = mem_grow(w->scratch, w->size, 1);
	}
	memcpy(w->bytes, f->data, f->cap_len);
	rewrite_frame(w->d, i->link_type, w->bytes, w->scratch, f->cap_len);
	at = pcapng_begin_block(&w->block, PCAPNG_PACKET);
	pcapng_add_u32(&w->block, f->interface);
	pcapng_add_time(&w->block, f->has_time ? f->time_ns : 0);
	pcapng_add_u32(&w->block, f->cap_len);
	pcapng_add_u32(&w->block, f->wire_len);
	pcapng_add_data(&w->block, w->bytes, f->cap_len);
	if (f->epb_flags)
		pcapng_add_option(&w->block, PCAPNG_EPB_FLAGS, &f->epb_flags, 4);
	if (f->has_hash)
		anonymise_hash(w, &f->hash);
	if (i->dropped_between > written->between)
		pcapng_add_option_u64(&w->block, PCAPNG_EPB_DROPCOUNT,
			(uint64_t)(i->dropped_between - written->between));
	written->between = i->dropped_between;
	pcapng_end_block(&w->block, at);
	w->counts.frames++;
	if (f->has_time)
		w->time_ns = f->time_ns;
}

static int anonymise_frames(struct writing *w, struct error *err)
{
	struct frame f;
	int result = 0;

	while (result == 0 && capfile_next(w->capture, &f) == CAPFILE_OK) {
		result = anonymise_catch_up(w, false, err);
		if (result == 0)
			anonymise_frame(w, &f);
		if (result == 0 && w->block.length > 1 << 16)
			result = anonymise_flush(w, err);
	}
	if (result == 0)
		result = anonymise_catch_up(w, true, err);
	return result == 0 ? anonymise_flush(w, err) : result;
}

int anonymise_write(struct disguise *d, const char *path, const char *version, FILE *out,
	struct anonymise_counts *ret_counts, struct error *err)
{
	struct writing w = {.d = d, .out = out, .block = STRBUF_INIT};
	struct capfile_options options = {0};
	int result = capfile_open(&w.capture, path, &options, err);

	if (result > 0)
		return -EINVAL; /* err says that it is no capture, or empty */
	if (result)
		return result;
	anonymise_section(&w, version);
	result = anonymise_frames(&w, err);
	if (capfile_info(w.capture)->damaged)
		w.counts.damaged = mem_strdup(capfile_info(w.capture)->damaged);
	w.counts.facts_dropped = capfile_info(w.capture)->fact_count;
	*ret_counts = w.counts;
	(void)capfile_close(w.capture);
	strbuf_release(&w.block);
	free(w.written);
	free(w.bytes);
	free(w.scratch);
	return result;
}

bool anonymise_is_ours(const struct outfile_ends *ends)
{
	return outfile_begins(ends, "\n\r\r\n") && outfile_holds(ends, APPLICATION);
}
