/* memory: shares out what --memory allows: records of packets, flow tables, the join. */
#pragma once

#include <stdint.h>

#include "flow/dataset.h"

/* asked 0: half of the machine's memory. */
uint64_t memory_limit(uint64_t asked);

/* Of the limit: bytes for the records of packets, which go to the spill file beyond it. */
uint64_t memory_of_records(uint64_t limit);

/* Of the limit: flows of all vantage points. */
uint32_t memory_flows(uint64_t limit);

/* Once all captures were read: the join needs memory of its own for each flow, so the records make
 * room. */
void memory_make_room(struct dataset *data, uint64_t limit);
