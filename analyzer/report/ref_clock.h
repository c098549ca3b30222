/* ref_clock: the clock model in the database, and times of any vantage point on the reference
 * clock. */
#pragma once

#include <stdint.h>

#include "store/db.h"

struct ref_clock_piece {
	int64_t vantage, reference; /* ids */
	int64_t from_ns, to_ns;	    /* on this clock */
	int64_t offset_ns, low_ns,
		high_ns; /* this clock minus the reference's at from_ns; DB_NONE: no bound */
	int64_t samples;
	double skew_ppm;
	char *method, *name, *reference_name;
};

struct ref_clock {
	struct ref_clock_piece *pieces; /* by vantage, then from_ns */
	size_t count, cap;
};

int ref_clock_load(struct ref_clock *c, struct db *db, struct error *err);
void ref_clock_release(struct ref_clock *c);

/* Whether the model says anything about this clock. */
bool ref_clock_knows(const struct ref_clock *c, int64_t vantage);

/* t_ns of vantage's clock on the reference clock, as ref_ns() in SQL has it; DB_NONE stays DB_NONE.
 */
int64_t ref_clock_ns(const struct ref_clock *c, int64_t vantage, int64_t t_ns);
