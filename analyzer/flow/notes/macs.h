/*
 * macs: the MACs of a vantage point by index: to which one each IP address was sent, and from which
 * one it sent. Frames of a flow's side with one pair of MACs are counted as a run in the side
 * itself; a change of MACs closes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hashmap.h"
#include "flow/flowtab.h"

#define MAC_NONE UINT16_MAX /* no MAC in this link type, or the table is full */

struct address_notes;

struct mac_use_key {
	uint8_t ip[16];
	uint16_t mac;
	uint16_t from_mac; /* destination: the frames' source MAC */
	uint16_t binding;  /* destination: the MAC the address had last spoken from; MAC_NONE */
	uint8_t role;	   /* 0 source, 1 destination */
	uint8_t unused;
};

struct mac_use {
	uint64_t frames;
	int64_t first_ns, last_ns;
	uint32_t first_frame;
	uint8_t ttl_max;
};

struct mac_notes {
	/* its host's: 6 bytes -> nothing; the index is the segment's MAC index */
	struct hashmap *table;
	struct hashmap use; /* struct mac_use_key -> struct mac_use */
};

/* table: macs_table_init()'s, which the vantage points of one host share. */
void macs_table_init(struct hashmap *table);
void macs_init(struct mac_notes *n, struct hashmap *table);
void macs_release(struct mac_notes *n);

/* Index of a MAC; makes it when new. MAC_NONE: the table is full. */
uint16_t macs_index(struct mac_notes *n, const uint8_t mac[6]);

/* The MACs of one frame. */
struct frame_macs {
	uint16_t src, dst; /* indexes */
	uint32_t ordinal;  /* the frame's */
	int64_t at_ns;
};

/* Counts a frame of a flow's side under its MACs. */
void macs_new_run(struct mac_notes *n, struct address_notes *addresses, struct flow_vantage *f,
	bool from_b, const struct frame_macs *frame);

/* Takes the run of a side into use; for every flow once at the end. */
void macs_close_run(
	struct mac_notes *n, struct address_notes *addresses, struct flow_vantage *f, bool from_b);
