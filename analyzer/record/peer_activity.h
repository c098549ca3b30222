/* peer_activity: table peer_activity: the seconds in which one address heard another. */
#pragma once

#include "base/hashmap.h"
#include "join/join.h"
#include "store/db.h"

/* (vantage, from, to, second) -> frames; hashmap_release() frees it. */
void peer_activity_init(struct hashmap *seconds);

void peer_activity_add(struct hashmap *seconds, const struct join_batch *b);
void peer_activity_store(const struct hashmap *seconds, const struct dataset *data, struct db *db);
