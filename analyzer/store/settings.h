/* settings: thresholds that a user changes with --set KEY=VALUE. */
#pragma once

#include "store/db.h"

/* Changes one setting; text is KEY=VALUE. Unknown keys and values that are no number are refused.
 */
int setting_change(struct db *db, const char *text, struct error *err);

/* The value in force; *ret stays as it is where there is none (negative, err set). */
int setting_value(struct db *db, const char *key, double *ret, struct error *err);
