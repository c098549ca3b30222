/* The block format: sections, interfaces, and frames among them. draft-ietf-opsawg-pcapng. */
#include "read/capfile_impl.h"

#include <string.h>

#include "base/mem.h"

/*
 *    0                   1                   2                   3
 *   |                          Block Type                           |
 *   |                      Block Total Length                       |
 *   |                   Block Body, padded to 32 bits               |
 *   |                      Block Total Length                       |
 */
#define BLOCK_HEADER 8
#define BLOCK_FRAME 12 /* header and trailer */
#define EPB_FIXED 20
#define PB_FIXED 20
#define SPB_FIXED 4
#define SHB_MIN 28

#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum block_type {
	BLOCK_IDB = 1,
	BLOCK_PB = 2, /* obsolete */
	BLOCK_SPB = 3,
	BLOCK_NRB = 4,
	BLOCK_ISB = 5,
	BLOCK_EPB = 6,
	BLOCK_JOURNAL = 9,
	BLOCK_SECRETS = 10,
	BLOCK_CUSTOM = 0x0bad,
	BLOCK_CUSTOM_STAYS = 0x40000bad,
	BLOCK_SHB = 0x0a0d0d0a, /* the same in both byte orders */
};

enum { OPT_COMMENT = 1, EPB_FLAGS = 2, EPB_DROPCOUNT = 4 };

#define PB_DROPS_UNKNOWN 0xffff

/* A block that is whole in the window. */
struct block {
	uint64_t offset;
	uint32_t type, length;
	struct cursor body;
};

static bool pcapng_byte_order(const uint8_t *h, bool *ret_swapped)
{
	if (le32(h + BLOCK_HEADER) == BYTE_ORDER_MAGIC)
		*ret_swapped = false;
	else if (be32(h + BLOCK_HEADER) == BYTE_ORDER_MAGIC)
		*ret_swapped = true;
	else
		return false;
	return true;
}

int pcapng_blocks_begin(struct capfile *cf, struct error *err)
{
	const char *label = cf->source->stored.label;
	size_t have = source_need(cf->source, SHB_MIN);
	const uint8_t *h = cf->source->window.at;
	bool swapped;

	if (have < 4 || le32(h) != BLOCK_SHB)
		return CAPFILE_END;
	if (have < SHB_MIN)
		return error_set(err, CAPFILE_NOT_CAPTURE,
			"%s is truncated in the pcapng header (%zu of 28 bytes); copy it again",
			label, have);
	if (!pcapng_byte_order(h, &swapped))
		return CAPFILE_END;
	cf->info.format = CAPFILE_PCAPNG;
	cf->last_ns = INT64_MIN;
	return 0;
}

/* Counts and passes a block without reading it; the result as for pcapng_blocks_next. */
static int pcapng_skip(struct capfile *cf, const struct block *b)
{
	uint64_t rest = b->length - 4, done = source_skip(cf->source, rest);
	size_t have = done < rest ? 0 : capfile_need(cf, 4);
	uint32_t again;

	if (have < 4)
		return capfile_cut(cf, b->offset, (size_t)done + have, b->length);
	again = file_u32(cf, cur_take(&cf->source->window, 4));
	if (again != b->length)
		return capfile_damage(cf, b->offset, "garbage in",
			"a block begins with the length %u and ends with %u", b->length, again);
	cf->info.skipped_blocks++;
	return CAPFILE_OK;
}

static bool pcapng_is_read(uint32_t type)
{
	return type == BLOCK_EPB || type == BLOCK_IDB || type == BLOCK_PB || type == BLOCK_SPB ||
	       type == BLOCK_ISB || type == BLOCK_SHB;
}

/* Shown by Wireshark as rows of their own, so that they take a frame number (checked with 4.0). */
static bool pcapng_is_row(uint32_t type)
{
	return type == BLOCK_JOURNAL || type == BLOCK_CUSTOM || type == BLOCK_CUSTOM_STAYS;
}

