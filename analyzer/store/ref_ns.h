/*
 * ref_ns: times of any vantage point on the reference clock, by the clock model in the database
 * (the view clock_piece). The one place that knows how a piece is applied; SQL calls it as
 * ref_ns(vantage_id, t).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "store/sqlite.h"

struct ref_ns_piece {
	int64_t vantage;
	/* this piece holds from here on, to the next one of its vantage point */
	int64_t valid_from;
	int64_t from_ns;
	/* this clock minus the reference's at from_ns; 0 where no bound is known */
	double offset_ns;
	double skew_ppm;
};

struct ref_ns_model {
	struct ref_ns_piece *pieces; /* by vantage, then valid_from */
	size_t count;
};

/* t_ns of a clock that at from_ns showed offset_ns more than the reference's, and gains skew_ppm.
 */
static inline int64_t ref_ns_apply(int64_t t_ns, int64_t from_ns, double offset_ns, double skew_ppm)
{
	return t_ns - (int64_t)(offset_ns + (double)(t_ns - from_ns) * skew_ppm / 1e6);
}

/* Reads the model; returns an SQLite result code. */
int ref_ns_read(sqlite3 *handle, struct ref_ns_model *ret);
void ref_ns_release(struct ref_ns_model *c);

/* t_ns of vantage's clock on the reference clock; unchanged where nothing is known of that clock.
 */
int64_t ref_ns(const struct ref_ns_model *c, int64_t vantage, int64_t t_ns);
