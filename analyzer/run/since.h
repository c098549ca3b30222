/* since: what --since may add to a database: flow logs alone. */
#pragma once

#include "run/plan.h"
#include "store/db.h"

/* Negative with err set: an input is a capture or a file of a host that the database does not hold.
 */
int since_refuse_new(struct db *db, const struct plan *plan, struct error *err);