/* Finds the length of the block at h, which has 12 bytes; sets the byte order of a new section. */
static const char *pcapng_measure(struct capfile *cf, const uint8_t *h, struct block *b)
{
	b->type = file_u32(cf, h);
	if (unlikely(b->type == BLOCK_SHB) && !pcapng_byte_order(h, &cf->swapped))
		return "a section header has no byte-order magic";
	b->length = file_u32(cf, h + 4);
	if (b->length < (b->type == BLOCK_SHB ? SHB_MIN : BLOCK_FRAME))
		return "a block is shorter than its own header";
	if (b->length % 4)
		return "the length of a block is no multiple of 4";
	if (pcapng_is_read(b->type) && b->length > SOURCE_MAX_NEED)
		return "a block claims more than 16 MiB";
	return NULL;
}

/*
 * The next block that pcapng_is_read(), taken from the window with its trailer checked; others are
 * passed. CAPFILE_OK or CAPFILE_END.
 */
static int pcapng_next_block(struct capfile *cf, struct block *ret_block)
{
	struct cursor *w = &cf->source->window;
	struct block b;
	const char *wrong;
	size_t have;
	int r;

	for (;;) {
		b.offset = source_offset(cf->source);
		if (unlikely(w->left < BLOCK_FRAME) &&
			(have = capfile_need(cf, BLOCK_FRAME)) < BLOCK_FRAME)
			return capfile_cut(cf, b.offset, have, BLOCK_FRAME);
		wrong = pcapng_measure(cf, w->at, &b);
		if (unlikely(wrong != NULL))
			return capfile_damage(cf, b.offset, "garbage in", "%s", wrong);
		if (likely(pcapng_is_read(b.type)))
			break;
		cf->info.other_rows += pcapng_is_row(b.type);
		cf->number += pcapng_is_row(b.type);
		r = pcapng_skip(cf, &b);
		if (r != CAPFILE_OK)
			return r;
	}
	if (unlikely(w->left < b.length) && (have = capfile_need(cf, b.length)) < b.length)
		return capfile_cut(cf, b.offset, have, b.length);
	if (unlikely(file_u32(cf, w->at + b.length - 4) != b.length))
		return capfile_damage(cf, b.offset, "garbage in",
			"a block begins with the length %u and ends with %u", b.length,
			file_u32(cf, w->at + b.length - 4));
	b.body = cur_of(w->at + BLOCK_HEADER, b.length - BLOCK_FRAME);
	w->at += b.length;
	w->left -= b.length;
	*ret_block = b;
	return CAPFILE_OK;
}

static int pcapng_new_section(struct capfile *cf, struct block *b)
{
	const uint8_t *h = cur_take(&b->body, 16); /* measured: it is there */
	uint32_t major = file_u16(cf, h + 4), minor = file_u16(cf, h + 6);

	if (major != 1 || (minor != 0 && minor != 2))
		return capfile_damage(cf, b->offset, "an unknown version before",
			"a section of pcapng %u.%u; rewrite it with editcap", major, minor);
	cf->info.sections++;
	cf->section_first = cf->info.interface_count;
	if (cf->info.sections == 1) {
		cf->info.version_major = major;
		cf->info.version_minor = minor;
	}
	pcapng_section(cf, b->body);
	return CAPFILE_OK;
}

static int pcapng_new_interface(struct capfile *cf, const struct block *b)
{
	if (pcapng_interface(cf, b->body))
		return CAPFILE_OK;
	return capfile_damage(cf, b->offset, "garbage in",
		cf->info.interface_count == INTERFACES_MAX ? "more than 16384 interfaces"
							   : "an interface block is too short");
}

static int pcapng_new_statistics(struct capfile *cf, const struct block *b)
{
	if (pcapng_statistics(cf, b->body))
		return CAPFILE_OK;
	return capfile_damage(cf, b->offset, "garbage in",
		"a statistics block is too short or of an interface that is not there");
}

static void pcapng_frame_dropped(struct capfile *cf, const struct frame *f, uint64_t frames)
{
	struct capfile_interface *in = &cf->info.interfaces[f->interface];
	struct interface_state *is = &cf->states[f->interface];

	if (!frames)
		return;
	if (frames > (uint64_t)(INT64_MAX - in->dropped_between))
		frames = (uint64_t)(INT64_MAX - in->dropped_between);
	in->dropped_between += (int64_t)frames;
	is->dropped_since += frames; /* bounded by what was just checked */
	capfile_add_drop(cf, f->interface, is->last_ns, f->time_ns, frames);
}

