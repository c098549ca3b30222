/* neigh: any bytes as a listing of a neighbour table. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "read/neigh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *context, const struct neigh_entry *e)
{
	(*(uint64_t *)context)++;
	assert(e->ip[0] && strlen(e->ip) < sizeof(e->ip));
	assert(strlen(e->mac) < sizeof(e->mac) && strlen(e->interface) < sizeof(e->interface));
	assert(e->state[0] && strlen(e->state) < sizeof(e->state));
	assert(e->used_s >= -1 && e->confirmed_s >= -1 && e->updated_s >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct neigh_count count = {0};
	uint64_t seen = 0;

	(void)neigh_recognise((const char *)data, size);
	neigh_parse((const char *)data, size, check, &seen, &count);
	assert(seen == count.entries);
	return 0;
}
