/* flow_logs: the flow logs among the inputs, read and stored. */
#pragma once

#include "run/analyze.h"
#include "run/plan.h"

int flow_logs_store(struct db *db, const struct plan *plan, const struct analyze_options *o,
	unsigned threads, struct error *err);

/* What packets are held against is each record, and standard input is read once: negative with err
 * set where --keep proof was given with such inputs. */
int flow_logs_check_keep(
	const struct plan *plan, const struct analyze_options *o, struct error *err);

/* Once findings are known: stores the records that they cite. */
int flow_logs_keep_cited(struct db *db, const struct plan *plan, const struct analyze_options *o,
	unsigned threads, struct error *err);
