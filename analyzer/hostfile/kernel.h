/*
 * kernel: lines of the kernel's log, wherever they were logged: which of them become facts, and
 * what the first ones say of the machine (kernel, hypervisor, network drivers).
 */
#pragma once

#include <stdint.h>

#include "hostfile/collection.h"

#define KERNEL_FACTS_MAX 48
#define KERNEL_DRIVERS_MAX 16

/* What a kernel said of its machine since its boot; a log may hold several boots. */
struct kernel {
	struct collection *c;
	struct kernel_fact {
		char key[64], value[128];
		struct stamp at;
		uint64_t line;
	} facts[KERNEL_FACTS_MAX];
	size_t fact_count;
	struct kernel_driver {
		char name[32], version[32];
		bool has_device; /* a line of it names a PCI device, so that it is in use */
		struct stamp at;
		uint64_t line;
	} drivers[KERNEL_DRIVERS_MAX];
	size_t driver_count;
};

void kernel_init(struct kernel *k, struct collection *c);

/* A message; level -1: not said. */
void kernel_line(
	struct kernel *k, uint64_t line, const struct stamp *at, int level, const char *message);

/* The log ended: what its last boot said becomes facts. */
void kernel_finish(struct kernel *k);
