/*
 * counters: values of counters as facts. A sample is what a counter stands at; what was counted in
 * a span is what a source says that gives rates or sums. Names are the kernel's where a source has
 * names of its own: rx_packets of an interface, snmp.GROUP.NAME of the stack.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hostfile/collection.h"

#define COUNTERS_INTERFACE_SIZE 64

/* The time of the file being read, where its head tells it. */
struct stamp counters_time(const struct collection *c);

/* interface NULL: name is the whole key of a counter of the stack. */
void counters_sample(struct collection *c, uint64_t line, const struct stamp *at,
	const char *interface, const char *name, int64_t value);

/* As counters_sample, of the names that a driver has made up. */
void counters_driver_sample(struct collection *c, uint64_t line, const struct stamp *at,
	const char *interface, const char *name, int64_t value);

/* amount in the length_ns that ended at end. interface NULL: of the host. */
void counters_counted(struct collection *c, uint64_t line, const struct stamp *end,
	int64_t length_ns, const char *interface, const char *name, double amount);

/* A whole number, signed or beyond 2^63 (then cut): false when text is none. */
bool counters_number(const char *text, int64_t *ret_value);

/*
 * The interface behind the command's last word ("ethtool -S eth0"), or behind mark in the name
 * ("ethtool-S." or "ethtool_-S_"). false: neither tells.
 */
bool counters_interface(const struct collection_file *f, const char *mark,
	char ret_interface[COUNTERS_INTERFACE_SIZE]);
