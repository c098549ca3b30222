/*
 * kernel_drops: packets that a host's kernel dropped, as its agent recorded them. They are what the
 * host says of packets, not a place that packets pass: no flow has them as segments.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hashmap.h"
#include "flow/flowtab.h"

struct observation;

#define KERNEL_DROP_SAID 240 /* bytes of what the kernel said */

struct kernel_drop {
	struct segment segment; /* also of packets that are no flow's: time, frame, direction */
	struct flow_key key;	/* when has_key */
	uint32_t hash;		/* of the key */
	uint32_t said;		/* index into kernel_drops.said */
	uint8_t version;	/* of IP; 0: another protocol */
	bool has_key;
};

struct kernel_drops {
	struct kernel_drop *rows;
	uint32_t count, cap;
	uint64_t refused;    /* beyond NOTE_LIMIT */
	struct hashmap said; /* "reason=... function=..." -> nothing; few, and the same for many */
};

void kernel_drops_init(struct kernel_drops *d);
void kernel_drops_release(struct kernel_drops *d);
void kernel_drops_add(struct kernel_drops *d, const struct observation *o);

/* The value of a word ("reason") in what the kernel said of a row; false: it does not say. */
bool kernel_drops_word(const struct kernel_drops *d, const struct kernel_drop *row,
	const char *name, char ret[KERNEL_DROP_SAID]);
