/*
 * judge: turns facts into findings by running the rules of schema/rules in their order, then links
 * causes and numbers the findings. A rule names its findings by keys of its own (new_finding in
 * prepare.sql) and leaves its temporary tables to the judge, so that no rule minds another. The
 * judge changes finding, evidence, defect and defect_condition only; the facts are never rewritten,
 * not even by a rule of the user's.
 */
#pragma once

#include "base/error.h"
#include "store/db.h"

/*
 * Judges again from nothing: finding and evidence are cleared first. rules_dir (may be NULL) is a
 * folder whose files *.sql run after our own rules, sorted by name. All in one transaction, unless
 * the caller has one open; after a failure it is rolled back (a file that is still being made has
 * no journal: there the caller discards it), and err says "file:line: message". The indexes of
 * schema_indexes must be there.
 */
int judge_run(struct db *db, const char *rules_dir, struct error *err);

/* For tools that run the rules by themselves: the last temporary table or view there is, and the
 * end of those that were made after it (0: of all). */
int judge_last_temporary(struct db *db, int64_t *ret_last, struct error *err);
int judge_drop_temporary(struct db *db, int64_t after, struct error *err);
