/* settings: thresholds that a user changes with --set KEY=VALUE. */
#pragma once

#include "store/db.h"

/* Changes one setting; text is KEY=VALUE. Unknown keys and values that are no number are refused.
 */
int setting_change(struct db *db, const char *text, struct error *err);
