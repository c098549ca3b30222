#include "run/memory.h"

#include <unistd.h>

#include "flow/arena.h"

/* Of --memory, what the packets' records may take; flow tables, SQLite and the rest share the
 * remainder. */
#define RECORDS_SHARE 0.6
/*
 * What a flow of one vantage point takes at most beside its records, which can go to the spill
 * file: its place in the tables, its addresses, pairs and services here, in the join and in the
 * sums, each while it doubles (measured: a flood of SYNs, each from another address).
 */
#define FLOW_COST 600
/* The share of --memory for it. */
#define FLOWS_SHARE 0.5
/* What pairing, sums and indexes take for each flow of each vantage point, and SQLite's cache
 * (measured). */
#define JOIN_COST 200
#define JOIN_FIXED (32 << 20)

uint64_t memory_limit(uint64_t asked)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	if (asked)
		return asked;
	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : UINT64_C(2) << 30;
}

uint64_t memory_of_records(uint64_t limit)
{
	return (uint64_t)((double)limit * RECORDS_SHARE);
}

uint32_t memory_flows(uint64_t limit)
{
	double flows = (double)limit * FLOWS_SHARE / FLOW_COST;

	return flows > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)flows;
}

void memory_make_room(struct dataset *data, uint64_t limit)
{
	uint64_t need = JOIN_FIXED;

	for (uint32_t i = 0; i < data->vantage_count; i++)
		need += (uint64_t)data->vantages[i].flows.count * JOIN_COST;
	arena_budget_lower(data->budget, limit > need ? limit - need : 0);
	for (uint32_t h = 0; h < data->host_count; h++)
		arena_fit(&data->hosts[h].arena);
}
