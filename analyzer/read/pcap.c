/* The classic format: a 24-byte header, then records. draft-ietf-opsawg-pcap. */
#include "read/capfile_impl.h"

#define FILE_HEADER 24
#define RECORD_HEADER 16
#define KUZNETZOV_HEADER 24

#define MAGIC_US 0xa1b2c3d4u
#define MAGIC_NS 0xa1b23c4du
#define MAGIC_KUZNETZOV 0xa1b2cd34u /* patched libpcap of old Linux: 8 more bytes a record */

static bool pcap_known_magic(struct capfile *cf, uint32_t magic)
{
	if (magic != MAGIC_US && magic != MAGIC_NS && magic != MAGIC_KUZNETZOV)
		return false;
	cf->frac_ns = magic == MAGIC_NS ? 1 : 1000;
	cf->record_header = magic == MAGIC_KUZNETZOV ? KUZNETZOV_HEADER : RECORD_HEADER;
	return true;
}

int pcap_records_begin(struct capfile *cf, struct error *err)
{
	const char *label = cf->source->stored.label;
	size_t have = source_need(cf->source, FILE_HEADER);
	const uint8_t *h = cf->source->window.at;

	if (have < 4)
		return CAPFILE_END;
	cf->swapped = pcap_known_magic(cf, be32(h));
	if (!cf->swapped && !pcap_known_magic(cf, le32(h)))
		return CAPFILE_END;
	if (have < FILE_HEADER)
		return error_set(err, CAPFILE_NOT_CAPTURE,
			"%s is truncated in the pcap header (%zu of 24 bytes); copy it again",
			label, have);
	cf->info.format = CAPFILE_PCAP;
	cf->info.version_major = file_u16(cf, h + 4);
	cf->info.version_minor = file_u16(cf, h + 6);
	if (cf->info.version_major != 2)
		return error_set(err, CAPFILE_NOT_CAPTURE,
			"%s has unknown pcap version %u.%u; convert it with editcap -F pcapng",
			label, cf->info.version_major, cf->info.version_minor);
	/* Before 2.3 the lengths stood the other way round; with 2.3 some writers had changed it.
	 */
	if (cf->info.version_minor < 4)
		cf->lengths =
			cf->info.version_minor < 3 ? LENGTHS_SWAPPED : LENGTHS_PERHAPS_SWAPPED;
	cf->info.sections = 1;
	(void)capfile_add_interface(cf, file_u32(cf, h + 20) & 0xffff, file_u32(cf, h + 16));
	(void)cur_take(&cf->source->window, FILE_HEADER);
	return 0;
}

static int pcap_bad_length(struct capfile *cf, uint64_t offset, const uint8_t *h, uint32_t cap_len)
{
	uint32_t magic = file_u32(cf, h);

	if (!cap_len && (magic == MAGIC_US || magic == MAGIC_NS))
		return capfile_damage(cf, offset, "a second file before",
			"a pcap header stands where a record should; cut the files apart, or join "
			"them with mergecap");
	return capfile_damage(cf, offset, "garbage in",
		"the record claims %u captured bytes, at most %u are possible", cap_len,
		CAPTURED_MAX);
}

/*
 * A pcap header read as a record: magic, version 2.4, and the (always zero) time zone and accuracy
 * in the place of the lengths. Two files put together with cat.
 */
static bool pcap_is_file_header(const struct capfile *cf, const uint8_t *h)
{
	uint32_t magic = file_u32(cf, h);

	return (magic == MAGIC_US || magic == MAGIC_NS) && file_u16(cf, h + 4) == 2 &&
	       file_u16(cf, h + 6) == 4 && !file_u32(cf, h + 12);
}

/* No writer makes a record of nothing, of 1970: a file that was made longer and never filled. */
static bool pcap_is_zero(const uint8_t *h)
{
	return !le32(h) && !le32(h + 4) && !le32(h + 8) && !le32(h + 12);
}

/* The frame of a record that lies in memory whole. Field by field: through a copy on the stack it
 * takes longer. */
static inline void pcap_fill_frame(const struct capfile *cf, const uint8_t *h, uint32_t cap_len,
	uint32_t wire_len, struct frame *ret_frame)
{
	ret_frame->data = h + cf->record_header;
	ret_frame->cap_len = cap_len;
	ret_frame->wire_len = wire_len;
	ret_frame->time_ns =
		(int64_t)file_u32(cf, h) * 1000000000 + (int64_t)file_u32(cf, h + 4) * cf->frac_ns;
	ret_frame->interface = 0;
	ret_frame->epb_flags = 0;
	ret_frame->has_time = true;
	ret_frame->drop_length = 0;
	ret_frame->has_hash = false;
}

/* The records up to an unusual one, or one that the window does not hold whole. */
uint32_t pcap_frames_at_hand(struct capfile *cf, struct frame *ret_frames, uint32_t n)
{
	struct cursor w = cf->source->window;
	uint64_t offset = source_offset(cf->source);
	uint32_t header = cf->record_header, cap_len, i;

	if (cf->lengths != LENGTHS_IN_ORDER)
		return 0;
	for (i = 0; i < n && w.left >= header; i++) {
		cap_len = file_u32(cf, w.at + 8);
		if (!cap_len || cap_len > w.left - header || cap_len > CAPTURED_MAX)
			break;
		pcap_fill_frame(cf, w.at, cap_len, file_u32(cf, w.at + 12), &ret_frames[i]);
		ret_frames[i].offset = offset;
		ret_frames[i].number = cf->number + i + 1;
		offset += header + cap_len;
		w.at += header + cap_len;
		w.left -= header + cap_len;
	}
	cf->source->window = w;
	cf->number += i;
	cf->info.frames += i;
	return i;
}

int pcap_records_next(struct capfile *cf, struct frame *ret_frame)
{
	struct cursor *w = &cf->source->window;
	uint32_t header = cf->record_header, cap_len, wire_len, n;
	uint64_t offset = source_offset(cf->source);
	const uint8_t *h;
	size_t have;

	if (unlikely(w->left < header)) {
		have = capfile_need(cf, header);
		if (have < header)
			return capfile_cut(cf, offset, have, header);
	}
	h = w->at;
	cap_len = file_u32(cf, h + 8);
	wire_len = file_u32(cf, h + 12);
	if (unlikely(cf->lengths != LENGTHS_IN_ORDER) &&
		(cf->lengths == LENGTHS_SWAPPED || cap_len > wire_len)) {
		n = cap_len;
		cap_len = wire_len;
		wire_len = n;
	}
	if (unlikely(cap_len > CAPTURED_MAX || (!cap_len && pcap_is_file_header(cf, h))))
		return pcap_bad_length(cf, offset, h, cap_len);
	if (unlikely(!cap_len && pcap_is_zero(h)))
		return capfile_damage(cf, offset, "zeros before",
			"nothing was written there: the writer, its disk or its machine failed");
	n = header + cap_len;
	if (unlikely(w->left < n)) {
		have = capfile_need(cf, n);
		if (have < n)
			return capfile_cut(cf, offset, have, n);
	}
	pcap_fill_frame(cf, w->at, cap_len, wire_len, ret_frame);
	ret_frame->offset = offset;
	ret_frame->number = ++cf->number;
	cf->info.frames++;
	w->at += n;
	w->left -= n;
	return CAPFILE_OK;
}
