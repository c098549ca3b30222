/* ref_clock: times of any vantage point on the reference clock, by the clock model in the database.
 */
#pragma once

#include <stdint.h>

#include "store/db.h"

struct ref_clock_piece {
	int64_t vantage, from_ns, to_ns;
	int64_t offset_ns; /* this clock minus the reference's at from_ns; 0 where no bound is known
			    */
	double skew_ppm;
};

struct ref_clock {
	struct ref_clock_piece *pieces; /* by vantage, then from_ns */
	size_t count;
};

int ref_clock_load(struct ref_clock *a, struct db *db, struct error *err);
void ref_clock_release(struct ref_clock *a);

/* What vantage's clock shows more than the reference's at time t_ns of its own; 0 without a model.
 */
int64_t ref_clock_offset(const struct ref_clock *a, int64_t vantage, int64_t t_ns);

/* t_ns of vantage's clock on the reference clock; DB_NONE stays DB_NONE. */
int64_t ref_clock_ns(const struct ref_clock *a, int64_t vantage, int64_t t_ns);
