/*
 * captures: writes hosts with their addresses, vantage points, and capture files with their
 * interfaces, accounts and drops.
 */
#pragma once

#include "join/join.h"
#include "store/db.h"

void captures_store(struct db *db, const struct dataset *data, const struct join *j);
