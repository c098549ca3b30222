/* aligned: times of any vantage point on the reference clock, by the clock model in the database. */
#pragma once

#include <stdint.h>

#include "store/db.h"

struct aligned_piece {
	int64_t vantage, from_ns, to_ns;
	int64_t offset_ns; /* this clock minus the reference's at from_ns; 0 where no bound is known */
	double skew_ppm;
};

struct aligned {
	struct aligned_piece *pieces; /* by vantage, then from_ns */
	size_t count;
};

int aligned_load(struct aligned *a, struct db *db, struct error *err);
void aligned_release(struct aligned *a);

/* What vantage's clock shows more than the reference's at time t_ns of its own; 0 without a model. */
int64_t aligned_offset(const struct aligned *a, int64_t vantage, int64_t t_ns);

/* t_ns of vantage's clock on the reference clock; DB_NONE stays DB_NONE. */
int64_t aligned_ns(const struct aligned *a, int64_t vantage, int64_t t_ns);