static bool pcapng_hex(const uint8_t *digits, uint32_t *ret)
{
	uint32_t v = 0;

	for (int i = 0; i < 8; i++) {
		uint8_t c = digits[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
						   : -1;

		if (digit < 0)
			return false;
		v = v << 4 | (uint32_t)digit;
	}
	*ret = v;
	return true;
}

/* False where it is another comment. */
static bool pcapng_frame_hash(struct cursor value, struct frame *f)
{
	const size_t mark = sizeof(CAPFILE_PAYLOAD_HASH) - 1;
	const uint8_t *p = value.at + mark;

	if (value.left != mark + 26 || memcmp(value.at, CAPFILE_PAYLOAD_HASH, mark) != 0)
		return false;
	f->has_hash = p[8] == ' ' && p[17] == ' ' && pcapng_hex(p, &f->hash.key) &&
		      pcapng_hex(p + 9, &f->hash.head) && pcapng_hex(p + 18, &f->hash.whole);
	return f->has_hash;
}

/* A packet's comment is a fact, unless it is one that each such packet has: why the kernel dropped
 * it, and the hash of its payload. */
static void pcapng_frame_comment(struct capfile *cf, const struct cursor *value, struct frame *f)
{
	const size_t mark = sizeof(CAPFILE_KERNEL_DROP) - 1;
	struct capfile_fact *fact;

	if (value->left > mark && memcmp(value->at, CAPFILE_KERNEL_DROP, mark) == 0) {
		f->drop = (const char *)value->at + mark;
		f->drop_length = (uint16_t)(value->left - mark);
		return;
	}
	if (pcapng_frame_hash(*value, f))
		return;
	fact = capfile_add_fact(
		cf, f->interface, f->time_ns, "comment", capfile_text(value->at, value->left));
	if (fact)
		fact->frame = f->number;
}

static void pcapng_frame_options(struct capfile *cf, struct cursor list, struct frame *f)
{
	struct option o;

	while (pcapng_option(cf, &list, &o)) {
		switch (o.code) {
		case OPT_COMMENT:
			pcapng_frame_comment(cf, &o.value, f);
			break;
		case EPB_FLAGS:
			if (o.value.left == 4)
				f->epb_flags = file_u32(cf, o.value.at);
			break;
		case EPB_DROPCOUNT:
			if (o.value.left == 8)
				pcapng_frame_dropped(cf, f, file_u64(cf, o.value.at));
			break;
		default:
			break; /* hashes, queues, verdicts */
		}
	}
}

static int pcapng_too_long(struct capfile *cf, const struct block *b, uint32_t cap_len)
{
	return capfile_damage(cf, b->offset, "garbage in",
		"the frame claims %u captured bytes, its block of %u bytes has no room for them",
		cap_len, b->length);
}

static int pcapng_no_interface(struct capfile *cf, const struct block *b, uint32_t id)
{
	return capfile_damage(cf, b->offset, "garbage in",
		"it is of interface %u, the section has %u", id,
		cf->info.interface_count - cf->section_first);
}

/* What the frames of both blocks with a time have in common, after their interface is known. */
static int pcapng_timed_frame(struct capfile *cf, struct block *b, const uint8_t *h, uint32_t id,
	uint32_t drops, struct frame *f)
{
	uint32_t cap_len = file_u32(cf, h + 12);
	struct interface_state *is;

	if (unlikely(id >= cf->info.interface_count - cf->section_first))
		return pcapng_no_interface(cf, b, id);
	if (unlikely(cap_len > b->body.left || cap_len > CAPTURED_MAX))
		return pcapng_too_long(cf, b, cap_len);
	is = &cf->states[cf->section_first + id];
	/* Field by field: through a copy on the stack it takes five times as long. */
	f->data = b->body.at;
	f->cap_len = cap_len;
	f->wire_len = file_u32(cf, h + 16);
	f->time_ns = pcapng_time(is, (uint64_t)file_u32(cf, h + 4) << 32 | file_u32(cf, h + 8));
	f->offset = b->offset;
	f->number = ++cf->number;
	f->interface = cf->section_first + id;
	f->epb_flags = 0;
	f->drop_length = 0;
	f->has_hash = false;
	f->has_time = true;
	cf->info.frames++;
	if (unlikely(drops))
		pcapng_frame_dropped(cf, f, drops);
	cap_len = (cap_len + 3) & ~3u; /* the block's length is a multiple of 4: still inside */
	(void)cur_take(&b->body, cap_len);
	if (b->body.left)
		pcapng_frame_options(cf, b->body, f);
	if (unlikely(is->first_ns == INT64_MIN))
		is->first_ns = f->time_ns;
	is->last_ns = cf->last_ns = f->time_ns;
	return CAPFILE_OK;
}

static int pcapng_enhanced_frame(struct capfile *cf, struct block *b, struct frame *ret_frame)
{
	const uint8_t *h = cur_take(&b->body, EPB_FIXED);

	if (unlikely(!h))
		return pcapng_too_long(cf, b, 0);
	return pcapng_timed_frame(cf, b, h, file_u32(cf, h), 0, ret_frame);
}

static int pcapng_obsolete_frame(struct capfile *cf, struct block *b, struct frame *ret_frame)
{
	const uint8_t *h = cur_take(&b->body, PB_FIXED);
	uint16_t drops;

	if (!h)
		return pcapng_too_long(cf, b, 0);
	drops = file_u16(cf, h + 2);
	return pcapng_timed_frame(
		cf, b, h, file_u16(cf, h), drops == PB_DROPS_UNKNOWN ? 0 : drops, ret_frame);
}

/* Has neither time nor captured length: that follows from the snap length of the first interface.
 */
static int pcapng_simple_frame(struct capfile *cf, struct block *b, struct frame *ret_frame)
{
	const uint8_t *h = cur_take(&b->body, SPB_FIXED);
	uint32_t wire_len, cap_len, snaplen;

	if (!h)
		return pcapng_too_long(cf, b, 0);
	if (cf->section_first == cf->info.interface_count)
		return pcapng_no_interface(cf, b, 0);
	snaplen = cf->info.interfaces[cf->section_first].snaplen;
	wire_len = cap_len = file_u32(cf, h);
	if (snaplen && cap_len > snaplen)
		cap_len = snaplen;
	if (cap_len > b->body.left || cap_len > CAPTURED_MAX)
		return pcapng_too_long(cf, b, cap_len);
	cf->info.frames++;
	*ret_frame = (struct frame){
		.data = b->body.at,
		.cap_len = cap_len,
		.wire_len = wire_len,
		.offset = b->offset,
		.number = ++cf->number,
		.interface = cf->section_first,
	};
	return CAPFILE_OK;
}

int pcapng_blocks_next(struct capfile *cf, struct frame *ret_frame)
{
	struct block b;
	int r;

	for (;;) {
		r = pcapng_next_block(cf, &b);
		if (r != CAPFILE_OK)
			return r;
		switch (b.type) {
		case BLOCK_EPB:
			return pcapng_enhanced_frame(cf, &b, ret_frame);
		case BLOCK_SPB:
			return pcapng_simple_frame(cf, &b, ret_frame);
		case BLOCK_PB:
			return pcapng_obsolete_frame(cf, &b, ret_frame);
		case BLOCK_SHB:
			r = pcapng_new_section(cf, &b);
			break;
		case BLOCK_IDB:
			r = pcapng_new_interface(cf, &b);
			break;
		case BLOCK_ISB:
			r = pcapng_new_statistics(cf, &b);
			break;
		}
		if (r != CAPFILE_OK)
			return r;
	}
}

static bool pcapng_is_at_hand(const struct capfile *cf)
{
	const struct cursor *w = &cf->source->window;

	return w->left >= BLOCK_FRAME && file_u32(cf, w->at) == BLOCK_EPB &&
	       file_u32(cf, w->at + 4) <= w->left;
}

uint32_t pcapng_frames_at_hand(struct capfile *cf, struct frame *ret_frames, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && pcapng_is_at_hand(cf) &&
		pcapng_blocks_next(cf, &ret_frames[i]) == CAPFILE_OK)
		i++;
	return i;
}
