/* parts: places that share an interface of a file, a vantage point each. */
#pragma once

#include "flow/host_reading.h"

/* The part of an interface's vantage point that a frame is of; a new one at its first frame. */
struct reading_vantage *parts_vantage(
	struct host_reading *rd, struct reading_vantage *whole, const struct packet *p);

/* Its capture is the whole's: what ran, paused and lost frames there did so here. */
void parts_finish(struct reading_vantage *rv);
