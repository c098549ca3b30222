/* host_reading: the captures of one host while they are read; for the files of ingest alone. */
#pragma once

#include "flow/ingest.h"
#include "flow/fragments.h"
#include "flow/observation.h"

struct filter_program;

/* Frames are taken in groups, so that the memory of all their flows is on its way before the first
 * needs it. */
#define GROUP 32

struct taken {
	struct reading_vantage *rv;
	struct frame *frame;
	struct packet packet;
	struct flow_lookup lookup;
	uint32_t ordinal;
};

/*
 * What tells places apart that share an interface of a file: the capture of all interfaces says of
 * each frame where it passed (SLL2), a mirror in which of its sessions. 0: not said.
 */
struct part_key {
	uint32_t ifindex, tunnel;
	uint32_t network; /* with tunnel */
};

struct reading_vantage {
	struct vantage v;
	struct reading_vantage *whole; /* of which it is a part; itself: it has the first of each
					  kind, and what says nothing */
	struct part_key key;
	uint32_t part_count;   /* of a whole, without itself */
	uint32_t last_capture; /* index, and the interface in it */
	uint32_t last_interface;
	uint32_t place; /* in its reading */
};

struct host_reading {
	struct dataset *data;
	struct host *host;
	const struct ingest_options *options;
	struct reading_vantage **vantages;
	uint32_t count, cap, limit;
	struct reading_vantage *rest; /* of interfaces beyond the limit: their frames are counted,
					 not read; NULL: none yet */
	/* While one capture is read: */
	uint32_t capture_index;
	struct capture *capture;
	struct interface_state {
		struct reading_vantage *rv;
		uint32_t link_type;
		const struct filter_program *filter;
		const struct filter_program *scope; /* what the user says was recorded; NULL */
		int left_out; /* the disposition of all its frames where none is read: the filter
				 has no meaning for its link type, or it is beyond the limit; else 0
			       */
	} * interfaces;
	uint32_t interface_count;
	int64_t last_ns;
	struct fragments *fragments;
	struct frame frames[GROUP];
	struct taken group[GROUP];
};

/*
 * A time in a damaged file may be anything. From 1970 to 2116 differences and sums of two times fit
 * in 64 bits; what lies beyond is moved to the edge.
 */
static inline int64_t reading_sane_time(int64_t time_ns)
{
	return time_ns < 0 ? 0 : time_ns > INT64_MAX / 2 ? INT64_MAX / 2 : time_ns;
}
