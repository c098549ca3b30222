/* capfile_impl: what the parts of capfile share. Nobody else includes it. */
#pragma once

#include "base/cursor.h"
#include "read/capfile.h"
#include "read/source.h"

/* BIG TCP records may need 512 KiB; more is garbage in a length field. */
#define CAPTURED_MAX (512u << 10)

#define INTERFACES_MAX 16384u
#define FACTS_MAX 65536u
#define FACT_BYTES_MAX (16u << 20)
#define DROPS_MAX 4096u

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* What pcapng needs to know of an interface beyond what it tells. */
struct interface_state {
	/* ns = ticks * multiply / divide >> shift + offset_ns */
	uint64_t multiply, divide;
	uint8_t shift;
	int64_t offset_ns;
	uint64_t simple_below; /* ticks below it need no 128-bit arithmetic, division or shift */

	int64_t first_ns, last_ns; /* of its frames; INT64_MIN: none yet */
	uint64_t dropped_stated;   /* by the last statistics block */
	uint64_t dropped_since;	   /* by frames since then */
	int64_t statistics_ns;	   /* of the last statistics block; INT64_MIN: none yet */
	uint32_t last_drop;	   /* index into drops + 1; 0: none */
};

struct capfile {
	struct source *source;
	struct capfile_info info;
	uint32_t number; /* of the last frame */
	bool swapped;	 /* the file's (pcapng: the section's) byte order is not ours */
	bool ended;
	bool is_ahead; /* ahead is the next frame */
	struct frame ahead;

	/* pcap */
	uint32_t record_header; /* 16; 24 with Kuznetzov's patch */
	uint32_t frac_ns;	/* nanoseconds of a unit of the fraction */
	enum { LENGTHS_IN_ORDER, LENGTHS_SWAPPED, LENGTHS_PERHAPS_SWAPPED } lengths;

	/* pcapng */
	uint32_t section_first; /* index of the first interface of this section */
	struct interface_state *states;
	uint32_t interface_cap, fact_cap, drop_cap;
	size_t fact_bytes;
	int64_t last_ns; /* of any interface; INT64_MIN: no frame with a time yet */
};

static inline uint32_t file_u32(const struct capfile *cf, const uint8_t *p)
{
	uint32_t v = le32(p);

	return unlikely(cf->swapped) ? __builtin_bswap32(v) : v;
}

static inline uint16_t file_u16(const struct capfile *cf, const uint8_t *p)
{
	return cf->swapped ? be16(p) : le16(p);
}

static inline uint64_t file_u64(const struct capfile *cf, const uint8_t *p)
{
	return cf->swapped ? be64(p) : le64(p);
}

/* capfile.c */

/* source_need() with the bookkeeping that goes with it. */
size_t capfile_need(struct capfile *cf, size_t n);
/* Ends the reading; what ("garbage in") goes before "frame N at byte M". Returns CAPFILE_END. */
int capfile_damage(struct capfile *cf, uint64_t offset, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Ends the reading where there are only have of want bytes: the sound end when have is 0. */
int capfile_cut(struct capfile *cf, uint64_t offset, size_t have, size_t want);

/* capfile_info.c */

struct capfile_interface *capfile_add_interface(
	struct capfile *cf, uint32_t link_type, uint32_t snaplen);
/* A copy of n bytes as valid UTF-8, cut at a NUL byte. */
char *capfile_text(const uint8_t *bytes, size_t n);
/* Takes value; the key is copied. The fact, until the next one is added; NULL when it is not kept.
 */
struct capfile_fact *capfile_add_fact(
	struct capfile *cf, uint32_t interface, int64_t time_ns, const char *key, char *value);
/* Frames lost on interface between two times (either may be INT64_MIN: not known). */
void capfile_add_drop(
	struct capfile *cf, uint32_t interface, int64_t from_ns, int64_t to_ns, uint64_t frames);
void capfile_release_facts(struct capfile *cf);

/* pcap.c: begin returns 0, CAPFILE_NOT_CAPTURE, or CAPFILE_END when it is not its magic. */

int pcap_records_begin(struct capfile *cf, struct error *err);
int pcap_records_next(struct capfile *cf, struct frame *ret_frame);
uint32_t pcap_frames_at_hand(struct capfile *cf, struct frame *ret_frames, uint32_t n);

/* pcapng.c */

int pcapng_blocks_begin(struct capfile *cf, struct error *err);
int pcapng_blocks_next(struct capfile *cf, struct frame *ret_frame);
uint32_t pcapng_frames_at_hand(struct capfile *cf, struct frame *ret_frames, uint32_t n);

/* pcapng_options.c: the blocks that describe. body: without type, lengths. */

void pcapng_section(struct capfile *cf, struct cursor body);
bool pcapng_interface(struct capfile *cf, struct cursor body);	/* false: too many, or too short */
bool pcapng_statistics(struct capfile *cf, struct cursor body); /* false: unknown interface */

int64_t pcapng_time_wide(const struct interface_state *is, uint64_t ticks);

static inline int64_t pcapng_time(const struct interface_state *is, uint64_t ticks)
{
	if (likely(ticks < is->simple_below))
		return (int64_t)(ticks * is->multiply) + is->offset_ns;
	return pcapng_time_wide(is, ticks);
}

/* One option; false at the end of the list. Counts a malformed list. */
struct option {
	uint16_t code;
	struct cursor value;
};
bool pcapng_option(struct capfile *cf, struct cursor *list, struct option *ret_option);
